"""Which encodings bytes may be in, best first: chardet's candidates, weighed by use and by how their text reads.

chardet alone confuses families on languages it has no model for, and gives encodings of one national DOS machine the
same chance as those of the Web. So a candidate's confidence is multiplied by how common it is, and by the share of its
characters that stand as letters do (no symbol between letters, no capital after a small letter).
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from functools import lru_cache

import chardet

_READ_BYTES = 6_000  # of the sample are read once per candidate, about 1 ms each
_CERTAIN = 0.95  # structure (multi-byte sequences, declarations) was checked: reading adds nothing
_WEST = frozenset({"cp1252", "iso8859-1", "latin-1", "iso8859-15"})
_OTHER_WEB = frozenset(
    (
        "cp1250",
        "cp1251",
        "cp1253",
        "cp1254",
        "cp1255",
        "cp1256",
        "cp1257",
        "cp1258",
        "cp874",
        "koi8-r",
        "koi8-u",
        "tis-620",
        "iso8859-2",
        "iso8859-5",
        "iso8859-6",
        "iso8859-7",
        "iso8859-8",
        "iso8859-9",
        "iso8859-11",
    )
)
_MULTI_BYTE = frozenset(
    (
        "big5",
        "big5hkscs",
        "gb18030",
        "euc_kr",
        "cp949",
        "johab",
        "shift_jis",
        "shift_jis_2004",
        "cp932",
        "euc_jp",
        "euc_jis_2004",
    )
)
# Most pages in a legacy encoding are Western (W3Techs counts them year by year); Mac and DOS ones are curiosities.
_USE_OTHER_WEB, _USE_RARE = 0.7, 0.6
_ODD_COSTS = 3  # an odd place weighs as much as three characters that read well
# The 2004 sets add rare characters and turn a few common ones; the older ones are what files are in.
_OLDER = {"shift_jis_2004": ("shift_jis", "cp932"), "euc_jis_2004": ("euc_jp",), "big5hkscs": ("big5",)}
_ODD = re.compile(r"lU|[lU]s[lU]|c")


def ranked_candidates(sample: bytes) -> list[str]:
    """Python codec names, best first; empty where the bytes are a known binary format.

    >>> ranked_candidates("Она сказала, что придёт завтра вечером.".encode("koi8-r"))[0]
    'koi8-r'
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = chardet.detect_all(
            sample,
            encoding_era=chardet.EncodingEra.ALL,
            ignore_threshold=True,
            prefer_superset=False,
            compat_names=False,
        )
    pairs = [(str(f["encoding"]), float(f["confidence"])) for f in found if f["encoding"]]
    if not pairs:
        return []
    if pairs[0][1] < _CERTAIN:
        head = sample[:_READ_BYTES]
        top = pairs[0][1]
        weighed = [(c * _use(n) * _reads_well(head, n) if c >= top / 2 else 0.0, c, n) for n, c in pairs]
        weighed.sort(key=lambda w: (-w[0], -w[1]))  # stable: chardet's own order among equals
        pairs = [(n, c) for _, c, n in weighed]
    names: list[str] = []
    for name, _ in pairs:
        names += [*_OLDER.get(name, ()), name]
    if names[0] in ("latin-1", "iso8859-1") and _decodes(sample, "cp1252"):
        names.insert(0, "cp1252")  # as browsers do (WHATWG Encoding): the same but for quotes and dashes
    return names


def _use(name: str) -> float:
    if name in _WEST or name in _MULTI_BYTE or name.startswith("utf"):
        return 1.0
    return _USE_OTHER_WEB if name in _OTHER_WEB else _USE_RARE


def _reads_well(sample: bytes, name: str) -> float:
    try:
        text = sample.decode(name, "ignore")
    except LookupError:  # a codec this Python does not have
        return 0.0
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    if not beyond:
        return 1.0
    shape = "".join(map(_shape, text))
    odd = sum(not text[m.start() : m.end()].isascii() for m in _ODD.finditer(shape))
    return max(0.0, 1 - _ODD_COSTS * odd / beyond)


@lru_cache(maxsize=4096)
def _shape(character: str) -> str:
    """U capital, l other letter or mark, s symbol, c control or unassigned, ``.`` the rest."""
    category = unicodedata.category(character)
    if category[0] in "LM":
        return "U" if category == "Lu" else "l"
    if category in ("Cc", "Cn", "Co"):
        return "." if character in "\t\n\r\f" else "c"
    return "s" if category[0] == "S" else "."


def _decodes(content: bytes, name: str) -> bool:
    try:
        content.decode(name)
    except UnicodeDecodeError:
        return False
    return True
