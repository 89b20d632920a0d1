"""Pairs of documents that may be copies: they share an LSH band (near) or sampled shingles (contained)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numba import njit
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.documents.shingles import shared_at_least
from winnow.deduplicate.exchange import distinct_values, gather, may_repeat, save, spread
from winnow.deduplicate.order import NO_RANK, load_order

KEYED = np.dtype([("key", np.uint64), ("rank", np.uint32)])
PLACE = np.dtype([("rank", np.uint32), ("start", np.int64), ("size", np.int64)])
LEADS = 16  # members of a large bucket that the others are compared with in one round
_SKETCH_LEADS = 4  # a shingle of more documents than LEADS is common text; only the first few are asked for it
_MIX = np.uint64(0x9E3779B97F4A7C15)


def spread_index(path: Path, work: Path, name: str, partitions: int, left_out: frozenset[str]) -> int:
    """Write bands and sketches of one index file by hash partition, and the sketches end to end; return its documents.

    Exact copies take part through the first document that has their text.
    """
    order = load_order(work)
    bands: list[NDArray[Any]] = []
    sampled: list[NDArray[Any]] = []
    places: list[NDArray[Any]] = []
    filled = documents = 0
    for batch in pq.ParquetFile(path).iter_batches(batch_size=4096, columns=["doc_id", "bands", "sketch"]):
        ids = batch.column("doc_id").to_pylist()
        ranks = order.ranks_of(ids, left_out)
        known = ranks != NO_RANK
        ranks = np.where(known & (order.exact_of[np.where(known, ranks, 0)] == ranks), ranks, NO_RANK)
        documents += int(known.sum())
        bands.append(_exploded(batch.column("bands"), ranks))
        sketch = _exploded(batch.column("sketch"), ranks)
        sampled.append(sketch)
        lengths = np.diff(np.asarray(batch.column("sketch").offsets))[ranks != NO_RANK]
        place = np.empty(len(lengths), PLACE)
        place["rank"], place["size"] = ranks[ranks != NO_RANK], lengths
        place["start"] = filled + np.cumsum(lengths) - lengths
        places.append(place)
        filled += len(sketch)
    for kind, pieces in (("bands", bands), ("sampled", sampled)):
        rows = np.concatenate(pieces) if pieces else np.empty(0, KEYED)
        spread(work / f"{kind}-{name}.npy", rows, partition_of(rows["key"], partitions), partitions)
        if kind == "sampled":
            save(work / f"sketch-{name}.npy", np.ascontiguousarray(rows["key"]))
    save(work / f"places-{name}.npy", np.concatenate(places) if places else np.empty(0, PLACE))
    return documents


def partition_of(keys: NDArray[np.uint64], partitions: int) -> NDArray[np.int64]:
    """Partition of each key; sampled hashes are small numbers, so they are mixed first."""
    return ((keys * _MIX) >> np.uint64(33)).astype(np.int64) % partitions


def find_candidates(work: Path, names: Sequence[str], partition: int, settings: DeduplicateSettings) -> int:
    """Write the candidate pairs of one partition, and its large buckets; return how many pairs.

    Pairs that sampled shingles show to be far below the thresholds (by three standard deviations) are left out.
    """
    bands = gather([work / f"bands-{n}.npy" for n in names], partition, KEYED)
    sampled = gather([work / f"sampled-{n}.npy" for n in names], partition, KEYED)
    bands = _grouped(bands)
    sampled = _grouped(sampled)
    pairs = np.concatenate((_pairs(bands, LEADS), _pairs(sampled, _SKETCH_LEADS)))
    pairs = distinct_values(pairs)
    order = load_order(work)
    sketches = np.load(work / "sketches.npy", mmap_mode="r")
    starts, sizes = np.load(work / "sketch-starts.npy"), np.load(work / "sketch-sizes.npy")
    hopeful = _hopeful(
        pairs, sketches, starts, sizes, order.n_shingles, settings.document_threshold, settings.containment_threshold
    )
    save(work / f"pairs-{partition}.npy", pairs[hopeful])
    save(work / f"buckets-{partition}.npy", _large(bands))
    return int(hopeful.sum())


def _exploded(lists: Any, ranks: NDArray[np.uint32]) -> NDArray[Any]:
    """One row per list item of the documents that have a rank."""
    lengths = np.diff(np.asarray(lists.offsets))
    out = np.empty(int(lengths.sum()), KEYED)
    out["key"] = np.asarray(lists.flatten()).astype(np.int64, copy=False).view(np.uint64)
    out["rank"] = np.repeat(ranks, lengths)
    return out[out["rank"] != NO_RANK]


def _grouped(rows: NDArray[Any]) -> NDArray[Any]:
    """Rows sorted by key and rank, those whose key stands in one document only left out."""
    rows = rows[may_repeat(rows["key"])]
    if not len(rows):
        return rows
    rows = rows[np.lexsort((rows["rank"], rows["key"]))]
    key = rows["key"]
    same = key[1:] == key[:-1]
    return rows[np.r_[False, same] | np.r_[same, False]]


def _bounds(rows: NDArray[Any]) -> NDArray[np.int64]:
    key = rows["key"]
    return np.r_[0, np.flatnonzero(key[1:] != key[:-1]) + 1, len(key)].astype(np.int64)


def _pairs(rows: NDArray[Any], leads: int) -> NDArray[np.uint64]:
    """All pairs of a group's first LEADS + 1 members, and those of its first `leads` with all, as first << 32 | later.

    Later arrivals stand behind in a group, so they never take a pair of earlier ones away.
    """
    if not len(rows):
        return np.empty(0, np.uint64)
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


def _large(bands: NDArray[Any]) -> NDArray[Any]:
    """Rows of the buckets with more than LEADS + 1 members; theirs are not all compared in the first round."""
    if not len(bands):
        return bands
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
