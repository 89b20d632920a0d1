"""Which language a text is in: the script decides where it can, letter statistics among its languages where not."""

from __future__ import annotations

import unicodedata

import numpy as np

MIN_LETTERS = 20  # in fewer there is no language to tell, only words
PART_CHARS = 4_000  # read at the beginning, in the middle and at the end of a long text
_HAN_WEIGHT = 3  # a Chinese word is two characters, a Latin one five or six letters

_LATIN = tuple(
    "af az br ca cs cy da de en eo es et eu fi fo fr fy ga gd gl ha hr hu id io is it jv ku la lb lt lv mg mt nl no pl "
    "pt rm ro sc sk sl so sq sr sv sw tk tl tr uz vi vo".split()
)
_SCRIPTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("latin", "A-Za-zÀ-ɏḀ-ỿ", _LATIN),
    ("cyrillic", "Ѐ-ԯ", ("ba", "be", "bg", "ce", "cv", "kk", "ky", "mk", "mn", "ru", "sr", "tg", "tt", "uk")),
    ("greek", "Ͱ-Ͽἀ-῿", ("el",)),
    ("arabic", "؀-ۿݐ-ݿﭐ-﷿ﹰ-ﻼ", ("ar", "fa", "ps", "sd", "ug", "ur")),
    ("hebrew", "֐-׿", ("he", "yi")),
    ("devanagari", "ऀ-ॿ", ("hi", "mr", "ne", "sa")),
    ("bengali", "ঀ-৿", ("as", "bn")),
    ("kana", "ぁ-ヿｦ-ﾟ", ("ja",)),
    ("hangul", "가-힣ᄀ-ᇿㄱ-ㆎ", ("ko",)),
    ("han", "一-鿿㐀-䶿", ("zh",)),
    ("thai", "฀-๿", ("th",)),
    ("armenian", "԰-֏", ("hy",)),
    ("georgian", "Ⴀ-ჿ", ("ka",)),
    ("tamil", "஀-௿", ("ta",)),
    ("telugu", "ఀ-౿", ("te",)),
    ("kannada", "ಀ-೿", ("kn",)),
    ("malayalam", "ഀ-ൿ", ("ml",)),
    ("gujarati", "઀-૿", ("gu",)),
    ("gurmukhi", "਀-੿", ("pa",)),
    ("oriya", "଀-୿", ("or",)),
    ("sinhala", "඀-෿", ("si",)),
    ("burmese", "က-႟", ("my",)),
    ("khmer", "ក-៿", ("km",)),
    ("tibetan", "ༀ-࿿", ("bo",)),
    ("thaana", "ހ-޿", ("dv",)),
)  # fmt: skip
_NAMES = ("none", *(name for name, _, _ in _SCRIPTS))
_LANGUAGES = {name: languages for name, _, languages in _SCRIPTS}


def _table() -> np.ndarray:
    """The script's number for each character of the basic plane; 0 for what is no letter."""
    table = np.zeros(1 << 16, np.uint8)
    for number, (_, ranges, _) in enumerate(_SCRIPTS, 1):
        at = 0
        while at < len(ranges):
            is_range = ranges[at + 1 : at + 2] == "-"
            table[ord(ranges[at]) : ord(ranges[at + 2 if is_range else at]) + 1] = number
            at += 3 if is_range else 1
    table[[0xD7, 0xF7]] = 0  # the signs for times and divided by stand among the Latin letters
    return table


_TABLE = _table()
_WEIGHTS = np.array([0, *(_HAN_WEIGHT if n in ("han", "kana", "hangul") else 1 for n, _, _ in _SCRIPTS)], float)


def guess_language(text: str) -> tuple[str | None, float | None]:
    """ISO 639-1 code of the language that most of `text` is in, and how sure that is, 0 to 1; None, None if too short.

    The confidence is the share of the main script, times, for scripts of several languages, how near the text is to
    the language's profile and how far the next one is. Of long texts about 12,000 characters are read.

    >>> guess_language("Das ist ein kurzer Satz, der in deutscher Sprache geschrieben wurde.")[0]
    'de'
    >>> guess_language("これは日本語の文章です。漢字とかなが混ざっています。")[0]
    'ja'
    >>> guess_language("42")
    (None, None)
    """
    from resiliparse.parse.lang import detect_fast

    sample = unicodedata.normalize("NFC", _sample(text))
    codes = np.frombuffer(sample.encode("utf-32-le", "replace"), np.uint32).copy()
    codes[codes > 0xFFFF] = 0
    scripts = _TABLE[codes]
    script, share = _main_script(np.bincount(scripts, minlength=len(_NAMES)) * _WEIGHTS)
    if script is None:
        return None, None
    languages = _LANGUAGES[script]
    if len(languages) == 1:
        return languages[0], round(share, 3)
    # Other scripts' letters would count against every language of this one; marks between words change nothing.
    codes[(scripts != _NAMES.index(script))] = ord(" ")
    words = " ".join(codes.tobytes().decode("utf-32-le").lower().split())
    ranks: list[tuple[str, int]] = detect_fast(words, cutoff=2000, n_results=2, langs=list(languages))  # type: ignore[assignment]
    if not ranks:
        return None, None
    best, distance = ranks[0]
    lead = min(1.0, (ranks[1][1] - distance) / 100) if len(ranks) > 1 else 1.0
    nearness = min(1.0, max(0.0, (1000 - distance) / 600))
    return best, round(share * nearness * (0.5 + 0.5 * lead), 3)


def _main_script(weight: np.ndarray) -> tuple[str | None, float]:
    """The script most words are in; kana and Han together are Japanese where kana are not just a name or two."""
    total = float(weight.sum())
    if total < MIN_LETTERS:
        return None, 0.0
    han = _NAMES.index("han")
    for script in ("kana", "hangul"):
        number = _NAMES.index(script)
        if weight[number] > 0.1 * weight[han]:
            weight[number] += weight[han]
            weight[han] = 0
    best = int(weight.argmax())
    return _NAMES[best], float(weight[best]) / total


def _sample(text: str) -> str:
    if len(text) <= 3 * PART_CHARS:
        return text
    middle = (len(text) - PART_CHARS) // 2
    return "\n".join((text[:PART_CHARS], text[middle : middle + PART_CHARS], text[-PART_CHARS:]))
