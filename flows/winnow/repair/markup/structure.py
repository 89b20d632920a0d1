"""What a run of tags stood for in the lines of a text: nothing, a space, a cell, a line, a list item, a quote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from winnow.repair.markup.tag_names import BLOCK, CELL, HEADING, REPLACED, TABLE
from winnow.repair.markup.tags import Tag

NOTHING, SPACE, CELL_END, LINE = range(4)

_BULLETED = re.compile(r"[-*•·‣–] |\d{1,3}[.)] ")
_CLOSING_SIGN = re.compile(r"[!?.,;:](?=\s|\Z|<)")
_BLANK_LINE = re.compile(r"\n[ \t\xa0]*\n")
_STRUCTURAL = BLOCK | HEADING | TABLE | {"li", "blockquote"}


def inside_tables(found: Sequence[Tag]) -> list[bool]:
    """For each tag, whether the nearest structural tags before and after it belong to one table.

    Rows lose their opening tags in damage, so a table is told from what stands on both sides.
    """
    before: list[bool] = []
    now = False
    for tag in found:
        before.append(now)
        if tag.name in _STRUCTURAL and not (now and tag.name in ("p", "div")):
            now = tag.name in TABLE and not (tag.name == "table" and tag.closing)
    inside = [False] * len(found)
    now = False
    for at in range(len(found) - 1, -1, -1):
        tag = found[at]
        inside[at] = before[at] and now
        if tag.name in _STRUCTURAL and not (now and tag.name in ("p", "div")):
            now = tag.name in TABLE and not (tag.name == "table" and not tag.closing and tag.kind != "half")
    return inside


def level_of(tag: Tag, in_table: bool) -> int:
    """How strongly a tag parts what stands before it from what stands after it."""
    if tag.name in CELL:
        return CELL_END
    if in_table and tag.name in ("br", "p", "div", "li", "ul"):
        return SPACE
    if tag.name in _STRUCTURAL or tag.name in ("br", "hr"):
        return LINE
    return SPACE if tag.kind in ("comment", "hidden", "custom") or tag.name in REPLACED else NOTHING


def replacement(text: str, start: int, end: int, run: Sequence[Tag], tables: Sequence[bool]) -> tuple[int, int, str]:
    """The span around a run of tags to replace, white space beside it included, and what to put there.

    >>> from winnow.repair.markup.tags import tags
    >>> def lines(t):
    ...     run = list(tags(t)); return replacement(t, run[0].start, run[-1].end, run, inside_tables(run))
    >>> lines("one </p> <ul><li> two"), lines("one <b> two"), lines("on<b>e")
    ((3, 18, '\\n- '), (3, 8, ' '), (2, 5, ''))
    """
    level = max(level_of(tag, inside) for tag, inside in zip(run, tables, strict=True))
    spaces = " \t\n\xa0" if level >= CELL_END else " \t\xa0"
    low, high = start, end
    while low > 0 and text[low - 1] in spaces:
        low -= 1
    while high < len(text) and text[high] in spaces:
        high += 1
    gaps = [text[low:start], text[end:high]]
    gaps += [text[a.end : b.start] for a, b in pairwise(run)]
    at_start, at_end = low == 0, high == len(text)
    if level < CELL_END:
        return low, high, _inline(text, low, high, start, gaps, level)
    blank = any(_BLANK_LINE.search(gap) for gap in gaps)
    prefix = _prefix(run) if not at_end else ""
    if prefix == "- " and _BULLETED.match(text, high, high + 6):
        prefix = ""
    if at_end:
        return low, high, "\n" if "\n" in gaps[1] else ""
    if at_start:
        return low, high, prefix
    if not prefix and _CLOSING_SIGN.match(text, high) and text[low - 1].isalnum():
        return low, high, ""  # the sign ends the sentence before the tags
    if level == CELL_END:
        # A cell beside a line that has nothing yet is that line's first.
        return low, high, " | "
    return low, high, ("\n\n" if blank else "\n") + prefix


def _inline(text: str, low: int, high: int, start: int, gaps: Sequence[str], level: int) -> str:
    """What stands instead of tags that part no lines: the white space that was there, once."""
    if any("\n" in gap for gap in gaps[2:]):
        return "\n\n" if any(_BLANK_LINE.search(gap) for gap in gaps[2:]) else "\n"
    if low == 0 or text[low - 1] == "\n":
        return "" if high == len(text) or text[high] == "\n" else text[low:start]
    if high == len(text) or text[high] == "\n":
        return ""
    return " " if level == SPACE or any(gaps) else ""


def _prefix(run: Sequence[Tag]) -> str:
    """What the line after the run begins with: a list item's dash, a quote's mark."""
    for tag in reversed(run):
        if tag.name in _STRUCTURAL and tag.name not in ("p", "div"):
            if tag.closing or tag.name not in ("li", "blockquote"):
                return ""
            return "- " if tag.name == "li" else "> "
    return ""
