"""Mojibake: UTF-8 text that was decoded with the wrong encoding, once or several times, as a whole or in places."""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.repair.encoding.mojibake import LIKELY, SURE, Reading, best_reading, explaining
from winnow.repair.encoding.pieces import pieces_of
from winnow.repair.encoding.plausible import systems
from winnow.repair.encoding.suspicion import GATE, is_doubtful, is_suspicious
from winnow.repair.engine.rule import Change, Evidence, Rule
from winnow.repair.engine.tight import tight_changes

MAX_FRUITLESS = 100_000  # characters of one text that are searched in vain before the search is given up
MAX_PROOFS = 50  # lines that are asked which encodings they went through


def undo_mojibake(text: str, evidence: Evidence) -> Iterator[Change]:
    """Undo wrong decoding, line by line, in the lines that show signs of it.

    First by ftfy's heuristic (Robyn Speer, Apache-2.0); then over further encodings, several deep, and in pieces of a
    line; where one short sign is all there is, only if it makes words of what was none. Text in any script that was
    decoded rightly comes out as it came in, and so does mojibake that a text speaks of in quotes.

    >>> undone = Rule("mojibake", 1, undo_mojibake, "")
    >>> undone("dÃ©jÃ vu l‚Äô√©t√©")
    'déjà vu l’été'
    """
    pieces = [(at, piece) for at, piece in pieces_of(text) if not piece.isascii()]
    readings: dict[str, Reading] = {}
    fruitless = 0
    for _, piece in pieces:
        if piece not in readings and fruitless < MAX_FRUITLESS and (is_suspicious(piece) or is_doubtful(piece)):
            readings[piece] = best_reading(piece)
            fruitless += len(piece) if readings[piece].text == piece else 0
    undone = [(piece, r.text) for piece, r in readings.items() if r.text != piece and r.confidence >= SURE]
    if undone:
        # What some lines prove helps to read others in which a sign alone is too weak a proof.
        proven = frozenset[str]().union(*(explaining(*pair) for pair in undone[:MAX_PROOFS]))
        home = frozenset[int]().union(*(systems(reading) for _, reading in undone))
        for piece in {piece for _, piece in pieces}:
            first = readings.get(piece, Reading(piece, 1.0))
            if first.confidence >= LIKELY and not first.text.isascii():
                second = best_reading(first.text, proven, home)
                readings[piece] = Reading(second.text, min(first.confidence, second.confidence))
    for at, piece in pieces:
        reading = readings.get(piece)
        if reading is not None and reading.text != piece:
            yield from tight_changes(at, piece, reading.text, reading.confidence)


_LOST = re.compile("\ufffd+|(?<![^\\W\\d_])Â(?=[ \xa0\n]|$)")
MAX_FLAGS = 1000  # for one text; whoever has more has seen enough
FLAG = 0.1


def flag_lossy_remains(text: str, evidence: Evidence) -> Iterator[Change]:
    """Flag what decoding lost for good, U+FFFD and a lone Â: a suspicion for a person, never a guess.

    >>> [(c.start, c.confidence) for c in LOSSY_REMAINS.find("na\ufffdve Â 5", Evidence())]
    [(2, 0.1), (6, 0.1)]
    """
    for _, found in zip(range(MAX_FLAGS), _LOST.finditer(text), strict=False):
        yield Change(found.start(), found.end(), "", FLAG)


# It proves nothing for the rules that need evidence: a wrong decoding splits no words and breaks no tags.
MOJIBAKE = Rule("mojibake", 2, undo_mojibake, GATE, proves=False)

LOSSY_REMAINS = Rule("lossy_remains", 1, flag_lossy_remains, r"\x{fffd}|Â[ \x{a0}\n]|Â\z", proves=False)

ENCODING: tuple[Rule, ...] = (MOJIBAKE, LOSSY_REMAINS)
"""The rules that undo wrong decoding, in order."""
