"""Control and invisible characters: take out what carries no meaning, leave what does.

Left alone, because it has a use: joiners (Persian, Indic scripts, emoji), direction marks, soft hyphens,
zero-width spaces (Thai, Khmer, long addresses), no-break and ideographic spaces, variation selectors, tag
characters that end a flag, private-use characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from winnow.base.records import without_lone_surrogates
from winnow.repair.encoding.plausible import is_word, word_around
from winnow.repair.engine.rule import Change, Evidence, Rule

# re, not re2, for a few characters in a row: nothing can backtrack, and offsets are code points.
_LINE_ENDS = re.compile(r"\r\n?|[\v\f\u2028\u2029]")
_OVERSTRIKE = re.compile(r"[^\n\x08](\x08+)(?:( +)(\x08+))?")
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")
# ECMA-48: CSI; OSC and other strings up to BEL or ST, within one line; escapes of two or three characters.
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|[\]PX^_][^\x07\x1b\n]{0,1000}(?:\x07|\x1b\\)"
    r"|[ -/]{1,4}[0-~]|[0-Z\\^-~])"
)
_CONTROLS = re.compile(r"[\x00-\x08\v\f\x0e-\x1f\x7f]+|[\u206a-\u206f\ufff9-\ufffc]+")
_WIDE = re.compile(r"(?:[^\x00]\x00){3,1000}|(?:\x00[^\x00]){3,1000}")
_SEPARATORS = frozenset("\0\x1c\x1d\x1e\x1f")
_ROW_END = "\a\a"  # ends the rows of Word's tables, as one BEL does the cells
_WORDS_HYPHEN = "\x1f"  # Word's own soft hyphen
_LIGATURES = ("fi", "ff", "ffi", "fl", "ffl")
_LETTERS = re.compile(r"[^\W\d_]*")
MAX_PIECE = 30  # characters on either side of a lost ligature that are looked at
_BYTE_ORDER_MARKS = re.compile("\ufeff+")
IN_TEXT = 0.4  # confidence in a mark inside a text: it may be meant as a zero-width no-break space
# A black flag, tag letters and the closing tag are the flag of a region; all other tags are unseen text, and so are
# variation selectors in a row, of which a character has one.
_TAGS = re.compile(
    "\U0001f3f4[\U000e0030-\U000e007a]{3,6}\U000e007f|[\U000e0000-\U000e007f]+|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}"
)


def join_surrogates(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Join surrogates that were decoded one by one; one without its other half stands for nothing: U+FFFD.

    >>> SURROGATES("\ud83d\ude00 \ud83d") == "\U0001f600 \ufffd"
    True
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        for found in _SURROGATES.finditer(text):
            yield Change(found.start(), found.end(), without_lone_surrogates(found[0]))


def unify_line_ends(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Make every line end a line feed; a page or vertical feed beside one just goes.

    >>> LINE_ENDS("a\r\nb\rc\u2028d\n\x0ce")
    'a\nb\nc\nd\ne'
    """
    for found in _LINE_ENDS.finditer(text):
        at = found.start()
        inside = text[at - 1 : at].isalpha() and text[at + 1 : at + 2].isalpha()
        if found[0] in "\v\f" and inside and is_lost_ligature(text, at):
            continue  # TeX's fonts have a ligature there
        beside_one = at == 0 or text[at - 1] in "\r\n" or text[at + 1 : at + 2] in ("", "\n", "\r")
        goes = found[0] == "\r\n" or (found[0] in "\v\f" and beside_one)
        yield Change(at, at + 1, "" if goes else "\n")


def remove_terminal_escapes(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Take out colour codes, cursor moves and window titles meant for a terminal (ECMA-48).

    Left alone, for `remove_control_characters`: an escape that stands for a ligature.

    >>> TERMINAL_ESCAPES("\x1b[1;31mred\x1b[0m \x1b]0;title\x07text"), TERMINAL_ESCAPES("di\x1berent")
    ('red text', 'di\x1berent')
    """
    for found in _ESCAPES.finditer(text):
        if len(found[0]) > 2 or not is_lost_ligature(text, found.start()):
            yield Change(found.start(), found.end(), "")


def undo_overstrikes(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Undo bold and underline that a printer made by striking twice, as manual pages do, and what was erased again.

    >>> OVERSTRIKES("N\x08NA\x08AM\x08ME\x08E _\x08f_\x08i_\x08l_\x08e"), OVERSTRIKES("lss\x08 \x08, he\x08\x08help")
    ('NAME file', 'ls, help')
    """
    done = 0
    for found in _OVERSTRIKE.finditer(text):
        back = found.end(1)
        size = back - found.start(1)
        start = found.start(1) - size
        struck, over = text[max(start, 0) : found.start(1)], text[back : back + size]
        if start < done or "\n" in struck:
            continue
        if found[2] and len(found[2]) == len(found[3]) == size:
            change = Change(start, found.end(), "")
        elif struck == over or set(struck) == {"_"}:
            change = Change(start, back, "")
        elif set(over) == {"_"} and len(over) == size:
            change = Change(back - size, back + size, "")
        else:
            continue
        done = change.end
        yield change


def remove_control_characters(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Take out control characters other than tab and line feed, and deprecated or placeholder ones (UTR 20).

    Where a letter was lost, U+FFFD says so: the pieces become a word with a ligature between them. Those that separate,
    NUL, U+001C to U+001F and, in tables, BEL, leave a space between their neighbours, but for U+001F inside a word. In
    UTF-16 read byte by byte NUL stands after each letter, and just goes. C1 controls are left to
    `winnow.repair.encoding.mojibake`: they are letters and signs that were decoded wrongly.

    >>> CONTROL_CHARACTERS("h\x00e\x00l\x00l\x00o\x00\tworld\ufffc"), CONTROL_CHARACTERS("red\x1fgreen\x00blue")
    ('hello\tworld', 'red green blue')
    >>> CONTROL_CHARACTERS("the o\x00ce") == "the o\ufffdce"
    True
    """
    wide = [found.span() for found in _WIDE.finditer(text)]
    separators = _SEPARATORS | set(_ROW_END) if _ROW_END in text else _SEPARATORS
    at = 0
    for found in _CONTROLS.finditer(text):
        start, end = found.span()
        while at < len(wide) and wide[at][1] <= start:
            at += 1
        if at < len(wide) and wide[at][0] <= start and set(found[0]) == {"\0"}:
            yield Change(start, end, "")
        elif end - start == 1 and is_lost_ligature(text, start):
            yield Change(start, end, "\ufffd", 0.9)
        else:
            before, after = text[start - 1 : start], text[end : end + 1]
            parts = not separators.isdisjoint(found[0]) and before.strip() and after.strip()
            in_word = found[0] == _WORDS_HYPHEN and is_word(word_around(text, start, end, ""))
            yield Change(start, end, " " if parts and not in_word else "")


def is_lost_ligature(text: str, at: int) -> bool:
    r"""Whether a control character stands where a ligature was: with one the letters around it are a word.

    >>> is_lost_ligature("traf\x00c", 4), is_lost_ligature("red\x00green", 3)
    (True, False)
    """
    return _is_ligature_between(text[max(0, at - MAX_PIECE) : at], text[at + 1 : at + 1 + MAX_PIECE])


@lru_cache(maxsize=4096)
def _is_ligature_between(before: str, after: str) -> bool:
    """Whether the letters on either side are a word with a ligature between them, and not two words."""
    # Read backwards: a search for letters that end there would start again at each of them.
    left, right = _LETTERS.match(before[::-1]), _LETTERS.match(after)
    assert left is not None and right is not None
    first, last = left[0][::-1], right[0]
    if not first + last or not ("a" + (first + last)[1:]).islower():
        return False
    if min(len(first), len(last)) > 2 and is_word(first) and is_word(last):
        return False
    short = len(first + last) < 2
    return any(is_word(first + ligature + last, common=short) for ligature in _LIGATURES)


def remove_byte_order_marks(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Take out the byte-order mark a text begins with; one inside it, where files may have been glued, is suspected.

    >>> [(c.start, c.confidence) for c in BYTE_ORDER_MARKS.find("\ufeffone\n\ufefftwo", Evidence())]
    [(0, 1.0), (5, 0.4)]
    """
    for found in _BYTE_ORDER_MARKS.finditer(text):
        yield Change(found.start(), found.end(), "", IN_TEXT if found.start() else 1.0)


def remove_tag_characters(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Take out text hidden in tag characters or variation selectors; the flags of England, Scotland and Wales stay.

    >>> TAG_CHARACTERS("plain\U000e0068\U000e0069 text")
    'plain text'
    """
    for found in _TAGS.finditer(text):
        if found[0][0] != "\U0001f3f4":
            yield Change(found.start(), found.end(), "")


SURROGATES = Rule("surrogates", 1, join_surrogates, "")
LINE_ENDS = Rule("line_ends", 2, unify_line_ends, r"[\r\v\f\x{2028}\x{2029}]")
TERMINAL_ESCAPES = Rule("terminal_escapes", 2, remove_terminal_escapes, r"\x1b")
OVERSTRIKES = Rule("overstrikes", 2, undo_overstrikes, r"\x08")
CONTROL_CHARACTERS = Rule(
    "control_characters", 3, remove_control_characters,
    r"[\x00-\x08\v\f\x0e-\x1f\x7f\x{206a}-\x{206f}\x{fff9}-\x{fffc}]",
)  # fmt: skip
BYTE_ORDER_MARKS = Rule("byte_order_marks", 1, remove_byte_order_marks, r"\x{feff}")
TAG_CHARACTERS = Rule(
    "tag_characters", 2, remove_tag_characters,
    r"[\x{e0000}-\x{e01ef}]|[\x{fe00}-\x{fe0f}]{2}",
)  # fmt: skip

INVISIBLE: tuple[Rule, ...] = (
    SURROGATES, LINE_ENDS, TERMINAL_ESCAPES, OVERSTRIKES, CONTROL_CHARACTERS, BYTE_ORDER_MARKS, TAG_CHARACTERS,
)  # fmt: skip
"""The rules for control and invisible characters, in order; surrogates first, for RE2 cannot read them."""
