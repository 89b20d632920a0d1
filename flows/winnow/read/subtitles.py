"""Subtitles (SubRip ``.srt`` and WebVTT ``.vtt``): what is said, without numbers, times, styles and settings."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument
from winnow.read.charset import decode
from winnow.read.content import Content, sha256

_TIME = r"(?:\d{1,3}:)?\d{1,2}:\d{1,2}[.,:]\d{1,3}"
_TIMES = re.compile(rf"\s{{0,9}}{_TIME}\s{{0,9}}-{{1,2}}>\s{{0,9}}{_TIME}(?!\d)")
_NUMBER = re.compile(r"\s{0,9}\d{1,9}\s{0,9}")
_WEBVTT = re.compile(r"WEBVTT(?!\S)")
_ABOUT = re.compile(r"(?:NOTE|STYLE|REGION)(?!\S)")
_SPEAKER = re.compile(r"<v(?:\.[^\s<>]{0,80})?[ \t]{1,9}([^<>\n]{1,80})>")
_CLOCK = re.compile(rf"<{_TIME}>")  # within a cue: when which word is said
_STYLE = re.compile(
    r"</?(?:[biu]|s|c|font|v|lang|ruby)(?:[.\s][^<>\n]{0,200})?>|<rt>[^<>\n]{0,80}</rt>|\{\\[^{}\n]{0,80}\}"
)
_SPEECH = ("-", "–", "—", "‐", "♪")  # what begins in a line of its own: who else speaks, or a song


def read_subtitles(content: Content, settings: ReadSettings) -> Iterator[RawDocument]:
    """One document, a line for each cue; raises ReadError for what is empty, binary, too large, or has no cue."""
    raw = content.whole(settings)
    whole, encoding = decode(raw, settings.charset, certain=True)
    cues = list(_cues(whole))
    if not cues:
        raise ReadError("not_a_record", "holds no time of a subtitle; name it .txt, or write it again")
    text = "\n".join(_with_no_line_again(cues) if _CLOCK.search(whole) else filter(None, map(_said, cues)))
    if not text.strip():
        raise ReadError("empty", "holds times and no words; leave it out")
    yield RawDocument(
        source=content.path, text=text, encoding=encoding, content_sha256=sha256(raw), content=raw, input=content.path
    )


def _cues(whole: str) -> Iterator[list[str]]:
    """The lines of each cue as they stand; what comes before the first time is a cue too, unless it is about the file.

    A cue ends where the next one begins: some have blank lines in them, and some none between them.
    """
    is_vtt = is_about = _WEBVTT.match(whole) is not None
    cue: list[str] = []
    is_told, before = False, ""
    for line in whole.split("\n"):
        if _TIMES.match(line):
            if cue and (_NUMBER.fullmatch(cue[-1]) or (is_vtt and _is_apart(cue, is_told))):
                cue.pop()  # its number or name
            if is_told or any(said.strip() for said in cue):
                yield cue
            cue, is_told, is_about = [], True, False
        elif is_about or (is_vtt and not before.strip() and _ABOUT.match(line)):
            is_about = bool(line.strip())
        else:
            cue.append(line)
        before = line
    if is_told:
        yield cue


def _is_apart(cue: list[str], is_told: bool) -> bool:
    """Whether the last line stands apart from what the cue says."""
    return not cue[-2].strip() if len(cue) > 1 else not is_told


def _said(cue: list[str]) -> str:
    """What a cue says, in one line but for lines of other speakers.

    >>> _said(["<i>I never", "{\\\\an8}said that.</i>", "- You did.", ""])
    'I never said that.\\n- You did.'
    """
    lines = filter(None, (_bare(line) for line in cue))
    return "".join(("\n" if line.startswith(_SPEECH) else " ") + line for line in lines).strip()


def _bare(line: str) -> str:
    return html.unescape(_STYLE.sub("", _CLOCK.sub("", _SPEAKER.sub(r"\1: ", line)))).strip()


def _with_no_line_again(cues: list[list[str]]) -> Iterator[str]:
    """The lines of captions that roll up, where a cue begins with the last line of the one before."""
    last = ""
    for cue in cues:
        lines = list(filter(None, map(_bare, cue)))
        yield from lines[lines[:1] == [last] :]
        last = lines[-1] if lines else last
