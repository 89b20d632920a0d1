"""From bytes to text: which character encoding, decided in the order of what can be proven.

1. A byte order mark says it.
2. Bytes that are valid UTF-8 are UTF-8: other encodings almost never look like it by chance.
3. A declared multi-byte charset (HTML, XML) whose characters all bytes are is what was declared.
4. Bytes that are UTF-8 but for a few are decoded as UTF-8: a sequence that was cut becomes U+FFFD, single bytes are
   read as Windows-1252, and lines that are in another charset as a whole are read in it.
5. Else the reading whose letters are likeliest, by letter pairs of many languages (`winnow.read.letters`). A declared
   charset counts as evidence. Multi-byte and wide encodings are proposed by a detector (`winnow.read.detectors`). Where
   lines are in several one-byte charsets, each is read in its own (`winnow.read.line_charsets`).

Line ends (CRLF and lone CR) become LF: that is part of decoding and leaves no trace in a ledger.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple

from winnow.base.errors import ReadError
from winnow.base.records import without_lone_surrogates
from winnow.read.charset_evidence import (
    DECLARED_GAIN,
    EBCDIC,
    SAMPLE_BYTES,
    WIDE,
    costs_of,
    declared_in_page,
    is_belied,
    is_declared,
    is_inside_words,
    is_structural,
    proposals,
    ranked_candidates,
    sample_of,
)
from winnow.read.charset_names import declared_codec, kin
from winnow.read.detectors import Detector, by_chardet
from winnow.read.letters import SOUND_SHARE, by_cost, multi_byte_cost
from winnow.read.line_charsets import GAIN, decode_lines
from winnow.read.wide_charsets import may_be, unmarked

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WIDE_UTF = ("utf-16", "utf-32")
_SHORT = 200  # bytes of a text that may be a word
_SPACE = re.compile(rb"[ \n]")
_TAIL_BYTES = 8
_CONTROLS = bytes(c for c in range(32) if c not in b"\t\n\v\f\r\x1a\x1b")
_BAD_RUN = re.compile("[\udc80-\udcff]+")
_PRINTED_FORMS = (b"%PDF-", b"{\\rtf", b"%!PS-")  # formats of another kind that may be all ASCII
_MAX_CONTROLS = 0.05  # texts with stray control characters stay far below it, binary formats far above
_MIXED_SHARE = 8  # multi-byte characters for each bad byte, from which bytes are UTF-8 that something broke
_WORDS = 3_000  # that are weighed
_UTF8_COST, _BAD_BYTE_COST, _BROKEN_COST = 6.0, 16.0, 10.0  # as `winnow.read.letters` counts

_BY_CHANCE = 9.0  # cost of a character of UTF-8 in another charset, below which it may be of that one


HEAD = 1_000  # bytes


def wide_charset(head: bytes, said: str | None = None) -> str | None:
    """The charset of a file whose line ends are not those of ASCII, from its first HEAD bytes.

    UTF-16 and UTF-32 are told by a mark or by characters; any other only where the recipe names it (`said`).
    """
    marked = next((name for mark, name in _BOMS if head.startswith(mark)), "")
    if marked.startswith(("utf-16", "utf-32")):
        return marked
    if said and _is_unlike_ascii(said):
        return said
    return unmarked(head) if b"\0" in head else None


@cache
def _is_unlike_ascii(charset: str) -> bool:
    return codecs.lookup(charset).name.startswith(WIDE) or "{".encode(charset) != b"{"


class Decoded(NamedTuple):
    """A text with LF line ends, and the name of the encoding (Python's, with a remark where bytes did not fit)."""

    text: str
    encoding: str


def decode(
    content: bytes, declared: str | None = None, detector: Detector = by_chardet, *, certain: bool = False
) -> Decoded:
    """The text of `content` and its encoding. The text can always be encoded in UTF-8 again.

    `declared` is the charset that something beside the content names (a header of HTTP or mail). It decides where
    neither a mark nor sound UTF-8 does, all bytes fit and letters do not speak against it; one that is unknown or does
    not fit says nothing. Where it is `certain`, as a person says it, it goes before letters, and before UTF-8 with a
    few bytes that something broke.

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
    text, encoding = _decode(content, declared_codec(declared), detector, certain)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Decoded(text, encoding)


def _decode(content: bytes, declared: str | None, detector: Detector, certain: bool) -> Decoded:
    marked = next((name for mark, name in _BOMS if content.startswith(mark)), None)
    if marked and (found := _decoded_after_mark(content, marked)):
        return found
    if marked == "utf-8-sig":  # of UTF-8 that is broken, or of a text that something else put it before
        content = content.removeprefix(codecs.BOM_UTF8)
    text = _text(content, "utf-8")
    if text is None:
        return _not_utf8(content, declared, detector, certain)
    if content.startswith(_PRINTED_FORMS):
        raise ReadError("binary", f"is a {content[1:4].decode()} document, not text; extract its text first")
    if b"\0" in content or b"\x1b" in content:  # one byte each: memchr, at many GB/s
        return _not_plain(content, text, declared, detector)
    if declared == "utf-7" and content.isascii() and (said := _text(content, declared)) is not None:
        return Decoded(said, declared)
    if len(content) < _SHORT and _has_controls(content) and (wide := unmarked(content)):  # without a space, no zeros
        return _damaged(content.decode(wide, "replace"), wide)
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
    if name == "utf-16" and (found := _utf16_before_utf8(content)):
        return found
    if text is not None:
        return Decoded(text, name)
    text = content.decode(name, "replace")
    lost = text.count("\ufffd")
    # A file of zeros after two chance bytes, say, is no UTF-16.
    return Decoded(text, f"{name} (damaged in {lost} places)") if lost * 20 < len(text) else None


def _utf16_before_utf8(content: bytes) -> Decoded | None:
    """Text in UTF-16 to which lines in UTF-8 were added, or of which nothing but the mark is UTF-16; None for others.

    >>> _utf16_before_utf8(b"\\xff\\xfe" + "é\\n".encode("utf-16-le") + "naïve end".encode())
    Decoded(text='é\\nnaïve end', encoding='utf-16 (with lines in utf-8)')
    """
    start = max(content.rfind(b"\0") + 1, len(codecs.BOM_UTF16))
    start += start % 2
    tail = content[start:]
    # Of UTF-16 beyond ASCII a few characters may be UTF-8 too, but hardly so many, with spaces and without controls.
    if len(tail) < _TAIL_BYTES or not _SPACE.search(tail) or tail.translate(None, _CONTROLS) != tail:
        return None
    text, before = _text(tail, "utf-8"), _text(content[:start], "utf-16")
    if text is None or before is None:
        return None
    return Decoded(before + text, "utf-16 (with lines in utf-8)" if before else "utf-8")


def _not_plain(content: bytes, text: str, declared: str | None, detector: Detector) -> Decoded:
    """Valid UTF-8 that holds NUL or escape sequences: UTF-16 or -32 without a mark, ISO-2022, or binary."""
    is_wide = (declared or "").startswith(WIDE_UTF)
    if wide := unmarked(content, declared=is_wide):
        return _damaged(content.decode(wide, "replace"), wide)
    found = [declared] if declared and not is_wide else ranked_candidates(content[:SAMPLE_BYTES], detector)
    if found and found[0].startswith((*WIDE_UTF, "iso2022")):
        wide = _text(content, found[0])
        if wide is not None and (found[0].startswith("iso2022") or may_be(content, found[0])):
            return Decoded(wide, found[0])
    padded = text.rstrip("\0")
    if padded.strip() and "\0" not in padded:  # of a block that was written whole, or is to be written yet
        text, content = padded, padded.encode()
    _reject_controls(content)
    return Decoded(text, "utf-8")


def _has_controls(content: bytes) -> bool:
    return content.translate(None, _CONTROLS) != content


def _reject_controls(content: bytes) -> None:
    controls = len(content) - len(content.translate(None, _CONTROLS))
    if controls > _MAX_CONTROLS * len(content):
        raise ReadError(
            "binary",
            f"is not text: {controls} of {len(content)} bytes are control characters; convert it or leave it out",
        )


def _not_utf8(content: bytes, declared: str | None, detector: Detector, certain: bool) -> Decoded:
    said = _text(content, declared) if declared else None
    if declared and said is not None and certain:
        return Decoded(without_lone_surrogates(said), declared)
    is_wide = (declared or "").startswith(WIDE_UTF)
    if (is_wide or _has_controls(content[:HEAD])) and (wide := unmarked(content, declared=is_wide)):
        return _damaged(content.decode(wide, "replace"), wide)
    if is_wide:
        declared = said = None
    in_page = declared_in_page(content)
    # Chance bytes soon break a rule of a multi-byte charset.
    for name in (declared or "", *(kin(in_page).in_page or (in_page,))):
        text = _text(content, name) if kin(name).is_multi_byte else None
        if text is not None:
            if is_inside_words(text, content, name) or is_belied(name, content, "", detector):
                in_page = "" if kin(in_page).is_multi_byte else in_page
                break
            return Decoded(without_lone_surrogates(text), name)
    mixed = _mostly_utf8(content, detector)
    if mixed:
        return mixed
    is_one_byte = not kin(declared or "").is_multi_byte
    if declared and said is not None and is_one_byte and not is_belied(declared, content, in_page, detector):
        _reject_controls(content)
        return Decoded(without_lone_surrogates(said), declared)
    names = ranked_candidates(sample_of(content), detector, in_page)
    if not names:
        raise ReadError("binary", "is a known binary format, not text; convert it to text or leave it out")
    if not names[0].startswith((*WIDE_UTF, *EBCDIC)):
        _reject_controls(content)
    if several := _in_several_charsets(content, names[0], in_page):
        return several
    for name in names[:8]:
        # The sample decoded, and the rest may not; of charsets of several bytes a few may be broken.
        text = _text(content, name, "replace" if kin(name).is_multi_byte else "strict")
        if text is not None and text.count("\ufffd") * SOUND_SHARE <= _beyond_ascii(text):
            return _damaged(text, name)
    name = next((n for n in names if not n.startswith("utf-8")), "cp1252")
    return _damaged(content.decode(name, "replace"), name)


def _damaged(text: str, name: str) -> Decoded:
    """Text with U+FFFD for what was lost, if anything was."""
    lost = text.count("\ufffd")
    remark = f" (damaged in {lost} places)" if lost else ""
    return Decoded(without_lone_surrogates(text), codecs.lookup(name).name + remark)


def _mostly_utf8(content: bytes, detector: Detector) -> Decoded | None:
    """UTF-8 with bytes that something else put in: CESU-8, cut sequences, lines in another charset."""
    if b"\xed" in content:
        paired = _text(content, "utf-8", "surrogatepass")
        if paired is not None:
            return Decoded(without_lone_surrogates(paired), "utf-8 (with surrogates)")
    by_lines = _by_lines(content, detector)
    if by_lines:
        return by_lines
    text = content.decode("utf-8", "surrogateescape")
    tail = _BAD_RUN.search(text, max(len(text) - 3, 1))
    cut = tail if tail and tail.end() == len(text) and _is_cut(tail[0], text[tail.start() - 1]) else None
    if cut:
        text = text[: cut.start()] + "\ufffd"
    good, bad, broken = _tally(text)
    if good <= bool(cut):
        return None
    if (broken + bad) * _MIXED_SHARE > good and _is_likelier_otherwise(text, content, detector):
        return None
    text, remarks = _mended(text)
    return Decoded(text, _with_remarks([*remarks, *(["cut off inside its last character"] if cut else [])]))


def _tally(text: str) -> tuple[int, int, int]:
    """Numbers of sound characters beyond ASCII, of bad bytes, and of sequences that lost their end."""
    runs = Counter(_BAD_RUN.findall(text))
    broken = {run: n for run, n in runs.items() if _is_broken(run)}
    bad = sum(len(run) * n for run, n in runs.items() if run not in broken)
    return _beyond_ascii(text), bad, sum(broken.values())


def _is_likelier_otherwise(text: str, content: bytes, detector: Detector) -> bool:
    """Whether text of broken UTF-8 costs less in another charset, each of its first words counted once."""
    found = proposals(sample_of(content), detector) or []
    if found and is_structural(found[0], content[:SAMPLE_BYTES]):
        return True
    words = _distinct_words(text)
    good, bad, broken = _tally(words)
    costs = costs_of(words.encode("utf-8", "surrogateescape"), found, "")
    as_utf8 = _UTF8_COST * good + _BAD_BYTE_COST * bad + _BROKEN_COST * broken
    return as_utf8 > min((value for value, _ in costs), default=float("inf"))


def _distinct_words(text: str) -> str:
    """The words of the beginning, and of each line that is not in ASCII, once each."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        if not line.isascii():
            found.update(dict.fromkeys(line[:SAMPLE_BYTES].split()))
        if len(found) > _WORDS:
            break
    return " ".join(islice(found, _WORDS))


def _with_remarks(remarks: list[str]) -> str:
    return f"utf-8 ({', '.join(remarks)})" if remarks else "utf-8"


def _mended(text: str) -> tuple[str, list[str]]:
    """Text of UTF-8 with lone surrogates for bad bytes: cut sequences become U+FFFD, other bytes Windows-1252."""
    lost = read = 0
    leads = {c.encode("utf-8", "ignore")[:1] for c in set(text) if c > "\x7f"}

    def mend(run: re.Match[str]) -> str:
        nonlocal lost, read
        before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
        letters = "" if _is_broken(run[0]) else _windows_1252(run[0])
        begins = run[0][:1].encode("utf-8", "surrogateescape") in leads
        if letters and not _is_odd(before, letters, after, begins):
            read += 1
            return letters
        lost += 1
        return "\ufffd"

    text = _BAD_RUN.sub(mend, text)
    remarks = [f"damaged in {lost} places"] if lost else []
    return text, remarks + (["with cp1252 bytes"] if read else [])


def _beyond_ascii(text: str) -> int:
    """Number of characters beyond ASCII that were sound UTF-8."""
    return len(text) - len(text.encode("ascii", "ignore")) - sum(map(len, _BAD_RUN.findall(text)))


def _is_broken(run: str) -> bool:
    """Whether bad bytes are a sequence of UTF-8 that lost its end: a first byte and too few of the others."""
    raw = run.encode("utf-8", "surrogateescape")
    return len(raw) > 1 and 0xE0 <= raw[0] < 0xF5 and all(0x80 <= b < 0xC0 for b in raw[1:])


def _is_odd(before: str, letters: str, after: str, begins: bool) -> bool:
    """Whether a single byte, read as Windows-1252, stands where nobody writes it: then it is the rest of a sequence.

    Odd are a capital after a small letter, a Latin letter beside another alphabet, a sign inside a word. `begins` tells
    that sequences of this text begin with that byte; then it is a letter only at the end of a word in ASCII.
    """
    if len(letters) > 1:
        return False
    is_inside = before.isalpha() and after.isalpha()
    if letters < "\xc0" or letters > "\xff":  # the byte is one that goes on a sequence: signs, and a few letters
        return letters.isalpha() or (is_inside and letters not in "\u2019\xb7\xad")
    if letters == "\xff" or any(c >= "\u0370" and c.isalpha() for c in before + after):
        return True
    if begins:
        return letters < "\xe0" or not (before.isascii() and before.isalpha())
    return before.islower() and letters.isupper() and not after.isupper()


def _in_several_charsets(content: bytes, likeliest: str, declared: str) -> Decoded | None:
    """Text whose lines are in several one-byte charsets, none of them UTF-8; None where one charset suits all."""
    lines = content.splitlines(keepends=True)
    beyond = [n for n, line in enumerate(lines) if not line.isascii()]
    gain = GAIN + DECLARED_GAIN * is_declared(likeliest, declared)
    found = decode_lines([lines[n] for n in beyond], likeliest, gain)
    if found is None:
        return None
    texts: list[str] = [""] * len(lines)
    for n, text in zip(beyond, found.texts, strict=True):
        texts[n] = text
    text = "".join(text or line.decode() for text, line in zip(texts, lines, strict=True))
    first, *others = found.charsets
    return Decoded(without_lone_surrogates(text), f"{first} ({_lines_in(others)})")


def _lines_in(charsets: Sequence[str]) -> str:
    """
    >>> _lines_in(["cp1251", "koi8-r"])
    'with lines in cp1251 and koi8-r'
    """
    return f"with lines in {' and '.join(charsets)}"


def _by_lines(content: bytes, detector: Detector) -> Decoded | None:
    """Lines of UTF-8 among lines of other charsets; None where the lines that are UTF-8 may be so by chance."""
    lines = content.splitlines(keepends=True)
    texts: list[str] = []
    sound: list[str] = []
    others: list[int] = []
    for line in lines:
        texts.append(line.decode("utf-8", "surrogateescape"))
        if not line.isascii():
            bad = sum(map(len, _BAD_RUN.findall(texts[-1])))
            beyond = _beyond_ascii(texts[-1])
            if bad > beyond or (bad >= 4 and bad * 3 > beyond):
                others.append(len(texts) - 1)
            else:
                sound.append(texts[-1])
    good = "".join(sound)
    n_good = _beyond_ascii(good)
    foreign = [lines[n] for n in others]
    joined = b"".join(foreign)
    if not n_good or not others or n_good * 20 < len(joined.translate(None, bytes(range(128)))):
        return None
    for name in ranked_candidates(joined[:SAMPLE_BYTES], detector):
        if decoded := _lines_as(foreign, name):
            break
    else:
        return None
    if name.startswith(("utf", *WIDE, *EBCDIC)):
        return None
    # Would the other charset read the lines that are UTF-8 as well? Then they are UTF-8 by chance.
    words = _distinct_words(good)
    raw = words.encode("utf-8", "surrogateescape")
    one_byte = {n: value for value, n in by_cost(raw)}
    as_other = multi_byte_cost(raw, name) if kin(name).is_multi_byte else one_byte.get(name)
    if as_other is not None and as_other < _BY_CHANCE * _beyond_ascii(words):
        return None
    charsets: tuple[str, ...] = (codecs.lookup(name).name,)
    if several := decode_lines(foreign, name):
        decoded, charsets = several.texts, several.charsets
    for n, text in zip(others, decoded, strict=True):
        texts[n] = text
    text, remarks = _mended("".join(texts))
    remark = "with cp1252 bytes" if charsets == ("cp1252",) else _lines_in(charsets)
    return Decoded(without_lone_surrogates(text), _with_remarks([*dict.fromkeys([*remarks, remark])]))


def _lines_as(lines: Sequence[bytes], name: str) -> list[str]:
    """The lines in a charset; none where some of them are not in it."""
    try:
        return [line.decode(name) for line in lines]
    except UnicodeDecodeError:
        return []


def _is_cut(run: str, before: str) -> bool:
    """Whether a run of bad bytes at the end begins a character; one byte after an ASCII letter does not."""
    first, *others = run.encode("utf-8", "surrogateescape")
    wanted = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    goes_on = bool(others) and all(0x80 <= byte < 0xC0 for byte in others)
    return len(run) < wanted and (goes_on or (not others and not before.isascii()))


def _windows_1252(run: str) -> str:
    raw = run.encode("utf-8", "surrogateescape")
    # Five bytes mean nothing in Windows-1252; as the C1 controls of Latin-1 they are at least not lost.
    return "".join(bytes((b,)).decode("cp1252", "ignore") or chr(b) for b in raw)
