"""Spaces before and after punctuation marks.

Left alone: French spacing before ``: ; ! ?``, smileys, ellipses, decimals, code, lists in code, names of files,
numbers such as ``1,000``, and ``U.S.``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from winnow.repair.engine.rule import Change, Evidence, Rule, Span
from winnow.repair.words.lexicon import damaged_prose
from winnow.repair.words.text_language import LATIN, is_french, known_language, language_of, may_be_french

_MARK = re.compile(r"(?<=[^\s|]) [,.;:!?)\]]")
_COMMA = re.compile(rf"(?<=[{LATIN}][{LATIN}]),(?=[{LATIN}][{LATIN}])")
_MOVED = re.compile(rf"(?:(?<=[{LATIN}][{LATIN}])|(?<=[{LATIN}][{LATIN}]\))) ,(?=[{LATIN}][{LATIN}]|[aAI] )")
_SYMBOL = re.compile(r"(?<!\w)[A-Za-zα-ωΑ-Ω]\d ,(?=\w)")
_CODE = re.compile(r"[{}=<>\\_@#$~^*/]|::|->|\(\)")

_WORDS = re.compile(r"[^\W\d_]{3,}")
FEW_WORDS = 5  # of three letters and more; fewer tell no language, and may stand in a formula
_TERNARY = re.compile(r"\S \? [^\n]{1,50} : \S")

_OPENERS = "\"'“‘«(["
_MARKS = ".,;:!?\"'”’»)]"
KNOWN = 560  # centibels, see `lexicon`
_CLOSERS = frozenset("\"'”’»)]")
_BEFORE = frozenset(")]\"'”’»%°")


def space_before_punctuation(text: str, evidence: Evidence) -> Iterator[Change]:
    """Take away the space in `efforts .` and `groups :`; in the whole text also in `(see )`.

    >>> SPACE_BEFORE_PUNCTUATION("their efforts . In groups : two"), SPACE_BEFORE_PUNCTUATION("it is c ? x : y")
    ('their efforts. In groups: two', 'it is c ? x : y')
    """
    spans = evidence.damaged_spans(text)
    if not spans:
        return
    everywhere = evidence.everywhere
    language = known_language(text) if everywhere else language_of(text)
    n_words = sum(1 for _ in islice(_WORDS.finditer(text), 2 * FEW_WORDS)) if everywhere else 0
    if everywhere and language is None and n_words >= FEW_WORDS:
        return
    french = language == "fr" or (0 < n_words < 2 * FEW_WORDS and may_be_french(text))
    marks = ",.;:!?)]" if everywhere else ",.;:!?"
    habits = "" if everywhere else _habits(text, spans)
    for low, high in spans:
        french_here: bool | None = True if french else False if everywhere else None  # asked when first needed
        for match in _MARK.finditer(text, low, high):
            at = match.start()
            mark = text[at + 1]
            before = text[at - 1]
            if mark not in marks or not (before.isalnum() or before in _BEFORE):
                continue
            if mark in ";:!?":
                if french_here is None:
                    french_here = is_french(text[low : low + 2000])
                if french_here:
                    continue
            if not everywhere and (mark in habits or not _in_prose(text, at, low)):
                continue
            after = text[at + 2] if at + 2 < len(text) else "\n"
            if mark == "," and after.isalpha() and _MOVED.match(text, at):
                yield Change(at, at + 2, ", ", 0.8)  # `youth ,families`, `(Cecot) ,have`
                continue
            if mark == "," and before.isdigit() and _SYMBOL.match(text, max(0, at - 2)):
                yield Change(at, at + 1, "", 0.7)  # `(P1 ,P2)`
                continue
            if not (after.isspace() or after in _CLOSERS) and not (mark in ")]" and after in ",.;:"):
                continue
            if mark in ":;" and after in ")]":
                continue  # a smiley
            if mark == "." and (before == "." or text.startswith((" .", " -"), at + 2)):
                continue  # a spaced ellipsis: `. . .`; a folder and an option: `find . -name`
            yield Change(at, at + 1, "", 0.9)


def _in_prose(text: str, at: int, low: int) -> bool:
    """Whether the mark after the space at `at` follows a word or a closed bracket, and prose goes on behind it.

    Not so in `ESC , xx`, `c ? x : y`, `-l , -s`, `(width . 8)`, `freemail2 : x`, nor in columns and before CJK.
    """
    mark = text[at + 1]
    start, _ = _chunk(text, at, low)
    word = text[start:at].lstrip(_OPENERS).rstrip("\"'”’»)]")
    follows = text[at + 2 : at + 4]
    at_end = not follows or follows[0] == "\n" or text.startswith(" | ", at + 2)
    if text[start] in "-%" or _CODE.search(text, max(low, at - 20), at + 3) or text[max(0, start - 2) : start] == "  ":
        return False
    if text[start - 1 : start] in ("", "\n") and not (at_end and mark != ","):
        return False
    letters = word.replace("-", "").replace("’", "").replace("'", "")
    if letters.isdigit():
        if mark not in ",.":
            return False
    elif len(letters) < 2 or not letters.isalpha() or max(letters) >= "\u0e00" or (word.isupper() and mark != "."):
        return False
    if at_end or not follows[0].isspace():
        return True
    if mark == ".":
        return follows[1:].isupper() or follows[1:] in tuple('"“‘«([—–')
    if mark in "?:" and _TERNARY.search(text, max(low, at - 60), at + 60):
        return False
    return follows[1:].isalpha() or (follows[1:].isdigit() and mark == ",") or follows[1:] in tuple("\"“‘«('’—–")


def _habits(text: str, spans: Sequence[Span]) -> str:
    """The marks before which a space stands away from damage too, more than once: the text is set so."""
    counts: Counter[str] = Counter()
    at = 0
    for low, high in (*spans, (len(text), len(text))):
        counts.update(text[found.start() + 1] for found in _MARK.finditer(text, at, low))
        at = high
    return "".join(mark for mark, count in counts.items() if count > 1)


def space_after_punctuation(text: str, evidence: Evidence) -> Iterator[Change]:
    """Put the missing space into `gangs,providing`, between words that are known.

    >>> SPACE_AFTER_PUNCTUATION("of gangs,providing a,b,c and f(x,y)")
    'of gangs, providing a,b,c and f(x,y)'
    """
    few = sum(1 for _ in islice(_WORDS.finditer(text), FEW_WORDS)) < FEW_WORDS
    for low, high, lexicon in damaged_prose(text, evidence, any_language=few):
        for match in _COMMA.finditer(text, low, high):
            at = match.end()
            start, end = _chunk(text, at, low)
            chunk = text[start:end]
            # `a,b,c` and `f(x,y)` are lists of a formula or a program, `COL,COL` is a table
            if chunk.count(",") > 1 or "(" in chunk[:-1] or _CODE.search(chunk) or chunk.isupper():
                continue
            if not evidence.everywhere:
                left = text[start : at - 1].lstrip(_OPENERS)
                right = text[at:end].rstrip(_MARKS)
                if not (0 <= lexicon.cost(left) <= KNOWN and 0 <= lexicon.cost(right) <= KNOWN):
                    continue
            yield Change(at, at, " ", 0.7)


def _chunk(text: str, at: int, low: int) -> tuple[int, int]:
    """What stands between white space about `at`, at most 60 characters to either side."""
    start, end = at, at
    while start > max(low, at - 60) and not text[start - 1].isspace():
        start -= 1
    while end < min(len(text), at + 60) and not text[end].isspace():
        end += 1
    return start, end


SPACE_BEFORE_PUNCTUATION = Rule(
    "space_before_punctuation", 3, space_before_punctuation, r"\S [,.;:!?)\]]", needs_evidence=True
)
SPACE_AFTER_PUNCTUATION = Rule("space_after_punctuation", 1, space_after_punctuation, r"\pL,\pL", needs_evidence=True)
