"""What the compiled splitter has to know of each character: one table of flags, made from what Python says of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from winnow.deduplicate.passages.code_points import code_point
from winnow.deduplicate.passages.lines import BULLETS, CLOSERS, CODE_SIGNS, FULL_STOPS, HEADING_ENDS, QUOTES

SPACE, ALPHA, LOWER, UPPER, TITLE, SIGN, STOP, CLOSER, HEADING_END, BULLET, QUOTE, ALNUM = (1 << n for n in range(12))
_TOP = 0x32400  # no character above has any of these properties


@lru_cache(maxsize=1)
def flag_table() -> NDArray[np.uint16]:
    """Flags by code point; those above the table have none."""
    every = [chr(code) for code in range(_TOP)]

    def flags(holds: Callable[[str], bool], flag: int) -> NDArray[np.uint16]:
        return np.fromiter(map(holds, every), np.bool_, _TOP) * np.uint16(flag)

    table = flags(str.isspace, SPACE) | flags(str.isalpha, ALPHA) | flags(str.islower, LOWER)
    table |= flags(str.isupper, UPPER) | flags(str.isalnum, ALNUM)
    table |= flags(str.istitle, TITLE) * (table & UPPER == 0)
    table[ord("_")] |= ALNUM
    sets = ((CODE_SIGNS, SIGN), (FULL_STOPS, STOP), (CLOSERS, CLOSER), (HEADING_ENDS, HEADING_END))
    for chars, flag in (*sets, (BULLETS, BULLET), (QUOTES, QUOTE)):
        for char in chars:
            table[ord(char)] |= flag
    return table


@njit(cache=True, nogil=True)
def decode(data, start, end, table, codes, flags, places):  # type: ignore[no-untyped-def]
    """Code points, flags and byte offsets (from `start`) of the UTF-8 in ``data[start:end]``; returns how many."""
    n = 0
    at = start
    while at < end:
        places[n] = at - start
        byte = np.uint32(data[at])
        if byte < 0x80:
            code = byte
            at += 1
        else:
            code, size = code_point(data, np.uint64(at))
            at += np.int64(size)
        codes[n] = code
        flags[n] = table[code] if code < len(table) else 0
        n += 1
    places[n] = end - start
    return n
