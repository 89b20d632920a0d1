"""The promises of repair hold on anything: exact ledger, rest after one repair, suspicions that fit."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest
import re2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from winnow.base.errors import LedgerError, RecipeError
from winnow.base.recipe import RepairSettings, RuleSettings
from winnow.base.records import Edit
from winnow.repair import REPAIRS, Repaired, escapes, repair, replay, rule_versions, undo
from winnow.repair.encoding import line_changes
from winnow.repair.engine.repairer import Repairer
from winnow.repair.engine.rule import (
    A_CAPITAL,
    A_LETTER,
    MAX_REMEMBERED,
    Change,
    Evidence,
    Rule,
    detector,
    in_any_case,
    remembered_by_line,
)

PIECES = (
    "<",
    ">",
    "/",
    "&",
    ";",
    " ",
    "\n",
    "\n\n",
    "amp;",
    "lt;",
    "&l t;",
    "& gt ;",
    "&amp;amp;",
    "&nbsp;",
    "&#39;",
    "b",
    "li",
    "s trong",
    "< strong >",
    "</ li >",
    "td >",
    "tr",
    "<tr>",
    "<td>",
    "<!--",
    "-->",
    "<script>",
    "</script>",
    "word",
    "A nd",
    "t o",
    ".By",
    "- ",
    " | ",
    "[1] ",
    "[2] ",
    "\xa0",
    "Ã©",
    "â€™",
    "\u0301",
    "é",
    "<b x='1'>",
    "=",
    '"',
    "1 < 2",
    "&",
    "x",
    "'",
    "ADVERTISEMENT",
    ".—",
    "br/>",
    "<br",
    "<h2>",
    "[b]",
    "[[a|b]]",
    "{{x}}",
    "\t",
    "\r",
    "\ufffd",
    "'''",
)
MARKUP_SHAPED = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
ANYTHING = st.text(max_size=120)
QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(st.one_of(MARKUP_SHAPED, ANYTHING))
def test_the_ledger_leads_to_the_repaired_text_and_back(text: str) -> None:
    repaired = repair(text)
    assert replay(text, repaired.edits) == repaired.text
    assert undo(repaired.text, repaired.edits) == text


@QUICK
@given(st.one_of(MARKUP_SHAPED, ANYTHING))
def test_repairing_a_repaired_text_changes_nothing(text: str) -> None:
    once = repair(text).text
    assert repair(once).text == once


@QUICK
@given(MARKUP_SHAPED)
def test_suspicions_stand_where_they_say_in_the_repaired_text(text: str) -> None:
    repaired = repair(text)
    for edit in repaired.edits:
        if not edit.applied:
            assert repaired.text[edit.start : edit.end] == edit.before


@QUICK
@given(MARKUP_SHAPED, st.sampled_from([r.name for r in REPAIRS]), st.sampled_from(["off", "near_damage", "everywhere"]))
def test_the_ledger_stays_exact_with_any_rule_off(text: str, name: str, spacing: str) -> None:
    chosen = RepairSettings(rules={name: RuleSettings(enabled=False)}, spacing=spacing)
    repaired = repair(text, chosen)
    assert all(e.rule != name for e in repaired.edits)
    assert undo(repaired.text, repaired.edits) == text


def test_edits_are_numbered_in_order_and_name_their_rules() -> None:
    repaired = repair("one < strong >two< / strong > &a mp ; three .\n\n\n\nx ")
    assert [e.seq for e in repaired.edits] == list(range(len(repaired.edits)))
    assert all(rule_versions()[e.rule] == e.rule_version for e in repaired.edits)


def test_an_unknown_rule_is_named_with_the_nearest_known_one() -> None:
    for text in ("the first text", "and every later one"):
        with pytest.raises(RecipeError, match=r"entitys.*did you mean 'entities'"):
            repair(text, RepairSettings(rules={"entitys": RuleSettings()}))


def test_each_settings_choose_their_own_rules() -> None:
    text = "fish &amp;amp; chips \ufffd"
    off = RepairSettings(rules={"entities": RuleSettings(enabled=False)})
    assert [repair(text, chosen).text != text for chosen in (RepairSettings(), off, RepairSettings(), off)] == [
        True, False, True, False,
    ]  # fmt: skip
    kept = RepairSettings(rules={"entities": RuleSettings(threshold=1.0)})
    assert repair(text, kept).text == text


def test_a_high_threshold_turns_changes_into_suspicions() -> None:
    text = "fish &amp;amp;amp; chips"
    chosen = RepairSettings(rules={"entities": RuleSettings(threshold=1.0)})
    repaired = repair(text, chosen)
    assert repaired.text == text
    assert [(e.rule, e.after, e.applied) for e in repaired.edits] == [("entities", "&", False)]


def test_a_ledger_that_does_not_fit_is_refused() -> None:
    edit = Edit(0, "entities", 1, 0, 5, "&amp;", "&", 1.0, True)
    with pytest.raises(LedgerError, match="edit 0 expects '&amp;' at offset 0"):
        replay("something else", [edit])


def counting(rule: Rule, calls: Counter[str]) -> Rule:
    def find(text: str, evidence: Evidence) -> Iterable[Change]:
        calls[rule.name] += 1
        return rule.find(text, evidence)

    return replace(rule, find=find)


def test_no_rule_looks_more_often_than_it_must() -> None:
    calls: Counter[str] = Counter()
    repairer = Repairer(counting(rule, calls) for rule in REPAIRS)
    for text, most in (("No damage: a < b.", 1), ("Spaces at line ends, a < b. \nAnd here. ", 2), ("cafÃ© a <b ", 2)):
        calls.clear()
        assert repairer(text) == repair(text)
        assert "tags" in calls and "surrogates" not in calls
        assert max(calls.values()) <= most, (text, calls)


def test_a_change_opens_the_gates_of_what_it_uncovers() -> None:
    around = "\n".join(f"Line {n}, nothing else." for n in range(40))
    damaged = f"{around}\nOne &amp;lt; strong &amp;gt; two\x00.\n\n{around}"
    once = repair(damaged)
    assert {edit.rule for edit in once.edits} >= {"control_characters", "entities", "tags"}
    assert once.text == f"{around}\nOne two.\n\n{around}"
    assert repair(once.text).edits == ()
    encoded = f"{around}\nA caf&Atilde;&copy; au lait.\n\n{around}"
    assert repair(encoded).text == f"{around}\nA café au lait.\n\n{around}"


def test_a_change_opens_the_gates_of_rules_that_were_shut_beside_damage() -> None:
    text = "< / p > Bees fly.\nthe T&eacute;a rt of it all."
    asked: list[str] = []
    first = Rule("first", 1, lambda t, e: [Change(0, 1, "")] if t[0] == "<" else [], "<", proves=True)
    opener = Rule("opener", 1, lambda t, e: [Change(t.index("&"), t.index(";") + 1, "#")] if "&" in t else [], "&")
    late = Rule("late", 1, lambda t, e: asked.append(t) or [], "#", needs_evidence=True)
    Repairer((first, late, opener))(text)
    assert [("#" in t) for t in asked] == [True] * len(asked) and asked


@pytest.mark.parametrize("rule", [rule for rule in REPAIRS if rule.beyond_ascii], ids=lambda rule: rule.name)
def test_rules_that_are_not_asked_of_ascii_find_nothing_in_it(rule: Rule) -> None:
    ascii = [chr(c) for c in range(128)]
    assert not list(rule.find("".join(a + b for a in ascii for b in ascii), Evidence([0])))


@pytest.mark.parametrize(("kinds", "gate"), [("L", A_LETTER), ("Lu", A_CAPITAL)])
def test_a_letter_of_a_gate_is_any_letter(kinds: str, gate: str) -> None:
    scalars = (chr(n) for n in range(0x110000) if not 0xD800 <= n < 0xE000)
    letters = "".join(char for char in scalars if unicodedata.category(char).startswith(kinds))
    assert re2.sub(gate, "", letters) == ""
    assert not re2.findall(gate, "0_ .’–\u00a0\n")


def test_answers_about_lines_are_kept_and_never_more_of_them_than_memory_allows() -> None:
    asked: list[str] = []

    @remembered_by_line
    def size(line: str, more: int) -> int:
        asked.append(line[:1])
        return len(line) + more

    assert [size("a", 1), size("a", 1), size("a", 2)] == [2, 2, 3]
    assert asked == ["a", "a"]
    for sign in "bcb":
        assert size(sign * (MAX_REMEMBERED // 2), 0) == MAX_REMEMBERED // 2
    assert asked == ["a", "a", "b", "c", "b"]


@pytest.mark.parametrize("text", ["ASCİİ’", "utf 8, the entité", "escapé", "charſets", "Kodierung", "un\u0131code?"])
def test_what_is_asked_of_re2_first_is_no_narrower(text: str) -> None:
    for pattern in (escapes._ABOUT.pattern.replace(r"\w+", r"\w*"), line_changes._TALK.pattern):
        assert bool(re.search(pattern, text)) <= bool(detector(in_any_case(pattern))(text))


def test_rule_names_are_unique() -> None:
    assert len({r.name for r in REPAIRS}) == len(REPAIRS)


def test_texts_that_are_repaired_together_are_repaired_as_alone() -> None:
    repairer = Repairer(REPAIRS)
    texts = ["caf&amp;eacute; \n\n\n\nMÃ¼nchen", "", "a < b", "<p>It &quot;is&quot;</p>", "caf&amp;eacute; \n"]
    assert repairer.each(texts) == [repairer(text) for text in texts]
    assert [one.text for one in map(Repairer(()), texts)] == texts


def test_what_stumbles_over_one_text_leaves_the_others_repaired() -> None:
    def stumble(text: str, evidence: Evidence) -> list[Change]:
        return [Change(0, 1, "b", 1 / text.count("b"))]

    good, bad = Repairer([Rule("once", 1, stumble, "^a")]).each(["ab", "a"])
    assert isinstance(bad, ZeroDivisionError) and isinstance(good, Repaired) and good.text == "bb"
