"""Text in a one-byte encoding that was decoded as another one: ``Ïðèâåò`` for ``Привет``, ``pøíliš`` for ``příliš``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from winnow.repair.encoding.charmaps import CHARMAPS, undo
from winnow.repair.encoding.mentions import is_doubtful_change
from winnow.repair.encoding.misread_pairs import PAIRS, Pair
from winnow.repair.encoding.misread_signs import GATE, has_sign
from winnow.repair.encoding.misread_words import (
    Verdict,
    becomes_quotes,
    chunks,
    judge,
    quotes_stand_wrongly,
    reads_well,
    was_words,
)
from winnow.repair.encoding.pieces import pieces_of
from winnow.repair.encoding.plausible import is_word
from winnow.repair.engine.rule import Change, Evidence, Rule
from winnow.repair.engine.tight import trimmed

SURE, LIKELY, DOUBTFUL = 0.95, 0.8, 0.3
MAX_FRUITLESS = 12_000  # characters of one text that are searched in vain, 40 microseconds each, before it is given up
FIRMLY = 4  # two sure lines, or four likely ones
MAX_PROVEN = 3  # pairs of encodings that one text is read by
ENOUGH = 3.0  # weight of words: two long ones, three short ones
MIN_LETTERS = 4  # of the longest word: short ones turn up by chance
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
    pieces = [(at, piece) for at, piece in pieces_of(text) if not piece.isascii()]
    readings: dict[str, Reading | None] = {}
    proofs: Counter[Pair] = Counter()
    fruitless = 0
    for _, piece in pieces:
        if piece in readings or fruitless >= MAX_FRUITLESS or not has_sign(piece):
            continue
        readings[piece] = found = first_reading(piece, tuple(p for p, _ in proofs.most_common(MAX_PROVEN)))
        if found is None or found.confidence < LIKELY:
            fruitless += len(piece)
        else:
            proofs[found.pair] += 2 if found.confidence >= SURE else 1
    proven = {p: n >= FIRMLY for p, n in proofs.most_common(MAX_PROVEN) if n > 1}
    if proven:
        for piece in dict.fromkeys(piece for _, piece in pieces):
            first = readings.get(piece)
            if first is None or first.confidence < SURE:
                readings[piece] = _proven_reading(piece, proven) or first
    for at, piece in pieces:
        reading = readings.get(piece)
        if reading is not None and reading.text != piece:
            yield from _changes(at, piece, reading)


def _changes(at: int, piece: str, reading: Reading) -> Iterator[Change]:
    """A change for each stretch that differs; lengths are equal, so offsets are too."""
    for chunk in chunks(piece, reading.text):
        yield from trimmed(at + chunk.start, chunk.before, chunk.after, reading.confidence)


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
    if reads_well(line) or any(undo(line, charmap) for charmap in CHARMAPS[:8]):
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
    out: list[str] = []
    at = 0
    for chunk in chunks(line, after):
        keep = was_words(chunk.before) and not all(map(is_word, _split(chunk.after)))
        out += (line[at : chunk.start], chunk.before if keep else chunk.after)
        at = chunk.start + len(chunk.before)
    return "".join((*out, line[at:]))


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
        good = gain or clears or becomes_quotes(line, after)
        if good and (best is None or verdict.net > best.net):
            best = Reading(after, pair, LIKELY, verdict.net)
    return best


# It proves nothing for the rules that need evidence, as mojibake does not.
MISREAD = Rule("misread_charset", 1, undo_misreading, GATE, proves=False)
