"""Documents of which removal leaves too little: copies of the one document that holds their passages, or left whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.order import NO_RANK

_SHORT = 60  # shingles; a document of about 400 characters


@dataclass(frozen=True, slots=True)
class Rests:
    """`copies` maps a document to the one that holds it; `restored` are those whose passages stay after all.

    Of those that are `bare` even what repeats or promotes something inside them stays: they have nothing else.
    """

    copies: dict[int, int]
    restored: frozenset[int]
    bare: frozenset[int]


def judge_rests(
    left: NDArray[np.int64],
    gone: NDArray[Any],
    inner: NDArray[Any],
    holding: NDArray[Any],
    settings: DeduplicateSettings,
) -> Rests:
    """Judge the documents with less than `min_rest_chars` left after the passages in `gone` are taken away.

    ``left[rank]`` are a document's characters before that; `inner` are the ranks of documents that lose something to
    themselves; `holding` are those that other documents are copies of, and stay for them. Any other such document is
    a copy if one document holds at least `containment_threshold` of what it says on its own; what several documents
    hold together is no copy of any of them, and boilerplate alone has no holder: those stay as they are. Documents
    that lose nothing are not judged.
    """
    # A document that holds a passage for others has that much left, so it must never be judged away.
    least = min(settings.min_rest_chars, settings.min_repeat_chars)
    lost = np.zeros(len(left), np.int64)
    np.add.at(lost, gone["rank"], gone["chars"])
    poor = (lost > 0) & (left - lost < least)
    rows = gone[poor[gone["rank"]]]
    copies: dict[int, int] = {}
    restored: set[int] = set(np.flatnonzero(poor).tolist())
    held: dict[int, dict[int, int]] = {}
    own: dict[int, int] = {}
    for rank, chars, kept in zip(rows["rank"].tolist(), rows["chars"].tolist(), rows["kept"].tolist(), strict=True):
        if kept == int(NO_RANK):
            own[rank] = own.get(rank, 0) - chars
        else:
            by = held.setdefault(rank, {})
            by[kept] = by.get(kept, 0) + chars
    for rank in set(holding.tolist()) & held.keys():
        del held[rank]
    for rank, by in held.items():
        holder = min(by, key=lambda k: (-by[k], k))
        if by[holder] >= settings.containment_threshold * (int(left[rank]) + own.get(rank, 0)):
            copies[rank] = holder
            restored.discard(rank)
    bare = inner[left[inner] == 0] if len(left) else inner
    return Rests(copies, frozenset(restored), frozenset(bare.tolist()))


def confirm(
    rests: Rests, verified: NDArray[Any], n_shingles: NDArray[np.int32], settings: DeduplicateSettings
) -> tuple[Rests, NDArray[Any]]:
    """Take back copies of which the shingles say less than the passages did: those documents stay whole.

    Short documents are not asked: there a title of three words breaks up more shingles than it adds text.
    """
    long = n_shingles[verified["later"]] >= _SHORT
    fails = long & (verified["contained"] < settings.containment_threshold)
    taken_back = set(verified["later"][fails].tolist())
    copies = {copy: kept for copy, kept in rests.copies.items() if copy not in taken_back}
    return Rests(copies, rests.restored | taken_back, rests.bare), verified[~fails]
