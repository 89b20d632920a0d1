"""Sentences run together, and sentences broken over lines.

Left alone: `U.S.`, `e.g.`, `Node.js`, names of files, addresses, version numbers, code; verse, lists, tables, postal
addresses and hard-wrapped text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from winnow.repair.engine.rule import A_CAPITAL, A_LETTER, Change, Evidence, Rule, Span, line_end
from winnow.repair.words.lexicon import NEVER, damaged_prose
from winnow.repair.words.text_language import LATIN
from winnow.repair.words.word_index import common_to, known_to

_GLUED = re.compile(rf"(?<=[{LATIN}][{LATIN}])[.!?](?=[A-ZÀ-ÖØ-Þ])")
_WORD = re.compile(rf"[{LATIN}]{{1,40}}(?:['’][{LATIN}]{{1,10}})?")
_CODE = re.compile(r"[{}=<>\\_@#$~^*/(]|::|->")
_COMMON = 450  # centibels, see `lexicon`
_KNOWN = 560
_FREQUENT = 285
_VERY_COMMON = 240
_DOMAINS = frozenset("com net org edu gov io fm tv co uk de fr nl eu info biz".split())
_DOTTED = re.compile(rf"[{LATIN}]{{1,40}}(?=\.[{LATIN}_])")
_OTHER_GLUED = re.compile(
    r"[.!?](?:(?:(?<=[\u0430-\u045f\u0491]{4}.)|(?<=[\u0430-\u045f\u0491]{3}».))"
    r"(?=[\u0400-\u042f\u0490][\u0430-\u045f\u0491]{0,30}[\s,:](?![=+<>|]))"
    r"|(?<=[\u03ac-\u03ce]{4}.)(?=[\u0386-\u03ab][\u03ac-\u03ce]{0,30}[\s,:](?![=+<>|])))"
)
_FULL_STOP = re.compile(r"(?<=[^\s\d.])[।۔።։؟](?=[^\W\d_])")  # ends nothing but a sentence
_LAST_WORD, _NEXT_WORD = re.compile(r"(?<![\w.])[^\W\d_]{4,40}\Z"), re.compile(r"[^\W\d_]{1,31}")
_SHORTENED = frozenset("проф акад англ итал респ франц греч просп корп соавт след устар".split())


def part_glued_sentences(text: str, evidence: Evidence) -> Iterator[Change]:
    """Part `stability.By`, in lines up to two away from damage.

    >>> GLUED_SENTENCES("for stability.By then"), GLUED_SENTENCES("in Node.js and System.Out of it")
    ('for stability. By then', 'in Node.js and System.Out of it')
    """
    if not text.isascii():
        yield from sorted(_parted_in_other_letters(text, evidence))
    dotted: Counter[str] | None = None
    for low, high, lexicon in damaged_prose(text, evidence, 2):
        for match in _GLUED.finditer(text, low, high):
            at = match.end()
            begin = at - 1
            while begin > max(low, at - 60) and not text[begin - 1].isspace():
                begin -= 1
            left = text[begin : at - 1].lstrip("\"'“‘«([—–")
            right = _WORD.match(text, at)
            if right is None or not text.startswith((" ", ", ", ": "), right.end()):
                continue  # no prose goes on behind it
            left = re.split(r"[-–—/'’]", left)[-1]
            if not left.isalpha() or _CODE.search(text, begin, at):
                continue  # another dot or a digit before it: a name of a file, a version, an address
            if right[0][1:] and not right[0][1:].replace("’", "").replace("'", "").islower():
                continue
            before, after = lexicon.cost(left), lexicon.cost(right[0])
            if after < 0 or (len(right[0]) == 1 and right[0] not in "AI"):
                continue
            if left.islower():
                written = lexicon.listed.get(left, NEVER)
                listed = written <= _KNOWN or (written < NEVER and len(left) > 3 and after <= _KNOWN)
                sure = listed or (len(left) > 3 and after < _COMMON) or (before >= 0 and after < _FREQUENT)
                if sure and after >= _FREQUENT and (len(left) < 3 or right[0].lower() in _DOMAINS):
                    sure = False  # `os.Path`, `example.Com`
                if sure and after >= _FREQUENT:
                    dotted = _dotted(text) if dotted is None else dotted
                    sure = dotted[left] < 2
            else:  # `America.The`, but not `System.Out`; all nouns of German have a capital
                noun = lexicon.language == "de" and 0 <= before < _COMMON
                sure = after < (_FREQUENT if noun else _VERY_COMMON) and text[right.end()] == " "
            if sure:
                yield Change(at, at, " ", 0.9 if after < _COMMON else 0.7)


def _parted_in_other_letters(text: str, evidence: Evidence) -> Iterator[Change]:
    """The same in Cyrillic and Greek letters, between a known word in small letters and a common one; behind a danda.

    >>> GLUED_SENTENCES("Мы пошли домой.Потом поели"), GLUED_SENTENCES("у проф.Петров и Яндекс.Маркет есть")
    ('Мы пошли домой. Потом поели', 'у проф.Петров и Яндекс.Маркет есть')
    """
    for low, high in evidence.damaged_spans(text, 2):
        yield from (Change(m.end(), m.end(), " ", 0.7) for m in _FULL_STOP.finditer(text, low, high))
        for match in _OTHER_GLUED.finditer(text, low, high):
            at = match.end()
            left = _LAST_WORD.search(text, max(low, at - 42), at - 1)
            right = _NEXT_WORD.match(text, at)
            languages = common_to(right[0].lower()) if right else 0
            if left is not None:
                languages &= known_to(left[0]) if left[0].islower() and left[0] not in _SHORTENED else 0
            if languages and (left is not None or text[at - 2] == "»"):
                yield Change(at, at, " ", 0.8)


def _dotted(text: str) -> Counter[str]:
    """How often words stand before a dot and another word, as modules do: `typing.Text`."""
    return Counter(_DOTTED.findall(text))


def join_broken_sentences(text: str, evidence: Evidence) -> Iterator[Change]:
    """Join lines broken in mid-sentence, beside damage, where other paragraphs stand on one line.

    >>> long = "Most of the text stands in lines far longer than any page is wide, as this one does. " * 4
    >>> BROKEN_SENTENCES(long + "\\nThey came\\nhome late.")[-20:]
    'They came home late.'
    """
    spans = [] if evidence.everywhere else evidence.damaged_spans(text, 2)
    if not spans or not _has_paragraph_lines(text) or _is_wrapped_elsewhere(text, spans):
        return
    start = 0
    for low, high in spans:
        start = max(low, start)
        while start < high:
            breaks = _chain(text, start)
            for at in breaks:
                yield Change(at, at + 1, " ", 0.8)
            start = line_end(text, breaks[-1] + 1 if breaks else start) + 1


MAX_CHAIN = 200  # lines
WRAPPED_SHARE = 0.3  # of the line breaks in wrapped prose, some two thirds stand in mid-sentence


def _chain(text: str, start: int) -> list[int]:
    """The line breaks to join from the line at `start` on; none where it is no sentence broken over lines."""
    breaks: list[int] = []
    end = line_end(text, start)
    line = text[start:end]
    if not line[:1].isupper() and line[:1] not in '"“‘':
        return breaks
    while len(breaks) < MAX_CHAIN and end < len(text):
        following = text[end + 1 : line_end(text, end + 1)]
        if not _goes_on(line, following, bool(breaks)):
            break
        breaks.append(end)
        end += 1 + len(following)
        line = following
    # a list of words without marks ends in no full stop
    tail = line.rstrip("\"'”’») ")[-1:]
    if breaks and not (tail in (".", "!", "?", "…", ":") or re.search(r"[.!?…](?: |[A-Z—\[])", line)):
        return []
    return breaks


_PROGRAM = re.compile(r"[{}=<>\\_@#$~^*\t]|::|->|\(\)")
_LIST = re.compile(r"\s|[-*•·–—+>#|]|\(?\w{1,3}[.)]\s|\[")


def _goes_on(line: str, following: str, in_chain: bool) -> bool:
    if not line or not following or _LIST.match(line) or _LIST.match(following) or " | " in line + following:
        return False
    last, first = line[-1], following[0]
    if _PROGRAM.search(line) or _PROGRAM.search(following):
        return False
    if first.islower():
        return last.isalpha() or last in ",;’'\"”)"
    return last == "," and first.isupper() and (len(line) >= 60 or in_chain)


def _is_wrapped_elsewhere(text: str, spans: list[Span]) -> bool:
    """Whether lines break in mid-sentence away from damage too, and often: then that is how the text is set."""
    broken = n_pairs = at = start = 0
    for line, following in pairwise(text.split("\n")):
        start += len(line) + 1
        while at < len(spans) and spans[at][1] < start - 1:
            at += 1
        if line and following and (at == len(spans) or spans[at][0] > start):
            n_pairs += 1
            broken += following[0].islower() and (line[-1].isalpha() or line[-1] == ",")
    return broken > WRAPPED_SHARE * n_pairs


def _has_paragraph_lines(text: str) -> bool:
    """Whether most of the text stands in lines far longer than any page is wide."""
    long = sum(len(line) for line in text.split("\n") if len(line) > 140)
    return 2 * long > len(text)


GLUED_SENTENCES = Rule(
    "glued_sentences", 5, part_glued_sentences, rf"{A_LETTER}[.!?]{A_CAPITAL}|[।۔።։؟]{A_LETTER}", needs_evidence=True
)
# A line broken in mid-sentence, in a text of one paragraph per line, is damage: more of it may follow.
BROKEN_SENTENCES = Rule("broken_sentences", 1, join_broken_sentences, r"\n", proves=True, needs_evidence=True)
