"""The one loop that runs the rules: gate, find, change, write the ledger; again until nothing changes."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain

from winnow.base.records import Edit
from winnow.repair.engine.ledger import make
from winnow.repair.engine.rule import Evidence, Rule, detector, line_end

MAX_ROUNDS = 5  # nested damage is undone within a rule; rounds are for damage that another rule uncovers
SURROGATE = b"\xed"  # the byte that all surrogates begin with, and Hangul
AT_ONCE = 2_000_000  # characters of texts that a rule looks at one after the other; what is known of each is held
MAX_PASSES = 8  # a text that has not come to rest by then is no damaged text, and is left as it was


@dataclass(frozen=True, slots=True)
class Repaired:
    """A repaired text and the ledger that leads to it."""

    text: str
    edits: tuple[Edit, ...]


class _Gates:
    """The gates of some rules, by number, in one automaton: one look at the text for all of them."""

    def __init__(self, gates: Mapping[int, Sequence[str]]) -> None:
        self._numbers = [number for number, expressions in gates.items() for _ in expressions]
        self._find = detector(*chain.from_iterable(gates.values()))

    def open_in(self, raw: bytes) -> set[int]:
        return {self._numbers[n] for n in self._find(raw)}


def _portions(texts: Iterable[str]) -> Iterator[list[str]]:
    some: list[str] = []
    size = 0
    for text in texts:
        some.append(text)
        size += len(text)
        if size >= AT_ONCE:
            yield some
            some, size = [], 0
    yield some


class Repairer:
    """Runs rules in order, round after round, until a round changes nothing.

    A change whose confidence is below the rule's threshold (`thresholds`, else `threshold`) is recorded with
    ``applied = False`` and not made; such suspicions are taken from the last round, so their offsets are those of
    the repaired text. Rules named in `everywhere` are told that damage is proven on every line.

    The result is run through the rules again, as if it had just been read, until that changes nothing: hence
    repairing a repaired text never changes it. A text that does not come to rest is given back as it was. Where the
    last round had no evidence to go by, it was that run already.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        threshold: float = 0.5,
        thresholds: Mapping[str, float] | None = None,
        everywhere: frozenset[str] = frozenset(),
    ) -> None:
        self._rules = tuple(rules)
        self._limits = [(thresholds or {}).get(rule.name, threshold) for rule in self._rules]
        self._everywhere = everywhere
        early = (n for n, r in enumerate(self._rules) if not r.needs_evidence or r.name in everywhere)
        self.early = frozenset(early)
        self.late = frozenset(range(len(self._rules))) - self.early
        self._ungated = frozenset(n for n in self.early if not self._rules[n].gate)
        # A look at a text costs little, the states of an automaton that are made on the way much, and an automaton of
        # several large gates has the product of their states: so each of those has its own.
        self._large = [n for n in sorted(self.early) if self._rules[n].beyond_ascii]
        self._small_gates = _Gates({n: self._rules[n].gates for n in self.early.difference(self._large, self._ungated)})
        self._late_gates = _Gates({n: self._rules[n].gates for n in self.late})
        self._alone = [detector(*rule.gates) for rule in self._rules]

    def open_in(self, raw: bytes, shut: Set[int]) -> set[int]:
        """Numbers of the rules whose gates match, of those that may act without evidence.

        A large gate is asked only where it is among the `shut` ones.
        """
        found = self._small_gates.open_in(raw)
        if not raw.isascii():
            found.update(n for n in self._large if n in shut and self._alone[n](raw))
            if SURROGATE in raw:
                found |= self._ungated
        return found

    def open_beside_damage(self, raw: bytes) -> set[int]:
        """Numbers of the rules whose gates match, of those that act beside proven damage only."""
        return self._late_gates.open_in(raw)

    def is_open(self, number: int, raw: bytes) -> bool:
        """Whether the gate of one rule matches."""
        return bool(self._alone[number](raw))

    def is_thorough(self, number: int) -> bool:
        return self._rules[number].thorough

    def __call__(self, text: str) -> Repaired:
        steps = self._steps(text)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                repaired: Repaired = end.value
                return repaired

    def each(self, texts: Iterable[str]) -> list[Repaired | Exception]:
        """The same of many texts, or what a rule stumbled over in one.

        A rule looks at all of them before the next one does: its code and its automata stay in the processor's cache.
        """
        return list(chain.from_iterable(map(self._together, _portions(texts))))

    def _together(self, texts: Sequence[str]) -> list[Repaired | Exception]:
        done: dict[int, Repaired | Exception] = {}
        due = {0: [(n, self._steps(text)) for n, text in enumerate(texts)]}  # by the rule that comes next
        while due:
            for number in range(len(self._rules) or 1):
                for n, steps in due.pop(number, ()):
                    try:
                        due.setdefault(next(steps), []).append((n, steps))
                    except StopIteration as end:
                        done[n] = end.value
                    except Exception as error:
                        done[n] = error
        return [done[n] for n in range(len(done))]

    def _steps(self, text: str) -> Generator[int, None, Repaired]:
        """Repairs one text; stops before each rule that may have something to do, and gives its number."""
        edits: list[Edit] = []
        suspicions: list[Edit] = []
        state = _Text(text, self)
        for _ in range(MAX_PASSES):
            n_before = len(edits)
            found, at_rest = yield from self._one_pass(state, edits)
            if len(edits) == n_before:
                suspicions = suspicions or found
                break
            suspicions = found
            if at_rest:
                break
        else:
            return Repaired(text, ())
        numbered = (edit._replace(seq=seq) for seq, edit in enumerate(suspicions, len(edits)))
        return Repaired(state.text, (*edits, *numbered))

    def _one_pass(self, state: _Text, edits: list[Edit]) -> Generator[int, None, tuple[list[Edit], bool]]:
        """Rounds over one text, evidence growing from none; appends to `edits`, returns suspicions.

        Also whether a pass over what it leaves would change nothing more.
        """
        evidence = Evidence()
        waiting = self.late  # for evidence
        shut = state.shut
        remembered = False
        for _ in range(MAX_ROUNDS):
            suspicions: list[Edit] = []
            changed = False
            for number, rule in enumerate(self._rules):
                if number in shut or number in waiting or not state.opens(number):
                    continue
                yield number
                known = evidence.of_whole_text() if rule.name in self._everywhere else evidence
                text, n_before = state.text, len(edits)
                delta = 0
                for change in rule.find(text, known):
                    before = text[change.start : change.end]
                    if before == change.after:
                        continue
                    start = change.start + delta
                    applied = change.confidence >= self._limits[number]
                    edit = Edit(
                        len(edits), rule.name, rule.version, start, start + len(before), before, change.after,
                        change.confidence, applied,
                    )  # fmt: skip
                    if applied:
                        edits.append(edit)
                        delta += len(change.after) - len(before)
                    else:
                        suspicions.append(edit)
                if len(edits) > n_before:
                    made = edits[n_before:]
                    state.change(number, made)
                    evidence = evidence.shifted(made, rule.proves, rule.name)
                    waiting = frozenset() if evidence.points else self.late
                    remembered = remembered or rule.remembered
                    changed = True
            if not changed:
                return suspicions, not (evidence.points or remembered)
        return [], False  # the text still moves, so offsets of suspicions mean nothing yet


class _Text:
    """A text on its way, and which rules may have something to do in it.

    The gates are asked once about the whole text, those of rules that need evidence when there is some; then about the
    lines that change. That of a rule that has changed lines is asked again by itself before the rule is run, unless the
    rule is thorough.
    """

    def __init__(self, text: str, repairer: Repairer) -> None:
        self.text = text
        self._repairer = repairer
        self._raw = _encoded(text)
        self.shut = {*repairer.early} - repairer.open_in(self._raw, repairer.early)  # until a change nearby opens them
        self._unasked = repairer.late
        self._acted: set[int] = set()

    def opens(self, number: int) -> bool:
        """Whether the rule of that number may have something to do in the text as it stands."""
        if number in self._unasked:
            self.shut |= self._unasked - self._repairer.open_beside_damage(self._encoded())
            self._unasked = frozenset()
        elif number in self._acted:
            self._acted.remove(number)
            if not self._repairer.is_open(number, self._encoded()):
                self.shut.add(number)
        return number not in self.shut

    def change(self, number: int, made: Sequence[Edit]) -> None:
        """Make edits of one walk of a rule over the text."""
        self.text = make(self.text, made)
        self._raw = b""
        near = _encoded(around(self.text, made))
        if near:
            (self.shut if self._repairer.is_thorough(number) else self._acted).add(number)
        else:
            self._acted.clear()
            self.shut |= (self._repairer.early | self._repairer.late) - self._unasked
        raw = near or self._encoded()
        self.shut -= self._repairer.open_in(raw, self.shut)
        if not self._unasked:
            self.shut -= self._repairer.open_beside_damage(raw)

    def _encoded(self) -> bytes:
        self._raw = self._raw or _encoded(self.text)
        return self._raw


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


MAX_SPOTS = 60  # changes; beside more, all of a text is looked at
_BLANK = re.compile(r"\s*")


def around(text: str, made: Sequence[Edit]) -> str:
    r"""The lines of a text in which changes were made, with the nearest line that holds something on either side.

    Nothing where that would be most of the text. No gate looks further than from a line to the next that holds
    something.

    >>> edit = Edit(0, "trailing_spaces", 1, 9, 10, " ", "", 1.0, True)
    >>> around("zero\none\n\ntwo\nthree\n\nfour\n" + "more\n" * 20, [edit])
    'one\n\ntwo\n'
    """
    if len(made) > MAX_SPOTS:
        return ""
    lines: list[str] = []
    size = last = 0
    for edit in made:
        own = text.rfind("\n", 0, edit.start) + 1
        low = max(last, text.rfind("\n", last, last + len(text[last:own].rstrip())) + 1)
        beyond = _BLANK.match(text, line_end(text, edit.start + len(edit.after)))
        high = line_end(text, beyond.end() if beyond else len(text)) + 1
        if high > last:
            lines.append(text[low:high])
            size += high - low
            last = high
        if 2 * size > len(text):
            return ""
    return "".join(lines)
