"""Which documents are left out: over verified pairs only, the closest first, never by a chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.sorted_rows import Rows, distinct_values, run_starts, stand_in

_RANKS_READ = 1 << 20
_STEPS = 20  # similarities are told apart in steps of .05; within one, the pair with fewer other choices goes first


_PAIRS_HELD = 400_000  # brought together at a time, some 250 bytes each; all of those that a chain of pairs connects


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class KeptSet:
    """The documents that are left out as copies, by rank in order, with the one kept for each and how close they are.

    All others of the `documents` are kept.
    """

    documents: int
    ranks: NDArray[np.uint32]
    kept: NDArray[np.uint32]
    jaccard: NDArray[np.float64]
    containment: NDArray[np.float64]

    @property
    def copies(self) -> NDArray[np.bool_]:
        """By rank, which documents are left out as a copy of another one."""
        copies = np.zeros(self.documents, np.bool_)
        copies[self.ranks] = True
        return copies

    def with_exact_copies(self, exact_of: NDArray[np.uint32]) -> KeptSet:
        """The same with documents that have the very text of an earlier one going where that one goes."""
        later = [np.empty(0, np.uint32)]
        for start in range(0, self.documents, _RANKS_READ):
            some = np.asarray(exact_of[start : start + _RANKS_READ])
            ranks = np.arange(start, start + len(some), dtype=np.uint32)
            later.append(ranks[some != ranks])
        exact = np.concatenate(later)
        first = np.asarray(exact_of[exact])
        goes = stand_in(first, self.ranks)
        at = np.searchsorted(self.ranks, first[goes])
        kept, jaccard, containment = first.copy(), np.ones(len(exact)), np.ones(len(exact))
        kept[goes], jaccard[goes], containment[goes] = self.kept[at], self.jaccard[at], self.containment[at]
        ranks = np.concatenate((self.ranks, exact))
        order = np.argsort(ranks)
        return KeptSet(
            documents=self.documents,
            ranks=ranks[order],
            kept=np.concatenate((self.kept, kept))[order],
            jaccard=np.concatenate((self.jaccard, jaccard))[order],
            containment=np.concatenate((self.containment, containment))[order],
        )


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
    near = close["jaccard"] >= settings.document_threshold
    strength = np.where(near, close["jaccard"], close["containment"])
    taking_part = distinct_values(np.concatenate((close["first"], close["later"])))
    first, later = (np.searchsorted(taking_part, close[side]) for side in ("first", "later"))
    links_of = np.bincount(np.concatenate((first, later)), minlength=len(taking_part))
    choices = np.minimum(links_of[first], links_of[later])
    tier = np.where(near, _STEPS - np.floor(strength * _STEPS), 2 * _STEPS)
    order = np.lexsort((close["later"], close["first"], -strength, choices, tier, arrival[close["later"]]))
    copies: dict[int, int] = {}
    for some in _connected(first, later, order, len(taking_part)):
        copies |= _bring_together(close[some], arrival)
    out = np.array(sorted(copies), np.uint32)
    kept = np.array([copies[rank] for rank in out.tolist()], np.uint32)
    pairs = close["first"].astype(np.int64) << 32 | close["later"]
    by_pair = np.argsort(pairs)
    found = close[by_pair[np.searchsorted(pairs[by_pair], kept.astype(np.int64) << 32 | out)]]
    return KeptSet(
        documents=len(arrival), ranks=out, kept=kept, jaccard=found["jaccard"], containment=found["containment"]
    )


def _connected(
    first: NDArray[np.int64], later: NDArray[np.int64], order: NDArray[np.int64], documents: int
) -> Iterator[NDArray[np.int64]]:
    """The pairs in this order, some at a time; pairs that a chain of others connects come together."""
    if len(order) <= _PAIRS_HELD:
        yield order
        return
    labels = _components(first, later, documents)
    order = order[np.argsort(labels[first[order]], kind="stable")]
    ends = np.append(np.flatnonzero(run_starts(labels[first[order]]))[1:], len(order))
    start = 0
    while start < len(order):
        stop = int(ends[max(int(np.searchsorted(ends, start + _PAIRS_HELD, side="right")) - 1, 0)])
        if stop <= start:  # one component alone has more
            stop = int(ends[np.searchsorted(ends, start, side="right")])
        yield order[start:stop]
        start = stop


def _components(first: NDArray[np.int64], later: NDArray[np.int64], documents: int) -> NDArray[np.int64]:
    """The smallest document that each is connected with; a label spreads along pairs, and from label to label."""
    labels = np.arange(documents)
    while True:
        least = np.minimum(labels[first], labels[later])
        if (least == labels[first]).all() and (least == labels[later]).all():
            return labels
        np.minimum.at(labels, labels[first], least)
        np.minimum.at(labels, labels[later], least)
        np.minimum.at(labels, first, least)
        np.minimum.at(labels, later, least)
        labels = labels[labels]


def _bring_together(close: Rows, arrival: NDArray[np.int32]) -> dict[int, int]:
    """Take the pairs in order; return, for documents that another one is kept for, which one."""
    pairs = list(zip(close["first"].tolist(), close["later"].tolist(), strict=True))
    are_close = set(pairs)
    sides = (close["first"], close["later"])
    arrived = {d: a for ranks in sides for d, a in zip(ranks.tolist(), arrival[ranks].tolist(), strict=True)}
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
