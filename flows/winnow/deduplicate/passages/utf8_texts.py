"""Many texts end to end as UTF-8 bytes, as compiled loops read them, and the fingerprints of all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import xxhash
from numba import njit
from numpy.typing import NDArray

from winnow.deduplicate.passages.fingerprint import TOP, folded

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]
_SAME = np.uint32(2**32 - 1)  # a character that becomes itself


@dataclass(frozen=True, slots=True)
class Utf8Texts:
    """Text n is ``data[offsets[n]:offsets[n + 1]]``; `offsets` has one entry more than there are texts."""

    data: Bytes
    offsets: Offsets

    @classmethod
    def of(cls, strings: pa.Array) -> Utf8Texts:
        """An Arrow array of strings, whose bytes are not copied."""
        strings = strings.cast(pa.large_string())
        _, offsets, data = strings.buffers()
        ends = np.frombuffer(offsets, np.int64) if offsets else np.zeros(1, np.int64)
        return cls(np.frombuffer(data or b"", np.uint8), ends[strings.offset : strings.offset + len(strings) + 1])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def hashes(self) -> list[bytes]:
        """128 bits of XXH3 of each text as it is, for exact copies."""
        view = self.data.data
        return [xxhash.xxh3_128_digest(view[a:b]) for a, b in pairwise(self.offsets.tolist())]


@njit(cache=True, inline="always")
def code_point(data, at):  # type: ignore[no-untyped-def]
    """The character that begins at a byte above 127, and how many bytes it has; `at` is unsigned, as both results."""
    byte, low, six = np.uint32(data[at]), np.uint32(63), np.uint32(6)
    one = np.uint64(1)
    second = np.uint32(data[at + one]) & low
    if byte < 0xE0:
        return (byte & np.uint32(31)) << six | second, np.uint64(2)
    third = np.uint32(data[at + one + one]) & low
    if byte < 0xF0:
        return ((byte & np.uint32(15)) << six | second) << six | third, np.uint64(3)
    fourth = np.uint32(data[at + one + one + one]) & low
    return (((byte & np.uint32(7)) << six | second) << six | third) << six | fourth, np.uint64(4)


@lru_cache(maxsize=2)
def _fold_tables(fold_digits: bool) -> tuple[NDArray[np.uint32], Bytes, Bytes]:
    """For each code point where it stands what it becomes: how many bytes, and the bytes; and what ASCII becomes.

    First stands nothing.
    """
    entries = np.full(TOP, _SAME, np.uint32)
    pool = bytearray([0])
    for code in range(TOP):
        # Ideographs are what they are; surrogates do not occur in UTF-8.
        if 0x3400 <= code < 0xA000 or 0xD800 <= code < 0xE000 or (code >= 0x20000 and not 0x2F800 <= code < 0x2FA20):
            continue
        char = chr(code)
        became = folded(char, fold_digits)
        if became != char:
            body = became.encode("utf-8", "surrogatepass")
            entries[code] = len(pool) if body else 0
            pool += bytes([len(body)]) + body
    ascii_ = bytes(ord(folded(chr(code), fold_digits)) for code in range(128))
    return entries, np.frombuffer(bytes(pool), np.uint8), np.frombuffer(ascii_, np.uint8)


@njit(cache=True, nogil=True)
def _fold(data, offsets, entries, pool, ascii_, out, ends):  # type: ignore[no-untyped-def]
    """Write the key of each text to `out`, and where it ends to `ends`; return False if `out` is too small.

    Every byte is written, and stays unless it is a space at the start of a key or after another one. (A function for
    these two lines would make the loop three times as slow, inlined or not.)
    """
    n = 0
    for t in range(len(offsets) - 1):
        start = n
        at = offsets[t]
        end = offsets[t + 1]
        while at < end:
            if n + 300 > len(out):
                return False
            byte = np.uint32(data[at])
            if byte < 0x80:
                at += 1
                out[n] = ascii_[byte]
                n += ascii_[byte] != 32 or (n > start and out[n - 1] != 32)
                continue
            code, size = code_point(data, np.uint64(at))
            after = at + np.int64(size)
            entry = _SAME
            if code < len(entries):
                entry = entries[code]
            elif np.uint32(0xE0000) <= code < np.uint32(0xE1000):
                entry = np.uint32(0)
            if entry == _SAME:
                for i in range(at, after):
                    out[n] = data[i]
                    n += 1
            else:
                for i in range(entry + 1, entry + 1 + pool[entry]):
                    out[n] = pool[i]
                    n += pool[i] != 32 or (n > start and out[n - 1] != 32)
            at = after
        n -= n > start and out[n - 1] == 32
        ends[t] = n
    return True


def fingerprints(texts: Utf8Texts, fold_digits: bool) -> list[bytes]:
    """`fingerprint` of each text.

    >>> from winnow.base.recipe import DeduplicateSettings
    >>> from winnow.deduplicate.passages.fingerprint import fingerprint
    >>> texts = ["Don’t panic!", "ﬁn  İstanbul — Ⅷ", "한국어 語", "***"]
    >>> fingerprints(Utf8Texts.of(pa.array(texts)), False) == [fingerprint(t, DeduplicateSettings()) for t in texts]
    True
    """
    data, offsets = texts.data, texts.offsets
    room = int(offsets[-1] - offsets[0]) * 5 // 4 + 1024
    keys, ends = np.empty(room, np.uint8), np.empty(len(texts), np.int64)
    while not _fold(data, offsets, *_fold_tables(fold_digits), keys, ends):
        keys = np.empty(3 * len(keys), np.uint8)  # a character may become eighteen (U+FDFA)
    prints = Utf8Texts(keys, np.append(0, ends)).hashes()
    for n in np.flatnonzero(np.diff(ends, prepend=0) == 0).tolist():  # no letter, digit or symbol: hashed as it is
        prints[n] = xxhash.xxh3_128_digest(b"\0" + data[offsets[n] : offsets[n + 1]].tobytes())
    return prints
