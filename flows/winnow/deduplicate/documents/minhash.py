"""MinHash signatures folded into LSH bands, and sketches by modulo sampling, for many documents at once.

MinHash: Broder, SEQUENCES 1997; banding: Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, ch. 3. A sketch
holds every shingle hash below 2**64 / SKETCH_RATE, so that it samples the same shingles in every document: a share of
one document's sketch in another's estimates containment, however different their lengths (Broder's mod sampling).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from winnow.deduplicate.documents.shingles import Bytes, Hashes, Offsets, distinct, letter_table, shingle_document

BANDS, ROWS = 28, 4  # found .999 of injected copies at Jaccard .5 once candidates are verified; 14 x 8 found .79
SKETCH_RATE = 16  # one shingle in 16: 8 bytes for some 110 characters of text
_LIMIT = np.uint64(2**64 // SKETCH_RATE)


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


class Signed:
    """What `sign_documents` says of each document: arrays with one row a document, and sketches end to end."""

    def __init__(self, bands: Hashes, facts: Offsets, sketch: Hashes) -> None:
        self.bands = bands  # (documents, BANDS)
        self.n_shingles = facts[:, 0]
        self.n_words = facts[:, 1]
        self.sketch = sketch
        self.sketch_ends = facts[:, 2]


def sign_documents(data: Bytes, offsets: Offsets, min_words: int) -> Signed:
    """Bands and sketch of each document ``data[offsets[i]:offsets[i + 1]]`` (UTF-8); none below `min_words` words.

    >>> import numpy as np
    >>> text = b"one two three four five six"
    >>> signed = sign_documents(np.frombuffer(text, np.uint8), np.array([0, len(text)]), min_words=1)
    >>> signed.bands.shape, int(signed.n_shingles[0]), int(signed.n_words[0])
    ((1, 28), 2, 6)
    """
    factors, addends = _constants()
    offsets = np.ascontiguousarray(offsets, np.int64)
    documents = len(offsets) - 1
    room = len(data) // 32 + 1024
    while True:
        bands = np.zeros((documents, BANDS), np.uint64)
        facts = np.zeros((documents, 3), np.int64)
        sketch = np.empty(room, np.uint64)
        if _sign(data, offsets, min_words, letter_table(), factors, addends, _LIMIT, bands, facts, sketch):
            break
        room *= 4
    return Signed(bands, facts, sketch[: facts[-1, 2] if documents else 0].copy())
