"""What differs from the previous version: decisions, documents and inputs, and how the next version will look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from winnow.base.contracts import SORT_KEYS, TABLES
from winnow.base.doc_ids import (
    EVERYTHING,
    NO_DOCUMENTS,
    DocIds,
    Range,
    as_set,
    doc_keys,
    files_by_range,
    in_range,
    ranges_of,
)
from winnow.base.files import arrow_dataset, scan_parquet
from winnow.base.records import DUPLICATE_DOCUMENT
from winnow.base.staging import write_parquet
from winnow.publish.dataset import Dataset
from winnow.publish.tables.delta import KEYS
from winnow.run.executor import each_range

RANGE_ROWS = 2_000_000  # passages of some 50 bytes each that are compared at a time
COPY = ["doc_id", "kept_doc_id", "similarity", "containment", "kind", "of_rest"]
DECISION = ["doc_id", "position", "part", "reason", "kept_doc_id", "kept_position", "similarity", "suspicion"]
COMPARED = {
    # The index follows from the texts, and metadata from the content, whose hash is compared.
    "documents": [n for n in TABLES["documents"].names if n not in ("run_id", "metadata")],
    "duplicates": [n for n in TABLES["duplicates"].names if n not in ("run_id", "metadata")],
    "passages": TABLES["passages"].names,
    "edits": TABLES["edits"].names,
    "index": ["doc_id", "input", "arrival", "content_sha256", "recipe_id"],
}
"""What must be the same in a document's rows, by table, for the document to be unchanged."""


def changed_decisions(
    dataset: Dataset,
    *,
    left_out: Set[str],
    document_decisions: Sequence[Path],
    passage_decisions: Sequence[Path],
    executor: Executor | None = None,
) -> DocIds:
    """Returns the published documents whose removals, or suspicions, differ from those of the previous version.

    `left_out` are documents that are replaced or withdrawn; their rows are written anew or dropped anyway.
    """
    if not dataset.files("index"):
        return NO_DOCUMENTS
    before = {t: dataset.files(t) for t in ("index", "duplicates", "passages")}
    now = {"duplicates": document_decisions, "passages": passage_decisions}
    jobs = _by_range(before["passages"], as_set(left_out), before, now)
    return DocIds.of_ranges(each_range(executor, _changed_in_range, jobs))


Files: TypeAlias = dict[str, tuple[Path, ...]]
"""Files by the table whose rows they hold."""


def _by_range(cut: Sequence[Path], doc_ids: DocIds, *tables: Mapping[str, Sequence[Path]]) -> list[tuple[Any, ...]]:
    """Ranges in which the files to `cut` have a bounded number of rows, with the doc_ids and files of each."""
    ranges = ranges_of(cut, RANGE_ROWS)
    files = [{t: files_by_range(some, ranges) for t, some in of.items()} for of in tables]
    return [
        (span, doc_ids.within(span), *({t: some[n] for t, some in of.items()} for of in files))
        for n, span in enumerate(ranges)
    ]


def of_range(files: Sequence[Path], span: Range, **how: Any) -> pl.LazyFrame:
    """The files' rows of a range of doc_ids."""
    return scan_parquet(files, **how).filter(pl.col("doc_id") >= span[0], pl.col("doc_id") < span[1])


def _rows(files: Sequence[Path], span: Range, table: str) -> pl.LazyFrame:
    """The same with the columns that the table has today, null where a file lacks one."""
    schema = pl.DataFrame(pl.from_arrow(TABLES[table].empty_table())).schema
    return of_range(files, span, schema=schema, missing_columns="insert", extra_columns="ignore")


def _changed_in_range(job: tuple[Range, DocIds, Files, Files]) -> DocIds:
    span, left_out, tables, now = job
    known = of_range(tables["index"], span).select("doc_id").collect()
    kept = known.filter(~pl.Series(left_out.have(doc_keys(known["doc_id"].to_arrow())))).lazy()

    def rows_of_kept(rows: pl.LazyFrame, columns: list[str]) -> pl.LazyFrame:
        return rows.select(columns).join(kept, on="doc_id", how="semi")

    copies_before = rows_of_kept(_rows(tables["duplicates"], span, "duplicates"), COPY)
    copies_now = rows_of_kept(of_range(now["duplicates"], span), COPY)
    removed = (pl.col("status") == "removed") & (pl.col("reason") != DUPLICATE_DOCUMENT)
    decided = _rows(tables["passages"], span, "passages").filter(removed | pl.col("suspicion").is_not_null())
    before = rows_of_kept(decided, DECISION)
    after = rows_of_kept(of_range(now["passages"], span), DECISION)
    # The passages of a copy are not decided one by one, neither before nor now.
    copies = pl.concat([copies_before.select("doc_id"), copies_now.select("doc_id")])
    before, after = (rows.join(copies, on="doc_id", how="anti") for rows in (before, after))
    differ = [_difference(copies_before, copies_now, COPY), _difference(before, after, DECISION)]
    return DocIds.of(pl.concat(differ).collect(engine="streaming")["doc_id"].to_arrow())


def _difference(before: pl.LazyFrame, now: pl.LazyFrame, columns: list[str]) -> pl.LazyFrame:
    """Returns the doc_ids of rows that only one of the two frames has."""
    gone = before.join(now, on=columns, how="anti", nulls_equal=True).select("doc_id")
    new = now.join(before, on=columns, how="anti", nulls_equal=True).select("doc_id")
    return pl.concat([gone, new]).unique()


def unchanged_documents(
    dataset: Dataset,
    parts: Mapping[str, Sequence[Path]],
    made_again: Set[str],
    executor: Executor | None = None,
) -> DocIds:
    """Those of `made_again` whose rows in `parts` are the rows that the last version holds, the run aside."""
    again = as_set(made_again)
    if not again:
        return again
    then, now = ({t: files(t) for t in COMPARED} for files in (dataset.files, parts.__getitem__))
    return DocIds.of_ranges(each_range(executor, _same_in_range, _by_range(now["passages"], again, then, now)))


def _same_in_range(job: tuple[Range, DocIds, Files, Files]) -> DocIds:
    span, same, before, parts = job
    for table, columns in COMPARED.items():
        if not same:
            break
        then, now = (_prints(table, files[table], columns, same, span) for files in (before, parts))
        differ = then.join(now, on=["doc_id", "rows", "print"], how="anti").select("doc_id")
        new = now.join(then, on=["doc_id", "rows", "print"], how="anti").select("doc_id")
        same -= DocIds.of(pl.concat([differ, new])["doc_id"].to_arrow())
    return same


def _prints(table: str, files: Sequence[Path], columns: list[str], among: DocIds, span: Range) -> pl.DataFrame:
    """Number of rows and sum of their 64-bit hashes for each document; null in columns that a file lacks."""
    if not files:
        return pl.DataFrame(schema={"doc_id": pl.String, "rows": pl.UInt32, "print": pl.UInt64})
    wanted = pl.LazyFrame({"doc_id": pl.Series(among.column(), dtype=pl.String)})
    hashed = _rows(files, span, table).select(columns).join(wanted, on="doc_id", how="semi").select(
        "doc_id", pl.struct(columns).hash(seed=0).alias("print")
    )  # fmt: skip
    return hashed.group_by("doc_id").agg(pl.len().alias("rows"), pl.col("print").sum()).collect(engine="streaming")


def without(files: Sequence[Path], doc_ids: Set[str], table: str) -> tuple[Path, ...]:
    """The files without the rows of `doc_ids`, each written anew in its place; those left empty are dropped."""
    if not doc_ids:
        return tuple(files)
    kept = []
    for path in files:
        target = path.with_name(f"new-{path.name}")
        if write_parquet(target, rows_without(arrow_dataset([path], TABLES[table]), doc_ids), TABLES[table]):
            kept.append(target)
    return tuple(kept)


def rows_without(rows: pads.Dataset, doc_ids: Set[str], batch_size: int = 1 << 16) -> Iterator[pa.RecordBatch]:
    """The rows whose doc_id is none of these."""
    gone = as_set(doc_ids)
    for batch in rows.to_batches(batch_size=batch_size):
        yield batch.filter(pc.invert(gone.mask(batch.column("doc_id"))))


def changed_inputs(dataset: Dataset, rows: pa.Table) -> pa.Table:
    """Rows of table ``inputs`` that say something else than the last version's, the run aside."""
    files = dataset.files("inputs")
    if not files or not rows.num_rows:
        return rows
    said = [n for n in TABLES["inputs"].names if n != "run_id"]
    published = arrow_dataset(files, TABLES["inputs"])
    before = {tuple(r.values()) for r in published.to_table(said).to_pylist()}
    new = [tuple(r.values()) not in before for r in rows.select(said).to_pylist()]
    return rows.filter(pa.array(new, pa.bool_()))


def changed_similar(
    dataset: Dataset, files: Sequence[Path], run_id: str, folder: Path, executor: Executor | None = None
) -> tuple[tuple[Path, ...], DocIds]:
    """Rows of table ``similar`` of documents that have others there than before, and those documents.

    The rows are written to files in `folder`, a range of doc_ids each.
    """
    tables = {"now": files, "before": dataset.files("similar")}
    cut = [*files, *tables["before"]]
    jobs = [(*job, folder / f"{n}.parquet") for n, job in enumerate(_by_range(cut, NO_DOCUMENTS, tables))]
    changed = DocIds.of_ranges(each_range(executor, _similar_in_range, jobs, run_id))
    return tuple(path for *_, path in jobs), changed


def _similar_in_range(job: tuple[Range, DocIds, Files, Path], run_id: str) -> DocIds:
    span, _, tables, path = job
    schema = TABLES["similar"]
    said = [n for n in schema.names if n != "run_id"]
    now = of_range(tables["now"], span).select(said)
    before = of_range(tables["before"], span).select(said) if tables["before"] else now.clear()
    changed = _difference(before, now, said).collect(engine="streaming")
    rows = (
        now.join(changed.lazy(), on="doc_id", how="semi").with_columns(run_id=pl.lit(run_id)).sort(SORT_KEYS["similar"])
    )
    table = rows.select(schema.names).collect(engine="streaming").to_arrow().cast(schema)
    write_parquet(path, [table], schema)
    return DocIds.of(changed["doc_id"].to_arrow())


def skipped_inputs(dataset: Dataset) -> frozenset[str]:
    """The paths of what table ``inputs`` says was not read."""
    files = dataset.files("inputs")
    if not files:
        return frozenset()
    rows = arrow_dataset(files, TABLES["inputs"])
    return frozenset(rows.to_table(["path"], filter=pc.field("skipped").is_valid())["path"].to_pylist())


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeTable:
    """A table as the next version will have it: published rows that are not replaced, and the new parts.

    Of one whose key is doc_id it may be the rows of a range.
    """

    name: str
    published: tuple[Path, ...]
    replaced: Set[str]
    new: tuple[Path, ...]
    span: Range = EVERYTHING

    def by_range(self, ranges: Sequence[Range]) -> list[WholeTable]:
        """Its rows by ranges of doc_ids that follow one another, each with the files that have any of them."""
        replaced = as_set(self.replaced)
        files = (files_by_range(some, ranges) for some in (self.published, self.new))
        return [
            replace(self, published=published, replaced=replaced.within(span), new=new, span=span)
            for span, published, new in zip(ranges, *files, strict=True)
        ]

    def batches(self, columns: Sequence[str], filter: pads.Expression | None = None) -> Iterator[pa.RecordBatch]:
        """Its rows that pass the filter."""
        key, schema = KEYS[self.name], TABLES[self.name]
        wanted = filter
        if self.span != EVERYTHING:
            wanted = in_range(self.span) if filter is None else filter & in_range(self.span)
        gone = self._gone(key)
        for files, mask in ((self.published, gone), (self.new, None)):
            if not files:
                continue
            rows = arrow_dataset(files, schema)
            asked = list(columns) if key in columns or mask is None else [*columns, key]
            # Of texts nothing is read ahead: a row group of them is a large thing.
            how = {"batch_size": 1 << 14, "batch_readahead": 1, "fragment_readahead": 1} if "text" in columns else {}
            for batch in rows.to_batches(columns=asked, filter=wanted, **how):
                if mask is not None:
                    batch = batch.filter(pc.invert(mask(batch.column(key))))
                yield batch.select(list(columns))

    def table(self, columns: Sequence[str]) -> pa.Table:
        schema = pa.schema([TABLES[self.name].field(n) for n in columns])
        return pa.Table.from_batches([b.cast(schema) for b in self.batches(columns)], schema=schema)

    def _gone(self, key: str) -> Callable[[pa.Array], pa.BooleanArray] | None:
        if not self.replaced:
            return None
        if key == "doc_id":
            return as_set(self.replaced).mask
        values = pa.array(sorted(self.replaced), pa.string())
        return lambda column: pc.is_in(column, value_set=values)


def whole_version(
    dataset: Dataset, parts: Mapping[str, Sequence[Path]], replaced: Mapping[str, Set[str]], table: str
) -> WholeTable:
    """Returns a table as the next version will have it."""
    return WholeTable(
        name=table,
        published=tuple(dataset.files(table)),
        replaced=replaced.get(table, frozenset()),
        new=tuple(parts.get(table, ())),
    )
