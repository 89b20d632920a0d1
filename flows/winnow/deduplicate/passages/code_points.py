"""One character out of UTF-8, for the compiled loops; those that call it are compiled with it in their place."""

from __future__ import annotations

import numpy as np
from numba import njit


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
