"""Hostile input for the rules on encoding, invisible characters and white space: linear, whatever it is."""

from __future__ import annotations

import pytest
from tests.growth import assert_linear, seconds

from winnow.repair.encoding.mojibake import ENCODING
from winnow.repair.engine.repairer import Repairer
from winnow.repair.invisible import INVISIBLE
from winnow.repair.tidy import TIDY

RUN = Repairer((*INVISIBLE, *ENCODING, *TIDY))
SIZE = 120_000
UNITS = {
    "one line of mojibake": "Ã©",
    "mojibake words": "Ã©tÃ© ",
    "lead signs alone": "Ã",
    "signs that words must prove": "pi√π ",
    "garble": "ã†â€™ãƒâ€ ã¢â‚¬â„¢ãƒæ’ã‚â¢",
    "mixed lines": "Seór Muñoz pagÃ³ 30 â‚¬\n",
    "C1 controls in words": "a\x92b ",
    "spaces": " ",
    "spaces before letters": "    a",
    "blank lines": " \n",
    "carriage returns": "\r",
    "backspaces": "a\x08",
    "escapes never closed": "\x1b]",
    "controls": "\x00a",
    "combining characters": "e\u0301\u0301",
    "joiners": "\u200d",
    "flags never closed": "\U0001f3f4\U000e0067",
    "replacement characters": "\ufffd ",
    "Cyrillic that could be UTF-8": "Рі",
}


def run(text: str) -> None:
    RUN(text)


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    RUN("pi√π è·‹ Ã©tÃ© вЂ™ tur\x92stico")  # word lists load once


@pytest.mark.parametrize("name", UNITS)
def test_time_grows_with_size_and_no_faster(name: str) -> None:
    assert_linear(run, UNITS[name], SIZE)


@pytest.mark.parametrize(
    "sentence", ["The quick brown fox jumps over it.\n", "Все люди равны в правах.\n", "L’été à Noël.\n"]
)
def test_clean_text_costs_next_to_nothing(sentence: str) -> None:
    text = (sentence * (1_000_000 // len(sentence.encode()))).strip()
    assert min(seconds(run, text) for _ in range(3)) < 0.2  # a second a megabyte would be 1; 0.01 is usual
