"""What each character becomes when passages are compared: one table for Python strings and for compiled loops alike."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

TOP = 0x32400  # above stand only unassigned planes, tags, selectors and private use
_DROPPED = frozenset("\u00ad\u034f\u180e\u200b\u200c\u200d\u2060\ufeff") | {chr(c) for c in range(0xFE00, 0xFE10)}


def folded(char: str, fold_digits: bool = False) -> str:
    """What `char` becomes in a key: itself in lower case and compatibility form, a space, or nothing.

    Letters, digits, combining marks and symbols stay, in every script; punctuation and white space become a space;
    soft hyphens, joiners and variation selectors vanish.

    >>> [folded(c) for c in ("A", "ﬁ", "é", "!", "я", "ि", "+", "\\u00ad")]
    ['a', 'fi', 'e\u0301', ' ', 'я', 'ि', '+', '']
    >>> folded("7", fold_digits=True)
    '0'
    """
    if char in _DROPPED or ord(char) >= TOP:
        return "" if char in _DROPPED or 0xE0000 <= ord(char) < 0xE1000 else char
    out = []
    for c in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold()):
        category = unicodedata.category(c)
        if category == "Nd":
            out.append("0" if fold_digits else str(unicodedata.digit(c)))
        elif category[0] in "LNM" or category in ("Sm", "Sc", "So", "Co", "Cn"):
            out.append(c)
        elif category != "Cf":
            out.append(" ")
    return "".join(out)


class FoldTable(dict[int, str]):
    """A table for `str.translate` that works out each character when it first meets it."""

    def __init__(self, fold_digits: bool) -> None:
        super().__init__()
        self.fold_digits = fold_digits

    def __missing__(self, code: int) -> str:
        value = self[code] = folded(chr(code), self.fold_digits)
        return value


@lru_cache(maxsize=2)
def fold_table(fold_digits: bool) -> FoldTable:
    """The table of one setting; it only remembers what `folded` says, so sharing it changes no result."""
    return FoldTable(fold_digits)


@lru_cache(maxsize=2)
def _ascii_table(fold_digits: bool) -> bytes:
    return bytes(ord(folded(chr(c), fold_digits)) if c < 128 else 32 for c in range(256))


def key_of(text: str, fold_digits: bool = False) -> bytes:
    """The UTF-8 key under which passages are alike; empty where a text has no letter, digit or symbol.

    >>> key_of("“It’s  NOT\\nrandom.”").decode(), key_of("— … —")
    ('it s not random', b'')
    """
    if text.isascii():
        return b" ".join(text.encode().translate(_ascii_table(fold_digits)).split())
    return " ".join(text.translate(fold_table(fold_digits)).split()).encode("utf-8", "surrogatepass")
