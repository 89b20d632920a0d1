"""Tables of wiki source, ``{| |- | a || b |}``, and what extractors leave of them: rows as ``a | b``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.repair.engine.rule import Change

_NAME = (
    r"(?:col|row)span|style|align|valign|width|height|bgcolor|class|scope|nowrap|id|data-sort-\w{1,10}|lang|dir|title"
)
_ATTRIBUTE = rf"(?:{_NAME})\s?=\s?(?:\"[^\"|\n]{{0,300}}\"|'[^'|\n]{{0,300}}'|[\w#%.-]{{1,40}})"
_ATTRIBUTES = rf"(?:[ \t]{{0,9}}{_ATTRIBUTE}){{1,12}}[ \t]{{0,9}}\|(?!\|)"
# By itself it is a table's: a shell's ``a || id=5 | b`` has no such attribute.
_SURE = r"(?:(?:col|row)span|style|align|valign|width|bgcolor)\s?=\s?\"[^\"|\n]{0,300}\"[ \t]{0,9}"
_SURE_CELL = re.compile(rf"(?:\|\||!!|^[|!])[ \t]{{0,9}}(?:{_SURE}){{1,9}}\|(?!\|)", re.IGNORECASE)
_VALUE = re.compile(r"=\s?\"")  # which each of these has
_MARK = re.compile(
    rf"(?P<gone>^[ \t]{{0,9}}(?:\{{\|[^\n]{{0,600}}|\|-[^\n]{{0,600}}|\|\}}[ \t]{{0,9}})(?:\n|\Z))"
    rf"|(?P<caption>^[ \t]{{0,9}}\|\+(?:{_ATTRIBUTES})?[ \t]{{0,9}})"
    rf"|(?P<line>^[ \t]{{0,9}}[|!](?:{_ATTRIBUTES})?[ \t]{{0,9}})"
    rf"|(?P<cell>[ \t]{{0,9}}(?:\|\||!!)(?:{_ATTRIBUTES})?[ \t]{{0,9}})",
    re.MULTILINE | re.IGNORECASE,
)

_PROGRAM = re.compile(r"^[ \t]*(?:>>> |(?:def|class) \w+[(:]|import \w|from [\w.]+ import |#include\b)", re.MULTILINE)


def has_table(text: str) -> bool:
    """Whether a whole table stands in a text: it opens, has rows, and ends.

    >>> has_table('{| class="x"\\n|-\\n| a || b\\n|}'), has_table("{| a |}"), has_table("x || y")
    (True, False, False)
    """
    return any(_spans(text, only_whole=True))


def table_changes(text: str) -> Iterator[Change]:
    """What makes rows ``a | b`` of the tables of a text; links and emphasis in their cells are not touched.

    >>> from winnow.repair.engine.rule import apply_changes
    >>> table = '{| class="x"\\n|+ Votes\\n|-\\n! Ward !! width=9 | Yes\\n|- style="y"\\n| North\\n| 12\\n|}\\nEnd'
    >>> apply_changes(table, table_changes(table))
    'Votes\\nWard | Yes\\nNorth | 12\\nEnd'
    >>> apply_changes('3 || colspan="2"|4\\n|-\\nx || y', table_changes('3 || colspan="2"|4\\n|-\\nx || y'))
    '3 | 4\\nx | y'
    """
    for start, end in _spans(text, only_whole=False):
        in_row = False
        for mark in _MARK.finditer(text, start, end):
            if mark["gone"] is not None:
                in_row = False
                last = mark.end() == len(text) and mark.start() > 0
                yield Change(mark.start() - last, mark.end(), "", 0.7)  # with the line break before the last line
            elif mark["caption"] is not None:
                yield Change(mark.start(), mark.end(), "", 0.7)
            elif mark["line"] is not None:
                joins = in_row and text[mark.start() - 1 : mark.start()] == "\n"
                yield Change(mark.start() - joins, mark.end(), " | " if joins else "", 0.7)
                in_row = True
            else:
                yield Change(mark.start(), mark.end(), " | ", 0.7)


def _spans(text: str, only_whole: bool) -> Iterator[tuple[int, int]]:
    """Where tables stand that hold no others, and groups of lines that only cells of tables have; not in a program."""
    if ("{|" not in text and (only_whole or _VALUE.search(text) is None)) or _PROGRAM.search(text):
        return
    start, at, opened, rows, odd = -1, 0, False, 0, False
    for line in [*text.splitlines(keepends=True), None]:
        bare = (line or "").lstrip(" \t")
        if bare.startswith("{|"):
            start, opened, rows, odd = at, True, 0, False
        elif opened:
            rows += bare.startswith("|-") or bare[:1] == "!"
            if bare.startswith("|}") and not bare.startswith("|}}"):
                if rows:
                    yield start, at + len(line or "")
                start, opened = -1, False
            elif line is None:
                start, opened = -1, False
        elif not only_whole and bare and (bare[0] in "|!" or "||" in bare):
            start = at if start < 0 else start
            odd = odd or _SURE_CELL.search(bare) is not None
        else:
            if start >= 0 and odd:
                yield start, at
            start, odd = -1, False
        at += len(line or "")
