"""Spaces that PDF and OCR text puts into formulas and leaves out beside numbers; only for repair of the whole text.

Left alone: anything with words in it: `Table A (see below)`, `option B (default)`, `a (b)`, `Windows 10`, `MP3`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.repair.engine.rule import Change, Evidence, Rule
from winnow.repair.words.text_language import LATIN, known_language

# One letter that is no word, or letters of which some are Greek, with an index: `f`, `ητ`, `f0`, `a00`, `Cg`.
_NAME = r"(?:[b-zB-HJ-Z]|[A-Za-z]\d{1,2}|[A-Za-z]?[α-ωΑ-Ω][A-Za-zα-ωΑ-Ω]?\d{0,2}|[B-HJ-Z][a-z])"
_TERM = r"(?:[A-Za-zα-ωΑ-Ω]{1,2}\d{0,2}|\d{1,3})"
_APPLIED = re.compile(rf"(?<![\w.'’]){_NAME} (?=\({_TERM}(?: ?[,;] ?{_TERM}){{0,3}} ?\))")
_APPLIED_INSIDE = re.compile(rf"(?<=[(=+\-−/]){_NAME} (?=\({_TERM}(?: ?[,;] ?{_TERM}){{0,3}} ?\))")
_POWER = re.compile(r"(?<![\w.'’])[b-zB-HJ-Z] (?=\d{1,2} ?[=+\-−)≤≥<>])")
_INDEX = re.compile(r"(?<![\w.'’])[B-HJ-Z] (?=\d{1,2} [.,;)])")  # `H 2 .`: the space before the stop is PDF's too
_GREEK = re.compile(r"(?<![\w.'’])[A-Z][a-z]{2,4} (?=\([α-ωΑ-Ω]\))")
# `(Gd )`, `|κ |`
_INSIDE = re.compile(r"(?:(?<=\()[A-Za-zα-ωΑ-Ω]{1,2}\d{0,2} (?=\))|(?<=\|)[A-Za-zα-ωΑ-Ω]{1,2} (?=\|))")
_RATIO = re.compile(rf"(?<![\w.'’])(?:[A-Z]{{1,2}}|{_NAME}) (?=/[A-Zα-ωΑ-Ω])")
_HYPHEN = re.compile(r"(?<![\w.'’])(?:[B-HJ-Zα-ωΑ-Ω]|[A-Z]\d) (?=-[a-z]{3})")  # `F -modules`
_FORMULA = re.compile(r"[=∈≤≥∞∂∑∫→×±∇∼≈α-ωΑ-Ω]")

_GLUED_NUMBER = re.compile(
    rf"(?<![\w.,'’/-])(?:([{LATIN}]{{2,12}})(\d{{1,4}})|(\d{{1,4}})([{LATIN}]{{2,12}}))(?![\w'’/-]|[.,]\w)"
)
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = re.compile(rf"(?:{'|'.join(map(str.title, _MONTHS))}) ?\d{{1,2}},(?=[12]\d{{3}}\b)")
# Words that stand beside numbers all the time and are no units.
_BESIDE = frozenset("""
    of in on to at by from and or the for with since until between about over than was is are were which when
    as after before during through people million players sales
""".split())  # fmt: skip


def close_symbols(text: str, evidence: Evidence) -> Iterator[Change]:
    """Close `W (φ, χ)` and `y 2 = x`, in formulas.

    >>> [c.start for c in close_symbols("with W (φ, χ) as in Plan B (see)", Evidence(everywhere=True))]
    [6]
    """
    if not evidence.everywhere:
        return
    places: set[int] = set()
    for pattern in (_APPLIED, _APPLIED_INSIDE, _INDEX, _GREEK, _HYPHEN, _INSIDE, _RATIO):
        places.update(match.end() - 1 for match in pattern.finditer(text))
    for match in _POWER.finditer(text):
        begin = max(text.rfind("\n", 0, match.start()), match.start() - 300)
        end = text.find("\n", match.end(), match.end() + 300)
        if _FORMULA.search(text, max(begin, 0), end if end >= 0 else match.end() + 300):
            places.add(match.end() - 1)
    for at in sorted(places):
        yield Change(at, at + 1, "", 0.7)


def part_numbers(text: str, evidence: Evidence) -> Iterator[Change]:
    """Part `in1998` and `March 1,1928`.

    >>> [c.start for c in part_numbers("in1998 an MP3, March 1,1928", Evidence(everywhere=True))]
    [2, 23]
    """
    if not evidence.everywhere or known_language(text) != "en":
        return
    places = {m.end() for m in _MONTH.finditer(text)}
    for match in _GLUED_NUMBER.finditer(text):
        left, year, number, right = match.groups()
        if left is not None:
            word = left.lower()
            if (word in _MONTHS and len(year) == 4) or (word in _BESIDE and left.islower()):
                places.add(match.start(2))
        elif right in _BESIDE and (right != "in" or len(number) == 4):
            places.add(match.start(4))
    for at in sorted(places):
        yield Change(at, at, " ", 0.8)


SYMBOL_SPACING = Rule("symbol_spacing", 1, close_symbols, r"[\pL\d] [-(\d/|)]", needs_evidence=True)
NUMBER_SPACING = Rule("number_spacing", 1, part_numbers, r"\pL\d|\d\pL|\d,\d", needs_evidence=True)
