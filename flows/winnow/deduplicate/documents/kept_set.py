"""Which documents are left out: over verified pairs only, the closest first, never by a chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.array_files import ArrayFile
from winnow.deduplicate.documents.document_order import load_order
from winnow.deduplicate.sorted_rows import Rows, distinct_values, run_starts, stand_in
from winnow.deduplicate.work_files import VERIFIED, WorkFiles

PAIRS_HELD = 400_000  # brought together at a time, some 250 bytes each; all of those that a chain of pairs connects
_RANKS_READ = 1 << 20
_STEPS = 20  # similarities are told apart in steps of .05; within one, the pair with fewer other choices goes first


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

    @classmethod
    def of(cls, rows: Rows, documents: int) -> KeptSet:
        """From pairs (VERIFIED) of a document that is kept and one left out for it."""
        rows = rows[np.argsort(rows["later"])]
        names = {"ranks": "later", "kept": "first", "jaccard": "jaccard", "containment": "containment"}
        return cls(documents=documents, **{name: np.ascontiguousarray(rows[n]) for name, n in names.items()})

    @property
    def rows(self) -> Rows:
        """Pairs (VERIFIED) of the document that is kept and the one left out for it."""
        rows = np.empty(len(self.ranks), VERIFIED)
        rows["first"], rows["later"] = self.kept, self.ranks
        rows["jaccard"], rows["containment"] = self.jaccard, self.containment
        return rows

    @property
    def copies(self) -> NDArray[np.bool_]:
        """By rank, which documents are left out as a copy of another one."""
        copies = np.zeros(self.documents, np.bool_)
        copies[self.ranks] = True
        return copies

    def with_exact_copies(self, exact_of: NDArray[np.uint32], fresh: int) -> KeptSet:
        """The same with documents from rank `fresh` on that have an earlier one's very text: they go where it goes."""
        later = [np.empty(0, np.uint32)]
        for start in range(fresh, self.documents, _RANKS_READ):
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


def choose_kept(close: Rows, arrival: NDArray[np.int32], settings: DeduplicateSettings) -> Rows:
    """Bring documents together, pair by pair; return the pairs (VERIFIED) of one that is kept and one left out for it.

    Pairs are taken by the arrival of the later document. Of one arrival those count whose first document is not left
    out by then, the closest first, in steps of .05, and of a step those first of which one document has few others to
    go to; those that are only contained come after all near ones. Two groups become one if every document of the group
    that gives way is itself close to the document that is kept for the other, and that one comes first in the total
    order. So a document left out is always within a threshold of the very document that is kept for it, a close copy
    is not torn from its original because that one is just within reach of a third, and what arrived earlier is settled
    before anything later is looked at.
    """
    close = close[np.argsort(arrival[close["later"]], kind="stable")]
    starts = np.flatnonzero(run_starts(arrival[close["later"]]))
    left_out = np.zeros(len(arrival), np.bool_)
    copies: dict[int, int] = {}
    for some in np.split(close, starts[1:]):
        found = _bring_together(_in_turn(some[~left_out[some["first"]]], settings), arrival)
        left_out[list(found)] = True
        copies |= found
    out = np.array(sorted(copies), np.uint32)
    kept = np.array([copies[rank] for rank in out.tolist()], np.uint32)
    pairs = close["first"].astype(np.int64) << 32 | close["later"]
    by_pair = np.argsort(pairs)
    chosen: Rows = close[by_pair[np.searchsorted(pairs[by_pair], kept.astype(np.int64) << 32 | out)]]
    return chosen


def _in_turn(close: Rows, settings: DeduplicateSettings) -> Rows:
    """Pairs of one arrival in the order in which they are taken."""
    near = close["jaccard"] >= settings.document_threshold
    strength = np.where(near, close["jaccard"], close["containment"])
    taking_part = distinct_values(np.concatenate((close["first"], close["later"])))
    first, later = (np.searchsorted(taking_part, close[side]) for side in ("first", "later"))
    links_of = np.bincount(np.concatenate((first, later)), minlength=len(taking_part))
    choices = np.minimum(links_of[first], links_of[later])
    tier = np.where(near, _STEPS - np.floor(strength * _STEPS), 2 * _STEPS)
    ordered: Rows = close[np.lexsort((close["later"], close["first"], -strength, choices, tier))]
    return ordered


def choose_kept_of(close: ArrayFile, out: ArrayFile, files: WorkFiles, settings: DeduplicateSettings) -> ArrayFile:
    """`choose_kept` over a file of pairs, with which no others are connected."""
    return out.save(choose_kept(close.load(), load_order(files).arrival, settings))


def connected(close: Rows) -> Iterator[Rows]:
    """The pairs (VERIFIED), some at a time; pairs that a chain of others connects come together."""
    if len(close) <= PAIRS_HELD:
        yield close
        return
    taking_part = distinct_values(np.concatenate((close["first"], close["later"])))
    first, later = (np.searchsorted(taking_part, close[side]).astype(np.uint32) for side in ("first", "later"))
    labels = components(first, later, len(taking_part))[first]
    order = np.argsort(labels, kind="stable")
    ends = np.append(np.flatnonzero(run_starts(labels[order]))[1:], len(order))
    start = 0
    while start < len(order):
        stop = int(ends[max(int(np.searchsorted(ends, start + PAIRS_HELD, side="right")) - 1, 0)])
        if stop <= start:  # one component alone has more
            stop = int(ends[np.searchsorted(ends, start, side="right")])
        yield close[order[start:stop]]
        start = stop


def components(first: NDArray[np.uint32], later: NDArray[np.uint32], documents: int) -> NDArray[np.uint32]:
    """The smallest document that each is connected with; a label spreads along pairs, and from label to label."""
    labels = np.arange(documents, dtype=np.uint32)
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
