"""One line of mojibake back to what was written: which encodings it went through, as a whole or in pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import ftfy
from ftfy.badness import is_bad

from winnow.repair.encoding.charmaps import CHARMAPS, MAC_ROMAN, PROVABLE, undo
from winnow.repair.encoding.mentions import is_doubtful_change, keep_units
from winnow.repair.encoding.misread import SURE as SURELY_MISREAD
from winnow.repair.encoding.misread import first_reading
from winnow.repair.encoding.misread_signs import has_sign
from winnow.repair.encoding.plausible import fits, is_word, strange, systems, words
from winnow.repair.encoding.suspicion import count_signs, is_doubtful, is_suspicious
from winnow.repair.encoding.tokens import gains, undo_in_tokens, undo_proven

MAX_DEPTH = 4  # wrong decodings on top of one another; more than three has not been seen
MAX_READINGS = 60  # tried for one line; a bound for hostile ones
MAX_MISREAD = 4  # readings of a line that are asked whether one-byte encodings were taken for one another
MAX_STEPS = 6  # pieces of a line may lie in one another
MIN_SEQUENCES = 3  # so many valid UTF-8 sequences, and nothing else beyond ASCII in the line, are no coincidence
MAX_GARBLE = 0.4  # share of a line's signs that may be left; more is garble of which a few signs read by chance

SURE, LIKELY, DOUBTFUL = 0.97, 0.8, 0.3


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line may have been, how sure that is, and encodings that pieces of it went through."""

    text: str
    confidence: float
    proven: frozenset[str] = frozenset()


def best_reading(line: str, proven: frozenset[str] = frozenset(), home: frozenset[int] = frozenset()) -> Reading:
    """The line with its mojibake undone; the line itself where there is none, or none that can be told.

    `proven` names encodings that other lines of the text were misread as; `home` holds their writing systems.

    >>> best_reading("The ÔÇ£RomanÔÇØ way").text
    'The “Roman” way'
    >>> best_reading("(-1/2)! = √π").text, best_reading("4288×…").text
    ('(-1/2)! = √π', '4288×…')
    """
    confidence = 1.0
    current = line
    for _ in range(MAX_STEPS):
        step = _one_step(current, proven, home)
        if step is None or ((proven or current != line) and has_sign(current) and _is_misread(current)):
            break
        confidence = min(confidence, step.confidence)
        current, proven = step.text, proven | step.proven
    current = keep_units(line, current)
    if current != line and is_doubtful_change(line, current):
        confidence = DOUBTFUL
    return Reading(current, confidence, proven)


def _is_misread(line: str) -> bool:
    """Whether what is left is another rule's: no UTF-8, but a one-byte encoding taken for another."""
    reading = first_reading(line)
    return reading is not None and reading.confidence >= SURELY_MISREAD


def _score(reading: str, known: frozenset[str]) -> int:
    # Nothing is held against U+FFFD: it says that something was lost, and guesses nothing.
    return strange(reading, known | {"\ufffd"}) + count_signs(reading)


def _one_step(line: str, proven: frozenset[str], home: frozenset[int]) -> Reading | None:
    if line.isascii():
        return None
    if not is_suspicious(line):
        return _doubtful(line, proven, home) if proven or is_doubtful(line) else None
    if (mac := _mac_letters(line)) is not None:
        return Reading(mac, LIKELY)
    known = frozenset(line)
    best, least = line, _score(line, frozenset())
    for reading in _candidates(line):
        score = _score(reading, known)
        if score < least:
            best, least = reading, score
        if least == 0:
            break
    if least:
        for reading in islice(readings(line), MAX_MISREAD):
            if has_sign(reading) and _is_misread(reading):
                return Reading(reading, SURE)
    used: frozenset[str] = frozenset()
    in_pieces = best != line and not any(undo(line, charmap) for charmap in CHARMAPS)
    if least:
        pieces, used = _in_pieces(line)
        if pieces != line and (score := _score(pieces, known)) < least * MAX_GARBLE:
            best, in_pieces = pieces, True
    if best == line and is_bad(line):
        best = ftfy.fix_encoding(line)
        best = best if count_signs(best) < count_signs(line) else line
        in_pieces = True
    if best != line:
        return Reading(best, SURE, used | explaining(line, best) if in_pieces else used)
    return _doubtful(line, proven, home)


def _candidates(line: str) -> Iterator[str]:
    if is_bad(line):
        yield ftfy.fix_encoding(line)
    yield from readings(line)


def readings(text: str) -> Iterator[str]:
    """Everything the whole text may have been, fewest wrong decodings first.

    >>> "né" in readings("nÃƒÂ©")
    True
    """
    seen = {text}
    layer = [text]
    for _ in range(MAX_DEPTH):
        deeper = []
        for form in layer:
            for charmap in CHARMAPS:
                for reading in undo(form, charmap):
                    if reading not in seen and len(seen) < MAX_READINGS:
                        seen.add(reading)
                        deeper.append(reading)
                        yield reading
        layer = [form for form in deeper if not form.isascii()]


def _in_pieces(line: str) -> tuple[str, frozenset[str]]:
    """The line with those pieces undone that show two sequences side by side, or one that ftfy finds bad."""
    found: list[tuple[int, int, int, int, str, str]] = []
    known, home = frozenset(line), systems(line)
    for order, charmap in enumerate(CHARMAPS):
        for match in charmap.sequences.finditer(line):
            if not is_suspicious(match[0]):
                continue
            start, end = match.span()
            for reading in undo(match[0], charmap):
                under = min((reading, *readings(reading)), key=lambda r: (_score(r, frozenset()), len(r)))
                joined = line[max(start - 1, 0) : start] + under + line[end : end + 1]
                if not strange(joined, known) and (len(under) > 1 or fits(under, home)):
                    found.append((count_signs(under), start - end, order, start, under, charmap.name))
    pieces: list[tuple[int, int, str, str]] = []
    taken = bytearray(len(line))
    for _, length, _, start, reading, name in sorted(found):
        if not any(taken[start : start - length]):
            taken[start : start - length] = b"\x01" * -length
            pieces.append((start, start - length, reading, name))
    out: list[str] = []
    at = 0
    for start, end, reading, _ in sorted(pieces):
        out += (line[at:start], reading)
        at = end
    return "".join((*out, line[at:])), frozenset(name for *_, name in pieces)


def explaining(line: str, reading: str) -> frozenset[str]:
    """Encodings of which a piece of `line` stands undone in `reading`."""
    return frozenset(
        charmap.name
        for charmap in PROVABLE
        if any(r in reading for m in charmap.sequences.finditer(line) for r in undo(m[0], charmap))
    )


def _doubtful(line: str, proven: frozenset[str], home: frozenset[int]) -> Reading | None:
    """A reading of the whole line that is full of sequences or makes words of what was none; or of single tokens."""
    doubtful = is_doubtful(line)
    for reading in readings(line) if doubtful else ():
        if strange(reading) or is_suspicious(reading):
            continue
        if sum(c > "\x7f" for c in reading) >= MIN_SEQUENCES:
            return Reading(reading, LIKELY)
        before, after = line.split(" "), reading.split(" ")
        if len(before) != len(after):
            continue
        changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        if all(is_word(w) for _, b in changed for w in words(b)) and any(gains(a, b) for a, b in changed):
            return Reading(reading, LIKELY)
    text, used = undo_proven(line, proven, home), proven
    if text == line:
        text, used = undo_in_tokens(line, proven, not doubtful)
    return Reading(text, LIKELY, used) if text != line else None


_C1_IN_WORD = re.compile(r"[^\W\d_][\x80-\x9f][^\W\d_]")
_C1 = re.compile(r"[\x80-\x9f]")


def _mac_letters(line: str) -> str | None:
    """Mac Roman read as Latin-1, where that makes words of tokens that have a C1 control inside."""
    if not _C1_IN_WORD.search(line) or undo(line, CHARMAPS[0]):
        return None
    mac = _C1.sub(lambda m: MAC_ROMAN.table[ord(m[0])], line)
    windows = _C1.sub(lambda m: m[0].encode("latin-1").decode("sloppy-windows-1252"), line)
    changed = [(b, c) for a, b, c in zip(*(t.split(" ") for t in (line, mac, windows)), strict=True) if a != b]
    if is_suspicious(mac) or any(all(is_word(w) for w in words(c)) for _, c in changed):
        return None
    return mac if any(all(is_word(w) for w in words(b)) for b, _ in changed) else None
