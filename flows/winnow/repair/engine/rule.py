"""What a rule is: it looks at a text and proposes changes; it never makes them itself."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, wraps
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar, cast

import re2

from winnow.base.records import Edit

REACH = 4000  # characters; longer than nearly any paragraph
MAX_REMEMBERED = 4_000_000  # characters of lines that a function keeps its answers for
COST_OF_ONE = 200  # characters: what an answer takes besides its line
T = TypeVar("T")
P = ParamSpec("P")
Span = tuple[int, int]
"""Start and end of a stretch of a text."""


def roomy() -> re2.Options:
    """Returns options of RE2 with 64 MiB for an expression and its states; its own limit is made for small ones."""
    options = re2.Options()
    options.max_mem = 64 << 20
    return options


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re2._Regexp:
    """Compiles a large RE2 expression, as gates and signs of damage are."""
    return re2.compile(pattern, roomy())


@lru_cache(maxsize=256)  # what is asked of a text and of its lines has one automaton, and makes its states once
def detector(*patterns: str) -> Callable[[str | bytes], Sequence[int]]:
    """Returns what tells which of some RE2 expressions match in a text, by number.

    A search also tells where, which takes three to eight times as long on a line. Compiled when first asked.

    >>> sorted(detector("a+", "b", "c")("cab")), detector("a+", "b", "c")("no!")
    ([0, 1, 2], ())
    """
    match: Callable[[bytes], Sequence[int] | None] | None = None

    def matching(text: str | bytes) -> Sequence[int]:
        nonlocal match
        if match is None:
            together = re2.Set.SearchSet(roomy())
            for pattern in patterns:
                together.Add(pattern)
            together.Compile()
            match = together.Match
        return match(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text) or ()

    return matching


_BEYOND_ASCII = r"À-\x{1fff}\x{2071}-\x{209c}\x{2102}-\x{2188}\x{2c00}-\x{10ffff}"
A_LETTER, A_CAPITAL = f"[A-Za-zªµº{_BEYOND_ASCII}]", f"[A-Z{_BEYOND_ASCII}]"
"""RE2 expressions for a letter and a capital in a gate: all of them, and what else stands between.

`\\pL` is 650 ranges: a set of gates that asks for it takes eight times as long to compile, and its states twice.
"""


def in_any_case(pattern: str) -> str:
    """An expression of the `re` module that ignores case, for RE2, where it matches in no fewer texts.

    For `re` an i is then its Turkish forms too. RE2 knows ASCII alone as words, so ``\\b`` matches in more places.

    >>> in_any_case("(?i)is")
    '(?i:is)|[ıİ]'
    """
    return f"(?i:{pattern.removeprefix('(?i)')})|[ıİ]"


def remembered_by_line(answer: Callable[Concatenate[str, P], T]) -> Callable[Concatenate[str, P], T]:
    """Keeps what a pure function gave for lines, for the engine looks at a text more than once, and texts are alike.

    Forgets everything when the lines kept are `MAX_REMEMBERED` characters, so memory is bounded whatever the texts.
    """
    kept: dict[object, T] = {}
    size = 0

    @wraps(answer)
    def remembering(line: str, /, *rest: P.args, **named: P.kwargs) -> T:
        nonlocal size
        key = (line, *rest, *named.values())
        try:
            return kept[key]
        except KeyError:
            size += len(line) + COST_OF_ONE
        if size > MAX_REMEMBERED:
            kept.clear()
            size = len(line) + COST_OF_ONE
        found = kept[key] = answer(line, *rest, **named)
        return found

    return remembering


def line_end(text: str, at: int) -> int:
    """Where the line that holds offset `at` ends: at its line feed, or with the text."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


class Change(NamedTuple):  # a damaged text has many; a frozen dataclass takes twice as long to make
    """Replace ``text[start:end]`` by ``after``. ``confidence`` says how sure the rule is, 0 to 1."""

    start: int
    end: int
    after: str
    confidence: float = 1.0


@dataclass(slots=True)
class Evidence:
    """Where damage has been proven so far: sorted offsets in the text as it stands, kept in step by the engine."""

    points: list[int] = field(default_factory=list)
    everywhere: bool = False
    """Act as if damage had been proven on every line: the setting ``spacing = "everywhere"``."""
    by: frozenset[str] = frozenset()
    """Names of the rules that have changed the text so far."""
    _found: dict[Callable[[str], object], object] = field(default_factory=dict)
    _spans: dict[int, list[Span]] = field(default_factory=dict)

    def once(self, find: Callable[[str], T], text: str) -> T:
        """What `find` gives for the text as it stands, found once for all rules that ask before it changes."""
        if find not in self._found:
            self._found[find] = find(text)
        return cast(T, self._found[find])

    def of_whole_text(self) -> Evidence:
        """The same, as if damage had been proven on every line."""
        return replace(self, everywhere=True)

    def near(self, text: str, start: int, end: int, lines: int = 1) -> bool:
        """Whether damage was proven in the lines that hold ``text[start:end]`` or up to `lines` lines beside them.

        Looks at most REACH characters to either side, so that a text of one line costs no more than any other.
        """
        if self.everywhere or not self.points:
            return self.everywhere
        low, floor = start, max(start - REACH, 0)
        for _ in range(lines + 1):
            low = text.rfind("\n", floor, low)
            if low < 0:
                low = floor
                break
        high, ceiling = end, min(end + REACH, len(text))
        for _ in range(lines + 1):
            at = text.find("\n", high, ceiling)
            if at < 0:
                high = ceiling
                break
            high = at + 1
        at = bisect_left(self.points, low)
        return at < len(self.points) and self.points[at] <= high

    def damaged_spans(self, text: str, lines: int = 1) -> list[Span]:
        """The lines that hold proven damage with `lines` lines on either side, merged, ascending; or the whole text.

        Each line is looked at a bounded number of times: linear time even where all damage is on one line.

        >>> Evidence([5]).damaged_spans("a\\nb\\nc\\nd\\n")
        [(2, 7)]
        """
        if self.everywhere:
            return [(0, len(text))]
        if lines not in self._spans:  # several rules ask, one after the other
            self._spans[lines] = self._damaged_spans(text, lines)
        return self._spans[lines]

    def _damaged_spans(self, text: str, lines: int) -> list[Span]:
        spans: list[Span] = []
        seen_to = -1  # end of the last line looked at
        for point in self.points:
            if point <= seen_to:
                continue
            low = text.rfind("\n", 0, point) + 1
            high = seen_to = line_end(text, point)
            for _ in range(lines):
                low = text.rfind("\n", 0, max(low - 1, 0)) + 1
                high = line_end(text, high + 1)
            if spans and low <= spans[-1][1] + 1:
                spans[-1] = (spans[-1][0], max(high, spans[-1][1]))
            else:
                spans.append((low, high))
        return spans

    def shifted(self, made: Sequence[Edit], proves: bool, by: str) -> Evidence:
        """The same evidence in the text after `made`, the edits of one walk over it, plus their places."""
        if not self.points:
            return Evidence([edit.start for edit in made] if proves else [], False, self.by | {by})
        moved: list[int] = []
        delta, at = 0, 0
        for edit in made:
            while at < len(self.points) and self.points[at] + delta < edit.end:
                moved.append(min(self.points[at] + delta, edit.start))
                at += 1
            if proves:
                moved.append(edit.start)
            delta += len(edit.after) - len(edit.before)
        moved.extend(p + delta for p in self.points[at:])
        moved.sort()
        return Evidence(moved, False, self.by | {by})


class NearDamage:
    """Whether damage was proven within `lines` lines of one place after another, asked from left to right.

    It is answered once per hundred characters, for references and tags stand close together.
    """

    def __init__(self, text: str, evidence: Evidence, lines: int) -> None:
        self._text, self._evidence, self._lines = text, evidence, lines
        self._asked, self._answer = -1, False

    def __call__(self, start: int, end: int) -> bool:
        if self._asked < 0 or start > self._asked + 100:
            self._asked, self._answer = start, self._evidence.near(self._text, start, end, self._lines)
        return self._answer


Find = Callable[[str, Evidence], Iterable[Change]]
"""Looks at a text and yields changes in ascending order that do not overlap."""


@dataclass(frozen=True, slots=True, eq=False)  # told apart by identity: hashing by value costs more than a short text
class Rule:
    """A named, versioned finder.

    ``gate`` is an RE2 expression that must match somewhere in the text for `find` to have anything to do, or several
    of which one must. Empty where RE2 cannot look: for surrogates.
    ``proves``: what it repairs is proof of damage, on which rules that need evidence may act.
    ``needs_evidence``: it acts only near proven damage.
    ``beyond_ascii``: the gate is large, and there is nothing to find in a text of ASCII alone.
    ``thorough``: in what it leaves it finds nothing more, until another rule changes something.
    ``remembered``: another rule asks whether it has changed the text (`Evidence.by`).
    """

    name: str
    version: int
    find: Find
    gate: str | tuple[str, ...]
    proves: bool = False
    needs_evidence: bool = False
    remembered: bool = False
    beyond_ascii: bool = False
    thorough: bool = False

    @property
    def gates(self) -> tuple[str, ...]:
        return (self.gate,) if isinstance(self.gate, str) else self.gate

    def __call__(self, text: str, damaged: bool = True) -> str:
        """The text with every change made that a recipe makes by default; for doctests and tests of one rule.

        `damaged` says whether to act as if damage had been proven on every line.
        """
        points = [0, *(i for i, c in enumerate(text) if c == "\n")] if damaged else []
        return apply_changes(text, (c for c in self.find(text, Evidence(points)) if c.confidence >= 0.5))


def apply_changes(text: str, changes: Iterable[Change]) -> str:
    """The text with `changes` (ascending, not overlapping) made.

    >>> apply_changes("abc", [Change(1, 2, "-"), Change(3, 3, "!")])
    'a-c!'
    """
    out: list[str] = []
    at = 0
    for change in changes:
        if change.start < at or change.end < change.start or change.end > len(text):
            raise ValueError(f"change {change} overlaps the one before it or lies outside the text ({len(text)})")
        out += (text[at : change.start], change.after)
        at = change.end
    out.append(text[at:])
    return "".join(out)
