"""A ledger turned into pairs: which stretch of the decoded text became which stretch of the repaired one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from winnow.report.report_data import Piece


@dataclass(frozen=True, slots=True)
class Step:
    """The part of an applied edit that is needed to take it back."""

    seq: int
    rule: str
    start: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PassageEnd:
    """Length of a passage in characters of repaired text with the gap after it, and why it was removed, if it was."""

    length: int
    reason: str | None = None


class Misfit(ValueError):
    """The ledger does not fit the text."""


def align(repaired: str, steps: Sequence[Step]) -> list[Piece]:
    """Pieces whose `clean` texts join to `repaired`, and whose `raw` texts join to the decoded text.

    The steps are taken back, last first, on a list of pieces; a piece that was never changed can be cut
    anywhere, one that was changed is swallowed whole by a change that touches it. Each step sums up the pieces'
    lengths, so this is for samples. Raises Misfit where a step is not found in the text.

    >>> align("a & b", [Step(0, "entities", 2, "&amp;", "&")])  # doctest: +NORMALIZE_WHITESPACE
    [Piece(raw='a ', clean='a ', rules=(), removed=None),
     Piece(raw='&amp;', clean='&', rules=('entities',), removed=None),
     Piece(raw=' b', clean=' b', rules=(), removed=None)]
    """
    pieces, sizes = [Piece(repaired, repaired)], [len(repaired)]
    for step in reversed(steps):
        _take_back(pieces, sizes, step)
    return [p for p in pieces if p.raw or p.clean]


def decoded(pieces: Iterable[Piece]) -> str:
    """The text before repair."""
    return "".join(p.raw for p in pieces)


def _take_back(pieces: list[Piece], sizes: list[int], step: Step) -> None:
    """Takes a step back in place; `sizes` are the lengths of the pieces' raw texts."""
    start, end = step.start, step.start + len(step.after)
    ends = list(accumulate(sizes))
    first, stop = bisect_left(ends, start), bisect_left(ends, end) + 1  # only pieces between can be touched
    before: list[Piece] = []
    after: list[Piece] = []
    found: list[str] = []  # the text that the step is taken from
    lead: list[str] = []  # of swallowed pieces, what stands before it, and behind it
    tail: list[str] = []
    clean: list[str] = []
    rules = [step.rule]
    at = ends[first - 1] if first else 0
    for piece in pieces[first:stop]:
        low, high = at, at + len(piece.raw)
        at = high
        if high < start or (high == start and not piece.rules):
            before.append(piece)
            continue
        if low >= end:
            after.append(piece)
            continue
        cut_low, cut_high = max(start - low, 0), min(end - low, len(piece.raw))
        found.append(piece.raw[cut_low:cut_high])
        if piece.rules:
            lead.append(piece.raw[:cut_low])
            tail.append(piece.raw[cut_high:])
            clean.append(piece.clean)
            rules += [r for r in piece.rules if r not in rules]
            continue
        if cut_low:
            before.append(Piece(piece.raw[:cut_low], piece.clean[:cut_low]))
        clean.append(piece.clean[cut_low:cut_high])
        if cut_high < len(piece.raw):
            after.append(Piece(piece.raw[cut_high:], piece.clean[cut_high:]))
    if "".join(found) != step.after or start > ends[-1]:
        raise Misfit(f"rule {step.rule}: {step.after!r:.60} does not stand at {step.start}")
    raw = "".join((*lead, step.before, *tail))
    made = [*before, Piece(raw, "".join(clean), tuple(rules)), *after]
    pieces[first:stop], sizes[first:stop] = made, [len(piece.raw) for piece in made]


def mark_removed(pieces: Sequence[Piece], passages: Iterable[PassageEnd]) -> list[Piece]:
    """The same pieces, cut where passages end, each with the reason its passage was removed for.

    `passages` stand in order. A changed piece that reaches over an end goes with the passage it starts in.

    >>> [p.removed for p in mark_removed([Piece("abcd", "abcd")], [PassageEnd(1), PassageEnd(3, "promo")])]
    [None, 'promo']
    """
    out: list[Piece] = []
    ends = iter(passages)
    left, reason = 0, None
    for piece in pieces:
        rest = piece
        while True:
            while left <= 0 and (end := next(ends, None)) is not None:
                left, reason = left + end.length, end.reason
            if rest.rules or len(rest.clean) <= left or left <= 0:
                break
            out.append(Piece(rest.raw[:left], rest.clean[:left], (), reason))
            rest = Piece(rest.raw[left:], rest.clean[left:])
            left = 0
        left -= len(rest.clean)
        out.append(Piece(rest.raw, rest.clean, rest.rules, reason))
    return out


def shorten(pieces: Sequence[Piece], limit: int, around: int = 300) -> tuple[list[Piece], int]:
    """The pieces in at most about `limit` characters, and how many characters that leaves out.

    Long unchanged stretches lose their middle first, so that the changes stay in view; what is still too
    much is cut off at the end.

    >>> pieces, cut = shorten([Piece("x" * 1000, "x" * 1000)], 100, around=10)
    >>> len(pieces[0].clean), cut
    (23, 980)
    """
    total = sum(max(len(p.raw), len(p.clean)) for p in pieces)
    if total <= limit:
        return list(pieces), 0
    out: list[Piece] = []
    size = cut = 0
    for piece in pieces:
        length = max(len(piece.raw), len(piece.clean))
        if size >= limit:
            cut += length
            continue
        if not piece.rules and length > 2 * around:
            text = f"{piece.clean[:around]}\n…\n{piece.clean[-around:]}"
            cut += length - 2 * around
            piece = Piece(text, text, (), piece.removed)
        elif length > limit:
            cut += length - limit
            piece = Piece(piece.raw[:limit], piece.clean[:limit], piece.rules, piece.removed)
        size += max(len(piece.raw), len(piece.clean))
        out.append(piece)
    return out, cut
