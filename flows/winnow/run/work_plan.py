"""What there is to do: which inputs changed, which rows need work, which documents are replaced or withdrawn."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import polars as pl

from winnow.base.errors import UsageError
from winnow.base.records import REPEATED_ID
from winnow.publish.dataset import Dataset
from winnow.read import InputFile
from winnow.run.jobs import ShardFiles

WITHDRAWN = "withdrawn"
"""Kind of the reject that keeps a document out which a person withdrew."""

IDENTITY = ["doc_id", "content_sha256", "input"]
AFTER_READING = ~pl.col("stage").is_in(["read", "withdraw"])
"""Rejects of records that were read and then refused: they hold their ids, as published ones do."""
INDEX_COLUMNS = ["doc_id", "input", "arrival", "content_sha256", "recipe_id"]


@dataclass(frozen=True, slots=True)
class InputPlan:
    """The inputs of a run, by what has to be done with them; those that need nothing by path."""

    changed: tuple[InputFile, ...]
    unchanged: tuple[str, ...]
    vanished: tuple[str, ...]

    def reading(self, again: Sequence[InputFile]) -> InputPlan:
        """The plan with these unchanged inputs among those that are read."""
        paths = {i.path for i in again}
        unchanged = tuple(p for p in self.unchanged if p not in paths)
        return replace(self, changed=(*self.changed, *again), unchanged=unchanged)


@dataclass(frozen=True, slots=True)
class RowPlan:
    """The rows of the shards that were read: ``skip`` lists, for each shard, the rows that need no work.

    ``repeated`` (shard, row) are records whose id another record has; ``fresh`` holds the doc_ids that are cleaned in
    this run, ``replaced`` those of them whose rows in the dataset give way, ``withdrawn`` those that leave it,
    ``refused`` those that leave it because their record is a reject now. ``barred`` maps doc_ids to sources of
    documents that a person withdrew in this run. ``obsolete`` are waiting rejects, as (doc_id, content_sha256), whose
    record is gone or has other content now.
    """

    skip: tuple[tuple[int, ...], ...]
    repeated: pl.DataFrame
    fresh: frozenset[str]
    replaced: frozenset[str]
    withdrawn: frozenset[str]
    refused: frozenset[str]
    unchanged: int
    obsolete: frozenset[tuple[str, str]] = frozenset()
    barred: Mapping[str, str] = field(default_factory=dict)


def known_inputs(dataset: Dataset) -> dict[str, str]:
    """The input files that the last version was made from, with their SHA-256."""
    read = _scan(dataset, "inputs", ["path", "sha256", "skipped"]).filter(pl.col("skipped").is_null())
    return dict(read.select("path", "sha256").collect().iter_rows())


def no_inputs(dataset: Dataset) -> InputPlan:
    """The plan of a run that reads no input: everything stays as it is."""
    return InputPlan((), tuple(sorted(known_inputs(dataset))), ())


def plan_inputs(
    inputs: Sequence[InputFile],
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
    columns = ["path", "sha256", "recipe_id", "n_documents"]
    known = (
        _scan(dataset, "inputs", [*columns, "skipped"]).filter(pl.col("skipped").is_null()).select(columns).collect()
    )
    before = {path: (sha, recipe) for path, sha, recipe, _ in known.iter_rows()}
    if mirror:
        published = _scan(dataset, "index", ["input"]).group_by("input").len().collect()
        more = known.join(published, left_on="path", right_on="input").filter(pl.col("len") > pl.col("n_documents"))
        before |= dict.fromkeys(more["path"], ("", ""))
    same = {i.path for i in inputs if before.get(i.path) == (i.sha256, recipe_id)} if not full else set()
    return InputPlan(
        changed=tuple(i for i in inputs if i.path not in same),
        unchanged=tuple(i.path for i in inputs if i.path in same),
        vanished=tuple(
            sorted(p for p in set(before) - {i.path for i in inputs} if not p.startswith(tuple(unread_folders)))
        ),
    )


def plan_rows(
    shards: Sequence[ShardFiles],
    inputs: InputPlan,
    dataset: Dataset,
    *,
    recipe_id: str,
    full: bool = False,
    mirror: bool = False,
    barred: Mapping[str, str] = MappingProxyType({}),
) -> RowPlan:
    """Decides row by row, from identities and content hashes alone.

    `barred` are documents that leave and stay out; so do those that an earlier run barred.

    Of records that share an id the one in the first input file by name stays, within a file the one with the
    smallest content hash: a choice that does not depend on the order of lines or on what was read before.
    """
    everything = _read_rows(shards)
    waiting = _waiting(dataset)
    stay_out = _is_barred(waiting, barred)
    read = everything.filter(~stay_out)
    index = _scan(dataset, "index", INDEX_COLUMNS).collect()
    not_read = index.filter(pl.col("input").is_in(inputs.unchanged))
    first = _first_records(read, _unread_records(index, waiting, inputs))
    winners = first.filter(pl.col("shard") >= 0)
    repeated = read.join(winners, on=["shard", "row"], how="anti")
    unchanged = winners.clear()
    if not full:
        settled = pl.concat(
            [
                index.filter(pl.col("recipe_id") == recipe_id).select(IDENTITY),
                waiting.filter(pl.col("recipe_id") == recipe_id, pl.col("expectation") != REPEATED_ID).select(IDENTITY),
            ]
        ).unique()
        unchanged = winners.join(settled, on=IDENTITY, how="semi")
    skip = pl.concat([f.select("shard", "row") for f in (repeated, unchanged, everything.filter(stay_out))])
    fresh = winners.join(unchanged, on=["shard", "row"], how="anti")
    known = index.select("doc_id")
    replaced = known.join(fresh, on="doc_id", how="semi")
    rejects = _read_rejects(shards)
    refused = known.join(rejects, on="doc_id", how="semi").join(first, on="doc_id", how="anti")
    looked_at = _looked_at(inputs, rejects, mirror)
    vanished = index.filter(pl.col("input").is_in(looked_at)).join(first, on="doc_id", how="anti").select("doc_id")
    present = pl.concat([read.select("doc_id"), rejects.select("doc_id")])
    obsolete = (
        waiting.filter(AFTER_READING, pl.col("input").is_in(looked_at))
        .join(read, on=IDENTITY, how="anti")
        .join(present, on="doc_id", how="left" if mirror else "semi")
    )
    leaving = known.filter(pl.col("doc_id").is_in(sorted(barred)))
    by_shard = {number: tuple(rows) for number, rows in skip.group_by("shard").agg(pl.col("row").sort()).iter_rows()}
    return RowPlan(
        skip=tuple(by_shard.get(n, ()) for n in range(len(shards))),
        repeated=repeated.select("shard", "row"),
        fresh=frozenset(fresh["doc_id"]),
        replaced=frozenset(replaced["doc_id"]),
        withdrawn=(frozenset(vanished["doc_id"] if mirror else ()) | frozenset(leaving["doc_id"]))
        - set(refused["doc_id"]),
        refused=frozenset(refused["doc_id"]),
        obsolete=frozenset(obsolete.select("doc_id", "content_sha256").iter_rows()),
        unchanged=unchanged.height + not_read.height,
        barred=barred,
    )


def contested_inputs(shards: Sequence[ShardFiles], inputs: InputPlan, dataset: Dataset) -> frozenset[str]:
    """Unchanged input files that have to be read after all, for an id of theirs is won or lost by what was read.

    A record of such a file has lost its id to one that comes before it, and is to be rejected with its bytes; or one
    that waits as a repeat has the id for itself now, for the record that had it is gone or comes after it.
    """
    if not inputs.unchanged:
        return frozenset()
    waiting = _waiting(dataset)
    is_barred = _is_barred(waiting)
    read = _read_rows(shards).filter(~is_barred)
    unread = _unread_records(_scan(dataset, "index", IDENTITY).collect(), waiting, inputs)
    first = _first_records(read, unread)
    lost = unread.join(first.filter(pl.col("shard") >= 0), on="doc_id", how="semi")
    is_repeat = pl.col("expectation") == REPEATED_ID
    repeats = waiting.filter(is_repeat, ~is_barred, pl.col("input").is_in(inputs.unchanged))
    holders = first.select("doc_id", pl.col("input").alias("held_in"))
    held = repeats.join(holders, on="doc_id", how="left")
    won = held.filter(pl.col("held_in").is_null() | (pl.col("held_in") > pl.col("input")))
    return frozenset(lost["input"]) | frozenset(won["input"])


def find_sources(dataset: Dataset, names: Sequence[str]) -> dict[str, str]:
    """``{doc_id: source}`` of the documents that `names` (sources or doc_ids) mean: published, copies, or rejected.

    Raises UsageError for a name that the last version does not know.
    """
    frames = [_scan(dataset, t, ["doc_id", "source"]) for t in ("documents", "duplicates", "rejects")]
    known = pl.concat(frames).unique()
    found = known.filter(pl.col("doc_id").is_in(list(names)) | pl.col("source").is_in(list(names))).collect()
    by_id = dict(found.sort("source").iter_rows())
    unknown = sorted(set(names) - set(by_id) - set(by_id.values()))
    if unknown:
        raise UsageError(f"{dataset.name}: no document has the source or doc_id {', '.join(map(repr, unknown))}")
    return by_id


def _is_barred(waiting: pl.DataFrame, barred: Collection[str] = ()) -> pl.Expr:
    """Documents that a person withdrew, now or in an earlier run, whose marks stand among the rejects."""
    marks = waiting.filter(pl.col("expectation") == WITHDRAWN)["doc_id"]
    return pl.col("doc_id").is_in(pl.Series(sorted({*barred, *marks}), dtype=pl.String).implode())


def _waiting(dataset: Dataset) -> pl.DataFrame:
    """The rejects of the last version that wait."""
    rejects = _scan(dataset, "rejects", [*IDENTITY, "recipe_id", "stage", "expectation", "replayed_in"])
    return rejects.filter(pl.col("replayed_in").is_null()).drop("replayed_in").collect()


def _unread_records(index: pl.DataFrame, waiting: pl.DataFrame, inputs: InputPlan) -> pl.DataFrame:
    """The records of unchanged inputs that hold their ids: published, copies, and rejected after they were read."""
    records = pl.concat([index.select(IDENTITY), waiting.filter(AFTER_READING).select(IDENTITY)])
    return records.filter(pl.col("input").is_in(inputs.unchanged))


def _first_records(read: pl.DataFrame, unread: pl.DataFrame) -> pl.DataFrame:
    """The record that has each id; ``shard`` and ``row`` are -1 for one that was not read."""
    no_row = [pl.lit(-1, pl.Int32).alias("shard"), pl.lit(-1, pl.Int64).alias("row")]
    others = unread.join(read, on=IDENTITY, how="anti")  # a reject that is read again is one record, not two
    records = pl.concat([read.select(*IDENTITY, "shard", "row"), others.select(*IDENTITY, *no_row)])
    ranked = records.sort("doc_id", "input", "content_sha256", "shard", "row")
    return ranked.unique("doc_id", keep="first", maintain_order=True)


def _looked_at(inputs: InputPlan, rejects: pl.DataFrame, mirror: bool) -> list[str]:
    """Input files of which this run knows all that they hold now: read to their end, or gone from a mirrored source.

    A file that cannot be read, or breaks off, may still hold what was read of it before.
    """
    broken = {*rejects.filter(pl.col("source") == pl.col("input"), pl.col("expectation") != "empty")["input"]}
    read = (i.path for i in inputs.changed if i.sha256 and i.path not in broken)
    return [*read, *(inputs.vanished if mirror else ())]


def _read_rejects(shards: Sequence[ShardFiles]) -> pl.DataFrame:
    """The rejects of the reading, without those of files that could not be read at all."""
    columns = ["doc_id", "source", "input", "expectation"]
    frames = [pl.scan_parquet(files.read_rejects).select(columns).collect() for files in shards]
    rejects = pl.concat([pl.DataFrame(schema=dict.fromkeys(columns, pl.String)), *frames])
    return rejects.filter(pl.col("expectation") != "unreadable")


def _read_rows(shards: Sequence[ShardFiles]) -> pl.DataFrame:
    columns = ["doc_id", "input", "content_sha256"]
    frames = [
        pl.scan_parquet(files.raw, row_index_name="row")
        .select(pl.lit(number, pl.Int32).alias("shard"), pl.col("row").cast(pl.Int64), *columns)
        .collect()
        for number, files in enumerate(shards)
    ]
    schema = {"shard": pl.Int32, "row": pl.Int64, **dict.fromkeys(columns, pl.String)}
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)


def _scan(dataset: Dataset, table: str, columns: list[str]) -> pl.LazyFrame:
    files: list[Path] = dataset.files(table)
    kinds = {"arrival": pl.Int32(), "n_documents": pl.Int64()}
    schema = pl.Schema({c: kinds.get(c, pl.String()) for c in columns})
    if not files:
        return pl.LazyFrame(schema=schema)
    # Files of before a column came have no values of it.
    return pl.scan_parquet(files, schema=schema, missing_columns="insert", extra_columns="ignore")
