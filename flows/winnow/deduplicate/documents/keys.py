"""Fingerprints of many passages at once: `folding.key_of` as a compiled loop over UTF-8 bytes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
import xxhash
from numba import njit
from numpy.typing import NDArray

from winnow.deduplicate.documents.shingles import Bytes, Offsets
from winnow.deduplicate.passages.code_points import code_point
from winnow.deduplicate.passages.folding import TOP, folded

_SPACE, _NOTHING, _SAME, _MANY = 0, 1, 2, 3  # what the low two bits of a table entry say; the rest is an offset


@lru_cache(maxsize=2)
def _tables(fold_digits: bool) -> tuple[NDArray[np.uint32], Bytes, Bytes]:
    """For each code point what it becomes, the bytes of those that become something else, and a table of ASCII."""
    entries = np.full(TOP, _SAME, np.uint32)
    pool = bytearray()
    for code in range(TOP):
        if 0x3400 <= code < 0xA000 or 0xD800 <= code < 0xE000 or code >= 0x20000:
            if code >= 0x2F800 and code < 0x2FA20:
                pass
            else:
                continue  # ideographs are what they are; surrogates do not occur in UTF-8
        char = chr(code)
        became = folded(char, fold_digits)
        if became == char:
            continue
        body = became.encode("utf-8", "surrogatepass")
        if not body:
            entries[code] = _NOTHING
        elif became == " ":
            entries[code] = _SPACE
        else:
            entries[code] = len(pool) << 2 | _MANY
            pool += bytes([len(body)]) + body
    ascii_ = np.zeros(128, np.uint8)
    for code in range(128):
        ascii_[code] = ord(folded(chr(code), fold_digits))
    return entries, np.frombuffer(bytes(pool), np.uint8), ascii_


@njit(cache=True, nogil=True)
def _fold(data, offsets, entries, pool, ascii_, out, ends):  # type: ignore[no-untyped-def]
    """Write the key of each text to `out`, and where it ends to `ends`; return False if `out` is too small."""
    n = 0
    for t in range(len(offsets) - 1):
        start = n
        gap = False
        at = offsets[t]
        end = offsets[t + 1]
        while at < end:
            if n + 300 > len(out):
                return False
            byte = np.uint32(data[at])
            if byte < 0x80:
                at += 1
                low = ascii_[byte]
                if low == 32:
                    gap = True
                    continue
                if gap:
                    if n > start:
                        out[n] = 32
                        n += 1
                    gap = False
                out[n] = low
                n += 1
                continue
            code, size = code_point(data, np.uint64(at))
            if code < len(entries):
                entry = entries[code]
            elif np.uint32(0xE0000) <= code < np.uint32(0xE1000):
                entry = np.uint32(1)
            else:
                entry = np.uint32(2)
            what = entry & np.uint32(3)
            if what == 0:
                gap = True
            elif what == 2:
                if gap and n > start:
                    out[n] = 32
                    n += 1
                gap = False
                for i in range(np.int64(size)):
                    out[n] = data[at + i]
                    n += 1
            elif what == 3:
                place = np.int64(entry >> np.uint32(2))
                for i in range(np.int64(pool[place])):
                    byte_out = pool[place + 1 + i]
                    if byte_out == 32:
                        gap = True
                        continue
                    if gap:
                        if n > start:
                            out[n] = 32
                            n += 1
                        gap = False
                    out[n] = byte_out
                    n += 1
            at += np.int64(size)
        ends[t] = n
    return True


def keys_of(data: Bytes, offsets: Offsets, fold_digits: bool) -> tuple[Bytes, Offsets]:
    """The keys of texts that lie end to end, as bytes and the end of each."""
    entries, pool, ascii_ = _tables(fold_digits)
    room = int(offsets[-1] - offsets[0]) * 5 // 4 + 1024
    while True:
        out, ends = np.empty(room, np.uint8), np.empty(len(offsets) - 1, np.int64)
        if _fold(data, offsets, entries, pool, ascii_, out, ends):
            return out, ends
        room *= 3  # a character may become eighteen (U+FDFA)


def as_bytes(texts: Sequence[str]) -> tuple[Bytes, Offsets]:
    """Texts end to end as UTF-8, and the offset of each, with the end of the last."""
    return laid(pa.array(texts, pa.large_string()))


def laid(array: pa.Array) -> tuple[Bytes, Offsets]:
    """The same for an Arrow array of strings, whose bytes are not copied."""
    array = array.cast(pa.large_string())
    _, offsets, data = array.buffers()
    places = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1] if offsets else _EMPTY
    return np.frombuffer(data or b"", np.uint8), places


_EMPTY = np.zeros(1, np.int64)


def fingerprints(texts: tuple[Bytes, Offsets], fold_digits: bool) -> list[bytes]:
    """`fingerprint` of each of the texts that `as_bytes` or `laid` gives.

    >>> from winnow.base.recipe import DeduplicateSettings
    >>> from winnow.deduplicate.passages.fingerprint import fingerprint
    >>> texts = ["Don’t panic!", "ﬁn  İstanbul — Ⅷ", "한국어 語", "***"]
    >>> fingerprints(as_bytes(texts), False) == [fingerprint(t, DeduplicateSettings()) for t in texts]
    True
    """
    data, offsets = texts
    out, ends = keys_of(data, offsets, fold_digits)
    view = out.data
    bounds = ends.tolist()
    digest = xxhash.xxh3_128_digest
    prints = [digest(view[a:b]) for a, b in zip([0, *bounds], bounds, strict=False)]
    for n in np.flatnonzero(np.diff(ends, prepend=0) == 0).tolist():  # no letter, digit or symbol: hashed as it is
        prints[n] = digest(b"\0" + data[offsets[n] : offsets[n + 1]].tobytes())
    return prints
