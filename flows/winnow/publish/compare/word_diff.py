"""A word-level comparison of two texts."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_LIMIT = 4_000  # difflib takes quadratic time; a longer stretch without a common line is shown as a whole


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that both have, or that only one has."""

    kind: Literal["same", "gone", "come"]
    text: str


def diff_words(before: str, after: str) -> list[Span]:
    """What to strike out of `before` and what to write in to get `after`, word by word.

    >>> [(s.kind, s.text) for s in diff_words("a b c", "a x c")]
    [('same', 'a '), ('gone', 'b'), ('come', 'x'), ('same', ' c')]
    """
    spans: list[Span] = []
    for old, new in _by_lines(before, after):
        if old == new:
            _add(spans, "same", old)
        else:
            _compare(spans, old, new)
    return spans


def _by_lines(before: str, after: str) -> list[tuple[str, str]]:
    """Cut both texts at lines that both have; between them, what differs."""
    a, b = before.splitlines(keepends=True), after.splitlines(keepends=True)
    pieces: list[tuple[str, str]] = []
    for (a0, b0), (a1, b1) in pairwise([(-1, -1), *anchors(a, b), (len(a), len(b))]):
        if a0 >= 0:
            pieces.append((a[a0], b[b0]))
        pieces.append(("".join(a[a0 + 1 : a1]), "".join(b[b0 + 1 : b1])))
    return pieces


def anchors(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Pairs of places of the items that stand once in `a` and once in `b`, as many as go in one order.

    Bram Cohen's patience diff: the longest increasing subsequence by card piles, n log n.

    >>> anchors("abcd", "xacbd")
    [(0, 1), (2, 2), (3, 4)]
    """
    where_a, where_b = _once(a), _once(b)
    pairs = [(at, where_b[item]) for item, at in where_a.items() if item in where_b]
    tops: list[int] = []  # place in b of the top card of each pile
    last: list[int] = []  # number in `pairs` of that card
    before: list[int] = []
    for number, (_, at) in enumerate(pairs):
        pile = bisect_left(tops, at)
        before.append(last[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [at]
        last[pile : pile + 1] = [number]
    found: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _once(items: Sequence[Hashable]) -> dict[Hashable, int]:
    seen: dict[Hashable, int] = {}
    for number, item in enumerate(items):
        seen[item] = -1 if item in seen else number
    return {item: n for item, n in seen.items() if n >= 0}


def _compare(spans: list[Span], old: str, new: str) -> None:
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    if len(a) > _LIMIT or len(b) > _LIMIT:
        _add(spans, "gone", old)
        _add(spans, "come", new)
        return
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, a, b, autojunk=True).get_opcodes():
        if tag == "equal":
            _add(spans, "same", "".join(a[a0:a1]))
        else:
            _add(spans, "gone", "".join(a[a0:a1]))
            _add(spans, "come", "".join(b[b0:b1]))


def _add(spans: list[Span], kind: Literal["same", "gone", "come"], text: str) -> None:
    if not text:
        return
    if spans and spans[-1].kind == kind:
        spans[-1] = Span(kind, spans[-1].text + text)
    else:
        spans.append(Span(kind, text))
