"""Thai in its one-byte charset that was read as Windows-1252: ``ÊÇÑÊ´Õ`` for ``สวัสดี``.

Thai has no spaces between words, and no list of them is at hand; but vowels and marks of tone stand in few places only,
which bytes of another charset do not keep to for long.
"""

from __future__ import annotations

import re
from contextlib import suppress

from winnow.repair.encoding.plausible import strange

_CONSONANT, _BEFORE, _ABOVE, _TONE, _AFTER = "ก-ฮ", "เ-ไ", "ัิ-ฺ็", "่-๎", "ะาำๅ"
_SYLLABLES = re.compile(rf"(?:[{_BEFORE}]?[{_CONSONANT}][{_ABOVE}]?[{_TONE}]?[{_AFTER}]?ะ?|[ๆฯ๐-๙])+")
_RUN = re.compile("[\u0e01-\u0e5b]+")
_SIGN = re.compile(f"[{_BEFORE}{_ABOVE}{_TONE}{_AFTER}]")
_RARE = re.compile("[ฃฅฆฌฎฏฑฒฤฦฺๅํ๎]")
_BESIDE_LATIN = re.compile("[A-Za-z][\u0e01-\u0e5b]|[\u0e01-\u0e5b][A-Za-z]")
_LETTERS = bytes(range(0xA1, 0xFC))  # those of `_RUN`
LEAST = 8  # of a line; fewer prove nothing
MIN_SIGNS, MAX_RARE = 0.2, 0.1  # shares


def as_thai(raw: bytes, least: int = LEAST) -> str | None:
    """The text of some bytes as Thai; None where they are no syllables of it, fewer letters than `least`, or UTF-8.

    >>> as_thai("สวัสดีครับ".encode("cp874")), as_thai("Hôtel à Élysée ÆØÅ".encode("cp1252")), as_thai("किया".encode())
    ('สวัสดีครับ', None, None)
    """
    if len(raw) - len(raw.translate(None, _LETTERS)) < least:
        return None
    with suppress(UnicodeDecodeError):
        if not strange(raw.decode()):
            return None  # Hindi in UTF-8 has the form of Thai syllables
    try:
        text = raw.decode("cp874")
    except UnicodeDecodeError:
        return None
    runs = _RUN.findall(text)
    letters = "".join(runs)
    if len(letters) < least or _BESIDE_LATIN.search(text) or not all(map(_SYLLABLES.fullmatch, runs)):
        return None
    enough = len(_SIGN.findall(letters)) >= MIN_SIGNS * len(letters)
    return text if enough and len(_RARE.findall(letters)) <= MAX_RARE * len(letters) else None
