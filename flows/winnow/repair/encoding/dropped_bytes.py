"""Bytes that a decoder dropped, given back by words: ``rodiÄe`` was ``rodiče``, ``ÐºÐ»Ð°ÑÑ`` was ``класс``.

Windows-1252 has no character for the bytes 81, 8D, 8F, 90 and 9D, Windows-1251 none for 98, and in Latin-1 those from
80 to 9F are control characters. Many programs drop them or write a question mark instead. They drop the soft hyphen
(AD) too, so ``MarÃa`` was ``María``, and the no-break space (A0), or make it a plain one. Of a UTF-8 sequence the first
bytes are left; the few letters that it may have been are told apart by the lists of words. Where U+FFFD says that
something was lost, nothing is guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import chain, islice, product
from math import prod

from winnow.repair.encoding.charmaps import Charmap, charmap
from winnow.repair.encoding.plausible import as_listed, has_odd_capitals, is_word, strange
from winnow.repair.engine.rule import detector
from winnow.repair.words.frequencies import costs_in, word_costs
from winnow.repair.words.word_index import KNOWN, LANGUAGES, bits, known_to

MAX_WORD = 30  # letters
MAX_WORDS = 2_000  # of one line
MAX_TRIED = 300  # words that a word may have been, which are looked up; more are looked for in lists made for that
SHORTEST = 3  # letters of a word in Latin letters: shorter ones turn up by chance
UNKNOWN = KNOWN + 1  # what a word costs that no list has
FREQUENT = 250  # centibels
CLEARLY = 100  # centibels: ten times as frequent as any other word that fits
MAX_LANGUAGES = 8  # that one line may be in
_UNTOLD = (
    "es", "pt", "it", "fr", "ca", "is", "cs", "pl", "hu", "sh", "sk", "sl", "lt", "ru", "uk", "bg", "mk",
    "el", "he", "ar", "fa",
)  # fmt: skip
"""Languages that lose most letters: a line may be in any where no word of it tells."""
_UNTOLD_OF_ALL = (*_UNTOLD[:13], "de", "sv", "da", "nb", "fi", "tr", "nl", "ro")
"""Languages of Latin letters that a line may be in whose letters have all lost a byte."""
_ELSEWHERE = _UNTOLD[:4]
"""Languages of the names in lines of others."""

_has_c1 = detector(r"[\x{80}-\x{9f}]")


@dataclass(frozen=True, eq=False)
class _Lossy:
    """An encoding, the bytes that may be missing, and the beginnings of the letters that end in these.

    Missing are those that it has no character for, and spaces and hyphens that are not seen.
    """

    map: Charmap
    missing: bytes
    beginnings: tuple[bytes, ...]
    marked: bool = False
    """Whether a question mark stands for each byte."""

    @property
    def loses_any(self) -> bool:
        """Whether any last byte may be missing."""
        return len(self.missing) == 0x40

    @cached_property
    def units(self) -> re.Pattern[str]:
        """A letter of ASCII, a whole sequence, or what is ``left`` of one."""
        return re.compile(f"[A-Za-z]|{self.sequences.pattern}")

    @cached_property
    def sequences(self) -> re.Pattern[str]:
        """A whole sequence, or what is ``left`` of one."""
        rest, two, three = (self._any_of(range(*span)) for span in ((0x80, 0xC0), (0xC2, 0xE0), (0xE0, 0xF0)))
        mark = "[?]" if self.marked else "(?:[?](?=[^\\W\\d_]))?"
        return re.compile(f"{two}{rest}|{three}{rest}{rest}|{self.left.pattern}{mark}")

    def may_explain(self, line: str) -> bool:
        """Whether something is left of a sequence; if `marked`, always before a question mark, twice or in a word."""
        found = [m for m in self.sequences.finditer(line) if m["left"]]
        if not found or not self.marked:
            return bool(found)
        inside = any(line[m.end() : m.end() + 1].isalpha() for m in found)
        return (inside or len(found) > 1) and len(found) == len(self.left.findall(line))

    @cached_property
    def left(self) -> re.Pattern[str]:
        """What is ``left`` of a sequence, or, seldom, a part of a whole one."""
        left = "|".join("".join(self._any_of([byte]) for byte in bytes_) for bytes_ in self.beginnings)
        return re.compile(f"(?P<left>{left})(?!{self._any_of(range(0x80, 0xC0))}|\ufffd)")

    @property
    def sign(self) -> str:
        """RE2 expression for the same."""
        left = "|".join("".join(self.map.table[byte] for byte in bytes_) for bytes_ in self.beginnings)
        rest = "".join(rf"\x{{{ord(char):x}}}" for char in self.map.table[0x80:0xC0])
        return rf"(?:{left})(?:[^{rest}\x{{fffd}}]|\z)"

    def _any_of(self, numbers: Iterable[int]) -> str:
        return "[" + "".join(re.escape(self.map.table[n]) for n in numbers) + "]"

    def raw(self, text: str) -> bytes:
        return bytes(map(self.map.table.index, text))

    @cached_property
    def gaps(self) -> Mapping[str, str]:
        """Letters that lose their last byte, each with a private character for what is left of it."""
        found: dict[str, str] = {}
        for number, first in enumerate(self.beginnings):
            for byte in self.missing:
                letter = (first + bytes([byte])).decode("utf-8", "ignore")
                if letter.isalpha() and not strange(letter):
                    found[letter] = chr(0xE000 + number)
        return found

    @cached_property
    def left_of(self) -> dict[int, str]:
        """For `str.translate`: letters to the private characters for what is left of them."""
        return {ord(letter): gap for letter, gap in self.gaps.items()}

    def letters_of(self, gap: str, missing: frozenset[int], capital: bool, inside: bool) -> list[str]:
        """The letters that may have been there, of the case that letters inside a word have."""
        return [
            letter
            for letter, left in self.gaps.items()
            if left == gap
            and letter.encode()[-1] in missing
            and not (inside and (letter.islower() if capital else letter.isupper()))
        ]

    def missing_in(self, line: str) -> frozenset[int]:
        """The bytes that a line may have lost: where one of a kind is there, none of that kind was dropped."""
        controls = bool(_has_c1(line))
        if self.loses_any:
            return frozenset(self.missing) - {
                self.raw(m[0])[-1] for m in self.sequences.finditer(line) if not m["left"]
            }
        return frozenset(n for n in self.missing if not (controls if n < 0xA0 else chr(n) in line))

    def gap(self, left: str) -> str:
        """The private character for what is left of a letter; nothing where no letter in use begins so."""
        gap = chr(0xE000 + self.beginnings.index(self.raw(left)))
        return gap if gap in self.gaps.values() else ""

    def whole(self, letter: str) -> str:
        """A letter as UTF-8 looks in the encoding."""
        return "".join(self.map.table[byte] for byte in letter.encode())


# Latin, Greek, Cyrillic, Hebrew, Arabic, Vietnamese letters.
_BEGINNINGS = (*(bytes([b]) for b in b"\xc3\xc4\xc5\xc8\xce\xcf\xd0\xd1\xd7\xd8\xd9"), b"\xe1\xba", b"\xe1\xbb")
_OF_LATIN = frozenset("\ue000\ue001\ue002\ue003")
_LOSSY = (
    _Lossy(charmap("cp1252"), b"\x81\x8d\x8f\x90\x9d\xa0\xad", _BEGINNINGS, marked=True),
    _Lossy(charmap("cp1251"), b"\x98", (b"\xd0",), marked=True),
    _Lossy(charmap("cp1252"), bytes(range(0x80, 0xC0)), _BEGINNINGS[:3], marked=True),  # of a charset without accents
    _Lossy(charmap("cp1252"), b"\x81\x8d\x8f\x90\x9d\xa0\xad", _BEGINNINGS),
    _Lossy(charmap("cp1251"), b"\x98", (b"\xd0",)),
    _Lossy(charmap("latin-1"), bytes((*range(0x80, 0xA1), 0xAD)), _BEGINNINGS),
)
_left_in = detector(*(lossy.sign for lossy in _LOSSY))
LEFT = "|".join(dict.fromkeys(lossy.sign for lossy in _LOSSY))
"""RE2 expression for what is left of letters: `lossy_words` finds nothing where it does not match."""


@cache  # one for each encoding and language
def _known_by_gaps(lossy: _Lossy, language: str, capitals: bool) -> Mapping[str, Sequence[str]]:
    """Words of a language that lose letters, in small letters or in capitals, by what is left of them.

    Those in small letters may begin with a capital that is lost.
    """
    found: dict[str, list[str]] = {}
    for word in word_costs(language, KNOWN):
        spelled = word.upper() if capitals else word
        left = spelled.translate(lossy.left_of)
        if left != spelled:
            found.setdefault(left, []).append(spelled)
        first = word[:1].upper()
        if not capitals and first in lossy.gaps:
            found.setdefault(lossy.gaps[first] + left[1:], []).append(first + word[1:])
    return found


def _fitting(wanted: str, lossy: _Lossy, missing: frozenset[int], languages: Sequence[str], begins: bool) -> set[str]:
    """The words of some languages of which so much is left, where only some bytes may be missing.

    One that may begin with a lost capital or small letter has the capital where it `begins` a sentence; and elsewhere,
    where the capital ends in a control character and the small letter in a hyphen.
    """
    capitals = wanted[1:].isupper()
    letters = [
        [c] if c.isalpha() else lossy.letters_of(c, missing, capitals, inside=n > 0) for n, c in enumerate(wanted)
    ]
    if prod(map(len, letters)) <= MAX_TRIED:
        known = {word for word in map("".join, product(*letters)) if known_to(as_listed(word)) & bits(*languages)}
    else:
        key = (wanted if capitals else wanted[0].lower() + wanted[1:]).translate(lossy.left_of)
        listed = chain.from_iterable(_known_by_gaps(lossy, lang, capitals).get(key, ()) for lang in languages)
        spelled = (wanted[0] + word[1:] if wanted[0].isalpha() else word for word in listed)
        known = {word for word in spelled if all(c in fit for c, fit in zip(word, letters, strict=False))}
    small = {word: word[0].lower() + word[1:] for word in known if word[0].isupper()}
    return known - {
        low if begins or low[0].encode()[-1] >= 0xA0 else word for word, low in small.items() if low in known
    }


_BEGINNING = re.compile(r"(?:^|[.!?…]\s)[^\w\s]?\Z")


@dataclass(frozen=True, slots=True)
class _Letter:
    """A letter of a word, or a private character for one: where it stands, and what is `left` of it in that case."""

    start: int
    end: int
    char: str
    left: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """What lost bytes, made whole mojibake; None where no word fits, or several do.

    Then it is what is left of one letter, or, beyond Latin letters, the word: half of one is harder to read than none.
    """

    start: int
    end: int
    whole: str | None


_INSIDE = re.compile("[A-Z]Ã[?]?[a-z]|[a-z][ÃÄÅ]")
_ASCII = frozenset(map(chr, range(128)))


def lossy_words(line: str) -> list[Span]:
    r"""The words of a line that lost bytes, in order.

    A line proves nothing in which no sequence is whole, but for words of small letters with the capital Ã inside.

    >>> [s.whole for s in lossy_words("dvÄ› ÄistÃ© Å™eky, Äe")], [s.whole for s in lossy_words("MarÃa, ÄistÄe")]
    (['Ä\x8distÃ©'], ['MarÃ\xada'])
    """
    best: list[Span] = []
    left = sorted(_left_in(line))
    signs = frozenset(line) - {"\ufffd"} if left else frozenset()
    for lossy in (_LOSSY[number] for number in left):
        if not signs <= lossy.map.characters or not lossy.may_explain(line):
            continue  # most lines lost nothing, and to read their letters takes long
        words = list(islice(_words(line, lossy), MAX_WORDS))
        whole = ["".join(letter.char for letter in word) for word in words if not any(letter.left for letter in word)]
        missing = lossy.missing_in(line)
        if len(whole) < len(words) and missing:
            languages = _languages(whole)
            if languages is _UNTOLD and lossy.loses_any:
                languages = _UNTOLD_OF_ALL
            spans = list(_spans(line, lossy, missing, words, languages))
            if not _explained(line, words):
                odd = {span for span in spans if span.whole and _is_odd_as_it_stands(line, span)}
                spans = [span for span in spans if span in odd or (lossy.marked and not span.whole)] if odd else []
            if lossy.marked and not _n_told(spans):
                continue  # the question marks may be what another damage left
            if not best or _n_told(spans) > _n_told(best):
                best = spans
            if spans and _n_told(spans) == len(spans):
                break
    return best


def _is_odd_as_it_stands(line: str, span: Span) -> bool:
    """Whether what is left of a letter is a capital inside a word, or begins one where the line has no other letter."""
    word = line[span.start : span.end]
    if line[span.start - 1 : span.start].isalpha() or line[span.end : span.end + 1].isalpha():
        return False
    return _INSIDE.search(word) is not None or (len(word) > SHORTEST and set(line) - _ASCII == {"Ã"})


def _n_told(spans: Sequence[Span]) -> int:
    return sum(span.whole is not None for span in spans)


def _words(line: str, lossy: _Lossy) -> Iterator[list[_Letter]]:
    word: list[_Letter] = []
    for found in lossy.units.finditer(line):
        start, end = found.span()
        left = found["left"] or ""
        char = lossy.gap(left) if left else found[0]
        if not left and end - start > 1:
            char = lossy.raw(char).decode("utf-8", "ignore")
            char = char if char.isalpha() else ""
        if word and (word[-1].end < start or not char):
            yield word
            word = []
        if char:
            word.append(_Letter(start, end, char, left))
    if word:
        yield word


def _explained(line: str, words: list[list[_Letter]]) -> bool:
    """Whether a sequence is whole, and at most a third of what is beyond ASCII stands in no word that was read."""
    letters = [letter for word in words for letter in word if letter.end - letter.start > 1 or letter.left]
    read = sum(letter.end - letter.start for letter in letters)
    return any(not letter.left for letter in letters) and 3 * read >= 2 * sum(c > "\x7f" for c in line)


def _languages(words: Sequence[str]) -> Sequence[str]:
    """The languages whose lists have most of the words."""
    long = [word for word in dict.fromkeys(words) if len(word) >= SHORTEST]
    votes = Counter(language for word in long for language in _knowing(word.lower()))
    most = max(votes.values(), default=0)
    return [language for language, n in votes.most_common(MAX_LANGUAGES) if 3 * n >= 2 * most] or _UNTOLD


def _knowing(word: str) -> list[str]:
    known = known_to(word)
    return [language for language in LANGUAGES if known & bits(language)] if known else []


def _spans(
    line: str, lossy: _Lossy, missing: frozenset[int], words: list[list[_Letter]], languages: Sequence[str]
) -> Iterator[Span]:
    told = partial(_told, line, lossy, missing, languages)
    joined = False
    for n, word in enumerate(words):
        if joined or not any(letter.left for letter in word):
            joined = False
            continue
        start, end, last = word[0].start, word[-1].end, word[-1]
        latin = all(letter.char < "\u0250" or letter.char in _OF_LATIN for letter in word)
        short = latin and len(word) < SHORTEST
        alone = short and (len(word) == 1 or languages is _UNTOLD)
        is_whole = is_word(line[start:end]) and not has_odd_capitals(line[start:end])
        whole = None if alone or is_whole else told(word)
        if short and whole and whole[-1] not in "\xa0\xad" and not _is_frequent(lossy.raw(whole).decode(), languages):
            whole = None
        if last.left and line[end : end + 1] == " " and n + 1 < len(words) and words[n + 1][0].start == end + 1:
            after = words[n + 1]
            spaced = None if alone else _with_space(last, lossy)
            both = spaced and told([*word[:-1], spaced, *after])
            if both and (whole is None or len(after) == 1 or told(after) is None):
                whole, end, joined = both, after[-1].end, True
            elif len(after) > SHORTEST * alone and (whole is None or whole[-1] == "\xad" or told(after) is None):
                # Another byte than A0 became a space.
                both = told([*word[:-1], replace(last, end=end + 1), *after])
                whole, end, joined = (both, after[-1].end, True) if both else (whole, end, joined)
        if short and whole is None:
            continue
        last = after[-1] if joined else last
        if whole and last.left and line.startswith("  ", end):
            end += 1  # the first of the two
        if whole is None and latin:
            yield from (Span(letter.start, letter.end, None) for letter in word if letter.left)
        else:
            yield Span(start, end, whole)


def _is_frequent(word: str, languages: Sequence[str]) -> bool:
    """Whether one word in three hundred is this one, in one of some languages, as few short ones are."""
    return any(costs_in(language).get(word.lower(), UNKNOWN) < FREQUENT for language in languages)


def _with_space(letter: _Letter, lossy: _Lossy) -> _Letter | None:
    """The letter whose last byte became the space behind it; None where there is none."""
    char = (lossy.raw(letter.left) + b"\xa0").decode("utf-8", "ignore") if lossy.map.has_a0 else ""
    return _Letter(letter.start, letter.end + 1, char, letter.left) if char.isalpha() else None


def _told(
    line: str, lossy: _Lossy, missing: frozenset[int], languages: Sequence[str], word: list[_Letter]
) -> str | None:
    """The one word that fits, as whole mojibake; None where none does, or none is by far the commonest."""
    if len(word) > MAX_WORD:
        return None
    wanted = "".join(letter.char for letter in word)
    begins = wanted[1:].isupper() or _BEGINNING.search(line, max(0, word[0].start - 4), word[0].start) is not None
    for tried in (_ELSEWHERE, _UNTOLD) if languages is _UNTOLD else (languages, _ELSEWHERE):
        found = {wanted} if wanted.isalpha() else _fitting(wanted, lossy, missing, tried, begins)
        costs = {text: min(costs_in(lang).get(as_listed(text), UNKNOWN) for lang in tried) for text in found}
        # At the end of a word a no-break space is lost far sooner than a hyphen, for it is trimmed and folded.
        fitting = sorted(
            (cost - CLEARLY * (word[-1].left != "" and text.encode()[-1] == 0xA0), text)
            for text, cost in costs.items()
            if cost < UNKNOWN
        )
        if fitting:
            break
    else:
        return None
    if len(fitting) > 1 and fitting[1][0] - fitting[0][0] < CLEARLY:
        return None
    letters = zip(word, fitting[0][1], strict=True)
    return "".join(lossy.whole(char) if letter.left else line[letter.start : letter.end] for letter, char in letters)


# Words of Cyrillic letters that were decoded rightly, but for those that lost a byte: ``дев’Ñтого``.
_AMONG_CYRILLIC = re.compile("(?:[\u0400-\u04ff]['’]?|[ÐÑ]){2,30}")
_LEFT_OF_CYRILLIC = re.compile(f"[ÐÑ](?![{''.join(map(re.escape, charmap('cp1252').table[0x80:0xC0]))}])")
_SLAVIC = ("ru", "uk", "bg", "mk")


def with_cyrillic_letters(line: str) -> str:
    r"""The line with the bytes given back that letters lost in words of Cyrillic letters that were decoded rightly.

    >>> with_cyrillic_letters("дев’Ñтого, ÐндрейÑ"), with_cyrillic_letters("Ñandú")
    ('дев’Ñ\x8fтого, ÐндрейÑ', 'Ñandú')
    """
    return _AMONG_CYRILLIC.sub(_with_letters, line)


def _with_letters(found: re.Match[str]) -> str:
    word = found[0]
    gaps = [gap.start() for gap in _LEFT_OF_CYRILLIC.finditer(word + found.string[found.end() : found.end() + 1])]
    if not gaps or len(gaps) != word.count("Ð") + word.count("Ñ") or 2 * len(gaps) >= len(word):
        return word
    for lossy in (_LOSSY[3], _LOSSY[5]):
        letters = [
            [letter for letter, gap in lossy.gaps.items() if gap == lossy.gap(char)] if char in "ÐÑ" else [char]
            for char in word
        ]
        if prod(map(len, letters)) > MAX_TRIED:
            continue
        tried = (text for text in map("".join, product(*letters)) if not has_odd_capitals(text))
        costs = {text: min(costs_in(language).get(as_listed(text), UNKNOWN) for language in _SLAVIC) for text in tried}
        known = sorted((cost, text) for text, cost in costs.items() if cost < UNKNOWN)
        if known and (len(known) == 1 or known[1][0] - known[0][0] >= CLEARLY):
            return "".join(lossy.whole(new) if old in "ÐÑ" else old for old, new in zip(word, known[0][1], strict=True))
    return word
