"""Find the words that need a look, with their neighbours, and read them; the rest is not worth the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from winnow.repair.words.lexicon import Lexicon, fold, lexicon_of
from winnow.repair.words.prices import BASE, GRADES, NEVER, Prices
from winnow.repair.words.word_reading import read_words
from winnow.repair.words.word_runs import MAX_TOKEN, WordRun

WEAK = 1  # may be a part of a word: unknown, or short and rare
SUSPECT = 2  # likely wrong by itself


@dataclass(frozen=True, slots=True)
class Group:
    """Words of a run that need a look, with a neighbour on either side."""

    start: int
    tokens: tuple[str, ...]
    left: bool
    right: bool
    fresh: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads groups of words with a lexicon and remembers what it has read."""

    lexicon: Lexicon
    flags: dict[str, int]
    readings: dict[tuple[tuple[str, ...], bool, bool, bool, Prices, tuple[str, ...]], tuple[tuple[str, ...], int]]

    def read(self, group: Group, prices: Prices, others: tuple[str, ...] = ()) -> tuple[tuple[str, ...], int]:
        key = (group.tokens, group.left, group.right, group.fresh, prices, others)
        known = self.readings.get(key)
        if known is None:
            if len(self.readings) > 50_000:
                self.readings.clear()
            if self.lexicon.language != "en":
                # the small lists lack too many words to take any apart, or to make new ones
                prices = replace(prices, insert=NEVER, formed=NEVER)
            words, gain = read_words(
                list(group.tokens), self.lexicon, prices, group.left, group.right, group.fresh, others
            )
            known = self.readings[key] = (tuple(words), gain)
        return known

    def groups(self, text: str, run: WordRun) -> Iterator[Group]:
        """The parts of a run where another reading may be cheaper; the rest is not worth the time."""
        tokens = text[run.start : run.end].split(" ")
        flags = self.flags
        n = len(tokens)
        marked = []
        costs = self.lexicon.costs
        before = 0
        for k, token in enumerate(tokens):
            flag = flags.get(token)
            if flag is None:
                flag = self._flag(token)
            if flag & SUSPECT:
                marked.append(k)
            elif k and (before & WEAK or flag & WEAK or len(token) + len(tokens[k - 1]) < 9):
                if before & flag & WEAK:
                    marked.append(k)
                else:
                    joined = costs.get((tokens[k - 1] + token).lower())
                    if joined is not None and joined < self._sum(tokens[k - 1], token):
                        marked.append(k)
            before = flag
        if not marked:
            return
        first = 0
        while first < len(marked):
            last = first
            while last + 1 < len(marked) and marked[last + 1] - marked[last] <= 3:
                last += 1
            low = max(0, marked[first] - 2)
            high = min(n, marked[last] + 2)
            group = tuple(tokens[low:high])
            if max(map(len, group)) <= MAX_TOKEN:
                start = run.start + sum(map(len, tokens[:low])) + low
                yield Group(start, group, run.left and low == 0, run.right and high == n, low == 0 and run.fresh)
            first = last + 1

    def _sum(self, one: str, other: str) -> int:
        a, b = self.lexicon.cost(one), self.lexicon.cost(other)
        return (a if a >= 0 else 1000) + (b if b >= 0 else 1000)

    def _flag(self, token: str) -> int:
        if len(self.flags) > 500_000:
            self.flags.clear()
        cost = self.lexicon.cost(token)
        flag = WEAK * (cost < 0 or (len(token) <= 3 and cost > BASE.common))
        doubtful = self.lexicon.language == "en" and 3 < len(token) <= MAX_TOKEN and (cost < 0 or cost > BASE.common)
        if (cost < 0 and token.islower()) or (doubtful and self._may_split(token, cost)):
            flag |= SUSPECT
        self.flags[token] = flag
        return flag

    def _may_split(self, token: str, cost: int) -> bool:
        """Whether some two words cost less than the token; long tokens may be three."""
        if len(token) >= 14 and cost < 0:
            return True
        low = fold(token)
        get = self.lexicon.costs.get
        limit = (cost if cost >= 0 else BASE.unknown + BASE.unknown_letter * len(token)) - GRADES.insert[2]
        if any(c.isupper() for c in token[1:]):
            limit = NEVER  # a capital inside is a place to cut, even where the words are unknown
        for k in range(1, len(low)):
            first = get(low[:k])
            if first is not None and first + get(low[k:], NEVER) < limit:
                return True
        return limit == NEVER


@cache  # one for each supported language at most
def reader_of(language: str) -> Reader:
    return Reader(lexicon_of(language), {}, {})
