"""Whether words prove that a line was decoded with the wrong one-byte encoding."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from winnow.repair.encoding.misread_pairs import LOST, Pair
from winnow.repair.encoding.plausible import is_word, known_in, strange

# Separators are ASCII, which every encoding here shares, so a chunk of one reading is a chunk of the other.
_CHUNK = re.compile(r"[^\x00-@\[-`{-\x7f]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_ODD_INSIDE = re.compile(r"[^\W\d_][^\w\s'’ʼ.\-\u2010-\u2015\u2026\xad\xa0/·][^\W\d_]")
_DASH = frozenset("–—…")
_QUOTES = frozenset("«»“”„‘’‚–—…\xa0•")
_SIGNS = _QUOTES | frozenset("°№§©®™±×÷·€£¡¿")
FIRST_CHUNKS = 8
MAX_CHUNKS = 60  # of one line are judged; the rest of a long one follows them
MAX_UNKNOWN = 0.15  # share of the words of a line that reads well
MAX_WORD = 40  # letters; longer runs are no words


@dataclass(frozen=True, slots=True)
class Verdict:
    """Weights of the words of one line in one language; see `judge`."""

    pair: Pair
    language: str
    good: float = 0.0
    """Became words of the language, and were none of any."""
    unknown: float = 0.0
    """Became what may be a word, but is in no list."""
    strange: float = 0.0
    """Became what is no word: signs inside, capitals after small letters, characters out of use."""
    lost: float = 0.0
    """Were words."""
    n_good: int = 0
    longest: int = 0
    """Letters of the longest good word."""
    n_same: int = 0
    """Words of two letters and more that are the same in both readings; those in Latin letters."""
    same_known: int = 0
    """Of these, words of the language."""

    @property
    def net(self) -> float:
        return self.good - self.unknown / 2 - 2 * self.strange - 3 * self.lost


_MISPLACED = re.compile(r"(?<=[^\W\d_])([‘“„‚])(?!\w)|(?<![\w’])(”)(?=[^\W\d_])")


def becomes_quotes(line: str, after: str) -> bool:
    """Whether all that changes becomes quotes and dashes."""
    return all(b in _QUOTES for a, b in zip(line, after, strict=True) if a != b)


def quotes_stand_wrongly(before: str, after: str) -> bool:
    """Whether the change sets an opening quote behind a word, or a closing one before it: the letter was one.

    >>> quotes_stand_wrongly("Figurë SVG", "Figur‘ SVG"), quotes_stand_wrongly("ëFigurí", "‘Figur’")
    (True, False)
    """
    return any(before[m.start(1) if m[1] else m.start(2)] != (m[1] or m[2]) for m in _MISPLACED.finditer(after))


def weight(word: str) -> float:
    """How much a word says, by its letters: short ones turn up by chance."""
    return (0.0, 0.1, 0.4, 1.0, 1.5, 1.5, 2.0)[min(len(word), 6)]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch without ASCII signs, in both readings."""

    start: int
    before: str
    after: str


def chunks(line: str, after: str) -> list[Chunk]:
    """The stretches that hold something beyond ASCII.

    >>> [(c.before, c.after) for c in chunks("a dùm, b", "a dům, b")]
    [('dùm', 'dům')]
    """
    spans = (m.span() for m in _CHUNK.finditer(line))
    return [Chunk(a, line[a:b], after[a:b]) for a, b in spans if not line[a:b].isascii()]


def judge(line: str, after: str, pair: Pair) -> Verdict:
    """What speaks for `after` and what against it, in the language of the pair that explains it best."""
    every = chunks(line, after)
    changed = [c for c in dict.fromkeys((c.before, c.after) for c in every) if c[0] != c[1]][:MAX_CHUNKS]
    same = (m.lower() for c in every if c.before == c.after for m in _LETTERS.findall(c.before) if len(m) > 1)
    plain = (*ascii_words(line), *(dict.fromkeys(same) if pair.latin else ()))[: 2 * MAX_CHUNKS]
    for some in (changed[:FIRST_CHUNKS], changed):  # a few tell nearly all readings that make no words
        verdicts = [_in_language(some, plain, pair, language) for language in pair.languages]
        best = max(verdicts, key=lambda v: (v.net + v.same_known / 4, v.good))
        if not best.good or len(changed) <= FIRST_CHUNKS:
            break
    return best


def ascii_words(line: str) -> tuple[str, ...]:
    """Distinct words of ASCII letters alone, two letters and longer, up to a bound."""
    found = (m[0] for m in _CHUNK.finditer(line) if m[0].isascii() and 2 <= len(m[0]) <= MAX_WORD)
    return tuple(dict.fromkeys(word.lower() for word in found))[:MAX_CHUNKS]


@lru_cache(maxsize=256)
def _count_known(words: tuple[str, ...], language: str) -> int:
    return sum(known_in(word, language) for word in words)


def reads_well(line: str) -> bool:
    """Whether nearly all words with letters beyond ASCII are words as they stand, so that nothing is worth a try.

    >>> reads_well("Он сказал, что это очень хорошо"), reads_well("Ïðèâåò, êàê äåëà?")
    (True, False)
    """
    found = dict.fromkeys(c.before for c in chunks(line, line) if sum(map(str.isalpha, c.before)) > 1)
    sample = list(found)[:MAX_CHUNKS]
    return len(sample) > 2 and sum(not was_words(chunk) for chunk in sample) <= MAX_UNKNOWN * len(sample)


def _in_language(changed: Iterable[tuple[str, str]], plain: tuple[str, ...], pair: Pair, language: str) -> Verdict:
    good = unknown = odd = lost = 0.0
    n_good = longest = 0
    for before, after in changed:
        now = _LETTERS.findall(after)
        if now and now == _LETTERS.findall(before) and not is_odd(before, after):
            continue  # signs beside words, which say nothing
        heavy = sum(map(weight, now))
        was = was_words(before)
        if is_odd(before, after):
            odd += max(heavy, 1.0)
        elif now and all(known_in(word, language) for word in now):
            if was:
                lost += heavy / 4 if before.isalpha() else 0.0  # both are words: says little either way
            else:
                good += heavy
                n_good += 1
                longest = max(longest, *map(len, now))
        else:
            unknown += heavy
        if was and not all(known_in(word, language) for word in now):
            lost += max(heavy, 0.5)
    known = _count_known(plain, language) if n_good else 0
    return Verdict(pair, language, good, unknown, odd, lost, n_good, longest, len(plain), known)


@lru_cache(maxsize=4096)
def was_words(chunk: str) -> bool:
    """Whether a chunk, as it stands, is made of words of any language and reads naturally."""
    found = _LETTERS.findall(chunk)
    if max(map(len, found), default=0) < 2 or _ODD_INSIDE.search(chunk):
        return False
    if len(found) > 1 and not _DASH.isdisjoint(chunk) and min(map(len, found)) < 2:
        return False  # `tama–o`
    return all(_is_cased(w) and is_word(w) for w in found)


def _is_cased(word: str) -> bool:
    """Whether capitals stand where words have them, or the script knows none."""
    return len(word) <= MAX_WORD and (
        word.islower() or word.isupper() or word[1:].islower() or word.lower() == word.upper()
    )


@lru_cache(maxsize=4096)
def is_odd(before: str, after: str) -> bool:
    """Whether a reading cannot be what was written.

    >>> is_odd("Ïðèâåò", "Привет"), is_odd("où", "oů"), is_odd("Ïðèâåò", "оПХБЕР"), is_odd("m³", "mł")
    (False, False, True, False)
    """
    if LOST in after or any("\x80" <= c < "\xa0" for c in after) or strange(after) or _ODD_INSIDE.search(after):
        return True
    found = _LETTERS.findall(after)
    if not all(map(_is_cased, found)):
        return True
    # A letter that becomes a sign was a letter, unless quotes and dashes come out.
    pairs = zip(before, after, strict=True)
    return any(b.isalpha() and not a.isalpha() and a not in _SIGNS for b, a in pairs)
