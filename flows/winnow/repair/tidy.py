"""Tidying of white space: what every repaired text can be relied on to have.

No white space at line ends, no blank line at the start or the end, at most one blank line in a row; line feeds only,
which `winnow.repair.invisible` sees to. Indentation at the start of a line stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.repair.engine.rule import Change, Evidence, Rule

# ASCII spaces, NBSP, ideographic and typographic spaces: what str.rstrip takes off.
_SPACE_AT_END = (
    r"[ \t\v\f\x1c-\x1f\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}](?:\n|\z)"
)
_LINE_FEEDS = re.compile(r"\n+")
_SPACED_END = re.compile(r"\n(?<=[^\S\n]\n)")  # begins with its sign, so is found far faster


def strip_line_ends(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Take white space off the ends of lines.

    No-break and typographic spaces at the end of a text of one line stay: it is a cell, and may hold nothing else.
    By hand: an expression for spaces before a line's end would start again at each space of a long run.

    >>> TRAILING_SPACES("  kept  \n\u3000\nend\t")
    '  kept\n\nend'
    """
    if "\n" not in text and not text[len(text.rstrip()) :].isascii():
        bare = text.rstrip(" \t\v\f\x1c\x1d\x1e\x1f")
        if len(bare) < len(text):
            yield Change(len(bare), len(text), "")
        return
    ends = [found.start() for found in _SPACED_END.finditer(text)]
    if text[-1:].isspace() and not text.endswith("\n"):
        ends.append(len(text))
    for end in ends:
        start = text.rfind("\n", 0, end) + 1
        yield Change(start + len(text[start:end].rstrip()), end, "")


def close_up_blank_lines(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Leave at most one blank line in a row and none at either end; the last line's line feed goes with them.

    >>> BLANK_LINES("\n\n  a\n\n\n\nb\n")
    '  a\n\nb'
    """
    first = len(text) - len(text.lstrip("\n"))
    last = len(text.rstrip("\n"))
    if first:
        yield Change(0, first, "")
    if last <= first:
        return
    at = text.find("\n\n\n", first, last)  # far faster than an expression
    while run := _LINE_FEEDS.match(text, at) if at >= 0 else None:
        yield Change(at + 2, run.end(), "")
        at = text.find("\n\n\n", run.end(), last)
    if last < len(text):
        yield Change(last, len(text), "")


TRAILING_SPACES = Rule("trailing_spaces", 2, strip_line_ends, _SPACE_AT_END, thorough=True)
BLANK_LINES = Rule("blank_lines", 1, close_up_blank_lines, r"\A\n|\n\n\n|\n\z", thorough=True)

TIDY: tuple[Rule, ...] = (TRAILING_SPACES, BLANK_LINES)
"""The rules that tidy white space, in order."""
