"""Whether the parts of a join may be words that were written apart: then they stay apart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from winnow.repair.words.lexicon import ONE_LETTER, Lexicon, fold
from winnow.repair.words.words import MARKERS, word_costs

# Centibels. What costs no more stands by itself in any text of its language: short words are many, and mostly pieces.
KNOWN = 600
KNOWN_SHORT = 380  # of two letters: `re` is a word, `th` is not
FREQUENT = 350  # once in 3,000 words: `tra il` is no `trail` where Italian may stand
BESIDE_LETTER = 100  # how much rarer than the word after a lone letter its join may be: `w in` is no `win`

LIKELIER = 300  # how much likelier a join with a lone word of one letter must be than both as words: `a re`

# Words that stand in set phrases only, never after an article: `a midst` was one word.
BOUND = frozenset(("midst",))


def stand_apart(parts: Sequence[str], cost: int, lexicon: Lexicon, others: Sequence[str]) -> bool:
    """Whether to leave `parts` apart although their join, of that `cost`, is a word.

    `others`: further languages that the text may be in. All parts are words of one language; or one is a lone letter
    and the other a word far more frequent than the join; or they are letters in alphabetical order.

    >>> from winnow.repair.words.lexicon import lexicon_of
    >>> english = lexicon_of("en")
    >>> [stand_apart(p.split(), 400, english, ("fr",)) for p in ("may be", "tra il", "w in", "a b c", "t o", "w ith")]
    [True, True, True, True, False, False]
    """
    low = [fold(part) for part in parts]
    if len(low) > 2 and low == sorted(low) and all(len(part) == 1 for part in low):
        return True
    if len(low) == 2 and low[0] == "a" and low[1] in BOUND:
        return False
    own = lexicon.language
    if all(_is_word(part, own) for part in low):
        return min(map(len, low)) > 1 or cost + LIKELIER > sum(lexicon.costs[part] for part in low)
    if any(all(_is_word(part, language) for part in low) for language in others if language != own):
        return True
    if all(len(part) > 1 for part in low):
        if any(all(costs.get(part, KNOWN) <= FREQUENT for part in low) for costs in _all_costs()):
            return True
        # the small lists lack words: `bez pośredniej`
        if lexicon.language != "en" and any(lexicon.costs.get(part, KNOWN) <= FREQUENT for part in low):
            return any(len(part) > 3 and part not in lexicon.costs for part in low)
        return False
    words = [lexicon.costs[part] for part in low if len(part) > 1 and part in lexicon.costs]
    return len(low) == 2 and bool(words) and cost > words[0] + BESIDE_LETTER


def are_fragments(parts: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether none of the parts is a word of the language: then a join to any known word is the better reading."""
    letters = ONE_LETTER.get(lexicon.language, "")
    return all(fold(p) not in letters if len(p) == 1 else fold(p) not in lexicon.costs for p in parts)


def _is_word(part: str, language: str) -> bool:
    if len(part) == 1:
        return part in ONE_LETTER.get(language, "")
    return _costs(language).get(part, 10_000) <= (KNOWN_SHORT if len(part) == 2 else KNOWN)


@cache  # one for each supported language at most
def _costs(language: str) -> dict[str, int]:
    return {word: cost for word, cost in word_costs(language).items() if cost <= KNOWN}


@cache
def _all_costs() -> tuple[dict[str, int], ...]:
    return tuple(_costs(language) for language in MARKERS)
