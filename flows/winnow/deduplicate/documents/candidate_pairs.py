"""Pairs of documents that may be copies: they share an LSH band (near) or sampled shingles (contained)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from winnow.base.files import parquet_file
from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.array_files import ArrayFile, Partition, load_each
from winnow.deduplicate.documents.document_order import load_order
from winnow.deduplicate.sorted_rows import (
    Rows,
    count_shared,
    distinct_values,
    in_runs,
    may_repeat,
    merged,
    ranges,
    run_starts,
    slots_of,
)
from winnow.deduplicate.work_files import KEYED, NO_RANK, PLACED, SKETCHED, Candidates, IndexParts, InputFile, WorkFiles

LEADS = 16  # members of a large bucket that the others are compared with in one round
_SKETCH_LEADS = 4  # a shingle of more documents than LEADS is common text; only the first few are asked for it
_LOOSE = 0.6  # of the share of words in a row from which a pair is listed: three in a row stay where five do not
_MIX = np.uint64(0x9E3779B97F4A7C15)
_MOST_NEW = 1 << 16  # documents; some hundred keys of each are held
_SLOTS = 8  # for each key, so that of eight others one at most is taken for it
_SIZE_BITS = np.uint64(24)
_SIZE = np.uint64((1 << 24) - 1)  # of a sketch; each 16th shingle is in it, about


def spread_index(index: InputFile, files: WorkFiles, partitions: int) -> IndexParts:
    """Write bands and samples of one index file by hash partition, and the sketches end to end.

    Exact copies take part through the first document that has their text; of published documents, where that is known,
    those bands and samples that new ones may have.
    """
    order = load_order(files)
    bands, samples, sketches, places = [], [], [np.empty(0, SKETCHED)], []
    filled = 0
    bands_of_new, samples_of_new = (one.load() for one in index.only) if index.only else (None, None)
    for batch in parquet_file(index.path).iter_batches(batch_size=4096, columns=["doc_id", "bands", "sketch"]):
        ranks = order.ranks_of(batch.column("doc_id"), index)
        known = ranks != NO_RANK
        ranks = np.where(known & (order.exact_of[np.where(known, ranks, 0)] == ranks), ranks, NO_RANK)
        bands.append(_shared(_exploded(batch.column("bands"), ranks), bands_of_new))
        sampled = _exploded(batch.column("sketch"), ranks)
        samples.append(_shared(sampled, samples_of_new))
        sketches.append((sampled["key"] * _MIX >> np.uint64(48)).astype(SKETCHED))
        lengths = np.diff(np.asarray(batch.column("sketch").offsets))[ranks != NO_RANK]
        place = np.empty(len(lengths), PLACED)
        place["rank"], place["size"] = ranks[ranks != NO_RANK], lengths
        place["start"] = filled + np.cumsum(lengths) - lengths
        places.append(place)
        filled += len(sampled)
    parts = files.index_parts(index)
    for file, pieces in ((parts.bands, bands), (parts.samples, samples)):
        rows = merged(pieces, KEYED)
        file.spread(rows, partition_of(rows["key"], partitions), partitions)
    parts.sketches.save(np.concatenate(sketches))
    parts.sketch_places.save(merged(places, PLACED))
    return parts


def write_keys(new: Sequence[InputFile], files: WorkFiles) -> tuple[ArrayFile, ...]:
    """Write which bands and samples new documents have, for `spread_index`; nothing where they are many."""
    indexes = [parquet_file(file.path) for file in new]
    if sum(index.metadata.num_rows for index in indexes) > _MOST_NEW:
        return ()
    outs = []
    for kind, column in (("bands", "bands"), ("samples", "sketch")):
        found = [np.asarray(index.read([column])[column].combine_chunks().flatten()) for index in indexes]
        keys = merged(found, np.int64).astype(np.int64, copy=False).view(np.uint64)
        has = np.zeros(1 << max(10, (_SLOTS * len(keys)).bit_length()), np.bool_)
        has[slots_of(keys, len(has))] = True
        outs.append(files.new_keys(kind).save(has))
    return tuple(outs)


def _shared(rows: Rows, of_new: NDArray[np.bool_] | None) -> Rows:
    """The rows whose keys may be those of new documents; all, where it is not known which these are."""
    found: Rows = rows if of_new is None else rows[of_new[slots_of(rows["key"], len(of_new))]]
    return found


def lay_sketches(parts: Sequence[ArrayFile], places: ArrayFile, documents: int) -> None:
    """Write where sketches lie, by rank, given where they do in each of the `parts` (PLACED), which are end to end."""
    start = np.int64(0)
    with places.filled(documents) as by_rank:
        for some in load_each(parts):
            size = np.minimum(some["size"], _SIZE).astype(np.uint64)
            by_rank[some["rank"]] = (start + some["start"]).astype(np.uint64) << _SIZE_BITS | size
            start += some["size"].sum(dtype=np.int64)


def partition_of(keys: NDArray[np.uint64], partitions: int) -> NDArray[np.int64]:
    """Partition of each key; sampled hashes are small numbers, so they are mixed first."""
    return ((keys * _MIX) >> np.uint64(33)).astype(np.int64) % partitions


def find_candidates(
    band_rows: Partition, sample_rows: Partition, files: WorkFiles, settings: DeduplicateSettings, fresh: int
) -> Candidates:
    """Write the candidate pairs of one partition, and its large buckets, that have a document of rank `fresh` or later.

    Pairs that sampled shingles show to be far below the thresholds (by three standard deviations) are left out.
    """
    bands, samples = (_grouped(rows.load(), fresh) for rows in (band_rows, sample_rows))
    pairs = distinct_values(np.concatenate((_pairs(bands, LEADS), _pairs(samples, _SKETCH_LEADS))))
    pairs = pairs[(pairs & np.uint64(0xFFFFFFFF)) >= fresh]
    sampled = _Sampled.of(pairs, files)
    found = files.candidates(band_rows.number)
    found.pairs.save(pairs[sampled.may_be_copies(load_order(files).n_shingles, settings)])
    found.large_buckets.save(_large(bands))
    found.similar.save(pairs[sampled.may_share(_LOOSE * settings.similar_threshold)])
    return found


def _exploded(lists: Any, ranks: NDArray[np.uint32]) -> Rows:
    """One row per list item of the documents that have a rank."""
    lengths = np.diff(np.asarray(lists.offsets))
    out = np.empty(int(lengths.sum()), KEYED)
    out["key"] = np.asarray(lists.flatten()).astype(np.int64, copy=False).view(np.uint64)
    out["rank"] = np.repeat(ranks, lengths)
    ranked: Rows = out[out["rank"] != NO_RANK]
    return ranked


def _grouped(rows: Rows, fresh: int) -> Rows:
    """Rows sorted by key and rank, of the keys that stand in several documents, the last of rank `fresh` or later."""
    rows = rows[may_repeat(rows["key"])]
    rows = rows[np.lexsort((rows["rank"], rows["key"]))]
    rows = rows[in_runs(run_starts(rows["key"]))]
    bounds = _bounds(rows)
    many: Rows = rows[np.repeat(rows["rank"][bounds[1:] - 1] >= fresh, np.diff(bounds))]
    return many


def _bounds(rows: Rows) -> NDArray[np.int64]:
    """Where each key's rows start, and the end of the last."""
    return np.append(np.flatnonzero(run_starts(rows["key"])), len(rows)).astype(np.int64)


def _pairs(rows: Rows, leads: int) -> NDArray[np.uint64]:
    """All pairs of a group's first LEADS + 1 members, and those of its first `leads` with all, as first << 32 | later.

    Later arrivals stand behind in a group, so they never take a pair of earlier ones away.
    """
    ranks, bounds = rows["rank"].astype(np.uint64), _bounds(rows)
    starts, ends = bounds[:-1], bounds[1:]
    pairs = [np.empty(0, np.uint64)]
    for lead in range(LEADS):
        stops = ends if lead < leads else np.minimum(ends, starts + LEADS + 1)
        some = stops > starts + lead + 1
        one, first, stop = starts[some] + lead, starts[some] + lead + 1, stops[some]
        pairs.append(np.repeat(ranks[one], stop - first) << np.uint64(32) | ranks[ranges(first, stop)])
    return distinct_values(np.concatenate(pairs))


def _large(bands: Rows) -> Rows:
    """Rows of the buckets with more than LEADS + 1 members; theirs are not all compared in the first round."""
    sizes = np.diff(_bounds(bands))
    return bands[np.repeat(sizes > LEADS + 1, sizes)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sampled:
    """Pairs of documents, by rank: how many sampled shingles the one and the other have, and how many in common."""

    first: NDArray[np.int64]
    later: NDArray[np.int64]
    of_first: NDArray[np.int64]
    of_later: NDArray[np.int64]
    both: NDArray[np.int64]

    @classmethod
    def of(cls, pairs: NDArray[np.uint64], files: WorkFiles) -> _Sampled:
        first, later = (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
        ranks = distinct_values(np.concatenate((first, later)))
        sides = np.searchsorted(ranks, first), np.searchsorted(ranks, later)
        places = files.sketch_places.load()[ranks]
        starts, sizes = (some.astype(np.int64) for some in (places >> _SIZE_BITS, places & _SIZE))
        both = count_shared(files.sketches.load(), starts, starts + sizes, sides)
        of_first, of_later = (sizes[side] for side in sides)
        return cls(first=first, later=later, of_first=of_first, of_later=of_later, both=both)

    def may_be_copies(self, n_shingles: NDArray[np.int32], settings: DeduplicateSettings) -> NDArray[np.bool_]:
        """Which pairs their samples do not show to be far apart; samples of fewer than eight shingles tell nothing."""
        near, contained = settings.document_threshold, settings.containment_threshold
        one, other = n_shingles[self.first], n_shingles[self.later]
        near_can = np.minimum(one, other) >= near * np.maximum(one, other)
        contained_can = one >= contained * other
        union = self.of_first + self.of_later - self.both
        near_least = near * union - 3 * np.sqrt(near * (1 - near) * union)
        sample = self.of_later
        contained_least = contained * sample - 3 * np.sqrt(contained * (1 - contained) * sample) - 1
        told = near_can & (self.both >= near_least) | contained_can & (self.both >= contained_least)
        may: NDArray[np.bool_] = np.where(np.minimum(self.of_first, self.of_later) >= 8, told, near_can | contained_can)
        return may

    def may_share(self, least: float) -> NDArray[np.bool_]:
        """Which pairs may share `least` of the smaller one's shingles, as far as their samples tell."""
        sample = np.minimum(self.of_first, self.of_later)
        may: NDArray[np.bool_] = self.both >= least * sample - 3 * np.sqrt(least * (1 - least) * sample) - 1
        return may


class LargeBuckets:
    """Buckets with more members than one round compares.

    In a round the first kept documents of each meet all kept ones after them: in round n the first n times LEADS. So
    a bucket of many copies of one document costs a comparison each, not one for each pair. A round gives the pairs of
    its new leads only, with documents that may be close to any.
    """

    def __init__(self, rows: Rows, ranks: NDArray[np.uint32], may_be_close: NDArray[np.bool_]) -> None:
        """`rows` (KEYED) are sorted by key and rank.

        `may_be_close` says for each of their documents, whose `ranks` are sorted, whether it may be to one before it.
        """
        bounds = _bounds(rows)
        self._starts, self._sizes = bounds[:-1], np.diff(bounds)
        self._ranks = rows["rank"].astype(np.int64)
        self._may_be_close = may_be_close[np.searchsorted(ranks, rows["rank"])]
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
