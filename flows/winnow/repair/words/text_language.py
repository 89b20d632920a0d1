"""Which language a text is in, among those whose spacing can be judged.

These are English; and German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Danish, Norwegian, Polish,
Czech and Catalan, in which words are only joined to known words and none is taken apart. Text in other scripts is
left alone by every rule that needs words, and so is longer Latin text with too few of the commonest words of these;
short Latin text whose language cannot be recognised is taken for English.
"""

from __future__ import annotations

import re
from functools import lru_cache

LATIN = "A-Za-zªºÀ-ÖØ-öø-ɏḀ-ỿﬀ-ﬆ"
"""The letters of these languages, for a class of an expression."""

# Words that are among the commonest of a language; a handful of them tells it within a sentence or two.
# Single letters are left out: where spacing is damaged they are pieces of words.
MARKERS = {
    "en": "the of and to is that for it was with as on are this be by from have not",
    "de": "der die und das ist nicht ein eine mit den zu von auf sich für dem auch als",
    "fr": "le la les et des est une dans que pour pas qui du sur au plus avec il",
    "es": "el la los que en las del se por una con para no es su al lo",
    "it": "il di che la non un per una del sono con della gli le si nel",
    "pt": "que do da em um para não uma os com no na se por mais ao",
    "nl": "de het een van en dat is niet op te voor zijn met die aan er ook bij",
    "sv": "och att det som en på är av för med den till inte ett har om de jag",
    "da": "og at det er en af på til den for ikke med de et jeg har som der",
    "nb": "og det er en på til som av for ikke med de et jeg har at fra",
    "pl": "na się nie do to że jest jak za po od przez są dla",
    "cs": "se na je že do to pro jsem by jako ale",
    "ca": "el la de que en els les del per un amb una és no al ha",
}

_LANGUAGES_OF: dict[str, list[str]] = {}
for _code, _markers in MARKERS.items():
    for _marker in set(_markers.split()):
        _LANGUAGES_OF.setdefault(_marker, []).append(_code)

SAMPLE_CHARS = 20_000  # enough for thousands of words; the rest of a text rarely changes its language
MIN_MARKERS = 3  # and twice as many as English ones, for pieces of English words look like any language's
MIN_WORDS = 25  # from here on a language shows, or the text is in one that is not supported
MIN_SHARE = 0.05
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str | None:
    """Returns the language whose commonest words stand in the text most; None where none is recognised.

    Latin text that is too short for that is taken for English.

    >>> language_of("Das ist nicht der richtige Weg"), language_of("Foreword")
    ('de', 'en')
    >>> language_of("Это не тот путь") is None
    True
    """
    return _language_of(text[:SAMPLE_CHARS])


@lru_cache(maxsize=16)  # several rules ask about the same text, one after the other
def _language_of(sample: str) -> str | None:
    words, counts = _count_markers(sample)
    best = max(counts, key=lambda code: counts[code])
    if counts[best] < max(MIN_MARKERS, 2 * counts["en"], len(words) // 10):
        best = "en"
    n_long = sum(len(word) > 3 for word in words)  # short ones may be pieces of words
    if n_long >= MIN_WORDS and counts[best] < MIN_SHARE * n_long:
        return None
    latin = sum(word[0] < "\u0250" for word in words)
    return best if 2 * latin >= len(words) else None


def language_here(text: str, low: int, high: int, language: str) -> str:
    """The language about ``text[low:high]`` where it is plainly another one than the text's own `language`."""
    _, counts = _count_markers(text[max(0, low - 200) : min(high, low + 4000) + 200])
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] >= MIN_MARKERS and counts[best] > 2 * counts[language] else language


def is_french(sample: str) -> bool:
    """Whether a sentence may be French, which sets a space before ``: ; ! ?``.

    >>> is_french("Il dit : non ; et alors ?"), is_french("He said : no")
    (True, False)
    """
    counts = _count_markers(sample)[1]
    return counts["fr"] > counts["en"]


def _count_markers(sample: str) -> tuple[list[str], dict[str, int]]:
    words = _WORD.findall(sample.lower())
    counts = dict.fromkeys(MARKERS, 0)
    for word in words:
        for code in _LANGUAGES_OF.get(word, ()):
            counts[code] += 1
    return words, counts
