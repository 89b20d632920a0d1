"""The fingerprint of a passage: 128 bits of XXH3 over the key under which passages are alike.

One table says what each character becomes in a key, for Python strings and for compiled loops alike.
"""

from __future__ import annotations

import unicodedata

import xxhash

from winnow.base.recipe import DeduplicateSettings

TOP = 0x32400  # above stand only unassigned planes, tags, selectors and private use
_DROPPED = frozenset("\u00ad\u034f\u180e\u200b\u200c\u200d\u2060\ufeff") | {chr(c) for c in range(0xFE00, 0xFE10)}

UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF), (0x2E80, 0x2FDF),
    (0x3005, 0x3007), (0x3040, 0x30FF), (0x3100, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF), (0xA9E0, 0xA9FF), (0xAA60, 0xAADF), (0xF900, 0xFAFF), (0xFF66, 0xFF9D), (0x1B000, 0x1B16F),
    (0x20000, TOP - 1),
)  # fmt: skip
"""First and last code points of scripts written without spaces, in which every character counts as a word: Thai, Lao,
Myanmar, Khmer, Tai, and Han with kana and bopomofo. Hangul and Tibetan words are set apart."""


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


class _FoldTable(dict[int, str]):
    """A table for `str.translate` that works out each character when it first meets it."""

    def __init__(self, fold_digits: bool) -> None:
        super().__init__()
        self.fold_digits = fold_digits

    def __missing__(self, code: int) -> str:
        value = self[code] = folded(chr(code), self.fold_digits)
        return value


_FOLDED = _FoldTable(False), _FoldTable(True)  # they only remember what `folded` says


def key_of(text: str, fold_digits: bool = False) -> bytes:
    """The UTF-8 key under which passages are alike; empty where a text has no letter, digit or symbol.

    >>> key_of("“It’s  NOT\\nrandom.”").decode(), key_of("— … —")
    ('it s not random', b'')
    """
    return " ".join(text.translate(_FOLDED[fold_digits]).split()).encode("utf-8", "surrogatepass")


def fingerprint(text: str, settings: DeduplicateSettings) -> bytes:
    """16 bytes that are alike for passages that differ in case, spacing and punctuation only.

    A passage of punctuation alone has no key; its raw text is hashed instead, so that ``***`` is not ``---``.
    XXH3-128: https://github.com/Cyan4973/xxHash.

    >>> s = DeduplicateSettings()
    >>> fingerprint("Don’t panic!", s) == fingerprint("don't  PANIC", s)
    True
    >>> fingerprint("Он ушёл.", s) == fingerprint("Она пришла.", s), fingerprint("***", s) == fingerprint("---", s)
    (False, False)
    """
    key = key_of(text, settings.fold_digits) or b"\0" + text.encode("utf-8", "surrogatepass")
    return xxhash.xxh3_128_digest(key)
