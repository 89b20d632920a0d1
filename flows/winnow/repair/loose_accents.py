"""Accents that PDF text sets beside their letters: `aoˆut`, `G¨odel`, `Schr ¨odinger`, `Universite´`.

Fonts without accented letters draw an accent and a letter, and programs write down both, most of them the accent first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from winnow.repair.encoding.plausible import is_word
from winnow.repair.engine.rule import Change, Evidence, Rule

_GRAVE, _ACUTE, _CIRCUMFLEX, _TILDE, _MACRON, _DIAERESIS = "\u0300", "\u0301", "\u0302", "\u0303", "\u0304", "\u0308"
_MARKS = {
    "`": _GRAVE, "ˋ": _GRAVE, "´": _ACUTE, "ˊ": _ACUTE, "ˆ": _CIRCUMFLEX, "˜": _TILDE, "¯": _MACRON, "¨": _DIAERESIS,
    "˘": "\u0306", "˙": "\u0307", "˚": "\u030a", "˝": "\u030b", "ˇ": "\u030c", "¸": "\u0327", "˛": "\u0328",
}  # fmt: skip
_COMBINING = frozenset(_MARKS.values())
_ACCENT = re.compile(f"[{''.join(_MARKS)}{''.join(sorted(_COMBINING))}]")
_APOSTROPHES = frozenset("`´")  # are typed for an apostrophe and for quotes, and ask for more proof
_AS_APOSTROPHE = re.compile(r"(?<=[A-Za-z])[`´](?=[A-Za-zı])")
# Signs of Latin-1 that are last bytes of these letters in UTF-8, of which the first was dropped: `na¯ve`, `Bj¸rn`.
_OF_LETTERS = {ord(sign): chr(ord(sign) + 0x40) for sign in "¨¯´¸"}
_LIGATURES = frozenset("˘˙˚˝˜˛")  # stand for ligatures and other signs of some fonts too: `di˙erent`, `a˚er`
_LETTERS = re.compile(r"[A-Za-z\u00c0-\u024f]{0,30}")
_PIECE = re.compile(rf"(?:[A-Za-z\u00c0-\u024f]{{0,30}}{_ACCENT.pattern}){{0,8}}[A-Za-z\u00c0-\u024f]{{0,30}}")
_BESIDE = re.compile(r"[\x00-\x7f’‘“«–—]")  # others before an accent are what is left of a wrong decoding
_CODE_SPAN_ENDS = re.compile(r"`(?![A-Za-z\u00c0-\u024f])")
LATIN_END = "\u0180"  # letters of Vietnamese and of transliteration, beyond it, are seldom meant
CODE_SPAN = 200  # characters within which what looks like a grave accent may open a piece of code
ENOUGH = 4  # letters; shorter words are known to some language by chance


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a stretch of a text reads as: ``sure`` by itself, or only where others in the text are read the same way."""

    start: int
    end: int
    after: str
    accent_first: bool
    sure: bool
    proves: bool


def set_loose_accents(text: str, evidence: Evidence) -> Iterator[Change]:
    """Set accents on the letters they stand beside, where that makes a word, or where nothing else can be meant.

    Left alone: accents for apostrophes and quotes, in formulas, code and lists of signs.

    >>> LOOSE_ACCENTS("10 aoˆut, by G¨odel and Schr ¨odinger"), LOOSE_ACCENTS("it´s l´avion, ¨quoted¨, `code` and xˆy")
    ('10 août, by Gödel and Schrödinger', 'it´s l´avion, ¨quoted¨, `code` and xˆy')
    """
    found = list(_readings(text))
    proven = {reading.accent_first for reading in found if reading.proves}
    counts = [_n_apostrophes(text[reading.start : reading.end]) for reading in found if reading.proves]
    # others stand beside them, or most of them are accents
    accents = 0 in counts or 2 * sum(counts) >= len(_AS_APOSTROPHE.findall(text))
    for reading in found:
        if not accents and _n_apostrophes(text[reading.start : reading.end]):
            continue
        if reading.sure or proven == {reading.accent_first}:
            yield Change(reading.start, reading.end, reading.after, 0.9 if reading.proves else 0.7)


def _n_apostrophes(text: str) -> int:
    """How many accents stand in a text that are typed for apostrophes elsewhere."""
    return sum(map(text.count, _APOSTROPHES))


def _readings(text: str) -> Iterator[_Reading]:
    done = 0
    for accent in _ACCENT.finditer(text):
        at = accent.start()
        if at < done or (accent[0] in _COMBINING and _is_set(text, at)) or not _BESIDE.match(text, max(0, at - 1)):
            continue
        before = _LETTERS.match(text[max(0, at - 30) : at][::-1])
        piece = _PIECE.match(text, at)
        assert before is not None and piece is not None
        start, done = max(at - len(before[0]), done), piece.end()
        if reading := _read(text, start, done):
            done = max(done, reading.end)
            yield reading


def _is_set(text: str, at: int) -> bool:
    """Whether a combining mark stands on a letter that it makes another letter with, or on another mark."""
    base = text[at - 1 : at]
    return at > 0 and (unicodedata.combining(base) > 0 or (base.isalpha() and _compose(base, text[at]) is not None))


@lru_cache(maxsize=4096)
def _compose(letter: str, mark: str) -> str | None:
    """The one letter that a letter and a mark are, if a common one; a dotless i is one that waits for its accent."""
    both = unicodedata.normalize("NFC", letter.replace("ı", "i") + mark)
    return both if len(both) == 1 and both < LATIN_END else None


@lru_cache(maxsize=4096)
def _set(piece: str, accent_first: bool) -> str | None:
    """The piece with each accent on the letter behind it, or before it; None where there is none that takes it."""
    out: list[str] = []
    waiting = ""
    for char in piece if accent_first else reversed(piece):
        mark = _MARKS.get(char, char if char in _COMBINING else "")
        if mark and waiting:
            return None
        if waiting:
            both = _compose(char, waiting)
            if both is None:
                return None
            out.append(both)
        elif not mark:
            out.append(char)
        waiting = mark
    return None if waiting else "".join(out if accent_first else reversed(out))


def _is_known(word: str | None, common: bool = False) -> bool:
    return word is not None and (len(word) > 1 or word in "àÀ") and is_word(word, common)


def _read(text: str, start: int, end: int) -> _Reading | None:
    """What ``text[start:end]``, letters and accents, reads as; with what a space parts from it where that is due."""
    piece = text[start:end]
    if "`" in piece and _CODE_SPAN_ENDS.search(text, start, end + CODE_SPAN):
        return None
    quoting = not _APOSTROPHES.isdisjoint(piece)
    if joined := _read_over_spaces(text, start, end, quoting):
        return joined
    if _is_known(piece.translate(_OF_LETTERS)):
        return None
    ways = [(made, first) for first in (True, False) if (made := _set(piece, first)) is not None]
    inside = _ACCENT.match(piece[-1]) is None and (
        _ACCENT.match(piece) is None or text[start - 1 : start] in ("'", "’")
    )
    for made, accent_first in ways:
        if _is_known(made):
            plain = not quoting or len(_ACCENT.findall(piece)) > 1 or _is_known(made, common=True)
            proves = inside and plain and len(made) >= ENOUGH
            return _Reading(start, end, made, accent_first, proves, proves)
    if len(ways) != 1 or len(ways[0][0]) < ENOUGH or not _LIGATURES.isdisjoint(piece):
        return None
    made, accent_first = ways[0]
    plain = not quoting and _COMBINING.isdisjoint(piece)
    # A sign behind a letter may stand for another letter: `ge¯ntegreerde` was misread.
    return _Reading(start, end, made, accent_first, inside and plain and accent_first, False)


def _read_over_spaces(text: str, start: int, end: int, quoting: bool) -> _Reading | None:
    """The same where a space stands between the accent and its letter, or between the accent and the letters before."""
    piece = text[start:end]
    left = right = ""
    if start > 1 and text[start - 1] == " " and _ACCENT.match(piece):
        left = _LETTERS.match(text[max(0, start - 31) : start - 1][::-1])[0][::-1]  # type: ignore[index]
    if text[end : end + 1] == " " and _ACCENT.match(piece[-1]):
        right = _LETTERS.match(text, end + 1)[0]  # type: ignore[index]
    for first, second in ((left, right), (left, ""), ("", right if len(piece) > 1 else "")):
        made = _set(piece + second, True)
        if made is None or not (first or second):
            continue
        known = _is_known(first + made)
        apart = _is_known(first) and len(made) > 2 and _is_known(made) if first else _is_known(_set(piece, False))
        plain = not quoting and _LIGATURES.isdisjoint(piece)
        odd = plain and not (_is_known(first) or _is_known(second) or _is_known(made) or _set(piece, False))
        if (known or odd) and not apart and len(first + made) >= ENOUGH:
            begin = start - bool(first)
            return _Reading(begin, end + len(second) + bool(second), made, True, True, known)
    return None


_OTHERS = "".join(_MARKS).replace("`", "")
LOOSE_ACCENTS = Rule(
    "loose_accents",
    2,
    set_loose_accents,
    # backticks alone are of code and quotes
    rf"[{_OTHERS}] ?[A-Za-zı]|[A-Za-z][{_OTHERS}]|[A-Za-z ][\x{{300}}-\x{{328}}][A-Za-zı]",
)
