"""Which documents are left out: over verified pairs only, the closest first, never by a chain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.sorted_rows import Rows

_STEPS = 20  # similarities are told apart in steps of .05; within one, the pair with fewer other choices goes first


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSet:
    """For each document, by rank, the one that is kept for it (itself if it is), and how close the two are."""

    kept: NDArray[np.uint32]
    jaccard: NDArray[np.float64]
    containment: NDArray[np.float64]

    @property
    def copies(self) -> NDArray[np.bool_]:
        """Which documents are left out as a copy of another one."""
        copies: NDArray[np.bool_] = self.kept != np.arange(len(self.kept), dtype=np.uint32)
        return copies

    def with_exact_copies(self, exact_of: NDArray[np.uint32]) -> KeptSet:
        """The same with documents that have the very text of an earlier one going where that one goes."""
        first = np.asarray(exact_of)
        return KeptSet(kept=self.kept[first], jaccard=self.jaccard[first], containment=self.containment[first])


def are_close(pairs: Rows, settings: DeduplicateSettings) -> NDArray[np.bool_]:
    """Which pairs (VERIFIED) are at or above a threshold."""
    near: NDArray[np.bool_] = pairs["jaccard"] >= settings.document_threshold
    return near | (pairs["containment"] >= settings.containment_threshold)


def choose_kept(close: Rows, arrival: NDArray[np.int32], settings: DeduplicateSettings) -> KeptSet:
    """Bring documents together, pair by pair, and say for each which one is kept for it.

    Pairs are taken by the arrival of the later document; then the closest first, in steps of .05, and of a step those
    first of which one document has few others to go to; those that are only contained come after all near
    ones. Two groups become one if every document of the group that gives way is itself close to the
    document that is kept for the other, and that one comes first in the total order. So a document left out is always
    within a threshold of the very document that is kept for it, a close copy is not torn from its original because
    that one is just within reach of a third, and what arrived earlier is settled before anything later is looked at.
    """
    kept = np.arange(len(arrival), dtype=np.uint32)
    jaccard, containment = np.ones(len(kept)), np.ones(len(kept))
    near = close["jaccard"] >= settings.document_threshold
    strength = np.where(near, close["jaccard"], close["containment"])
    links_of = np.bincount(close["first"], minlength=len(kept)) + np.bincount(close["later"], minlength=len(kept))
    choices = np.minimum(links_of[close["first"]], links_of[close["later"]])
    tier = np.where(near, _STEPS - np.floor(strength * _STEPS), 2 * _STEPS)
    order = np.lexsort((close["later"], close["first"], -strength, choices, tier, arrival[close["later"]]))
    rows = close[order]
    pairs = rows["first"].astype(np.int64) << 32 | rows["later"]
    by_pair = np.argsort(pairs)
    links = np.ascontiguousarray(rows["later"][by_pair])
    starts = np.searchsorted(rows["first"][by_pair], np.arange(len(kept) + 1))
    first, later = (np.ascontiguousarray(rows[n]) for n in ("first", "later"))
    _bring_together(first, later, links, starts, np.asarray(arrival), kept)
    out = np.flatnonzero(kept != np.arange(len(kept)))
    found = rows[by_pair[np.searchsorted(pairs[by_pair], kept[out].astype(np.int64) << 32 | out)]]
    jaccard[out], containment[out] = found["jaccard"], found["containment"]
    return KeptSet(kept=kept, jaccard=jaccard, containment=containment)


@njit(cache=True, nogil=True)
def _bring_together(first, later, links, starts, arrival, kept):  # type: ignore[no-untyped-def]
    """Take the pairs in order and write to `kept` (at the start each its own) who is kept for whom.

    ``links[starts[d]:starts[d + 1]]`` are the documents, sorted, that are close to d and come after it.
    """
    following = np.full(len(kept), -1, np.int64)  # the next member of a document's group; the first is who is kept
    last = np.arange(len(kept))
    for n in range(len(first)):
        winner, loser = np.int64(kept[first[n]]), np.int64(kept[later[n]])
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
            kept[m] = winner
            m = following[m]
