"""Which language a text is in: the script decides where it can, CLD2 among its languages where not.

Of the detectors that ship their model CLD2 is the best by far on short lines and small languages, and takes about as
long as the others but resiliparse's (tests/benchmarks/language_quality.py). Where it finds none, resiliparse's letter
statistics guess. Codes are BCP 47's shortest: ``no``, ``zh``, ``haw``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

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


# What CLD2 calls otherwise than BCP 47 does, and what of it is no language.
_CODES = {"iw": "he", "jw": "jv", "zh-Hant": "zh", "in": "id"}
_NO_LANGUAGE = ("un", "xx", "zz", "tlh")
_TABLE = _table()
_SPACE = np.uint16(ord(" "))
_BEYOND_BASIC = re.compile("[\U00010000-\U0010ffff]")
_ASCII_LETTERS = "".join(chr(c) if chr(c).isalpha() else " " for c in range(128))
_WEIGHTS = np.array([0, *(_HAN_WEIGHT if n in ("han", "kana", "hangul") else 1 for n, _, _ in _SCRIPTS)], float)


def guess_language(text: str) -> tuple[str | None, float | None]:
    """BCP 47 code of the language that most of `text` is in, and how sure that is, 0 to 1; None, None if too short.

    The confidence is the share of the main script, times, for scripts of several languages, the share of its words that
    are in the language, halved where CLD2 calls that unreliable. Of long texts about 12,000 characters are read.

    >>> guess_language("Das ist ein kurzer Satz, der in deutscher Sprache geschrieben wurde.")[0]
    'de'
    >>> guess_language("これは日本語の文章です。漢字とかなが混ざっています。")[0]
    'ja'
    >>> guess_language("42")
    (None, None)
    """
    sample = _sample(text)
    if sample.isascii():  # as below, without a look at each character
        words = sample.translate(_ASCII_LETTERS)
        if len(words) - words.count(" ") < MIN_LETTERS:
            return None, None
        language, confidence = _by_cld2(words) or _by_letters(words, _LATIN)
        return language, None if confidence is None else round(confidence, 3)
    sample = unicodedata.normalize("NFC", sample)
    raw = sample.encode("utf-16-le", "replace")
    if len(raw) > 2 * len(sample):  # there are no letters of a script beyond the basic plane
        raw = _BEYOND_BASIC.sub(" ", sample).encode("utf-16-le", "replace")
    codes = np.frombuffer(raw, np.uint16)
    scripts = _TABLE.take(codes)
    script, share = _main_script(np.bincount(scripts, minlength=len(_NAMES)) * _WEIGHTS)
    if script is None:
        return None, None
    languages = _LANGUAGES[script]
    if len(languages) == 1:
        return languages[0], round(share, 3)
    # Other scripts' letters would count against every language of this one; marks and spaces change nothing for CLD2.
    words = str(np.where(scripts == _NAMES.index(script), codes, _SPACE).tobytes(), "utf-16-le")
    language, confidence = _by_cld2(words) or _by_letters(words, languages)
    return language, None if confidence is None else round(share * confidence, 3)


def _by_cld2(words: str) -> tuple[str, float] | None:
    import pycld2

    try:
        is_reliable, _, found = pycld2.detect(words, isPlainText=True, bestEffort=True)
    except pycld2.error:  # characters of a later Unicode
        return None
    _, code, percent, _ = found[0]
    if code.startswith(_NO_LANGUAGE) or not percent:
        return None
    return _CODES.get(code, code), percent / 100 * (1.0 if is_reliable else 0.5)


def _by_letters(words: str, languages: tuple[str, ...]) -> tuple[str | None, float | None]:
    from resiliparse.parse.lang import detect_fast

    words = " ".join(words.lower().split())
    ranks: list[tuple[str, int]] = detect_fast(words, cutoff=2000, n_results=2, langs=list(languages))  # type: ignore[assignment]
    if not ranks:
        return None, None
    best, distance = ranks[0]
    lead = min(1.0, (ranks[1][1] - distance) / 100) if len(ranks) > 1 else 1.0
    nearness = min(1.0, max(0.0, (1000 - distance) / 600))
    return best, nearness * (0.5 + 0.5 * lead)


def is_among(language: str | None, ranges: Sequence[str]) -> bool:
    """Whether a language is one of those named, by RFC 4647's basic filtering: ``sr`` takes in ``sr-ME``.

    >>> is_among("de", ["de", "fr"]), is_among("sr-ME", ["SR"]), is_among("haw", ["ha"]), is_among(None, ["de"])
    (True, True, False, False)
    """
    return language is not None and any(f"{language}-".lower().startswith(f"{wanted}-".lower()) for wanted in ranges)


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
