r"""Rich Text Format: a whole document of it as its text, and bytes written its way, ``caf\'e9``, in prose."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from winnow.repair.encoding.plausible import is_word, word_around, words
from winnow.repair.engine.rule import Change, Evidence, Rule, apply_changes
from winnow.repair.escapes import is_code

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


def text_of_rtf(source: str) -> str:
    r"""The text of a document in Rich Text Format 1.9: paragraphs, signs and bytes of its code page.

    >>> text_of_rtf(r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Times;}}\f0 Caf\'e9 \b and\b0  \u8364?5.\par It\rquote s}")
    'Café and €5.\nIt’s'
    """
    pieces: list[str] = []
    unseen, skip, charset = False, 0, "cp1252"
    stack: list[tuple[bool, int]] = []
    replaced = 1  # how many characters stand behind a code point for programs that know none
    for token in _TOKEN.finditer(source):
        word, number, byte, sign, brace, plain = token.groups()
        if brace == "{":
            stack.append((unseen, replaced))
        elif brace == "}":
            unseen, replaced = stack.pop() if stack else (False, 1)
        elif sign == "*" or (word and word.lower() in _UNSEEN):
            unseen = True
        elif word == "ansicpg" and number:
            charset = _known(f"cp{number}") or charset
        elif unseen:
            continue
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
            pieces.append(bytes.fromhex(byte).decode(charset, "replace"))
        elif sign:
            pieces.append(_ESCAPED.get(sign, sign if sign in "\\{}" else ""))
        elif plain:
            pieces.append(plain[skip:])
            skip = max(0, skip - len(plain))
    text = "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return "\n".join(line.rstrip(" |") if line.endswith(" | ") else line for line in text.split("\n")).strip()


def _known(charset: str) -> str | None:
    try:
        return codecs.lookup(charset).name
    except LookupError:
        return None


def read_rtf(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""A text that is Rich Text Format from its first sign to its last becomes what it says.

    >>> RTF(r"{\rtf1\ansi Bees \b fly\b0 .\par }"), RTF(r"RTF begins with {\rtf1\ansi and ends.")
    ('Bees fly.', 'RTF begins with {\\rtf1\\ansi and ends.')
    """
    if text.lstrip().startswith("{\\rtf") and (after := text_of_rtf(text)):
        yield Change(0, len(text), after, 0.9)


_BYTES = re.compile(r"(?:\\'[0-9a-fA-F]{2})+")


def undo_rtf_bytes(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Undo ``caf\'e9`` and ``didn\'92t``, bytes of Windows-1252 as RTF writes them, where they make known words.

    >>> RTF_BYTES(r"Die Gr\'fc\'dfe, it didn\'92t"), RTF_BYTES(r"d\'ebut, ma\'ana \'c7")
    ('Die Grüße, it didn’t', "d\\'ebut, ma\\'ana \\'c7")
    """
    if is_code(_BYTES.sub("", text)):
        return
    found = list(_BYTES.finditer(text))
    for charset in ("cp1252", "cp1251", "cp1250"):
        try:
            read = [bytes.fromhex(m[0].replace("\\'", "")).decode(charset) for m in found]
        except UnicodeDecodeError:
            continue
        changes = [Change(m.start(), m.end(), after, 0.8) for m, after in zip(found, read, strict=True)]
        made = [word.split("’")[0] for word in words(apply_changes(text, changes))]
        spelled = [word for word in made if not word.isascii()]
        sure = any(len(word) > 2 for word in spelled) or any(
            c.after == "’" and is_word(word_around(text, c.start, c.end, c.after).split("’")[0]) for c in changes
        )
        if sure and all(map(is_word, spelled)) and all(after.replace("\xa0", "").isprintable() for after in read):
            yield from changes
            return


RTF = Rule("rtf", 1, read_rtf, r"\A\s*\{\\rtf")
RTF_BYTES = Rule("rtf_bytes", 1, undo_rtf_bytes, r"\\'[0-9a-fA-F]{2}")

RICH_TEXT: tuple[Rule, ...] = (RTF, RTF_BYTES)
"""The rules for Rich Text Format, in order."""
