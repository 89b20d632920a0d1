"""Shingles of documents as 64-bit hashes, in compiled loops over UTF-8 bytes.

A shingle is five words in a row; a word is a run of letters, digits and underscores in lower case (``\\w+`` of the
text's ``lower()``). In scripts written without spaces every character counts as a word together with the three
before it, so that a shingle there is eight characters, about as much text as five words elsewhere: with five
characters, Japanese documents whose words overlap by .2 passed for copies at .5. A document of fewer than five words
has one shingle.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from flows.deduplicate.exchange import distinct_values
from flows.deduplicate.folding import TOP

WIDTH = 5
Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
Offsets = NDArray[np.int64]

_NO_SPACES = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF), (0x2E80, 0x2FDF),
    (0x3005, 0x3007), (0x3040, 0x30FF), (0x3100, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF), (0xA9E0, 0xA9FF), (0xAA60, 0xAADF), (0xF900, 0xFAFF), (0xFF66, 0xFF9D), (0x1B000, 0x1B16F),
    (0x20000, TOP - 1),
)  # fmt: skip
"""Thai, Lao, Myanmar, Khmer, Tai, and Han with kana and bopomofo; Hangul and Tibetan words are set apart."""


@lru_cache(maxsize=1)
def letter_table() -> NDArray[np.uint32]:
    """For each code point: 0 if it is no part of a word, else its lower case, with bit 31 set if it is a word alone."""
    table = np.zeros(TOP, np.uint32)
    for code in range(TOP):
        low = chr(code).lower()[0] if not 0x3400 <= code < 0xA000 else chr(code)
        if low.isalnum() or low == "_":
            table[code] = ord(low)
    table[ord("ς")] = ord("σ")  # lower() makes one or the other of a capital, by its place in the word
    for first, last in _NO_SPACES:
        part = table[first : last + 1]
        part[part > 0] |= np.uint32(1 << 31)
    return table


@njit(cache=True, inline="always")
def _mix(h):  # type: ignore[no-untyped-def]
    """Finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    h ^= h >> np.uint64(30)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(27)
    h *= np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


@njit(cache=True, nogil=True)
def shingle_document(data, segments, table, out):  # type: ignore[no-untyped-def]
    """Hash the shingles of one document into `out`; return how many there are, repeats included, and its words.

    `segments` holds the offsets at which its pieces start, and the last one's end; no word goes over a border.
    `out` must have room for as many as there are bytes.
    """
    prime = np.uint64(0x100000001B3)
    a = b = c = d = np.uint64(0)
    words = 0
    count = 0
    last = trail = np.uint64(0)  # trail: the last three characters of a script without spaces, 21 bits each
    for s in range(len(segments) - 1):
        at = segments[s]
        end = segments[s + 1]
        h = np.uint64(0)
        open_ = False
        while at <= end:
            if at == end:
                letter = np.uint32(0)
                at += 1
            else:
                byte = np.uint32(data[at])
                if byte < 0x80:
                    code = byte
                    at += 1
                elif byte < 0xE0:
                    code = (byte & np.uint32(31)) << np.uint32(6) | np.uint32(data[at + 1]) & np.uint32(63)
                    at += 2
                elif byte < 0xF0:
                    code = (
                        (byte & np.uint32(15)) << np.uint32(12)
                        | (np.uint32(data[at + 1]) & np.uint32(63)) << np.uint32(6)
                        | np.uint32(data[at + 2]) & np.uint32(63)
                    )
                    at += 3
                else:
                    code = (
                        (byte & np.uint32(7)) << np.uint32(18)
                        | (np.uint32(data[at + 1]) & np.uint32(63)) << np.uint32(12)
                        | (np.uint32(data[at + 2]) & np.uint32(63)) << np.uint32(6)
                        | np.uint32(data[at + 3]) & np.uint32(63)
                    )
                    at += 4
                letter = table[code] if code < len(table) else np.uint32(0)
            alone = letter >> np.uint32(31) != 0
            if letter != 0 and not alone:
                h = (h ^ np.uint64(letter)) * prime
                h ^= h >> np.uint64(29)
                open_ = True
                if code != 0x130:  # lower() makes İ an i and a dot above, and the dot ends the word
                    continue
            for step in range(2):
                if step == 0:
                    if not open_:
                        continue
                    word = _mix(h)
                    h = trail = np.uint64(0)
                    open_ = False
                else:
                    if not alone:
                        continue
                    word = _mix((trail & np.uint64(0x7FFFFFFFFFFFFFFF)) * prime ^ np.uint64(letter))
                    trail = (trail << np.uint64(21)) | np.uint64(letter & np.uint32(0x1FFFFF))
                words += 1
                last = a * np.uint64(0x9E3779B97F4A7C15) + b
                last = last * np.uint64(0x9E3779B97F4A7C15) + c
                last = last * np.uint64(0x9E3779B97F4A7C15) + d
                last = _mix(last * np.uint64(0x9E3779B97F4A7C15) + word)
                a, b, c, d = b, c, d, word
                if words >= 5:
                    out[count] = last
                    count += 1
    if 0 < words < 5:
        out[0] = last
        count = 1
    return count, words


@njit(cache=True, nogil=True)
def distinct(hashes, count, table, out):  # type: ignore[no-untyped-def]
    """Write each different one of the first `count` hashes to `out`; return how many, and the longest repeated run.

    The run is the largest number of shingles in a row that each stood earlier in the document. `table` is scratch
    space, all zeros, a power of two at least twice `count` long; it is left all zeros.
    """
    mask = np.uint64(len(table) - 1)
    size = 0
    run = longest = 0
    for i in range(count):
        h = hashes[i]
        if h == 0:
            h = np.uint64(1)
        slot = h & mask
        while table[slot] != 0 and table[slot] != h:
            slot = (slot + np.uint64(1)) & mask
        if table[slot] == 0:
            table[slot] = h
            out[size] = h
            size += 1
            run = 0
        else:
            run += 1
            longest = max(longest, run)
    if size * 8 > len(table):
        table[:] = 0
    else:
        for i in range(size):
            slot = out[i] & mask
            while table[slot] != 0:
                table[slot] = 0
                slot = (slot + np.uint64(1)) & mask
    return size, longest


def shingles_of(text: str) -> Hashes:
    """The document's different shingle hashes, sorted.

    >>> len(shingles_of("one two three four five six")), len(shingles_of("one two")), len(shingles_of("?!"))
    (2, 1, 0)
    """
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    return segment_shingles(data, np.array([0, len(data)], np.int64))


def segment_shingles(data: Bytes, segments: Offsets) -> Hashes:
    """The same for a document that lies in pieces, one after another, in `data`."""
    out = np.empty(int(segments[-1] - segments[0]) + 1, np.uint64)
    count, _ = shingle_document(data, segments, letter_table(), out)
    return distinct_values(np.maximum(out[:count], np.uint64(1)))


@njit(cache=True, nogil=True)
def shared(a, b):  # type: ignore[no-untyped-def]
    """How many values two sorted arrays of different values have in common."""
    i = j = n = 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            n += 1
            i += 1
            j += 1
        elif a[i] < b[j]:
            i += 1
        else:
            j += 1
    return n
