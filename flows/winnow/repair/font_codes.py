"""Codes of a font that PDF programs write where it does not say what they stand for: `(cid:55)`, `7KLV`.

Most such fonts number their signs in the order of ASCII, and the space is 3: each code is 29 less than the character,
in some 31 less. What they stand for shows where it makes words.
"""

from __future__ import annotations

import re

from winnow.repair.encoding.plausible import is_word
from winnow.repair.engine.rule import Change, Evidence, Rule

_CODES = re.compile(r"(?:\(cid:\d{1,4}\)){2,}")
_CODE = re.compile(r"\(cid:(\d{1,4})\)")
# A line of codes written as characters: the spaces are U+0003, and no plain space stands in it.
_LINE = re.compile(r"[\x03-\x09\x0b\x0c\x0e-\x1f!-\x7e]{2,2000}")
_WORD = re.compile(r"[A-Za-z]{3,30}")  # shorter ones come about by chance
SHIFTS = (29, 31)
MIN_LETTERS = 8  # of known words; fewer come about by chance
KNOWN_SHARE = 0.7  # of the letters


def _reads(text: str) -> bool:
    """Whether what codes stand for is mostly known words."""
    words = _WORD.findall(text)
    known = sum(len(word) for word in words if is_word(word))
    return known >= MIN_LETTERS and known >= KNOWN_SHARE * sum(map(len, words))


def _shifted(codes: list[int], shift: int) -> str | None:
    """What codes stand for; None where one stands for no sign of ASCII."""
    return "".join(chr(c + shift) for c in codes) if all(32 <= c + shift < 127 for c in codes) else None


def _shift_of(pieces: list[list[int]]) -> int | None:
    """How far the codes in the pieces of a text are from the characters that make words of them."""
    for shift in SHIFTS:
        if _reads(" ".join(filter(None, (_shifted(piece, shift) for piece in pieces)))):
            return shift
    return None


def read_font_codes(text: str, evidence: Evidence) -> list[Change]:
    r"""Read the codes of a font as what they stand for, in a text in which that makes words.

    Left alone: single codes, and such as make no words.

    >>> FONT_CODES("".join(f"(cid:{ord(c) - 29})" for c in "This was written") + " (cid:7)")
    'This was written (cid:7)'
    >>> FONT_CODES("7KLV\x03ZDV\x03ZULWWHQ"), FONT_CODES("7KLV is di(cid:27)erent")
    ('This was written', '7KLV is di(cid:27)erent')
    """
    codes = [(m, list(map(int, _CODE.findall(m[0])))) for m in _CODES.finditer(text)]
    signs = [(m, list(map(ord, m[0]))) for m in _LINE.finditer(text) if "\x03" in m[0]] if "\x03" in text else []
    changes: list[Change] = []
    for pieces in (codes, signs):
        shift = _shift_of([piece for _, piece in pieces])
        for found, piece in pieces if shift else ():
            if (after := _shifted(piece, shift or 0)) is not None:
                changes.append(Change(found.start(), found.end(), after, 0.9))
    return sorted(changes)


FONT_CODES = Rule("font_codes", 1, read_font_codes, r"\(cid:\d+\)\(cid:|\x03")
