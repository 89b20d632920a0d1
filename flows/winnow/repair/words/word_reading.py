"""Find the most probable words in a run of letters and spaces: a shortest path over word costs.

A noisy channel: a reading costs what its words cost (centibels, see ``lexicon``) plus a price for each space
that it deletes or inserts. The cheapest one is found by dynamic programming over character positions
(Viterbi), with words bounded in length, so time is linear. A price is paid for each change and never
refunded, so reading the result again changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from winnow.repair.words.frequencies import WordCosts, costs_in
from winnow.repair.words.lexicon import NEVER, ONE_LETTER, PREFIXES, SHORT, SUFFIXES, Lexicon, Prices, fold
from winnow.repair.words.text_language import MARKERS

MAX_WORD = 24  # letters a formed word may have
MAX_PART = 8  # letters an unknown part beside a hyphen may have to be taken for one


@dataclass(frozen=True, slots=True)
class Group:
    """Words with single spaces between that stand in a text from `start` on."""

    start: int
    tokens: tuple[str, ...]
    left: bool
    """The first token hangs on a hyphen, so it may be a part of a word."""
    right: bool
    """The last one does."""
    fresh: bool
    """The first token begins a sentence or a line."""


Reading = tuple[tuple[str, ...], int]
"""Words, and by how many centibels they are cheaper than the text as it stands."""


def _parts(tokens: Sequence[str], costs: list[int], cost: int, first: int, last: int, fresh: bool, p: Prices) -> int:
    """What is charged for joining whole tokens to one word: the parts may be the better reading."""
    charge = p.whole
    initials = True
    for k in range(first, last + 1):
        size = len(tokens[k])
        initials = initials and size == 1 and tokens[k].isupper()
        if costs[k] >= p.common or (size <= 2 and costs[k] >= p.two_common):
            charge = 0
        elif size > 1 and cost > costs[k] + (p.worse if len(tokens[last]) > 1 else 0) and p.worse < 1000:
            return NEVER
    if initials:
        return NEVER  # `J R R Tolkien`, `A B testing`
    if not fresh and len(tokens[first]) == 1 and tokens[first].isupper() and costs[first + 1] < p.common:
        charge += p.capital
    return charge


def read_words(group: Group, lexicon: Lexicon, prices: Prices, others: tuple[str, ...] = ()) -> Reading:
    """The cheapest reading of a group; `others` names further languages whose words may stand here."""
    tokens, left, right, fresh = group.tokens, group.left, group.right, group.fresh
    s = "".join(tokens)
    low = fold(s)
    n = len(s)
    p = prices
    starts = list(accumulate(map(len, tokens), initial=0))
    last = len(tokens) - 1
    space = bytearray(n + 1)
    ends = [0] * (n + 1)  # where the token that starts here ends
    token_at = [0] * (n + 1)
    swallowed = [0] * (n + 2)  # running sum of what the common tokens that start before here charge
    token_costs: list[int] = []
    for k, token in enumerate(tokens):
        at = starts[k]
        space[at] = 1
        ends[at] = starts[k + 1]
        token_at[at] = k
        cost = lexicon.cost(token)
        if cost < 0:
            cost = p.unknown + p.unknown_letter * len(token) + lexicon.case(token)
            if len(token) <= MAX_PART and ((left and k == 0) or (right and k == last)):
                cost = min(cost, p.unknown)
        elif cost < p.common:
            swallowed[at + 1] = p.swallowed
        token_costs.append(cost)
    space[n] = 1
    asis = sum(token_costs)
    spaces = [0] * (n + 1)  # running sums: spaces before here, capitals before here
    capitals = [0] * (n + 1)
    for i in range(n):
        spaces[i + 1] = spaces[i] + space[i]
        capitals[i + 1] = capitals[i] + s[i].isupper()
        swallowed[i + 1] += swallowed[i]
    best = [asis + 1] * (n + 1)  # no reading that costs more than the text as it stands is of use
    back = [0] * (n + 1)
    best[0] = 0
    find = lexicon.costs.find
    edges = starts if p.insert >= NEVER else range(n + 1)  # where words may begin and end
    for nth, i in enumerate(edges[:-1], 1):
        base = best[i]
        if base > asis:
            continue
        end = ends[i]
        whole = space[i]
        if end and base + token_costs[token_at[i]] <= best[end]:
            best[end] = base + token_costs[token_at[i]]
            back[end] = i
        for j in edges[nth : nth + MAX_WORD]:
            if j > i + MAX_WORD:
                break
            known = find(low[i:j])
            if known is None:
                if not (whole or space[j]) or (left and i == 0) or (right and j == n):
                    continue
                c = base + p.formed + p.formed_letter * (j - i)
            else:
                c = base + known
            if c >= best[j] or j == end:
                continue
            upper = capitals[j] - capitals[i]
            if upper and upper != j - i and capitals[j] > capitals[i + 1]:
                c += p.odd_case
            inside = spaces[j] - spaces[i + 1]
            if inside:
                c += p.delete * inside
                if known is None:
                    c += swallowed[j] - swallowed[i]
                else:
                    if whole and space[j]:
                        k = token_at[i]
                        c += _parts(tokens, token_costs, known, k, k + inside, k == 0 and fresh, p)
                        parts = tokens[k : k + inside + 1]
                        if p.strict and stand_apart(parts, known, lexicon, others):
                            continue
                        if known > p.common and not (p.strict and are_fragments(parts, lexicon)):
                            c += swallowed[j] - swallowed[i] + p.rare
                    elif known > p.common:
                        c += swallowed[j] - swallowed[i] + p.rare
                    if (left and i == 0) or (right and j == n):
                        cut = whole and space[j] and known and is_cut_letter(tokens[k : k + inside + 1], known, lexicon)
                        c += 0 if cut else p.at_hyphen
                    if j - i <= 2 and known > p.two_common and not (upper == 1 and low[i:j] in SHORT):
                        continue  # `p x`, but `E l Salvador`
                if upper == j - i and upper <= 5:
                    c += p.affix
            if not whole and low[i:j] in SUFFIXES:
                c += p.affix
            if not space[j]:
                c += p.insert + _cut(s, low, i, j, upper, p)
            if c < best[j]:
                best[j] = c
                back[j] = i
    words: list[str] = []
    j = n
    while j > 0:
        words.append(s[back[j] : j])
        j = back[j]
    return tuple(reversed(words)), asis - best[n]


def _cut(s: str, low: str, i: int, j: int, upper: int, p: Prices) -> int:
    """What is charged, besides the price of a space, for cutting a word off before ``s[j]``."""
    charge = 0
    if s[j].isupper():
        charge = p.insert_at_camel if s[j - 1].islower() else 0
    elif s[i].isupper():
        charge = p.capital_cut
    if low[i:j] in PREFIXES:
        charge += p.affix
    if upper == j - i and (s[j].islower() or upper <= 3):
        charge += p.affix
    return charge


# Centibels. What costs no more stands by itself in any text of its language: short words are many, and mostly pieces.
KNOWN = 600
KNOWN_SHORT = 380  # of two letters: `re` is a word, `th` is not
FREQUENT = 350  # once in 3,000 words: `tra il` is no `trail` where Italian may stand
BESIDE_LETTER = 100  # how much rarer than the word after a lone letter its join may be: `w in` is no `win`
LIKELIER = 300  # how much likelier a join with a lone word of one letter must be than both as words: `a re`

# Words that stand in set phrases only, never after an article: `a midst` was one word.
BOUND = frozenset(("midst",))


def stand_apart(parts: Sequence[str], cost: int, lexicon: Lexicon, others: Sequence[str]) -> bool:
    """Whether to leave `parts` apart although their join, of that `cost`, is a word.

    `others`: further languages that the text may be in. All parts are words of one language; or one is a lone letter
    and the other a word far more frequent than the join; or they are letters in alphabetical order.

    >>> english = Lexicon("en")
    >>> [stand_apart(p.split(), 400, english, ("fr",)) for p in ("may be", "tra il", "w in", "a b c", "t o", "w ith")]
    [True, True, True, True, False, False]
    """
    low = [fold(part) for part in parts]
    if len(low) > 2 and low == sorted(low) and all(len(part) == 1 for part in low):
        return True
    if len(low) == 2 and low[0] == "a" and low[1] in BOUND:
        return False
    own = lexicon.language
    if len(low) == 2 and own != "en" and low[1] in ONE_LETTER.get(own, ""):
        return True  # `spazi o tab`, `anni e dato`: plurals are no words of the small lists
    if all(_is_word(part, own, lexicon.listed) for part in low):
        return min(map(len, low)) > 1 or cost + LIKELIER > sum(lexicon.costs[part] for part in low)
    if any(all(_is_word(part, language, costs_in(language)) for part in low) for language in others if language != own):
        return True
    if all(len(part) > 1 for part in low):
        if any(all(costs_in(language).get(part, NEVER) <= FREQUENT for part in low) for language in MARKERS):
            return True
        # the small lists lack words: `bez pośredniej`
        if lexicon.language != "en" and any(lexicon.costs.get(part, KNOWN) <= FREQUENT for part in low):
            return any(len(part) > 3 and part not in lexicon.costs for part in low)
        return False
    words = [lexicon.costs[part] for part in low if len(part) > 1 and part in lexicon.costs]
    return len(low) == 2 and bool(words) and cost > words[0] + BESIDE_LETTER


CUT_REST, CUT_WORD = 590, 450  # centibels: rarer than this is the rest, commoner than that the word


def is_cut_letter(parts: Sequence[str], cost: int, lexicon: Lexicon) -> bool:
    """Whether a letter that is no word was cut off a common one, of that `cost`, of which the rest is no word or rare.

    >>> english = Lexicon("en")
    >>> [is_cut_letter(p.split(), english.costs[p.replace(" ", "")], english) for p in ("l ong", "b est", "n or")]
    [True, False, False]
    """
    first, rest = parts[0], parts[-1]
    lone = len(parts) == 2 and len(first) == 1 and fold(first) not in ONE_LETTER.get(lexicon.language, "")
    return lone and cost <= CUT_WORD and lexicon.costs.get(fold(rest), CUT_REST) >= CUT_REST


def are_fragments(parts: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether none of the parts is a word of the language: then a join to any known word is the better reading."""
    letters = ONE_LETTER.get(lexicon.language, "")
    return all(fold(p) not in letters if len(p) == 1 else fold(p) not in lexicon.costs for p in parts)


def _is_word(part: str, language: str, costs: WordCosts) -> bool:
    if len(part) == 1:
        return part in ONE_LETTER.get(language, "")
    return costs.get(part, 10_000) <= (KNOWN_SHORT if len(part) == 2 else KNOWN)
