"""Everything Winnow raises on purpose, with the exit code that a command ends with.

WinnowError                 it cannot be done as things are; the text says what to mend           exit 5
├── UsageError              the call is wrong: a path, an option, a name that does not exist      exit 2
│   ├── RecipeError         winnow.toml: unknown key, wrong type, value out of range
│   └── EmptyInput          nothing to read under the input root
├── ReadError               one document could not be read; becomes a reject, never ends a run
├── InputChanged            an input file changed between its hash and its reading; it is read again
├── LedgerError             edits do not fit the text they are replayed on: a fault of Winnow     exit 70
├── ContractBroken          rows do not fit their table's schema: a fault of Winnow               exit 70
├── DatasetError            the dataset on disk is not as its manifest says
│   ├── NoSuchVersion       it never had a version of that number, or has it no more              exit 2
│   ├── DatasetDamaged      files or logs differ from the last manifest, and nothing can restore them
│   ├── DatasetBusy         another run holds the dataset                                         exit 4
│   └── SchemaConflict      a table's columns cannot become the schema's without loss
├── DiskFull                no room for the next version; the last one stays whole
├── ServerGone              no Prefect server answers, or it went away before the run began       exit 3
└── GateHeld                a dataset-level expectation failed; the version was not published     exit 1
"""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INTERNAL_ERROR = 70
"""The exit code for a fault of Winnow (EX_SOFTWARE of sysexits.h)."""


class WinnowError(Exception):
    """Base of all errors that Winnow raises on purpose; its text is fit to show to a user as it is."""

    exit_code = 5


class UsageError(WinnowError):
    """The call is wrong; nothing was done."""

    exit_code = 2


class RecipeError(UsageError):
    """A setting is unknown or out of range; the text names the file, the key and the remedy."""


class EmptyInput(UsageError):
    """There is nothing to read under the input root."""


class ReadError(WinnowError):
    """One document could not be read; ``kind``, a snake_case name, is kept in ``rejects.expectation``.

    ``tail`` holds what was read of the line in which a stream broke off.
    """

    def __init__(self, kind: str, message: str, tail: bytes = b"") -> None:
        super().__init__(message)
        self.kind = kind
        self.tail = tail


class InputChanged(WinnowError):
    """The input file at ``path`` no longer holds what it held when it was hashed."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class LedgerError(WinnowError):
    """Edits do not fit the text they are replayed on."""

    exit_code = INTERNAL_ERROR


class ContractBroken(WinnowError):
    """Rows do not fit their table's schema; the text names table, column and row."""

    exit_code = INTERNAL_ERROR


class DatasetError(WinnowError):
    """The dataset on disk is not as its manifest says."""


class NoSuchVersion(DatasetError):
    """The dataset has no version of that number; the text names those there are."""

    exit_code = 2


class DatasetDamaged(DatasetError):
    """Files or logs differ from the last manifest; the text names them and the ways back. Nothing was written."""


class DatasetBusy(DatasetError):
    """Another run holds the dataset."""

    exit_code = 4


class SchemaConflict(DatasetError):
    """A table's columns cannot become the schema's without loss."""


class DiskFull(WinnowError):
    """There is no room on the disk of the dataset; the text names the remedy."""


class ServerGone(WinnowError):
    """No Prefect server answers, or it went away before the run could begin."""

    exit_code = 3


class GateHeld(WinnowError):
    """A dataset-level expectation failed; the version was not published."""

    exit_code = 1


_FULL_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_MESSAGES = (
    "no space left on device", "disk quota exceeded", "file too large", "os error 28", "os error 122", "os error 27",
)  # fmt: skip


def is_full_disk(error: BaseException | None) -> bool:
    """Whether an error, or one that led to it, says that disk or quota is full, or a file as large as it may be.

    pyarrow, polars, Delta and the system each say it in their own way.

    >>> is_full_disk(OSError(errno.ENOSPC, "x")), is_full_disk(RuntimeError("No space left on device (os error 28)"))
    (True, True)
    >>> is_full_disk(OSError(errno.EIO, "x"))
    False
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        number = getattr(error, "errno", None)
        if isinstance(error, DiskFull) or number in _FULL_NUMBERS:
            return True
        if number is None and any(message in str(error).lower() for message in _FULL_MESSAGES):
            return True
        error = error.__cause__ or error.__context__
    return False


def limit_on_files() -> str:
    """A sentence on how large a file of this process may be; empty where that has no limit."""
    size, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return "" if size == resource.RLIM_INFINITY else f"No file may exceed {size} bytes here; see: ulimit -f."


@contextmanager
def translate_full_disk(root: Path) -> Iterator[None]:
    """Raise DiskFull, with the remedy, in place of any error that says the disk of the dataset at `root` is full."""
    try:
        yield
    except DiskFull:
        raise
    except Exception as error:
        if not is_full_disk(error):
            raise
        raise DiskFull(
            f"{root}: the disk is full; the last version stays as it is. Free some space (winnow maintain removes what "
            f"no version needs) and run again: finished shards are found in staging. {limit_on_files()}".rstrip()
        ) from error
