"""Rows exchanged by hash partition through files: a worker writes one file, sorted by partition, others read slices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numba import njit
from numpy.typing import NDArray

Rows = NDArray[Any]
"""A structured array."""


def unfinished(path: Path) -> Path:
    """A name to write under until the file is whole; random, for process numbers repeat among machines."""
    return path.with_name(f"{path.name}.{uuid4().hex[:12]}.tmp")


def save(path: Path, array: NDArray[Any]) -> Path:
    """Write an array as ``.npy`` under a temporary name, then rename, so that a killed worker leaves no half file.

    Not synced to disk: the work folder holds nothing that a run cannot make again.
    """
    temporary = unfinished(path)
    with temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    temporary.rename(path)
    return path


def spread(path: Path, rows: Rows, part: NDArray[Any], partitions: int) -> Path:
    """Write `rows` sorted by their partition number, with a second file that says where each partition ends."""
    # Small numbers are sorted by their bytes, in one pass over the rows each.
    order = np.argsort(part.astype(np.uint16) if partitions < 1 << 16 else part, kind="stable")
    save(path, rows[order] if partitions > 1 else rows)
    save(path.with_suffix(".ends.npy"), np.cumsum(np.bincount(part, minlength=partitions)))
    return path


def gather(paths: Sequence[Path], partition: int, dtype: np.dtype[Any]) -> Rows:
    """The rows of one partition from all files."""
    pieces = []
    for path in paths:
        ends = np.load(path.with_suffix(".ends.npy"))
        start = int(ends[partition - 1]) if partition else 0
        if ends[partition] > start:
            pieces.append(np.load(path, mmap_mode="r")[start : int(ends[partition])])
    return np.concatenate(pieces) if pieces else np.empty(0, dtype)


def partitions_for(rows: int, bytes_a_row: int, budget: int = 64 << 20) -> int:
    """How many partitions keep one within `budget` bytes (sorting takes about three times that).

    >>> partitions_for(1000, 32), partitions_for(100_000_000, 32)
    (1, 48)
    """
    return max(1, -(-rows * bytes_a_row // budget))


def distinct_values(values: NDArray[Any]) -> NDArray[Any]:
    """The different values, sorted; on 64-bit numbers several times as fast as `np.unique`, which hashes first.

    >>> distinct_values(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    ordered = np.sort(values)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def may_repeat(keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which keys may stand more than once, a few that do not among them; most do not, and need not be sorted then.

    >>> may_repeat(np.array([7, 8, 7], np.uint64)).tolist()
    [True, False, True]
    """
    room = 1 << max(10, (4 * len(keys)).bit_length())
    return _stands_again(np.ascontiguousarray(keys), np.zeros(room, np.uint8))


@njit(cache=True, nogil=True)
def _stands_again(keys, counts):  # type: ignore[no-untyped-def]
    out = np.empty(len(keys), np.bool_)
    mask = np.uint64(len(counts) - 1)
    for key in keys:
        slot = (key * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(24)) & mask
        counts[slot] = min(counts[slot] + 1, 2)
    for n in range(len(keys)):
        out[n] = counts[(keys[n] * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(24)) & mask] == 2
    return out
