"""Rows in NumPy arrays, sorted by what they have in common: where they repeat, and the different ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import DTypeLike, NDArray

Rows = NDArray[Any]
"""A structured array."""


def merged(pieces: Sequence[NDArray[Any]], dtype: DTypeLike) -> NDArray[Any]:
    """All rows of several arrays, or none of them."""
    return np.concatenate(pieces) if pieces else np.empty(0, dtype)


def run_starts(*columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows differ from the one before in any of the columns; the first one does.

    >>> run_starts(np.array([1, 1, 2, 2]), np.array([5, 5, 5, 6])).tolist()
    [True, False, True, True]
    """
    starts: NDArray[np.bool_] = np.ones(len(columns[0]), np.bool_)
    starts[1:] = False
    for column in columns:
        starts[1:] |= column[1:] != column[:-1]
    return starts


def in_runs(starts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows are alike with the one before or after them, given the `run_starts`.

    >>> in_runs(np.array([True, False, True, True])).tolist()
    [True, True, False, False]
    """
    many: NDArray[np.bool_] = ~(starts & np.append(starts, True)[1:])
    return many


def distinct_values(values: NDArray[Any]) -> NDArray[Any]:
    """The different values, sorted; on 64-bit numbers several times as fast as `np.unique`, which hashes first.

    >>> distinct_values(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    ordered = np.sort(values)
    return ordered[run_starts(ordered)]


def stand_in(values: NDArray[Any], ordered: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values are among others that are sorted; for sorted numbers several times as fast as `np.isin`.

    >>> stand_in(np.array([1, 3, 9]), np.array([3, 5])).tolist()
    [False, True, False]
    """
    found: NDArray[np.bool_] = np.zeros(len(values), np.bool_)
    if len(ordered):
        found = ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values
    return found


def may_repeat(keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which keys may stand more than once, a few that do not among them; most do not, and need not be sorted then.

    >>> may_repeat(np.array([7, 8, 7], np.uint64)).tolist()
    [True, False, True]
    """
    room = 1 << max(10, (4 * len(keys)).bit_length())
    again: NDArray[np.bool_] = _stands_again(np.ascontiguousarray(keys), np.zeros(room, np.uint8))
    return again


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
