import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deduplicate.corpus import article, paragraph, sentence
from tests.deduplicate.test_promotion import cases
from tests.growth import assert_linear

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.documents.shingles import letter_table
from winnow.deduplicate.passages.fingerprint import UNSPACED
from winnow.deduplicate.passages.splitter import split_passages
from winnow.deduplicate.repeats.within_document import cut_at_repeats, inner_repeats, without_inner_repeats, words_of

SETTINGS = DeduplicateSettings()
SEEDS = Path(__file__).parents[2] / "seeds"


def removed(text: str, settings: DeduplicateSettings = SETTINGS) -> list[tuple[str, str, int | None]]:
    return [(p.text, why.reason, why.kept_position) for p, why in without_inner_repeats(text, settings)[1]]


def test_seed_004_loses_what_an_editor_would_take_out_and_nothing_else() -> None:
    text = next(SEEDS.glob("004_*")).read_text(encoding="utf-8").strip()
    kept, _ = without_inner_repeats(text, SETTINGS)
    assert [(t[:24], r) for t, r, _ in removed(text)] == [
        ("- YOU MAY ALSO LIKE TO W", "promo"),
        ("The media try to claim t", "promo"),
        ("El Salvador says it shar", "repeat"),
        ("“We raise our hands and ", "repeat"),
    ]
    assert kept.count("We raise our hands and say") == 2  # once as a passage, once inside a paragraph


@pytest.mark.parametrize("name", ["000", "001", "002", "003"])
def test_the_other_seeds_lose_nothing(name: str) -> None:
    text = next(SEEDS.glob(f"{name}_*")).read_text(encoding="utf-8").strip()
    assert without_inner_repeats(text, SETTINGS) == (text, [])


@pytest.mark.parametrize("case", cases("repeats.jsonl"), ids=lambda c: c["why"])
def test_what_repeats_for_a_reason_stays_as_a_suspicion_and_what_does_not_goes(case: dict[str, Any]) -> None:
    found = inner_repeats(split_passages(case["text"]), SETTINGS)
    assert [r.position for r in found if not r.stays] == case["removed"]
    assert [[r.position, r.reason] for r in found if r.stays] == case["stays"]
    assert (without_inner_repeats(case["text"], SETTINGS)[0] == case["text"]) == (not case["removed"])


@pytest.mark.parametrize("case", [c for c in cases("repeats.jsonl") if not c["removed"]], ids=lambda c: c["why"])
def test_a_setting_removes_what_repeats_for_a_reason_too(case: dict[str, Any]) -> None:
    assert removed(case["text"], DeduplicateSettings(keep_meaningful_repeats=False))


def test_headings_labels_and_rows_that_stand_twice_stay() -> None:
    rng = random.Random(1)
    text = "\n\n".join(
        part
        for _ in range(3)
        for part in ("Conclusion", paragraph(rng), "- Pros:", "| name | value |\n| one | two |", paragraph(rng))
    )
    assert removed(text) == []


def test_two_copies_glued_together_become_one_with_their_headings() -> None:
    body = "\n\n".join(f"Chapter {('One', 'Two', 'Three')[n]}\n\n{p}" for n, p in enumerate(article(2, 3)))
    text = f"The Title of It All\n\n{body}"
    kept, gone = without_inner_repeats(f"{text}\n\n{text}", SETTINGS)
    assert kept.strip() == text
    assert [why.kept_position for _, why in gone] == list(range(7))


def test_a_run_of_three_sentences_is_cut_out_of_a_longer_passage() -> None:
    rng = random.Random(3)
    run = " ".join(sentence(rng) for _ in range(3))
    first, second = f"{sentence(rng)} {run} {sentence(rng)}", f"{sentence(rng)} {run} {sentence(rng)}"
    text = f"{first}\n\n{paragraph(rng)}\n\n{second}"
    assert removed(text) == [(run, "repeat", 0)]
    rows = cut_at_repeats(blocks := split_passages(text), inner_repeats(blocks, SETTINGS))
    assert [p.part for p, _ in rows] == [0, 0, 0, 1, 2]
    assert "".join(p.text + p.gap for p, _ in rows) == text


def test_two_sentences_are_no_run() -> None:
    rng = random.Random(4)
    run = " ".join(sentence(rng) for _ in range(2))
    assert removed(f"{sentence(rng)} {run} {sentence(rng)}\n\n{sentence(rng)} {run} {sentence(rng)}") == []


def test_the_same_paragraph_with_another_date_is_a_near_repeat() -> None:
    one = paragraph(random.Random(5), 4)
    text = f"On 3 May {one}\n\n{paragraph(random.Random(6))}\n\nOn 4 June {one}"
    (gone,) = without_inner_repeats(text, SETTINGS)[1]
    assert (gone[1].reason, gone[1].kept_position) == ("near_repeat", 0)
    assert gone[1].similarity is not None and 0.9 <= gone[1].similarity < 1


def test_a_copy_of_a_near_repeat_points_to_what_is_kept() -> None:
    one = paragraph(random.Random(5), 4)
    parts = [
        f"On 3 May {one}",
        paragraph(random.Random(6)),
        f"On 4 June {one}",
        paragraph(random.Random(7)),
        f"On 4 June {one}",
    ]
    gone = without_inner_repeats("\n\n".join(parts), SETTINGS)[1]
    assert [(p.position, why.reason, why.kept_position) for p, why in gone] == [
        (2, "near_repeat", 0),
        (4, "near_repeat", 0),
    ]


def test_the_allow_list_keeps_what_would_go() -> None:
    formula = "No part of this publication may be reproduced without the written permission of the publisher."
    text = f"{formula}\n\n{paragraph(random.Random(7))}\n\n{formula}"
    assert removed(text) and removed(text, DeduplicateSettings(keep=(formula.upper(),))) == []


@pytest.mark.parametrize(("first", "last"), UNSPACED, ids=lambda code: f"{code:x}")
def test_scripts_without_spaces_count_by_the_character_here_as_in_shingles(first: int, last: int) -> None:
    letters = [chr(c) for c in range(first, last + 1) if chr(c).isalnum()][:4]
    assert words_of("".join(letters)) == letters
    assert all(letter_table()[ord(letter)] >> 31 for letter in letters)


def test_a_quote_repeated_inside_prose_stays() -> None:
    quote = "“We raise our hands and say that it is not random at all,”"
    rng = random.Random(8)
    assert removed(f"{quote} he said. {paragraph(rng)}\n\n{paragraph(rng)} {quote} he repeated.") == []


_POOL = [paragraph(random.Random(n), 1 + n % 5) for n in range(6)] + ["Conclusion", "- item", "ADVERTISEMENT", "a | b"]
_POOL += [
    "Q: May I come in?", "Is it so?", "A: Yes, you may come in and stay for as long as you like.", "The following:",
    "ANNA: It was like that, and I will say no more about it now.", "JOHN: So it was, and I will say no more of it.",
    "O come with me,\nto the sea that shines,\nMy love.", "The night is long,\nThe road is dark,\nMy love.",
    "CLARA", "MARTIN", "Article 3", "The parties shall settle this pursuant to article 7.", "a b  c  d\na  b e  f",
]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(_POOL), max_size=14))
def test_rows_tile_the_text_and_every_removal_points_to_what_is_kept(parts: list[str]) -> None:
    text = "\n\n".join(parts)
    blocks = split_passages(text)
    rows = cut_at_repeats(blocks, inner_repeats(blocks, SETTINGS))
    assert "".join(p.text + p.gap for p, _ in rows) == text
    whole_gone = {why.position for p, why in rows if why and why.end - why.start == len(blocks[p.position].text)}
    for _, why in rows:
        if why and why.kept_position is not None:
            assert why.kept_position < why.position and why.kept_position not in whole_gone
    again, more = without_inner_repeats(without_inner_repeats(text, SETTINGS)[0], SETTINGS)
    assert more == [], again


@pytest.mark.parametrize(
    "unit",
    [
        "Q: Is it so?\nA: " + "It is so, as it has always been. " * 3 + "\n\n",
        "a. ",
        "A b c. D e f. ",
        "word " * 40 + ".\n\n",
        "He said so. " * 3 + "\n\n",
    ],
)
def test_hostile_repetition_takes_linear_time(unit: str) -> None:
    assert_linear(lambda text: without_inner_repeats(text, SETTINGS), unit, 400_000)
