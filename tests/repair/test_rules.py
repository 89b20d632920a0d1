"""Every rule has a text it repairs and one it leaves alone, can be switched off, and held to a higher threshold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from winnow.base.recipe import RepairSettings, RuleSettings
from winnow.repair import REPAIRS, Repaired, repair

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "cases" / "rules.jsonl").open(encoding="utf-8")]
FLAGS_ONLY = {"lossy_remains"}  # what is lost is flagged and never guessed at
TAKEN_UP = {"terminal_escapes", "overstrikes"}  # control characters go all the same, and the suspicion with them
ABOVE_ALL = 1.01


def run(case: dict[str, Any], text: str, chosen: RuleSettings | None = None) -> Repaired:
    rules = {case["rule"]: chosen} if chosen else {}
    return repair(text, RepairSettings(spacing=case["spacing"], rules=rules))


def test_every_rule_has_a_text_it_repairs_and_one_it_leaves_alone() -> None:
    assert sorted(case["rule"] for case in CASES) == sorted(rule.name for rule in REPAIRS)
    assert all(case["damaged"] and case["whole"] for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["rule"])
def test_a_rule_acts_on_its_damage(case: dict[str, Any]) -> None:
    edits = [e for e in run(case, case["damaged"]).edits if e.rule == case["rule"]]
    assert edits
    assert all(0 < e.confidence <= 1 for e in edits)
    assert any(e.applied for e in edits) != (case["rule"] in FLAGS_ONLY)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["rule"])
def test_a_rule_leaves_what_is_whole_alone(case: dict[str, Any]) -> None:
    assert [e for e in repair(case["whole"]).edits if e.rule == case["rule"] and e.applied] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["rule"])
def test_a_rule_that_is_off_does_nothing(case: dict[str, Any]) -> None:
    edits = run(case, case["damaged"], RuleSettings(enabled=False)).edits
    assert [e for e in edits if e.rule == case["rule"]] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["rule"])
def test_a_rule_held_to_a_higher_threshold_suspects_and_changes_nothing(case: dict[str, Any]) -> None:
    chosen = RuleSettings.model_construct(enabled=True, threshold=ABOVE_ALL)
    edits = [e for e in run(case, case["damaged"], chosen).edits if e.rule == case["rule"]]
    assert edits or case["rule"] in TAKEN_UP
    assert not any(e.applied for e in edits)


@pytest.mark.parametrize("rule", REPAIRS, ids=lambda rule: rule.name)
def test_a_rule_has_a_version_and_says_what_it_does(rule: Any) -> None:
    assert rule.version >= 1
    assert rule.find.__doc__
