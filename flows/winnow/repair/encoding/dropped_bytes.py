"""Bytes that a decoder dropped, given back by words: ``rodiÄe`` was ``rodiče``, ``ÐºÐ»Ð°ÑÑ`` was ``класс``.

Windows-1252 has no character for the bytes 81, 8D, 8F, 90 and 9D, Windows-1251 none for 98, and in Latin-1 those from
80 to 9F are control characters. Many programs drop them or write U+FFFD or a question mark instead, and a no-break
space (A0) becomes a plain one. Of a UTF-8 sequence the first bytes are left; the few letters that it may have been are
told apart by the lists of words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from math import prod

from winnow.repair.encoding.charmaps import Charmap, charmap
from winnow.repair.encoding.plausible import is_word, strange
from winnow.repair.engine.rule import detector
from winnow.repair.words.frequencies import costs_in
from winnow.repair.words.word_index import KNOWN, LANGUAGES, bits, known_to

MAX_SPELLINGS = 2_000  # of one word that are looked up
MAX_WORD = 30  # letters
MAX_WORDS = 2_000  # of one line
SHORTEST = 3  # letters of a word in Latin letters: shorter ones turn up by chance
CLEARLY = 100  # centibels: ten times as frequent as any other word that fits


_has_c1 = detector(r"[\x{80}-\x{9f}]")


@dataclass(frozen=True)
class _Lossy:
    """An encoding, the bytes that it has no character for, and the beginnings of the letters that end in these."""

    map: Charmap
    missing: bytes
    beginnings: tuple[bytes, ...]

    @cached_property
    def units(self) -> re.Pattern[str]:
        """A letter of ASCII, a whole sequence, or what is ``left`` of one."""
        return re.compile(f"[A-Za-z]|{self.sequences.pattern}")

    @cached_property
    def sequences(self) -> re.Pattern[str]:
        """A whole sequence, or what is ``left`` of one."""
        rest, two, three = (self._any_of(range(*span)) for span in ((0x80, 0xC0), (0xC2, 0xE0), (0xE0, 0xF0)))
        left = "|".join("".join(self._any_of([byte]) for byte in bytes_) for bytes_ in self.beginnings)
        instead = "(?:\ufffd|[?](?=[^\\W\\d_]))?"
        return re.compile(f"{two}{rest}|{three}{rest}{rest}|(?P<left>{left})(?!{rest}){instead}")

    def _any_of(self, numbers: Iterable[int]) -> str:
        return "[" + "".join(re.escape(self.map.table[n]) for n in numbers) + "]"

    def raw(self, text: str) -> bytes:
        return bytes(map(self.map.table.index, text))

    def letters(self, left: str, missing: bytes) -> dict[str, str]:
        """Letters that a remainder may have been, each with the whole sequence as it looks in the encoding."""
        found = {
            (self.raw(left) + bytes([byte])).decode("utf-8", "ignore"): left + self.map.table[byte] for byte in missing
        }
        return {letter: whole for letter, whole in found.items() if letter.isalpha() and not strange(letter)}


# Latin, Greek, Cyrillic, Hebrew, Arabic, Vietnamese letters.
_BEGINNINGS = (*(bytes([b]) for b in b"\xc3\xc4\xc5\xce\xcf\xd0\xd1\xd7\xd9"), b"\xe1\xba", b"\xe1\xbb")
_LOSSY = (
    _Lossy(charmap("cp1252"), b"\x81\x8d\x8f\x90\x9d", _BEGINNINGS),
    _Lossy(charmap("cp1251"), b"\x98", (b"\xd0",)),
    _Lossy(charmap("latin-1"), bytes(range(0x80, 0xA0)), _BEGINNINGS),
)


@dataclass(frozen=True, slots=True)
class _Letter:
    """A letter of a word: where it stands, and what it may be, each with the whole sequence."""

    start: int
    end: int
    choices: dict[str, str]
    left: str = ""
    """What is left of it, where something was dropped."""


@dataclass(frozen=True, slots=True)
class Span:
    """What lost bytes, made whole mojibake; None where no word fits, or several do.

    Then it is what is left of one letter, or, beyond Latin letters, the word: half of one is harder to read than none.
    """

    start: int
    end: int
    whole: str | None


def lossy_words(line: str) -> list[Span]:
    r"""The words of a line that lost bytes, in order. A line proves nothing in which no sequence is whole.

    >>> [s.whole for s in lossy_words("dvÄ› ÄistÃ© Å™eky, Äe")]
    ['Ä\x8distÃ©']
    """
    if _has_c1(line):
        return []  # there nothing was dropped
    best: list[Span] = []
    signs = frozenset(line) - {"\ufffd"}
    for lossy in _LOSSY:
        if lossy.map.leads.isdisjoint(signs) or not signs <= lossy.map.characters:
            continue
        if not any(found["left"] for found in lossy.sequences.finditer(line)):
            continue  # most lines lost nothing, and to read their letters takes long
        words = list(islice(_words(line, lossy), MAX_WORDS))
        whole = [_text(word) for word in words if not any(letter.left for letter in word)]
        if len(whole) < len(words) and _explained(line, words):
            spans = list(_spans(line, lossy, words, _languages(whole)))
            if not best or sum(s.whole is not None for s in spans) > sum(s.whole is not None for s in best):
                best = spans
            if all(span.whole is not None for span in spans):
                break
    return best


def _words(line: str, lossy: _Lossy) -> Iterator[list[_Letter]]:
    word: list[_Letter] = []
    for found in lossy.units.finditer(line):
        start, end = found.span()
        if left := found["left"] or "":
            choices = lossy.letters(left, lossy.missing)
        else:
            letter = found[0] if end - start == 1 else lossy.raw(found[0]).decode("utf-8", "ignore")
            choices = {letter: found[0]} if letter.isalpha() else {}
        if word and (word[-1].end < start or not choices):
            yield word
            word = []
        if choices:
            word.append(_Letter(start, end, choices, left))
    if word:
        yield word


def _explained(line: str, words: list[list[_Letter]]) -> bool:
    """Whether a sequence is whole, and at most a third of what is beyond ASCII stands in no word that was read."""
    letters = [letter for word in words for letter in word if letter.end - letter.start > 1 or letter.left]
    read = sum(letter.end - letter.start for letter in letters)
    return any(not letter.left for letter in letters) and 3 * read >= 2 * sum(c > "\x7f" for c in line)


def _text(word: list[_Letter]) -> str:
    return "".join(next(iter(letter.choices)) for letter in word)


def _languages(words: Sequence[str]) -> tuple[str, ...]:
    """The languages whose lists have most of the words; all where there are none."""
    votes = Counter(language for word in dict.fromkeys(words) for language in _knowing(word.lower()))
    most = max(votes.values(), default=0)
    return tuple(language for language, n in votes.items() if 3 * n >= 2 * most) or LANGUAGES


def _knowing(word: str) -> list[str]:
    known = known_to(word)
    return [language for language in LANGUAGES if known & bits(language)] if known else []


def _spans(line: str, lossy: _Lossy, words: list[list[_Letter]], languages: tuple[str, ...]) -> Iterator[Span]:
    joined = False
    for n, word in enumerate(words):
        if joined or not any(letter.left for letter in word):
            joined = False
            continue
        start, end = word[0].start, word[-1].end
        latin = all(c < "\u0250" for letter in word for c in letter.choices)
        if latin and len(word) < SHORTEST:
            continue
        literal = "".join(letter.left or next(iter(letter.choices)) for letter in word)
        whole = None if is_word(literal) else _told(word, languages)
        if whole is None and word[-1].left and line[end : end + 1] == " " and n + 1 < len(words):
            after = words[n + 1]
            spaced = _Letter(word[-1].start, end + 1, lossy.letters(word[-1].left, b"\xa0"), word[-1].left)
            both = _told([*word[:-1], spaced, *after], languages) if after[0].start == end + 1 else None
            if both is not None:
                whole, end, joined = both, after[-1].end, True
        if whole is None and latin:
            yield from (Span(letter.start, letter.end, None) for letter in word if letter.left)
        else:
            yield Span(start, end, whole)


def _told(word: list[_Letter], languages: tuple[str, ...]) -> str | None:
    """The one word that fits, as whole mojibake; None where none does, or none is by far the commonest."""
    if len(word) > MAX_WORD or prod(len(letter.choices) for letter in word) > MAX_SPELLINGS:
        return None
    wanted = bits(*languages)
    spellings = {"".join(letters): letters for letters in product(*(letter.choices for letter in word))}
    fitting = [text for text in spellings if _is_cased(text) and known_to(text.lower()) & wanted]
    if len(fitting) > 1:
        (least, first), (next_, _), *_ = sorted((_cost(text.lower(), languages), text) for text in fitting)
        fitting = [first] if next_ - least >= CLEARLY else []
    letters = spellings[fitting[0]] if fitting else ()
    return "".join(letter.choices[c] for letter, c in zip(word, letters, strict=True)) if letters else None


def _is_cased(word: str) -> bool:
    return word.islower() or word.isupper() or word[1:].islower() or word.lower() == word.upper()


def _cost(word: str, languages: tuple[str, ...]) -> int:
    return min(costs_in(language).get(word, KNOWN + 1) for language in languages)
