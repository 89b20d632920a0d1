"""The gate: dataset-level expectations that a version must meet before it is published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from winnow.base.recipe import ValidateSettings
from winnow.base.records import Json
from winnow.validate.expectations import TableCheck, Verdict, judge, plain
from winnow.validate.facts import Facts
from winnow.validate.site_losses import SiteLoss

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCheck:
    """One expectation of the gate, in words that are fit to show."""

    expectation: str
    passed: bool
    observed: str  # empty where there was nothing to compare with
    limit: str
    sentence: str
    missed_by: float = 0.0
    """How far the figure lies outside its limit; 0 where it passed."""

    @property
    def verdict(self) -> Judgement:
        return "failed" if not self.passed else "passed" if self.observed else "not judged"


Judgement: TypeAlias = Literal["failed", "not judged", "passed"]
WORST_FIRST: tuple[Judgement, ...] = get_args(Judgement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """The rule of the version before that people found wrong most: its likely least precision, and that in words."""

    low: float
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """Whether a version may go out, and each expectation's part in that."""

    passed: bool
    results: tuple[GateCheck, ...] = ()
    tables: tuple[TableCheck, ...] = ()

    @property
    def held_by(self) -> tuple[GateCheck, ...]:
        """The expectations that hold the version back."""
        return tuple(r for r in self.results if not r.passed)

    @property
    def worst_first(self) -> list[GateCheck]:
        """The checks that failed, then those that had nothing to compare with, then those that passed."""
        return sorted(self.results, key=lambda check: WORST_FIRST.index(check.verdict))

    @property
    def in_words(self) -> str:
        """How many checks failed, were not judged, and passed.

        >>> check = GateCheck(expectation="a", passed=True, observed="", limit="", sentence="")
        >>> GateResult(passed=True, results=(check, replace(check, observed="1"))).in_words
        '1 of 2 checks not judged, 1 passed'
        """
        counts = Counter(check.verdict for check in self.results)
        parts = [f"{counts[verdict]} {verdict}" for verdict in WORST_FIRST if counts[verdict]]
        parts[0] = parts[0].replace(" ", f" of {len(self.results)} checks ", 1)
        return ", ".join(parts)

    def as_dict(self) -> Json:
        """Plain data for JSON (``runs.gate``)."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> GateResult:
        """The inverse of `as_dict`."""
        return cls(
            passed=data["passed"],
            results=tuple(GateCheck(**r) for r in data["results"]),
            tables=tuple(TableCheck(**{**t, "examples": tuple(t["examples"])}) for t in data.get("tables", ())),
        )


def check_dataset(
    facts: Facts,
    previous: Facts | None,
    settings: ValidateSettings,
    tables: Sequence[TableCheck] = (),
    vanished_files: Sequence[str] = (),
    site_loss: SiteLoss | None = None,
    reviewed: Reviewed | None = None,
) -> GateResult:
    """Judge a version by its facts, by what changed since `previous`, and by the expectations of its tables.

    `tables` are the results of `check_table`; their failing rows are added to ``facts.n_broken_rows``. The sentence
    about documents that left a mirrored source names the `vanished_files`; `site_loss` is the site that loses most, and
    `reviewed` the rule that people found wrong most, where the settings ask for it.
    Change is not judged where the version before had fewer than ``min_drift_documents`` documents.
    """
    facts = replace(facts, n_broken_rows=facts.n_broken_rows + sum(c.n_failed for c in tables))
    frame = facts_frame(facts, previous, settings)
    frame["site_loss_rise"] = max(0.0, site_loss.rise) if site_loss else float("nan")
    frame["review_precision"] = reviewed.low if reviewed else float("nan")
    details = {
        "rule_share_change": _largest_rule_change(facts, previous, settings).sentence,
        "withdrawn_share": _files_gone(vanished_files),
        "site_loss_rise": site_loss.sentence if site_loss else "",
        "review_precision": reviewed.sentence if reviewed else "",
    }
    verdicts = judge(frame, "dataset", settings)
    if not settings.min_review_precision:  # nobody asks for a review
        verdicts = tuple(v for v in verdicts if v.columns != ("review_precision",))
    checks = tuple(_gate_check(v, frame[v.columns[0]].iloc[0], details.get(v.columns[0], "")) for v in verdicts)
    return GateResult(passed=all(c.passed for c in checks), results=checks, tables=tuple(tables))


_CHANGES = ("count_drop", "withdrawn_share", "mean_length_change", "reject_share_change", "rule_share_change")
_FILES_NAMED = 20


def _files_gone(paths: Sequence[str]) -> str:
    """Which files are gone, in words; files that are there may have lost records.

    >>> _files_gone(["a.txt", "b.txt"]), _files_gone([])
    ('2 files are gone: a.txt, b.txt', 'no file is gone, but records of some are')
    """
    if not paths:
        return "no file is gone, but records of some are"
    named = ", ".join(paths[:_FILES_NAMED]) + (f" and {len(paths) - _FILES_NAMED} more" if paths[_FILES_NAMED:] else "")
    return f"{len(paths)} file{'s are' if paths[1:] else ' is'} gone: {named}"


def facts_frame(facts: Facts, previous: Facts | None, settings: ValidateSettings) -> pd.DataFrame:
    """The one row that the contract ``dataset`` looks at; what cannot be compared is NaN."""
    import pandas as pd

    row: dict[str, float] = {
        "n_lost": facts.n_lost,
        "n_repeated_ids": facts.n_repeated_ids,
        "n_dangling": facts.n_dangling,
        "n_broken_rows": facts.n_broken_rows,
        "n_published": facts.n_published,
        "reject_share": facts.reject_share,
        "internal_error_share": facts.n_internal_errors / facts.n_read if facts.n_read else 0.0,
        "mean_residual_markup": facts.mean_residual_markup,
        **dict.fromkeys(_CHANGES, float("nan")),
    }
    if previous is not None and previous.n_published >= max(settings.min_drift_documents, 1):
        row["count_drop"] = max(0.0, 1 - facts.n_published / previous.n_published)
        row["withdrawn_share"] = facts.n_vanished / max(1, previous.n_published + previous.n_duplicates)
        if previous.mean_chars and facts.n_published:
            row["mean_length_change"] = abs(facts.mean_chars - previous.mean_chars) / previous.mean_chars
        row["reject_share_change"] = max(0.0, facts.reject_share - previous.reject_share)
        row["rule_share_change"] = _largest_rule_change(facts, previous, settings).share
    return pd.DataFrame([row], dtype="float64")


@dataclass(frozen=True, slots=True)
class _RuleChange:
    """By how much a rule's share of all repairs changed between two versions, NaN without repairs; and in words."""

    share: float
    sentence: str


def _largest_rule_change(facts: Facts, previous: Facts | None, settings: ValidateSettings) -> _RuleChange:
    now, then = facts.rule_shares(), previous.rule_shares() if previous else {}
    counts = [sum(f.edits_by_rule.values()) for f in (facts, previous) if f]
    if not now or not then or min(counts) < settings.min_drift_documents:
        return _RuleChange(float("nan"), "no rule's share changed")
    rule = max(sorted({*now, *then}), key=lambda r: abs(now.get(r, 0.0) - then.get(r, 0.0)))
    change = now.get(rule, 0.0) - then.get(rule, 0.0)
    return _RuleChange(abs(change), f"rule {rule}'s share of all repairs {'rose' if change > 0 else 'fell'}")


def _gate_check(verdict: Verdict, value: float, detail: str) -> GateCheck:
    low, high = verdict.limits.get("min_value"), verdict.limits.get("max_value")
    beyond = [value - high if high is not None else 0.0, low - value if low is not None else 0.0]
    if low is not None and high is not None:
        limit = plain(low) if low == high else f"{plain(low)} to {plain(high)}"
    else:
        limit = f"at least {plain(low)}" if low is not None else f"at most {plain(high)}"
    unknown = value != value
    if unknown:
        said = f"{verdict.description}: not judged, no earlier version is large enough to compare with"
    elif verdict.passed:
        said = f"{verdict.description}: {plain(value)}"
    else:
        said = verdict.sentence(value, detail)
    return GateCheck(
        expectation=verdict.expectation,
        passed=verdict.passed,
        observed="" if unknown else plain(value),
        limit=limit,
        sentence=said,
        missed_by=0.0 if verdict.passed else float(max(beyond)),
    )
