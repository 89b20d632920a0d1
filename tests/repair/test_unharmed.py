"""Text that only looks damaged comes out as it went in: code, formulas, tables, mail, verse, scripts of the world."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from winnow.repair import repair

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "cases" / "unharmed.jsonl").open(encoding="utf-8")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_what_only_looks_damaged_is_left_alone(case: dict[str, str]) -> None:
    repaired = repair(case["text"])
    assert [(e.rule, e.before, e.after) for e in repaired.edits if e.applied] == []
    assert repaired.text == case["text"]


def test_many_such_texts_in_one_document_are_left_alone_too() -> None:
    text = "\n\n".join(case["text"] for case in CASES)
    assert repair(text).text == text


def test_labels_are_unique() -> None:
    assert len({case["label"] for case in CASES}) == len(CASES)


PROSE = (
    "The bridge was opened in the spring by the mayor of the town. People came from far away and walked across it."
    "\n\nIt had cost more than anybody thought, and nobody was sorry."
)
BEGINNINGS = (Path(__file__).parents[1] / "cases" / "unended.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_what_begins_and_never_ends_takes_no_sentence_with_it(beginning: str) -> None:
    places = (0, PROSE.index("mayor"), PROSE.index("People"), PROSE.index("It had"))
    for place in places:
        for gap in ("", " "):
            left = repair(f"{PROSE[:place]}{beginning}{gap}{PROSE[place:]}").text
            lost = [word for word in PROSE.split() if word not in left]
            assert len(lost) <= 1, (place, gap, left)  # a word may be taken for a value


@pytest.mark.parametrize("ending", [">", "/>", '">', '"', "&gt;", "<b>", "< / p >", 'href="x"', '="x">', " => "])
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_what_ends_only_where_something_else_does_takes_no_sentence_with_it(beginning: str, ending: str) -> None:
    for place in (0, PROSE.index("mayor"), PROSE.index("People")):
        end = PROSE.index("anybody")
        left = repair(f"{PROSE[:place]}{beginning} {PROSE[place:end]}{ending} {PROSE[end:]}").text
        lost = [word for word in PROSE.split() if word not in left]
        assert len(lost) <= 1, (place, left)
