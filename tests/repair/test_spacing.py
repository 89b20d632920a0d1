"""Spacing: words, sentences, punctuation and hyphens, beside damage and everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.growth import assert_linear

from winnow.repair.engine.ledger import replay, undo
from winnow.repair.engine.repairer import Repairer
from winnow.repair.engine.rule import Evidence, Rule, apply_changes
from winnow.repair.order import OF_WHOLE_TEXTS, SPACING, SPACING_NAMES
from winnow.repair.words.sentence_breaks import BROKEN_SENTENCES

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "cases" / "spacing.jsonl").open()]
EVERYWHERE = Repairer(SPACING, everywhere=SPACING_NAMES)
NEAR_DAMAGE = Repairer(SPACING)

PIECES = [
    "the", "a", "t o", "i n", "w ith", "ofthe", "T raining", "nation wide", "wide.As", "hope ,", "obsoles-", "cence",
    "A", "B", "I", "x", "3", "1,000", "U.S.", "e.g.", "Node.js", "f (x)", "http://a.b/c", "\n", "\n\n", "  ", "(see )",
    "März", "l’eau", "don't", "…", "ﬁnd", "İx", "é", "日本", "C H A P T E R", "-", "—", ",", ".", ":", "March 1,1928",
]  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
    st.text(alphabet="aetino .,-\nAT’", max_size=120),
)


def damaged(text: str) -> Evidence:
    return Evidence([0, *(at for at, char in enumerate(text) if char == "\n")])


def run_near_damage(text: str) -> str:
    """Each rule once, in order, as if every line were damaged."""
    for rule in SPACING:
        text = apply_changes(text, rule.find(text, damaged(text)))
    return text


def run_everywhere(text: str) -> str:
    return EVERYWHERE(text).text


def applied(rule: Rule, text: str, evidence: Evidence) -> str:
    return apply_changes(text, [change for change in rule.find(text, evidence) if change.confidence >= 0.5])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_each_case_comes_out_as_an_editor_would_write_it(case):
    text = case["input"]
    if case["where"] == "everywhere":
        assert run_everywhere(text) == case["expected"]
    else:
        for rule in SPACING:
            text = applied(rule, text, damaged(text))
        assert text == case["expected"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_nothing_is_touched_where_no_damage_is_proven(case):
    assert NEAR_DAMAGE(case["input"]) == Repairer(())(case["input"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_what_was_repaired_needs_no_more_repair(case):
    text = case["expected"]
    if case["where"] == "everywhere":
        assert run_everywhere(text) == text
    else:
        for rule in SPACING:
            assert applied(rule, text, damaged(text)) == text


PARAGRAPH = "A paragraph that stands on one line and is far longer than any page is wide, as all are here. " * 3


def test_a_sentence_broken_over_lines_is_joined_beside_damage():
    broken = "El Salvador aims not only\nto dismantle the networks but also\nto foster safer communities."
    text = f"{PARAGRAPH}\n{broken}\n{PARAGRAPH}"
    at = text.index("El")
    joined = apply_changes(text, BROKEN_SENTENCES.find(text, Evidence([at])))
    assert joined == f"{PARAGRAPH}\n{broken.replace(chr(10), ' ')}\n{PARAGRAPH}"
    assert apply_changes(text, BROKEN_SENTENCES.find(text, Evidence([]))) == text


@pytest.mark.parametrize(
    "lines",
    [
        "Tyger Tyger, burning bright,\nIn the forests of the night;",
        "- first of all\n- second of all.",
        "Ingredients\nflour\nmilk\neggs",
        "Name | Age\nann | 3.",
        "Jane Doe\n12 High Street,\nLondon",
        "if x:\n    return y.",
        "Heading\n\nthe text begins small.",
    ],
)
def test_lines_that_are_meant_as_lines_stay(lines):
    text = f"{PARAGRAPH}\n{lines}\n{PARAGRAPH}"
    assert apply_changes(text, BROKEN_SENTENCES.find(text, damaged(text))) == text


def test_hard_wrapped_text_stays():
    text = "This text is wrapped at a\nwidth of some letters, and\nso it goes on.\n" * 5
    assert apply_changes(text, BROKEN_SENTENCES.find(text, damaged(text))) == text


def test_text_that_is_wrapped_away_from_damage_too_stays():
    wrapped = "This text is wrapped at a\nwidth of some letters, and\nso it goes on.\n" * 9
    text = f"{PARAGRAPH * 9}\n{wrapped}"
    at = text.index("This text")
    assert apply_changes(text, BROKEN_SENTENCES.find(text, Evidence([at]))) == text


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_repairing_everywhere_twice_changes_nothing_more(text):
    once = run_everywhere(text)
    assert run_everywhere(once) == once


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_the_ledger_leads_there_and_back(text):
    repaired = EVERYWHERE(text)
    assert replay(text, repaired.edits) == repaired.text
    assert undo(repaired.text, repaired.edits) == text


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_only_white_space_and_hyphens_are_changed(text):
    def rest(t: str) -> str:
        return "".join(c for c in t if c not in " \n-")

    assert rest(run_everywhere(text)) == rest(text)
    assert rest(run_near_damage(text)) == rest(text)


@given(TEXTS, st.lists(st.integers(0, 250), max_size=5), st.integers(0, 2))
@settings(max_examples=150, deadline=None)
def test_damaged_spans_are_the_lines_near_a_point(text, points, lines):
    evidence = Evidence(sorted(min(p, len(text)) for p in points))
    inside = set()
    for low, high in evidence.damaged_spans(text, lines):
        inside.update(range(low, high + 1))
    numbers = [text.count("\n", 0, point) for point in evidence.points]
    for at in range(len(text) + 1):
        line = text.count("\n", 0, at)
        assert (at in inside) == any(abs(line - number) <= lines for number in numbers)


@pytest.mark.parametrize("rule", [r for r in SPACING if r.name in OF_WHOLE_TEXTS], ids=lambda rule: rule.name)
def test_rules_that_are_left_out_beside_damage_find_nothing_there(rule):
    for case in CASES:
        assert not list(rule.find(case["input"], damaged(case["input"])))


@pytest.mark.parametrize(
    "unit",
    [
        *("t o ", "ab-\ncd ", "(f (x "),
        *(
            pytest.param(u, marks=pytest.mark.slow)
            for u in ("a ", "x", "aB", "a\n", "ab,cd ", " .", "A B C D  ", "e\u0301", "a'")
        ),
    ],
)
def test_time_is_linear_on_hostile_text(unit):
    for places in (lambda text: None, lambda text: [0], lambda text: list(range(0, len(text), 10))):

        def find(text, places=places):
            found = places(text)
            evidence = Evidence(everywhere=True) if found is None else Evidence(found)
            for rule in SPACING:
                for _ in rule.find(text, evidence):
                    pass

        assert_linear(find, unit, 200_000)
