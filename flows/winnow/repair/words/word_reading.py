"""Find the most probable words in a run of letters and spaces: a shortest path over word costs.

A noisy channel: a reading costs what its words cost (centibels, see ``words``) plus a price for each space
that it deletes or inserts. The cheapest one is found by dynamic programming over character positions
(Viterbi), with words bounded in length, so time is linear. A price is paid for each change and never
refunded, so reading the result again changes nothing.
"""

from __future__ import annotations

from winnow.repair.words.lexicon import PREFIXES, SHORT, SUFFIXES, Lexicon, fold
from winnow.repair.words.prices import NEVER, Prices
from winnow.repair.words.standing import are_fragments, stand_apart

MAX_WORD = 24  # letters a formed word may have
MAX_PART = 8  # letters an unknown part beside a hyphen may have to be taken for one


def _parts(tokens: list[str], costs: list[int], cost: int, first: int, last: int, fresh: bool, p: Prices) -> int:
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


def read_words(
    tokens: list[str],
    lexicon: Lexicon,
    prices: Prices,
    left: bool = False,
    right: bool = False,
    fresh: bool = True,
    others: tuple[str, ...] = (),
) -> tuple[list[str], int]:
    """The cheapest reading of `tokens`, and by how much it is cheaper than the tokens as they stand.

    `left`, `right`: the first or last token hangs on a hyphen, so it may be a part of a word.
    `fresh`: the first token begins a sentence or a line. `others`: further languages whose words may stand here.
    """
    s = "".join(tokens)
    low = fold(s)
    n = len(s)
    p = prices
    tail = p.formed_letter
    starts = [0]
    for token in tokens:
        starts.append(starts[-1] + len(token))
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
    get = lexicon.costs.get
    worst = asis + 1
    for i in range(n):
        base = best[i]
        if base >= worst:
            continue
        end = ends[i]
        whole = space[i]
        if end and base + token_costs[token_at[i]] <= best[end]:
            best[end] = base + token_costs[token_at[i]]
            back[end] = i
        for j in range(i + 1, min(n, i + MAX_WORD) + 1):
            known = get(low[i:j])
            if known is None:
                if not (whole or space[j]) or (left and i == 0) or (right and j == n):
                    continue
                c = base + p.formed + tail * (j - i)
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
                        c += p.at_hyphen
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
    words.reverse()
    return words, asis - best[n]


def _cut(s: str, low: str, i: int, j: int, upper: int, p: Prices) -> int:
    """What is charged, besides the price of a space, for cutting a word off before ``s[j]``."""
    charge = 0
    if s[j].isupper():
        if s[j - 1].islower():
            charge = p.insert_at_camel
    elif s[i].isupper():
        charge = p.capital_cut
    if low[i:j] in PREFIXES:
        charge += p.affix
    if upper == j - i and (s[j].islower() or upper <= 3):
        charge += p.affix
    return charge
