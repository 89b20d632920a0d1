"""Rows in NumPy arrays, sorted by what they have in common: where they repeat, and the different ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import DTypeLike, NDArray

Rows = NDArray[Any]
"""A structured array."""
_MIX = np.uint64(0x9E3779B97F4A7C15)


def merged(pieces: Sequence[NDArray[Any]], dtype: DTypeLike) -> NDArray[Any]:
    """All rows of several arrays, or none of them."""
    return np.concatenate(pieces) if pieces else np.empty(0, dtype)


def structured(table: pl.DataFrame, dtype: np.dtype[Any]) -> Rows:
    """The rows of a frame that has the columns of the type."""
    out = np.empty(table.height, dtype)
    for name in dtype.names or ():
        out[name] = table[name].to_numpy()
    return out


def columns_of(rows: Rows, *names: str) -> pl.DataFrame:
    """Rows as a frame with some of their columns, all if none are named."""
    return pl.DataFrame({name: np.ascontiguousarray(rows[name]) for name in names or rows.dtype.names or ()})


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
    slots = slots_of(keys, 1 << max(10, (4 * len(keys)).bit_length()))
    at = np.arange(len(keys), dtype=np.uint32)
    last = np.empty(int(slots.max(initial=0)) + 1, np.uint32)
    last[slots] = at
    again = np.zeros(len(last), np.bool_)
    again[slots[last[slots] != at]] = True
    found: NDArray[np.bool_] = again[slots]
    return found


def slots_of(keys: NDArray[np.uint64], size: int) -> NDArray[np.int64]:
    """A slot for each key, of `size`, a power of two, at most 2 ** 40: keys that are not in one are different."""
    return (keys * _MIX >> np.uint64(24)).astype(np.int64) & (size - 1)


def repeat(keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which keys stand more than once.

    >>> repeat(np.array([7, 8, 7], np.uint64)).tolist()
    [True, False, True]
    """
    found = may_repeat(keys)
    at = np.flatnonzero(found)
    at = at[np.argsort(keys[at])]
    found[at] = in_runs(run_starts(keys[at]))
    return found


def ranges(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers from each start to before its end, one range after the other.

    >>> ranges(np.array([3, 7, 5]), np.array([5, 7, 6])).tolist()
    [3, 4, 5]
    """
    sizes = ends - starts
    numbers: NDArray[np.int64] = np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
    return numbers + np.arange(len(numbers))


def count_shared(
    values: NDArray[np.uint64] | NDArray[np.uint16],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    pairs: tuple[Any, Any],
) -> NDArray[np.int64]:
    """How many values two sets have in common, for each pair of them: the places of the one and of the other.

    Set n is ``values[starts[n]:ends[n]]``, sorted if they have 64 bits. Pairs with the same first set stand together.

    >>> sets = np.array([1, 4, 9, 4, 9, 11], np.uint64)
    >>> count_shared(sets, np.array([0, 3]), np.array([3, 6]), (np.array([0]), np.array([1]))).tolist()
    [2]
    """
    first, later = pairs
    out = np.zeros(len(first), np.int64)
    begins = run_starts(first)
    groups = np.append(np.flatnonzero(begins), len(first))
    begin, end = starts[later], ends[later]
    reach = np.append(0, np.cumsum(end - begin))
    begins[1:] |= begin[1:] != end[:-1]  # sets that lie end to end are one stretch
    stretches = np.append(np.flatnonzero(begins), len(first))
    lefts, rights = begin[stretches[:-1]].tolist(), end[stretches[1:] - 1].tolist()
    nth = np.searchsorted(stretches, groups)
    leads = first[groups[:-1]]
    bounds = (some.tolist() for some in (groups[:-1], groups[1:], starts[leads], ends[leads], nth[:-1], nth[1:]))
    seen = np.zeros(1 << 16, np.bool_)  # by a value's lowest bits: most of what is not shared need not be searched for
    for start, stop, here, there, left, right in zip(*bounds, strict=True):
        one = values[here:there]
        others = [values[a:b] for a, b in zip(lefts[left:right], rights[left:right], strict=True)]
        other = others[0] if len(others) == 1 else np.concatenate(others)
        slots = one.astype(np.uint16)
        seen[slots] = True
        at = np.flatnonzero(seen[other.astype(np.uint16)])
        seen[slots] = False
        if values.dtype != slots.dtype:
            at = at[stand_in(other[at], one)]
        up_to = np.searchsorted(at, reach[start : stop + 1] - reach[start])
        out[start:stop] = up_to[1:] - up_to[:-1]
    return out
