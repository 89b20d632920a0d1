"""How the time of a call grows with its input; for the promise that no input takes more than linear time."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

FACTOR = 6
LIMIT = 2.5 * FACTOR  # quadratic work would take 36 times as long


def seconds(work: Callable[[str], object], text: str) -> float:
    """Processor time of ``work(text)``, in seconds, without the garbage collector's walks over other tests' objects."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        start = time.process_time()
        work(text)
        return time.process_time() - start
    finally:
        if was_on:
            gc.enable()


def assert_linear(work: Callable[[str], object], unit: str, size: int) -> None:
    """Fail when ``size`` characters of a repeated ``unit`` take far more than ``FACTOR`` times a ``FACTOR``-th of them.

    A shared machine may slow one measurement, so each of four rounds may pass.
    """
    text = unit * max(FACTOR, size // len(unit))
    part = unit * (max(FACTOR, size // len(unit)) // FACTOR)
    seen = []
    for _ in range(4):
        small, large = min(seconds(work, part) for _ in range(2)), seconds(work, text)
        if large <= LIMIT * small + 0.05:
            return
        seen.append(f"{small:.3f} s -> {large:.3f} s")
    raise AssertionError(f"{len(part)} -> {len(text)} characters of {unit!r}: {', '.join(seen)}")
