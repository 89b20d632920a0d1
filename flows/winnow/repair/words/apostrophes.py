"""Spaces that damage sets beside the apostrophe of a contraction, a possessive or an elision.

Left alone: quotes (`the ' s ' key`), plurals (`the boys' toys`), and, beside damage, text cut into tokens (`it 's`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.repair.engine.rule import A_LETTER, Change, Evidence, Rule
from winnow.repair.words.lexicon import Lexicon, damaged_prose
from winnow.repair.words.text_language import LATIN

_CONTRACTED = re.compile(rf"(?<=[{LATIN}])(?: (['’]) ?|(['’]) )(s|t|re|ve|ll|d|m)(?![{LATIN}'’-]| ['’])")
_MARKS = ("'", "’")
_LETTERS = re.compile(rf"[{LATIN}]{{1,30}}")
_ELIDED = re.compile(
    rf"(?<![{LATIN}'’])(?:[ldjmtsnc]|qu|jusqu|lorsqu|puisqu|quelqu|dell|all|nell|sull|dall|un|quest|com|cos|dov)"
    rf"( ?)(['’]) (?=[aeiouyhéèêàâîôûœ][{LATIN}]|è(?![{LATIN}]))",
    re.IGNORECASE,
)
_NEGATED = frozenset("aren can couldn didn doesn don hadn hasn haven isn mustn shouldn wasn weren won wouldn".split())
_ENDINGS = {
    "i": "m ve ll d", "you": "re ve ll d", "we": "re ve ll d", "they": "re ve ll d", "he": "s ll d", "she": "s ll d",
    "it": "s ll d", "that": "s ll d", "there": "s ll d", "what": "s", "who": "s ll d", "let": "s", "here": "s",
    "where": "s", "o": "clock",
}  # fmt: skip
KNOWN = 560  # centibels, see `lexicon`: a noun that has a possessive


def close_apostrophes(text: str, evidence: Evidence) -> Iterator[Change]:
    """Close `don ' t`, `the man ' s hat`, in French and Italian `l ' homme`; in the whole text also `it 's`.

    >>> APOSTROPHE_SPACES("I don ' t know the man' s hat"), APOSTROPHE_SPACES("the ' s ' key, the boys ' toys, it 's")
    ("I don't know the man's hat", "the ' s ' key, the boys ' toys, it 's")
    """
    for low, high, lexicon in damaged_prose(text, evidence):
        if lexicon.language == "en":
            for found in _CONTRACTED.finditer(text, low, high):
                begin, end = found.start(), found.start(3)
                # read backwards: a search for letters that end there would start again at each of them
                word = _LETTERS.match(text[max(0, begin - 31) : begin][::-1])[0][::-1]  # type: ignore[index]
                # beside damage the space after a curly one may have ended the reference it was: `it&rsquo s`
                sure = evidence.everywhere or (text[end - 1] == " " and (found[1] or found[2] == "'"))
                if (
                    sure
                    and text[begin - len(word) - 1 : begin - len(word)] not in _MARKS
                    and _belong(word, found[3], lexicon)
                ):
                    yield Change(begin, end, found[1] or found[2], 0.8)
        elif lexicon.language in ("fr", "it"):
            for found in _ELIDED.finditer(text, low, high):
                yield Change(found.start(1), found.end(), found[2], 0.8)


def contracts(word: str, ending: str) -> bool:
    """Whether a word has a contraction with an ending, which may have lost its apostrophe: `he ll`, `don t`."""
    return word in _NEGATED if ending == "t" else ending in _ENDINGS.get(word, "").split()


def _belong(word: str, ending: str, lexicon: Lexicon) -> bool:
    low = word.lower()
    if ending == "t" or low in _ENDINGS:
        return contracts(low, ending)
    # after an `s` the apostrophe may end a plural or a quote
    return (
        ending == "s" and len(word) > 2 and low[-1] != "s" and (0 <= lexicon.cost(low) <= KNOWN or not word.islower())
    )


APOSTROPHE_SPACES = Rule(
    "apostrophe_spaces",
    2,
    close_apostrophes,
    (
        rf"{A_LETTER}(?: ['’] ?|['’] )(?:s|t|re|ve|ll|d|m)(?:[^A-Za-z]|$)",
        r"(?i)(?:^|[^A-Za-z])(?:[cdjlmnst]|[a-z]{0,5}qu|[ad]?[ae]ll|nell|sull|dall|un|quest|co[ms]|dov) ?['’] "
        rf"(?:[aeiouyhéèêàâîôûœ]{A_LETTER}|è)",
    ),
    needs_evidence=True,
)
