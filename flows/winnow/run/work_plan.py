"""What there is to do: which inputs changed, which rows need work, which documents are replaced or withdrawn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from winnow.base.doc_ids import NO_DOCUMENTS, DocIds, Joined, Range, files_by_range, mapped, ranges_of
from winnow.base.errors import UsageError
from winnow.base.files import metadata_of, remove_folder, scan_parquet
from winnow.base.records import REPEATED_ID, doc_id_of
from winnow.publish.dataset import Dataset
from winnow.publish.erasure import erased_ids
from winnow.read import InputFiles
from winnow.run.executor import InlineExecutor, each_range
from winnow.run.identity_files import IDENTITY, IdentityFile, ReadRejects, gather_identities, of_range, read_identities
from winnow.run.jobs import ShardFiles

WITHDRAWN = "withdrawn"
"""Kind of the reject that keeps a document out which a person withdrew."""

AFTER_READING = ~pl.col("stage").is_in(["read", "withdraw"])
"""Rejects of records that were read and then refused: they hold their ids, as published ones do."""
RANGE_ROWS = 400_000  # read and published ones that are compared at a time, some 400 bytes each
INDEX_COLUMNS = ["doc_id", "input", "arrival", "content_sha256", "recipe_id"]


def _no_paths() -> pl.Series:
    return pl.Series(dtype=pl.String)


@dataclass(frozen=True, slots=True, eq=False)
class InputPlan:
    """The inputs of a run, by what has to be done with them; those that need nothing by path."""

    changed: InputFiles
    unchanged: pl.Series = field(default_factory=_no_paths)
    vanished: pl.Series = field(default_factory=_no_paths)

    def reading(self, again: InputFiles) -> InputPlan:
        """The plan with these unchanged inputs among those that are read."""
        unchanged = self.unchanged.filter(~self.unchanged.is_in(paths_of(again).implode()))
        changed = InputFiles(pa.concat_tables([self.changed.table, again.table]))
        return replace(self, changed=changed, unchanged=unchanged)


def paths_of(inputs: InputFiles) -> pl.Series:
    return pl.Series(inputs.paths, dtype=pl.String)


def input_frame(inputs: InputFiles) -> pl.DataFrame:
    """Inputs by path, with their size and the SHA-256 of what they hold; empty for those that cannot be read."""
    found = pl.DataFrame(inputs.table.select(["path", "bytes", "sha256"]))
    return found.with_columns(pl.col("path").cast(pl.String), pl.col("sha256").bin.encode("hex").fill_null(""))


NEEDS_CLEANING = 0
"""In the plan of a shard, a record of a document that is new; above it, one that arrived in the version of this number.

Below it stand records that need no work: UNCHANGED, REPEATED (another record has the id), STAYS_OUT.
"""
UNCHANGED, REPEATED, STAYS_OUT = -1, -2, -3


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Moved:
    """Documents, the row in which each stands now (-1: none, the file is the document), and all their characters."""

    doc_ids: DocIds
    rows: NDArray[np.int64]
    chars: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RowPlan:
    """What there is to do with each row of the shards that were read, and which documents leave or are replaced.

    ``rows`` says it for each row of each shard (see NEEDS_CLEANING). ``fresh`` counts the documents that are cleaned in
    this run; ``replaced`` are those of them whose rows in the dataset give way, ``withdrawn`` those that leave it,
    ``refused`` those that leave it because their record is a reject now, ``renamed`` those whose record, unchanged in
    its file, has another name under this recipe. ``moved`` stand unchanged in another row of their input file than the
    dataset says. ``barred`` maps doc_ids to sources of documents that a person withdrew in this run. ``obsolete`` are
    waiting rejects, as (doc_id, content_sha256), whose record is gone or has other content now.
    """

    rows: tuple[NDArray[np.int32], ...]
    fresh: int
    replaced: DocIds
    withdrawn: DocIds
    refused: DocIds
    renamed: DocIds
    moved: Moved
    unchanged: int
    obsolete: frozenset[tuple[str, str]] = frozenset()
    barred: Mapping[str, str] = field(default_factory=dict)

    def repeated(self, shard: int) -> NDArray[np.int64]:
        """The rows of a shard that are records whose id another record has."""
        return np.flatnonzero(self.rows[shard] == REPEATED)

    @property
    def n_repeated(self) -> int:
        return sum(int((rows == REPEATED).sum()) for rows in self.rows)

    def needs_cleaning(self, shard: int) -> NDArray[np.bool_]:
        """By row of a shard, whether its document is cleaned in this run."""
        cleaned: NDArray[np.bool_] = self.rows[shard] >= NEEDS_CLEANING
        return cleaned


def known_inputs(dataset: Dataset) -> pl.DataFrame:
    """The input files that the last version was made from."""
    columns = ["path", "sha256", "recipe_id", "n_documents"]
    read = _scan(dataset.files("inputs"), [*columns, "skipped"]).filter(pl.col("skipped").is_null())
    return read.select(columns).collect().unique("path", keep="last", maintain_order=True)


def no_inputs(dataset: Dataset) -> InputPlan:
    """The plan of a run that reads no input: everything stays as it is."""
    return InputPlan(InputFiles.of(()), known_inputs(dataset)["path"].sort())


def plan_inputs(
    inputs: InputFiles,
    dataset: Dataset,
    recipe_id: str,
    full: bool,
    mirror: bool = False,
    unread_folders: Sequence[str] = (),
) -> InputPlan:
    """Compares what the inputs hold with what the last version was made from.

    A `mirror` reads an unchanged file again where the dataset has more documents of it than it holds: records that left
    it in a run without mirror. Files in `unread_folders`, which could not be entered, have not vanished.
    """
    now, known = input_frame(inputs), known_inputs(dataset)
    same = known.filter(pl.col("recipe_id") == recipe_id) if not full else known.clear()
    if mirror:
        published = _scan(dataset.files("index"), ["input"]).group_by("input").len().collect()
        more = known.join(published, left_on="path", right_on="input").filter(pl.col("len") > pl.col("n_documents"))
        same = same.join(more, on="path", how="anti")
    held = same.select("path", "sha256", same=pl.lit(True))
    is_same = now.join(held, on=["path", "sha256"], how="left", maintain_order="left")["same"].fill_null(False)
    is_closed = pl.any_horizontal(pl.lit(False), *(pl.col("path").str.starts_with(folder) for folder in unread_folders))
    return InputPlan(
        changed=inputs.where((~is_same).to_arrow()),
        unchanged=now["path"].filter(is_same),
        vanished=known.join(now, on="path", how="anti").filter(~is_closed)["path"].sort(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The files that the plan is made from, and what is asked of all ranges of doc_ids."""

    identities: tuple[IdentityFile, ...]
    index: tuple[Path, ...]
    rejects: tuple[Path, ...]
    documents: tuple[Path, ...]
    unchanged: pl.Series
    looked_at: pl.Series = field(default_factory=_no_paths)
    recipe_id: str = ""
    full: bool = False
    mirror: bool = False
    barred: frozenset[str] = frozenset()
    erased: frozenset[str] = frozenset()

    @classmethod
    def of(cls, shards: Sequence[ShardFiles], inputs: InputPlan, dataset: Dataset, **asked: Any) -> _Known:
        return cls(
            identities=tuple(IdentityFile(files.identities, number) for number, files in enumerate(shards)),
            index=tuple(dataset.files("index")),
            rejects=tuple(dataset.files("rejects")),
            documents=(*dataset.files("documents"), *dataset.files("duplicates")),
            unchanged=inputs.unchanged,
            erased=erased_ids(dataset),
            **asked,
        )

    @contextmanager
    def ranges(self, executor: Executor, work: Path | None, not_read: DocIds = NO_DOCUMENTS) -> Iterator[list[_Range]]:
        """Ranges of a bounded number of rows, with the few files to open; some stand in `work` until the end."""
        spans = ranges_of((*(file.path for file in self.identities), *self.index), RANGE_ROWS)
        folder = work and work / "plan"
        identities = [self.identities] * len(spans)
        if folder:
            identities = gather_identities(self.identities, spans, executor, folder)
        published = zip(*(files_by_range(f, spans) for f in (self.index, self.rejects, self.documents)), strict=True)
        yield [
            _Range(
                span=span, identities=read, index=index, rejects=rejects, documents=documents,
                read_rejects=not_read.within(span),
            )
            for span, read, (index, rejects, documents) in zip(spans, identities, published, strict=True)
        ]  # fmt: skip
        if folder:
            remove_folder(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    """A range of doc_ids, the files that hold its rows, and what the reading rejected of it."""

    span: Range
    identities: tuple[IdentityFile, ...]
    index: tuple[Path, ...]
    rejects: tuple[Path, ...]
    documents: tuple[Path, ...]
    read_rejects: DocIds

    def read(self) -> pl.DataFrame:
        """What the shards hold."""
        return read_identities(self.identities, self.span)

    def published(self, columns: list[str]) -> pl.DataFrame:
        """Rows of table ``index``."""
        return _scan(self.index, columns).filter(of_range(self.span)).collect()

    def waiting(self) -> pl.DataFrame:
        """The rejects of the last version that wait."""
        columns = [*IDENTITY, "row", "recipe_id", "stage", "expectation", "replayed_in"]
        rejects = _scan(self.rejects, columns).filter(of_range(self.span), pl.col("replayed_in").is_null())
        return rejects.rename({"row": "place"}).drop("replayed_in").collect()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _RangePlan:
    """The part of a `RowPlan` that is about a range of doc_ids; ``rows`` are (shard, row, what to do with it)."""

    rows: NDArray[Any]
    fresh: int
    replaced: DocIds
    withdrawn: DocIds
    refused: DocIds
    renamed: DocIds
    moved: Moved
    unchanged: int
    obsolete: frozenset[tuple[str, str]]


def plan_rows(
    shards: Sequence[ShardFiles],
    inputs: InputPlan,
    dataset: Dataset,
    *,
    recipe_id: str,
    full: bool = False,
    mirror: bool = False,
    barred: Mapping[str, str] = MappingProxyType({}),
    executor: Executor | None = None,
    work: Path | None = None,
) -> RowPlan:
    """Decides row by row, from identities and content hashes alone, one range of doc_ids after another.

    `barred` are documents that leave and stay out; so do those that an earlier run barred.

    Of records that share an id the one in the first input file by name stays, within a file the one with the
    smallest content hash: a choice that does not depend on the order of lines or on what was read before.

    There are 4 bytes a row, 8 for each document that leaves or gives way and 16 for each that moved. `executor` does
    the work; its files, and what is large of the plan, stand in the folder `work`.
    """
    found = ReadRejects.of([files.read_rejects for files in shards])
    known = _Known.of(
        shards, inputs, dataset, recipe_id=recipe_id, full=full, mirror=mirror,
        barred=frozenset(barred) | _longer_names(inputs, dataset), looked_at=_looked_at(inputs, found, mirror),
    )  # fmt: skip
    sizes = [meta.num_rows for meta in metadata_of(file.path for file in known.identities)]
    planned = mapped(np.int32, sum(sizes), work) if work else np.zeros(sum(sizes), np.int32)
    rows = tuple(np.split(planned, np.cumsum(sizes[:-1]))) if sizes else ()
    leaving = {kind: Joined(np.uint64, work) for kind in ("replaced", "withdrawn", "refused", "renamed", "moved")}
    places = Joined(np.int64, work)
    fresh = unchanged = moved_chars = 0
    obsolete: set[tuple[str, str]] = set()
    with known.ranges(executor or InlineExecutor(), work, found.doc_ids) as ranges:
        for part in each_range(executor, _plan_range, ranges, known):
            by_shard = part.rows[np.argsort(part.rows["shard"], kind="stable")]
            numbers, starts = np.unique(by_shard["shard"], return_index=True)
            for shard, of_shard in zip(numbers.tolist(), np.split(by_shard, starts[1:]), strict=False):
                rows[shard][of_shard["row"]] = of_shard["plan"]
            for kind, joined in leaving.items():
                joined.add(part.moved.doc_ids.keys if kind == "moved" else getattr(part, kind).keys)
            places.add(part.moved.rows)
            fresh, unchanged = fresh + part.fresh, unchanged + part.unchanged
            moved_chars += part.moved.chars
            obsolete |= part.obsolete
    moved = Moved(doc_ids=DocIds(leaving.pop("moved").whole()), rows=places.whole(), chars=moved_chars)
    return RowPlan(
        rows=rows,
        fresh=fresh,
        **{kind: DocIds(joined.whole()) for kind, joined in leaving.items()},
        moved=moved,
        obsolete=frozenset(obsolete),
        unchanged=unchanged,
        barred=barred,
    )


def _plan_range(of: _Range, known: _Known) -> _RangePlan:
    everything, waiting = of.read(), of.waiting()
    stay_out = _is_barred(waiting, known.barred | known.erased)
    read = everything.filter(~stay_out)
    index = of.published(INDEX_COLUMNS)
    not_read = index.filter(pl.col("input").is_in(known.unchanged.implode()))
    first = _first_records(read, _unread_records(index, waiting, known.unchanged))
    winners = first.filter(pl.col("shard") >= 0)
    repeated = read.join(winners, on=["shard", "row"], how="anti")
    unchanged = winners.clear()
    if not known.full:
        settled = winners.join(index.filter(pl.col("recipe_id") == known.recipe_id), on=IDENTITY, how="semi")
        refused_before = waiting.filter(pl.col("recipe_id") == known.recipe_id, pl.col("expectation") != REPEATED_ID)
        in_place = winners.join(refused_before, on=[*IDENTITY, "place"], how="semi", nulls_equal=True)
        unchanged = pl.concat([settled, in_place]).unique(maintain_order=True)
    fresh = winners.join(unchanged, on=["shard", "row"], how="anti").join(
        index.select("doc_id", "arrival"), on="doc_id", how="left"
    )
    published = index.select("doc_id")
    rejects = pl.DataFrame({"doc_id": pl.Series(of.read_rejects.column(), dtype=pl.String)})
    refused = published.join(rejects, on="doc_id", how="semi").join(first, on="doc_id", how="anti")
    looked_at = pl.col("input").is_in(known.looked_at.implode())
    leaving = published.filter(pl.col("doc_id").is_in(sorted(known.barred)))["doc_id"]
    vanished = index.filter(looked_at).join(first, on="doc_id", how="anti")
    if known.mirror:
        leaving = pl.concat([leaving, vanished["doc_id"]])
    renamed = DocIds.of(_renamed(vanished, known)["doc_id"].to_arrow())
    present = pl.concat([read.select("doc_id"), rejects.select("doc_id")])
    lost = waiting.filter(AFTER_READING, looked_at).join(read, on=IDENTITY, how="anti")
    in_its_place = lost.join(present, on="doc_id", how="left" if known.mirror else "semi")
    obsolete = pl.concat([in_its_place, _renamed(lost, known)])
    planned = pl.concat(
        [
            frame.select("shard", "row", plan.cast(pl.Int32).alias("plan"))
            for frame, plan in (
                (everything.filter(stay_out), pl.lit(STAYS_OUT)), (repeated, pl.lit(REPEATED)),
                (unchanged, pl.lit(UNCHANGED)), (fresh, pl.col("arrival").fill_null(NEEDS_CLEANING)),
            )
        ]
    )  # fmt: skip
    gone = DocIds.of(refused["doc_id"].to_arrow())
    return _RangePlan(
        rows=planned.to_numpy(structured=True),
        fresh=fresh.height,
        replaced=DocIds.of(fresh.filter(pl.col("arrival").is_not_null())["doc_id"].to_arrow()),
        withdrawn=DocIds.of(leaving.to_arrow()) - gone - renamed,
        refused=gone,
        renamed=renamed - gone,
        moved=_moved(unchanged, of),
        obsolete=frozenset(obsolete.select("doc_id", "content_sha256").iter_rows()),
        unchanged=unchanged.height + not_read.height,
    )


def _longer_names(inputs: InputPlan, dataset: Dataset) -> frozenset[str]:
    """The doc_ids that a person barred by a bare number, which may be unique in its file alone under this recipe.

    The mark does not say which file it was of, and holds for all.
    """
    marks = _scan(dataset.files("rejects"), ["source", "expectation", "replayed_in"])
    barring = marks.filter(pl.col("expectation") == WITHDRAWN, pl.col("replayed_in").is_null()).collect()
    numbers = [source for source in barring["source"] if source.strip().isdecimal()]
    return frozenset(doc_id_of(f"{file.path}#{number}") for number in numbers for file in inputs.changed)


def _renamed(rows: pl.DataFrame, known: _Known) -> pl.DataFrame:
    """Those of the rows whose record was read from the same file under a doc_id that no document had.

    Only another recipe names a record in another way.
    """
    rows = rows.filter(pl.col("recipe_id") != known.recipe_id)
    if not rows.height:
        return rows
    contents = pl.Series(sorted(set(rows["content_sha256"])), dtype=pl.String)
    same = pl.col("content_sha256").is_in(contents.implode())
    frames = [file.scan().filter(same).select(IDENTITY).collect() for file in known.identities]
    read = pl.concat([pl.DataFrame(schema=dict.fromkeys(IDENTITY, pl.String)), *frames])
    ids = pl.Series(sorted(set(read["doc_id"])), dtype=pl.String)
    for files in (known.index, known.rejects):
        seen = _scan(files, ["doc_id"]).filter(pl.col("doc_id").is_in(ids.implode())).collect()
        read = read.join(seen, on="doc_id", how="anti")
    return rows.join(read, on=["input", "content_sha256"], how="semi")


def _moved(unchanged: pl.DataFrame, of: _Range) -> Moved:
    """The unchanged documents, published or copies, whose place in their input file is another one now."""
    now = unchanged.select("doc_id", "place").lazy()
    known = _scan(of.documents, ["doc_id", "row", "n_chars"]).filter(of_range(of.span))
    before = known.join(now, on="doc_id").collect()
    moved = before.filter(pl.col("row").ne_missing(pl.col("place"))).sort("doc_id")
    return Moved(
        doc_ids=DocIds.of(moved["doc_id"].to_arrow()),
        rows=moved["place"].fill_null(-1).to_numpy(),
        chars=int(moved["n_chars"].sum()),
    )


def contested_inputs(
    shards: Sequence[ShardFiles],
    inputs: InputPlan,
    dataset: Dataset,
    executor: Executor | None = None,
    work: Path | None = None,
) -> frozenset[str]:
    """Unchanged input files that have to be read after all, for an id of theirs is won or lost by what was read.

    A record of such a file has lost its id to one that comes before it, and is to be rejected with its bytes; or one
    that waits as a repeat has the id for itself now, for the record that had it is gone or comes after it.
    """
    if inputs.unchanged.is_empty():
        return frozenset()
    known = _Known.of(shards, inputs, dataset, barred=_longer_names(inputs, dataset))
    executor = executor or InlineExecutor()
    with known.ranges(executor, work) as ranges:
        return frozenset().union(*each_range(executor, _contested_in_range, ranges, known))


def _contested_in_range(of: _Range, known: _Known) -> frozenset[str]:
    waiting = of.waiting()
    is_barred = _is_barred(waiting, known.erased | known.barred)
    read = of.read().filter(~is_barred)
    unread = _unread_records(of.published(IDENTITY), waiting, known.unchanged)
    first = _first_records(read, unread)
    lost = unread.join(first.filter(pl.col("shard") >= 0), on="doc_id", how="semi")
    is_repeat = pl.col("expectation") == REPEATED_ID
    repeats = waiting.filter(is_repeat, ~is_barred, pl.col("input").is_in(known.unchanged.implode()))
    holders = first.select("doc_id", pl.col("input").alias("held_in"))
    held = repeats.join(holders, on="doc_id", how="left")
    won = held.filter(pl.col("held_in").is_null() | (pl.col("held_in") > pl.col("input")))
    return frozenset(lost["input"]) | frozenset(won["input"])


def find_sources(dataset: Dataset, names: Sequence[str]) -> dict[str, str]:
    """``{doc_id: source}`` of the documents that `names` (sources or doc_ids) mean: published, copies, or rejected.

    Raises UsageError for a name that the last version does not know.
    """
    if not names:
        return {}
    frames = [_scan(dataset.files(t), ["doc_id", "source"]) for t in ("documents", "duplicates", "rejects")]
    named = pl.col("doc_id").is_in(list(names)) | pl.col("source").is_in(list(names))
    found = pl.concat(frames).filter(named).unique().collect()
    by_id = dict(found.sort("source").iter_rows())
    unknown = sorted(set(names) - set(by_id) - set(by_id.values()))
    if unknown:
        raise UsageError(f"{dataset.name}: no document has the source or doc_id {', '.join(map(repr, unknown))}")
    return by_id


def _is_barred(waiting: pl.DataFrame, barred: Collection[str] = ()) -> pl.Expr:
    """Documents that are `barred`, or that a person withdrew in an earlier run, whose marks stand among the rejects."""
    marks = waiting.filter(pl.col("expectation") == WITHDRAWN)["doc_id"]
    return pl.col("doc_id").is_in(pl.Series(sorted({*barred, *marks}), dtype=pl.String).implode())


def _unread_records(index: pl.DataFrame, waiting: pl.DataFrame, unchanged: pl.Series) -> pl.DataFrame:
    """The records of unchanged inputs that hold their ids: published, copies, and rejected after they were read."""
    records = pl.concat([index.select(IDENTITY), waiting.filter(AFTER_READING).select(IDENTITY)])
    return records.filter(pl.col("input").is_in(unchanged.implode()))


def _first_records(read: pl.DataFrame, unread: pl.DataFrame) -> pl.DataFrame:
    """The record that has each id; ``shard`` and ``row`` are -1, ``place`` null for one that was not read."""
    no_row = [
        pl.lit(-1, pl.Int32).alias("shard"),
        pl.lit(-1, pl.Int64).alias("row"),
        pl.lit(None, pl.Int64).alias("place"),
    ]
    others = unread.join(read, on=IDENTITY, how="anti")  # a reject that is read again is one record, not two
    records = pl.concat([read.select(*IDENTITY, "shard", "row", "place"), others.select(*IDENTITY, *no_row)])
    ranked = records.sort("doc_id", "input", "content_sha256", "shard", "row")
    return ranked.unique("doc_id", keep="first", maintain_order=True)


def _looked_at(inputs: InputPlan, rejects: ReadRejects, mirror: bool) -> pl.Series:
    """Input files of which this run knows all that they hold now: read to their end, or gone from a mirrored source.

    A file that cannot be read, or breaks off, may still hold what was read of it before.
    """
    broken = pl.Series(sorted(rejects.broken), dtype=pl.String)
    is_whole = (pl.col("sha256") != "") & ~pl.col("path").is_in(broken.implode())
    read = input_frame(inputs.changed).filter(is_whole)["path"]
    return pl.concat([read, inputs.vanished]) if mirror else read


def _scan(files: Sequence[Path], columns: list[str]) -> pl.LazyFrame:
    kinds = {"arrival": pl.Int32(), **dict.fromkeys(("n_documents", "n_chars", "row"), pl.Int64())}
    schema = pl.Schema({c: kinds.get(c, pl.String()) for c in columns})
    if not files:
        return pl.LazyFrame(schema=schema)
    # Files of before a column came have no values of it.
    return scan_parquet(files, schema=schema, missing_columns="insert", extra_columns="ignore")
