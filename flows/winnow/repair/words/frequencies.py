"""How frequent words are, from the lists of wordfreq.

The data is by Robyn Speer (code Apache-2.0, data CC BY-SA 4.0 with credit to SUBTLEX, Google Books Ngrams,
OpenSubtitles, Wikipedia, the Leeds Internet Corpus and ParaCrawl); Winnow holds no copy of it. Its files are read
without their package, whose import takes as long as a list does, and once: what words cost is kept in tables.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import overload

from winnow.repair.words.word_table import fingerprints_of, packed, table_of

LATIN_LISTS = (
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "cs", "tr", "ro", "hu", "da", "nb", "fi", "vi", "sk",
    "ca", "sh", "sl", "lt", "lv", "is",
)  # fmt: skip
"""Languages in Latin letters that have a list, those first whose words turn up most."""

_FORMAT = {"format": "cB", "version": 1}


def list_path(language: str) -> Path:
    """The file of a language's list."""
    package = find_spec("wordfreq")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "data" / f"{'large' if language == 'en' else 'small'}_{language}.msgpack.gz"


def word_costs(language: str, most: int | None = None) -> dict[str, int]:
    """Returns each known word's cost in centibels: -100 times the decimal logarithm of its share of all words.

    English comes from the large list (320,000 words to a cost of 799, 0.1 s), the others from the small ones (30,000
    words each, to 599). With `most`, words that cost more are left out; commoner ones stand first, so it saves time.

    >>> word_costs("en")["the"], max(word_costs("de", 200).values())
    (127, 200)
    """
    import msgpack  # most texts need no list

    path = list_path(language)
    costs: dict[str, int] = {}
    with gzip.open(path) as file:
        lists = msgpack.Unpacker(file, read_size=1 << 16)
        count = lists.read_array_header() - 1
        if (header := lists.unpack()) != _FORMAT:
            raise ValueError(f"{path.name}: is not written as word lists of wordfreq are: {header!r}")
        for cost, words in enumerate(islice(lists, count if most is None else most + 1)):
            costs |= dict.fromkeys(words, cost)
    return costs


class WordCosts:
    """What the words of a language cost, as a mapping that is asked word by word: nothing else of its list is loaded.

    As a dictionary the English list takes a quarter of a second and 50 MB in each process.

    >>> english = WordCosts("en")
    >>> english["the"], english.get("teh qick"), "quick" in english
    (127, None, True)
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._is_held = False
        table = table_of(f"costs-{language}", (list_path(language),), lambda: _made(language))
        costs = table.columns.cast("H")

        def cost(word: str) -> int | None:
            at = table.find(word)
            return None if at is None else self.charged(word, costs[at])

        # A text asks for the same words again and again.
        self.find: Callable[[str], int | None] = lru_cache(1 << 16)(cost)
        """What a word costs; None where the list lacks it."""

    def hold(self) -> None:
        """Keeps a dictionary of all words from now on, which pays where whole texts are read."""
        if not self._is_held:
            self._is_held = True
            every = ((word, self.charged(word, cost)) for word, cost in word_costs(self._language).items())
            self.find = {word: cost for word, cost in every if cost is not None}.get

    def charged(self, word: str, cost: int) -> int | None:
        """What a word of the list costs, of which `cost` stands there; None for one that is left out."""
        return cost

    @overload
    def get(self, word: str) -> int | None: ...
    @overload
    def get(self, word: str, unlisted: int) -> int: ...
    def get(self, word: str, unlisted: int | None = None) -> int | None:
        cost = self.find(word)
        return unlisted if cost is None else cost

    def __contains__(self, word: str) -> bool:
        return self.find(word) is not None

    def __getitem__(self, word: str) -> int:
        cost = self.find(word)
        if cost is None:
            raise KeyError(word)
        return cost


def _made(language: str) -> bytes:
    import numpy as np  # once for all processes

    costs = word_costs(language)
    fingerprints = fingerprints_of(costs)
    order = np.argsort(fingerprints)
    return packed(fingerprints[order], [np.fromiter(costs.values(), np.uint16, len(costs))[order]])


@cache  # one for each language
def costs_in(language: str) -> WordCosts:
    """What the words of a language cost in its list."""
    return WordCosts(language)
