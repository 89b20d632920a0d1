"""Words that a hyphen parts at the end of a line, or before a space where a line ended.

Only known words come about, or such as stand elsewhere in the text; a compound keeps its hyphen. Left alone: `pre- and
post-war`, `your-user-`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.repair.engine.rule import A_LETTER, Change, Evidence, Rule
from winnow.repair.words.lexicon import Lexicon, damaged_prose
from winnow.repair.words.text_language import LATIN

LIGATURES = dict(zip(map(ord, "ﬀﬁﬂﬃﬄ"), ("ff", "fi", "fl", "ffi", "ffl"), strict=True))
_LETTER = rf"[{LATIN}ﬀ-ﬄ]"
_AT_LINE_END = re.compile(rf"(?:(?<={_LETTER}{_LETTER})|(?<=[ﬀ-ﬄ]))[-‐][ \t]{{0,3}}(\n\n?)(?={_LETTER})")
_IN_LINE = re.compile(rf"(?:(?<={_LETTER}{_LETTER})|(?<=[ﬀ-ﬄ]))[-‐] (?={_LETTER})")
_WORD = re.compile(rf"{_LETTER}{{1,40}}")
_HYPHENED = re.compile(rf"(?<![^\W_]){_LETTER}{{1,40}}(?:[-‐]{_LETTER}{{1,40}})?")
_BRACKET = re.compile(r"-[LR][RSC]B$")  # the brackets of treebanks: `-LRB- said -RRB-`
_MARKS = re.compile(r"[,.;:!?)\]\"'”’»]{0,4}")
_BEFORE_WORD = frozenset(" \n\t([\"“‘«—–'’")
CONJUNCTIONS = frozenset(
    "and or to nor und oder bis sowie et ou y o e ed i en of og och eller samt lub a nebo ja tai és".split()
)
# Of 6,211 compounds in manuals 117 lose their hyphen with these and 675 without, of 27,700 parted words 822 keep it.
COMMON = 580  # centibels, see `lexicon`: a word so frequent is written without
RARER = 130  # how much rarer than its rarer half such a word may else be: `longterm`
_ALWAYS = frozenset(("self",))


def close_hyphens(text: str, evidence: Evidence) -> Iterator[Change]:
    """Join `obsoles-` and `cence` over the end of a line; in the whole text also `obsoles- cence`.

    >>> HYPHENS("the obsoles-\\ncence of a time-\\nconsuming way")
    'the obsolescence\\nof a time-consuming\\nway'
    """
    changes: list[Change] = []
    for low, high, lexicon in damaged_prose(text, evidence):
        changes += _over_lines(text, low, high, lexicon, evidence)
        if evidence.everywhere:
            changes += _in_lines(text, lexicon, evidence)
    yield from sorted(changes)


def written_in(text: str) -> frozenset[str]:
    """The words and hyphened pairs of a text, in small letters."""
    return frozenset(_HYPHENED.findall(text.lower().replace("‐", "-")))


def _over_lines(text: str, low: int, high: int, lexicon: Lexicon, evidence: Evidence) -> Iterator[Change]:
    done = 0
    for match in _AT_LINE_END.finditer(text, low, high):
        at = match.start()
        word = _second_half(text, match.end())
        first = _first_half(text, at, low)
        if at < done or word is None or first is None:
            continue
        hyphen = hyphen_between(first, word[0], lexicon, evidence.once(written_in, text))
        if hyphen is None or (hyphen and len(match[1]) > 1):
            continue  # over a blank line only what is no word by itself
        end = _MARKS.match(text, word.end()).end()  # type: ignore[union-attr]
        # the word goes to the first line, the line break behind it
        piece, follows = text[match.end() : end], text[end : end + 1]
        if follows in ("", " ", "\n"):
            done = end + (follows == " ")
            yield Change(at, done, hyphen + piece + (match[1] if follows == " " else ""), 0.8)


def _in_lines(text: str, lexicon: Lexicon, evidence: Evidence) -> Iterator[Change]:
    for match in _IN_LINE.finditer(text):
        at = match.start()
        if (word := _second_half(text, match.end())) and len(word[0]) > 1 and not _BRACKET.search(text, at - 5, at):
            first = _first_half(text, at, 0)
            joined = (
                first is not None and hyphen_between(first, word[0], lexicon, evidence.once(written_in, text)) == ""
            )
            yield Change(at + (not joined), match.end(), "", 0.8)


def hyphen_between(first: str, second: str, lexicon: Lexicon, written: frozenset[str]) -> str | None:
    """What stands between two halves of a word: nothing, or its own hyphen; None where they seem to be none."""
    one, other = first.translate(LIGATURES), second.translate(LIGATURES)
    if f"{first}-{second}".lower() in written:
        return "-"
    if (first + second).lower() in written:
        return ""
    joined, left, right = (lexicon.cost(w) for w in (one + other, one, other))
    if left >= 0 and right >= 0:
        likelier = joined < left + right and (joined <= COMMON or joined <= max(left, right) + RARER)
        return "" if joined >= 0 and likelier and one.lower() not in _ALWAYS else "-"
    return "" if joined >= 0 else None


def _first_half(text: str, at: int, low: int) -> str | None:
    """The word before the hyphen at `at`; None where it hangs on something else: `your-user-`, `mirror.ftp-`."""
    begin = at
    while begin > max(low, at - 40) and text[begin - 1].isalpha():
        begin -= 1
    return text[begin:at] if begin == 0 or text[begin - 1] in _BEFORE_WORD else None


def _second_half(text: str, at: int) -> re.Match[str] | None:
    """The word at `at`, if it may be the end of one that began before a hyphen: not in `pre- and post-war`."""
    word = _WORD.match(text, at)
    return word if word and word[0].islower() and word[0] not in CONJUNCTIONS else None


HYPHENS = Rule("hyphens", 3, close_hyphens, rf"{A_LETTER}[-‐](?: |[ \t]{{0,3}}\n\n?){A_LETTER}", needs_evidence=True)
