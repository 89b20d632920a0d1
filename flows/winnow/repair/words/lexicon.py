"""What words cost as they are written: short ones, run-together ones, capitals."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from winnow.repair.words.prices import BASE, Prices
from winnow.repair.words.words import word_costs


def _words(lines: str) -> frozenset[str]:
    return frozenset(lines.split())


PREFIXES = _words("""
    non multi sub pre un re anti co inter intra trans semi pseudo hyper meta micro nano macro mono poly bi tri
    di de dis mis over under out super ultra extra auto bio geo neo photo electro thermo hydro para proto
    quasi post counter cross self euro mc mac back up down
""")
SUFFIXES = _words("""
    able ible less like wise ship ness ing tion tions ion ions ly ment ments ity al ive er ers est ed es ism
    ist ists ful ous ary ory fold ward wards ization isation ology ologist ics land man men
""")

# Run-together words that the web, and so the list, is full of.
RUN_TOGETHER = _words("""
    etal adhoc noone alot infact aswell atleast eachother ofthe inthe tothe onthe forthe andthe atthe bythe
    isthe fromthe withthe thatthe asthe tobe itis isa asa ina ofa toa isnot canbe hasbeen havebeen ifyou
    thisis thereis apriori insitu invivo invitro perse themost themore allthe oneof partof someof mostof
""")

# Short words that are no pieces of others where they stand alone: particles of names, abbreviations, Latin.
SHORT = _words("""
    et al ie eg vs cf pp la le de el di da du der von van den bin ibn al ad hoc per se st mr dr mrs ms jr sr
    vol fig eq ed eds inc ltd tv uk us eu un os
""")

# Letters that are words by themselves.
ONE_LETTER = {
    "en": "ai", "fr": "aày", "es": "aeyou", "it": "aeièo", "pt": "aeoéà", "pl": "aiouwz", "cs": "aiksuvzo",
    "ca": "aieo", "sv": "iåö", "da": "iåø", "nb": "iåø", "nl": "u", "de": "",
}  # fmt: skip


@dataclass(slots=True)
class Lexicon:
    """Costs of the words of one language, with what is charged for short ones; small letters only."""

    language: str
    prices: Prices = BASE
    costs: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        p = self.prices
        costs = word_costs(self.language)
        letters = ONE_LETTER.get(self.language, "")
        for word in [word for word in costs if len(word) <= 3]:
            cost = costs[word]
            if len(word) == 1:
                costs[word] = cost if word in letters else cost + p.one_letter
            elif word in SHORT:
                costs[word] = min(cost, p.common - 1)
            elif len(word) == 2:
                costs[word] = cost if cost < p.two_common else cost + p.two_letters
            else:
                costs[word] = cost if cost < p.three_common else cost + p.three_letters
        for word in RUN_TOGETHER:
            costs.pop(word, None)
        self.costs = costs

    def cost(self, written: str) -> int:
        """Cost of a known word as it is written; -1 for an unknown one."""
        word = fold(written)
        cost = self.costs.get(word)
        if cost is None:
            if not word.endswith("'s") or word[:-2] not in self.costs:
                return -1
            cost = self.costs[word[:-2]] + 100
        return cost + self.case(written)

    def case(self, written: str) -> int:
        if len(written) == 1 or written.islower() or written.isupper():
            return 0
        return 0 if written[1:].islower() else self.prices.odd_case


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
