"""Mojibake in places: sequences and words undone one by one, where the rest of a line was decoded rightly."""

from __future__ import annotations

import re
from functools import partial

from winnow.repair.encoding.charmaps import CHARMAPS, OF_WORDS, PROVABLE, SEQUENCES, Charmap, foreign_runs, undo
from winnow.repair.encoding.plausible import are_words, is_word, strange, systems, words

_WESTERN = frozenset(CHARMAPS[0].table + CHARMAPS[1].table)
_SPACES = re.compile(r"([ \t]+)")
_DASHES = frozenset("‒–—―…")
_PARTING = re.compile(r"([ \t‒–—―…]+)")
_EDGE = re.compile(r"^[!-/:-@\[-`{-~]+|[!-/:-@\[-`{-~]+$")
_WHOLE_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
MAX_TOKEN = 60  # characters; longer ones are no words


def gains(before: str, after: str, common: bool = False) -> bool:
    """Whether a token becomes a word, or words, and was none.

    >>> gains("pi√π", "più"), gains("Œ±", "α"), gains("d’été", "d’été")
    (True, True, False)
    """
    now = words(after)
    if not now or not are_words(after):
        return False
    if common and not any(is_word(w, common=True) for w in now if not w.isascii()):
        return False
    bare = _EDGE.sub("", before)
    return not (_WHOLE_WORD.fullmatch(bare) and is_word(bare))


def undo_in_tokens(line: str, proven: frozenset[str], only_proven: bool = False) -> tuple[str, frozenset[str]]:
    """The line with those tokens undone that become words, if one encoding was proven or explains two of them.

    One token alone, if short or of Western letters, is changed only to a very common word: `DrÃ¥ber` may be a title.

    >>> undo_in_tokens("där vÃ¤dret blev bÃ¤ttre på sjön", frozenset())[0]
    'där vädret blev bättre på sjön'
    >>> undo_in_tokens("Bremer/Mccoy – DrÃ¥ber", frozenset())[0]
    'Bremer/Mccoy – DrÃ¥ber'
    >>> undo_in_tokens("the cafГ©—and the bar", frozenset())[0]
    'the café—and the bar'
    """
    best: dict[int, str] = {}
    read: list[str] = [line]
    used: frozenset[str] = frozenset()
    foreign = foreign_runs(line)
    signs = frozenset(foreign)
    for charmap in OF_WORDS:
        if (only_proven and charmap.name not in proven) or signs.isdisjoint(charmap.leads):
            continue
        if not SEQUENCES.search(charmap.raw(foreign)):
            continue
        tokens = _tokens(line, charmap)
        found = {n: r for n, t in enumerate(tokens) if not t.isascii() and (r := _undone(t, charmap)) is not None}
        if len(found) < 2 and charmap.name not in proven:
            found = {n: r for n, r in found.items() if gains(tokens[n], r, common=_may_be_meant(tokens[n], r))}
        if len(found) > len(best):
            best, read, used = found, tokens, frozenset((charmap.name,))
    return "".join(best.get(n, t) for n, t in enumerate(read)), used


LONG_WORD = 5  # letters


def _may_be_meant(token: str, reading: str) -> bool:
    """Whether a token may be a strange name after all: it is short, or all of it stands on a Western keyboard."""
    return len(reading) < LONG_WORD or all(c in _WESTERN for c in token)


def _tokens(line: str, charmap: Charmap) -> list[str]:
    """The tokens of a line and what parts them: white space, and dashes that no sequence of the encoding holds."""
    if _DASHES.isdisjoint(line):
        return _SPACES.split(line)
    return _PARTING.split(line) if _DASHES.isdisjoint(charmap.table[0x80:0xC0]) else _parted(line, charmap)


def _parted(line: str, charmap: Charmap) -> list[str]:
    masked = charmap.replaced(line, lambda start, end: "x" * (end - start))
    tokens: list[str] = []
    at = 0
    for gap in _PARTING.finditer(masked):
        tokens += (line[at : gap.start()], gap[0])
        at = gap.end()
    return [*tokens, line[at:]]


_BEFORE_LETTERS = "’‘“”«»–—…"


def _reads_naturally(sequence: str, left: str, right: str) -> bool:
    """Whether it is letters of one alphabet, or a quote or dash before such, so that it may be what was written."""
    letters = sequence[1:] if sequence[0] in _BEFORE_LETTERS else sequence
    if left and left in _BEFORE_LETTERS and letters[-1:] in _BEFORE_LETTERS and not right.isalpha():
        letters = letters[:-1]
    return (
        letters.isalpha()
        and "ƒ" not in letters
        and len({c >= "\u0370" for c in letters}) == 1
        and not strange(left + sequence + right)
    )


def undo_proven(line: str, proven: frozenset[str], home: frozenset[int]) -> str:
    """The line with every sequence undone of an encoding that other pieces were proven to have gone through.

    Left alone is what reads naturally: letters of one alphabet, alone, in quotes, or after a quote or dash; and what
    would lead to letters of a writing system that stands neither in the line nor in `home`.

    >>> undo_proven("25 Γé¼ pour l’été ΓÇô ici", frozenset(("cp437",)), frozenset())
    '25 € pour l’été – ici'
    """
    home = home | systems(line)
    for charmap in PROVABLE:
        known = charmap.name in proven or (charmap.name == "cp1252" and "latin-1" in proven)
        if known and not charmap.leads.isdisjoint(line):
            line = charmap.replaced(line, partial(_proven_reading, charmap, home, line))
    return line


def _proven_reading(charmap: Charmap, home: frozenset[int], line: str, start: int, end: int) -> str:
    sequence = line[start:end]
    left, right = line[max(start - 1, 0) : start], line[end : end + 1]
    if _reads_naturally(sequence, left, right):
        return sequence
    after = _first_reading(sequence, charmap)
    return after if systems(after) <= home and not strange(left + after + right) else sequence


def _first_reading(sequence: str, charmap: Charmap) -> str:
    return next(iter(undo(sequence, charmap)), sequence)


def _undone(token: str, charmap: Charmap) -> str | None:
    """The token with all sequences of one encoding undone, if it becomes a word by that."""
    if len(token) > MAX_TOKEN:
        return None
    after = charmap.replaced(token, lambda start, end: _first_reading(token[start:end], charmap))
    # Signs inside a word are no gain: `о⬥н` for `отмен`.
    one_word = _WHOLE_WORD.fullmatch(_EDGE.sub("", after)) is not None
    return after if after != token and one_word and not strange(after) and gains(token, after) else None
