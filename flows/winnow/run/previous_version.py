"""What differs from the previous version: decisions, documents and inputs, and how the next version will look."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from winnow.base.contracts import TABLES
from winnow.base.records import DUPLICATE_DOCUMENT
from winnow.base.staging import write_parquet
from winnow.publish.dataset import Dataset
from winnow.publish.tables.delta import KEYS

COPY = ["doc_id", "kept_doc_id", "similarity", "containment", "kind"]
REMOVAL = ["doc_id", "position", "part", "reason", "kept_doc_id", "kept_position", "similarity"]
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
    left_out: Collection[str],
    document_decisions: Sequence[Path],
    passage_decisions: Sequence[Path],
) -> frozenset[str]:
    """Returns the published documents whose removals differ from those of the previous version.

    `left_out` are documents that are replaced or withdrawn; their rows are written anew or dropped anyway.
    """
    index = dataset.files("index")
    if not index:
        return frozenset()
    gone = pl.Series("gone", sorted(left_out), pl.String)
    kept = pl.scan_parquet(index).select("doc_id").filter(~pl.col("doc_id").is_in(gone.implode()))

    def rows_of_kept(rows: pl.LazyFrame, columns: list[str]) -> pl.LazyFrame:
        return rows.select(columns).join(kept, on="doc_id", how="semi")

    copies_before = rows_of_kept(pl.scan_parquet(dataset.files("duplicates")), COPY)
    copies_now = rows_of_kept(pl.scan_parquet(list(document_decisions)), COPY)
    removed = (pl.col("status") == "removed") & (pl.col("reason") != DUPLICATE_DOCUMENT)
    removals_before = rows_of_kept(pl.scan_parquet(dataset.files("passages")).filter(removed), REMOVAL)
    decided = pl.scan_parquet(list(passage_decisions)).filter(pl.col("reason").is_not_null())
    removals_now = rows_of_kept(decided, REMOVAL)
    # The passages of a copy are not decided one by one, neither before nor now.
    copies = pl.concat([copies_before.select("doc_id"), copies_now.select("doc_id")])
    removals_before, removals_now = (r.join(copies, on="doc_id", how="anti") for r in (removals_before, removals_now))
    changed_copies = _difference(copies_before, copies_now, COPY)
    return frozenset(changed_copies) | frozenset(_difference(removals_before, removals_now, REMOVAL))


def _difference(before: pl.LazyFrame, now: pl.LazyFrame, columns: list[str]) -> list[str]:
    """Returns the doc_ids of rows that only one of the two frames has."""
    gone = before.join(now, on=columns, how="anti", nulls_equal=True).select("doc_id")
    new = now.join(before, on=columns, how="anti", nulls_equal=True).select("doc_id")
    return pl.concat([gone, new]).unique().collect(engine="streaming")["doc_id"].to_list()


def unchanged_documents(
    dataset: Dataset, parts: Mapping[str, Sequence[Path]], made_again: Collection[str]
) -> frozenset[str]:
    """Those of `made_again` whose rows in `parts` are the rows that the last version holds, the run aside."""
    same = set(made_again)
    for table, columns in COMPARED.items():
        if not same:
            break
        then, now = (_prints(table, files, columns, same) for files in (dataset.files(table), parts[table]))
        differ = then.join(now, on=["doc_id", "rows", "print"], how="anti").select("doc_id")
        new = now.join(then, on=["doc_id", "rows", "print"], how="anti").select("doc_id")
        same -= set(pl.concat([differ, new])["doc_id"])
    return frozenset(same)


def _prints(table: str, files: Sequence[Path], columns: list[str], among: Collection[str]) -> pl.DataFrame:
    """Number of rows and sum of their 64-bit hashes for each document; null in columns that a file lacks."""
    if not files:
        return pl.DataFrame(schema={"doc_id": pl.String, "rows": pl.UInt32, "print": pl.UInt64})
    wanted = pl.DataFrame({"doc_id": sorted(among)}, schema={"doc_id": pl.String}).lazy()
    schema = pl.DataFrame(pl.from_arrow(TABLES[table].empty_table())).schema
    read = pl.scan_parquet(list(files), schema=schema, missing_columns="insert", extra_columns="ignore")
    rows = read.select(columns).join(wanted, on="doc_id", how="semi")
    hashed = rows.select("doc_id", pl.struct(columns).hash(seed=0).alias("print"))
    return hashed.group_by("doc_id").agg(pl.len().alias("rows"), pl.col("print").sum()).collect(engine="streaming")


def without(files: Sequence[Path], doc_ids: Collection[str], table: str) -> tuple[Path, ...]:
    """The files without the rows of `doc_ids`, each written anew in its place; those left empty are dropped."""
    if not doc_ids:
        return tuple(files)
    left = ~pads.field("doc_id").isin(pa.array(sorted(doc_ids), pa.string()))
    kept = []
    for path in files:
        batches = pads.dataset(str(path), schema=TABLES[table]).to_batches(filter=left)
        target = path.with_name(f"new-{path.name}")
        if write_parquet(target, batches, TABLES[table]):
            kept.append(target)
    return tuple(kept)


def changed_inputs(dataset: Dataset, rows: pa.Table) -> pa.Table:
    """Rows of table ``inputs`` that say something else than the last version's, the run aside."""
    files = dataset.files("inputs")
    if not files or not rows.num_rows:
        return rows
    said = [n for n in TABLES["inputs"].names if n != "run_id"]
    published = pads.dataset([str(f) for f in files], schema=TABLES["inputs"])
    before = {tuple(r.values()) for r in published.to_table(said).to_pylist()}
    new = [tuple(r.values()) not in before for r in rows.select(said).to_pylist()]
    return rows.filter(pa.array(new, pa.bool_()))


def skipped_inputs(dataset: Dataset) -> frozenset[str]:
    """The paths of what table ``inputs`` says was not read."""
    files = dataset.files("inputs")
    if not files:
        return frozenset()
    rows = pads.dataset([str(f) for f in files], schema=TABLES["inputs"])
    return frozenset(rows.to_table(["path"], filter=pc.field("skipped").is_valid())["path"].to_pylist())


def whole_version(
    dataset: Dataset, parts: Mapping[str, Sequence[Path]], replaced: Mapping[str, Collection[str]], table: str
) -> pads.Dataset:
    """Returns a table as the next version will have it: published rows that are not replaced, and the new parts."""
    schema = TABLES[table]
    key = KEYS[table]
    gone = pa.array(sorted(replaced.get(table, ())), pa.string())
    sources = []
    if files := dataset.files(table):
        published = pads.dataset([str(f) for f in files], schema=schema)
        sources.append(published.filter(~pc.field(key).isin(gone)) if len(gone) else published)
    if new := parts.get(table):
        sources.append(pads.dataset([str(f) for f in new], schema=schema))
    if not sources:
        return pads.dataset(schema.empty_table())
    return sources[0] if len(sources) == 1 else _Both(sources)


class _Both:
    """Two filtered datasets one after the other; pyarrow's own union drops their filters."""

    def __init__(self, sources: Sequence[pads.Dataset]) -> None:
        self._sources = sources

    def scanner(self, **options: object) -> _Scans:
        return _Scans([s.scanner(**options) for s in self._sources])


class _Scans:
    def __init__(self, scanners: Sequence[pads.Scanner]) -> None:
        self._scanners = scanners

    def to_batches(self):  # type: ignore[no-untyped-def]
        for scanner in self._scanners:
            yield from scanner.to_batches()
