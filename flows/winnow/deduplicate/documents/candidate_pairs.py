"""Pairs of documents that may be copies: they share an LSH band (near) or sampled shingles (contained)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numba import njit
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.documents.document_order import load_order
from winnow.deduplicate.documents.shingles import shared_at_least
from winnow.deduplicate.sorted_rows import Rows, distinct_values, in_runs, may_repeat, merged, run_starts
from winnow.deduplicate.work_files import KEYED, NO_RANK, PLACE, Candidates, IndexParts, InputFile, WorkFiles

LEADS = 16  # members of a large bucket that the others are compared with in one round
_SKETCH_LEADS = 4  # a shingle of more documents than LEADS is common text; only the first few are asked for it
_MIX = np.uint64(0x9E3779B97F4A7C15)


def spread_index(index: InputFile, files: WorkFiles, partitions: int) -> IndexParts:
    """Write bands and samples of one index file by hash partition, and the sketches end to end.

    Exact copies take part through the first document that has their text.
    """
    order = load_order(files)
    bands, samples, places = [], [], []
    filled = 0
    for batch in pq.ParquetFile(index.path).iter_batches(batch_size=4096, columns=["doc_id", "bands", "sketch"]):
        ranks = order.ranks_of(batch.column("doc_id").to_pylist(), index)
        known = ranks != NO_RANK
        ranks = np.where(known & (order.exact_of[np.where(known, ranks, 0)] == ranks), ranks, NO_RANK)
        bands.append(_exploded(batch.column("bands"), ranks))
        samples.append(_exploded(batch.column("sketch"), ranks))
        lengths = np.diff(np.asarray(batch.column("sketch").offsets))[ranks != NO_RANK]
        place = np.empty(len(lengths), PLACE)
        place["rank"], place["size"] = ranks[ranks != NO_RANK], lengths
        place["start"] = filled + np.cumsum(lengths) - lengths
        places.append(place)
        filled += len(samples[-1])
    parts = files.index_parts(index)
    for file, pieces in ((parts.bands, bands), (parts.samples, samples)):
        rows = merged(pieces, KEYED)
        file.spread(rows, partition_of(rows["key"], partitions), partitions)
    parts.sketches.save(np.ascontiguousarray(merged(samples, KEYED)["key"]))
    parts.sketch_places.save(merged(places, PLACE))
    return parts


def partition_of(keys: NDArray[np.uint64], partitions: int) -> NDArray[np.int64]:
    """Partition of each key; sampled hashes are small numbers, so they are mixed first."""
    return ((keys * _MIX) >> np.uint64(33)).astype(np.int64) % partitions


def find_candidates(
    partition: int, parts: Sequence[IndexParts], files: WorkFiles, settings: DeduplicateSettings
) -> Candidates:
    """Write the candidate pairs of one partition, and its large buckets.

    Pairs that sampled shingles show to be far below the thresholds (by three standard deviations) are left out.
    """
    bands = _grouped(merged([p.bands.of(partition) for p in parts], KEYED))
    samples = _grouped(merged([p.samples.of(partition) for p in parts], KEYED))
    pairs = distinct_values(np.concatenate((_pairs(bands, LEADS), _pairs(samples, _SKETCH_LEADS))))
    places = files.sketch_places.load()
    hopeful = _hopeful(
        pairs,
        files.sketches.load(),
        np.ascontiguousarray(places["start"]),
        np.ascontiguousarray(places["size"]),
        load_order(files).n_shingles,
        settings.document_threshold,
        settings.containment_threshold,
    )
    found = files.candidates(partition)
    found.pairs.save(pairs[hopeful])
    found.large_buckets.save(_large(bands))
    return found


def _exploded(lists: Any, ranks: NDArray[np.uint32]) -> Rows:
    """One row per list item of the documents that have a rank."""
    lengths = np.diff(np.asarray(lists.offsets))
    out = np.empty(int(lengths.sum()), KEYED)
    out["key"] = np.asarray(lists.flatten()).astype(np.int64, copy=False).view(np.uint64)
    out["rank"] = np.repeat(ranks, lengths)
    ranked: Rows = out[out["rank"] != NO_RANK]
    return ranked


def _grouped(rows: Rows) -> Rows:
    """Rows sorted by key and rank, those whose key stands in one document only left out."""
    rows = rows[may_repeat(rows["key"])]
    rows = rows[np.lexsort((rows["rank"], rows["key"]))]
    many: Rows = rows[in_runs(run_starts(rows["key"]))]
    return many


def _bounds(rows: Rows) -> NDArray[np.int64]:
    """Where each key's rows start, and the end of the last."""
    return np.append(np.flatnonzero(run_starts(rows["key"])), len(rows)).astype(np.int64)


def _pairs(rows: Rows, leads: int) -> NDArray[np.uint64]:
    """All pairs of a group's first LEADS + 1 members, and those of its first `leads` with all, as first << 32 | later.

    Later arrivals stand behind in a group, so they never take a pair of earlier ones away.
    """
    bounds = _bounds(rows)
    sizes = np.diff(bounds)
    room = int((np.minimum(sizes, LEADS) * np.minimum(sizes, LEADS + 1) + leads * sizes).sum())
    out = np.empty(room, np.uint64)
    return distinct_values(out[: _fill_pairs(np.ascontiguousarray(rows["rank"]), bounds, leads, out)])


@njit(cache=True)
def _fill_pairs(ranks, bounds, leads, out):  # type: ignore[no-untyped-def]
    n = 0
    for g in range(len(bounds) - 1):
        start, end = bounds[g], bounds[g + 1]
        for i in range(start, min(end, start + LEADS)):
            stop = end if i - start < leads else min(end, start + LEADS + 1)
            for j in range(i + 1, stop):
                out[n] = np.uint64(ranks[i]) << np.uint64(32) | np.uint64(ranks[j])
                n += 1
    return n


def _large(bands: Rows) -> Rows:
    """Rows of the buckets with more than LEADS + 1 members; theirs are not all compared in the first round."""
    sizes = np.diff(_bounds(bands))
    return bands[np.repeat(sizes > LEADS + 1, sizes)]


@njit(cache=True)
def _hopeful(pairs, sketches, starts, sizes, n_shingles, near, contained):  # type: ignore[no-untyped-def]
    keep = np.zeros(len(pairs), np.bool_)
    for p in range(len(pairs)):
        a = np.int64(pairs[p] >> np.uint64(32))
        b = np.int64(pairs[p] & np.uint64(0xFFFFFFFF))
        na, nb = n_shingles[a], n_shingles[b]
        small, large = min(na, nb), max(na, nb)
        near_can = small >= near * large
        contained_can = na >= contained * nb
        if not near_can and not contained_can:
            continue
        sa, sb = sizes[a], sizes[b]
        if min(sa, sb) < 8:  # too small a sample to tell anything
            keep[p] = True
            continue
        union = sa + sb  # the most it can be; what both hold is taken off when it is known
        least = np.int64(sa + sb)
        if near_can:
            root = 3 * np.sqrt(near * (1 - near))
            most = (root + np.sqrt(root * root + 4 * (1 + near) * union)) / (2 * (1 + near))
            least = min(least, np.int64(union - most * most) - 1)
        contained_least = contained * sb - 3 * np.sqrt(contained * (1 - contained) * sb) - 1
        if contained_can:
            least = min(least, np.int64(contained_least) - 1)
        both = shared_at_least(sketches[starts[a] : starts[a] + sa], sketches[starts[b] : starts[b] + sb], least)
        union -= both
        near_least = near * union - 3 * np.sqrt(near * (1 - near) * union)
        keep[p] = (near_can and both >= near_least) or (contained_can and both >= contained_least)
    return keep


class LargeBuckets:
    """Buckets with more members than one round compares.

    In a round the first kept documents of each meet all kept ones after them: in round n the first n times LEADS. So
    a bucket of many copies of one document costs a comparison each, not one for each pair. A round gives the pairs of
    its new leads only, with documents that may be close to any.
    """

    def __init__(self, rows: Rows, may_be_close: NDArray[np.bool_]) -> None:
        """`rows` (KEYED) are sorted by key and rank; `may_be_close` is by rank, and of what comes before a document."""
        bounds = _bounds(rows)
        self._starts, self._sizes = bounds[:-1], np.diff(bounds)
        self._ranks = rows["rank"].astype(np.int64)
        self._may_be_close = may_be_close[self._ranks]
        self._last_lead = np.full(len(self._sizes), -1)  # of each bucket, the highest rank that has led
        self._kept = np.zeros(len(rows), np.bool_)
        self.exhausted = False  # whether all leads have met all

    def next_pairs(self, copies: NDArray[np.bool_], round_: int) -> NDArray[np.uint64]:
        """The pairs that a round adds, sorted, given the copies known so far; another bucket may have given them."""
        kept = ~copies[self._ranks]
        self._last_lead[self._counts(kept & ~self._kept) > 0] = -1  # no lead has met those that are copies no longer
        self._kept = kept
        led = self._counts(kept & (self._ranks <= np.repeat(self._last_lead, self._sizes)))
        in_all = self._counts(kept) - 1
        leads = np.minimum(LEADS * round_, in_all)
        self.exhausted = bool((leads >= in_all).all())
        pairs = [np.empty(0, np.int64)]
        for bucket in np.flatnonzero(led < leads).tolist():
            rows = slice(self._starts[bucket], self._starts[bucket] + self._sizes[bucket])
            ranks = self._ranks[rows][kept[rows]]
            new = ranks[led[bucket] : leads[bucket]]
            self._last_lead[bucket] = new[-1]
            later = self._ranks[rows][kept[rows] & self._may_be_close[rows]]
            pairs += [lead << 32 | later[np.searchsorted(later, lead, side="right") :] for lead in new]
        return distinct_values(np.concatenate(pairs).view(np.uint64))

    def _counts(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many of the rows are true in each bucket."""
        return np.add.reduceat(rows, self._starts, dtype=np.int64) if len(rows) else np.empty(0, np.int64)
