"""Spaces inside quotes, and between the characters of Japanese; only for repair of the whole text.

Tokenizers part quotes from what they quote, and OCR parts characters of a script that knows no spaces.
Left alone: French quotes, inches, rows of names, of days and of numerals; Chinese, which some set with a space between
any two characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from winnow.repair.engine.rule import Change, Evidence, Rule
from winnow.repair.words.text_language import known_language

_CURLY = re.compile("[“”]")
_CURLY_IN = frozenset("en es it pt nl ca".split())  # elsewhere “ closes
_INCHES = re.compile(r"\d ?\"")
_SET_APART = re.compile(r" [^\W_]")  # not `" -b "`, `"    for"`
_BEFORE_QUOTE = frozenset(" ([")
_AFTER_QUOTE = frozenset(" .,;:!?)]")

_IDEOGRAPH = "\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff"
_GAP = re.compile(rf"(?<=[{_IDEOGRAPH}、。，！？」』）]) (?=[{_IDEOGRAPH}、。，！？「『（])")
# Particles that stand by themselves only where the text was cut: a calendar's 日 月 火 has none.
_PARTICLE = re.compile(rf"(?<=[{_IDEOGRAPH}、。] )[のはをにでとがもや](?= [{_IDEOGRAPH}、。])")
MIN_GAPS = 4
MIN_PARTICLES = 2


def close_quotes(text: str, evidence: Evidence) -> Iterator[Change]:
    """Close `“ Hello ”` and `" Hello "`, where all quotes of a line stand apart in pairs.

    >>> [(c.start, c.end) for c in close_quotes('He said " yes " and “ no ”.', Evidence(everywhere=True))]
    [(9, 10), (13, 14), (21, 22), (24, 25)]
    """
    if not evidence.everywhere:
        return
    language = known_language(text)
    if language is None or language == "fr":
        return
    start = 0
    for line in text.split("\n"):
        places = [*_straight(line), *(_curly(line) if language in _CURLY_IN else ())]
        yield from (Change(start + at, start + at + 1, "", 0.7) for at in sorted(places))
        start += len(line) + 1


def _straight(line: str) -> Iterator[int]:
    at = [found for found, char in enumerate(line) if char == '"'] if '" ' in line else []
    apart = all(line[i - 1 : i] in ("", *_BEFORE_QUOTE) and line[i + 1 : i + 2] in ("", *_AFTER_QUOTE) for i in at)
    if apart and len(at) % 2 == 0 and not _INCHES.search(line):
        for opening, closing in zip(at[::2], at[1::2], strict=True):
            if _SET_APART.match(line, opening + 1) and line[closing - 1] == " " and line[closing - 2] != " ":
                yield from _inside(line, opening, closing)


def _curly(line: str) -> Iterator[int]:
    for first, second in pairwise(_CURLY.finditer(line)):
        if first[0] == "“" and second[0] == "”":
            yield from _inside(line, first.start(), second.start())


def _inside(line: str, opening: int, closing: int) -> Iterator[int]:
    """The spaces behind the opening quote and before the closing one, where something stands between them."""
    if closing - opening > 3:
        yield from (at for at in (opening + 1, closing - 1) if line[at] == " ")


def close_ideographs(text: str, evidence: Evidence) -> Iterator[Change]:
    """Close `美学 や 社会 学 の 分 野 で は`, in lines that are cut all over, particles and all.

    >>> lines = "美学 や 社会 学 の 分 野 で は", "日 月 火 水 木 金 土", "王 伟 李 娜 刘 洋"
    >>> [len(list(close_ideographs(line, Evidence(everywhere=True)))) for line in lines]
    [8, 0, 0]
    """
    if not evidence.everywhere:
        return
    start = 0
    for line in text.split("\n"):
        gaps = list(_GAP.finditer(line))
        if len(gaps) >= MIN_GAPS and sum(1 for _ in _PARTICLE.finditer(line)) >= MIN_PARTICLES:
            yield from (Change(start + gap.start(), start + gap.end(), "", 0.8) for gap in gaps)
        start += len(line) + 1


QUOTE_SPACES = Rule("quote_spaces", 1, close_quotes, r'“ | ”|" |(?:^|\s)"', needs_evidence=True)
IDEOGRAPH_SPACES = Rule(
    "ideograph_spaces",
    1,
    close_ideographs,
    r"[\x{3041}-\x{30ff}\x{3400}-\x{9fff}] [\x{3041}-\x{30ff}\x{3400}-\x{9fff}]",
    needs_evidence=True,
)
