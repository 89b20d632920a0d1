from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deduplicate import corpus

from winnow.deduplicate.passages.splitter import split_passages, title_of

SEEDS = Path(__file__).parents[2] / "seeds"
PIECES = st.sampled_from(corpus.PIECES)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=200))
def test_text_and_gap_of_all_passages_are_the_text_again(text: str) -> None:
    passages = split_passages(text)
    assert "".join(p.text + p.gap for p in passages) == text
    assert all(not p.gap.strip() for p in passages)
    assert [p.position for p in passages] == list(range(len(passages)))


def test_a_hard_wrapped_paragraph_is_one_passage() -> None:
    text = (
        "The quick brown fox jumps over the lazy dog and then it goes on to\n"
        "sleep under the tree that stands beside the river, where nobody ever\n"
        "thinks of looking for it. In the morning it comes back.\n\nAnother one."
    )
    assert [p.text.count("\n") for p in split_passages(text)] == [2, 0]


def test_lines_of_one_paragraph_each_are_passages_each() -> None:
    line = "This is a whole paragraph that goes on for far longer than any column of text is wide, as it does. " * 3
    assert len(split_passages("\n".join([line.strip()] * 4))) == 4


def test_kinds_are_told_apart() -> None:
    text = (
        "A Heading\n\nProse that ends.\n\n- an item\n  that goes on\n- another\n\n| a | b |\n| c | d |\n\n"
        "> a quote\n> of two lines\n\n“We will go on until it is done.” – the minister\n\n"
        "    if (a == b) {\n        run(a);\n    }\n\n```\ncode\n\nmore\n```\n\nThe end."
    )
    kinds = [p.kind for p in split_passages(text)]
    wanted = "heading paragraph list_item list_item table_row table_row quote quote code code paragraph"
    assert " ".join(kinds) == wanted


def test_a_passage_carries_its_indentation() -> None:
    assert [p.text for p in split_passages("  indented prose here.\n\n   more of it.")] == [
        "  indented prose here.",
        "   more of it.",
    ]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("000", "The Human Cost of Repressive Cooperation: A Closer Look at US-El Salvador Relations"),
        ("001", "El Salvador and the U.S. Forge Stronger Ties Through Gang Intelligence Collaboration"),
        ("002", None),
        ("003", "US Organizations Demand Justice for Central American Migrants in the United States"),
        ("004", "El Salvador and the United States: A Collaborative Approach to Gang Intelligence"),
    ],
)
def test_the_seeds_have_the_titles_a_reader_would_give(name: str, title: str | None) -> None:
    text = next(SEEDS.glob(f"{name}_*")).read_text(encoding="utf-8").strip()
    assert title_of(split_passages(text)) == title


@pytest.mark.parametrize(
    "unit", ["a", "a. ", "\n", "- \n", "|", "```\n", "> a\n", "\na", "\n\na", "```\n\n", "    {\n"]
)
def test_a_hostile_text_takes_linear_time_and_still_tiles(unit: str) -> None:
    text = unit * 60_000
    assert "".join(p.text + p.gap for p in split_passages(text)) == text
