"""Which documents are left out: over verified pairs only, the closest first, never by a chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.documents.candidates import LEADS
from winnow.deduplicate.exchange import distinct_values

_STEPS = 20  # similarities are told apart in steps of .05; within one, the pair with fewer other choices goes first


@dataclass(frozen=True, slots=True)
class Standing:
    """For each document, by rank, the one that stands for it (itself if it is kept), and how close the two are."""

    kept: NDArray[np.uint32]
    jaccard: NDArray[np.float64]
    contained: NDArray[np.float64]

    @property
    def left_out(self) -> NDArray[np.bool_]:
        return self.kept != np.arange(len(self.kept), dtype=np.uint32)


def close_pairs(verified: NDArray[Any], settings: DeduplicateSettings) -> NDArray[Any]:
    """The pairs at or above a threshold."""
    near = verified["jaccard"] >= settings.document_threshold
    return verified[near | (verified["contained"] >= settings.containment_threshold)]


def settle(close: NDArray[Any], arrival: NDArray[np.int32], settings: DeduplicateSettings) -> Standing:
    """Bring documents together, pair by pair, and say for each which one stands for it.

    Pairs are taken by the arrival of the later document; then the closest first, in steps of .05, and of a step those
    first of which one document has few others to go to; those that are only contained come after all near
    ones. Two groups become one if every document of the group that gives way is itself close to the
    document that stands for the other, and that one comes first in the total order. So a document left out is always
    within a threshold of the very document that stands for it, a close copy is not torn from its original because
    that one is just within reach of a third, and what arrived earlier is settled before anything later is looked at.
    """
    kept = np.arange(len(arrival), dtype=np.uint32)
    jaccard, contained = np.ones(len(kept)), np.ones(len(kept))
    near = close["jaccard"] >= settings.document_threshold
    strength = np.where(near, close["jaccard"], close["contained"])
    links_of = np.bincount(close["first"], minlength=len(kept)) + np.bincount(close["later"], minlength=len(kept))
    choices = np.minimum(links_of[close["first"]], links_of[close["later"]])
    tier = np.where(near, _STEPS - np.floor(strength * _STEPS), 2 * _STEPS)
    order = np.lexsort((close["later"], close["first"], -strength, choices, tier, arrival[close["later"]]))
    rows = close[order]
    by_pair = np.lexsort((rows["later"], rows["first"]))
    links = np.ascontiguousarray(rows["later"][by_pair])
    starts = np.searchsorted(rows["first"][by_pair], np.arange(len(kept) + 1))
    first, later = (np.ascontiguousarray(rows[n]) for n in ("first", "later"))
    _join(first, later, links, starts, np.asarray(arrival), kept)
    out = np.flatnonzero(kept != np.arange(len(kept)))
    at = [starts[w] + np.searchsorted(links[starts[w] : starts[w + 1]], d) for d, w in zip(out, kept[out], strict=True)]
    found = rows[by_pair[np.array(at, np.int64)]]
    jaccard[out], contained[out] = found["jaccard"], found["contained"]
    return Standing(kept, jaccard, contained)


@njit(cache=True, nogil=True)
def _join(first, later, links, starts, arrival, stands):  # type: ignore[no-untyped-def]
    """Take the pairs in order and write to `stands` (at the start each its own) who stands for whom.

    ``links[starts[d]:starts[d + 1]]`` are the documents, sorted, that are close to d and come after it.
    """
    following = np.full(len(stands), -1, np.int64)  # the next member of a document's group; the first is who stands
    last = np.arange(len(stands))
    for n in range(len(first)):
        winner, loser = np.int64(stands[first[n]]), np.int64(stands[later[n]])
        if winner == loser:
            continue
        winner, loser = min(winner, loser), max(winner, loser)
        if arrival[loser] != arrival[later[n]]:
            continue
        close = links[starts[winner] : starts[winner + 1]]
        m = loser
        while m >= 0:
            at = np.searchsorted(close, m)
            if at == len(close) or close[at] != m:
                break
            m = following[m]
        if m >= 0:
            continue
        following[last[winner]] = loser
        last[winner] = last[loser]
        m = loser
        while m >= 0:
            stands[m] = winner
            m = following[m]


def with_exact(standing: Standing, exact_of: NDArray[np.uint32]) -> Standing:
    """Let documents with the very text of an earlier one go where that one goes."""
    first = np.asarray(exact_of)
    return Standing(standing.kept[first], standing.jaccard[first], standing.contained[first])


def next_pairs(buckets: NDArray[Any], left_out: NDArray[np.bool_], round_: int) -> NDArray[np.uint64]:
    """Pairs to verify in a round: in each large bucket the first kept documents with all kept ones after them.

    In round n these are the first n times LEADS. So a bucket of many copies of one document costs a comparison each,
    not one for each pair. `buckets` has rows (key, rank) sorted by both.
    """
    rows = buckets[~left_out[buckets["rank"]]]
    if not len(rows):
        return np.empty(0, np.uint64)
    bounds = np.r_[0, np.flatnonzero(rows["key"][1:] != rows["key"][:-1]) + 1, len(rows)]
    pairs = [np.empty(0, np.uint64)]
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        ranks = rows["rank"][start:end].astype(np.uint64)
        for lead in range(min(LEADS * round_, end - start - 1)):
            pairs.append(ranks[lead] << np.uint64(32) | ranks[lead + 1 :])
    return distinct_values(np.concatenate(pairs))


def merge(pieces: Sequence[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    """All rows of several arrays, or none of them."""
    filled = [p for p in pieces if len(p)]
    return np.concatenate(filled) if filled else np.empty(0, dtype)
