"""The one loop that runs the rules: gate, find, change, write the ledger; again until nothing changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import re2

from winnow.base.records import Edit
from winnow.repair.engine.rule import Change, Evidence, Rule, apply_changes, roomy

MAX_ROUNDS = 5  # nested damage is undone within a rule; rounds are for damage that another rule uncovers
MAX_PASSES = 8  # a text that has not come to rest by then is no damaged text, and is left as it was


@dataclass(frozen=True, slots=True)
class Repaired:
    """A repaired text and the ledger that leads to it."""

    text: str
    edits: tuple[Edit, ...]


@lru_cache(maxsize=256)
def _gate(expression: str) -> re2._Regexp:
    return re2.compile(expression)


class Repairer:
    """Runs rules in order, round after round, until a round changes nothing.

    A change whose confidence is below the rule's threshold (`thresholds`, else `threshold`) is recorded with
    ``applied = False`` and not made; such suspicions are taken from the last round, so their offsets are those of
    the repaired text. Rules named in `everywhere` are told that damage is proven on every line.

    The result is run through the rules again, as if it had just been read, until that changes nothing: hence
    repairing a repaired text never changes it. A text that does not come to rest is given back as it was.
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
        # The gates of the rules that may act on a text without evidence, in one automaton: one look at the text.
        # Those of the others are rarely asked, and would make the automaton large and slow.
        self._gated = [n for n, r in enumerate(self._rules) if not r.needs_evidence or r.name in everywhere]
        self._gates = re2.Set.SearchSet(roomy())
        for number in self._gated:
            self._gates.Add(self._rules[number].gate)
        self._gates.Compile()

    def __call__(self, text: str) -> Repaired:
        edits: list[Edit] = []
        suspicions: list[Edit] = []
        current = text
        for _ in range(MAX_PASSES):
            n_before = len(edits)
            current, found = self._one_pass(current, edits)
            if len(edits) == n_before:
                suspicions = suspicions or found
                break
            suspicions = found
        else:
            return Repaired(text, ())
        numbered = (replace(edit, seq=seq) for seq, edit in enumerate(suspicions, len(edits)))
        return Repaired(current, (*edits, *numbered))

    def _one_pass(self, text: str, edits: list[Edit]) -> tuple[str, list[Edit]]:
        """Rounds over one text, evidence growing from none; appends to `edits`, returns the text and suspicions."""
        evidence = Evidence()
        for _ in range(MAX_ROUNDS):
            suspicions: list[Edit] = []
            changed = False
            raw = text.encode("utf-8", "surrogatepass")
            opened = {self._gated[n] for n in self._gates.Match(raw) or ()}
            for number, rule in enumerate(self._rules):
                known = evidence
                if rule.name in self._everywhere:
                    known = Evidence(evidence.points, True, evidence.by)
                if rule.needs_evidence and not (known.points or known.everywhere):
                    continue
                # Gates of rules that need evidence, and those that a change in this round may have opened, are asked
                # now.
                if number not in opened and not ((changed or rule.needs_evidence) and _gate(rule.gate).search(raw)):
                    continue
                made: list[Change] = []
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
                        made.append(change)
                        delta += len(change.after) - len(before)
                    else:
                        suspicions.append(edit)
                if made:
                    text = apply_changes(text, made)
                    raw = text.encode("utf-8", "surrogatepass")
                    evidence = evidence.shifted(made, rule.proves, rule.name)
                    changed = True
            if not changed:
                return text, suspicions
        return text, []  # the text still moves, so offsets of suspicions mean nothing yet
