"""Replay a ledger of edits, forwards and backwards, in time linear in text and edits for each pass of a rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from winnow.base.errors import LedgerError
from winnow.base.records import Edit


def replay(text: str, edits: Iterable[Edit]) -> str:
    """Apply the applied edits, in order, to the decoded text; gives the repaired text.

    Raises LedgerError where the text does not hold what an edit says stood there.

    >>> replay("a&amp;b", [Edit(0, "entities", 1, 1, 6, "&amp;", "&", 1.0, True)])
    'a&b'
    """
    for run in passes([e for e in edits if e.applied]):
        text = _make(text, [(e.start, e.before, e.after, e.seq) for e in run])
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
            mirrored.append((edit.start + delta, edit.after, edit.before, edit.seq))
            delta += len(edit.before) - len(edit.after)
        text = _make(text, mirrored)
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


def _make(text: str, steps: Sequence[tuple[int, str, str, int]]) -> str:
    out: list[str] = []
    at = 0  # how far of `text` is written
    delta = 0  # a step's offset is that in the text in which the run's earlier steps are already made
    for start, old, new, seq in steps:
        begin = start - delta
        if not text.startswith(old, begin) or begin < at:
            found = text[max(begin, 0) : max(begin, 0) + len(old)]
            raise LedgerError(f"edit {seq} expects {old!r} at offset {start}, found {found!r}")
        out.append(text[at:begin])
        out.append(new)
        at = begin + len(old)
        delta += len(new) - len(old)
    out.append(text[at:])
    return "".join(out)
