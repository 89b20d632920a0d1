"""What a reading of the whole text would change although it is meant: terms, names, pairs, words of other languages."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from winnow.repair.engine.rule import Change
from winnow.repair.words.apostrophes import contracts
from winnow.repair.words.lexicon import NEVER, RUN_TOGETHER, Lexicon, fold
from winnow.repair.words.text_language import LATIN
from winnow.repair.words.word_index import bits, known_to
from winnow.repair.words.word_reading import KNOWN

_WORD = re.compile(rf"[{LATIN}]{{1,40}}")

# Centibels, see `lexicon`.
FUNCTION_WORD = 240
COMMON_WORD = 450
ARTICLE = 300  # how much likelier a word must be than its first letter as an article: `a void`
NAMED = 720  # what is in the list and has a capital inside: `YouTube`
LIKELIER = 100  # how much more probable a word with a ligature must be than the same without
SHORT = 3  # letters; of three pieces that are no word together, one is as short
_LIGATURES = ("fi", "fl", "ff", "ffi", "ffl")
_JUNCTIONS = frozenset("and or".split())


def repeated_in(text: str) -> frozenset[str]:
    """The words, and the pairs of words, that stand in a text more than once, in small letters."""
    words = _WORD.findall(text.lower())
    counts = Counter(words)
    counts.update(f"{one} {other}" for one, other in pairwise(words))
    return frozenset(found for found, count in counts.items() if count > 1)


def is_meant(text: str, change: Change, lexicon: Lexicon, repeated: frozenset[str], strict: bool) -> bool:
    """Whether what a reading would part or join is written so on purpose; `strict`: nothing else there is damaged.

    Meant are terms that stand `repeated` in the text, unless a function word is glued to them; names that the list has;
    pairs of common words, and words of another language; and pieces that are a word only with the ligature they lost.
    """
    before = text[change.start : change.end]
    parts, words = before.split(" "), change.after.split(" ")
    if len(parts) == 1:
        hangs = text.startswith(("- ", "-\n"), change.end)  # the first half of a word, `infor-`
        return hangs or _is_term(before, words, lexicon, repeated)
    if len(parts) == 2 and _lack_ligature(fold(parts[0]), fold(parts[1]), lexicon):
        return True
    return len(words) == 1 and (
        _are_words([fold(part) for part in parts], fold(words[0]), lexicon, repeated, strict)
        or _is_series(text, change, parts)
        or names_something(text, change)
        or (lexicon.listed.get(fold(change.after)) is None and _are_foreign(parts, lexicon))
    )


_OPERATOR_AFTER = re.compile(" [=+≤≥≠≈∈×·/−<>→]")
_OPERATOR_BEFORE = re.compile("[=+≤≥≠≈∈×·/−<>→] $")
_SERIES_BEFORE = re.compile(r"(?<!\w)\w, $")
_VERB = re.compile(rf" [{LATIN}]")  # a clause goes on behind `we ll`, not behind `as we ll,`
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_LETTERS_AFTER = re.compile(rf"(?: [B-HJ-Zb-z](?![{LATIN}'’.-])){{1,3}}")
_LETTERS_BEFORE = re.compile(rf"(?<![{LATIN}'’])(?:[B-HJ-Zb-z] ){{1,3}}$")
_LETTER_BEFORE = re.compile(rf"(?<![{LATIN}'’])(?:[{LATIN}]|\d+)[ ‐-]$")
_ORDINALS = frozenset("st nd rd th".split())


def names_something(text: str, change: Change) -> bool:
    """Whether pieces are letters in a row, a value beside its operator, or what lost its hyphen or its apostrophe.

    >>> text = "var y = 1, l l l c, the i th row, x y z, parts a, b and t h e s p a c e s"
    >>> pieces = ("var y", "l l c", "th row", "x y z", "b and", "t h e")
    >>> [names_something(text, Change(text.find(each), text.find(each) + len(each), "")) for each in pieces]
    [True, True, True, True, True, False]
    """
    parts = text[change.start : change.end].split(" ")
    before = text[max(0, change.start - 8) : change.start]
    if (parts[0] in _ORDINALS and _LETTER_BEFORE.search(before)) or (parts[0] == "s" and before[-2:] in ("' ", "’ ")):
        return True
    letters = all(len(part) == 1 for part in parts)
    if letters and len(parts) >= SHORT and ("".join(parts).lower() in _ALPHABET or parts[1:-1] == ["x"]):
        return True  # `a b c`, `n x m`
    if (
        len(parts) == 2
        and contracts(parts[0].lower(), parts[1])
        and (len(parts[1]) != 2 or _VERB.match(text, change.end))
    ):
        return True
    if len(parts) == 2 and len(parts[0]) == 1 and parts[1] in _JUNCTIONS and _SERIES_BEFORE.search(before):
        return True
    if len(parts) <= SHORT and letters:
        rows = (_LETTERS_BEFORE.search(before), _LETTERS_AFTER.match(text, change.end))
        return sum(len(row[0]) // 2 for row in rows if row) == 1  # of more, all are letters of words
    beside = len(parts[-1]) == 1 and _OPERATOR_AFTER.match(text, change.end) is not None
    return beside or (len(parts[0]) == 1 and _OPERATOR_BEFORE.search(before) is not None)


def _is_term(token: str, words: list[str], lexicon: Lexicon, repeated: frozenset[str]) -> bool:
    low = token.lower()
    cost = lexicon.listed.get(low)
    if cost is not None and cost < NAMED and not token[1:].islower() and not token.isupper():
        return True
    if low not in repeated:
        return False
    glued = any(word.islower() and lexicon.listed.get(word, NEVER) <= FUNCTION_WORD for word in words)
    return not glued or (cost is not None and low not in RUN_TOGETHER)


def _are_words(low: list[str], joined: str, lexicon: Lexicon, repeated: frozenset[str], strict: bool) -> bool:
    """Whether pieces are common words, an article and its noun, or words that stand side by side more than once."""
    find = lexicon.listed.get
    costs = [find(part, NEVER) if len(part) > 2 else NEVER for part in low]
    if len(low) == 2 and low[0] == "s" and lexicon.language == "en" and costs[1] < find(joined, NEVER):
        return True  # `the man s hat` lost an apostrophe
    if len(low) == 2 and low[0] == "a" and lexicon.language == "en" and costs[1] <= KNOWN:
        return strict and find(joined, NEVER) + ARTICLE > find("a", NEVER) + costs[1]
    return max(costs) <= (COMMON_WORD if strict else KNOWN) and (strict or " ".join(low) in repeated)


def _is_series(text: str, change: Change, parts: list[str]) -> bool:
    """Whether lone letters stand on both sides of a conjunction that a reading would join to one: `B and C`."""
    if _JUNCTIONS.isdisjoint(parts) or any(len(part) > 1 and part not in _JUNCTIONS for part in parts):
        return False
    if parts[-1] in _JUNCTIONS:
        return re.match(r" \w\b", text[change.end : change.end + 3]) is not None
    return parts[0] not in _JUNCTIONS or re.search(r"\b\w $", text[max(0, change.start - 3) : change.start]) is not None


def _are_foreign(parts: list[str], lexicon: Lexicon) -> bool:
    """Whether pieces that make no word are all known to one other language, or too long for pieces of one word."""
    shared, own = ~bits(lexicon.language), True
    longer = [part.lower() for part in parts if len(part) > 1]
    for part in longer:
        shared &= known_to(part)
        own = own and known_to(part) & bits(lexicon.language) > 0
    return (len(longer) > 1 and shared != 0 and not own) or (len(parts) > 2 and min(map(len, parts)) > SHORT)


def _lack_ligature(first: str, second: str, lexicon: Lexicon) -> bool:
    """Whether a ligature, or its second f, makes a likelier word of two pieces: `signi cant`, `dif erent`."""
    joined = lexicon.listed.get(first + second, NEVER)
    lost = (*_LIGATURES, "f") if first.endswith("f") else _LIGATURES
    return any(lexicon.listed.get(first + each + second, NEVER) + LIKELIER < joined for each in lost)
