"""Every rule has a text it repairs and one it leaves alone, can be switched off, and held to a higher threshold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winnow.base.recipe import RepairSettings, RuleSettings
from winnow.repair import REPAIRS, Repaired, escapes, repair
from winnow.repair.markup import bare_references, residue, rtf, shown_tags
from winnow.repair.tidy import TRAILING_SPACES

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


SAME = {  # an expression that begins with its sign, and how it would be written otherwise
    "byte escapes": (escapes._BYTES, r"(?:\\x[89a-fA-F][0-9a-fA-F])+|(?:\\3[0-6][0-7](?:\\2[0-7]{2}){1,3})+"),
    "bytes of a program": (escapes._LITERAL, r"(?<=\b[bu])[\"']|\\x[0-7][0-9a-fA-F]"),
    "escaped quotes": (escapes._ESCAPED_QUOTE, r"\\{1,3}(['\"/])"),
    "quoted-printable": (escapes._QUOTED, r"(?:=[0-9A-F]{2})+|=[ \t]{0,3}\n"),
    "line ends": (escapes._LITERAL_END, r"\\{1,2}(?:r\\{1,2}n|n|r)(?:[ \t]|\\{1,2}t)?"),
    "bytes of RTF": (rtf._BYTES, r"(?:\\'[0-9a-fA-F]{2})+"),
    "spans of code": (shown_tags._CODE_SPAN, r"(?<![\w`])`[^`\n]{1,300}`(?![\w`])"),
    "names": (bare_references._END_OF_NAME, rf"(?<={bare_references._LAST_LETTERS});"),
    "hard spaces": (residue._HARD_SPACES, r"(?:(?<=\S)|(?<=\S ))\xa0[ \xa0]{0,9}(?=\S)"),
}
_PIECES = "\\|\\x|\\n|\\r|\\t|3|03|e9|92|\\303|\\251|'|\\'e9|\"|/|=|=C3|=20|\n| |  |\xa0|\t|b|u|a|quo|;|`|dash;|."


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(_PIECES.split("|")), max_size=14).map("".join))
def test_what_is_looked_for_from_its_sign_is_what_the_plain_way_finds(text: str) -> None:
    for name, (pattern, plain) in SAME.items():
        assert [m.span() for m in pattern.finditer(text)] == [m.span() for m in re.finditer(plain, text)], name
    assert TRAILING_SPACES(text + "\n") == "".join(line.rstrip() + "\n" for line in text.split("\n"))
    assert TRAILING_SPACES(text + "\n" + text) == "\n".join(line.rstrip() for line in f"{text}\n{text}".split("\n"))
