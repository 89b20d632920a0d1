"""The fingerprint of a passage: 128 bits of XXH3 over the key under which passages are alike."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from itertools import chain
from threading import Lock

import numpy as np
import xxhash
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.passages.utf8_texts import Offsets, portions
from winnow.deduplicate.sorted_rows import ranges

_AT_ONCE = 150_000  # characters that are folded at once, so that the arrays made of them stay in the processor's cache
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


_ASCII = [
    bytes(ord(folded(chr(c), fold_digits)) if 0 < c < 128 else c for c in range(256)) for fold_digits in (False, True)
]


class _Folds:
    """What characters beyond ASCII become in a key, in UTF-8; each is worked out when it is first met."""

    def __init__(self, fold_digits: bool) -> None:
        self._fold_digits = fold_digits
        self._folded = bytearray()  # of all that were met, end to end
        self._starts = np.zeros(sys.maxunicode + 1, np.uint32)  # by code point
        self._sizes = np.zeros(sys.maxunicode + 1, np.uint8)  # plus 1; 0 of what was not met
        self._meeting = Lock()

    def of(self, codes: NDArray[np.uint32]) -> tuple[NDArray[np.uint8], Offsets]:
        """What the characters become, end to end, and how many bytes each."""
        with self._meeting:
            for code in np.unique(codes[self._sizes[codes] == 0]).tolist():
                value = folded(chr(code), self._fold_digits).encode("utf-8", "surrogatepass")
                self._starts[code], self._sizes[code] = len(self._folded), len(value) + 1
                self._folded += value
            known = np.frombuffer(bytes(self._folded), np.uint8)
        starts, sizes = self._starts[codes].astype(np.int64), self._sizes[codes].astype(np.int64) - 1
        return known[ranges(starts, starts + sizes)], sizes


_FOLDS = _Folds(False), _Folds(True)  # they only remember what `folded` says


def _code_points(data: NDArray[np.uint8], starts: Offsets) -> tuple[NDArray[np.uint32], Offsets]:
    """The characters beyond ASCII that start at these places of some UTF-8, and how many bytes each has."""
    first = data[starts]
    sizes = 2 + (first >= 0xE0).astype(np.int64) + (first >= 0xF0)
    codes = (first & np.where(sizes == 2, 0x1F, np.where(sizes == 3, 0x0F, 0x07)).astype(np.uint8)).astype(np.uint32)
    for n in range(1, 4):
        has = sizes > n
        codes[has] = codes[has] << np.uint32(6) | (data[starts[has] + n] & 0x3F)
    return codes, sizes


def _folded_beyond_ascii(data: NDArray[np.uint8], folds: _Folds) -> NDArray[np.uint8]:
    """Some UTF-8 with each character beyond ASCII folded."""
    is_ascii = data < 0x80
    starts = np.flatnonzero(data >= 0xC0)
    if not len(starts):
        return data
    codes, sizes = _code_points(data, starts)
    values, new_sizes = folds.of(codes)
    grown = np.cumsum(new_sizes - sizes)
    out = np.empty(len(data) + int(grown[-1]), np.uint8)
    at = starts + grown - new_sizes + sizes  # where each goes
    beyond = np.zeros(len(out), np.bool_)
    beyond[ranges(at, at + new_sizes)] = True
    out[beyond], out[~beyond] = values, data[is_ascii]
    return out


def keys_of(texts: Sequence[str], fold_digits: bool = False) -> list[bytes]:
    """The UTF-8 key of each text under which passages are alike; empty where it has no letter, digit or symbol.

    Many at once, for one pass over many texts costs little more than one over each.

    >>> [key.decode() for key in keys_of(["“It’s  NOT\\nrandom.”", "— … —"])]
    ['it s not random', '']
    """
    offsets = np.cumsum([0, *map(len, texts)])
    return list(chain.from_iterable(_keys(texts[a:b], fold_digits) for a, b in portions(offsets, _AT_ONCE)))


def _keys(texts: Sequence[str], fold_digits: bool) -> list[bytes]:
    together = "\0".join(["", *texts, ""])
    if together.count("\0") > len(texts) + 1:
        together = "\0".join(["", *(text.replace("\0", " ") for text in texts), ""])
    ascii_folded = together.encode("utf-8", "surrogatepass").translate(_ASCII[fold_digits])
    data = _folded_beyond_ascii(np.frombuffer(ascii_folded, np.uint8), _FOLDS[fold_digits])
    # Of spaces in a row the last stays, none at the end of a text, and none at its beginning.
    kept = data[:-1][(data[:-1] != 0x20) | (data[1:] > 0x20)]
    return list(map(bytes.lstrip, kept.tobytes().split(b"\0")[1:]))


def fingerprints(texts: Sequence[str], settings: DeduplicateSettings) -> list[bytes]:
    """16 bytes each that are alike for passages that differ in case, spacing and punctuation only.

    A passage of punctuation alone has no key; its raw text is hashed instead, so that ``***`` is not ``---``.
    XXH3-128: https://github.com/Cyan4973/xxHash.

    >>> one, two, three, four = fingerprints(["Don’t panic!", "don't  PANIC", "***", "---"], DeduplicateSettings())
    >>> one == two, three == four
    (True, False)
    """
    digest = xxhash.xxh3_128_digest
    return [
        digest(key or b"\0" + text.encode("utf-8", "surrogatepass"))
        for text, key in zip(texts, keys_of(texts, settings.fold_digits), strict=True)
    ]
