"""Passages that stand in several documents: which document holds each, and where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.exchange import gather, may_repeat, save, spread
from winnow.deduplicate.order import NO_RANK, load_order
from winnow.deduplicate.passages.fingerprint import fingerprint
from winnow.deduplicate.repeats.boilerplate import SiteCounts, is_boilerplate
from winnow.deduplicate.repeats.promo import CALLS, MAX_PROMO

ROW = np.dtype(
    [("high", np.uint64), ("low", np.uint64), ("rank", np.uint32), ("position", np.int32), ("part", np.int32),
     ("chars", np.int32), ("long", np.bool_), ("call", np.bool_)]
)  # fmt: skip
GONE = np.dtype(
    [("rank", np.uint32), ("position", np.int32), ("part", np.int32), ("chars", np.int32), ("boilerplate", np.bool_),
     ("kept", np.uint32), ("kept_position", np.int32)]
)  # fmt: skip
_LEFT = np.dtype([("rank", np.uint32), ("chars", np.int64)])
_STAYS = ("heading", "table_row", "quote")  # quoted and repeated elsewhere for a reason


def spread_passages(
    path: Path, work: Path, name: str, partitions: int, left_out: frozenset[str], settings: DeduplicateSettings
) -> int:
    """Write the passages of one file that may go, by partition of their fingerprint; return how many rows were read.

    Left aside are documents that are left out, and passages that already go for what stands in their own document.
    Writes besides, for each document, how many characters those leave (``left-NAME.npy``).
    """
    order = load_order(work)
    state = np.load(work / "left-out.npy", mmap_mode="r")
    inner = pl.read_ipc(work / "inner.arrow").select("rank", "position", "part")
    allowed = [fingerprint(text, settings) for text in settings.keep]
    pieces: list[NDArray[Any]] = []
    left: list[NDArray[Any]] = []
    columns = ["doc_id", "position", "part", "kind", "text", "fingerprint"]
    rows_read = 0
    for batch in pq.ParquetFile(path).iter_batches(batch_size=65536, columns=columns):
        table = pl.from_arrow(batch)
        assert isinstance(table, pl.DataFrame)
        rows_read += table.height
        ids = table.select(pl.col("doc_id").cast(pl.String).rle().struct.unnest())
        by_run = order.ranks_of(ids["value"].to_list(), left_out)
        by_run = np.where((by_run != NO_RANK) & ~_at(state, by_run), by_run, NO_RANK)
        table = (
            table.select(
                pl.Series("rank", np.repeat(by_run, ids["len"].to_numpy()).astype(np.uint32)),
                pl.col("position", "part").cast(pl.Int32),
                pl.col("kind").cast(pl.String),
                pl.col("text").str.len_chars().cast(pl.Int32).alias("chars"),
                _is_call(settings).alias("call"),
                pl.col("fingerprint").cast(pl.Binary),
            )
            .filter(pl.col("rank") != int(NO_RANK))
            .join(inner, on=["rank", "position", "part"], how="anti", maintain_order="left")
        )
        sums = table.group_by("rank", maintain_order=True).agg(pl.col("chars").sum().cast(pl.Int64))
        left.append(_structured(sums, _LEFT))
        table = table.filter(~pl.col("kind").is_in(_STAYS) & ~pl.col("fingerprint").is_in(allowed))
        pieces.append(_rows(table, settings))
    rows = np.concatenate(pieces) if pieces else np.empty(0, ROW)
    part = (rows["low"] >> np.uint64(33)).astype(np.int64) % partitions
    spread(work / f"passages-{name}.npy", rows, part, partitions)
    save(work / f"left-{name}.npy", np.concatenate(left) if left else np.empty(0, _LEFT))
    return rows_read


def solve_passages(work: Path, names: Sequence[str], partition: int, settings: DeduplicateSettings) -> int:
    """Decide on all passages of one partition and write those that go to ``gone-PARTITION.npy``; return how many.

    A passage goes as boilerplate if it is that for its own document, and as a repeat if it is long and an earlier
    document holds it. The holder is the first document, by rank, in which it is not boilerplate.
    """
    rows = gather([work / f"passages-{n}.npy" for n in names], partition, ROW)
    rows = rows[may_repeat(rows["low"])]
    rows = rows[np.lexsort((rows["part"], rows["position"], rows["rank"], rows["low"], rows["high"]))]
    order = load_order(work)
    counts = site_counts(work)
    if len(rows):
        same = (rows["high"][1:] == rows["high"][:-1]) & (rows["low"][1:] == rows["low"][:-1])
        many = np.r_[False, same] | np.r_[same, False]
        rows = rows[many]
    if not len(rows):
        save(work / f"gone-{partition}.npy", np.empty(0, GONE))
        return 0
    new = np.r_[True, (rows["high"][1:] != rows["high"][:-1]) | (rows["low"][1:] != rows["low"][:-1])]
    group = np.cumsum(new) - 1
    rank = rows["rank"]
    boilerplate = is_boilerplate(
        group, rank, order.arrival[rank], order.site[rank], rows["chars"], rows["call"], counts, settings
    )
    holder = np.full(int(group[-1]) + 1, -1, np.int64)
    stays = np.flatnonzero(~boilerplate)
    holder[group[stays][::-1]] = stays[::-1]  # the first one is written last
    held_by = holder[group]
    safe = np.maximum(held_by, 0)
    repeat = ~boilerplate & rows["long"] & (held_by >= 0) & (rank[safe] != rank)
    go = boilerplate | repeat
    out = np.empty(int(go.sum()), GONE)
    for field in ("rank", "position", "part", "chars"):
        out[field] = rows[field][go]
    out["boilerplate"] = boilerplate[go]
    out["kept"] = np.where(repeat, rank[safe], NO_RANK)[go]
    out["kept_position"] = np.where(repeat, rows["position"][safe], -1)[go]
    save(work / f"gone-{partition}.npy", out)
    return len(out)


def site_counts(work: Path) -> SiteCounts:
    """Documents of each site by arrival, those left out as copies not counted."""
    order = load_order(work)
    stays = ~np.load(work / "left-out.npy")
    return SiteCounts(order.arrival[stays], order.site[stays])


def _rows(table: pl.DataFrame, settings: DeduplicateSettings) -> NDArray[Any]:
    out = np.empty(table.height, ROW)
    if not table.height:
        return out
    prints = np.frombuffer(b"".join(table["fingerprint"].to_list()), np.uint64).reshape(-1, 2)
    out["high"], out["low"] = prints[:, 0], prints[:, 1]
    for field in ("rank", "position", "part", "chars"):
        out[field] = table[field].to_numpy()
    out["call"] = table["call"].to_numpy()
    out["long"] = out["chars"] >= settings.min_repeat_chars
    return out


def _is_call(settings: DeduplicateSettings) -> pl.Expr:
    """Whether a passage opens like a promotion line; one search of its head (bytes bound characters from above)."""
    if not settings.promo_lines:
        return pl.lit(False)
    short = pl.when(pl.col("text").str.len_bytes() <= MAX_PROMO).then("text")
    return short.str.contains(CALLS).fill_null(False)


def _structured(table: pl.DataFrame, dtype: np.dtype[Any]) -> NDArray[Any]:
    out = np.empty(table.height, dtype)
    for name in dtype.names or ():
        out[name] = table[name].to_numpy()
    return out


def _at(flags: NDArray[np.bool_], ranks: NDArray[Any]) -> NDArray[np.bool_]:
    known = ranks != NO_RANK
    return np.where(known, flags[np.where(known, ranks, 0)] if len(flags) else False, False)
