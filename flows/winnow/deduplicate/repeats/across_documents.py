"""Passages that stand in several documents: which of them are boilerplate, which document holds each, and what goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from winnow.base.files import at_hand, parquet_file
from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.documents.document_order import DocumentOrder, load_order
from winnow.deduplicate.passages.fingerprint import fingerprints
from winnow.deduplicate.repeats.promotion import CALLS, MAX_PROMO
from winnow.deduplicate.sorted_rows import Rows, in_runs, may_repeat, merged, run_starts
from winnow.deduplicate.work_files import (
    CHARS,
    NO_RANK,
    PASSAGE,
    REMOVED,
    ArrayFile,
    InputFile,
    PassageParts,
    WorkFiles,
)

_STAYS = ("heading", "table_row", "quote")  # quoted and repeated elsewhere for a reason
_CALL_DOCUMENTS = 3  # a line that opens like a call to subscribe or follow, and stands in so many, is no prose


def spread_passages(
    passages: InputFile, files: WorkFiles, partitions: int, settings: DeduplicateSettings
) -> PassageParts:
    """Write the passages of one file that may go, by partition of their fingerprint.

    Left aside are documents that are left out, and passages that already go for what stands in their own document.
    Writes besides, for each document, how many characters those leave.
    """
    order, copies = load_order(files), files.copies.load()
    inner = pl.read_ipc(at_hand(files.inner_repeats)).select("rank", "position", "part")
    allowed = fingerprints(settings.keep, settings)
    pieces, chars = [], []
    columns = ["doc_id", "position", "part", "kind", "text", "fingerprint"]
    for batch in parquet_file(passages.path).iter_batches(batch_size=65536, columns=columns):
        table = pl.from_arrow(batch)
        assert isinstance(table, pl.DataFrame)
        ids = table.select(pl.col("doc_id").cast(pl.String).rle().struct.unnest())
        by_run = order.ranks_of(ids["value"].to_arrow(), passages)
        known = by_run != NO_RANK
        by_run[known] = np.where(copies[by_run[known]], NO_RANK, by_run[known])
        table = (
            table.select(
                pl.Series("rank", np.repeat(by_run, ids["len"].to_numpy())),
                pl.col("position", "part").cast(pl.Int32),
                pl.col("kind").cast(pl.String),
                pl.col("text").str.len_chars().cast(pl.Int32).alias("chars"),
                _is_call(settings).alias("call"),
                pl.col("fingerprint").cast(pl.Binary),
            )
            .filter(pl.col("rank") != int(NO_RANK))
            .join(inner, on=["rank", "position", "part"], how="anti", maintain_order="left")
        )
        chars.append(_structured(table.group_by("rank", maintain_order=True).agg(pl.col("chars").sum()), CHARS))
        table = table.filter(~pl.col("kind").is_in(_STAYS) & ~pl.col("fingerprint").is_in(allowed))
        prints = np.frombuffer(b"".join(table["fingerprint"].to_list()), np.uint64).reshape(-1, 2)
        long = pl.col("chars") >= settings.min_repeat_chars
        highs, lows = (pl.Series(n, np.ascontiguousarray(prints[:, k])) for k, n in enumerate(("high", "low")))
        pieces.append(_structured(table.with_columns(highs, lows, long.alias("long")), PASSAGE))
    parts = files.passage_parts(passages)
    rows = merged(pieces, PASSAGE)
    parts.passages.spread(rows, (rows["low"] >> np.uint64(33)).astype(np.int64) % partitions, partitions)
    parts.chars.save(merged(chars, CHARS))
    return parts


def remove_passages(
    partition: int, parts: Sequence[PassageParts], files: WorkFiles, settings: DeduplicateSettings
) -> ArrayFile:
    """Decide on all passages of one partition, and write those that go.

    A passage goes as boilerplate if it is that for its own document, and as a repeat if it is long and an earlier
    document holds it. The holder is the first document, by rank, in which it is not boilerplate.
    """
    rows = merged([p.passages.of(partition) for p in parts], PASSAGE)
    rows = rows[may_repeat(rows["low"])]
    rows = rows[np.lexsort((rows["part"], rows["position"], rows["rank"], rows["low"], rows["high"]))]
    rows = rows[in_runs(run_starts(rows["high"], rows["low"]))]
    group = np.cumsum(run_starts(rows["high"], rows["low"])) - 1
    rank = rows["rank"]
    boilerplate = is_boilerplate(group, rows, load_order(files), files.copies.load(), settings)
    holder = np.full(len(rows), -1, np.int64)  # by group
    stays = np.flatnonzero(~boilerplate)
    holder[group[stays][::-1]] = stays[::-1]  # the first one is written last
    held_by = holder[group]
    safe = np.maximum(held_by, 0)
    repeat = ~boilerplate & rows["long"] & (held_by >= 0) & (rank[safe] != rank)
    go = boilerplate | repeat
    out = np.empty(int(go.sum()), REMOVED)
    for field in ("rank", "position", "part", "chars"):
        out[field] = rows[field][go]
    out["boilerplate"] = boilerplate[go]
    out["kept"] = np.where(repeat, rank[safe], NO_RANK)[go]
    out["kept_position"] = np.where(repeat, rows["position"][safe], -1)[go]
    return files.removed_passages(partition).save(out)


def is_boilerplate(
    group: NDArray[np.int64],
    rows: Rows,
    order: DocumentOrder,
    copies: NDArray[np.bool_],
    settings: DeduplicateSettings,
) -> NDArray[np.bool_]:
    """Which rows (PASSAGE) are boilerplate for their own document; they are sorted by group (fingerprint) and rank.

    A row counts the documents of its group that arrived no later than its own: all of them, and those of its site. So
    a later copy changes no earlier decision.
    Long passages are boilerplate once they stand in enough documents; short ones, which many texts share by chance
    ("For example:"), only if they stand in a fair share of the site, or of everything, besides. Few documents are
    enough for lines that open like a call to subscribe, follow or click.
    """
    rank = rows["rank"]
    arrival, site = order.arrival[rank], order.site[rank]
    counts = SiteCounts(order.arrival[~copies], order.site[~copies])
    fresh = run_starts(group, rank)  # a row a document and group: the first; the order makes arrivals ascend in a group
    everywhere = _up_to(group, arrival, fresh)
    by_site = np.lexsort((rank, site, group))
    site_group = np.cumsum(run_starts(group[by_site], site[by_site]))
    here = np.empty(len(group), np.int64)
    here[by_site] = _up_to(site_group, arrival[by_site], fresh[by_site])
    common = everywhere >= settings.boilerplate_site_share * counts.of_all(arrival)
    local = here >= settings.boilerplate_site_share * counts.of_site(site, arrival)
    wide = (everywhere >= settings.boilerplate_documents) & (rows["long"] | common)
    narrow = (here >= settings.boilerplate_site_documents) & local
    boilerplate: NDArray[np.bool_] = wide | narrow | (rows["call"] & (everywhere >= _CALL_DOCUMENTS))
    return boilerplate


def _up_to(group: NDArray[Any], arrival: NDArray[Any], fresh: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each row, the fresh rows of its group whose arrival is no later; arrivals ascend within a group."""
    total = np.cumsum(fresh)
    starts = np.flatnonzero(run_starts(group))
    before: NDArray[np.int64] = np.repeat(total[starts] - fresh[starts], np.diff(np.append(starts, len(group))))
    # The count at the last row of an arrival holds for all its rows: carry it backwards.
    last = np.flatnonzero(np.append(run_starts(group, arrival), True)[1:])
    return total[last][np.searchsorted(last, np.arange(len(group)))] - before


class SiteCounts:
    """How many documents each site has had up to each arrival; ``arrival[r]`` and ``site[r]`` of all that take part."""

    def __init__(self, arrival: NDArray[np.int32], site: NDArray[np.int32]) -> None:
        self.versions = np.unique(arrival)
        n_sites = int(site.max()) + 1 if len(site) else 1
        self._step = len(self.versions) + 1
        self._ends = np.zeros((n_sites, self._step), np.int64)
        if len(arrival):
            at = np.searchsorted(self.versions, arrival)
            np.add.at(self._ends, (site, at + 1), 1)
            np.cumsum(self._ends, axis=1, out=self._ends)

    def of_site(self, site: NDArray[Any], arrival: NDArray[Any]) -> NDArray[np.int64]:
        """Documents of `site` whose arrival is at most `arrival`."""
        counts: NDArray[np.int64] = self._ends[site, np.searchsorted(self.versions, arrival, side="right")]
        return counts

    def of_all(self, arrival: NDArray[Any]) -> NDArray[np.int64]:
        """Documents of all sites whose arrival is at most `arrival`."""
        counts: NDArray[np.int64] = self._ends.sum(axis=0)[np.searchsorted(self.versions, arrival, side="right")]
        return counts


def _is_call(settings: DeduplicateSettings) -> pl.Expr:
    """Whether a passage opens like a promotion line; one search of its head (bytes bound characters from above)."""
    if not settings.promo_lines:
        return pl.lit(False)
    short = pl.when(pl.col("text").str.len_bytes() <= MAX_PROMO).then("text")
    return short.str.contains(CALLS).fill_null(False)


def _structured(table: pl.DataFrame, dtype: np.dtype[Any]) -> Rows:
    out = np.empty(table.height, dtype)
    for name in dtype.names or ():
        out[name] = table[name].to_numpy()
    return out
