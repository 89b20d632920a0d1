"""The one loop that runs the rules: gate, find, change, write the ledger; again until nothing changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from winnow.base.records import Edit
from winnow.repair.engine.ledger import make
from winnow.repair.engine.rule import Evidence, Rule, detector, line_end

MAX_ROUNDS = 5  # nested damage is undone within a rule; rounds are for damage that another rule uncovers
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
        early = [n for n, r in enumerate(self._rules) if not r.needs_evidence or r.name in everywhere]
        self.always = frozenset(n for n in early if not self._rules[n].gate)
        self.early = frozenset(early) - self.always
        self.late = frozenset(range(len(self._rules))) - frozenset(early)
        # A look at a text costs little, the states of an automaton that are made on the way much, and an automaton of
        # several large gates has the product of their states: so each of those has its own.
        self._large = [n for n in sorted(self.early) if self._rules[n].beyond_ascii]
        self._small_gates = _Gates({n: self._rules[n].gates for n in self.early.difference(self._large)})
        self._late_gates = _Gates({n: self._rules[n].gates for n in self.late})
        self._alone = [detector(*rule.gates) for rule in self._rules]

    def open_in(self, raw: bytes) -> set[int]:
        """Numbers of the rules whose gates match, of those that may act without evidence."""
        found = self._small_gates.open_in(raw)
        if not raw.isascii():
            found.update(n for n in self._large if self._alone[n](raw))
        return found

    def open_beside_damage(self, raw: bytes) -> set[int]:
        """Numbers of the rules whose gates match, of those that act beside proven damage only."""
        return self._late_gates.open_in(raw)

    def is_open(self, number: int, raw: bytes) -> bool:
        """Whether the gate of one rule matches."""
        return bool(self._alone[number](raw))

    def __call__(self, text: str) -> Repaired:
        edits: list[Edit] = []
        suspicions: list[Edit] = []
        state = _Text(text, self)
        for _ in range(MAX_PASSES):
            n_before = len(edits)
            found, at_rest = self._one_pass(state, edits)
            if len(edits) == n_before:
                suspicions = suspicions or found
                break
            suspicions = found
            if at_rest:
                break
        else:
            return Repaired(text, ())
        numbered = (replace(edit, seq=seq) for seq, edit in enumerate(suspicions, len(edits)))
        return Repaired(state.text, (*edits, *numbered))

    def _one_pass(self, state: _Text, edits: list[Edit]) -> tuple[list[Edit], bool]:
        """Rounds over one text, evidence growing from none; appends to `edits`, returns suspicions.

        Also whether a pass over what it leaves would change nothing more.
        """
        evidence = Evidence()
        remembered = False
        for _ in range(MAX_ROUNDS):
            suspicions: list[Edit] = []
            changed = False
            for number, rule in enumerate(self._rules):
                if number in state.shut:
                    continue
                known = evidence.of_whole_text() if rule.name in self._everywhere else evidence
                if rule.needs_evidence and not (known.points or known.everywhere):
                    continue
                if not state.opens(number):
                    continue
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
                    state.change(made)
                    evidence = evidence.shifted(made, rule.proves, rule.name)
                    remembered = remembered or rule.remembered
                    changed = True
            if not changed:
                return suspicions, not (evidence.points or remembered)
        return [], False  # the text still moves, so offsets of suspicions mean nothing yet


class _Text:
    """A text on its way, and which rules may have something to do in it.

    The gates are asked once about the whole text, those of rules that need evidence when there is some; then about the
    lines that change. What was open once is asked again by itself before its rule is run.
    """

    def __init__(self, text: str, repairer: Repairer) -> None:
        self.text = text
        self._repairer = repairer
        self._raw = text.encode("utf-8", "surrogatepass")
        open_now = repairer.open_in(self._raw)
        self.shut = repairer.early - open_now  # have nothing to do, until a change nearby opens their gates
        self._asked = dict.fromkeys(open_now | repairer.always, True)
        self._beside_damage = False  # whether the gates of rules that need evidence have been asked

    def opens(self, number: int) -> bool:
        """Whether the gate of the rule of that number matches in the text as it stands."""
        if number in self._repairer.late and not self._beside_damage:
            self._beside_damage = True
            open_now = self._repairer.open_beside_damage(self._raw)
            self.shut |= self._repairer.late - open_now
            self._asked |= dict.fromkeys(open_now, True)
        if number in self.shut:
            return False
        answer = self._asked.get(number)
        if answer is None:
            answer = self._asked[number] = self._repairer.is_open(number, self._raw)
        return answer

    def change(self, made: Sequence[Edit]) -> None:
        """Make edits of one walk over the text."""
        self.text = make(self.text, made)
        self._raw = self.text.encode("utf-8", "surrogatepass")
        self._asked = dict.fromkeys(self._repairer.always, True)
        near = around(self.text, made)
        raw = near.encode("utf-8", "surrogatepass") if near else self._raw
        self.shut -= self._repairer.open_in(raw)
        if self._beside_damage:
            self.shut -= self._repairer.open_beside_damage(raw)


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
        low = max(last, text.rfind("\n", 0, len(text[:own].rstrip())) + 1)
        beyond = _BLANK.match(text, line_end(text, edit.start + len(edit.after)))
        high = line_end(text, beyond.end() if beyond else len(text)) + 1
        if high > last:
            lines.append(text[low:high])
            size += high - low
            last = high
        if 2 * size > len(text):
            return ""
    return "".join(lines)
