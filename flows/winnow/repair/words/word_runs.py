"""Runs of words that can be judged: Latin letters with single spaces, away from code, paths and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LATIN = "A-Za-zªºÀ-ÖØ-öø-ɏḀ-ỿﬀ-ﬆ"
MAX_RUN_WORDS = 60
MAX_TOKEN = 160  # letters; a longer one is data, not words run together

_TOKEN = rf"[{LATIN}]+(?:['’][{LATIN}]+)*"
_RUN = re.compile(rf"{_TOKEN}(?: {_TOKEN}){{0,{MAX_RUN_WORDS - 1}}}")
_OPENS = frozenset(' \n\t\u00a0\u202f([{"“‘«¿¡,;:!?–—„‚›‹…')
_CLOSES = frozenset(' \n\t\u00a0\u202f,;:!?)]}"”’»…–—“›‹')
_BEFORE_SENTENCE = frozenset('.!?:;…"”’)-–—•*|')
_ENDS_SENTENCE = frozenset(' \n\t\u00a0\u202f"”’)]»')


@dataclass(frozen=True, slots=True)
class WordRun:
    """``text[start:end]``: words with single spaces between; `left`, `right`: an end hangs on a
    hyphen; `fresh`: it begins a line or a sentence."""

    start: int
    end: int
    left: bool
    right: bool
    fresh: bool


def find_word_runs(text: str, start: int = 0, end: int | None = None) -> Iterator[WordRun]:
    """Runs of words inside ``text[start:end]``, at most 60 words each.

    A word that hangs on a digit, a dot that ends no sentence, or any sign of code, path, address or
    mathematics does not belong to a run.

    >>> text = "see foo.txt and a_b in we ll-known"
    >>> [text[r.start : r.end] for r in find_word_runs(text)]
    ['see', 'and', 'in we ll', 'known']
    """
    stop = len(text) if end is None else end
    for match in _RUN.finditer(text, start, stop):
        a, b = match.span()
        left = right = False
        if a > 0 and (before := text[a - 1]) not in _OPENS:
            if before == "-":
                left = True
            elif (a := text.find(" ", a, b) + 1) == 0:
                continue
        if b < len(text) and (after := text[b]) not in _CLOSES:
            if after == "-":
                right = True
            elif not (after == "." and (b + 1 == len(text) or text[b + 1] in _ENDS_SENTENCE)):
                b = text.rfind(" ", a, b)
                if b < 0:
                    continue
        fresh = a == 0 or text[a - 1] != " " or text[a - 2 : a - 1] in _BEFORE_SENTENCE
        yield WordRun(a, b, left, right, fresh)
