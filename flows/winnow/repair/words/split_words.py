"""Join words that damage took apart, and part words that it ran together.

``near_damage`` acts only in the lines beside proven damage, and only joins to or parts into words it knows.
``everywhere`` reads the whole text, as OCR and PDF text needs it: strictly at first; where that finds damage,
the lines about it are read again at lower prices, so that clean text stays as it is.

Left alone: `A platform`, `a way`, `in to`, `no one`, `A B testing`, initials, code, numbers, other scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from winnow.repair.engine.nearby import Span, damaged_spans
from winnow.repair.engine.rule import Change, Evidence
from winnow.repair.words.prices import BASE, BLOCK_SHARE, DOUBTFUL, GRADES, NEAR
from winnow.repair.words.word_groups import Group, Reader, reader_of
from winnow.repair.words.word_runs import find_word_runs
from winnow.repair.words.words import language_here, language_of

MAX_CODE_LINE = 120  # characters; signs of code in a longer line stand in prose
_CODE_LINE = re.compile(r"[{};]$|^\s*}|::|->|\(\)|==|\w = \w+[.\[\"']|</|\\\*| --[a-z]|^[ \t]*[#$%>] ", re.MULTILINE)
PIECE = 1500  # characters; paragraphs of another language are seldom shorter
# Near damage a line may end in a semicolon that belonged to an entity, or begin with a quote's sign.
_CODE_NEAR = re.compile(
    r"\);$|[{}]$|^\s*[{}]|::|->|\(\)|==|\w = \w+[.\[\"']|\\\*| --[a-z]|^[ \t]*[$%] |\w[._]\w+\(|\bfor \w in ",
    re.MULTILINE,
)
BLOCK_LINES = 20  # lines whose damage is judged together


def confidence_of(gain: int) -> float:
    """0.5 where a reading is no cheaper than the text, .95 where it is 100 times as probable.

    >>> confidence_of(0), confidence_of(200)
    (0.5, 0.95)
    """
    return round(1 - 0.5 * 10 ** (-gain / 200), 3)


def split_words(text: str, evidence: Evidence) -> Iterator[Change]:
    """Join `w ith` and `t o`, and part `ofthe`.

    >>> from winnow.repair.words.spacing import SPLIT_WORDS
    >>> SPLIT_WORDS("T raining groups t o participate i n a way")
    'Training groups to participate in a way'
    """
    spans = damaged_spans(text, evidence)
    language = language_of(text) if spans else None
    if language is None:
        return
    if evidence.everywhere:
        yield from _split_everywhere(text, language)
        return
    others = tuple(dict.fromkeys((language, "en")))
    for low, high in _pieces(text, spans):
        reader = reader_of(language_here(text, low, high, language))
        for start, end in _prose_lines(text, low, high, _CODE_NEAR):
            for run in find_word_runs(text, start, end):
                yield from _read_near(reader, reader.groups(text, run), others)


def _read_near(reader: Reader, groups: Iterable[Group], others: tuple[str, ...]) -> Iterator[Change]:
    for group in groups:
        words, gain = reader.read(group, NEAR, others)
        if gain > 0:
            yield from _changes(group, words, confidence_of(gain))
        else:
            words, gain = reader.read(group, DOUBTFUL)
            if gain > 0:
                yield from _changes(group, words, min(0.49, confidence_of(gain) / 2))


def _pieces(text: str, spans: list[Span]) -> Iterator[Span]:
    """The spans in pieces of whole lines, short enough to be in one language."""
    for low, high in spans:
        start = low
        while start < high:
            end = text.find("\n", min(start + PIECE, high), high)
            end = high if end < 0 else end
            yield start, end
            start = end + 1


def _split_everywhere(text: str, language: str) -> Iterator[Change]:
    for low, high in _blocks(text):
        reader = reader_of(language_here(text, low, high, language))
        groups: list[Group] = []
        n_words = 0
        for start, end in _prose_lines(text, low, high):
            for run in find_word_runs(text, start, end):
                n_words += text.count(" ", run.start, run.end) + 1
                groups.extend(reader.groups(text, run))
        if not groups:
            continue
        prices = GRADES.prices(0, 0, BASE)
        readings = [reader.read(group, prices) for group in groups]
        deleted = inserted = 0
        for group, (words, gain) in zip(groups, readings, strict=True):
            if gain > 0:
                n_deleted, n_inserted = _count(group.tokens, words)
                deleted += n_deleted
                inserted += n_inserted
        if deleted or inserted:
            prices = GRADES.prices(_grade(deleted, n_words), _grade(inserted, n_words), BASE)
            readings = [reader.read(group, prices) for group in groups]
        for group, (words, gain) in zip(groups, readings, strict=True):
            if gain > 0:
                yield from _changes(group, words, confidence_of(gain))


def _prose_lines(text: str, low: int, high: int, code: re.Pattern[str] = _CODE_LINE) -> Iterator[tuple[int, int]]:
    """The lines of a block that do not look like those of a program or a shell."""
    while low < high:
        end = text.find("\n", low, high)
        end = high if end < 0 else end
        if end - low > MAX_CODE_LINE or not code.search(text, low, end):
            yield low, end
        low = end + 1


def _grade(changes: int, words: int) -> int:
    if changes == 0:
        return 0
    return 2 if changes > 1 and changes > BLOCK_SHARE * words else 1


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


def _count(tokens: tuple[str, ...], words: tuple[str, ...]) -> tuple[int, int]:
    """Spaces deleted and inserted on the way from `tokens` to `words`."""
    old, new = _edges(tokens), _edges(words)
    return len(old - new), len(new - old)


def _edges(tokens: tuple[str, ...]) -> set[int]:
    edges, at = set(), 0
    for token in tokens[:-1]:
        at += len(token)
        edges.add(at)
    return edges


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
