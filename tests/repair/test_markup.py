"""Rules of markup: each row of the cases changes as it says, or stays as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winnow.repair import REPAIRS, repair, replay
from winnow.repair.engine.rule import Evidence, Rule, apply_changes
from winnow.repair.markup import tags as reading
from winnow.repair.markup.character_references import _at_ampersand, references
from winnow.repair.markup.residue import RESIDUE
from winnow.repair.markup.tag_removal import MARKUP

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "cases" / "markup.jsonl").open(encoding="utf-8")]
RULES: dict[str, Rule] = {rule.name: rule for rule in REPAIRS}
NEGATIVES = [case for case in CASES if case["input"] == case["expected"]]


def _label(case: dict[str, str]) -> str:
    return f"{case['rule']}: {case['why']}"


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_a_rule_does_what_its_case_says(case: dict[str, str]) -> None:
    rule = RULES[case["rule"]]
    # Rules that need evidence are shown damage on every line; the others have to find their own.
    assert rule(case["input"], damaged=rule.needs_evidence) == case["expected"]


@pytest.mark.parametrize("case", NEGATIVES, ids=_label)
def test_all_rules_together_leave_undamaged_text_alone(case: dict[str, str]) -> None:
    repaired = repair(case["input"])
    assert repaired.text == case["input"].rstrip("\n")


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_the_ledger_of_a_case_is_exact(case: dict[str, str]) -> None:
    repaired = repair(case["input"])
    assert replay(case["input"], repaired.edits) == repaired.text


@pytest.mark.parametrize("name", sorted({*(r.name for r in (*MARKUP, *RESIDUE)), "entities", "bbcode", "wiki"}))
def test_every_rule_has_a_case_that_changes_and_one_that_stays(name: str) -> None:
    mine = [case for case in CASES if case["rule"] == name]
    assert any(c["input"] != c["expected"] for c in mine)
    assert any(c["input"] == c["expected"] for c in mine)


def test_a_gate_lets_through_every_text_its_rule_changes() -> None:
    import re2

    for case in CASES:
        rule = RULES[case["rule"]]
        evidence = Evidence([0]) if rule.needs_evidence else Evidence()
        if apply_changes(case["input"], rule.find(case["input"], evidence)) != case["input"]:
            assert any(re2.search(gate, case["input"]) for gate in rule.gates), case


PARAGRAPH = "The council met on Tuesday to hear from people who live along the banks of the river. " * 3
WRAPPED = f"<p>{PARAGRAPH}</p>".replace(" </p>", "</p>")


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (f"{PARAGRAPH}\n{WRAPPED}\n{WRAPPED}\n{PARAGRAPH}", True),
        (f"{WRAPPED}\n{WRAPPED}\n{PARAGRAPH}", True),
        (f"< b >Now</ b > {PARAGRAPH}\n" + f"{PARAGRAPH}\n" * 20 + WRAPPED, True),
        (f"{PARAGRAPH}\n{WRAPPED}\n{PARAGRAPH}\n{PARAGRAPH}", False),
        (f"Write the tag so:\n{WRAPPED}\n{WRAPPED}\n{PARAGRAPH}", False),
        (f"{PARAGRAPH}\n{WRAPPED}\n{WRAPPED}\nif (a <b) then return(c);\n{PARAGRAPH}", False),
        (f"{PARAGRAPH}\n<p>short</p>\n<p>and short.</p>\n{PARAGRAPH * 2}", False),
    ],
)
def test_long_lines_that_are_paragraphs_lose_their_tags_unless_the_text_is_about_them(text: str, whole: bool) -> None:
    assert ("<p>" not in repair(text).text) == whole


@pytest.mark.parametrize(
    ("among", "left"),
    [
        ("<script>var x = 1;</script>It was late.", "It was late."),
        ('<p class="MsoNormal">It was late.</p>', "It was late."),
        ("It was late.</p>", "It was late."),
        ("</div></div>It was late.", "It was late."),
        ("<table><tr><td>Ayes</td><td>5</td></tr></table>", "Ayes | 5"),
        ("<p>It was late.</p>", None),
        ("It was late.</rant>", None),
        ("It was late.</i>", None),
        ("The </p> was <p>late</p>", None),
        ("<td>Ayes</td><td>5</td>", None),
        ("It was late for </div> and other tags.", None),
    ],
)
def test_what_a_page_left_among_prose_goes_where_it_can_be_nothing_else(among: str, left: str | None) -> None:
    text = f"{PARAGRAPH * 2}\n{{}}\n{PARAGRAPH * 2}"
    lines = [line.strip() for line in repair(text.format(among)).text.splitlines()]
    assert lines == [line.strip() for line in text.format(left or among).splitlines()]


def _made_of(pieces: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pieces.split("|")), min_size=1, max_size=14).map("".join)


@settings(max_examples=300, deadline=None)
@given(
    _made_of("&|&|amp;|amp|AMP;|lt;|lt|gt;|quot;|#38;|#x26;|#8217;|#xE9;|#0;|#55357;&#56832;|UUML;|eacute;|;| |M|b|no;")
)
def test_references_read_in_one_look_are_those_read_layer_by_layer(text: str) -> None:
    once = [r for r in references(text) if r.kind != "bare" and text[r.start] == "&"]
    again = [_at_ampersand(text, r.start) for r in once]
    assert [r for r, layered in zip(once, again, strict=True) if r != layered and len(r.value) == 1] == []


@settings(max_examples=300, deadline=None)
@given(
    _made_of(
        "<|>|>|</b>|<p|<a|</|<li/>|<s trong>|< / p|<x-y>|<file a|<script>|</script>| |\n|\"|'|b| href=\"x\"| a='1 > 0'"
        "|<!--|-->|A b. C"
    )
)
def test_tags_read_by_their_inside_alone_are_those_read_where_they_stand(text: str) -> None:
    found = list(reading.tags(text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_plain", lambda inside: None)
        assert list(reading.tags(text)) == found
    assert reading.may_hold_broken(text) or not any(tag.kind == "broken" and tag.strong for tag in found)
