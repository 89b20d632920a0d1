"""What there is to do: which inputs changed, which rows need work, which documents are replaced or withdrawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import polars as pl

from winnow.base.errors import UsageError
from winnow.publish.dataset import Dataset
from winnow.read import InputFile, file_sha256
from winnow.run.jobs import ShardFiles

WITHDRAWN = "withdrawn"
"""Kind of the reject that keeps a document out which a person withdrew."""

INDEX_COLUMNS = ["doc_id", "input", "arrival", "content_sha256", "recipe_id"]


@dataclass(frozen=True, slots=True)
class InputPlan:
    """The inputs of a run, by what has to be done with them; those that need nothing by path. ``sha256`` is by path."""

    changed: tuple[InputFile, ...]
    unchanged: tuple[str, ...]
    vanished: tuple[str, ...]
    sha256: dict[str, str]


@dataclass(frozen=True, slots=True)
class RowPlan:
    """The rows of the shards that were read: ``skip`` lists, for each shard, the rows that need no work.

    ``repeated`` (shard, row) are records whose id another record has; ``fresh`` holds the doc_ids that are cleaned in
    this run, ``replaced`` those of them whose rows in the dataset give way, ``withdrawn`` those that leave it.
    ``barred`` maps doc_ids to sources of documents that a person withdrew in this run.
    """

    skip: tuple[tuple[int, ...], ...]
    repeated: pl.DataFrame
    fresh: frozenset[str]
    replaced: frozenset[str]
    withdrawn: frozenset[str]
    unchanged: int
    barred: Mapping[str, str] = field(default_factory=dict)


def no_inputs(dataset: Dataset) -> InputPlan:
    """The plan of a run that reads no input: everything stays as it is."""
    known = _scan(dataset, "inputs", ["path"]).collect()
    return InputPlan((), tuple(sorted(known["path"])), (), {})


def plan_inputs(
    inputs: Sequence[InputFile],
    dataset: Dataset,
    recipe_id: str,
    full: bool,
    mirror: bool = False,
    unread_folders: Sequence[str] = (),
) -> InputPlan:
    """Compares the inputs' content with what the last version was made from.

    A `mirror` reads an unchanged file again where the dataset has more documents of it than it holds: records that left
    it in a run without mirror. Files in `unread_folders`, which could not be entered, have not vanished.
    """
    known = _scan(dataset, "inputs", ["path", "sha256", "recipe_id", "n_documents"]).collect()
    before = {path: (sha, recipe) for path, sha, recipe, _ in known.iter_rows()}
    if mirror:
        published = _scan(dataset, "index", ["input"]).group_by("input").len().collect()
        more = known.join(published, left_on="path", right_on="input").filter(pl.col("len") > pl.col("n_documents"))
        before |= dict.fromkeys(more["path"], ("", ""))
    sha256 = {i.path: file_sha256(i) for i in inputs}
    same = {p for p, sha in sha256.items() if before.get(p) == (sha, recipe_id)} if not full else set()
    return InputPlan(
        changed=tuple(i for i in inputs if i.path not in same),
        unchanged=tuple(i.path for i in inputs if i.path in same),
        vanished=tuple(sorted(p for p in set(before) - set(sha256) if not p.startswith(tuple(unread_folders)))),
        sha256=sha256,
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
    stay_out = pl.col("doc_id").is_in(pl.Series(sorted({*barred, *_barred_before(dataset)}), dtype=pl.String).implode())
    read = everything.filter(~stay_out)
    index = _scan(dataset, "index", INDEX_COLUMNS).collect()
    not_read = index.filter(pl.col("input").is_in(inputs.unchanged))
    identity = ["doc_id", "content_sha256", "input"]
    no_row = [pl.lit(-1, pl.Int32).alias("shard"), pl.lit(-1, pl.Int64).alias("row")]
    records = pl.concat([read.select(*identity, "shard", "row"), not_read.select(*identity, *no_row)])
    ranked = records.sort("doc_id", "input", "content_sha256", "shard", "row")
    first = ranked.unique("doc_id", keep="first", maintain_order=True)
    winners = first.filter(pl.col("shard") >= 0)
    repeated = read.join(winners, on=["shard", "row"], how="anti")
    unchanged = winners.clear()
    if not full:
        settled = pl.concat(
            [
                index.filter(pl.col("recipe_id") == recipe_id).select(identity),
                _scan(dataset, "rejects", [*identity, "recipe_id", "replayed_in"])
                .filter((pl.col("recipe_id") == recipe_id) & pl.col("replayed_in").is_null())
                .select(identity)
                .collect(),
            ]
        ).unique()
        unchanged = winners.join(settled, on=identity, how="semi")
    skip = pl.concat([f.select("shard", "row") for f in (repeated, unchanged, everything.filter(stay_out))])
    fresh = winners.join(unchanged, on=["shard", "row"], how="anti")
    known = index.select("doc_id")
    replaced = known.join(fresh, on="doc_id", how="semi")
    vanished = _vanished(index, first, inputs) if mirror else known.clear()
    leaving = known.filter(pl.col("doc_id").is_in(sorted(barred)))
    by_shard = {number: tuple(rows) for number, rows in skip.group_by("shard").agg(pl.col("row").sort()).iter_rows()}
    return RowPlan(
        skip=tuple(by_shard.get(n, ()) for n in range(len(shards))),
        repeated=repeated.select("shard", "row"),
        fresh=frozenset(fresh["doc_id"]),
        replaced=frozenset(replaced["doc_id"]),
        withdrawn=frozenset(vanished["doc_id"]) | frozenset(leaving["doc_id"]),
        unchanged=unchanged.height + not_read.height,
        barred=barred,
    )


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


def _barred_before(dataset: Dataset) -> list[str]:
    """Documents that a person withdrew in an earlier run; their marks stand among the rejects."""
    marks = _scan(dataset, "rejects", ["doc_id", "expectation", "replayed_in"])
    waits = (pl.col("expectation") == WITHDRAWN) & pl.col("replayed_in").is_null()
    return marks.filter(waits).select("doc_id").unique().collect()["doc_id"].to_list()


def _vanished(index: pl.DataFrame, present: pl.DataFrame, inputs: InputPlan) -> pl.DataFrame:
    """Documents whose input file vanished, or was read again and no longer holds them."""
    gone = [*inputs.vanished, *(i.path for i in inputs.changed if inputs.sha256[i.path])]  # not what cannot be read now
    return index.filter(pl.col("input").is_in(gone)).join(present, on="doc_id", how="anti").select("doc_id")


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
    if not files:
        kinds = {"arrival": pl.Int32, "n_documents": pl.Int64}
        return pl.LazyFrame(schema={c: kinds.get(c, pl.String()) for c in columns})
    return pl.scan_parquet(files).select(columns)
