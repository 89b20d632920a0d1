"""Which languages know a word: one table of the lists of all languages, in a file that processes share.

As sets of Python the lists take half a second and 110 MB in each process. The table is made once, in a second or two.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache

from winnow.repair.words.frequencies import LATIN_LISTS, list_path, word_costs
from winnow.repair.words.word_table import WordTable, fingerprints_of, packed, table_of

# Costs in centibels.
KNOWN = 599  # once in a million words
COMMON = 452  # 3 times in 100,000

LANGUAGES = (*LATIN_LISTS, "ru", "uk", "bg", "mk", "el", "he", "ar", "fa")
"""Those that have a list here; each has a bit in what `known_to` and `common_to` give."""

CHARACTERS = ("zh", "ja", "ko")
N_CHARACTERS = 1_500  # cover .97 of Chinese, .99 of Japanese and Korean
_CJK = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")

_BITS = {language: 1 << n for n, language in enumerate(LANGUAGES)}


@dataclass(frozen=True, slots=True)
class WordIndex:
    """A table of words, with bits of languages for each."""

    words: WordTable
    known: memoryview
    common: memoryview
    characters: tuple[str, ...]
    """The commonest characters of each of `CHARACTERS`."""


def bits(*languages: str) -> int:
    """The bits of some languages together."""
    return sum(_BITS[language] for language in languages)


LATIN = bits(*LATIN_LISTS)
"""The bits of the languages in Latin letters."""


@lru_cache(maxsize=1 << 16)
def known_to(word: str) -> int:
    """The bits of the languages whose lists have a word in small letters, once in a million words or more often.

    >>> known_to("mädchen") & bits("de") > 0, known_to("mädchen") & bits("en", "ru"), known_to("mädhcen")
    (True, 0, 0)
    """
    index = _index()
    at = index.words.find(word)
    return 0 if at is None else int(index.known[at])


@lru_cache(maxsize=1 << 16)
def common_to(word: str) -> int:
    """The same of those in which it is common, three times in 100,000 words or more often."""
    index = _index()
    at = index.words.find(word)
    return 0 if at is None else int(index.common[at])


@cache
def common_characters(language: str) -> frozenset[str]:
    """The commonest characters of Chinese, Japanese or Korean, by the words they stand in.

    >>> "我" in common_characters("zh"), "鎴" in common_characters("zh")
    (True, False)
    """
    return frozenset(_index().characters[CHARACTERS.index(language)])


@cache
def _index() -> WordIndex:
    table = table_of("words", map(list_path, LANGUAGES + CHARACTERS), _made)
    size = 4 * len(table.fingerprints)
    known, common = table.columns[:size].cast("I"), table.columns[size : 2 * size].cast("I")
    return WordIndex(table, known, common, tuple(str(table.columns[2 * size :], "utf-8").split("\n")))


def _made() -> bytes:
    import numpy as np  # once for all processes

    parts = []
    for language, bit in _BITS.items():
        costs = word_costs(language, KNOWN)
        common = np.fromiter((cost <= COMMON for cost in costs.values()), np.uint32, len(costs))
        parts.append((fingerprints_of(costs), np.full(len(costs), bit, np.uint32), common * np.uint32(bit)))
    every, known, common = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(every)
    every, known, common = every[order], known[order], common[order]
    first = np.flatnonzero(np.concatenate(([True], every[1:] != every[:-1])))
    columns = (np.bitwise_or.reduceat(bits, first) for bits in (known, common))
    return packed(every[first], columns, "\n".join(map(_commonest, CHARACTERS)).encode())


def _commonest(language: str) -> str:
    counts: Counter[str] = Counter()
    for word, cost in word_costs(language).items():
        for char in word:
            counts[char] += int(10 ** (8 - cost / 100))
    return "".join([char for char, _ in counts.most_common() if _CJK.match(char)][:N_CHARACTERS])
