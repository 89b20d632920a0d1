"""Which passages of a document changed, and which rules did it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Any, Literal

from winnow.publish.compare.words import anchors

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RuleChange:
    """Repairs of one rule that only one of the versions has."""

    rule: str
    rule_version: int
    made: int
    unmade: int
    snippets: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        parts = [f"{n} x {verb}" for n, verb in ((self.made, "made"), (self.unmade, "unmade")) if n]
        return f"{self.rule} (version {self.rule_version}): {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class PassageChange:
    """``removed``, ``restored``, ``rewritten``, ``come``, ``gone``, or ``pointer``: left out for another
    reason."""

    kind: Literal["removed", "restored", "rewritten", "come", "gone", "pointer"]
    position: int
    before: str | None
    after: str | None
    reason: str | None = None
    kept_doc_id: str | None = None
    rules: tuple[str, ...] = ()


def rule_changes(a: Sequence[Row], b: Sequence[Row]) -> list[RuleChange]:
    """Edits that only one side has, by rule. A suspicion that became a repair, or the other way, counts as
    a change."""
    old, new = Counter(map(_edit, a)), Counter(map(_edit, b))
    made, unmade = new - old, old - new
    rules = sorted({(e[0], e[1]) for e in (*made, *unmade)})
    return [
        RuleChange(
            rule,
            version,
            sum(n for e, n in made.items() if e[:2] == (rule, version)),
            sum(n for e, n in unmade.items() if e[:2] == (rule, version)),
            tuple((e[2], e[3]) for e in (*made, *unmade) if e[:2] == (rule, version)),
        )
        for rule, version in rules
    ]


def _edit(row: Row) -> tuple[str, int, str, str, bool]:
    # Offsets move with every earlier edit; a repair is the same repair wherever it stands.
    return row["rule"], row["rule_version"], row["before"], row["after"], row["applied"]


def passage_changes(a: Sequence[Row], b: Sequence[Row], rules: Sequence[RuleChange]) -> tuple[PassageChange, ...]:
    """Passages that differ, in order. Passages with equal text are the same passage; between them, by
    place."""
    found: list[PassageChange] = []
    # A passage that stands twice has no place of its own; its number among its likes gives it one.
    texts_a, texts_b = _numbered(a), _numbered(b)
    for (a0, b0), (a1, b1) in pairwise([(-1, -1), *anchors(texts_a, texts_b), (len(a), len(b))]):
        if a0 >= 0:
            found += _same_text(a[a0], b[b0])
        for old, new in zip_longest(a[a0 + 1 : a1], b[b0 + 1 : b1]):
            found.append(_other_text(old, new, rules))
    return tuple(found)


def _numbered(rows: Sequence[Row]) -> list[tuple[str, int]]:
    seen: Counter[str] = Counter()
    numbered = []
    for row in rows:
        numbered.append((row["text"], seen[row["text"]]))
        seen[row["text"]] += 1
    return numbered


def _same_text(old: Row, new: Row) -> list[PassageChange]:
    if (old["status"], old["reason"], old["kept_doc_id"]) == (
        new["status"],
        new["reason"],
        new["kept_doc_id"],
    ):
        return []
    kind: Literal["removed", "restored", "pointer"]
    if old["status"] == new["status"]:
        kind = "pointer"
    else:
        kind = "removed" if new["status"] == "removed" else "restored"
    cause = old if kind == "restored" else new
    text = new["text"]
    return [PassageChange(kind, new["position"], text, text, cause["reason"], cause["kept_doc_id"])]


def _other_text(old: Row | None, new: Row | None, rules: Sequence[RuleChange]) -> PassageChange:
    before = old["text"] if old else None
    after = new["text"] if new else None
    row = new or old
    assert row is not None
    kind: Literal["rewritten", "come", "gone"] = "rewritten" if old and new else "come" if new else "gone"
    return PassageChange(
        kind,
        row["position"],
        before,
        after,
        row["reason"],
        row["kept_doc_id"],
        _rules_at(before, after, rules),
    )


def _rules_at(before: str | None, after: str | None, rules: Sequence[RuleChange]) -> tuple[str, ...]:
    """Rules one of whose changed edits left its result in one of the texts and found its cause in the
    other."""
    texts = (before or "", after or "")
    return tuple(
        rule.rule
        for rule in rules
        if any(
            (old in texts[0] and new in texts[1]) or (old in texts[1] and new in texts[0])
            for old, new in rule.snippets
            if old.strip() or new.strip()
        )
    )
