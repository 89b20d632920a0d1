"""From a line and its repaired form to changes that hold the damaged spots and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.repair.engine.rule import Change


def tight_changes(at: int, before: str, after: str, confidence: float) -> Iterator[Change]:
    """Changes that lead from `before`, which stands at offset `at`, to `after`; one a damaged spot where that is exact.

    Wrong decoding leaves printable ASCII as it is, so the same runs of it stand in both forms, in the same order; and
    often the same white space and signs. Both forms are cut at those; where that fails, one trimmed change is given.

    >>> [(c.start, c.end, c.after) for c in tight_changes(0, "«Ã©» dÃ©jÃ\xa0 vu", "«é» déjà vu", 1.0)]
    [(1, 3, 'é'), (6, 8, 'é'), (9, 11, 'à')]
    """
    signs = {c for c in set(before) & set(after) if c > "~" or c <= " "}
    signs = {c for c in signs if not c.isalnum() and before.count(c) == after.count(c)}
    for extra in (re.escape("".join(sorted(signs))), ""):
        fixed = re.compile(f"[!-~{extra}]+")
        runs = fixed.findall(before)
        if runs == fixed.findall(after):
            break
    else:
        yield from trimmed(at, before, after, confidence)
        return
    left, right = 0, 0
    for run in runs:
        end_left, end_right = before.index(run, left), after.index(run, right)
        yield from trimmed(at + left, before[left:end_left], after[right:end_right], confidence)
        left, right = end_left + len(run), end_right + len(run)
    yield from trimmed(at + left, before[left:], after[right:], confidence)


def trimmed(at: int, before: str, after: str, confidence: float) -> Iterator[Change]:
    """One change without the characters that both forms begin and end with; none where they are equal.

    >>> list(trimmed(5, "abXc", "abYYc", 0.9))
    [Change(start=7, end=8, after='YY', confidence=0.9)]
    """
    if before == after:
        return
    limit = min(len(before), len(after))
    head = 0
    while head < limit and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < limit - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    yield Change(at + head, at + len(before) - tail, after[head : len(after) - tail], confidence)
