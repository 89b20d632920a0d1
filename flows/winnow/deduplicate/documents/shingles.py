"""Shingles of documents as 64-bit hashes, in compiled loops over UTF-8 bytes.

A shingle is five words in a row; a word is a run of letters, digits and underscores in lower case (``\\w+`` of the
text's ``lower()``). In scripts written without spaces every character counts as a word together with the three
before it, so that a shingle there is eight characters, about as much text as five words elsewhere: with five
characters, Japanese documents whose words overlap by .2 passed for copies at .5. A document of fewer than five words
has one shingle.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from winnow.deduplicate.passages.code_points import code_point
from winnow.deduplicate.passages.folding import TOP

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
    low = [chr(code).lower()[0] for code in range(TOP)]
    table = np.fromiter(map(ord, low), np.uint32, TOP)
    table[~np.fromiter(map(str.isalnum, low), np.bool_, TOP)] = 0
    table[ord("_")] = ord("_")
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
    `out` must have room for one more than there are bytes.
    """
    words = _words(data, segments, table, out)
    a = b = c = d = e = np.uint64(0)
    factor = np.uint64(0x9E3779B97F4A7C15)
    for n in range(words):
        a, b, c, d, e = b, c, d, e, _mix(out[n])
        if n >= 4:
            out[n - 4] = _mix((((a * factor + b) * factor + c) * factor + d) * factor + e)
    if words >= 5:
        return words - 4, words
    if words > 0:
        out[0] = _mix((((a * factor + b) * factor + c) * factor + d) * factor + e)
    return min(words, 1), words


@njit(cache=True, nogil=True)
def _words(data, segments, table, out):  # type: ignore[no-untyped-def]
    """Write a number for each word of a document to `out`; return how many.

    In a run of ASCII nothing branches on where words end, which no processor foresees: each byte writes the number of
    the word so far, and the place it goes to moves on behind a word.
    """
    prime = np.uint64(0x100000001B3)
    none = np.uint64(0)
    n = np.uint64(0)
    trail = none  # the last three characters of a script without spaces, 21 bits each
    for s in range(len(segments) - 1):
        at, end = np.uint64(segments[s]), np.uint64(segments[s + 1])
        h = none
        open_ = none  # 1 in a word
        while True:
            while at < end and data[at] < 0x80:
                letter = np.uint64(table[data[at]])
                is_letter = np.uint64(letter != 0)
                out[n] = h
                n += open_ & ~is_letter
                grown = (h ^ letter) * prime
                h = (grown ^ (grown >> np.uint64(29))) & (none - is_letter)
                trail &= is_letter - np.uint64(1)
                open_ = is_letter
                at += np.uint64(1)
            if at >= end:
                out[n] = h
                n += open_
                break
            code, size = code_point(data, at)
            at += size
            letter = np.uint64(table[code]) if code < len(table) else none
            alone = letter >> np.uint64(31) != 0
            if letter != 0 and not alone:
                h = (h ^ letter) * prime
                h ^= h >> np.uint64(29)
                open_ = np.uint64(1)
                trail = none
                if code != 0x130:  # lower() makes İ an i and a dot above, and the dot ends the word
                    continue
            out[n] = h
            n += open_
            h = open_ = none
            if alone:
                out[n] = (trail & np.uint64(0x7FFFFFFFFFFFFFFF)) * prime ^ letter
                n += np.uint64(1)
                trail = (trail << np.uint64(21)) | (letter & np.uint64(0x1FFFFF))
    return np.int64(n)


@njit(cache=True, nogil=True)
def distinct(hashes, count, table, out):  # type: ignore[no-untyped-def]
    """Write each different one of the first `count` hashes to `out`; return how many.

    `table` is scratch space, all zeros, a power of two at least twice `count` long; it is left all zeros.
    """
    mask = np.uint64(len(table) - 1)
    size = 0
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
    if size * 8 > len(table):
        table[:] = 0
    else:
        for i in range(size):
            slot = out[i] & mask
            while table[slot] != 0:
                table[slot] = 0
                slot = (slot + np.uint64(1)) & mask
    return size


def shingles_of(text: str) -> Hashes:
    """The document's different shingle hashes, sorted.

    >>> len(shingles_of("one two three four five six")), len(shingles_of("one two")), len(shingles_of("?!"))
    (2, 1, 0)
    """
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    return shingle_sets(data, np.array([0, len(data)], np.int64), np.array([0, 1], np.int64))[0]


def shingle_sets(data: Bytes, offsets: Offsets, bounds: Offsets) -> tuple[Hashes, Offsets]:
    """The same for documents that lie in pieces, one after another, in `data`: their sets end to end, and their sizes.

    Piece n is ``data[offsets[n]:offsets[n + 1]]``, document n has the pieces from ``bounds[n]`` to ``bounds[n + 1]``.
    """
    hashes = np.empty(int(offsets[-1] - offsets[0]) + 1, np.uint64)
    ends = _shingle_all(data, np.ascontiguousarray(offsets), np.ascontiguousarray(bounds), letter_table(), hashes)
    for start, end in pairwise([0, *ends.tolist()]):
        hashes[start:end].sort()  # several times as fast as a sort compiled by numba
    sizes = _without_repeats(hashes, ends)
    return hashes[: sizes.sum()], sizes


@njit(cache=True, nogil=True)
def _shingle_all(data, offsets, bounds, table, hashes):  # type: ignore[no-untyped-def]
    ends = np.empty(len(bounds) - 1, np.int64)
    end = 0
    for d in range(len(bounds) - 1):
        count, _ = shingle_document(data, offsets[bounds[d] : bounds[d + 1] + 1], table, hashes[end:])
        for i in range(end, end + count):
            hashes[i] = max(hashes[i], np.uint64(1))
        end += count
        ends[d] = end
    return ends


@njit(cache=True, nogil=True)
def _without_repeats(hashes, ends):  # type: ignore[no-untyped-def]
    """Move the different values of each sorted part to the front; return how many each has."""
    sizes = np.empty(len(ends), np.int64)
    start = filled = 0
    for d in range(len(ends)):
        first = filled
        for i in range(start, ends[d]):
            if i == start or hashes[i] != hashes[i - 1]:
                hashes[filled] = hashes[i]
                filled += 1
        start = ends[d]
        sizes[d] = filled - first
    return sizes


@njit(cache=True, nogil=True)
def shared(a, b):  # type: ignore[no-untyped-def]
    """How many values two sorted arrays of different values have in common."""
    return shared_at_least(a, b, 0)


@njit(cache=True, nogil=True)
def shared_at_least(a, b, least):  # type: ignore[no-untyped-def]
    """The same; it may give up, and return 0, where the arrays cannot have `least` values in common."""
    i = j = n = np.uint64(0)
    ends_a, ends_b, step = np.uint64(len(a)), np.uint64(len(b)), np.uint64(16)
    while i < ends_a and j < ends_b:
        if np.int64(n + min(ends_a - i, ends_b - j)) < least:
            return np.int64(0)
        stop_a, stop_b = min(i + step, ends_a), min(j + step, ends_b)
        while i < stop_a and j < stop_b:  # without branches on the values, which no processor foresees
            x, y = a[i], b[j]
            n += np.uint64(x == y)
            i += np.uint64(x <= y)
            j += np.uint64(y <= x)
    return np.int64(n)
