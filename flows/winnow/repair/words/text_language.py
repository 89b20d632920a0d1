"""Which language a text is in, among those whose spacing can be judged.

These are English; and German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Danish, Norwegian, Polish,
Czech and Catalan, in which words are only joined to known words and none is taken apart. Text in other scripts is
left alone by every rule that needs words, and so is longer Latin text with too few of the commonest words of these;
short Latin text whose language cannot be recognised is taken for English.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from winnow.repair.engine.rule import remembered_by_line
from winnow.repair.words.frequencies import LATIN_LISTS, costs_in
from winnow.repair.words.word_index import bits, common_to, known_to

LATIN = "A-Za-zªºÀ-ÖØ-öø-ɏḀ-ỿ"
"""The letters of these languages, without ligatures, for a class of an expression."""

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
# The same where no other letters stand, told apart twice as fast: Latin, Greek, Cyrillic ones, signs.
_LETTERS = "".join(char for char in map(chr, range(0x530)) if char.isalnum() and not char.isdecimal())
_EUROPEAN = re.compile("[\x00-\u052f\u2000-\u206f\u20a0-\u20c0\u2190-\u2426\ufffd]*")
_EUROPEAN_WORD = re.compile(f"[{_LETTERS}]+")
_ASCII_LETTERS = "".join(chr(c) if chr(c).isalpha() else " " for c in range(128))


def language_of(text: str) -> str | None:
    """Returns the language whose commonest words stand in the text most; None where none is recognised.

    Latin text that is too short for that is taken for English.

    >>> language_of("Das ist nicht der richtige Weg"), language_of("Foreword")
    ('de', 'en')
    >>> language_of("Это не тот путь") is None
    True
    """
    return _language_of(text[:SAMPLE_CHARS])


@remembered_by_line  # several rules ask about the same text, one after the other
def _language_of(sample: str) -> str | None:
    words, counts = _count_markers(sample)
    best = max(counts, key=lambda code: counts[code])
    if counts[best] < max(MIN_MARKERS, 2 * counts["en"], len(words) // 10):
        best = "en"
    n_long = sum(map((3).__lt__, map(len, words)))  # short ones may be pieces of words
    if n_long >= MIN_WORDS and counts[best] < MIN_SHARE * n_long:
        return None
    latin = len(words) if sample.isascii() else sum(word[0] < "\u0250" for word in words)
    return best if 2 * latin >= len(words) else None


COMMON_WORD = 450  # centibels
MIN_KNOWN_SHARE = 0.35  # of the letters of damaged English, .5 and more mostly; of other languages, .3 at most
MIN_SHARE_READ = 0.45  # the same once the words are read
MIN_SHARE_OF_NAMES = 0.25  # the same in a text that is full of names
PLAIN_SHARE = 0.6  # with its commonest words, enough not to ask for the other languages
MAX_DISTINCT = 150  # words that are looked up


@lru_cache(maxsize=256)  # several rules ask about the same lines
def known_language(sample: str) -> str | None:
    """The supported language in whose list most of a text stands; None where that is little, or another list has more.

    Unlike `language_of` it takes nothing for English that is not.

    >>> known_language("The cat sat on the mat"), known_language("Das ist nicht der richtige Weg")
    ('en', 'de')
    >>> known_language("Všetci ľudia sa rodia slobodní a sebe rovní"), known_language("Foreword")
    (None, 'en')
    """
    sample = sample[:SAMPLE_CHARS]
    words = list(dict.fromkeys(w for w in _words(sample) if len(w) > 1))[:MAX_DISTINCT]
    n_letters = sum(map(len, words))
    if not n_letters:
        return None
    counts = _count_markers(sample)[1]
    plain = max(counts, key=lambda code: counts[code])
    enough = MIN_MARKERS if plain == "en" else max(MIN_MARKERS, 2 * counts["en"])
    if counts[plain] >= enough and _share(words, plain) >= PLAIN_SHARE:
        return plain
    shares = {code: _share(words, code) for code in LATIN_LISTS}
    best = max(shares, key=lambda code: shares[code])
    # Names and foreign words are in many lists: another language than English must show its commonest words too.
    if best in MARKERS and counts[best] < max(2, 2 * counts["en"]):
        marked = max(MARKERS, key=lambda code: (counts[code], shares[code]))
        best = marked if counts[marked] >= max(2, 2 * counts["en"]) else "en"
    if counts["en"] >= MIN_MARKERS and counts["en"] == max(counts.values()) and shares["en"] >= MIN_SHARE_OF_NAMES:
        return "en"
    return best if best in MARKERS and shares[best] >= MIN_KNOWN_SHARE else None


def _share(words: Sequence[str], language: str) -> float:
    bit = bits(language)
    return sum(len(word) for word in words if known_to(word) & bit) / max(1, sum(map(len, words)))


def is_in(sample: str, language: str) -> bool:
    """Whether the words of a text are mostly of a language; among many names its commonest words have to stand too.

    >>> is_in("He was born in Bu sembatia", "en"), is_in("Boni fa sa nun sran", "en")
    (True, False)
    """
    share = _share([word for word in _words(sample) if len(word) > 2], language)
    if share >= MIN_SHARE_READ:
        return True
    counts = _count_markers(sample)[1]
    return share >= MIN_SHARE_OF_NAMES and counts[language] >= 2 and counts[language] == max(counts.values())


def is_rather_another(line: str, language: str) -> bool:
    """Whether a line has next to none of a language's commonest words, and more that are common in some other.

    >>> is_rather_another("Ich bin so weit", "en"), is_rather_another("com mittee has de cided to meet", "en")
    (True, False)
    """
    every, counts = _count_markers(line[:SAMPLE_CHARS])
    if counts[language] > 1:
        return False
    words = {word for word in every if len(word) > 1}
    found = [common_to(word) for word in words]
    own = bits(language)
    most = max(sum(bool(some & bits(code)) for some in found) for code in LATIN_LISTS)
    return most > 1 + sum(bool(some & own) for some in found)


def language_here(text: str, low: int, high: int, language: str) -> str:
    """The language about ``text[low:high]`` where it is plainly another one than the text's own `language`."""
    counts = _marker_counts(text[max(0, low - 200) : min(high, low + 4000) + 200])
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] >= MIN_MARKERS and counts[best] > 2 * counts[language] else language


def languages_of_line(line: str, language: str) -> list[str]:
    """The languages of which a line has more of the commonest words than of its text's `language`, and two at least.

    >>> languages_of_line("sono circa 5 anni e dato che i nodi sono con la rete", "en")
    ['it']
    """
    counts = _marker_counts(line)
    most = max(2, counts[language] + 1, *counts.values())
    return [code for code, count in counts.items() if count == most]


@remembered_by_line
def _marker_counts(sample: str) -> dict[str, int]:
    return _count_markers(sample)[1]


def is_french(sample: str) -> bool:
    """Whether a sentence may be French, which sets a space before ``: ; ! ?``.

    >>> is_french("Il dit : non ; et alors ?"), is_french("He said : no")
    (True, False)
    """
    counts = _count_markers(sample)[1]
    return counts["fr"] > counts["en"]


def may_be_french(sample: str) -> bool:
    """Whether a few words are as good French as English.

    >>> may_be_french("Attention : travaux"), may_be_french("Table 3 : Results")
    (True, False)
    """
    words = [word for word in _words(sample) if len(word) > 2]
    french, english = (
        sum(costs_in(language).get(word, COMMON_WORD + 1) <= COMMON_WORD for word in words) for language in ("fr", "en")
    )
    more = french - english
    return more > 0 or (more == 0 and len(words) != 1)


def _words(sample: str) -> list[str]:
    """The words of a text in small letters."""
    low = sample.lower()
    if low.isascii():
        return low.translate(_ASCII_LETTERS).split()  # three times as fast
    return (_EUROPEAN_WORD if _EUROPEAN.fullmatch(low) else _WORD).findall(low)


def _count_markers(sample: str) -> tuple[list[str], dict[str, int]]:
    words = _words(sample)
    counts = dict.fromkeys(MARKERS, 0)
    for word, n in Counter([word for word in words if word in _LANGUAGES_OF]).items():
        for code in _LANGUAGES_OF[word]:
            counts[code] += n
    return words, counts
