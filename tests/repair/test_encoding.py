"""Encoding, invisible characters and white space: what is repaired, and what comes out as it came in."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from ftfy.badness import BADNESS_RE
from hypothesis import given, settings
from hypothesis import strategies as st

from winnow.repair.encoding.charmaps import is_suspicious
from winnow.repair.encoding.mojibake import ENCODING
from winnow.repair.engine.ledger import replay, undo
from winnow.repair.engine.repairer import Repaired, Repairer
from winnow.repair.invisible import INVISIBLE
from winnow.repair.tidy import TIDY

CASES_FOLDER = Path(__file__).parents[1] / "cases"
CASES = [json.loads(line) for line in (CASES_FOLDER / "encoding.jsonl").open(encoding="utf-8")]
SENTENCES = [json.loads(line)["text"] for line in (CASES_FOLDER / "sentences.jsonl").open(encoding="utf-8")]
FAMILIES = {
    "encoding": Repairer(ENCODING), "invisible": Repairer(INVISIBLE), "tidy": Repairer(TIDY),
    "": Repairer((*INVISIBLE, *ENCODING, *TIDY)),
}  # fmt: skip

PIECES = [
    "é", "Ã©", "Ã", "Â", "\xa0", "â€™", "√©", "ÔÇÖ", "вЂ™", "├", "®", "\x92", "pi√π", "\ufffd", "\ufeff", "\r", "\n",
    "\x0c", "\x1b[0m", "\x08", "a", " ", "\t", "…", "“", "”", "日", "Р", "і", "Рё", "\u200d", "\U000e0041", "\0",
]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=120), st.lists(st.sampled_from(PIECES), max_size=40).map("".join))


def run(text: str, family: str = "") -> Repaired:
    return FAMILIES[family](text)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['family']}: {c['label']}")
def test_each_case_reads_as_expected(case: dict[str, str]) -> None:
    assert run(case["input"], case["family"]).text == case["expected"]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['family']}: {c['label']}")
def test_what_was_expected_stays_as_it_is(case: dict[str, str]) -> None:
    assert run(case["expected"], case["family"]).text == case["expected"]


def test_sentences_in_thirty_languages_are_left_alone() -> None:
    assert [s for s in SENTENCES if run(s).edits] == []


@pytest.mark.parametrize("name", ["cp1252", "mac_roman", "cp1250", "cp1251", "cp437", "cp850"])
def test_every_sentence_comes_back_from_each_encoding(name: str) -> None:
    for sentence in SENTENCES:
        damaged = "".join(bytes([b]).decode(name, "ignore") or chr(b) for b in sentence.encode())
        assert run(damaged).text == sentence


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_the_ledger_leads_there_and_back(text: str) -> None:
    result = run(text)
    assert replay(text, result.edits) == result.text
    assert undo(result.text, result.edits) == text


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_repairing_twice_changes_nothing_more(text: str) -> None:
    once = run(text).text
    assert run(once).text == once


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_repaired_text_has_line_feeds_only_and_no_stray_blanks(text: str) -> None:
    lines = run(text).text.split("\n")
    # A text of one line may be a cell that holds nothing but a no-break space.
    assert not any(line != line.rstrip(" \t" if len(lines) == 1 else None) or "\r" in line for line in lines)
    assert lines == [""] or (lines[0] and lines[-1])
    assert all(one or two for one, two in pairwise(lines))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_whatever_ftfy_finds_bad_is_suspicious(text: str) -> None:
    line = text.replace("\n", " ")
    assert is_suspicious(line) or not BADNESS_RE.search(line)


def test_edits_hold_the_damaged_spots_and_nothing_else() -> None:
    edits = run("Le garÃ§on Ã©tait lÃ\xa0 hier.", "encoding").edits
    assert [(e.before, e.after) for e in edits] == [("Ã§", "ç"), ("Ã©", "é"), ("Ã\xa0", "à")]


def test_what_is_lost_is_flagged_and_not_made() -> None:
    edits = run("na\ufffdve", "encoding").edits
    assert [(e.rule, e.before, e.applied) for e in edits] == [("lossy_remains", "\ufffd", False)]


def test_mojibake_that_is_spoken_of_is_recorded_as_a_suspicion() -> None:
    edits = run("characters like “Ã©” or “Ã¨”", "encoding").edits
    assert [(e.before, e.after, e.applied) for e in edits] == [("Ã©", "é", False), ("Ã¨", "è", False)]


def test_equal_lines_are_read_alike_wherever_they_stand() -> None:
    line = "dÃ©jÃ\xa0 vu"
    assert run("\n".join([line, "plain", line])).text == "déjà vu\nplain\ndéjà vu"


@pytest.mark.parametrize(("text", "charset"), [("ภาษาไทย", "latin-1"), ("\ufffd", "cp1252"), ("привет", "latin-1")])
def test_a_line_too_long_to_be_read_at_once_is_cut_between_signs(text: str, charset: str) -> None:
    long = text * (30_001 // len(text))
    assert run(long.encode().decode(charset)).text == long
