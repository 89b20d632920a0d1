"""Which documents are left out: over verified pairs only, the closest first, never by a chain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
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
    for document, winner in _bring_together(rows, np.asarray(arrival)).items():
        kept[document] = winner
    out = np.flatnonzero(kept != np.arange(len(kept)))
    found = rows[by_pair[np.searchsorted(pairs[by_pair], kept[out].astype(np.int64) << 32 | out)]]
    jaccard[out], containment[out] = found["jaccard"], found["containment"]
    return KeptSet(kept=kept, jaccard=jaccard, containment=containment)


def _bring_together(close: Rows, arrival: NDArray[np.int32]) -> dict[int, int]:
    """Take the pairs in order; return, for documents that another one is kept for, which one."""
    pairs = list(zip(close["first"].tolist(), close["later"].tolist(), strict=True))
    are_close = set(pairs)
    arrived = arrival.tolist()
    kept: dict[int, int] = {}
    groups: dict[int, list[int]] = {}  # the documents that stand behind one that is kept, with it
    for first, later in pairs:
        one, other = kept.get(first, first), kept.get(later, later)
        if one == other:
            continue
        winner, loser = (one, other) if one < other else (other, one)
        if arrived[loser] != arrived[later]:
            continue
        members = groups.get(loser, [loser])
        if all((winner, member) in are_close for member in members):
            groups.setdefault(winner, [winner]).extend(members)
            groups.pop(loser, None)
            kept.update(dict.fromkeys(members, winner))
    return kept
