import gc
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from tests.conftest import ROOT

from winnow.base.errors import ContractBroken
from winnow.base.recipe import ValidateSettings
from winnow.validate import expectations
from winnow.validate.expectations import _Later, check_rows, check_table, columns_of, judge

SETTINGS = ValidateSettings()


def frame(n, **columns):
    good = {
        "doc_id": [f"{i:016x}" for i in range(n)],
        "n_chars": np.full(n, 100),
        "letter_share": np.full(n, 0.8, dtype="float32"),
        "residual_markup": np.zeros(n, dtype="float32"),
    }
    return pd.DataFrame({**good, **columns})


def test_no_rows_have_no_failures():
    assert check_rows(frame(0), SETTINGS) == []


def test_sound_rows_have_no_failures():
    assert check_rows(frame(10), SETTINGS) == []


def test_each_failure_names_document_expectation_limit_and_remedy():
    failures = check_rows(frame(3, n_chars=[100, 0, 100], residual_markup=[0.0, 0.0, 0.5]), SETTINGS)
    assert [(f.doc_id[-1], f.expectation) for f in failures] == [
        ("1", "length_in_limits"),
        ("2", "markup_undone"),
    ]
    assert failures[1].reason.startswith("0.5 of its characters still stand in damaged markup; at most 0.05 may")
    assert "validate.max_residual_markup" in failures[1].reason


def test_the_limits_are_those_of_the_settings():
    assert check_rows(frame(2), ValidateSettings(min_chars=101)) != []
    assert check_rows(frame(2, residual_markup=[0.5, 0.5]), ValidateSettings(max_residual_markup=0.5)) == []


def test_a_missing_measure_is_a_failure_and_not_a_pass():
    assert [f.expectation for f in check_rows(frame(2, letter_share=[0.8, None]), SETTINGS)] == ["letter_share_present"]


def test_all_failing_rows_are_found_when_there_are_more_than_any_partial_list_holds(monkeypatch):
    monkeypatch.setattr(expectations, "CHUNK", 700)
    failures = check_rows(frame(2000, n_chars=np.zeros(2000)), SETTINGS)
    assert [f.doc_id for f in failures] == [f"{i:016x}" for i in range(2000)]


@pytest.mark.slow
def test_half_a_million_rows_are_checked_and_the_index_of_the_frame_does_not_matter():
    n_chars = np.full(500_000, 100)
    n_chars[[7, 123_456, 499_999]] = 0
    big = frame(500_000, n_chars=n_chars)
    big.index = np.zeros(500_000, dtype=int)
    assert [int(f.doc_id, 16) for f in check_rows(big, SETTINGS)] == [7, 123_456, 499_999]


def test_a_check_that_cannot_run_is_an_error_and_not_a_pass():
    with pytest.raises(ContractBroken, match="needs the columns"):
        judge(frame(2).drop(columns="n_chars"), "repaired", SETTINGS)
    with pytest.raises(ContractBroken, match="could not run"):
        judge(frame(2, n_chars=["many", "few"]), "repaired", SETTINGS)


def test_nothing_is_written_to_the_terminal(capfd):
    check_rows(frame(1000), SETTINGS)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", sorted(p.stem for p in (ROOT / "schemas").glob("*.json")))
def test_expectations_look_at_measures_and_never_at_texts(name):
    assert "text" not in columns_of(name)


def edits(**columns):
    good = {
        "doc_id": ["a", "a", "b"], "seq": [0, 1, 0], "rule": ["r"] * 3, "rule_version": [1] * 3,
        "start": [0, 5, 0], "end": [1, 5, 2], "confidence": [1.0, 0.5, 0.0],
    }  # fmt: skip
    return pd.DataFrame({**good, **columns})


def test_a_table_is_checked_frame_by_frame():
    checked = {c.expectation: c for c in check_table("edits", [edits(), edits()], SETTINGS)}
    assert all(c.passed and c.n_rows == 6 for c in checked.values())


def test_the_rows_of_a_frame_are_let_go_before_python_looks_for_cycles():
    rows = edits()
    check_table("edits", [rows], SETTINGS)
    gc.collect()
    gc.disable()
    try:
        check_table("edits", [rows], SETTINGS)
        held = [x for x in gc.get_objects() if isinstance(x, pd.DataFrame) and x is not rows]
    finally:
        gc.enable()
    assert held and all(x.empty for x in held)


@pytest.mark.parametrize(
    "columns, expectation",
    [
        ({"seq": [0, 0, 0]}, "seq_unique"),
        ({"end": [1, 4, 2]}, "end_not_before_start"),
        ({"confidence": [1.0, 0.5, 1.5]}, "confidence_is_a_share"),
    ],
)
def test_rows_that_break_a_table_suite_are_counted_and_shown(columns, expectation):
    broken = [c for c in check_table("edits", [edits(), edits(**columns)], SETTINGS) if not c.passed]
    assert [c.expectation for c in broken] == [expectation]
    assert broken[0].examples and 1 <= broken[0].n_failed <= 2


def test_a_module_that_is_seldom_used_is_imported_when_it_is_asked(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    later = _Later("colorsys")
    monkeypatch.setitem(sys.modules, "colorsys", later)
    assert later.rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)
    assert sys.modules["colorsys"] is not later


@pytest.mark.slow
def test_great_expectations_is_imported_without_what_it_seldom_uses():
    judged = (
        "import sys, pandas as pd; from winnow.base.recipe import Recipe; "
        "from winnow.validate.expectations import judge; "
        "judge(pd.DataFrame({'doc_id': ['a'], 'n_chars': [9], 'letter_share': [1.0], 'residual_markup': [0.0]}), "
        "'repaired', Recipe().validate_); print({'altair', 'scipy.stats'} & sys.modules.keys()); import scipy.stats; "
        "print(scipy.stats.norm.cdf(0))"
    )
    told = subprocess.run([sys.executable, "-c", judged], capture_output=True, text=True, check=True)
    assert told.stdout.split("\n")[:2] == ["set()", "0.5"]
