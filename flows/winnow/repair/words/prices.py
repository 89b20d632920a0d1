"""What a reading of words pays for each change, and how the damage found so far moves that."""

from __future__ import annotations

from dataclasses import dataclass, replace

NEVER = 1 << 20


@dataclass(frozen=True, slots=True)
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
    strict: bool = False  # whether parts that may be words stay apart, see `standing`
    capital_cut: int = 101  # cutting a small-letter word off a capitalised one: names are not in the list


BASE = Prices()
NEAR = replace(
    BASE,
    delete=60,
    insert=NEVER,  # near damage, words are split, not run together; and `filehandle` is no damage
    formed=NEVER,
    common=600,
    whole=0,  # `standing` decides
    capital=600,
    swallowed=600,
    rare=600,
    worse=260,
    odd_case=NEVER,
    at_hyphen=NEVER,
    strict=True,
)
DOUBTFUL = replace(NEAR, delete=0, rare=0, whole=300, strict=False)  # what only this reading changes is a suspicion


@dataclass(frozen=True, slots=True)
class Grades:
    """Prices by the damage already found in a block: none, some, much; of deleting and inserting apart."""

    delete: tuple[int, int, int] = (160, 122, 33)
    insert: tuple[int, int, int] = (270, 176, 60)
    formed_more: tuple[int, int, int] = (402, 140, 0)

    def prices(self, deleted: int, inserted: int, base: Prices) -> Prices:
        return replace(
            base,
            delete=self.delete[deleted],
            insert=self.insert[inserted],
            formed=base.formed + self.formed_more[deleted],
        )


GRADES = Grades()
BLOCK_SHARE = 0.09  # changes to words from which a block is badly damaged
