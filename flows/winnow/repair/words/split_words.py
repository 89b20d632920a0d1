"""Words that damage took apart, by a space or between all letters, and words that it ran together.

``near_damage`` acts only in the lines beside proven damage, and only joins to or parts into words it knows.
``everywhere`` reads the whole text, as OCR and PDF text needs it: strictly at first; where that finds damage,
the lines about it are read again at lower prices, so that clean text stays as it is.

Left alone: `A platform`, `a way`, `in to`, `no one`, `A B testing`, initials, code, numbers, other scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate

from winnow.repair.engine.rule import (
    A_CAPITAL,
    A_LETTER,
    Change,
    Evidence,
    Rule,
    Span,
    apply_changes,
    line_end,
    remembered_by_line,
)
from winnow.repair.words.hyphens import LIGATURES
from winnow.repair.words.lexicon import (
    DOUBTFUL,
    NEAR,
    NEVER,
    ONE_LETTER,
    Lexicon,
    Prices,
    damaged_prose,
    graded,
    lexicon_of,
)
from winnow.repair.words.meant import FUNCTION_WORD, is_meant, names_something, repeated_in
from winnow.repair.words.text_language import (
    LATIN,
    is_in,
    is_rather_another,
    known_language,
    language_here,
    language_of,
    languages_of_line,
)
from winnow.repair.words.word_groups import CODE, CODE_NEAR, Reader, prose_runs, reader_of
from winnow.repair.words.word_index import bits, common_to, known_to
from winnow.repair.words.word_reading import Group

PIECE = 1500  # characters; paragraphs of another language are seldom shorter
BLOCK_LINES = 20  # lines whose damage is judged together
BLOCK_SHARE = 0.09  # changes to words from which a block is badly damaged


def confidence_of(gain: int) -> float:
    """0.5 where a reading is no cheaper than the text, .95 where it is 100 times as probable.

    >>> confidence_of(0), confidence_of(200)
    (0.5, 0.95)
    """
    return round(1 - 0.5 * 10 ** (-gain / 200), 3)


def split_words(text: str, evidence: Evidence) -> Iterator[Change]:
    """Join `w ith` and `t o`, and part `ofthe`.

    >>> SPLIT_WORDS("T raining groups t o participate i n a way")
    'Training groups to participate in a way'
    """
    spans = evidence.damaged_spans(text)
    if evidence.everywhere:
        yield from _split_everywhere(text)
        return
    language = language_of(text) if spans else None
    if language is None:
        return
    for low, high in _pieces(text, spans):
        here = language_here(text, low, high, language)
        while low < high:
            end = min(line_end(text, low), high)
            for start, stop, after, confidence in _of_line(text[low:end], here, language):
                yield Change(low + start, low + stop, after, confidence)
            low = end + 1


@remembered_by_line
def _of_line(line: str, here: str, language: str) -> tuple[Change, ...]:
    """The changes to a line in the language `here`, in a text in `language`."""
    reader = reader_of(here)
    others = tuple(dict.fromkeys((language, "en")))
    changes: list[Change] = []
    for run in prose_runs(line, 0, len(line), CODE_NEAR):
        for group in reader.groups(run):
            words, gain = reader.read(group, NEAR, others)
            if gain > 0 and (own := languages_of_line(line, here)):
                words, gain = reader.read(group, NEAR, (*others, *own))
            if gain > 0:
                changes += _changes(group, words, confidence_of(gain))
                continue
            words, gain = reader.read(group, DOUBTFUL)
            if gain > 0:
                changes += _changes(group, words, min(0.49, confidence_of(gain) / 2))
    return tuple(change for change in changes if not names_something(line, change))


def _pieces(text: str, spans: list[Span]) -> Iterator[Span]:
    """The spans in pieces of whole lines, short enough to be in one language."""
    for low, high in spans:
        start = low
        while start < high:
            end = text.find("\n", min(start + PIECE, high), high)
            end = high if end < 0 else end
            yield start, end
            start = end + 1


def _split_everywhere(text: str) -> Iterator[Change]:
    whole = known_language(text)
    repeated: frozenset[str] | None = None
    for low, high in _blocks(text):
        # What is left of words is often no word; then the reading has to show that the text is English.
        language = known_language(text[low:high]) or whole or "en"
        reader = reader_of(language)
        reader.lexicon.costs.hold()
        groups: list[Group] = []
        n_words = 0
        for run in prose_runs(text, low, high, CODE):
            n_words += len(run.tokens)
            groups.extend(reader.groups(run))
        changes = _read(groups, reader, graded(0, 0))
        long = (group for group in groups if max(map(len, group.tokens)) >= RUN_LETTERS)
        runs = [change for group in long for change in _part_runs(group, reader)]
        if not changes and not runs:
            continue
        repeated = repeated_in(text) if repeated is None else repeated
        changes = [c for c in changes if not is_meant(text, c, reader.lexicon, repeated, strict=True)]
        if changes:
            counts = [_count(text[c.start : c.end], c.after) for c in changes]
            deleted, inserted = (sum(n) for n in zip(*counts, strict=True))
            grade = _grade(deleted, n_words)
            changes = _read(groups, reader, graded(grade, _grade(inserted, n_words)))
            changes = [c for c in changes if not is_meant(text, c, reader.lexicon, repeated, strict=grade < 2)]
        if runs:
            taken = {at for change in changes for at in range(change.start, change.end)}
            changes = sorted((*changes, *(run for run in runs if run.start not in taken)))
        yield from _in_known_lines(text, changes, language)


def _read(groups: list[Group], reader: Reader, prices: Prices) -> list[Change]:
    """What reading groups at some prices changes."""
    changes: list[Change] = []
    for group in groups:
        words, gain = reader.read(group, prices)
        if gain > 0:
            changes += _changes(group, words, confidence_of(gain))
    return changes


RUN_LETTERS = 24  # words of more letters are few, and a whole sentence may have lost its spaces
RUN_WORDS = 4  # common ones, and a function word is among them: no compound of a chemist
_RUN_PRICES = replace(graded(0, 2), formed=NEVER, unknown_letter=150)


def _part_runs(group: Group, reader: Reader) -> Iterator[Change]:
    """Part what is far too long for a word, and nothing but common words: `theinformationaboutthesystem`."""
    at, last = group.start, len(group.tokens) - 1
    for k, token in enumerate(group.tokens):
        if len(token) >= RUN_LETTERS and token[1:].islower():
            alone = Group(at, (token,), group.left and k == 0, group.right and k == last, group.fresh and k == 0)
            words, gain = reader.read(alone, _RUN_PRICES)
            costs = [reader.lexicon.cost(word) for word in words]
            common = len(words) >= RUN_WORDS and min(costs) >= 0 and max(costs) <= MAX_COST
            if gain > 0 and common and min(costs) <= FUNCTION_WORD:
                yield from _changes(alone, words, confidence_of(gain))
        at += len(token) + 1


LONG = 7  # letters; so long a word does not come about by joining words of another language


def _completes_word(before: str, after: str, language: str) -> bool:
    """Whether pieces become one long word, or one that is listed and of which the longest piece is no word.

    >>> [_completes_word(a, b, "en") for a, b in (("Hirosh i", "Hiroshi"), ("mens en", "mensen"), ("fa sa", "fasa"))]
    [True, False, False]
    """
    word, longest = after.lower(), max(before.lower().split(" "), key=len)
    if len(word) >= LONG and known_to(word) & bits(language):
        return True
    costs = lexicon_of(language).costs
    return word in costs and (len(word) > LONG + 1 or (len(longest) > 3 and longest not in costs))


def _in_known_lines(text: str, changes: list[Change], language: str) -> Iterator[Change]:
    """The changes of lines that are of known words once they are made."""
    at = 0
    while at < len(changes):
        low, high = text.rfind("\n", 0, changes[at].start) + 1, line_end(text, changes[at].start)
        upto = at
        while upto < len(changes) and changes[upto].start < high:
            upto += 1
        mine = changes[at:upto]
        read = apply_changes(text[low:high], (Change(c.start - low, c.end - low, c.after) for c in mine))
        others = _without(text, low, high, mine)
        pieces = " ".join(w for c in mine for w in _WORD.findall(text[c.start : c.end]) if len(w) > 3)
        if not is_rather_another(f"{others} {pieces}", language) and (
            is_in(read, language)
            or (
                not _has_foreign_letters(others, language)
                and all(_completes_word(text[c.start : c.end], c.after, language) for c in mine)
            )
        ):
            foreign = _is_foreign(others, language)
            yield from (c for c in mine if len(c.after) <= c.end - c.start or not foreign)
        at = upto


def _without(text: str, low: int, high: int, changes: list[Change]) -> str:
    """A line without what changes in it."""
    return apply_changes(text[low:high], (Change(c.start - low, c.end - low, " ") for c in changes))


def _is_foreign(line: str, language: str) -> bool:
    """Whether a line is in another script, or has words that the language has not and none that is common in it.

    Words are not parted there.

    >>> _is_foreign("la antaŭenigon de", "en"), _is_foreign("brown Foxes of Råsta", "en")
    (True, False)
    """
    own = bits(language)
    letters = sum(map(str.isalpha, line))
    if 2 * sum(c.isalpha() and c > "\u0370" for c in line) > letters:
        return True
    long = [word for word in map(str.lower, _WORD.findall(line)) if len(word) > 2]
    return not any(common_to(word) & own for word in long) and any(not known_to(word) & own for word in long)


def _has_foreign_letters(line: str, language: str) -> bool:
    """Whether a line has a word with letters beyond ASCII that the language has not."""
    return not line.isascii() and any(
        not word.isascii() and not known_to(word) & bits(language) for word in map(str.lower, _WORD.findall(line))
    )


def _grade(changes: int, words: int) -> int:
    return 2 if changes > 1 and changes > BLOCK_SHARE * words else min(changes, 1)


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of up to 20 lines, or of 20,000 characters of longer lines."""
    start = 0
    while start < len(text):
        end = start
        for _ in range(BLOCK_LINES):
            end = text.find("\n", end) + 1
            if end == 0 or end - start > 20_000:
                break
        if end == 0:
            end = len(text)
        if end - start > 20_000:
            cut = text.find(" ", start + 19_000, start + 21_000)
            end = min(end, cut if cut > 0 else start + 20_000)
        yield start, end
        start = end


def _count(before: str, after: str) -> tuple[int, int]:
    """Spaces deleted and inserted on the way from one spacing of some letters to another."""
    old, new = (set(accumulate(map(len, parts.split(" ")[:-1]))) for parts in (before, after))
    return len(old - new), len(new - old)


def _changes(group: Group, words: tuple[str, ...], confidence: float) -> Iterator[Change]:
    """One change for each stretch between edges that both readings share."""
    at = group.start
    i = j = 0
    while i < len(group.tokens):
        first_i, first_j = i, j
        a, b = len(group.tokens[i]), len(words[j])
        while a != b:
            if a < b:
                i += 1
                a += len(group.tokens[i])
            else:
                j += 1
                b += len(words[j])
        i, j = i + 1, j + 1
        length = a + i - first_i - 1
        if i - first_i > 1 or j - first_j > 1:
            yield Change(at, at + length, " ".join(words[first_j:j]), confidence)
        at += length + 1


_WORD = re.compile(rf"[{LATIN}]{{1,40}}")
_LINE = re.compile(
    rf"(?<![^\n])(?:\d{{1,2}}(?:\.\d{{1,2}}){{0,3}}\.? )?([{LATIN}] [{LATIN}][{LATIN} ]{{3,200}})(?![^\n])"
)
_GAP = re.compile(r" {2,3}")
MAX_COST = 560  # centibels: what a word may cost to be read into single letters


def join_spaced_letters(text: str, evidence: Evidence) -> Iterator[Change]:
    """Join the letters of headings set with a space between all letters, where their words are known.

    >>> SPACED_LETTERS("C H A P T E R   O N E"), SPACED_LETTERS("U S S R")
    ('CHAPTER ONE', 'U S S R')
    """
    for low, high, lexicon in damaged_prose(text, evidence, any_language=True):
        for match in _LINE.finditer(text, low, high):
            words = []
            for part in _GAP.split(match[1].rstrip(" ")):
                letters = part.split(" ")
                word = "".join(letters)
                if len(word) != len(letters) or not 0 <= lexicon.cost(word) <= MAX_COST:
                    break
                words.append(word)
            else:
                # one word alone must be long: `A B C D` counts, `U S S R` names
                letters = list(words[0].lower())
                if max(map(len, words)) >= 5 and letters != sorted(letters):
                    yield Change(match.start(1), match.end(), " ".join(words), 0.8)


_DROP_CAP = re.compile(rf"(?<![^\n])([A-ZÀ-ÖØ-Þ])\n\n?(?=([{LATIN}]{{1,30}})(?![{LATIN}.(\[_]))")


def join_drop_caps(text: str, evidence: Evidence) -> Iterator[Change]:
    """Join a large initial that stands on a line of its own to the word it begins, where the rest of it is no word.

    >>> DROP_CAPS("T\\nhe bridge was old"), DROP_CAPS("A\\nman came, B\\nand C")
    ('The bridge was old', 'A\\nman came, B\\nand C')
    """
    for low, high, lexicon in damaged_prose(text, evidence, 2):
        for found in _DROP_CAP.finditer(text, low, high):
            joined, rest = lexicon.cost(found[1] + found[2]), lexicon.cost(found[2])
            if rest < 0 or len(found[2]) == 1:
                rest = RARE
            likelier = LIKELIER if found[1].lower() in ONE_LETTER.get(lexicon.language, "") else LIKELIER_INITIAL
            if found[2].islower() and 0 <= joined <= MAX_COST and joined + likelier <= rest:
                yield Change(found.end(1), found.end(), "", 0.8)


RARE = 800  # centibels: what a word costs that the list lacks
LIKELIER_INITIAL = 90  # `T` and `he`, not `C` and `hat`
LIKELIER = 200  # centibels: how much more probable the joined word must be than its pieces
_AFTER_LIGATURE = re.compile(r"(?:(?<![^\W\d_])([^\W\d_ﬀ-ﬄ]{1,30}) (?=[ﬀ-ﬄ] ))?([^\W\d_]{0,30}[ﬀ-ﬄ]) ([^\W\d_]{1,30})")


def join_after_ligatures(text: str, evidence: Evidence) -> Iterator[Change]:
    """Close the space that PDF text sets after a ligature inside a word, or on both sides of it, and no other.

    Left alone: what ends in its ligature, `stiﬀ and`, unless only the joined word is one.

    >>> LIGATURE_SPACES("con ﬁ dent of the ﬁ rst ﬂ ow of diﬀ erent, Pﬁ zer"), LIGATURE_SPACES("a stiﬀ and oﬀ switch")
    ('conﬁdent of the ﬁrst ﬂow of diﬀerent, Pﬁzer', 'a stiﬀ and oﬀ switch')
    """
    for low, high, lexicon in damaged_prose(text, evidence, any_language=True):
        for found in _AFTER_LIGATURE.finditer(text, low, high):
            left, right = found[2].translate(LIGATURES), found[3].translate(LIGATURES)
            if found[1] and _is_likelier(lexicon, found[1], left + right):
                yield Change(found.end(1), found.end(1) + 1, "", 0.9)
                yield Change(found.start(3) - 1, found.start(3), "", 0.9)
                continue
            joined, first, second = (lexicon.cost(word) for word in (left + right, left, right))
            likelier = 0 <= joined < max(first, second) and joined + LIKELIER < first + second
            if right[:1].isupper() or not (likelier or first < 0 or (joined >= 0 and second < 0)):
                continue
            yield Change(found.start(3) - 1, found.start(3), "", 0.9 if joined >= 0 else 0.7)


def _is_likelier(lexicon: Lexicon, first: str, second: str) -> bool:
    """Whether two pieces are rather one word: `con` and `fident`, not `the` and `first`."""
    joined, left, right = lexicon.cost(first + second), lexicon.cost(first), lexicon.cost(second)
    return joined >= 0 and (min(left, right) < 0 or joined + LIKELIER < left + right)


LIGATURE_SPACES = Rule("ligature_spaces", 2, join_after_ligatures, f"[ﬀ-ﬄ] {A_LETTER}", needs_evidence=True)
DROP_CAPS = Rule("drop_caps", 1, join_drop_caps, rf"(?:^|\n){A_CAPITAL}\n\n?{A_LETTER}", needs_evidence=True)
SPACED_LETTERS = Rule("spaced_letters", 3, join_spaced_letters, " ".join([A_LETTER] * 4), needs_evidence=True)
SPLIT_WORDS = Rule("split_words", 8, split_words, f"{A_LETTER} {A_LETTER}|{A_LETTER}{{6}}", needs_evidence=True)
