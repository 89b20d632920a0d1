"""The sample articles come out as a careful editor would leave them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from winnow.repair import repair

ROOT = Path(__file__).parents[2]
SEEDS = sorted((ROOT / "seeds").glob("*.txt"))


@pytest.mark.parametrize("seed", SEEDS, ids=lambda p: p.name[:3])
def test_a_seed_is_repaired_as_an_editor_would(seed: Path) -> None:
    golden = (ROOT / "tests" / "golden" / "seeds" / f"{seed.name[:3]}.repaired.txt").read_text("utf-8")
    repaired = repair(seed.read_text("utf-8")).text
    # Whether a text ends in a line feed is the author's business; what stands in it is the golden file's.
    assert repaired.rstrip("\n").split("\n") == golden.rstrip("\n").split("\n")


@pytest.mark.parametrize("seed", [s for s in SEEDS if s.name[:3] != "001"], ids=lambda p: p.name[:3])
def test_an_undamaged_seed_keeps_its_words(seed: Path) -> None:
    text = seed.read_text("utf-8")
    assert repair(text).text.split() == text.split()


def test_no_markup_is_left_in_the_damaged_seed() -> None:
    text = repair(SEEDS[1].read_text("utf-8")).text
    assert not re.search(r"[<>;]|\b(?:amp|nbsp)\b|& ?[a-z]+ ?;", text)
