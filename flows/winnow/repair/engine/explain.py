"""Show a ledger to a person: each edit with the text around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from winnow.base.records import Edit
from winnow.repair.engine.ledger import passes, replay

CONTEXT = 24  # characters of the line shown on either side


@dataclass(frozen=True, slots=True)
class Shown:
    """An edit, the line (from 1) it stands on at its time, and what stands left and right of it on that line."""

    edit: Edit
    line: int
    left: str
    right: str


def shown_edits(text: str, edits: Sequence[Edit]) -> Iterator[Shown]:
    """The edits of a decoded text in order, suspicions last, each with its surroundings.

    >>> edits = [Edit(0, "e", 1, 1, 6, "&amp;", "&", 1, True)]
    >>> [(s.left, s.edit.before, s.right) for s in shown_edits("a&amp;b", edits)]
    [('a', '&amp;', 'b')]
    """
    applied = [e for e in edits if e.applied]
    for run in passes(applied):
        delta = line_start = 0
        line = 1
        for edit in run:
            begin = edit.start - delta
            line += text.count("\n", line_start, begin)
            line_start = begin
            yield Shown(edit, line, _left(text, begin), _right(text, begin + len(edit.before)))
            delta += len(edit.after) - len(edit.before)
        text = replay(text, run)
    for edit in edits:
        if not edit.applied:
            line = text.count("\n", 0, edit.start) + 1
            yield Shown(edit, line, _left(text, edit.start), _right(text, edit.end))


def _left(text: str, at: int) -> str:
    return text[max(at - CONTEXT, 0) : at].rpartition("\n")[2]


def _right(text: str, at: int) -> str:
    return text[at : at + CONTEXT].partition("\n")[0]
