"""Documents of which the removal of passages leaves too little: copies of what others hold, or left as they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.array_files import ArrayFile, Partition
from winnow.deduplicate.repeats.inner_rows import goes
from winnow.deduplicate.sorted_rows import Rows, distinct_values, stand_in
from winnow.deduplicate.work_files import NO_RANK, REMAINDER, WorkFiles

_SHORT = 60  # shingles; a document of about 400 characters


def judge_span(
    removed: Partition, chars: Partition, inner: Partition, files: WorkFiles, settings: DeduplicateSettings, fresh: int
) -> ArrayFile:
    """Write the remainders among the documents of one span of doc_ids, of those whose ranks are from `fresh` on."""
    rows, repeats = removed.load(), inner.load()
    found = judge_remainders(
        chars=chars.load(),
        removed=rows[rows["meaning"] == 0],
        with_inner_repeats=distinct_values(repeats["rank"][goes(repeats) & (repeats["rank"] >= fresh)]),
        kept_for_others=files.kept_for_others.load(),
        settings=settings,
    )
    return files.remainders(removed.number).save(found)


def judge_remainders(
    *,
    chars: Rows,
    removed: Rows,
    with_inner_repeats: NDArray[np.uint32],
    kept_for_others: NDArray[np.bool_],
    settings: DeduplicateSettings,
) -> Rows:
    """Judge the documents with less than `min_rest_chars` left after the passages `removed` (REMOVED) are taken away.

    `chars` (CHARS, several rows a document perhaps) are a document's characters before that, less what it loses to
    itself. Documents that others are copies of (`kept_for_others`, by rank) stay for them. Any other is a copy if one
    document holds at least `containment_threshold` of what it says on its own; what several documents hold together is
    no copy of any of them, and boilerplate alone has no holder: those stay as they are. Documents that lose nothing are
    not judged.

    Returns REMAINDER: the `holder` of what a document says, NO_RANK for one that stays whole. Of those that are `bare`
    even what repeats or promotes something inside them stays.
    """
    # A document that holds a passage for others has that much left, so it must never be judged away.
    least = min(settings.min_rest_chars, settings.min_repeat_chars)
    ranks, at = np.unique(removed["rank"], return_inverse=True)
    lost, own = np.zeros(len(ranks), np.int64), _sums(chars, ranks)
    np.add.at(lost, at, removed["chars"])
    poor = (lost > 0) & (own - lost < least)
    of_one = removed["kept"] != NO_RANK
    np.subtract.at(own, at[~of_one], removed["chars"][~of_one])  # without boilerplate
    repeats = removed[poor[at] & of_one]
    repeats = repeats[~kept_for_others[repeats["rank"]]]
    held: dict[int, dict[int, int]] = {}
    for rank, size, kept in zip(*(repeats[n].tolist() for n in ("rank", "chars", "kept")), strict=True):
        by_holder = held.setdefault(rank, {})
        by_holder[kept] = by_holder.get(kept, 0) + size
    bare = with_inner_repeats[_sums(chars, with_inner_repeats) == 0]
    found = np.empty(int(poor.sum()) + len(bare), REMAINDER)
    found["rank"], found["holder"] = np.concatenate((ranks[poor], bare)), NO_RANK
    found["bare"] = np.arange(len(found)) >= poor.sum()
    for n, (rank, says) in enumerate(zip(ranks[poor].tolist(), own[poor].tolist(), strict=True)):
        if by_holder := held.get(rank, {}):
            holder = min(by_holder, key=lambda k: (-by_holder[k], k))
            if by_holder[holder] >= settings.containment_threshold * says:
                found["holder"][n] = holder
    return found


def _sums(chars: Rows, ranks: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The characters of documents, whose ranks are sorted."""
    out = np.zeros(len(ranks), np.int64)
    known = chars[stand_in(chars["rank"], ranks)]
    np.add.at(out, np.searchsorted(ranks, known["rank"]), known["chars"])
    return out


def confirmed(verified: Rows, n_shingles: NDArray[np.int32], settings: DeduplicateSettings) -> Rows:
    """The copies (VERIFIED) of which the shingles do not say less than the passages did; the others stay whole.

    Short documents are not asked: there a title of three words breaks up more shingles than it adds text.
    """
    long = n_shingles[verified["later"]] >= _SHORT
    found: Rows = verified[~(long & (verified["containment"] < settings.containment_threshold))]
    return found
