"""What keeps a line from being read leaves nothing out: each shortcut beside the plain way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winnow.repair.encoding import lost_bytes, lost_wide_bytes, mojibake, normal_forms, thai
from winnow.repair.encoding.charmaps import EVERY, Charmap, charmap, holders, is_suspicious
from winnow.repair.encoding.dropped_bytes import _LOSSY, _left_in
from winnow.repair.encoding.line_changes import _SIGNS as _SIGNS_OF_LINES

_SIGNS = sorted({c for one in EVERY for c in one.table[0x80:]}) + list("\u0300\u0301\u0303\u0308\u030c⁄μ\ufffd\u3042語")
_PARTS = st.sampled_from([
    *_SIGNS, *"aAzZoTM123 .,?!-'\"()\n«\xa0", "â€", "â€™", "ðŸ", "Ã¢â‚¬", "Ã°Å¸", "TM", "...", "ÃÂ", "áº", "á»", "1⁄4",
])  # fmt: skip
_MISREAD = st.builds(
    lambda text, one: "".join(one.table[byte] for byte in text.encode()),
    st.text(st.sampled_from("éàüñçßøčşığαωжяѓіאبहक語あ한’“”–…€😀 abc"), max_size=12),
    st.sampled_from(EVERY),
)
LINES = st.one_of(
    st.lists(_PARTS, max_size=14).map("".join), st.lists(st.one_of(_PARTS, _MISREAD), max_size=5).map("".join)
)
many = settings(max_examples=400, deadline=None)


@many
@given(LINES)
def test_the_encodings_that_hold_a_line_are_those_that_have_all_its_characters(line: str) -> None:
    assert holders(line) == tuple(one for one in EVERY if set(line) <= one.characters)


def _spans_in(line: str, one: Charmap) -> Iterator[tuple[int, int]]:
    return (found.span() for found in one._sequences.finditer(line))


@many
@given(LINES, st.sampled_from(EVERY))
def test_runs_of_sequences_found_in_bytes_are_those_found_in_characters(line: str, one: Charmap) -> None:
    assert list(one.runs(line)) == list(_spans_in(line, one))


@many
@given(LINES)
def test_forms_are_undone_wherever_a_sign_of_one_stands(line: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normal_forms, "_is_altered", lambda line: True)
        expected = normal_forms.undo_forms(line)
    assert normal_forms.undo_forms(line) == expected


@many
@given(LINES)
def test_what_stands_apart_is_looked_for_wherever_it_stands(line: str) -> None:
    if lost_bytes._APART.search(line) and not lost_bytes._REMAINING.isdisjoint(line):
        assert lost_bytes._may_stand_apart(line)


@many
@given(LINES)
def test_what_is_left_of_letters_is_looked_for_wherever_it_stands(line: str) -> None:
    assert sorted(_left_in(line)) == [n for n, lossy in enumerate(_LOSSY) if lossy.left.search(line)]


@many
@given(
    st.lists(st.one_of(_PARTS, st.sampled_from([chr(n) for n in range(0x80, 0xA0)]), _MISREAD), max_size=6).map("".join)
)
def test_a_line_that_shows_windows_signs_is_none_of_mac_roman(line: str) -> None:
    if mojibake._TWO_OF_WINDOWS.search(line):
        assert is_suspicious(line.translate(mojibake._C1_OF_MAC))


@many
@given(st.text(st.sampled_from("éàüß語あ’“ a"), max_size=12), st.sampled_from(("latin-1", "cp1252", "cp850")))
def test_a_space_is_byte_a0_only_where_it_must_be(text: str, name: str) -> None:
    line = "".join(charmap(name).table[byte] for byte in text.encode())
    found = mojibake.undo(line, charmap(name))
    assert list(found) == ([text] if text != line else [])


@many
@given(LINES)
def test_what_is_left_of_wide_letters_is_looked_for_wherever_it_stands(line: str) -> None:
    assert (3 in lost_bytes._signs_in(line)) == bool(lost_wide_bytes._LEFT.search(line))


@many
@given(_MISREAD)
def test_a_line_that_is_utf8_as_a_whole_is_read_first_as_it_is(line: str) -> None:
    if not line.isascii() and (whole := mojibake._whole(line)) is not None:
        assert next(mojibake.readings(line)) == whole


@many
@given(st.text(st.sampled_from("สวัสดีครับกขเแ a1€"), max_size=16), st.integers(1, 9))
def test_a_text_of_too_few_bytes_for_thai_is_none(text: str, least: int) -> None:
    raw = text.encode("cp874")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thai, "_LETTERS", bytes(range(256)))
        expected = thai.as_thai(raw + b" " * least, least)
    assert thai.as_thai(raw + b" " * least, least) == expected


@many
@given(LINES, LINES)
def test_a_change_is_cut_at_the_signs_that_stand_as_often_in_both_forms(before: str, after: str) -> None:
    signs = {c for c in set(before) & set(after) if c > "~" or c <= " "}
    signs = {c for c in signs if not c.isalnum() and before.count(c) == after.count(c)}
    assert {c for c in set(_SIGNS_OF_LINES.findall(after)) if before.count(c) == after.count(c)} == signs
