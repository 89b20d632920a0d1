"""Names of charsets: what Python calls them, what headers and pages mean by them, and which are kin."""

from __future__ import annotations

import codecs
from typing import NamedTuple


class _Charset(NamedTuple):
    """A charset beside its kin: what a header that declares it means, what a page that does so is tried as, and which
    older sets are tried before it where a detector names it."""

    is_multi_byte: bool = True
    means: str = ""
    in_page: tuple[str, ...] = ()
    older: tuple[str, ...] = ()


# Headers and pages mean what browsers take them for (WHATWG Encoding): those that say GB 2312 or EUC-KR hold characters
# of the larger sets. The 2004 sets add rare characters and turn a few common ones; files are in the older ones.
_CHARSETS = {
    "ascii": _Charset(is_multi_byte=False, means="cp1252"),
    "iso8859-1": _Charset(is_multi_byte=False, means="cp1252"),
    "iso8859-9": _Charset(is_multi_byte=False, means="cp1254"),
    "iso8859-11": _Charset(is_multi_byte=False, means="cp874"),
    "tis-620": _Charset(is_multi_byte=False, means="cp874"),
    "gb2312": _Charset(means="gb18030", in_page=("gb18030",)),
    "gbk": _Charset(means="gb18030", in_page=("gb18030",)),
    "shift_jis": _Charset(means="cp932", in_page=("shift_jis", "cp932")),
    "shift_jis_2004": _Charset(older=("shift_jis", "cp932")),
    "euc_jis_2004": _Charset(older=("euc_jp",)),
    "euc_kr": _Charset(means="cp949", in_page=("euc_kr", "cp949")),
    "big5": _Charset(means="big5hkscs", in_page=("big5", "big5hkscs", "cp950")),
    "big5hkscs": _Charset(older=("big5",)),
    **dict.fromkeys(("cp932", "cp949", "cp950", "euc_jp", "gb18030", "hz", "johab"), _Charset()),
    **dict.fromkeys(("iso2022_jp", "iso2022_kr"), _Charset()),
}
_OTHER = _Charset(is_multi_byte=False)


def kin(name: str) -> _Charset:
    return _CHARSETS.get(name, _OTHER)


_UNDECIDING = frozenset({
    "utf-8", "utf-8-sig", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "unicode_escape",
    "raw_unicode_escape", "undefined", "mbcs", "oem",
})  # fmt: skip


def declared_codec(name: str | None) -> str | None:
    """Python's name of a declared charset that can decide; of one that Windows extended, the extended one."""
    known = codec_named(name) if name else ""
    return None if not known or known in _UNDECIDING else kin(known).means or known


def codec_named(name: str) -> str:
    """Python's name of a charset; empty for one that it does not know, and for codecs that are no charsets."""
    try:
        b"a".decode(name, "replace")
        return codecs.lookup(name).name
    except (LookupError, ValueError, RuntimeError):
        return ""
