"""The ledger of edits: replayed, undone, and shown to a person.

Time is linear in text and edits for each pass of a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from winnow.base.errors import LedgerError
from winnow.base.records import Edit

MASK = "\u2588"
"""A full block: stands in a ledger for each character of personal data that was replaced."""


def is_masked(edit: Edit) -> bool:
    """Whether an edit holds personal data no more, so that undoing it gives blocks and not the text as it was read."""
    held = edit.before or edit.after
    return bool(held) and not held.strip(MASK)


def replay(text: str, edits: Iterable[Edit]) -> str:
    """Apply the applied edits, in order, to the decoded text; gives the repaired text.

    Raises LedgerError where the text does not hold what an edit says stood there.

    >>> replay("a&amp;b", [Edit(0, "entities", 1, 1, 6, "&amp;", "&", 1.0, True)])
    'a&b'
    """
    for run in passes([e for e in edits if e.applied]):
        text = make(text, run)
    return text


def undo(text: str, edits: Sequence[Edit]) -> str:
    """Take the applied edits back, last first; turns the repaired text into the decoded text.

    >>> undo("a&b", [Edit(0, "entities", 1, 1, 6, "&amp;", "&", 1.0, True)])
    'a&amp;b'
    """
    for run in reversed(passes([e for e in edits if e.applied])):
        # At the end of a pass each step's text still stands at its own start: what came later lay to its right.
        delta = 0
        mirrored = []
        for edit in run:
            mirrored.append(edit._replace(start=edit.start + delta, before=edit.after, after=edit.before))
            delta += len(edit.before) - len(edit.after)
        text = make(text, mirrored)
    return text


def passes(edits: Sequence[Edit]) -> list[list[Edit]]:
    """Cut edits into runs in which each starts at or after the end of what the one before it left.

    One run can be made in a single walk over the text, which keeps a replay linear.
    """
    runs: list[list[Edit]] = []
    floor = -1
    for edit in edits:
        if not runs or edit.start < floor:
            runs.append([])
        runs[-1].append(edit)
        floor = edit.start + len(edit.after)
    return runs


def make(text: str, run: Sequence[Edit]) -> str:
    """The text with the edits of one run made, each at its place in the text that those before it left."""
    out: list[str] = []
    at = 0  # how far of `text` is written
    delta = 0  # an edit's offset is that in the text in which the run's earlier edits are already made
    for edit in run:
        begin = edit.start - delta
        if begin < at or not (text.startswith(edit.before, begin) or _fits_masked(text, begin, edit.before)):
            found = text[max(begin, 0) : max(begin, 0) + len(edit.before)]
            raise LedgerError(f"edit {edit.seq} expects {edit.before!r} at offset {edit.start}, found {found!r}")
        out += (text[at:begin], edit.after)
        at = begin + len(edit.before)
        delta += len(edit.after) - len(edit.before)
    out.append(text[at:])
    return "".join(out)


def _fits_masked(text: str, begin: int, before: str) -> bool:
    """Whether `before` stands in the text from `begin` on, where a block stands for any character."""
    stands = text[begin : begin + len(before)]
    return (
        begin >= 0
        and MASK in before
        and len(stands) == len(before)
        and all(b in (MASK, s) for b, s in zip(before, stands, strict=True))
    )


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
    for run in passes([e for e in edits if e.applied]):
        delta = line_start = 0
        line = 1
        for edit in run:
            begin = edit.start - delta
            line += text.count("\n", line_start, begin)
            line_start = begin
            yield _shown(text, edit, line, begin)
            delta += len(edit.after) - len(edit.before)
        text = replay(text, run)
    for edit in edits:
        if not edit.applied:
            yield _shown(text, edit, text.count("\n", 0, edit.start) + 1, edit.start)


def _shown(text: str, edit: Edit, line: int, begin: int) -> Shown:
    end = begin + len(edit.before)
    left, right = text[max(begin - CONTEXT, 0) : begin], text[end : end + CONTEXT]
    return Shown(edit, line, left.rpartition("\n")[2], right.partition("\n")[0])
