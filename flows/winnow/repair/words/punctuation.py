"""Spaces before and after punctuation marks.

Left alone: French spacing before ``: ; ! ?``, smileys, ellipses, decimals, code, lists in code, names of files,
numbers such as ``1,000``, and ``U.S.``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from winnow.repair.engine.rule import A_LETTER, Change, Evidence, Rule, Span, line_end
from winnow.repair.words.lexicon import damaged_prose
from winnow.repair.words.text_language import LATIN, is_french, known_language, language_of, may_be_french
from winnow.repair.words.word_groups import CODE_NEAR, is_code

_MARK = re.compile(r"(?<=[^\s|]) [,.;:!?)\]]")
_CLOSED = re.compile(r"(?<=\w)[,.;:!?](?=\s)")
WORDS_OF_PROSE = 5  # lines with fewer are settings
IN_BRACKETS = 200  # characters
_OPENER_OF = {")": "(", "]": "["}
HABIT = 5  # marks with a space before them, and fewer without
_COMMA = re.compile(rf"(?<=[{LATIN}][{LATIN}]),(?=[{LATIN}][{LATIN}])")
_MOVED = re.compile(rf"(?:(?<=[{LATIN}][{LATIN}])|(?<=[{LATIN}][{LATIN}]\))) ,(?=[{LATIN}][{LATIN}]|[aAI] )")
_SYMBOL = re.compile(r"(?<!\w)[A-Za-zα-ωΑ-Ω]\d ,(?=\w)")
_NUMBERS = re.compile(r"[.:] \d|, \d{3}(?!\d)")
_OTHER_SCRIPTS = re.compile("[\u0e00-\u10ff\u1780-\u18af\u3040-\u9fff\uac00-\ud7a3]")  # with marks of their own
_CODE = re.compile(r"[{}=<>\\_@#$~^*/]|::|->|\(\)")

_WORDS = re.compile(r"[^\W\d_]{3,}")
_ANY_WORD = re.compile(r"[^\W\d_]+")
FEW_WORDS = 5  # of three letters and more; fewer tell no language, and may stand in a formula
FRENCH_WITHIN = 200  # characters before a mark; there may be a French paragraph in an English text
_LONE_LETTER = re.compile(r"(?:^|[^\w'’.])[a-z](?= [:?])")
_ROWS = {"!": (" !", " ?"), "?": (" !", " ?"), ",": (" ,",)}  # `? ! ?`, `, , ,`
# A spaced ellipsis, `. . .`; a folder and an option, `find . -name`; an address, `example . com`.
_NO_STOP = re.compile(r" (?:[.-]|(?:com|org|net|edu|gov|html?|pdf|txt)(?!\w))")
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
    language = known_language(text) if everywhere else None
    n_words = sum(1 for _ in islice(_WORDS.finditer(text), 2 * FEW_WORDS)) if everywhere else 0
    if everywhere and language is None and n_words >= FEW_WORDS:
        return
    french = language == "fr" or (0 < n_words < 2 * FEW_WORDS and may_be_french(text))
    marks = ",.;:!?)]" if everywhere else ",.;:!?"
    habits = "" if everywhere else _habits(text, spans)
    changes: list[Change] = []
    line, code = (0, -1), False
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
                    french_here = language_of(text) == "fr" or is_french(text[low : low + 2000])
                start = max(low, at - FRENCH_WITHIN)
                if french_here or is_french(text[start:at]) or is_french(text[text.rfind("\n", start, at) + 1 : at]):
                    continue
            if everywhere:
                if at > line[1]:
                    line = text.rfind("\n", 0, at) + 1, line_end(text, at)
                    code = is_code(text, *line, CODE_NEAR)
                if code:
                    continue
            elif mark in habits or not _in_prose(text, at, low):
                continue
            after = text[at + 2] if at + 2 < len(text) else "\n"
            if before.isdigit() and mark in ".,:":
                may_be_decimal = (
                    mark == "," and (not everywhere or language != "en") and text[at + 3 : at + 4].isdigit()
                )
                if may_be_decimal or _NUMBERS.match(text, at + 1):
                    continue  # `3 : 2`, `10 . 5 . 2020`, `1 , 000`, `3 , 5 %`
            if mark == "," and after.isalpha() and _MOVED.match(text, at):
                changes.append(Change(at, at + 2, ", ", 0.8))  # `youth ,families`, `(Cecot) ,have`
                continue
            if mark == "," and before.isdigit() and _SYMBOL.match(text, max(0, at - 2)):
                changes.append(Change(at, at + 1, "", 0.7))  # `(P1 ,P2)`
                continue
            if not (after.isspace() or after in _CLOSERS) and not (mark in ")]" and after in ",.;:"):
                continue
            if mark in ")]" and (opener := _spaced_opener(text, at, low)) is not None:
                if mark == ")" and not _CODE.search(text, opener, at):
                    changes += (Change(opener + 1, opener + 2, "", 0.8), Change(at, at + 1, "", 0.8))
                continue
            if mark in ":;" and (after in ")]" or text.startswith(" )", at + 2)):
                continue  # a smiley
            if text[at + 2 : at + 4] in _ROWS.get(mark, ()):
                continue
            if mark in ":?" and everywhere and _LONE_LETTER.match(text, max(0, at - 2)):
                continue  # `{ x : x > 0 }`, `c ? x : y`
            if mark == "." and (before == "." or _NO_STOP.match(text, at + 2)):
                continue
            changes.append(Change(at, at + 1, "", 0.9))
    yield from sorted(changes)


def _spaced_opener(text: str, at: int, low: int) -> int | None:
    """Where the bracket stands that the one after the space at `at` closes, if a space follows that one too."""
    closer = text[at + 1]
    open_ones = 1
    for found in range(at - 1, max(low, at - IN_BRACKETS) - 1, -1):
        char = text[found]
        if char == "\n":
            return None
        open_ones += (char == closer) - (char == _OPENER_OF[closer])
        if not open_ones:
            return found if text[found + 1] == " " and found + 1 < at else None
    return None


def _in_prose(text: str, at: int, low: int) -> bool:
    """Whether the mark after the space at `at` follows a word or a closed bracket, and prose goes on behind it.

    Not so in `ESC , xx`, `c ? x : y`, `-l , -s`, `(width . 8)`, `freemail2 : x`, nor in columns and before CJK.
    """
    mark = text[at + 1]
    start, _ = _chunk(text, at, low)
    word = text[start:at].lstrip(_OPENERS).rstrip("\"'”’»)]")
    follows = text[at + 2 : at + 4]
    at_end = not follows or follows[0] == "\n" or text.startswith(" | ", at + 2)
    if text[start] in "-%" or text[max(0, start - 2) : start] == "  ":
        return False
    if _CODE.search(text, max(low, at - 20), at + 3) or _OTHER_SCRIPTS.search(text, max(low, at - 20), at + 20):
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
    if mark in "!?" and follows[1:].islower():
        return False  # `a literal ! character`
    return follows[1:].isalpha() or (follows[1:].isdigit() and mark == ",") or follows[1:] in tuple("\"“‘«('’—–")


def _habits(text: str, spans: Sequence[Span]) -> str:
    """The marks before which a space stands away from damage too, more than once, or mostly: the text is set so."""
    away: Counter[str] = Counter()
    beside: Counter[str] = Counter()
    at = 0
    for low, high in (*spans, (len(text), len(text))):
        away.update(text[found.start() + 1] for found in _MARK.finditer(text, at, low))
        beside.update(text[found.start() + 1] for found in _MARK.finditer(text, low, high))
        at = high
    spaced = away + beside
    often = [mark for mark, count in spaced.items() if count >= HABIT]
    closed = Counter(found[0] for found in _CLOSED.finditer(text)) if often else spaced
    return "".join({mark for mark in away if away[mark] > 1} | {mark for mark in often if spaced[mark] > closed[mark]})


def space_after_punctuation(text: str, evidence: Evidence) -> Iterator[Change]:
    """Put the missing space into `gangs,providing`, between words that are known.

    >>> SPACE_AFTER_PUNCTUATION("of gangs,providing a,b,c and f(x,y)")
    'of gangs, providing a,b,c and f(x,y)'
    """
    for low, high, lexicon in damaged_prose(text, evidence, any_language=not _has_words(text)):
        for match in _COMMA.finditer(text, low, high):
            at = match.end()
            start, end = _chunk(text, at, low)
            chunk = text[start:end]
            # `a,b,c` and `f(x,y)` are lists of a formula or a program, `COL,COL` is a table
            if chunk.count(",") > 1 or "(" in chunk[:-1] or _CODE.search(chunk) or chunk.isupper():
                continue
            if not evidence.everywhere:
                about = text[max(low, at - 60) : at].rpartition("\n")[2] + text[at : at + 60].partition("\n")[0]
                if is_code(about, 0, len(about), CODE_NEAR) or len(_ANY_WORD.findall(about)) < WORDS_OF_PROSE:
                    continue  # `Order deny,allow`
                left = text[start : at - 1].lstrip(_OPENERS)
                right = text[at:end].rstrip(_MARKS)
                if not (0 <= lexicon.cost(left) <= KNOWN and 0 <= lexicon.cost(right) <= KNOWN):
                    continue
            yield Change(at, at, " ", 0.7)


def _has_words(text: str) -> bool:
    return sum(1 for _ in islice(_WORDS.finditer(text), FEW_WORDS)) == FEW_WORDS


def _chunk(text: str, at: int, low: int) -> tuple[int, int]:
    """What stands between white space about `at`, at most 60 characters to either side."""
    start, end = at, at
    while start > max(low, at - 60) and not text[start - 1].isspace():
        start -= 1
    while end < min(len(text), at + 60) and not text[end].isspace():
        end += 1
    return start, end


SPACE_BEFORE_PUNCTUATION = Rule(
    "space_before_punctuation", 5, space_before_punctuation, r"\S [,.;:!?)\]]", needs_evidence=True
)
SPACE_AFTER_PUNCTUATION = Rule(
    "space_after_punctuation", 2, space_after_punctuation, f"{A_LETTER},{A_LETTER}", needs_evidence=True
)
