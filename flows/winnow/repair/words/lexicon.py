"""What words cost as they are written, and what a reading of words pays for each change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from winnow.repair.engine.rule import Evidence
from winnow.repair.words.frequencies import WordCosts, costs_in
from winnow.repair.words.text_language import known_language, language_of

NEVER = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)  # told apart by identity: to hash them takes long
class Prices:
    """What a reading pays beyond its words, in centibels. Tuned on half of the rows of each public set."""

    delete: int = 122
    insert: int = 236
    insert_at_camel: int = -57  # added where a capital follows a small letter: `GunArvidssen`
    unknown: int = 718  # a word of the text that the list lacks
    unknown_letter: int = 48
    formed: int = 631  # a word that is not in the list nor stood in the text
    formed_letter: int = 103
    swallowed: int = 176  # a common word that a formed unknown word would swallow
    common: int = 487  # words cheaper than this are common
    whole: int = 88  # all the parts are common words, so they may be the better reading: `to day`
    rare: int = 0  # the joined word is rarer than a word that is common
    worse: int = 1000  # how much rarer than a common word in it the joined word may be: `b in` is not `bin`
    at_hyphen: int = 0  # joining a word that hangs on a hyphen: `the n-th`
    capital: int = 450  # `vitamin C an`, but not at the start, as in `T he`
    odd_case: int = 355  # `eXample`
    one_letter: int = 203  # single letters are frequent in the list, but as names of things, not as words
    two_letters: int = 54
    two_common: int = 330
    three_letters: int = 59
    three_common: int = 400
    affix: int = 350  # cutting off a prefix or suffix: `multi` `word`
    strict: bool = False  # whether parts that may be words stay apart, see `stand_apart`
    capital_cut: int = 101  # cutting a small-letter word off a capitalised one: names are not in the list


BASE = Prices()
# Near damage, words are split, not run together; and `filehandle` is no damage. `stand_apart` decides on whole parts.
NEAR = replace(
    BASE, delete=60, insert=NEVER, formed=NEVER, common=600, whole=0, capital=600, swallowed=600, rare=600, worse=260,
    odd_case=NEVER, at_hyphen=NEVER, strict=True,
)  # fmt: skip
DOUBTFUL = replace(NEAR, delete=0, rare=0, whole=300, strict=False)  # what only this reading changes is a suspicion

# By the damage already found in a block: none, some, much; of deleting and of inserting apart.
DELETE_BY_DAMAGE = (160, 122, 33)
INSERT_BY_DAMAGE = (270, 176, 60)
FORMED_BY_DAMAGE = (402, 140, 0)


@cache
def graded(deleted: int, inserted: int) -> Prices:
    """The prices in a block with so much damage found, 0 to 2: spaces deleted, and inserted, on the way to words."""
    formed = BASE.formed + FORMED_BY_DAMAGE[deleted]
    return replace(BASE, delete=DELETE_BY_DAMAGE[deleted], insert=INSERT_BY_DAMAGE[inserted], formed=formed)


@cache
def joining(prices: Prices) -> Prices:
    """The same, only to join what are no words: the small lists lack too many to take any apart or to make new ones."""
    return replace(prices, insert=NEVER, formed=NEVER, strict=True)


PREFIXES = frozenset("""
    non multi sub pre un re anti co inter intra trans semi pseudo hyper meta micro nano macro mono poly bi tri
    di de dis mis over under out super ultra extra auto bio geo neo photo electro thermo hydro para proto
    quasi post counter cross self euro mc mac back up down
""".split())  # fmt: skip
SUFFIXES = frozenset("""
    able ible less like wise ship ness ing tion tions ion ions ly ment ments ity al ive er ers est ed es ism
    ist ists ful ous ary ory fold ward wards ization isation ology ologist ics land man men
""".split())  # fmt: skip

# Run-together words that the web, and so the list, is full of.
RUN_TOGETHER = frozenset("""
    etal adhoc noone alot infact aswell atleast eachother ofthe inthe tothe onthe forthe andthe atthe bythe
    isthe fromthe withthe thatthe asthe tobe itis isa asa ina ofa toa isnot canbe hasbeen havebeen ifyou
    thisis thereis apriori insitu invivo invitro perse themost themore allthe oneof partof someof mostof
""".split())  # fmt: skip

# Short words that are no pieces of others where they stand alone: particles of names, abbreviations, Latin.
SHORT = frozenset("""
    et al ie eg vs cf pp la le de el di da du der von van den bin ibn al ad hoc per se st mr dr mrs ms jr sr
    vol fig eq ed eds inc ltd tv uk us eu un os
""".split())  # fmt: skip

# Letters that are words by themselves.
ONE_LETTER = {
    "en": "ai", "fr": "aày", "es": "aeyou", "it": "aeièo", "pt": "aeoéà", "pl": "aiouwz", "cs": "aiksuvzo",
    "ca": "aieo", "sv": "iåö", "da": "iåø", "nb": "iåø", "nl": "u", "de": "",
}  # fmt: skip


class ChargedCosts(WordCosts):
    """What words cost, with what is charged for short ones, and without those that are run together."""

    def __init__(self, language: str) -> None:
        super().__init__(language)
        self._letters = ONE_LETTER.get(language, "")

    def charged(self, word: str, cost: int) -> int | None:
        if word in RUN_TOGETHER:
            return None
        if len(word) > 3:
            return cost
        if len(word) == 1:
            return cost if word in self._letters else cost + BASE.one_letter
        if word in SHORT:
            return min(cost, BASE.common - 1)
        if len(word) == 2:
            return cost if cost < BASE.two_common else cost + BASE.two_letters
        return cost if cost < BASE.three_common else cost + BASE.three_letters


class Lexicon:
    """Costs of the words of one language, with what is charged for short ones; small letters only."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.costs = ChargedCosts(language)
        self.listed = costs_in(language)
        """What they cost in the list."""

    def cost(self, written: str) -> int:
        """Cost of a known word as it is written; -1 for an unknown one."""
        word = fold(written)
        cost = self.costs.find(word)
        if cost is None:
            if not word.endswith("'s") or word[:-2] not in self.costs:
                return -1
            cost = self.costs[word[:-2]] + 100
        return cost + self.case(written)

    def case(self, written: str) -> int:
        if len(written) == 1 or written.islower() or written.isupper():
            return 0
        return 0 if written[1:].islower() else BASE.odd_case


def fold(text: str) -> str:
    """The text in small letters with straight apostrophes, character by character.

    >>> fold("İ’LL")
    "İ'll"
    """
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return low.replace("’", "'")


@cache  # one for each supported language at most
def lexicon_of(language: str) -> Lexicon:
    """The lexicon of a language, kept by the process."""
    return Lexicon(language)


def damaged_prose(
    text: str, evidence: Evidence, lines: int = 1, any_language: bool = False
) -> Iterator[tuple[int, int, Lexicon]]:
    """The stretches within `lines` lines of proven damage, and the text's lexicon; none in an unknown language.

    Where the whole text is taken for damaged, its language must show, unless the rule does well in `any_language`.
    """
    spans = evidence.damaged_spans(text, lines)
    strict = evidence.everywhere and not any_language
    if spans and (language := known_language(text) if strict else language_of(text)):
        lexicon = lexicon_of(language)
        for low, high in spans:
            yield low, high, lexicon
