"""What taken-out markup leaves behind: hard spaces, a letter eaten with a tag, notes and promo marks run together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.repair.engine.rule import Change, Evidence, Rule
from winnow.repair.words.lexicon import lexicon_of
from winnow.repair.words.text_language import language_of

COMMON = 550  # centibels: one word in some 300,000 running words; rarer ones would be guesses
APART = 100  # how much commoner than the next one the only reading must be

# Behind a sign, or a sign and a space; what begins with one sign is found far faster, here and below.
_HARD_SPACES = re.compile(r"\xa0(?:(?<=\S\xa0)|(?<=\S \xa0))[ \xa0]{0,9}(?=\S)")
# Where a no-break space is typed by hand: before units and dashes, and after signs, titles, initials and abbreviations.
_TYPED = re.compile(
    r"\d\xa0(?:[kcdmµn]?[mgl]|ha|[kMGT]?(?:B|W|Hz|V)|kWh|km/h|h|min|s|°[CF]?|px|pt|EUR|USD|CHF|Kč|zł|kr|Mio|Mrd)(?!\w)"
    r"|[§№]\xa0|(?<!\w)(?:[^\W\d_]|[A-Z]\w{1,3}|nr|no|fig|pp?|vol)\.\xa0(?=[\dA-Z])|\xa0[–—-](?!\S)"
)
_PREPOSITION = re.compile(r"(?<![\w'’])[aikosuvwzAIKOSUVWZ]\xa0")
_FIRST_FRAGMENTS = [re.compile(rf"{sign}([a-z]{{1,3}}) ([a-z]{{2,12}})(?= [A-Z])") for sign in (r"\n(?:- )?", r"\| ")]
_FIRST_NOTE = re.compile(r"[.!?][\"”’)]?([ \t]?[—–-]{1,3}[ \t]?|[ \t]{0,2})\[1\](?=[ \t]\S)")
_GLUED_MARK = re.compile(r"(?m)[a-z0-9)\].!?”\"’](ADVERTIS(?:EMENTS?|ING)|SPONSORED(?: CONTENT)?|PROMOTED)[ \t]*$")


def _after_tags(evidence: Evidence) -> bool:
    """Whether tags were taken out of the text; evidence that names no rule stands for any."""
    return not evidence.by or not evidence.by.isdisjoint(("tags", "short_text_tags"))


def soften_hard_spaces(text: str, evidence: Evidence) -> Iterator[Change]:
    """No-break spaces that came out of broken markup become spaces; runs of them one.

    Only in texts out of which tags were taken, and near them. French marks, numbers, units, titles and initials keep
    theirs; so do Czech and Polish words of one letter.

    >>> SOFT_SPACES("services,\\xa0shelter \\xa0 and « x\\xa0» 10\\xa0000"), SOFT_SPACES("5\\xa0km by Mr.\\xa0Smith")
    ('services, shelter and « x\\xa0» 10\\xa0000', '5\\xa0km by Mr.\\xa0Smith')
    """
    if not _after_tags(evidence):
        return
    for found in _HARD_SPACES.finditer(text):
        start, end = found.start() - (text[found.start() - 1] == " "), found.end()
        before, after = text[start - 1], text[end]
        if after in "»!?;:%€" or before in "«" or (before.isdigit() and after.isdigit()):
            continue
        if end - start == 1 and _is_typed(text, start):
            continue
        if evidence.near(text, start, end):
            yield Change(start, end, " ", 0.8)


def _is_typed(text: str, at: int) -> bool:
    """Whether the no-break space at `at` is one that people type: in Czech and Polish also behind a single letter."""
    begin = max(0, at - 6)
    about = text[begin : at + 7]
    if any(found.start() <= at - begin < found.end() for found in _TYPED.finditer(about)):
        return True
    return _PREPOSITION.match(text, at - 1) is not None and language_of(text) in ("cs", "pl")


def give_back_first_letter(text: str, evidence: Evidence) -> Iterator[Change]:
    """A first letter that went with a broken tag comes back, where one word alone can have stood there.

    At the start of a line, item or cell, before a capitalised word, when the two fragments make no word and one
    capital before them makes exactly one common one. Near proven damage only.

    >>> FIRST_LETTER("n tel Exchange Forums")
    'Intel Exchange Forums'
    >>> FIRST_LETTER("a nd Company"), FIRST_LETTER("x yz Products")
    ('a nd Company', 'x yz Products')
    """
    if not _after_tags(evidence):
        return
    lines = "\n" + text
    fragments = [found for pattern in _FIRST_FRAGMENTS for found in pattern.finditer(lines)]
    for found in sorted(fragments, key=lambda found: found.start()):
        joined = found[1] + found[2]
        start, end = found.start(1) - 1, found.end() - 1
        if not evidence.near(text, start, end) or (language := language_of(text)) is None:
            continue
        costs = lexicon_of(language).costs
        if costs.get(joined, 10_000) < COMMON + 200:
            continue
        whole = sorted((costs[c + joined], c) for c in "abcdefghijklmnopqrstuvwxyz" if c + joined in costs)
        if whole and whole[0][0] <= COMMON and (len(whole) < 2 or whole[1][0] - whole[0][0] >= APART):
            yield Change(start, end, whole[0][1].upper() + joined, 0.55)


def part_notes(text: str, evidence: Evidence) -> Iterator[Change]:
    """The first note of a list begins a line, as the notes after it do.

    Only where ``[1]`` hangs on the end of a sentence and ``[2]`` begins the next line.

    >>> NOTES("It ended.—[1] First\\n[2] Second")
    'It ended.\\n[1] First\\n[2] Second'
    >>> NOTES("It ended.[1] Then it began.")
    'It ended.[1] Then it began.'
    """
    for found in _FIRST_NOTE.finditer(text):
        end = text.find("\n", found.end())
        if end >= 0 and text.startswith("[2] ", end + 1):
            yield Change(found.start(1), found.end(1), "\n", 0.8)


def part_promo_marks(text: str, evidence: Evidence) -> Iterator[Change]:
    """A marker such as ADVERTISEMENT that is glued to the end of a line gets a line of its own.

    So it is a passage, and passages can be removed. Words in running text stay.

    >>> PROMO_MARKS("Report (2024)ADVERTISEMENT")
    'Report (2024)\\nADVERTISEMENT'
    >>> PROMO_MARKS("An ADVERTISEMENT")
    'An ADVERTISEMENT'
    """
    for found in _GLUED_MARK.finditer(text):
        yield Change(found.start(1), found.start(1), "\n", 0.8)


SOFT_SPACES = Rule("soft_spaces", 2, soften_hard_spaces, r"\x{a0}", needs_evidence=True)
FIRST_LETTER = Rule("first_letter", 1, give_back_first_letter, r"[a-z] [a-z]+ \p{Lu}", needs_evidence=True)
NOTES = Rule("notes", 1, part_notes, r"\[1\] .*\n\[2\] ")
PROMO_MARKS = Rule("promo_marks", 1, part_promo_marks, r"\S(?:ADVERTIS|SPONSORED|PROMOTED)")

RESIDUE: tuple[Rule, ...] = (SOFT_SPACES, FIRST_LETTER, NOTES, PROMO_MARKS)
"""The rules for what taken-out markup leaves behind, in order."""
