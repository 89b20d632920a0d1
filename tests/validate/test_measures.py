import json
from pathlib import Path

import pytest
from tests.growth import assert_linear

from winnow.validate.measures import measure, residual_markup

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "cases/measures.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", CASES, ids=[c["label"] for c in CASES])
def test_measures_are_what_the_case_says(case):
    measures = measure(case["text"])
    low, high = case["residual_markup"]
    assert measures.n_words == case["n_words"]
    assert low <= measures.residual_markup <= high
    assert measures.n_chars == len(case["text"])
    assert 0 <= measures.letter_share <= 1


def test_markup_far_from_any_damage_is_content():
    lesson = "Paragraphs stand in <p> and </p>. " * 50
    assert residual_markup(lesson) == 0
    assert residual_markup("& lt ;" + " " * 1000 + lesson) < 0.01


@pytest.mark.parametrize("unit", ["&amp;", "<", "< ", "& ", "< / p >", "<b>", "&" + " " * 99, "<a " + "x" * 390])
def test_hostile_texts_take_linear_time(unit):
    measure("é")  # fills the table of classes
    assert_linear(measure, unit, 400_000)
