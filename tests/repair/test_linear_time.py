"""Hostile input costs no more than linear time; limits are generous, for machines are shared."""

from __future__ import annotations

import time

import pytest

from flows.repair import repair

SIZE = 400_000
UNITS = {
    "escaped ampersands": "&amp;",
    "brackets": "<",
    "brackets and spaces": "< ",
    "letters and spaces": "a ",
    "open tags": "<b>",
    "spaced tags": "x < strong > y ",
    "broken entities": "&l t;b r/&g t;",
    "combining characters": "a\u0301\u0302",
    "comments never closed": "<!--",
    "scripts never closed": "<script>",
    "quotes never closed": '<b x="',
    "table cells": "<tr><td>a</td></tr>",
    "closing brackets": "td > ",
    "names without ampersand": "lt; ",
    "long numbers": "&#" + "1" * 100,
    "list items": "< li >a</ l i >\n",
    "dots": "a.B",
    "wiki links": "[[a|",
    "templates": "{{a|",
    "mojibake": "Ã©",
    "pipes": "| ",
    "bullets": "- a\n",
}


def seconds(text: str) -> float:
    start = time.process_time()
    repair(text)
    return time.process_time() - start


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    repair("warm < strong >u p</ s trong > &a mp ; caf&eacute; .By Ã©t t o b e")  # word lists load once


@pytest.mark.parametrize("name", UNITS)
def test_twice_the_size_takes_about_twice_the_time(name: str) -> None:
    text = UNITS[name] * (SIZE // len(UNITS[name]))
    half = min(seconds(text[: len(text) // 2]) for _ in range(2))
    whole = min(seconds(text) for _ in range(2))
    assert whole <= 3 * half + 0.2


def test_one_unbroken_line_takes_no_longer_than_many_lines() -> None:
    line = "The partnership has raised < b >questions< / b > and it isn&a mp ;t over yet. "
    assert seconds(line * 3000) <= 5 * seconds((line + "\n") * 3000) + 0.5


def test_nested_tags_are_linear() -> None:
    small, large = ("<b>" * n + "x" + "</b>" * n for n in (20_000, 40_000))
    assert seconds(large) <= 3 * seconds(small) + 0.2
