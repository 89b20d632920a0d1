"""Tables of words in files that processes share: mapped into memory, they load in no time, without room of their own.

A table is made once, kept in the user's cache, and made anew where its file is gone or damaged.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import time
import zlib
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xxhash import xxh3_64_digest, xxh3_64_intdigest

from winnow.base.environment import cache_folder

if TYPE_CHECKING:
    import numpy as np

_FORMAT = b"winnow words 2\n\0"
_UNUSED = 30 * 86400  # seconds
_HEAD = len(_FORMAT) + 16  # the number of words and the checksum of what follows come next


@dataclass(frozen=True, slots=True)
class WordTable:
    """Fingerprints of words in ascending order (64 bits: no two of a million are alike), and what is told of each."""

    fingerprints: memoryview
    columns: memoryview
    """Bytes, in the order of the fingerprints; further ones may follow."""

    def find(self, word: str) -> int | None:
        """The place of a word; None where no list has it."""
        wanted = xxh3_64_intdigest(word.encode("utf-8", "surrogatepass"))
        every = self.fingerprints
        at = bisect_left(every, wanted)
        return at if at < len(every) and every[at] == wanted else None


def table_of(name: str, lists: Iterable[Path], made: Callable[[], bytes]) -> WordTable:
    """The table of that name from the cache, made there first; one of this process where no cache can be written.

    It is kept under a checksum of the lists that it is made of and of its format.
    """
    checksum = zlib.crc32(b"".join((_FORMAT, *map(_end_of, lists))))
    with contextlib.suppress(OSError, RuntimeError):
        return kept_table(cache_folder() / f"{name}-{checksum:08x}.bin", made)
    return opened(memoryview(made()))


def _remove_unused(like: Path) -> None:
    """Removes tables of the same name, of other lists or formats, that no process has opened for a month."""
    for path in like.parent.glob(f"{like.stem.rpartition('-')[0]}-{'?' * 8}.bin"):
        with contextlib.suppress(OSError):  # another process may do the same
            if path != like and path.stat().st_mtime < time.time() - _UNUSED:
                path.unlink()
                path.with_suffix(".lock").unlink()


def _end_of(path: Path) -> bytes:
    """The last eight bytes of a gzip file: checksum and size of what it holds (RFC 1952)."""
    with path.open("rb") as file:
        file.seek(-8, os.SEEK_END)
        return file.read()


def kept_table(path: Path, made: Callable[[], bytes]) -> WordTable:
    """The table of a file, which is made where it is not there or is damaged. Raises OSError where it cannot be."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        return _mapped(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.with_suffix(".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one makes it, the others wait; the kernel lets it go with the process
        with contextlib.suppress(FileNotFoundError, ValueError):
            return _mapped(path)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            beside.write_bytes(made())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    _remove_unused(path)
    return _mapped(path)


def _mapped(path: Path) -> WordTable:
    with contextlib.suppress(OSError):
        os.utime(path)  # a sign that it is used
    with path.open("rb") as file:
        return opened(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))


def opened(content: memoryview) -> WordTable:
    """The table that a file holds. Raises ValueError where it is cut off or damaged."""
    body = content[_HEAD:]
    size = int.from_bytes(content[len(_FORMAT) : _HEAD - 8], "little")
    is_whole = content[: len(_FORMAT)] == _FORMAT and len(body) >= 8 * size
    if not is_whole or xxh3_64_digest(body) != content[_HEAD - 8 : _HEAD]:
        raise ValueError("is no table of words")
    return WordTable(body[: 8 * size].cast("Q"), body[8 * size :])


def fingerprints_of(words: Collection[str]) -> np.ndarray:
    import numpy as np  # once for all processes

    return np.fromiter((xxh3_64_intdigest(word.encode("utf-8", "surrogatepass")) for word in words), np.uint64)


def packed(fingerprints: np.ndarray, columns: Iterable[np.ndarray], rest: bytes = b"") -> bytes:
    """The content of a table's file: fingerprints in ascending order, columns of the same length, and what follows."""
    body = b"".join(column.tobytes() for column in (fingerprints, *columns)) + rest
    return _FORMAT + len(fingerprints).to_bytes(8, "little") + xxh3_64_digest(body) + body
