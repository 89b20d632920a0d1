"""Hostile input costs no more than linear time; limits are generous, for machines are shared."""

from __future__ import annotations

import pytest
from tests.growth import FACTOR, LIMIT, assert_linear, seconds

from winnow.repair import repair

SIZE = 400_000
UNITS = {
    "escaped ampersands": "&amp;",
    "brackets": "<",
    "codes of a font": "(cid:55)",
    "loose accents": "a way to write a`b´e ¨o there, ",
    "hyphens of PDF programs": "ab\x02\ncd\ufffe and so on for a while ",
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
    "bytes written out": "caf\\xe9 ",
    "escapes of JSON": "\\u201ca ",
    "contractions of JavaScript": "zq\\x27s ",
    "end tags of JavaScript": "<\\/p>",
    "brackets in values": '<a x="b>c" ',
    "values never closed": '<a href="x it was the day. ',
    "halves of pictures": "&#55357;&#56832;",
    "settings of Word": "Normal 0 false ",
    "bullets": "- a\n",
    "scripts without an end": "gtag('x'({",
    "strings without an end": '_gaq="',
    "rules of styles": ".a .b{color:red}\n\nx ",
}


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    repair("warm < strong >u p</ s trong > &a mp ; caf&eacute; .By Ã©t t o b e")  # word lists load once


@pytest.mark.parametrize("name", UNITS)
def test_time_grows_with_size_and_no_faster(name: str) -> None:
    assert_linear(repair, UNITS[name], SIZE)


def test_one_unbroken_line_takes_no_longer_than_many_lines() -> None:
    line = "The partnership has raised < b >questions< / b > and it isn&a mp ;t over yet. "
    many = min(seconds(repair, (line + "\n") * 3000) for _ in range(2))
    assert min(seconds(repair, line * 3000) for _ in range(2)) <= 5 * many + 0.5


def test_nested_tags_are_linear() -> None:
    small, large = ("<b>" * n + "x" + "</b>" * n for n in (8_000, 8_000 * FACTOR))
    rounds = ((seconds(repair, small), seconds(repair, large)) for _ in range(4))
    assert any(after <= LIMIT * before + 0.05 for before, after in rounds)
