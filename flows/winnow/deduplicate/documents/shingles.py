"""Shingles of documents as 64-bit hashes, and their MinHash bands and sketches, by NumPy over code points.

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
from numpy.typing import NDArray

from winnow.deduplicate.passages.fingerprint import TOP, UNSPACED
from winnow.deduplicate.passages.utf8_texts import Codes, Offsets, Utf8Texts, portions
from winnow.deduplicate.sorted_rows import distinct_values, may_repeat, merged, ranges, run_starts

Hashes = NDArray[np.uint64]

BANDS, ROWS = 28, 4  # found .999 of injected copies at Jaccard .5 once candidates are verified; 14 x 8 found .79
SKETCH_RATE = 16  # one shingle in 16: 8 bytes for some 110 characters of text
_LIMIT = np.uint64(2**64 // SKETCH_RATE)
_RUN = 6  # shingles in a row: ten words
"""A passage of 30 words or more at Jaccard .9 has at least twelve unchanged in a row; three sentences of 80 characters
in all have ten words in any language that sets words apart."""
_WORDS = 5  # in a shingle
SHORT = 3  # in a short one
_PRIME = 0x100000001B3
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MASK = 2**64 - 1
_ALONE = np.uint32(1 << 31)
_I_WITH_DOT = 0x130  # lower() makes it an i and a dot above, and the dot ends the word
_CHUNK = 1 << 18  # bytes of text read at a time, so that the arrays made of them stay in the processor's cache
_AT_ONCE = 1 << 16  # hashes of which a function is taken at once: they stay in the processor's cache
_FEW, _LONG = 16, 1 << 14  # words as long as that so few, or longer than this: the rest of each is read by itself


@lru_cache(maxsize=1)
def letter_table() -> NDArray[np.uint32]:
    """For each code point: 0 if it is no part of a word, else its lower case, with bit 31 set if it is a word alone.

    The last entry stands for all code points above.
    """
    low = [chr(code).lower()[0] for code in range(TOP)]
    table = np.zeros(TOP + 1, np.uint32)
    table[:TOP] = np.fromiter(map(ord, low), np.uint32, TOP)
    table[:TOP][~np.fromiter(map(str.isalnum, low), np.bool_, TOP)] = 0
    table[ord("_")] = ord("_")
    table[ord("ς")] = ord("σ")  # lower() makes one or the other of a capital, by its place in the word
    for first, last in UNSPACED:
        part = table[first : last + 1]
        part[part > 0] |= _ALONE
    return table


@lru_cache(maxsize=1)
def _ascii_letters() -> bytes:
    """What the table says of ASCII, for `bytes.translate`; other bytes stay."""
    return bytes([*letter_table()[:0x80].tolist(), *range(0x80, 0x100)])


def _mixed(h: Hashes) -> Hashes:
    """Finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014), in place."""
    h ^= h >> np.uint64(30)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(27)
    h *= np.uint64(0x94D049BB133111EB)
    h ^= h >> np.uint64(31)
    return h


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A number for each word of some documents, end to end; they are cut into pieces, and no word goes over a border.

    Document n has the pieces from ``bounds[n]`` to ``bounds[n + 1]``.
    """

    numbers: Hashes
    in_pieces: Hashes  # the same, as if each piece stood by itself
    ends: Offsets  # how many words there are up to the end of each piece
    bounds: Offsets

    @classmethod
    def of(cls, pieces: Utf8Texts, bounds: Offsets, *, apart: bool = False) -> Words:
        """The words of the pieces; characters that are words alone have nothing of those before them if `apart`."""
        parts = [
            _chunk_words(
                Utf8Texts(pieces.data, pieces.offsets[bounds[a] : bounds[b] + 1]), bounds[a : b + 1] - bounds[a], apart
            )
            for a, b in portions(pieces.offsets[bounds], _CHUNK)
        ]
        before = np.cumsum([0, *(len(part.numbers) for part in parts)]).tolist()
        numbers = merged([part.numbers for part in parts], np.uint64)
        same = all(part.in_pieces is part.numbers for part in parts)  # as where no character is a word alone
        return Words(
            numbers=numbers,
            in_pieces=numbers if same else merged([part.in_pieces for part in parts], np.uint64),
            ends=merged([part.ends + n for part, n in zip(parts, before, strict=False)], np.int64),
            bounds=bounds,
        )

    @property
    def document_ends(self) -> Offsets:
        ends: Offsets = np.append(0, self.ends)[self.bounds[1:]]
        return ends

    def of_pieces(self, kept: NDArray[np.bool_]) -> Words:
        """Those of some of the pieces, each by itself; documents without one are left out."""
        sizes = np.diff(self.ends, prepend=0)
        numbers = self.in_pieces[np.repeat(kept, sizes)]
        up_to = np.append(0, np.cumsum(kept))[self.bounds]
        bounds = up_to[np.append(True, np.diff(up_to) > 0)]
        return Words(numbers=numbers, in_pieces=numbers, ends=np.cumsum(sizes[kept]), bounds=bounds)


def _chunk_words(pieces: Utf8Texts, bounds: Offsets, apart: bool) -> Words:
    letters, places = pieces.code_points(_ascii_letters())
    dotted = lone = beyond = np.flatnonzero(letters >= 0x80)
    found = np.empty(0, np.uint32)
    if len(beyond):
        codes, letters = letters[beyond], letters.copy()
        found = letter_table().take(codes, mode="clip")
        letters[beyond] = (found & ~_ALONE).astype(letters.dtype)
        dotted, lone = beyond[codes == _I_WITH_DOT], beyond[found >= _ALONE]
    joined = letters != 0
    joined[lone] = False
    goes_on = joined.copy()  # with what is before it
    goes_on[1:] &= joined[:-1]
    goes_on[:1] = False
    for borders in (places, dotted + 1):
        goes_on[borders[borders < len(letters)]] = False
    begins = joined ^ goes_on
    starts = at = np.flatnonzero(begins)
    last = joined.copy()
    last[:-1] &= ~goes_on[1:]
    numbers = _hashes(letters, starts, np.flatnonzero(last) - starts + 1)
    in_pieces = numbers
    if len(lone):
        begins[lone] = True
        at = np.flatnonzero(begins)
        is_alone, found = ~joined[at], found[found >= _ALONE]
        words_before = np.searchsorted(starts, lone)
        groups = (
            lone if apart else np.searchsorted(places[borders], lone, side="right") for borders in (bounds, slice(None))
        )
        numbers, in_pieces = (_with_alone(numbers, is_alone, found, words_before, group) for group in groups)
        _mixed(in_pieces)
    ends = np.searchsorted(at, places[1:])
    return Words(numbers=_mixed(numbers), in_pieces=in_pieces, ends=ends, bounds=bounds)


def _hashes(letters: Codes, starts: Offsets, sizes: Offsets) -> Hashes:
    """A hash of the letters of each word, letter by letter: of all words that have one more at a time."""
    capped = np.minimum(sizes, _LONG)
    order = np.argsort(-capped.astype(np.int16), kind="stable")  # small numbers are sorted in one pass
    at, h = starts[order], np.zeros(len(starts), np.uint64)
    left = (len(starts) - np.cumsum(np.bincount(capped))).tolist()  # how many words have more than n letters
    wide, room = letters.astype(np.uint64), np.empty(len(starts), np.uint64)
    n = 0
    while n < len(left) and left[n] >= _FEW:
        part, some = h[: left[n]], room[: left[n]]
        np.take(wide[n:], at[: left[n]], out=some, mode="clip")
        part ^= some
        part *= np.uint64(_PRIME)
        part ^= np.right_shift(part, np.uint64(29), out=some)
        n += 1
    for word in np.flatnonzero(sizes[order] > n).tolist():
        start, value = int(at[word]), int(h[word])
        for letter in letters[start + n : start + int(sizes[order[word]])].tolist():
            value = (value ^ letter) * _PRIME & _MASK
            value ^= value >> 29
        h[word] = value
    out = np.empty_like(h)
    out[order] = h
    return out


def _with_alone(numbers: Hashes, is_alone: NDArray[np.bool_], letters: Codes, *groups: Offsets) -> Hashes:
    """The numbers of other words, with those of characters that are words alone at their places among them.

    Such a number is made of the character and of the three before it that are in all its groups.
    """
    trail = np.zeros(len(letters), np.uint64)
    bits = (letters & np.uint32(0x1FFFFF)).astype(np.uint64)
    for back in (1, 2, 3):
        same = np.logical_and.reduce([group[back:] == group[:-back] for group in groups])
        trail[back:] |= np.where(same, bits[:-back], np.uint64(0)) << np.uint64(21 * (back - 1))
    out = np.empty(len(is_alone), np.uint64)
    out[~is_alone] = numbers
    out[is_alone] = trail * np.uint64(_PRIME) ^ letters
    return out


def _runs(numbers: Hashes, ends: Offsets, width: int) -> tuple[Hashes, Offsets]:
    """A number for each `width` words in a row of texts, and how many each text has; alike where the words are."""
    h = numbers[: max(0, len(numbers) - width + 1)].copy()
    for n in range(1, width):
        h *= _FACTOR
        h += numbers[n : n + len(h)]
    whole = np.ones(len(h), np.bool_)
    for n in range(1, width):  # what begins there goes over the end of its text
        over = ends - n
        whole[over[(over >= 0) & (over < len(h))]] = False
    return h[whole], np.maximum(np.diff(ends, prepend=0) - width + 1, 0)


def _shingles(numbers: Hashes, ends: Offsets, short_too: bool, width: int = _WORDS) -> tuple[Hashes, Offsets]:
    """The shingles of texts, repeats included, and how many each has; one for a text of few words if `short_too`."""
    h, counts = _runs(numbers, ends, width)
    _mixed(h)
    sizes = np.diff(ends, prepend=0)
    if not short_too or not len(short := np.flatnonzero((sizes > 0) & (sizes < width))):
        return np.maximum(h, np.uint64(1), out=h), counts
    counts[short] = 1
    single = np.zeros(len(short), np.uint64)
    for n in range(width - 1, 0, -1):
        has = sizes[short] >= n
        single[has] = single[has] * _FACTOR + numbers[ends[short[has]] - n]
    out = np.empty(counts.sum(), np.uint64)
    at = np.zeros(len(out), np.bool_)
    at[np.cumsum(counts)[short] - 1] = True
    out[at], out[~at] = _mixed(single), h
    return np.maximum(out, np.uint64(1), out=out), counts


def _distinct(hashes: Hashes, counts: Offsets) -> tuple[Hashes, Offsets]:
    """The different hashes of each text, sorted, end to end, and how many each has. `hashes` are sorted in place."""
    bounds = np.append(0, np.cumsum(counts))
    for start, end in pairwise(bounds.tolist()):
        hashes[start:end].sort()
    fresh = run_starts(hashes)
    fresh[bounds[:-1][counts > 0]] = True
    return hashes[fresh], np.diff(np.append(0, np.cumsum(fresh))[bounds])


def shingle_sets(words: Words) -> tuple[Hashes, Offsets]:
    """The different shingle hashes of documents, sorted: their sets end to end, and their sizes.

    >>> text = np.frombuffer(b"one two three four five six", np.uint8)
    >>> words = Words.of(Utf8Texts(text, np.array([0, len(text)])), np.array([0, 1]))
    >>> hashes, sizes = shingle_sets(words)
    >>> len(hashes), sizes.tolist()
    (2, [2])
    """
    return _distinct(*_shingles(words.numbers, words.document_ends, short_too=True))


def short_shingle_sets(words: Words, about: NDArray[np.bool_] | None = None) -> tuple[Hashes, Offsets]:
    """`shingle_sets` of three words each, none of which goes over the border of a piece.

    Of five words, one that was changed breaks half of those of a sentence. Only those with a word they are `about` are
    given, if that is told for each word.

    >>> text = np.frombuffer(b"one two three four five six", np.uint8)
    >>> words = Words.of(Utf8Texts(text, np.array([0, 13, len(text)])), np.array([0, 2]))
    >>> short_shingle_sets(words)[1].tolist()
    [2]
    """
    hashes, counts = _shingles(words.in_pieces, words.ends, short_too=False, width=SHORT)
    up_to = np.append(0, np.cumsum(counts))[words.bounds]
    if about is not None:
        starts = np.append(0, words.ends)[:-1]
        at, told = ranges(starts, starts + counts), np.append(0, np.cumsum(about))
        wanted = told[at + SHORT] > told[at]
        hashes, up_to = hashes[wanted], np.append(0, np.cumsum(wanted))[up_to]
    return _distinct(hashes, np.diff(up_to))


def word_sets(words: Words, about: NDArray[np.bool_]) -> tuple[Hashes, Offsets]:
    """The different words of documents, of those they are `about`, like `shingle_sets`."""
    up_to = np.append(0, np.cumsum(about))
    return _distinct(words.in_pieces[about], np.diff(up_to[np.append(0, words.document_ends)]))


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


def _least(hashes: Hashes, bounds: Offsets) -> NDArray[np.uint32]:
    """The signature of each set: the least value of each hash function over it. No set is empty."""
    functions = list(zip(*_constants(), strict=True))
    halves = (hashes >> np.uint64(32)).astype(np.uint32)
    blocks = np.arange(0, len(halves), _AT_ONCE)
    edges = distinct_values(np.concatenate((bounds[:-1], blocks)))  # a set may go over several blocks
    out = np.empty((len(functions), len(edges)), np.uint32)
    room = np.empty(min(_AT_ONCE, len(halves)), np.uint32)
    for start, first, stop in zip(blocks, *np.searchsorted(edges, (blocks, blocks + _AT_ONCE)), strict=True):
        some, places = halves[start : start + _AT_ONCE], edges[first:stop] - start
        values = room[: len(some)]
        for n, (factor, addend) in enumerate(functions):
            np.multiply(some, factor, out=values)
            values += addend
            np.minimum.reduceat(values, places, out=out[n, first:stop])
    sets = np.searchsorted(edges, bounds[:-1])
    return np.minimum.reduceat(out, sets, axis=1).T if len(sets) else out.T


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """What `sign_documents` says of documents: arrays with one row each, and their sketches end to end."""

    bands: Hashes  # (documents, BANDS)
    n_shingles: Offsets
    n_words: Offsets
    sketch: Hashes
    sketch_ends: Offsets


def sign_documents(words: Words, min_words: int) -> Signatures:
    """Bands and sketch of each document; none below `min_words` words.

    >>> text = b"one two three four five six"
    >>> words = Words.of(Utf8Texts(np.frombuffer(text, np.uint8), np.array([0, len(text)])), np.array([0, 1]))
    >>> signed = sign_documents(words, min_words=1)
    >>> signed.bands.shape, int(signed.n_shingles[0]), int(signed.n_words[0])
    ((1, 28), 2, 6)
    """
    n_words = np.diff(words.document_ends, prepend=0)
    hashes, sizes = shingle_sets(words)
    compared = (n_words >= min_words) & (n_words > 0)
    kept = np.repeat(compared, sizes)
    hashes = hashes[kept]
    ends = np.append(0, np.cumsum(np.where(compared, sizes, 0)))
    low = _least(hashes, np.append(0, ends[1:][compared])).reshape(-1, BANDS, ROWS)
    bands = np.zeros((len(sizes), BANDS), np.uint64)
    made = np.broadcast_to(np.arange(1, BANDS + 1, dtype=np.uint64), low.shape[:2]).copy()
    for row in range(ROWS):
        made ^= low[:, :, row]
        made *= _FACTOR
        made ^= made >> np.uint64(32)
    bands[compared] = made
    sampled = hashes < _LIMIT
    sketch_ends = np.append(0, np.cumsum(sampled))[ends[1:]]
    return Signatures(
        bands=bands,
        n_shingles=sizes,
        n_words=n_words,
        sketch=hashes[sampled],
        sketch_ends=sketch_ends,
    )


def overlapping(words: Words) -> NDArray[np.bool_]:
    """Marks the pieces that share `_RUN` shingles in a row with another one of their document."""
    hashes, counts = _runs(words.in_pieces, words.ends, _WORDS)
    of_documents = np.diff(np.append(0, np.cumsum(counts))[words.bounds])
    documents = np.arange(1, len(of_documents) + 1, dtype=np.uint64) * _FACTOR
    hashes ^= np.repeat(documents, of_documents)  # alike in one document only
    owners = np.repeat(np.arange(len(counts)), counts)
    at = np.flatnonzero(may_repeat(hashes))
    seen_at = _first_places(at, hashes[at])
    seen_at, at = seen_at[seen_at < at], at[seen_at < at]
    steps = np.arange(len(at))
    begins = run_starts(owners[at], at - steps)
    in_row = steps - np.maximum.accumulate(np.where(begins, steps, 0)) + 1
    marks = np.zeros(len(counts), np.bool_)
    for places in (at, seen_at):
        marks[owners[places[in_row >= _RUN]]] = True
    return marks


def _first_places(places: Offsets, values: Hashes) -> Offsets:
    """For each place the first with the same value, given those of all; faster than `np.unique` finds them."""
    order = np.argsort(values)
    starts = np.flatnonzero(run_starts(values[order]))
    first = np.empty_like(places)
    if len(places):
        sizes = np.diff(np.append(starts, len(places)))
        first[order] = np.repeat(np.minimum.reduceat(places[order], starts), sizes)
    return first
