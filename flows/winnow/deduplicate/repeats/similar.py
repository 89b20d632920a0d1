"""Near-identical passages of one document: the same paragraph with a changed date or name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain, pairwise
from math import ceil

MIN_WORDS = 30  # below, one changed word in a template (a function's name, an option) makes another statement
_MAX_POSTINGS = 16  # earlier passages looked at for one word; keeps hostile repetition linear
_NO_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_ASCII_WORD = re.compile(r"[a-z0-9]+")  # the same there, four times as fast
_WORD = re.compile(rf"[{_NO_SPACES}]|(?:(?![{_NO_SPACES}])[^\W_])+")


def words_of(text: str) -> list[str]:
    """Words in lower case; single characters in scripts written without spaces."""
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text.lower())


def passage_similarity(a: Sequence[str], b: Sequence[str]) -> float:
    """Jaccard of the two multisets of words, 0 to 1; 0 where fewer than half of the word pairs stand in both.

    The pairs see to it that a passage of the same words in another order is no copy.

    >>> one = "the council met on monday to talk about the old bridge".split()
    >>> round(passage_similarity(one, [w.replace("monday", "friday") for w in one]), 3)
    0.833
    """
    left, right = Counter(a), Counter(b)
    shared = sum((left & right).values())
    union = len(a) + len(b) - shared
    pairs_a, pairs_b = set(pairwise(a)), set(pairwise(b))
    if len(pairs_a & pairs_b) * 2 < min(len(pairs_a), len(pairs_b)):
        return 0.0
    return shared / union if union else 1.0


def near_repeats(texts: Sequence[str], threshold: float) -> list[tuple[int, int, float]]:
    """``(later, earlier, similarity)`` for each text that is near an earlier text which is not near another itself.

    Candidates come from prefix filtering (Chaudhuri et al., ICDE 2006; Xiao et al., PPJoin, WWW 2008): two sets at or
    above the threshold share one of their rarest words. Each candidate is verified.
    """
    bags = [words_of(t) if len(t) >= 2 * MIN_WORDS or not t.isascii() else [] for t in texts]
    if sum(len(bag) >= MIN_WORDS for bag in bags) < 2:
        return []
    sets = [set(bag) for bag in bags]
    frequency = Counter(chain.from_iterable(sets))
    once = {word for word, count in frequency.items() if count == 1}
    postings: dict[str, list[int]] = {}
    found = []
    for n, bag in enumerate(bags):
        if len(bag) < MIN_WORDS:
            continue
        # Of multisets at Jaccard t at most (1 - t) / (1 + t) of all words differ; distinct words may be fewer.
        allowed = ceil(len(bag) * (1 - threshold) / threshold) + 1
        words = sets[n]
        if len(words & once) >= max(allowed, 1):
            continue  # its rarest words stand nowhere else
        rare = sorted(words, key=lambda w: (frequency[w], w))
        prefix = rare[: max(allowed, 1)]
        best: tuple[float, int] | None = None
        for m in sorted({m for w in prefix for m in postings.get(w, ())}):
            if min(len(bags[m]), len(bag)) < threshold * max(len(bags[m]), len(bag)):
                continue
            similarity = passage_similarity(bags[m], bag)
            if similarity >= threshold and (best is None or similarity > best[0]):
                best = similarity, m
        if best is not None:
            found.append((n, best[1], best[0]))
            continue
        for word in prefix:
            held = postings.setdefault(word, [])
            if len(held) < _MAX_POSTINGS:
                held.append(n)
    return found
