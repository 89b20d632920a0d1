"""Lines in several one-byte charsets: of files that were put together from others, or went on in another charset.

A line belongs to the charset in which its letters cost least (`winnow.read.letters`). A second charset is believed only
where the lines that it reads better cost far less in it than in the first; lines that hardly differ go with those
before them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from winnow.read.letters import WORD, LineCosts, by_cost, line_costs

MOST = 4  # charsets of a file
GAIN = 28.0
"""By which lines must cost less in a charset of their own: in files of one charset no other one saves more than 15."""
_DOUBT = 3.0  # what a line that tells its charset by itself costs more in the others
_RIVALS = 8  # charsets that are tried, likeliest first
_BAD = 5.2  # cost of a pair of letters; of text in its own charset one line in a hundred costs as much
_GOOD = 5.2  # cost of a pair of letters in its own charset at most
_SHARED = 0.05  # of the words of a charset's lines, from which they are of other lines' charset: they stand there too
_LONG = 4_000  # bytes of a line that are weighed
_HIGH = re.compile(rb"[\x80-\xff]")
_SAMPLE = 16_000  # bytes of lines, evenly from all over the file, that the charsets are found from


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines as text, and the charsets that they were in, that of most lines first."""

    texts: list[str]
    charsets: tuple[str, ...]


def decode_lines(lines: Sequence[bytes], likeliest: str, gain: float = GAIN) -> Lines | None:
    """Lines that are not in ASCII, each in its own charset; None where one charset reads all of them as well.

    `likeliest` is the charset that suits all of them best; others must read some lines better by `gain`.

    >>> lines = ["Она сказала, что придёт завтра вечером.".encode("cp1251"), "Он ничего не ответил.".encode("koi8-r")]
    >>> decode_lines(lines, "cp1251").charsets
    ('cp1251', 'koi8-r')
    """
    whole, lines = lines, [_beginning(line) for line in lines]
    if len(lines) < 2 or line_costs(lines[:1], likeliest) is None:
        return None
    sample = _sample(lines)
    if len(sample) < len(lines):
        sample += _badly_read(lines, likeliest)
    found = _charsets_of(sample, likeliest, gain)
    if len(found) < 2:
        return None
    owner = _owners(lines, found)
    # Of the lines that are in one charset it can be told better which.
    names = list(dict.fromkeys(by_cost(b"\n".join(part))[0][1] for part in _parts(lines, owner) if part))
    owner = _owners(lines, names)
    while len(names) > 1 and (wrong := _without_own_words(_parts(lines, owner), names)) is not None:
        del names[wrong]
        owner = _owners(lines, names)
    counts = np.bincount(owner, minlength=len(names))
    used = [names[k] for k in np.argsort(-counts, kind="stable") if counts[k]]
    if len(used) < 2:
        return None
    texts = [_text(line, names[k], used) for line, k in zip(whole, owner, strict=True)]
    return Lines(texts=texts, charsets=tuple(codecs.lookup(name).name for name in used))


def _beginning(line: bytes) -> bytes:
    """A line, or of a long one some of it from where it leaves ASCII: more moves no answer, and costs."""
    if len(line) <= _LONG:
        return line
    found = _HIGH.search(line)
    start = max(0, found.start() - _LONG // 8) if found else 0
    return line[start : start + _LONG]


def _parts(lines: Sequence[bytes], owner: np.ndarray) -> list[list[bytes]]:
    """The lines of each charset."""
    return [[lines[int(n)] for n in np.flatnonzero(owner == k)] for k in range(int(owner.max()) + 1)]


def _without_own_words(parts: Sequence[Sequence[bytes]], names: Sequence[str]) -> int | None:
    """The number of a charset whose lines are written as those of another one: they share words that the two of them
    read differently. Languages of which nothing is known are told so from files that changed their charset."""
    words = [set(WORD.findall(b"\n".join(part))) for part in parts]
    for k in range(len(parts)):
        for other in range(len(parts)):
            if k != other and words[k] and len(words[k]) <= len(words[other]):
                shared = words[k] & words[other]
                differ = [w for w in shared if w.decode(names[k], "replace") != w.decode(names[other], "replace")]
                if len(differ) > _SHARED * len(words[k]):
                    return k
    return None


def _sample(lines: Sequence[bytes]) -> list[bytes]:
    size = sum(map(len, lines))
    return list(lines[:: -(-size // _SAMPLE)] if size > _SAMPLE else lines)


def _badly_read(lines: Sequence[bytes], name: str) -> list[bytes]:
    """Lines that are no text in a charset, whose like may be too rare for a sample."""
    found = line_costs(lines, name, one_language=True)
    if found is None:
        return []
    excess = found.total - _BAD * found.count
    worst = np.argsort(-excess)[:40]
    return _sample([lines[n] for n in worst if excess[n] > 0])


def _charsets_of(lines: Sequence[bytes], likeliest: str, gain: float) -> list[str]:
    """The charset that suits most lines, and those that read other lines far better."""
    names = [likeliest]
    first = line_costs(lines, likeliest)
    if first is None:
        return names
    least = first.total
    while len(names) < MOST:
        excess = least - _BAD * first.count
        worst = lines[int(excess.argmax())]
        tried = dict.fromkeys([*_rivals(b"\n".join(lines)), *(_rivals(worst)[:2] if excess.max() > 0 else ())])
        best, most, costs = "", gain, None
        for name in tried:
            other = line_costs(lines, name)
            if other is not None and (saved := _saved(least, other)) > most:
                best, most, costs = name, saved, other
        if costs is None:
            break
        names.append(best)
        least = np.minimum(least, costs.total)
    return names


def _saved(least: np.ndarray, other: LineCosts) -> float:
    """What lines cost less in another charset; nothing where they are no good text in that either."""
    is_told = least - other.total > _DOUBT
    after = other.total[is_told].sum()
    return float(least[is_told].sum() - after) if after < _GOOD * other.count[is_told].sum() else 0.0


def _rivals(raw: bytes) -> list[str]:
    """The likeliest charsets, one of those that read the bytes alike."""
    readings: dict[str, str] = {}
    high = bytes(sorted({*raw} - {*range(128)}))
    for _, name in by_cost(raw, strict=False):
        readings.setdefault(high.decode(name, "replace"), name)
        if len(readings) > _RIVALS:
            break
    return list(readings.values())


def _owners(lines: Sequence[bytes], names: Sequence[str]) -> np.ndarray:
    """The number of the charset of each line: the likeliest way through all of them (Viterbi's).

    To change the charset costs the more, the fewer lines do so that tell theirs by themselves.
    """
    found = [line_costs(lines, name) for name in names]
    costs = np.array([c.total for c in found if c is not None]).T
    if len(names) < 2:
        return np.zeros(len(lines), int)
    ordered = np.sort(costs, axis=1)
    told = costs.argmin(axis=1)[ordered[:, 1] - ordered[:, 0] > _DOUBT]
    changes = (np.count_nonzero(np.diff(told)) + 1) / (len(told) + 2)
    change = min(max(log((1 - changes) / changes), 0.0), _DOUBT)
    numbers = range(len(names))
    so_far, came_from = [0.0] * len(names), []
    for line in costs.tolist():
        nearest = min(numbers, key=so_far.__getitem__)
        limit = so_far[nearest] + change
        came_from.append([n if so_far[n] <= limit else nearest for n in numbers])
        so_far = [min(so_far[n], limit) + line[n] for n in numbers]
    at, owner = min(numbers, key=so_far.__getitem__), []
    for place in reversed(came_from):
        owner.append(at)
        at = place[at]
    return np.array(owner[::-1])


def _text(line: bytes, name: str, others: Sequence[str]) -> str:
    for codec in (name, *others):
        try:
            return line.decode(codec)
        except UnicodeDecodeError:
            continue
    return line.decode(name, "replace")
