"""Mojibake: UTF-8 text that was decoded with the wrong encoding, once or several times, as a whole or in places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice

import ftfy
from ftfy.badness import is_bad

from winnow.repair.encoding.charmaps import (
    CHARMAPS,
    EVERY,
    FOR_WHOLE_LINES,
    MAC_ROMAN,
    MOJIBAKE_GATE,
    PROVABLE,
    SEQUENCES,
    Charmap,
    count_signs,
    foreign_runs,
    holders,
    is_doubtful,
    is_suspicious,
    shows_sign,
    undo,
)
from winnow.repair.encoding.line_changes import (
    foreign_lines,
    is_chewed,
    is_doubtful_change,
    is_mention,
    keep_units,
    speaks_of_encodings,
    takes_words_apart,
    tight_changes,
)
from winnow.repair.encoding.lost_bytes import (
    LOSSY_REMAINS,
    REPLACEMENTS,
    Aside,
    in_capitals,
    in_title_case,
    mend,
    without_leads,
)
from winnow.repair.encoding.misread import is_surely_misread
from winnow.repair.encoding.mojibake_words import gains, undo_in_tokens, undo_proven
from winnow.repair.encoding.plausible import (
    are_words,
    has_odd_capitals,
    invents,
    is_word,
    share_of_words,
    strange,
    systems,
    word_around,
)
from winnow.repair.engine.rule import Change, Evidence, Rule, apply_changes, detector

MAX_FRUITLESS = 100_000  # characters of one text that are searched in vain before the search is given up
MAX_PROOFS = 50  # lines that are asked which encodings they went through
MIN_LETTERS = 3  # of a line that went through an encoding whose sequences are mostly those of others
MAX_DEPTH = 4  # wrong decodings on top of one another; more than three have not been seen
MAX_READINGS = 60  # tried for one line; a bound for hostile ones
NEARLY_ALL = 0.85  # share of words that are known, from which a reading is not compared with others
MAX_ALIKE = 8  # readings of a line that are compared by their words
MAX_MISREAD = 4  # readings of a line that are asked whether one-byte encodings were taken for one another
MAX_STEPS = 6  # pieces of a line may lie in one another
MIN_SEQUENCES = 3  # so many valid UTF-8 sequences, and nothing else beyond ASCII in the line, are no coincidence
MAX_GARBLE = 0.4  # share of a line's signs that may be left; more is garble of which a few signs read by chance

SURE, LIKELY, DOUBTFUL = 0.97, 0.8, 0.3


def undo_mojibake(text: str, evidence: Evidence) -> Iterator[Change]:
    """Undo wrong decoding, line by line, in the lines that show signs of it.

    First by ftfy's heuristic (Robyn Speer, Apache-2.0); then over further encodings, several deep, and in pieces of a
    line; where one short sign is all there is, only if it makes words of what was none. Text in any script that was
    decoded rightly comes out as it came in, and so does mojibake that a text speaks of in quotes.

    >>> MOJIBAKE("dÃ©jÃ vu l‚Äô√©t√©")
    'déjà vu l’été'
    """
    lines = evidence.once(foreign_lines, text)
    readings: dict[str, Reading] = {}
    fruitless = 0
    for _, line in lines:
        if line not in readings and fruitless < MAX_FRUITLESS and shows_sign(line):
            readings[line] = best_reading(line)
            fruitless += len(line) if readings[line].text == line else 0
    undone = [(line, r.text) for line, r in readings.items() if r.text != line and r.confidence >= SURE]
    if undone:
        # What some lines prove helps to read others in which a sign alone is too weak a proof.
        proven = explaining(undone[:MAX_PROOFS])
        home = systems("".join(reading for _, reading in undone))
        for line in {line for _, line in lines}:
            first = readings.get(line, Reading(line, 1.0))
            if first.confidence >= LIKELY and _may_hold_more(first.text):
                second = best_reading(first.text, proven, home)
                readings[line] = Reading(second.text, min(first.confidence, second.confidence))
        if (quoted := _quoted(readings, proven)) and not speaks_of_encodings(text):
            readings.update(quoted)
    for at, line in lines:
        reading = readings.get(line)
        if reading is not None and reading.text != line:
            yield from tight_changes(at, line, reading.text, reading.confidence)


_PAIR = re.compile(r"[^\x00-\x7f][^\x00-\x7f]")


def _may_hold_more(text: str) -> bool:
    """Whether a line can be read by what other lines prove: a sequence is two characters, and Ã may be left of one.

    >>> [_may_hold_more(t) for t in ("été à Noël", "Ãltimo", "pi√π", "plain")]
    [False, True, True, False]
    """
    return not text.isascii() and ("Ã" in text or _PAIR.search(text) is not None or shows_sign(text))


def _quoted(readings: dict[str, Reading], proven: frozenset[str]) -> dict[str, Reading]:
    """The readings of lines in which one sign stands in quotes, where other lines prove what it went through.

    Nobody who writes of the sign itself has the same damage about it.
    """
    return {
        line: Reading(reading.text, LIKELY)
        for line, reading in readings.items()
        if reading.confidence == DOUBTFUL
        and is_mention(line, reading.text)
        and proven & explaining([(line, reading.text)])
    }


# It proves nothing for the rules that need evidence: a wrong decoding splits no words and breaks no tags.
MOJIBAKE = Rule("mojibake", 14, undo_mojibake, MOJIBAKE_GATE, beyond_ascii=True)

ENCODING: tuple[Rule, ...] = (REPLACEMENTS, MOJIBAKE, LOSSY_REMAINS)
"""The rules that undo wrong decoding, in order."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line may have been, how sure that is, and encodings that pieces of it went through."""

    text: str
    confidence: float
    proven: frozenset[str] = frozenset()


@lru_cache(maxsize=256)  # the engine looks at a text more than once
def best_reading(line: str, proven: frozenset[str] = frozenset(), home: frozenset[int] = frozenset()) -> Reading:
    """The line with its mojibake undone; the line itself where there is none, or none that is certain.

    `proven` names encodings that other lines of the text were misread as; `home` holds their writing systems.

    >>> best_reading("The ÔÇ£RomanÔÇØ way").text
    'The “Roman” way'
    >>> best_reading("(-1/2)! = √π").text, best_reading("4288×…").text
    ('(-1/2)! = √π', '4288×…')
    """
    confidence = 1.0
    aside = Aside()
    start = aside.take_out(mend(line))
    current = without_leads(start)
    for _ in range(MAX_STEPS):
        step = _one_step(current, proven, home)
        if step is None or ((proven or current != start) and is_surely_misread(current)):
            break
        if current == start and is_chewed(current, step.text):
            return Reading(line, 1.0)
        confidence = min(confidence, step.confidence)
        current, proven = aside.take_out(step.text), proven | step.proven
    back = None if current == start else aside.put_back(current)
    if back is not None and not _has_c1(line):
        back = _C1.sub("", back)  # bytes that were given back in vain
    current = line if back is None else in_title_case(line, in_capitals(line, keep_units(line, back)))
    if current != line and (invents(line, current) or takes_words_apart(line, current)):
        return Reading(line, 1.0)
    if current != line and is_doubtful_change(line, current):
        confidence = DOUBTFUL
    return Reading(current, confidence, proven)


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
    refused = False
    best, least = line, -1  # the line's own score, not 0, is reckoned where a reading's is not 0 either
    for reading in chain(_commonest(line), readings(line)):
        score = _score(reading, known)
        if score and least < 0:
            least = _score(line, frozenset())
        if score < least or not score:
            if reading != line and invents(line, reading):
                refused = True
                continue
            best, least = reading, score
        if least == 0:
            best = _likeliest(line, best, known)
            break
    if least < 0:
        least = _score(line, frozenset())
    if least:
        for reading in islice(readings(line), MAX_MISREAD):
            if is_surely_misread(reading):
                return Reading(reading, SURE)
    pieces, used = line, frozenset[str]()
    in_pieces = best != line and not any(undo(line, charmap) for charmap in CHARMAPS)
    if least:
        pieces, used = _in_pieces(line)
        if pieces != line and _score(pieces, known) < least * MAX_GARBLE:
            best, in_pieces = pieces, True
    if best == line and is_bad(line):
        best = pieces if refused and used.issubset(c.name for c in PROVABLE) else _by_ftfy(line)
        best = best if count_signs(best) < count_signs(line) and not invents(line, best) else line
        in_pieces = True
    if best != line:
        return Reading(best, SURE, used | explaining([(line, best)]) if in_pieces else used)
    return _doubtful(line, proven, home)


def _likeliest(line: str, found: str, known: frozenset[str]) -> str:
    """The reading with the most words of one language, of those that are as plain as the one that was found first.

    Left alone is that one where half of the others' words are unknown too, for names are read by the commonest
    encoding; unless it has capitals inside words.

    >>> _likeliest("dĂŠjĂ\xa0", "dÊjà", frozenset()), _likeliest("MauÃ£", "Mauã", frozenset())
    ('déjà', 'Mauã')
    """
    if _OF_INDIA.search(found):
        return found  # its words are in no list, and their vowel signs take them apart
    of_controls = bool(_has_c1(line)) or not _OF_CONTROLS.isdisjoint(found)
    if of_controls and found not in readings(line):  # ftfy makes signs of controls on the way
        found = next((reading for reading in readings(line) if not _score(reading, known)), found)
    enough = 1.0 if "┼" in line else NEARLY_ALL  # `┼¥` is ž by one code page of DOS and ŝ by another
    if share_of_words(found) >= enough and not has_odd_capitals(found):
        return found
    best, most = found, share_of_words(found, with_ascii=True)
    odd = has_odd_capitals(found)
    for reading in islice(readings(line), MAX_ALIKE) if most < 1.0 or odd else ():
        if reading == found:
            continue
        share = share_of_words(reading, with_ascii=True)
        better = odd and not has_odd_capitals(reading) if share >= most else False
        better = better or (share > most and share_of_words(reading) > 0.5)
        if better and not _score(reading, known) and not _has_marks(reading):
            best, most, odd = reading, share, has_odd_capitals(reading)
    return best


_OF_INDIA = re.compile("[\u0900-\u0dff]")
_OF_CONTROLS = frozenset(
    "‚ƒ†‡ˆ‰Š‹ŒŽ˜š›œžŸ"
)  # of those that make signs of Windows, which UTF-8 read wrongly is rarely for
_has_marks = detector(r"[\x{300}-\x{36f}]")  # accents set apart, which stand in words that are none


_CONFIG = ftfy.TextFixerConfig()


def _commonest(line: str) -> Iterator[str]:
    """The line as UTF-8 that was read as Latin-1 or Windows-1252, or as ftfy reads it where it finds it bad."""
    if (whole := _whole(line)) is not None:
        yield whole
    elif is_bad(line):
        yield _fixed(line)


def _by_ftfy(line: str) -> str:
    whole = _whole(line)
    return _fixed(line) if whole is None else whole


def _whole(line: str) -> str | None:
    """What ftfy makes of a line that is UTF-8 as a whole, where no second step is to be searched, which takes long."""
    for encoding in ("latin-1", "sloppy-windows-1252"):
        with suppress(UnicodeEncodeError):
            raw = line.encode(encoding)
            with suppress(UnicodeDecodeError):
                if "\x1a" not in (once := raw.decode()) and not is_suspicious(once):
                    return once
            break
    return None


def _fixed(line: str) -> str:
    return ftfy.fix_encoding_and_explain(line, _CONFIG).text  # `fix_encoding` makes two settings more each time


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
            for charmap in holders(form):
                for reading in undo(form, charmap):
                    if charmap.name in FOR_WHOLE_LINES and sum(map(str.isalpha, reading)) < MIN_LETTERS:
                        continue
                    if reading not in seen and len(seen) < MAX_READINGS:
                        seen.add(reading)
                        deeper.append(reading)
                        yield reading
        layer = [form for form in deeper if not form.isascii()]


# By Latin-1 and Windows-1252, of which the first letter lost a byte: `å‰æ` is no 剿.
_BEGINS_ANOTHER = re.compile("[ã-í].?[ã-í]")


def _in_pieces(line: str) -> tuple[str, frozenset[str]]:
    """The line with those pieces undone that show two sequences side by side, or one that ftfy finds bad."""
    found: list[tuple[int, int, int, int, str, str]] = []
    known, home = frozenset(line), systems(line)
    for order, charmap in enumerate(EVERY):
        if charmap.name in FOR_WHOLE_LINES or known.isdisjoint(charmap.leads):
            continue
        read: dict[str, list[str]] = {}
        for start, end in charmap.runs(line):
            run = line[start:end]
            if run not in read:
                suspicious = is_suspicious(run) and (order < 2 or not _BEGINS_ANOTHER.match(run))
                read[run] = _plainest(run, charmap, home) if suspicious else []
            for under in read[run]:
                if order >= len(CHARMAPS) and len(under) == 1 and not _makes_a_word(line, start, end, under):
                    continue  # three errors for a letter that is none of a word: it is another sign's remainder
                if not strange(line[max(start - 1, 0) : start] + under + line[end : end + 1], known):
                    found.append((count_signs(under), start - end, order, start, under, charmap.name))
    pieces: list[Change] = []
    used: set[str] = set()
    taken = bytearray(len(line))
    for _, length, _, start, reading, name in sorted(found):
        end = start - length
        if not any(taken[start:end]):
            taken[start:end] = b"\x01" * -length
            pieces.append(Change(start, end, reading))
            used.add(name)
    return apply_changes(line, sorted(pieces, key=lambda piece: piece.start)), frozenset(used)


def _makes_a_word(line: str, start: int, end: int, sign: str) -> bool:
    """Whether a sign that is a letter makes a word there; true of other signs."""
    return not sign.isalpha() or is_word(word_around(line, start, end, sign))


def _plainest(sequence: str, charmap: Charmap, home: frozenset[int]) -> list[str]:
    """The readings of a sequence, followed down to where least is strange; single signs only of a script at home."""
    every = [
        min(
            (reading, *(() if len(reading) > 2 and is_word(reading) else readings(reading))),
            key=lambda r: (_score(r, frozenset()), len(r)),
        )
        for reading in undo(sequence, charmap)
    ]
    return [under for under in every if len(under) > 1 or systems(under) <= home]


def explaining(undone: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Encodings of which a piece of a line stands undone in its reading, by one step or by two."""
    names: set[str] = set()
    for line, reading in undone:
        foreign = foreign_runs(line)
        signs = frozenset(foreign)
        told: dict[bytes, frozenset[str] | None] = {}
        for outer in PROVABLE:
            if signs.isdisjoint(outer.leads):
                continue
            raw = outer.raw(foreign)
            if raw not in told:  # by Windows-1252 and its neighbours a line is the same bytes
                told[raw] = _explaining_bytes(raw, reading)
            if (inner := told[raw]) is not None:
                names |= {outer.name, *inner}
    return frozenset(names)


MAX_SEQUENCES = 40  # of one line and encoding that are asked


def _explaining_bytes(raw: bytes, reading: str) -> frozenset[str] | None:
    """The encodings by which pieces of some bytes stand in a reading if undone once more; None where no piece does."""
    alone = False
    names: set[str] = set()
    for piece in dict.fromkeys(SEQUENCES.findall(raw)[:MAX_SEQUENCES]):
        try:
            once = piece.decode()
        except UnicodeDecodeError:
            continue
        if once in reading:
            alone = True
        elif len(once) > 1:  # a sequence is two characters at the least
            names.update(name for name, under in _undone_by_each(once) if under in reading)
    return frozenset(names) if alone or names else None


_IS_PROVABLE = frozenset(PROVABLE)


@lru_cache(maxsize=4096)  # a text shows the same few sequences again and again
def _undone_by_each(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((c.name, reading) for c in holders(text) if c in _IS_PROVABLE for reading in undo(text, c))


def _doubtful(line: str, proven: frozenset[str], home: frozenset[int]) -> Reading | None:
    """A reading of the whole line that is full of sequences or makes words of what was none; or of single tokens."""
    doubtful = is_doubtful(line)
    for reading in readings(line) if doubtful else ():
        if strange(reading) or is_suspicious(reading):
            continue
        if sum(c > "\x7f" for c in reading) >= MIN_SEQUENCES:
            return Reading(_likeliest(line, reading, frozenset()), LIKELY)
        before, after = line.split(" "), reading.split(" ")
        if len(before) != len(after):
            continue
        changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        if all(are_words(b) for _, b in changed) and any(gains(a, b) for a, b in changed):
            return Reading(reading, LIKELY)
    text, used = undo_proven(line, proven, home), proven
    if text == line:
        text, used = undo_in_tokens(line, proven, not doubtful)
    return Reading(text, LIKELY, used) if text != line else None


_C1_IN_WORD = re.compile(r"[^\W\d_][\x80-\x9f][^\W\d_]")
_C1 = re.compile(r"[\x80-\x9f]")
_has_c1 = lru_cache(maxsize=16)(detector(r"[\x{80}-\x{9f}]"))  # far faster, and most lines have none
_C1_OF_MAC = {number: MAC_ROMAN.table[number] for number in range(0x80, 0xA0)}
# Two sequences that hold no C1 control: with the others read as Mac Roman, a line that shows such is as suspicious.
_REST = "[\xa1-\xac\xae-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_TWO_OF_WINDOWS = re.compile(f"(?:[ÂÃÎÏÐÑØÙ]{_REST}|[ã-í]{_REST}{_REST}){{2}}")


def _mac_letters(line: str) -> str | None:
    """Mac Roman read as Latin-1, where that makes words of tokens that have a C1 control inside."""
    if not _has_c1(line) or _TWO_OF_WINDOWS.search(line) or undo(line, CHARMAPS[0]) or not _C1_IN_WORD.search(line):
        return None
    mac = line.translate(_C1_OF_MAC)
    if is_suspicious(mac):
        return None
    windows = _C1.sub(lambda m: m[0].encode("latin-1").decode("sloppy-windows-1252"), line)
    changed = [(b, c) for a, b, c in zip(*(t.split(" ") for t in (line, mac, windows)), strict=True) if a != b]
    if any(are_words(c) for _, c in changed):
        return None
    return mac if any(are_words(b) for b, _ in changed) else None
