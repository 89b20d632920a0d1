"""Runs of words that can be judged, and in them the words that need a look; the rest is not worth the time.

A run is Latin letters with single spaces, away from code, paths and numbers.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from winnow.repair.words.lexicon import BASE, INSERT_BY_DAMAGE, NEVER, Lexicon, Prices, fold, joining, lexicon_of
from winnow.repair.words.text_language import LATIN
from winnow.repair.words.word_reading import Group, Reading, read_words

MAX_RUN_WORDS = 60
MAX_TOKEN = 160  # letters; a longer one is data, not words run together

MAX_CODE_LINE = 120  # characters; signs of code in a longer line stand in prose
CODE = re.compile(r"[{};]$|^\s*}|::|->|\(\)|==|\w = \w+[.\[\"']|</|\\\*| --[a-z]|^[ \t]*[#$%>] ", re.MULTILINE)
# Near damage a line may end in a semicolon that belonged to an entity, or begin with a quote's sign.
CODE_NEAR = re.compile(
    r"\) ?;$|[{}]$|^\s*[{}]|::|->|\(\)|==|\w = \w+[.\[\"']|\\\*| --[a-z]|^[ \t]*[$%] |\w[._]\w+\(|\bfor \w in ",
    re.MULTILINE,
)
_CODE_SIGN = re.compile(r"[-{}();:<>=\\#$%]")  # one of these is in all of them but one, and found far faster

_TOKEN = rf"[{LATIN}]+(?:['’][{LATIN}]+)*"
_RUN = re.compile(rf"{_TOKEN}(?: {_TOKEN}){{0,{MAX_RUN_WORDS - 1}}}")
_OPENS = frozenset(' \n\t\u00a0\u202f([{"“‘«¿¡,;:!?–—„‚›‹…')
_CLOSES = frozenset(' \n\t\u00a0\u202f,;:!?)]}"”’»…–—“›‹')
_BEFORE_SENTENCE = frozenset('.!?:;…"”’)-–—•*|')
_ENDS_SENTENCE = frozenset(' \n\t\u00a0\u202f"”’)]»')


def find_word_runs(text: str, start: int = 0, end: int = sys.maxsize) -> Iterator[Group]:
    """Runs of words inside ``text[start:end]``, at most 60 words each.

    A word that hangs on a digit, a dot that ends no sentence, or any sign of code, path, address or
    mathematics does not belong to a run.

    >>> text = "see foo.txt and a_b in we ll-known"
    >>> [" ".join(run.tokens) for run in find_word_runs(text)]
    ['see', 'and', 'in we ll', 'known']
    """
    for match in _RUN.finditer(text, start, end):
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
        yield Group(a, tuple(text[a:b].split(" ")), left, right, fresh)


def is_code(text: str, low: int, end: int, signs: re.Pattern[str]) -> bool:
    """Whether the line ``text[low:end]`` looks like one of a program or a shell."""
    if end - low > MAX_CODE_LINE or not (_CODE_SIGN.search(text, low, end) or text.find("for ", low, end) >= 0):
        return False
    return signs.search(text, low, end) is not None


def prose_runs(text: str, low: int, high: int, code: re.Pattern[str]) -> Iterator[Group]:
    """The runs of words in the lines of a block that do not look like those of a program or a shell."""
    while low < high:
        end = text.find("\n", low, high)
        end = high if end < 0 else end
        if not is_code(text, low, end, code):
            yield from find_word_runs(text, low, end)
        low = end + 1


WEAK = 1  # may be a part of a word: unknown, or rare, or short and not common
SUSPECT = 2  # likely wrong by itself
RARE = 690  # centibels: the list is made from texts with split words too, and so has `confi`


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads groups of words with a lexicon and remembers what it has read."""

    lexicon: Lexicon
    flags: dict[str, int]
    readings: dict[tuple[tuple[str, ...], bool, bool, bool, Prices, tuple[str, ...]], Reading]

    def read(self, group: Group, prices: Prices, others: tuple[str, ...] = ()) -> Reading:
        key = (group.tokens, group.left, group.right, group.fresh, prices, others)
        known = self.readings.get(key)
        if known is None:
            if len(self.readings) > 50_000:
                self.readings.clear()
            if self.lexicon.language != "en":
                prices = joining(prices)
            known = self.readings[key] = read_words(group, self.lexicon, prices, others)
        return known

    def groups(self, run: Group) -> Iterator[Group]:
        """The parts of a run where another reading may be cheaper, with a neighbour on either side."""
        tokens = run.tokens
        flags = self.flags
        n = len(tokens)
        marked = []
        find = self.lexicon.costs.find
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
                    joined = find((tokens[k - 1] + token).lower())
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
            group = tokens[low:high]
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
        flag = WEAK * (cost < 0 or cost > RARE or (len(token) <= 3 and cost > BASE.common))
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
        find = self.lexicon.costs.find
        limit = (cost if cost >= 0 else BASE.unknown + BASE.unknown_letter * len(token)) - INSERT_BY_DAMAGE[2]
        if not token[1:].islower() and any(c.isupper() for c in token[1:]):
            limit = NEVER  # a capital inside is a place to cut, even where the words are unknown
        for k in range(1, len(low)):
            first = find(low[:k])
            if first is not None and first < limit and (rest := find(low[k:])) is not None and first + rest < limit:
                return True
        return limit == NEVER


@cache  # one for each supported language at most
def reader_of(language: str) -> Reader:
    return Reader(lexicon_of(language), {}, {})
