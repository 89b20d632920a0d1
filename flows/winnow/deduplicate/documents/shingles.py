"""Shingles of documents as 64-bit hashes, and their MinHash bands and sketches, in compiled loops over UTF-8 bytes.

A shingle is five words in a row; a word is a run of letters, digits and underscores in lower case (``\\w+`` of the
text's ``lower()``). In scripts written without spaces every character counts as a word together with the three
before it, so that a shingle there is eight characters, about as much text as five words elsewhere: with five
characters, Japanese documents whose words overlap by .2 passed for copies at .5. A document of fewer than five words
has one shingle.

MinHash signatures (Broder, SEQUENCES 1997) are folded into LSH bands (Leskovec, Rajaraman, Ullman, Mining of Massive
Datasets, ch. 3). A sketch holds every shingle hash below 2**64 / SKETCH_RATE, so that it samples the same shingles in
every document: a share of one document's sketch in another's estimates containment, however different their lengths
(Broder's mod sampling).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from winnow.deduplicate.passages.fingerprint import TOP, UNSPACED
from winnow.deduplicate.passages.utf8_texts import Offsets, Utf8Texts, code_point

Hashes = NDArray[np.uint64]

BANDS, ROWS = 28, 4  # found .999 of injected copies at Jaccard .5 once candidates are verified; 14 x 8 found .79
SKETCH_RATE = 16  # one shingle in 16: 8 bytes for some 110 characters of text
_LIMIT = np.uint64(2**64 // SKETCH_RATE)
_RUN = 6  # shingles in a row: ten words
"""A passage of 30 words or more at Jaccard .9 has at least twelve unchanged in a row; three sentences of 80 characters
in all have ten words in any language that sets words apart."""


@lru_cache(maxsize=1)
def letter_table() -> NDArray[np.uint32]:
    """For each code point: 0 if it is no part of a word, else its lower case, with bit 31 set if it is a word alone."""
    low = [chr(code).lower()[0] for code in range(TOP)]
    table = np.fromiter(map(ord, low), np.uint32, TOP)
    table[~np.fromiter(map(str.isalnum, low), np.bool_, TOP)] = 0
    table[ord("_")] = ord("_")
    table[ord("ς")] = ord("σ")  # lower() makes one or the other of a capital, by its place in the word
    for first, last in UNSPACED:
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


def shingle_sets(pieces: Utf8Texts, bounds: Offsets) -> tuple[Hashes, Offsets]:
    """The different shingle hashes of documents, sorted: their sets end to end, and their sizes.

    Document n has the pieces from ``bounds[n]`` to ``bounds[n + 1]``.

    >>> text = np.frombuffer(b"one two three four five six", np.uint8)
    >>> hashes, sizes = shingle_sets(Utf8Texts(text, np.array([0, len(text)])), np.array([0, 1]))
    >>> len(hashes), sizes.tolist()
    (2, [2])
    """
    offsets = np.ascontiguousarray(pieces.offsets)
    hashes = np.empty(int(offsets[-1] - offsets[0]) + 1, np.uint64)
    ends = _shingle_all(pieces.data, offsets, np.ascontiguousarray(bounds), letter_table(), hashes)
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
def shared_at_least(a, b, least):  # type: ignore[no-untyped-def]
    """How many values two sorted arrays of different values have in common.

    It may give up, and return 0, where they cannot have `least`.
    """
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


def _constants() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Multipliers (odd) and addends of the hash functions; fixed for ever, since bands are kept in datasets."""
    values = []
    state = 0x57494E4E4F57  # any fixed number will do
    for _ in range(2 * BANDS * ROWS):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        values.append((z ^ z >> 31) >> 32)
    half = BANDS * ROWS
    return np.array(values[:half], np.uint32) | np.uint32(1), np.array(values[half:], np.uint32)


@njit(cache=True, nogil=True)
def _signature(hashes, size, factors, addends, halves, low):  # type: ignore[no-untyped-def]
    for i in range(size):
        halves[i] = np.uint32(hashes[i] >> np.uint64(32))
    for k in range(len(low)):  # outermost, so that the inner loop is a minimum over a row, done many at a time
        factor, addend, least = factors[k], addends[k], np.uint32(0xFFFFFFFF)
        for i in range(size):
            least = min(least, np.uint32(factor * halves[i] + addend))
        low[k] = least


@njit(cache=True, nogil=True)
def _sign(data, offsets, min_words, table, factors, addends, limit, bands, facts, sketch):  # type: ignore[no-untyped-def]
    """Fill bands and facts (distinct shingles, words, end of sketch); False if sketch is full."""
    low = np.empty(len(factors), np.uint32)
    longest = np.max(offsets[1:] - offsets[:-1]) if len(offsets) > 1 else 0
    hashes = np.empty(longest + 1, np.uint64)
    unique = np.empty(longest + 1, np.uint64)
    halves = np.empty(longest + 1, np.uint32)
    slots = np.zeros(16, np.uint64)
    filled = 0
    rows = len(factors) // bands.shape[1] if bands.shape[1] else 1
    for d in range(len(offsets) - 1):
        count, words = shingle_document(data, offsets[d : d + 2], table, hashes)
        room = 16
        while room < 2 * count:
            room *= 2
        if room > len(slots):
            slots = np.zeros(room, np.uint64)
        size = distinct(hashes, count, slots[:room], unique)
        facts[d, 0] = size
        facts[d, 1] = words
        if words >= min_words:
            _signature(unique, size, factors, addends, halves, low)
            for b in range(bands.shape[1]):
                h = np.uint64(b + 1)
                for r in range(rows):
                    h = (h ^ np.uint64(low[b * rows + r])) * np.uint64(0x9E3779B97F4A7C15)
                    h ^= h >> np.uint64(32)
                bands[d, b] = h
            start = filled
            for i in range(size):
                if unique[i] < limit:
                    if filled == len(sketch):
                        return False
                    sketch[filled] = unique[i]
                    filled += 1
            sketch[start:filled] = np.sort(sketch[start:filled])
        facts[d, 2] = filled
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """What `sign_documents` says of documents: arrays with one row each, and their sketches end to end."""

    bands: Hashes  # (documents, BANDS)
    n_shingles: Offsets
    n_words: Offsets
    sketch: Hashes
    sketch_ends: Offsets


def sign_documents(texts: Utf8Texts, min_words: int) -> Signatures:
    """Bands and sketch of each document; none below `min_words` words.

    >>> text = b"one two three four five six"
    >>> signed = sign_documents(Utf8Texts(np.frombuffer(text, np.uint8), np.array([0, len(text)])), min_words=1)
    >>> signed.bands.shape, int(signed.n_shingles[0]), int(signed.n_words[0])
    ((1, 28), 2, 6)
    """
    factors, addends = _constants()
    offsets = np.ascontiguousarray(texts.offsets, np.int64)
    bands, facts = np.zeros((len(texts), BANDS), np.uint64), np.zeros((len(texts), 3), np.int64)
    sketch = np.empty(len(texts.data) // 32 + 1024, np.uint64)
    while not _sign(texts.data, offsets, min_words, letter_table(), factors, addends, _LIMIT, bands, facts, sketch):
        sketch = np.empty(4 * len(sketch), np.uint64)
    n_shingles, n_words, ends = facts.T
    sketch = sketch[: ends[-1] if len(ends) else 0].copy()
    return Signatures(bands=bands, n_shingles=n_shingles, n_words=n_words, sketch=sketch, sketch_ends=ends)


@njit(cache=True, nogil=True)
def _mark_overlaps(data, offsets, ends, table, marks):  # type: ignore[no-untyped-def]
    first = 0
    size = np.int64(0)
    for end in ends:
        size = max(size, offsets[end] - offsets[first])
        first = end
    hashes = np.empty(size + 1, np.uint64)
    owners = np.empty(size + 1, np.int64)
    room = 1
    slots = np.zeros(1, np.uint64)
    held = np.zeros(1, np.int64)
    first = 0
    for end in ends:
        count = 0
        for p in range(first, end):
            more, words = shingle_document(data, offsets[p : p + 2], table, hashes[count:])
            if words >= 5:
                owners[count : count + more] = p
                count += more
        while room < 2 * count:
            room *= 2
        if room > len(slots):
            slots = np.zeros(room, np.uint64)
            held = np.zeros(room, np.int64)
        mask = np.uint64(room - 1)
        run = 0
        for i in range(count):
            h = max(hashes[i], np.uint64(1))
            slot = h & mask
            while slots[slot] != 0 and slots[slot] != h:
                slot = (slot + np.uint64(1)) & mask
            if slots[slot] == 0:
                slots[slot] = h
                held[slot] = owners[i]
                run = 0
                continue
            run = run + 1 if i > 0 and owners[i] == owners[i - 1] else 1
            if run >= _RUN:
                marks[owners[i]] = True
                marks[held[slot]] = True
        slots[:room] = 0
        room = 1
        first = end


def overlapping(passages: Utf8Texts, ends: Offsets) -> NDArray[np.bool_]:
    """Marks the passages that share `_RUN` shingles in a row with another one of their document.

    `ends` has the number of passages up to the end of each document.
    """
    marks = np.zeros(len(passages), np.bool_)
    if len(marks):
        offsets = np.ascontiguousarray(passages.offsets, np.int64)
        _mark_overlaps(passages.data, offsets, np.ascontiguousarray(ends, np.int64), letter_table(), marks)
    return marks
