"""Which documents may have a passage near another, or sentences that stand again: cheap signs, of many at once.

Of passages of the others, all of them or some, `near_repeats` and the search for runs of sentences find nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.documents.shingles import Words
from winnow.deduplicate.passages.fingerprint import keys_of
from winnow.deduplicate.passages.utf8_texts import Offsets, Utf8Texts
from winnow.deduplicate.repeats.within_document import MIN_WORDS, sentence_starts
from winnow.deduplicate.sorted_rows import distinct_values, ranges, stand_in

_BINS = 64
_MOST = 8  # passages that each is compared with; where more have about its length, it may be near one of them


def may_be_near(texts: Sequence[str], owners: Offsets, threshold: float) -> Offsets:
    """Documents in which one of some passages may be near another, given the document of each.

    Words are those of `near_repeats`, counted by a few bits of their hashes: two passages differ in as many words at
    least as in these counts, and near ones differ in few.
    """
    singly = pa.array([text.replace("_", " ") for text in texts], pa.large_string())
    words = Words.of(Utf8Texts.of(singly), np.arange(len(texts) + 1), apart=True)
    sizes = np.diff(words.ends, prepend=0)
    order = np.lexsort((sizes, owners))
    order = order[sizes[order] >= MIN_WORDS]
    at = np.arange(len(order))
    places = np.full(len(texts), len(at))
    places[order] = at
    bins = np.repeat(places, sizes) * _BINS + (words.numbers % np.uint64(_BINS)).astype(np.int64)
    counts = np.bincount(bins, minlength=(len(at) + 1) * _BINS).reshape(-1, _BINS)
    owners, sizes = owners[order], sizes[order]
    longest = np.minimum(sizes / threshold, 2.0**31).astype(np.int64) + 1
    ends = np.searchsorted((owners << 32) + sizes, (owners << 32) + longest, side="right")
    crowded = distinct_values(owners[ends - at > _MOST])
    ends[stand_in(owners, crowded)] = 0
    one, other = np.repeat(at, np.maximum(ends - at - 1, 0)), ranges(at + 1, np.maximum(ends, at + 1))
    differing = np.abs(counts[one] - counts[other]).sum(axis=1)
    near = differing <= (sizes[one] + sizes[other]) * (1 - threshold) / (1 + threshold) + 1e-6
    return distinct_values(np.append(crowded, owners[one[near]]))


def may_run(texts: Sequence[str], owners: Offsets, settings: DeduplicateSettings) -> Offsets:
    """Documents in which sentences in a row of some passages stand again, however short they are."""
    least = settings.min_run_sentences
    said: list[str] = []
    places: list[int] = []
    for text, owner in zip(texts, owners.tolist(), strict=True):
        if len(text) >= settings.min_repeat_chars and len(starts := sentence_starts(text)) >= least:
            said += ["", *(text[a:b] for a, b in pairwise([*starts, len(text)]))]  # no run goes over its end
            places += [owner] * (len(starts) + 1)
    keys = [key or text.encode() for key, text in zip(keys_of(said, settings.fold_digits), said, strict=True)]
    seen = set()
    found = set()
    for window in zip(places, *(keys[n:] for n in range(least)), strict=False):
        if b"" not in window and window in seen:
            found.add(window[0])
        seen.add(window)
    return np.array(sorted(found), np.int64)
