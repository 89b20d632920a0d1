"""The fingerprint of a passage: 128 bits of XXH3 over the key under which passages are alike."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Sequence
from functools import lru_cache, partial

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


_ASCII = [
    bytes(ord(folded(chr(c), fold_digits)) if 0 < c < 128 else c for c in range(256)) for fold_digits in (False, True)
]


class _Folds(dict[int, str]):
    """A table for `str.translate` that works out each character when it first meets it."""

    def __init__(self, fold_digits: bool) -> None:
        super().__init__()
        self.fold_digits = fold_digits

    def __missing__(self, code: int) -> str:
        value = self[code] = folded(chr(code), self.fold_digits)
        return value


_FOLDS = _Folds(False), _Folds(True)  # they only remember what `folded` says


def _folded_run(run: str, fold_digits: bool) -> bytes:
    """`folded` of each of some characters beyond ASCII, in UTF-8."""
    return run.translate(_FOLDS[fold_digits]).encode("utf-8", "surrogatepass")


_folded_word = lru_cache(1 << 15)(_folded_run)  # the same come up again and again
_WORD = 32  # characters at most of what is remembered


def _instead_of(run: UnicodeError, fold_digits: bool) -> tuple[bytes, int]:
    """What the codec that writes ASCII takes for characters beyond it, so that it finds them for us."""
    assert isinstance(run, UnicodeEncodeError)
    text = run.object[run.start : run.end]
    return (_folded_word if len(text) <= _WORD else _folded_run)(text, fold_digits), run.end


_HANDLERS = "winnow.fold", "winnow.fold_digits"
for fold_digits, name in enumerate(_HANDLERS):
    codecs.register_error(name, partial(_instead_of, fold_digits=bool(fold_digits)))


def keys_of(texts: Sequence[str], fold_digits: bool = False) -> list[bytes]:
    """The UTF-8 key of each text under which passages are alike; empty where it has no letter, digit or symbol.

    All at once, for one pass over many texts costs little more than one over each.

    >>> [key.decode() for key in keys_of(["“It’s  NOT\\nrandom.”", "— … —"])]
    ['it s not random', '']
    """
    if not texts:
        return []
    together = "\0".join(texts)
    if together.count("\0") >= len(texts):
        together = "\0".join([text.replace("\0", " ") for text in texts])
    data = together.encode("ascii", _HANDLERS[fold_digits]).translate(_ASCII[fold_digits])
    return [b" ".join(key.split()) for key in data.split(b"\0")]


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
