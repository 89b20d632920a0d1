"""Text in a one-byte encoding that was decoded as another one: ``Ïðèâåò`` for ``Привет``, ``pøíliš`` for ``příliš``.

Words prove it, by the lists of many languages: they were of none, and become words of the one that the encoding is for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from winnow.repair.encoding.charmaps import CHARMAPS, holders, undo
from winnow.repair.encoding.line_changes import foreign_lines, is_doubtful_change, trimmed
from winnow.repair.encoding.misread_pairs import LOST, PAIRS, Pair
from winnow.repair.encoding.misread_signs import MISREAD_GATE, has_sign
from winnow.repair.encoding.plausible import is_word, known_in, strange
from winnow.repair.engine.rule import Change, Evidence, Rule, apply_changes
from winnow.repair.words.word_index import LATIN, bits, known_to

SURE, LIKELY, DOUBTFUL = 0.95, 0.8, 0.3
MAX_FRUITLESS = 12_000  # characters of one text that are searched in vain, 40 microseconds each, before it is given up
FIRMLY = 4  # two sure lines, or four likely ones
MAX_PROVEN = 3  # pairs of encodings that one text is read by
ENOUGH = 3.0  # weight of words: two long ones, three short ones
MIN_LETTERS = 4  # of the longest word: short ones turn up by chance
_COMMONEST = frozenset(CHARMAPS[:8])
LONE_WORD = 6  # letters of a word of another script that is proof alone


@dataclass(frozen=True, slots=True)
class Reading:
    """A line read by a pair of encodings."""

    text: str
    pair: Pair
    confidence: float
    net: float


def undo_misreading(text: str, evidence: Evidence) -> Iterator[Change]:
    """Undo the wrong choice among one-byte encodings, line by line, where several words prove it.

    A line is changed where its words were of no language and become words of the one language that the encoding was
    made for. What one line proves helps to read the others. A short line with a single such word is suspected only,
    unless the word is long and of another script. Left alone are lines with letters that the wrong encoding lacks, so
    rightly decoded text beside a misread quotation keeps it.

    >>> MISREAD("Ïðèâåò, êàê äåëà?"), MISREAD("Øekla, že pøijde veèer, když nebude pršet")
    ('Привет, как дела?', 'Řekla, že přijde večer, když nebude pršet')
    >>> MISREAD("Þetta er bæði gott og þýðingarmikið, sagði hann við mig í gær.")
    'Þetta er bæði gott og þýðingarmikið, sagði hann við mig í gær.'
    """
    lines = evidence.once(foreign_lines, text)
    readings: dict[str, Reading | None] = {}
    proofs: Counter[Pair] = Counter()
    fruitless = 0
    for _, line in lines:
        if line in readings or fruitless >= MAX_FRUITLESS or not has_sign(line):
            continue
        readings[line] = found = first_reading(line, tuple(p for p, _ in proofs.most_common(MAX_PROVEN)))
        if found is None or found.confidence < LIKELY:
            fruitless += len(line)
        else:
            proofs[found.pair] += 2 if found.confidence >= SURE else 1
    proven = {p: n >= FIRMLY for p, n in proofs.most_common(MAX_PROVEN) if n > 1}
    if proven:
        for line in dict.fromkeys(line for _, line in lines):
            first = readings.get(line)
            if first is None or first.confidence < SURE:
                readings[line] = _proven_reading(line, proven) or first
    for at, line in lines:
        if reading := readings.get(line):
            for chunk in chunks(line, reading.text):
                yield from trimmed(at + chunk.start, chunk.before, chunk.after, reading.confidence)


# It proves nothing for the rules that need evidence, as mojibake does not.
MISREAD = Rule("misread_charset", 4, undo_misreading, MISREAD_GATE, beyond_ascii=True)


def is_surely_misread(line: str) -> bool:
    """Whether a line shows signs of one-byte encodings taken for one another, and words that prove it.

    >>> is_surely_misread("Ïðèâåò, êàê äåëà?"), is_surely_misread("L’été à Noël")
    (True, False)
    """
    reading = first_reading(line) if has_sign(line) else None
    return reading is not None and reading.confidence >= SURE


def candidates(line: str, pairs: Sequence[Pair] = PAIRS) -> Iterator[tuple[Pair, str]]:
    """The readings of a line by pairs that have all its letters."""
    beyond = frozenset(c for c in line if c > "\x7f")
    letters = frozenset(c for c in beyond if c.isalpha())
    for pair in pairs:
        if letters <= pair.repertoire and not beyond.isdisjoint(pair.repertoire):
            after = line.translate(pair.table)
            if after != line and not quotes_stand_wrongly(line, after):
                yield pair, after


@lru_cache(maxsize=256)  # the engine looks at a text more than once
def first_reading(line: str, proven: tuple[Pair, ...] = ()) -> Reading | None:
    """The best reading by words alone; None where there is none, or where the line is UTF-8 that was misread."""
    if reads_well(line) or any(undo(line, charmap) for charmap in holders(line) if charmap in _COMMONEST):
        return None
    for pairs in (proven, PAIRS):
        best: Verdict | None = None
        text = ""
        for pair, after in candidates(line, pairs):
            verdict = judge(line, after, pair)
            if verdict.n_good and (best is None or verdict.net > best.net):
                best, text = verdict, after
        if best is None:
            continue
        confidence = _confidence(line, text, best)
        if confidence >= (SURE if pairs is proven else DOUBTFUL):
            return Reading(_with_words_kept(line, text, best), best.pair, confidence, best.net)
    return None


def _confidence(line: str, after: str, v: Verdict) -> float:
    """How sure a verdict is; 0 where the line is better left unmentioned."""
    own_script = v.pair.latin
    if v.net <= 0 or v.good * (1 if own_script else 2) < v.unknown or v.good < 3 * v.strange or v.good < 5 * v.lost:
        return 0.0
    if v.longest < MIN_LETTERS:
        return 0.0
    at_home = 2 * v.same_known >= v.n_same if own_script else v.n_same <= 2 * v.n_good
    if v.good >= ENOUGH and v.n_good >= (3 if own_script else 2) and at_home:
        return SURE
    if is_doubtful_change(line, after) or not at_home or v.lost or v.strange:
        return DOUBTFUL
    if own_script:
        among_own = v.n_same >= 4 and 4 * v.same_known >= 3 * v.n_same
        if v.n_good > 1:
            enough = v.good >= ENOUGH and v.unknown <= v.good
        else:
            enough = v.good >= 1.5 and not v.unknown and has_sign(line) and not has_sign(after)
        return LIKELY if among_own and enough else DOUBTFUL
    return LIKELY if v.longest >= LONE_WORD else DOUBTFUL


def _with_words_kept(line: str, after: str, verdict: Verdict) -> str:
    """The reading, with what were words and would be none left as it stands."""
    if not verdict.lost and not verdict.strange:
        return after
    every = chunks(line, after)
    better = (c for c in every if not was_words(c.before) or all(map(is_word, _split(c.after))))
    return apply_changes(line, (Change(c.start, c.start + len(c.before), c.after) for c in better))


def _split(chunk: str) -> list[str]:
    return "".join(c if c.isalpha() else " " for c in chunk).split()


def _proven_reading(line: str, proven: Mapping[Pair, bool]) -> Reading | None:
    """A reading by a pair that other lines proved: one word is enough; or a sign that goes, where proven firmly."""
    best: Reading | None = None
    for pair, after in candidates(line, tuple(proven)):
        verdict = judge(line, after, pair)
        if 5 * verdict.lost > verdict.good or verdict.strange:
            continue
        at_home = 2 * verdict.same_known >= verdict.n_same or not pair.latin
        gain = verdict.good >= verdict.unknown / 2 and verdict.good > 0 and at_home
        clears = (proven[pair] or not pair.latin) and has_sign(line) and not has_sign(after)
        becomes_quotes = all(b in _QUOTES for a, b in zip(line, after, strict=True) if a != b)
        if (gain or clears or becomes_quotes) and (best is None or verdict.net > best.net):
            best = Reading(after, pair, LIKELY, verdict.net)
    return best


# Separators are ASCII, which every encoding here shares, so a chunk of one reading is a chunk of the other.
_CHUNK = re.compile(r"[^\x00-@\[-`{-\x7f]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_ODD_INSIDE = re.compile(r"[^\W\d_][^\w\s'’ʼ.\-\u2010-\u2015\u2026\xad\xa0/·][^\W\d_]")
_DASH = frozenset("–—…")
_QUOTES = frozenset("«»“”„‘’‚–—…\xa0•")
_SIGNS = _QUOTES | frozenset("°№§©®™±×÷·€£¡¿")
FIRST_CHUNKS = 8
MAX_CHUNKS = 60  # of one line are judged; the rest of a long one follows them
MAX_UNKNOWN = 0.15  # share of the words of a line that reads well
MAX_WORD = 40  # letters; longer runs are no words


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Weights of the words of one line in one language; see `judge`."""

    pair: Pair
    good: float
    """Became words of the language, and were none of any."""
    unknown: float
    """Became what may be a word, but is in no list."""
    strange: float
    """Became what is no word: signs inside, capitals after small letters, characters out of use."""
    lost: float
    """Were words."""
    n_good: int
    longest: int
    """Letters of the longest good word."""
    n_same: int
    """Words of two letters and more that are the same in both readings; those in Latin letters."""
    same_known: int
    """Of these, words of the language."""

    @property
    def net(self) -> float:
        return self.good - self.unknown / 2 - 2 * self.strange - 3 * self.lost


_MISPLACED = re.compile(r"(?<=[^\W\d_])([‘“„‚])(?!\w)|(?<![\w’])(”)(?=[^\W\d_])")


def quotes_stand_wrongly(before: str, after: str) -> bool:
    """Whether the change sets an opening quote behind a word, or a closing one before it: the letter was one.

    >>> quotes_stand_wrongly("Figurë SVG", "Figur‘ SVG"), quotes_stand_wrongly("ëFigurí", "‘Figur’")
    (True, False)
    """
    return any(before[m.start(1) if m[1] else m.start(2)] != (m[1] or m[2]) for m in _MISPLACED.finditer(after))


_WEIGHTS = (0.0, 0.1, 0.4, 1.0, 1.5, 1.5)  # of words of so many letters


def weight(word: str) -> float:
    """How much a word says, by its letters: short ones turn up by chance."""
    return _WEIGHTS[len(word)] if len(word) < 6 else 2.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch without ASCII signs, in both readings."""

    start: int
    before: str
    after: str


def chunks(line: str, after: str) -> list[Chunk]:
    """The stretches that hold something beyond ASCII.

    >>> [(c.before, c.after) for c in chunks("a dùm, b", "a dům, b")]
    [('dùm', 'dům')]
    """
    spans = (m.span() for m in _CHUNK.finditer(line))
    return [Chunk(a, line[a:b], after[a:b]) for a, b in spans if not line[a:b].isascii()]


def judge(line: str, after: str, pair: Pair) -> Verdict:
    """What speaks for `after` and what against it, in the language of the pair that explains it best."""
    every = chunks(line, after)
    changed = [c for c in dict.fromkeys((c.before, c.after) for c in every) if c[0] != c[1]][:MAX_CHUNKS]
    same = (m.lower() for c in every if c.before == c.after for m in _LETTERS.findall(c.before) if len(m) > 1)
    plain = (*ascii_words(line), *(dict.fromkeys(same) if pair.latin else ()))[: 2 * MAX_CHUNKS]
    for some in (changed[:FIRST_CHUNKS], changed):  # a few tell nearly all readings that make no words
        weighed = [w for before, after in some if (w := _weighed(before, after)) is not None]
        verdicts = [_in_language(weighed, plain, pair, language) for language in pair.languages]
        best = max(verdicts, key=lambda v: (v.net + v.same_known / 4, v.good))
        if not best.good or len(changed) <= FIRST_CHUNKS:
            break
    return best


def ascii_words(line: str) -> tuple[str, ...]:
    """Distinct words of ASCII letters alone, two letters and longer, up to a bound."""
    found = (m[0] for m in _CHUNK.finditer(line) if m[0].isascii() and 2 <= len(m[0]) <= MAX_WORD)
    return tuple(dict.fromkeys(word.lower() for word in found))[:MAX_CHUNKS]


@lru_cache(maxsize=256)
def _count_known(words: tuple[str, ...], language: str) -> int:
    return sum(known_in(word, language) for word in words)


def reads_well(line: str) -> bool:
    """Whether nearly all words with letters beyond ASCII are words as they stand, so that nothing is worth a try.

    >>> reads_well("Он сказал, что это очень хорошо"), reads_well("Ïðèâåò, êàê äåëà?")
    (True, False)
    """
    found = dict.fromkeys(c.before for c in chunks(line, line) if sum(map(str.isalpha, c.before)) > 1)
    sample = list(found)[:MAX_CHUNKS]
    return len(sample) > 2 and sum(not was_words(chunk) for chunk in sample) <= MAX_UNKNOWN * len(sample)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a changed chunk says whatever the language."""

    now: tuple[str, ...]
    """The words that it becomes."""
    weight: float
    was_words: bool
    was_letters: bool
    odd: bool


def _weighed(before: str, after: str) -> Weighed | None:
    """The weights of a changed chunk; None for signs beside words, which say nothing."""
    now = tuple(_LETTERS.findall(after))
    odd = is_odd(before, after)
    if now and not odd and now == tuple(_LETTERS.findall(before)):
        return None
    return Weighed(now, sum(map(weight, now)), was_words(before), before.isalpha(), odd)


def _in_language(changed: Iterable[Weighed], plain: tuple[str, ...], pair: Pair, language: str) -> Verdict:
    good = unknown = odd = lost = 0.0
    n_good = longest = 0
    for chunk in changed:
        known = (not chunk.odd or chunk.was_words) and all(known_in(word, language) for word in chunk.now)
        if chunk.odd:
            odd += max(chunk.weight, 1.0)
        elif chunk.now and known:
            if chunk.was_words:
                lost += chunk.weight / 4 if chunk.was_letters else 0.0  # both are words: says little either way
            else:
                good += chunk.weight
                n_good += 1
                longest = max(longest, *map(len, chunk.now))
        else:
            unknown += chunk.weight
        if chunk.was_words and not known:
            lost += max(chunk.weight, 0.5)
    same_known = _count_known(plain, language) if n_good else 0
    return Verdict(
        pair=pair, good=good, unknown=unknown, strange=odd, lost=lost, n_good=n_good, longest=longest,
        n_same=len(plain), same_known=same_known,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def was_words(chunk: str) -> bool:
    """Whether a chunk, as it stands, is made of words of any language and reads naturally."""
    found = _LETTERS.findall(chunk)
    if max(map(len, found), default=0) < 2 or _ODD_INSIDE.search(chunk):
        return False
    if len(found) > 1 and not _DASH.isdisjoint(chunk) and min(map(len, found)) < 2:
        return False  # `tama–o`
    return all(_is_cased(w) and is_word(w) and not _is_misspelt(w) for w in found)


def _is_misspelt(word: str) -> bool:
    """Whether the Hungarian list alone has a word with a letter that Hungarian lacks: its texts were misread so often.

    >>> _is_misspelt("elsõ"), _is_misspelt("rõ"), _is_misspelt("jûnior")
    (True, False, False)
    """
    low = word.lower()
    return ("õ" in low or "û" in low) and known_to(low) & LATIN == bits("hu")


def _is_cased(word: str) -> bool:
    """Whether capitals stand where words have them, or the script knows none."""
    return len(word) <= MAX_WORD and (
        word.islower() or word.isupper() or word[1:].islower() or word.lower() == word.upper()
    )


@lru_cache(maxsize=4096)
def is_odd(before: str, after: str) -> bool:
    """Whether a reading cannot be what was written.

    >>> is_odd("Ïðèâåò", "Привет"), is_odd("où", "oů"), is_odd("Ïðèâåò", "оПХБЕР"), is_odd("m³", "mł")
    (False, False, True, False)
    """
    if LOST in after or any("\x80" <= c < "\xa0" for c in after) or strange(after) or _ODD_INSIDE.search(after):
        return True
    found = _LETTERS.findall(after)
    if not all(map(_is_cased, found)):
        return True
    # A letter that becomes a sign was a letter, unless quotes and dashes come out.
    pairs = zip(before, after, strict=True)
    return any(b.isalpha() and not a.isalpha() and a not in _SIGNS for b, a in pairs)
