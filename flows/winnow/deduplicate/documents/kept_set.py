"""Which documents are left out: over verified pairs only, the closest first, never by a chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.array_files import ArrayFile, Partition, PartitionedFile
from winnow.deduplicate.documents.candidate_pairs import partition_of
from winnow.deduplicate.documents.document_order import load_order
from winnow.deduplicate.sorted_rows import Rows, distinct_values, run_starts
from winnow.deduplicate.work_files import KEPT, NO_RANK, VERIFIED, WorkFiles

PAIRS_HELD = 400_000  # brought together at a time, some 250 bytes each; all of those that a chain of pairs connects
RANKS_READ = 1 << 20
_STEPS = 20  # similarities are told apart in steps of .05; within one, the pair with fewer other choices goes first


@dataclass(frozen=True, slots=True, eq=False)
class KeptSet:
    """The documents that are left out as copies: by rank (KEPT), the one kept for each, and how close they are.

    The rows are mapped from a file, for there is one for each document.
    """

    by_rank: Rows

    @classmethod
    def of(cls, pairs: Iterable[Rows], room: Rows) -> KeptSet:
        """From pairs (VERIFIED) of a document that is kept and one left out for it, written into `room`."""
        room["kept"] = NO_RANK
        kept_set = cls(room)
        for rows in pairs:
            kept_set.add(rows)
        return kept_set

    def add(self, rows: Rows) -> None:
        """Adds pairs (VERIFIED)."""
        for field, name in (("kept", "first"), ("jaccard", "jaccard"), ("containment", "containment")):
            self.by_rank[field][rows["later"]] = rows[name]

    @property
    def copies(self) -> NDArray[np.bool_]:
        """By rank, which documents are left out as a copy of another one."""
        copies: NDArray[np.bool_] = self.by_rank["kept"] != NO_RANK
        return copies

    def pairs(self, fresh: int) -> Iterator[Rows]:
        """Pairs (VERIFIED) of the document that is kept and one left out for it, of rank `fresh` or later.

        Some come at a time, in the order of the ranks of those that are left out.
        """
        for start in range(fresh, len(self.by_rank), RANKS_READ):
            some = self.by_rank[start : start + RANKS_READ]
            at = np.flatnonzero(some["kept"] != NO_RANK)
            rows = np.empty(len(at), VERIFIED)
            rows["first"], rows["later"] = some["kept"][at], start + at
            rows["jaccard"], rows["containment"] = some["jaccard"][at], some["containment"][at]
            yield rows

    def add_exact_copies(self, exact_of: NDArray[np.uint32], fresh: int) -> None:
        """Adds documents from rank `fresh` on that have an earlier one's very text: they go where it goes."""
        for start in range(fresh, len(self.by_rank), RANKS_READ):
            some = np.asarray(exact_of[start : start + RANKS_READ])
            at = np.flatnonzero(some != np.arange(start, start + len(some), dtype=np.uint32))
            rows = self.by_rank[some[at]]
            stays = rows["kept"] == NO_RANK
            rows[stays] = np.array((0, 1, 1), KEPT)
            rows["kept"][stays] = some[at][stays]
            self.by_rank[start + at] = rows


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


def choose_kept_of(close: Partition, out: ArrayFile, files: WorkFiles, settings: DeduplicateSettings) -> ArrayFile:
    """`choose_kept` over a partition of pairs, with which no others are connected."""
    return out.save(choose_kept(close.load(), load_order(files).arrival, settings))


def spread_connected(
    close: Sequence[Rows], outs: Sequence[PartitionedFile], labels: NDArray[np.uint32], partitions: int
) -> None:
    """Write pairs (VERIFIED), a file for each piece of them; all that a chain of pairs connects in one partition.

    There is room for a label of each document.
    """
    components([(rows["first"], rows["later"]) for rows in close], labels)
    for rows, out in zip(close, outs, strict=True):
        partition = partition_of(labels[rows["first"]].astype(np.uint64), partitions)
        out.spread(np.asarray(rows), partition, partitions)


def components(pairs: Sequence[tuple[NDArray[Any], NDArray[Any]]], labels: NDArray[np.uint32]) -> None:
    """Write, by rank, the smallest document that each is connected with by pairs (first ones and later ones).

    A label spreads along pairs, and from label to label.
    """
    labels[:] = np.arange(len(labels), dtype=np.uint32)
    spreads = True
    while spreads:
        spreads = False
        for first, later in pairs:
            one, other = labels[first], labels[later]
            least = np.minimum(one, other)
            if (one != other).any():
                spreads = True
                for places in (one, other, first, later):
                    np.minimum.at(labels, places, least)
        for start in range(0, len(labels) if spreads else 0, RANKS_READ):
            labels[start : start + RANKS_READ] = labels[labels[start : start + RANKS_READ]]


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
