"""How frequent words are, from the lists of wordfreq.

The data is by Robyn Speer (code Apache-2.0, data CC BY-SA 4.0 with credit to SUBTLEX, Google Books Ngrams,
OpenSubtitles, Wikipedia, the Leeds Internet Corpus and ParaCrawl); Winnow holds no copy of it. Its files are read
without their package, whose import takes as long as a list does; and only as far as they are needed.
"""

from __future__ import annotations

import gzip
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

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


@cache  # one for each language and bound
def frequent_words(language: str, most: int) -> frozenset[str]:
    """The words of a language that cost no more than `most`."""
    return frozenset(word_costs(language, most))
