"""A full disk, told as one: pyarrow, polars, Delta and the system each say it in their own way."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from winnow.base.errors import DiskFull

_NUMBERS = {errno.ENOSPC, errno.EDQUOT}
_WORDS = ("no space left on device", "disk quota exceeded", "os error 28", "os error 122")


def is_full_disk(error: BaseException | None) -> bool:
    """Whether an error, or one that led to it, says that the disk or the quota is full.

    >>> is_full_disk(OSError(errno.ENOSPC, "x")), is_full_disk(RuntimeError("No space left on device (os error 28)"))
    (True, True)
    >>> is_full_disk(OSError(errno.EIO, "x"))
    False
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        number = getattr(error, "errno", None)
        if isinstance(error, DiskFull) or number in _NUMBERS:
            return True
        if number is None and any(words in str(error).lower() for words in _WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def told_when_full(root: Path) -> Iterator[None]:
    """Raise DiskFull, with the remedy, for whatever says that the disk of the dataset at `root` is full."""
    try:
        yield
    except DiskFull:
        raise
    except Exception as error:
        if not is_full_disk(error):
            raise
        raise DiskFull(
            f"{root}: the disk is full; the last version stays as it is. Free some space (winnow maintain removes what "
            "no version needs) and run again: finished shards are found in staging"
        ) from error
