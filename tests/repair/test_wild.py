"""Damage as people bring it: each kind is repaired, and what looks like it stays; every ledger leads back."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winnow.base.recipe import RepairSettings
from winnow.repair import Repaired, repair, replay, undo

FOLDER = Path(__file__).parents[1] / "cases"
CASES = [json.loads(line) for line in (FOLDER / "wild.jsonl").open(encoding="utf-8")]


def _damaged_texts() -> list[str]:
    names = ("encoding", "markup", "misread", "rules", "spacing", "wild")
    rows = [json.loads(line) for name in names for line in (FOLDER / f"{name}.jsonl").open(encoding="utf-8")]
    return [text for row in rows for field in ("input", "damaged", "text") if isinstance(text := row.get(field), str)]


TEXTS = _damaged_texts()


def run(case: dict[str, Any], text: str) -> Repaired:
    return repair(text, RepairSettings(spacing=case.get("spacing", "near_damage")))


def _label(case: dict[str, Any]) -> str:
    return f"{case['kind']}: {case['why']}"


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_each_case_reads_as_expected(case: dict[str, Any]) -> None:
    assert run(case, case["input"]).text == case["expected"]


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_what_was_expected_stays_as_it_is(case: dict[str, Any]) -> None:
    assert run(case, case["expected"]).text == case["expected"]


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_the_ledger_leads_there_and_back(case: dict[str, Any]) -> None:
    done = run(case, case["input"])
    assert replay(case["input"], done.edits) == done.text
    assert undo(done.text, done.edits) == case["input"]


@pytest.mark.parametrize("spacing", ["near_damage", "everywhere"])
@given(texts=st.lists(st.sampled_from(TEXTS), min_size=2, max_size=6), gap=st.sampled_from([" ", "\n", "\n\n"]))
@settings(max_examples=200, deadline=None)
def test_what_stands_together_is_led_there_and_back_too(spacing: Any, texts: list[str], gap: str) -> None:
    text = gap.join(texts)
    done = repair(text, RepairSettings(spacing=spacing))
    assert replay(text, done.edits) == done.text
    assert undo(done.text, done.edits) == text


def test_each_kind_has_as_many_texts_that_stay_as_texts_that_change() -> None:
    stays = Counter(case["kind"] for case in CASES if case["input"] == case["expected"])
    changes = Counter(case["kind"] for case in CASES if case["input"] != case["expected"])
    assert {kind: n for kind, n in changes.items() if stays[kind] < n} == {}


def test_labels_are_unique() -> None:
    assert len({_label(case) for case in CASES}) == len(CASES)
