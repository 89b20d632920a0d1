"""Words broken by a hyphen at the end of a line, and what is left of them when the lines were joined."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from winnow.repair.engine.nearby import Span, damaged_spans
from winnow.repair.engine.rule import Change, Evidence
from winnow.repair.words.lexicon import Lexicon, lexicon_of
from winnow.repair.words.word_runs import LATIN
from winnow.repair.words.words import language_of

_AT_LINE_END = re.compile(rf"(?<=[{LATIN}][{LATIN}])-\n(?=[{LATIN}])")
_IN_LINE = re.compile(rf"(?<=[{LATIN}][{LATIN}])- (?=[{LATIN}][{LATIN}])")
_WORD = re.compile(rf"[{LATIN}]{{1,40}}")
_MARKS = re.compile(r"[,.;:!?)\]\"'”’»]{0,4}")
_BEFORE_WORD = frozenset(' \n\t(["“‘«—–')
_AND = frozenset(
    ("and", "or", "to", "nor", "und", "oder", "bis", "sowie", "et", "ou", "y", "o", "e", "ed", "i", "en", "of")
)


def close_hyphens(text: str, evidence: Evidence) -> Iterator[Change]:
    """Join `obsoles-` and `cence` over the end of a line; in the whole text also close `obsoles- cence`."""
    spans = damaged_spans(text, evidence)
    language = language_of(text) if spans else None
    if language is None:
        return
    changes = list(_over_lines(text, spans, lexicon_of(language)))
    if evidence.everywhere:
        changes = sorted([*changes, *_in_lines(text)], key=lambda change: change.start)
    yield from changes


def _over_lines(text: str, spans: Iterable[Span], lexicon: Lexicon) -> Iterator[Change]:
    done = 0
    for low, high in spans:
        for match in _AT_LINE_END.finditer(text, low, high):
            at = match.start()
            if at < done:
                continue
            begin = at
            while begin > max(low, at - 40) and text[begin - 1].isalpha():
                begin -= 1
            first = text[begin:at]
            if begin > 0 and text[begin - 1] not in _BEFORE_WORD:
                continue  # `your-user-`, `mirror.ftp-`
            word = _WORD.match(text, match.end())
            if word is None or not word[0].islower() or word[0] in _AND:
                continue
            joined, left, right = (lexicon.cost(w) for w in (first + word[0], first, word[0]))
            if joined >= 0 and (min(left, right) < 0 or joined < left + right):
                hyphen = ""
            elif left >= 0 and right >= 0:
                hyphen = "-"  # `time-` `consuming`: a compound that was written with its hyphen
            else:
                continue
            end = _MARKS.match(text, word.end()).end()  # type: ignore[union-attr]
            # the word goes to the first line, the line break behind it
            piece = text[match.end() : end]
            if end < len(text) and text[end] == " ":
                yield Change(at, end + 1, f"{hyphen}{piece}\n", 0.8)
                done = end + 1
            elif end == len(text) or text[end] == "\n":
                yield Change(at, end, f"{hyphen}{piece}", 0.8)
                done = end


def _in_lines(text: str) -> Iterator[Change]:
    for match in _IN_LINE.finditer(text):
        word = _WORD.match(text, match.end())
        if word is None or not word[0].islower() or word[0] in _AND:
            continue  # `pre- and post-war`
        yield Change(match.start() + 1, match.end(), "", 0.8)
