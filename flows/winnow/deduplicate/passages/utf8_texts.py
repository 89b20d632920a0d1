"""Many texts end to end as UTF-8 bytes, as Arrow lays them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import xxhash
from numpy.typing import NDArray

Offsets = NDArray[np.int64]
Codes = NDArray[np.uint32] | NDArray[np.uint16] | NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Utf8Texts:
    """Text n is ``data[offsets[n]:offsets[n + 1]]``; `offsets` has one entry more than there are texts."""

    data: NDArray[np.uint8]
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

    def first_bytes(self) -> NDArray[np.uint8]:
        """The first byte of each text, 0 of one that is empty."""
        found = np.zeros(len(self), np.uint8)
        full = np.diff(self.offsets) > 0
        found[full] = self.data[self.offsets[:-1][full]]
        return found

    def hashes(self) -> list[bytes]:
        """128 bits of XXH3 of each text as it is, for exact copies."""
        view = self.data.data
        return [xxhash.xxh3_128_digest(view[a:b]) for a, b in pairwise(self.offsets.tolist())]

    def code_points(self, table: bytes) -> tuple[Codes, Offsets]:
        """The characters of all texts end to end, and where each text starts among them, and the last one ends.

        Those of ASCII become what the `table` of all bytes says, which leaves all others as they are.

        >>> codes, places = Utf8Texts.of(pa.array(["é!", "b"])).code_points(bytes(range(256)))
        >>> codes.tolist(), places.tolist()
        ([233, 33, 98], [0, 2, 3])
        """
        data = self.data[self.offsets[0] : self.offsets[-1]]
        places = self.offsets - self.offsets[0]
        text = data.tobytes().translate(table)
        if text.isascii():
            return np.frombuffer(text, np.uint8), places
        further = np.flatnonzero(data & 0xC0 == 0x80)  # bytes of a character that began before them
        places = places - np.searchsorted(further, places)
        chars = text.decode("utf-8", "surrogatepass")
        if len(text := chars.encode("utf-16-le", "surrogatepass")) == 2 * len(chars):  # half of what is to be read then
            return np.frombuffer(text, np.uint16), places
        return np.frombuffer(chars.encode("utf-32-le", "surrogatepass"), np.uint32), places


def portions(offsets: Offsets, size: int) -> Iterator[tuple[int, int]]:
    """Texts, from the first to before the last, that have at most `size` bytes together, or are one alone.

    >>> list(portions(np.array([0, 3, 5, 25, 26]), 6))
    [(0, 2), (2, 3), (3, 4)]
    """
    first = 0
    while first < len(offsets) - 1:
        stop = max(first + 1, int(np.searchsorted(offsets, offsets[first] + size, side="right")) - 1)
        yield first, stop
        first = stop
