"""Subtitles become what is said: a line for each cue, in any of the shapes that files have."""

from __future__ import annotations

from pathlib import Path

import pytest

from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject
from winnow.read import list_inputs, read_documents


def read(folder: Path, name: str, content: str | bytes) -> RawDocument | Reject:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (found,) = read_documents(list_inputs(folder / name).files[0], ReadSettings())
    assert isinstance(found, RawDocument | Reject)
    return found


T = "00:00:0{0},000 --> 00:00:0{0},900"
CUES = {
    "lines of a cue are one, those of speakers stay": (
        "a.srt",
        f"1\r\n{T.format(1)}\r\n<i>I was\r\nthere.</i>\r\n\r\n2\r\n{T.format(2)} X1:1 Y1:2\r\n- Who?\r\n- Me.\r\n",
        "I was there.\n- Who?\n- Me.",
    ),
    "a number that is said stays": ("a.srt", f"1\n{T.format(1)}\n42\n\n2\n{T.format(2)}\nNo.\n\n", "42\nNo."),
    "what is said twice stays": ("a.srt", f"1\n{T.format(1)}\nNo.\n\n2\n{T.format(2)}\nNo.\n", "No.\nNo."),
    "blank lines too many and too few": (
        "a.srt",
        f"1\n{T.format(1)}\none\n2\n{T.format(2)}\ntwo\n\nstill two\n3\n{T.format(3)}\n",
        "one\ntwo still two",
    ),
    "words before the first time": ("a.srt", f"Made by fans\n\n1\n{T.format(1)}\nOne.\n", "Made by fans\nOne."),
    "other times and marks": (
        "a.srt",
        "1\n0:0:1.5 -> 0:0:2.5\n{\\an8}x < y, {y}\n\n2\n0:00:03:000 --> 0:00:04:000\n<font color='#fff'>And <z></font>",
        "x < y, {y}\nAnd <z>",
    ),
    "WebVTT": (
        "a.vtt",
        "\ufeffWEBVTT - a title\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE a note\nof two lines\n\nintro\n"
        "00:01.000 --> 00:02.000 align:start\n<v Bob>This &amp; <b>that</b></v>\n\nsecond\n"
        "00:03.000 --> 00:04.000\n<v.loud Ann Lee>&lt;So&gt;?\nNOTE to self\n\n00:05.000 --> 00:06.000\nYes.\n"
        "00:07.000 --> 00:08.000\nNo.",
        "Bob: This & that\nAnn Lee: <So>? NOTE to self\nYes.\nNo.",
    ),
    "captions that roll up": (
        "a.vtt",
        "WEBVTT\n\n00:00.000 --> 00:02.000\nso<00:00:00.400><c> today</c>\n\n00:02.000 --> 00:02.010\nso today\n \n\n"
        "00:02.010 --> 00:04.000\nso today\nwe<00:00:02.400><c> go</c>\n\n00:04.000 --> 00:05.000\nwe go\nwe go",
        "so today\nwe go\nwe go",
    ),
    "another charset": ("a.srt", f"1\n{T.format(1)}\nПривет, как дела?\n".encode("cp1251"), "Привет, как дела?"),
}


@pytest.mark.parametrize(("name", "content", "text"), CUES.values(), ids=CUES)
def test_what_is_said_is_the_text(name: str, content: str | bytes, text: str, tmp_path: Path) -> None:
    found = read(tmp_path, name, content)
    assert isinstance(found, RawDocument)
    assert found.text == text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("", "empty"),
        ("words without a time", "not_a_record"),
        (f"1\n{T.format(1)}\n\n", "empty"),
        (bytes(99), "binary"),
    ],
)
def test_what_holds_no_subtitle_is_a_reject(content: str | bytes, kind: str, tmp_path: Path) -> None:
    found = read(tmp_path, "a.srt", content)
    assert isinstance(found, Reject)
    assert found.expectation == kind


def test_signs_that_never_close_take_no_time(tmp_path: Path) -> None:
    signs = "<v " * 100_000 + "{\\" * 100_000 + "<rt>" * 100_000 + "0:" * 100_000
    assert isinstance(read(tmp_path, "a.srt", f"{T.format(1)}\n{signs}"), RawDocument)
