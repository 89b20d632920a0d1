"""The gate: dataset-level expectations that a version must meet before it is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from winnow.base.recipe import ValidateSettings
from winnow.validate.facts import Facts
from winnow.validate.judge import Verdict, judge
from winnow.validate.rows import Checked, plain, sentence

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Outcome:
    """One expectation of the gate, in words that are fit to show."""

    expectation: str
    passed: bool
    observed: str  # empty where there was nothing to compare with
    limit: str
    sentence: str


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether a version may go out, and each expectation's part in that."""

    passed: bool
    results: tuple[Outcome, ...]
    tables: tuple[Checked, ...] = ()

    @property
    def held_by(self) -> tuple[Outcome, ...]:
        """The expectations that hold the version back."""
        return tuple(r for r in self.results if not r.passed)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON (``runs.gate``)."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> GateResult:
        """The inverse of `as_dict`."""
        return cls(
            data["passed"],
            tuple(Outcome(**r) for r in data["results"]),
            tuple(Checked(**{**t, "examples": tuple(t["examples"])}) for t in data.get("tables", ())),
        )


def check_dataset(
    facts: Facts, previous: Facts | None, settings: ValidateSettings, tables: Sequence[Checked] = ()
) -> GateResult:
    """Judge a version by its facts, by what changed since `previous`, and by the suites of its tables.

    `tables` are the results of `check_table`; their failing rows are added to ``facts.n_broken_rows``.
    Change is not judged where the version before had fewer than ``min_drift_documents`` documents.
    """
    facts = replace(facts, n_broken_rows=facts.n_broken_rows + sum(c.n_failed for c in tables))
    frame = facts_frame(facts, previous, settings)
    detail = _moved_most(facts, previous)[1]
    verdicts = judge(frame, "dataset", settings)
    outcomes = tuple(_outcome(v, frame[v.columns[0]].iloc[0], detail) for v in verdicts)
    return GateResult(all(o.passed for o in outcomes), outcomes, tuple(tables))


def facts_frame(facts: Facts, previous: Facts | None, settings: ValidateSettings) -> pd.DataFrame:
    """The one row that the suite ``dataset`` looks at; what cannot be compared is NaN."""
    import pandas as pd

    row: dict[str, float] = {
        "n_lost": facts.n_lost,
        "n_repeated_ids": facts.n_repeated_ids,
        "n_dangling": facts.n_dangling,
        "n_broken_rows": facts.n_broken_rows,
        "n_published": facts.n_published,
        "reject_share": facts.reject_share,
        "mean_residual_markup": facts.mean_residual_markup,
        **dict.fromkeys(("count_drop", "mean_length_change", "reject_share_change", "rule_share_change"), float("nan")),
    }
    if previous is not None and previous.n_published >= max(settings.min_drift_documents, 1):
        row["count_drop"] = max(0.0, 1 - facts.n_published / previous.n_published)
        if previous.mean_chars and facts.n_published:
            row["mean_length_change"] = abs(facts.mean_chars - previous.mean_chars) / previous.mean_chars
        row["reject_share_change"] = max(0.0, facts.reject_share - previous.reject_share)
        row["rule_share_change"] = _moved_most(facts, previous)[0]
    return pd.DataFrame([row], dtype="float64")


def rule_shares(facts: Facts) -> dict[str, float]:
    """Share of all repairs that each rule made.

    >>> rule_shares(Facts(1, 1, 0, 0, edits_by_rule={"tags": 3, "entities": 1}))
    {'tags': 0.75, 'entities': 0.25}
    """
    total = sum(facts.edits_by_rule.values())
    return {rule: n / total for rule, n in facts.edits_by_rule.items()} if total else {}


def _moved_most(facts: Facts, previous: Facts | None) -> tuple[float, str]:
    """Largest change of a rule's share between two versions, and the rule in words; NaN without repairs."""
    now, then = rule_shares(facts), rule_shares(previous) if previous else {}
    if not now or not then:
        return float("nan"), "no rule's share changed"
    rule = max(sorted({*now, *then}), key=lambda r: abs(now.get(r, 0.0) - then.get(r, 0.0)))
    change = now.get(rule, 0.0) - then.get(rule, 0.0)
    return abs(change), f"rule {rule}'s share of all repairs {'rose' if change > 0 else 'fell'}"


def _outcome(verdict: Verdict, value: float, detail: str) -> Outcome:
    low, high = verdict.limits.get("min_value"), verdict.limits.get("max_value")
    if low is not None and high is not None:
        limit = plain(low) if low == high else f"{plain(low)} to {plain(high)}"
    else:
        limit = f"at least {plain(low)}" if low is not None else f"at most {plain(high)}"
    if value != value:
        return Outcome(
            verdict.expectation, verdict.passed, "", limit,
            f"{verdict.description}: not judged, no earlier version is large enough to compare with",
        )  # fmt: skip
    said = f"{verdict.description}: {plain(value)}" if verdict.passed else sentence(verdict, value, detail)
    return Outcome(verdict.expectation, verdict.passed, plain(value), limit, said)
