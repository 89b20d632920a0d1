"""Pointers: what stands in a working copy in place of a Parquet file that only the store has.

A pointer has its file's size and takes up no more than a block, so that sizes, hard links and folders are what they
would be. Its first bytes name the object and the SHA-256 that it was seen to have. No Parquet file begins like that:
whoever opens a pointer as one is told that it is none, and never reads other rows.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from winnow.base.disk import beside

_MARK = b"winnow:absent\n"
MOST_BYTES = 4096  # an object's name has up to 1,024


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """An object, and the SHA-256 (hex) of its bytes where a manifest names it."""

    name: str
    sha256: str | None = None


def read_pointer(path: Path) -> Pointer | None:
    """Returns what a pointer points to; None for any other file, or none."""
    try:
        with path.open("rb") as file:
            if file.read(len(_MARK)) != _MARK:
                return None
            said = json.loads(file.read(MOST_BYTES).split(b"\n")[0])
        return Pointer(name=str(said["name"]), sha256=said["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_pointer(path: Path) -> bool:
    """Whether a pointer stands there."""
    return read_pointer(path) is not None


def lay_pointer(path: Path, size: int, pointer: Pointer) -> bool:
    """Puts a pointer for a file of `size` bytes in the place of what stands at `path`; false where it has no room."""
    head = _MARK + json.dumps(asdict(pointer)).encode() + b"\n"
    if len(head) > min(size, MOST_BYTES):
        return False
    with beside(path) as temporary, temporary.open("xb") as file:
        file.write(head)
        file.truncate(size)
    return True
