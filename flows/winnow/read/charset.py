"""From bytes to text: which character encoding, decided in the order of what can be proven.

1. A byte order mark says it.
2. Bytes that are valid UTF-8 are UTF-8: other encodings almost never look like it by chance.
3. Bytes that are UTF-8 but for a few are decoded as UTF-8, the bad bytes as Windows-1252.
4. Else chardet ranks its candidates, declared ones (HTML, XML) first. chardet alone confuses families on languages it
   has no model for, and gives encodings of one national DOS machine the same chance as those of the Web. So a
   candidate's confidence is multiplied by how common it is, and by the share of its characters that stand as letters
   do (no symbol between letters, no capital after a small letter).

Line ends (CRLF and lone CR) become LF: that is part of decoding and leaves no trace in a ledger.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
import warnings
from functools import lru_cache
from typing import NamedTuple

import chardet

from winnow.base.errors import ReadError
from winnow.base.records import without_lone_surrogates

SAMPLE_BYTES = 200_000  # what detection looks at; more changes no answer and costs 10 ms per 200 kB

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(c for c in range(32) if c not in b"\t\n\v\f\r\x1a\x1b")
_HIGH = re.compile(rb"[\x80-\xff]")  # one class, so `re` cannot backtrack
_BAD_RUN = re.compile("[\udc80-\udcff]+")
_PRINTED_FORMS = (b"%PDF-", b"{\\rtf", b"%!PS-")  # formats of another kind that may be all ASCII
_MAX_CONTROLS = 0.05  # texts with stray control characters stay far below it, binary formats far above
_MIXED_SHARE = 4  # multi-byte characters for each bad byte, from which bytes are UTF-8 that something broke

_READ_BYTES = 6_000  # of the sample are read once per candidate, about 1 ms each
_CERTAIN = 0.95  # structure (multi-byte sequences, declarations) was checked: reading adds nothing
_WEST = frozenset({"cp1252", "iso8859-1", "latin-1", "iso8859-15"})
_OTHER_WEB = frozenset("""
    cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp874 koi8-r koi8-u tis-620
    iso8859-2 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-11
""".split())  # fmt: skip
_MULTI_BYTE = frozenset("""
    big5 big5hkscs gb18030 euc_kr cp949 johab shift_jis shift_jis_2004 cp932 euc_jp euc_jis_2004
""".split())  # fmt: skip
# Most pages in a legacy encoding are Western (W3Techs counts them year by year); Mac and DOS ones are curiosities.
_USE_OTHER_WEB, _USE_RARE = 0.7, 0.6
_ODD_COSTS = 3  # an odd place weighs as much as three characters that read well
# The 2004 sets add rare characters and turn a few common ones; the older ones are what files are in.
_OLDER = {"shift_jis_2004": ("shift_jis", "cp932"), "euc_jis_2004": ("euc_jp",), "big5hkscs": ("big5",)}
# Charsets that a header may declare as what browsers take them for (WHATWG Encoding).
_EXTENDED = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs",
}  # fmt: skip
_UNDECIDING = frozenset({
    "utf-8", "utf-8-sig", "utf-7", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "unicode_escape",
    "raw_unicode_escape", "undefined", "mbcs", "oem",
})  # fmt: skip
_ODD = re.compile(r"lU|[lU]s[lU]|c")


class Decoded(NamedTuple):
    """A text with LF line ends, and the name of the encoding (Python's, with a remark where bytes did not fit)."""

    text: str
    encoding: str


def decode(content: bytes, declared: str | None = None) -> Decoded:
    """The text of `content` and its encoding. The text can always be encoded in UTF-8 again.

    `declared` is the charset that something beside the content names (a header of HTTP or mail). It decides where
    neither a mark nor sound UTF-8 does and all bytes fit; one that is unknown or does not fit says nothing.

    Raises ReadError of kind ``binary`` for what is no text: mostly control characters or zeros, or a known binary
    format.

    >>> decode("naïve\\r\\n".encode())
    Decoded(text='naïve\\n', encoding='utf-8')
    >>> decode("\\ufeffnaïve".encode("utf-16-le")).encoding
    'utf-16'
    >>> decode("日本語と".encode() + b" caf\\xe9")
    Decoded(text='日本語と café', encoding='utf-8 (with cp1252 bytes)')
    >>> decode("год".encode("cp1251"), "windows-1251")
    Decoded(text='год', encoding='cp1251')
    """
    text, encoding = _decode(content, _declared_codec(declared))
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Decoded(text, encoding)


def _declared_codec(name: str | None) -> str | None:
    """Python's name of a declared charset that can decide; of one that Windows extended, the extended one."""
    try:
        b"a".decode(name or "utf-8", "replace")  # codecs that are no charsets raise as unknown ones do
        known = codecs.lookup(name or "utf-8").name
    except (LookupError, ValueError, RuntimeError):
        return None
    return None if known in _UNDECIDING else _EXTENDED.get(known, known)


def _decode(content: bytes, declared: str | None) -> Decoded:
    marked = next((name for mark, name in _BOMS if content.startswith(mark)), None)
    if marked and (found := _decoded_after_mark(content, marked)):
        return found
    text = _text(content, "utf-8")
    if text is None:
        return _not_utf8(content, declared)
    if content.startswith(_PRINTED_FORMS):
        raise ReadError("binary", f"is a {content[1:4].decode()} document, not text; extract its text first")
    if b"\0" in content or b"\x1b" in content:  # one byte each: memchr, at many GB/s
        return _not_plain(content, text, declared)
    return Decoded(text, "utf-8")


def _text(content: bytes, codec: str, errors: str = "strict") -> str | None:
    try:
        return content.decode(codec, errors)
    except UnicodeDecodeError:
        return None


def _decoded_after_mark(content: bytes, name: str) -> Decoded | None:
    text = _text(content, name)
    if name == "utf-8-sig":
        return None if text is None else Decoded(text, "utf-8")
    if text is not None:
        return Decoded(text, name)
    text = content.decode(name, "replace")
    lost = text.count("\ufffd")
    # A file of zeros after two chance bytes, say, is no UTF-16.
    return Decoded(text, f"{name} (damaged in {lost} places)") if lost * 20 < len(text) else None


def _not_plain(content: bytes, text: str, declared: str | None) -> Decoded:
    """Valid UTF-8 that holds NUL or escape sequences: UTF-16 or -32 without a mark, ISO-2022, or binary."""
    found = [*([declared] if declared else []), *ranked_candidates(content[:SAMPLE_BYTES])]
    if found and found[0].startswith(("utf-16", "utf-32", "iso2022")):
        wide = _text(content, found[0])
        if wide is not None:
            return Decoded(wide, found[0])
    _reject_controls(content)
    return Decoded(text, "utf-8")


def _reject_controls(content: bytes) -> None:
    controls = len(content) - len(content.translate(None, _CONTROLS))
    if controls > _MAX_CONTROLS * len(content):
        raise ReadError(
            "binary",
            f"is not text: {controls} of {len(content)} bytes are control characters; convert it or leave it out",
        )


def _not_utf8(content: bytes, declared: str | None) -> Decoded:
    said = _text(content, declared) if declared else None
    if declared and said is not None and declared in _MULTI_BYTE:  # of which chance bytes break a rule soon
        return Decoded(without_lone_surrogates(said), declared)
    mixed = _mostly_utf8(content)
    if mixed:
        return mixed
    if declared and said is not None:
        _reject_controls(content)
        return Decoded(without_lone_surrogates(said), declared)
    names = ranked_candidates(_sample(content))
    if not names:
        raise ReadError("binary", "is a known binary format, not text; convert it to text or leave it out")
    if not names[0].startswith(("utf-16", "utf-32", "cp037", "cp424", "cp500", "cp875", "cp1026", "cp1140", "cp273")):
        _reject_controls(content)
    for name in names[:8]:
        text = _text(content, name)  # the sample decoded, and the rest may not
        if text is not None:
            return Decoded(without_lone_surrogates(text), codecs.lookup(name).name)
    name = next((n for n in names if not n.startswith("utf-8")), "cp1252")
    text = content.decode(name, "replace")
    remark = f"{codecs.lookup(name).name} (damaged in {text.count(chr(0xFFFD))} places)"
    return Decoded(without_lone_surrogates(text), remark)


def _mostly_utf8(content: bytes) -> Decoded | None:
    """UTF-8 with bytes that something else put in: CESU-8, a cut end, or lines in Windows-1252."""
    if b"\xed" in content:
        paired = _text(content, "utf-8", "surrogatepass")
        if paired is not None:
            return Decoded(without_lone_surrogates(paired), "utf-8 (with surrogates)")
    text = content.decode("utf-8", "surrogateescape")
    tail = _BAD_RUN.search(text, max(len(text) - 3, 1))
    cut = tail if tail and tail.end() == len(text) and _is_cut(tail[0], text[tail.start() - 1]) else None
    if cut:
        text = text[: cut.start()] + "\ufffd"
    runs = _BAD_RUN.findall(text)
    bad = sum(map(len, runs))
    # Each character beyond ASCII takes 2 to 4 bytes, a bad byte one: the surplus of bytes counts the characters.
    good = len(content.translate(None, bytes(range(128)))) - bad - (len(cut[0]) if cut else 0)
    # A few single bytes beside one sound sequence: in a one-byte encoding that sequence would be a capital and a
    # symbol in the middle of a word, and multi-byte encodings leave longer runs.
    few = good >= 2 and bad <= 2 * good and all(len(run) == 1 for run in runs)
    if not few and good < max(2, 2 * _MIXED_SHARE * bad):
        return None
    text = _BAD_RUN.sub(_windows_1252, text)
    remarks = (["with cp1252 bytes"] if bad else []) + (["cut off inside its last character"] if cut else [])
    return Decoded(text, f"utf-8 ({', '.join(remarks)})")


def _is_cut(run: str, before: str) -> bool:
    """Whether a run of bad bytes at the end begins a character; one byte after an ASCII letter does not."""
    first = ord(run[0]) - 0xDC00
    wanted = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    return len(run) < wanted and (len(run) > 1 or not before.isascii())


def _windows_1252(run: re.Match[str]) -> str:
    raw = run[0].encode("utf-8", "surrogateescape")
    # Five bytes mean nothing in Windows-1252; as the C1 controls of Latin-1 they are at least not lost.
    return "".join(bytes((b,)).decode("cp1252", "ignore") or chr(b) for b in raw)


def _sample(content: bytes) -> bytes:
    """Up to SAMPLE_BYTES from the line with the first byte beyond ASCII: what detection can learn from."""
    if len(content) <= SAMPLE_BYTES:
        return content
    first = _HIGH.search(content)
    start = content.rfind(b"\n", 0, first.start()) + 1 if first else 0
    start = max(start, (first.start() if first else 0) - SAMPLE_BYTES // 2)
    start -= start % 4  # UTF-16 and UTF-32 stay in step
    return content[start : start + SAMPLE_BYTES]


def ranked_candidates(sample: bytes) -> list[str]:
    """Python codec names, best first; empty where the bytes are a known binary format.

    >>> ranked_candidates("Она сказала, что придёт завтра вечером.".encode("koi8-r"))[0]
    'koi8-r'
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = chardet.detect_all(
            sample, encoding_era=chardet.EncodingEra.ALL, ignore_threshold=True, prefer_superset=False,
            compat_names=False,
        )  # fmt: skip
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
    if names[0] in ("latin-1", "iso8859-1") and _text(sample, "cp1252") is not None:
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
