"""Rich Text Format: what a document of it says."""

from __future__ import annotations

import codecs
import re

_TOKEN = re.compile(
    r"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9A-Fa-f]{2})|\\([^a-z'])|([{}])|[\r\n]+|([^\\{}\r\n]+)|\\", re.IGNORECASE
)
_SIGNS = {
    "par": "\n", "line": "\n", "sect": "\n", "page": "\n", "row": "\n", "cell": " | ", "tab": "\t", "emdash": "—",
    "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•", "emspace": "\u2003",
    "enspace": "\u2002",
}  # fmt: skip
_ESCAPED = {"~": "\xa0", "_": "\u2011", "-": "\xad", "\n": "\n", "\r": "\n"}
_UNSEEN = frozenset("""
    fonttbl colortbl stylesheet listtable listoverridetable rsidtbl generator info pict object header footer headerl
    headerr footerl footerr xmlnstbl themedata latentstyles datastore fldinst bkmkstart bkmkend filetbl revtbl
""".split())  # fmt: skip
"""Groups that hold no text."""
_OF_FONTS = {
    128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "cp950", 161: "cp1253", 162: "cp1254", 163: "cp1258",
    177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
"""The charset that a font has by its number, where that is not the document's."""
_MOST_GROUPS = 1000  # in one another; in deeper ones nothing is told apart


def text_of_rtf(source: str) -> str:
    r"""The text of a document in Rich Text Format 1.9: paragraphs, signs and bytes of its code page or its fonts'.

    Bytes beyond ASCII may stand as surrogates.

    >>> text_of_rtf(r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Times;}}\f0 Caf\'e9 \b and\b0  \u8364?5.\par It\rquote s}")
    'Café and €5.\nIt’s'
    >>> text_of_rtf(r"{\rtf1\ansicpg1252{\fonttbl{\f0 A;}{\f1\fcharset204 B;}}{\f1\'c4\'e0} \'e9{\f2\'e9}}")
    'Да éé'
    """
    pieces: list[str] = []
    unseen, skip, font, over = False, 0, 0, 0
    charset = whole = "cp1252"
    fonts: dict[int, str] = {}
    decoder = codecs.getincrementaldecoder(charset)("replace")
    stack: list[tuple[bool, int, str]] = []
    replaced = 1  # how many characters stand behind a code point for programs that know none
    for token in _TOKEN.finditer(source):
        word, number, byte, sign, brace, plain = token.groups()
        before = charset
        if brace == "{":
            over += len(stack) == _MOST_GROUPS
            if len(stack) < _MOST_GROUPS:
                stack.append((unseen, replaced, charset))
        elif brace == "}":
            if over:
                over -= 1
            else:
                unseen, replaced, charset = stack.pop() if stack else (False, 1, whole)
        elif sign == "*" or (word and word.lower() in _UNSEEN):
            unseen = True
        elif word == "ansicpg" and number:
            charset = whole = _known(f"cp{number}") or charset
        elif word == "f" and number and unseen:
            font = int(number)
        elif word == "fcharset" and number and unseen:
            fonts[font] = _OF_FONTS.get(int(number), "")
        elif unseen:
            continue
        elif word == "f" and number:
            charset = fonts.get(int(number)) or whole
        elif word == "uc" and number:
            replaced = min(int(number), 9)
        elif word == "u" and number:
            pieces.append(chr(int(number) % 0x10000))
            skip = replaced
        elif word:
            pieces.append(_SIGNS.get(word, ""))
        elif byte and skip:
            skip -= 1
        elif byte:
            pieces.append(decoder.decode(bytes.fromhex(byte)))
        elif sign:
            pieces.append(_ESCAPED.get(sign, sign if sign in "\\{}" else ""))
        elif plain:
            pieces.append(_decoded(plain[skip:], decoder))
            skip = max(0, skip - len(plain))
        if charset != before:
            pieces.append(decoder.decode(b"", final=True))
            decoder = codecs.getincrementaldecoder(charset)("replace")
    text = "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return "\n".join(line.rstrip(" |") if line.endswith(" | ") else line for line in text.split("\n")).strip()


def _decoded(plain: str, decoder: codecs.IncrementalDecoder) -> str:
    try:
        return decoder.decode(plain.encode("ascii", "surrogateescape"))  # a letter may be half of a character
    except UnicodeEncodeError:
        return decoder.decode(b"", final=True) + plain


def _known(charset: str) -> str | None:
    try:
        return charset if "Az".encode(charset) == b"Az" else None  # else it is one of mainframes
    except LookupError:
        return None
