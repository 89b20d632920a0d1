"""UTF-16 and UTF-32 without a mark, which nothing but their characters can tell: in the wrong order bytes make others.

ASCII among them shows by its zeros, but Russian, Thai or Chinese has zeros at line ends and spaces only, and a word of
them none at all.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections import Counter

_NAMES = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_SAMPLE = 8_000  # bytes
_MOST = 8.6  # cost of a character; of text it is 3 to 8
_MOST_BAD = 0.02  # share of characters that no text holds
_BAD, _SCRIPT, _HAN, _RARE = 20.0, 5.0, 8.0, 14.0
_SPACES = frozenset("\t\n\f\r \xa0\u3000")


def unmarked(content: bytes, *, declared: bool = False) -> str | None:
    """UTF-16 or UTF-32, in either order of bytes, of a text without a mark; None where bytes are likelier none.

    Bytes of ASCII alone are no Chinese by themselves, unless UTF-16 is `declared`. To be asked of bytes that hold
    control characters: other text may be Chinese by chance.

    >>> unmarked("Привет".encode("utf-16-be")), unmarked("สวัสดี ครับ".encode("utf-16-le"))
    ('utf-16-be', 'utf-16-le')
    >>> unmarked(b"a\\0list\\0of names\\0"), unmarked("你好世界".encode("utf-16-le"))
    (None, None)
    """
    sample = content[:_SAMPLE]
    han_counts = declared or not sample.isascii()
    found = {name: _cost(sample, name, han_counts) for name in _NAMES}
    best = min(_NAMES, key=found.__getitem__)
    return best if found[best] < _MOST else None


def may_be(content: bytes, name: str) -> bool:
    """Whether bytes are text in one of these charsets, and hardly any of its characters are such as no text holds.

    >>> may_be("né".encode("utf-16-le"), "utf-16-le"), may_be(bytes(range(40)), "utf-16-le")
    (True, False)
    """
    return _cost(content[:_SAMPLE], name, han_counts=True) < _BAD


def _cost(sample: bytes, name: str, han_counts: bool) -> float:
    """What a character costs on average; beyond measure where many are none, or are Chinese and none may be."""
    try:
        text = codecs.getincrementaldecoder(name)().decode(sample)
    except UnicodeDecodeError:
        return _BAD
    counts = Counter(text)
    n = counts.total()
    kinds = Counter[str]()
    for char, times in counts.items():
        kinds[_kind(char)] += times
    if not n or kinds["bad"] > _MOST_BAD * n or (kinds["han"] * 5 > n and not han_counts):
        return _BAD
    scripts = Counter({kind: times for kind, times in kinds.items() if kind not in ("bad", "han", "rare", "latin")})
    main = scripts.most_common(1)[0][1] if scripts else 0
    others = scripts.total() - main
    common = kinds["latin"] * 3 + main * _SCRIPT + kinds["han"] * _HAN
    return (common + (others + kinds["rare"]) * _RARE + kinds["bad"] * _BAD) / n


def _kind(char: str) -> str:
    """``bad`` where no text holds it, else ``latin``, ``han``, ``rare``, or the writing system."""
    code = ord(char)
    if char in _SPACES or 0x20 < code < 0x7F or 0xA0 < code < 0x180 or 0x2010 <= code <= 0x2026 or code == 0xFEFF:
        return "latin"
    if unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs"):
        return "bad"
    if 0x3041 <= code <= 0x30FF or 0x3001 <= code <= 0x3011 or 0xFF01 <= code <= 0xFF5E:
        return "kana"
    if 0x4E00 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7A3:
        return "han"
    if 0x370 <= code < 0x1380 or 0x1780 <= code < 0x1800 or 0x1E00 <= code < 0x2000:
        return str(code >> 8 & ~1 if code < 0x590 or code >= 0x780 else 6)
    return "rare" if code < 0x1F300 else "latin"
