"""Headings set with a space between all letters: `C H A P T E R   O N E`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from winnow.repair.engine.nearby import Span, damaged_spans
from winnow.repair.engine.rule import Change, Evidence
from winnow.repair.words.lexicon import Lexicon, lexicon_of
from winnow.repair.words.word_runs import LATIN
from winnow.repair.words.words import language_of

_LINE = re.compile(rf"(?<![^\n])[{LATIN}] [{LATIN}] [{LATIN}] [{LATIN}][{LATIN} ]{{0,200}}(?![^\n])")
_GAP = re.compile(r" {2,3}")
MAX_COST = 560  # centibels: what a word may cost to be read into single letters


def join_spaced_letters(text: str, evidence: Evidence) -> Iterator[Change]:
    """Join the letters of letter-spaced headings whose words are known."""
    spans = damaged_spans(text, evidence)
    if spans and (language := language_of(text)):
        yield from _spaced_letters(text, spans, lexicon_of(language))


def _spaced_letters(text: str, spans: Iterable[Span], lexicon: Lexicon) -> Iterator[Change]:
    for low, high in spans:
        for match in _LINE.finditer(text, low, high):
            words = []
            for part in _GAP.split(match[0].rstrip(" ")):
                letters = part.split(" ")
                word = "".join(letters)
                if len(word) != len(letters) or not 0 <= lexicon.cost(word) <= MAX_COST:
                    break
                words.append(word)
            else:
                # one word alone must be long: `A B C D` counts, `U S S R` names
                if max(map(len, words)) >= 5 and not _alphabetical(words[0]):
                    yield Change(match.start(), match.end(), " ".join(words), 0.8)


def _alphabetical(word: str) -> bool:
    return list(word.lower()) == sorted(word.lower())
