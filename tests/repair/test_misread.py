"""One-byte encodings taken for one another: what comes back, and what only looks so and stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.growth import assert_linear

from winnow.base.recipe import RepairSettings, RuleSettings
from winnow.repair import repair, replay, undo
from winnow.repair.encoding.misread import MISREAD
from winnow.repair.encoding.misread_pairs import NO_CODEC, PAIRS, Pair
from winnow.repair.encoding.misread_signs import has_sign
from winnow.repair.encoding.mojibake import ENCODING
from winnow.repair.encoding.plausible import known_in
from winnow.repair.engine.repairer import Repairer

CASES_FOLDER = Path(__file__).parents[1] / "cases"
CASES = [json.loads(line) for line in (CASES_FOLDER / "misread.jsonl").open(encoding="utf-8")]
SENTENCES = [json.loads(line)["text"] for line in (CASES_FOLDER / "sentences.jsonl").open(encoding="utf-8")]
RUN = Repairer((MISREAD, *ENCODING))
PIECES = [
    "Ïðèâåò", "êàê", "рТЙЧЕФ", "ðÒÉ×ÅÔ", "pøíliš", "mùže", "être", "ętre", "ŕ", "caf‚", "Espa¤a", "cafŽ", "cafÈ", "È",
    "привет", "été", "það", "\x8d", "\u2014", "╔╦╗", "Ã©", "вЂ™", " ", " ", " ", "\n", "\n", "a", "the", "\u00a0", "1",
]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
UNITS = {
    "Cyrillic read as Latin": "Ïðèâåò, êàê äåëà? ",
    "high letters": "Ïð",
    "lines that never prove": "xøí yøíz\n",
    "one line that never proves": "xøí yøíz ",
    "letters of two scripts": "aйb",
    "boxes": "╔╦╗║",
    "capitals inside": "aÉb ",
    "C1 controls": "\x8d ",
}


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['family']}: {c['label']}")
def test_each_case_reads_as_expected(case: dict[str, str]) -> None:
    assert repair(case["input"]).text == case["expected"]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['family']}: {c['label']}")
def test_what_was_expected_stays_and_the_ledger_leads_back(case: dict[str, str]) -> None:
    assert [e for e in repair(case["expected"]).edits if e.applied] == []
    done = repair(case["input"])
    assert replay(case["input"], done.edits) == done.text
    assert undo(done.text, done.edits) == case["input"]


def test_labels_are_unique() -> None:
    assert len({(case["family"], case["label"]) for case in CASES}) == len(CASES)


def test_all_whole_texts_in_one_document_stay() -> None:
    text = "\n\n".join(c["input"] for c in CASES if c["family"] == "whole")
    assert repair(text).text == text


def test_sentences_of_many_languages_do_not_even_raise_suspicion() -> None:
    assert [s for s in SENTENCES if repair(s).edits] == []


def test_a_lone_short_word_is_suspected_and_left() -> None:
    done = repair("Espa¤a")
    assert [(e.rule, e.before, e.after, e.applied) for e in done.edits] == [("misread_charset", "¤", "ñ", False)]
    assert done.text == "Espa¤a"


def test_one_such_word_in_a_sentence_of_its_language_is_enough() -> None:
    assert repair("Todos ellos volvieron a casa en Espa¤a").text == "Todos ellos volvieron a casa en España"


def test_beside_letters_that_were_read_rightly_it_is_left() -> None:
    text = "La sesión terminó y todos volvieron a Espa¤a"
    assert repair(text).text == text


def test_a_quotation_of_misread_text_is_suspected_and_left() -> None:
    text = "The site shows “Ïðèâåò” because the browser took windows-1251 for windows-1252."
    done = repair(text)
    assert done.text == text
    assert [(e.before, e.after, e.applied) for e in done.edits] == [("Ïðèâåò", "Привет", False)]


def test_switched_off_it_leaves_the_text() -> None:
    settings = RepairSettings(rules={"misread_charset": RuleSettings(enabled=False)})
    assert repair("Ïðèâåò, êàê äåëà?", settings).text == "Ïðèâåò, êàê äåëà?"


WITH_CODEC = [pair for pair in PAIRS if pair.really != NO_CODEC]


@pytest.mark.parametrize("pair", WITH_CODEC, ids=lambda p: f"{p.really} read as {p.read_as}")
def test_a_pair_maps_letters_one_to_one_and_back(pair: Pair) -> None:
    for number in range(0x80, 0x100):
        really = bytes([number]).decode(pair.really, "ignore")
        read_as = bytes([number]).decode(pair.read_as, "ignore") or chr(number)
        assert len(read_as.translate(pair.table)) == 1
        if really.isalpha():
            assert read_as.translate(pair.table) == really


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "été où naïf œuvre"), ("pl", "gęś źdźbło"), ("tr", "yağmur ışık"), ("is", "þýðing það"), ("vi", "được")],
)
def test_words_as_they_are_written_show_no_sign(language: str, words: str) -> None:
    assert not has_sign(words)
    assert not known_in("Ïðèâåò", language)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_the_ledger_leads_there_and_back(text: str) -> None:
    result = RUN(text)
    assert replay(text, result.edits) == result.text
    assert undo(result.text, result.edits) == text


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_repairing_twice_changes_nothing_more(text: str) -> None:
    once = RUN(text).text
    assert RUN(once).text == once


@pytest.mark.parametrize("name", UNITS)
def test_time_grows_with_size_and_no_faster(name: str) -> None:
    RUN("Ïðèâåò pøíliš cafÈ ŕ")  # word lists load once
    assert_linear(RUN, UNITS[name], 60_000)
