"""Bytes that a decoder dropped of Chinese, Japanese and Korean letters, given back by words: ``å¤§å¦`` was ``大学``.

Their letters have three bytes in UTF-8, of which one is often among those that Windows-1252 has no character for, or a
soft hyphen. What is left of a letter would be read with its neighbours as others: it is made whole, or set aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from winnow.repair.encoding.charmaps import charmap
from winnow.repair.encoding.dropped_bytes import CLEARLY, Span
from winnow.repair.encoding.multibyte import share_of_common, simplified
from winnow.repair.words.frequencies import costs_in
from winnow.repair.words.word_index import common_characters

_WINDOWS = charmap("cp1252")
_MISSING = b"\x81\x8d\x8f\x90\x9d\xad"
_REST = "".join(map(re.escape, _WINDOWS.table[0x80:0xC0]))
_WIDE = "\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_SIGN = f"[ã-í][{_REST}]"
# The space was the last byte of a letter, or the one between.
_SPACED = f"{_SIGN} (?={_SIGN}|[{_WIDE}])|[ã-í] [{_REST}]"
_UNIT = re.compile(f"(?P<whole>{_SIGN}[{_REST}])|(?P<left>{_SPACED}|[ã-í][{_REST}]?)|[{_WIDE}]")
_WHOLE = re.compile(f"{_SIGN}[{_REST}]|[{_WIDE}]")
_LEFT = re.compile(f"[ã-í][{_REST}]?(?![{_REST}])")
LEFT_OF_WIDE = rf"[ã-í][{_REST}]?(?:[^{_REST}]|\z)"
"""RE2 expression for what is left of a letter: `lossy_wide_letters` finds nothing where it does not match."""
# Signs of other encodings, of which the same letters are others, controls of Latin-1, and one that says what was lost.
_FOREIGN = re.compile(f"[^\x00-\x7f\xc0-\xff{_REST}\u2e80-\ud7a3\uff01-\uff5e]")
_IS_WIDE = re.compile(f"[{_WIDE}]")
_KANA, _HANGUL = re.compile("[\u3041-\u30ff]"), re.compile("[\uac00-\ud7a3]")
_KANA_LEFT = re.compile(f"ã(?:[^€{_REST}]|[^€](?![{_REST}]))")
_LISTING_COMMA, _BRACKETS = "、", re.compile("ã€[Œ\x8dŽ\x8f\x90‘]|[「」『』【】]")
LONGEST = 4  # letters of a word
SHORTEST = {"zh": 2, "ja": 2, "ko": 3}  # letters of a word that tells, by language
NO_WORD = 700  # centibels for a letter that is no word
MIN_WHOLE = 2  # letters that are whole, of which one may have been decoded rightly
MIN_COMMON = 0.75  # share of these that are common ones of a language


@dataclass(frozen=True, slots=True)
class _Unit:
    """A letter that is whole; or what is left of one, where `letter` is empty."""

    start: int
    end: int
    letter: str


def lossy_wide_letters(line: str) -> list[Span]:
    r"""What is left of the letters of a line that lost bytes, in order; none where hardly a letter is whole.

    >>> [s.whole for s in lossy_wide_letters("å…¬å›æ•£")], lossy_wide_letters("prêt à l’été")
    (['å›\xad'], [])
    """
    if not _WHOLE.search(line) or not _LEFT.search(line) or _FOREIGN.search(line):
        return []
    units = list(_units(line))
    letters = "".join(unit.letter for unit in units)
    misread = sum(unit.end - unit.start == 3 for unit in units)
    if len(letters) < MIN_WHOLE or 3 * len(letters) < len(units):
        return []
    language = "ko" if _HANGUL.search(letters) else "ja" if _KANA.search(letters) or _KANA_LEFT.search(line) else "zh"
    if share_of_common(simplified(letters) if language == "zh" else letters, language) < MIN_COMMON:
        return []
    missing = bytes(byte for byte in _MISSING if misread and chr(byte) not in line)
    return list(_spans(line, units, missing, language))


def _units(line: str) -> Iterator[_Unit]:
    for found in _UNIT.finditer(line):
        letter = _letter(_bytes_of(found[0])) if found["whole"] else "" if found["left"] else found[0]
        if letter or found["left"]:
            yield _Unit(*found.span(), letter)


def _bytes_of(misread: str) -> bytes:
    return bytes(map(_WINDOWS.table.index, misread))


def _letter(raw: bytes) -> str:
    """The wide letter of three bytes; nothing where they are none."""
    letter = raw.decode("utf-8", "ignore")
    return letter if _IS_WIDE.match(letter) else ""


def _spans(line: str, units: Sequence[_Unit], missing: bytes, language: str) -> Iterator[Span]:
    letters = [unit.letter for unit in units]
    plain = language == "zh" and all(simplified(letter) == letter for letter in letters)
    for n, unit in enumerate(units):
        if unit.letter:
            continue
        left = line[unit.start : unit.end]
        before, after = _beside(units, letters, n, -1), _beside(units, letters, n, 1)
        follows, precedes = n > 0 and units[n - 1].end == unit.start, line[unit.end : unit.end + 1]
        told, end = None, unit.end
        if " " in left:
            if language != "ko" and (follows or left[1] != " "):
                told = _spaced(left, missing, before, after, language)
            if told is None:
                left, end = left.partition(" ")[0], unit.start + left.index(" ")
                after = precedes = ""
        if len(left) == 1 and not (follows and precedes > "\x7f"):
            continue
        if told is None:
            may_be = [letter for letter in _letters_of(left, missing) if not plain or simplified(letter) == letter]
            told = _told(may_be, before, after, language, SHORTEST[language] + (len(left) == 1))
        if told is None and left == "ã€" and missing and before and after and not _BRACKETS.search(line):
            told = _LISTING_COMMA
        letters[n] = told or ""
        yield Span(unit.start, end, "".join(_WINDOWS.table[byte] for byte in told.encode()) if told else None)


def _spaced(left: str, missing: bytes, before: str, after: str, language: str) -> str | None:
    """The letter of which a space was a byte, if a common one; None where another lost a byte before that space."""
    letter, common = _letter(_bytes_of(left.replace(" ", "\xa0"))), common_characters(language)
    if letter not in common:
        return None
    in_word = _cost(before + letter + after, len(before), language)[1] >= SHORTEST[language]
    return letter if in_word or common.isdisjoint(_letters_of(left.partition(" ")[0], missing)) else None


def _beside(units: Sequence[_Unit], letters: Sequence[str], n: int, step: int) -> str:
    """The letters that touch a unit on one side, up to the next that is not whole."""
    found = ""
    for _ in range(LONGEST - 1):
        here, n = n, n + step
        if not 0 <= n < len(units) or not letters[n] or units[max(here, n)].start != units[min(here, n)].end:
            break
        found = letters[n] + found if step < 0 else found + letters[n]
    return found


def _letters_of(left: str, missing: bytes) -> list[str]:
    """The letters that may have been there, one or two bytes of which are missing."""
    lead, *known = _bytes_of(left)
    pairs = [(known[0], byte) for byte in missing] + [(byte, known[0]) for byte in missing] if known else []
    pairs = pairs or [(one, two) for one in missing for two in missing]
    return sorted(filter(None, {_letter(bytes((lead, *pair))) for pair in pairs}))


def _told(may_be: Sequence[str], before: str, after: str, language: str, shortest: int) -> str | None:
    """The one letter that reads ten times as well as any other between its neighbours, in a word or as the one in use.

    None where there is none. `shortest` is the least length of a word that tells.
    """
    at = len(before)
    tried = sorted((*_cost(before + letter + after, at, language), letter) for letter in may_be)
    if not tried or (len(tried) > 1 and tried[1][0] - tried[0][0] < CLEARLY):
        return None
    _, length, letter = tried[0]
    in_use = shortest == 2 and length > 0 and common_characters(language).intersection(may_be) == {letter}
    return letter if in_use or length >= shortest else None


def _cost(text: str, at: int, language: str) -> tuple[int, int]:
    """What a text costs in the words that it is cheapest in, and the length of the one that stands `at` a place.

    That is 0 where none does: letters that are no words cost more.
    """
    text = simplified(text) if language == "zh" else text
    known = costs_in(language)
    best = [(0, 0)]
    for end in range(1, len(text) + 1):
        ways = [(best[end - 1][0] + NO_WORD, best[end - 1][1] * (end - 1 != at))]
        for start in range(max(0, end - LONGEST), end):
            if (cost := known.get(text[start:end])) is not None:
                ways.append((best[start][0] + cost, end - start if start <= at < end else best[start][1]))
        best.append(min(ways))
    return best[-1]
