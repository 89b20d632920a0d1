"""Files in a ZIP archive, each read like a file in a folder of the archive's name: ``a.zip/notes/b.txt``.

What the archive says of itself is bounded before it is believed: its directory, and what all of it unpacks to.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.read.content import unpack_limit

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ENDING = ".zip"
_IN_ARCHIVE = re.compile(rf"{re.escape(ENDING)}/", re.IGNORECASE)
_MOST_DIRECTORY = 16 << 20  # bytes, of 46 or more a file; Python's zipfile holds half a kB for each
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)  # LZMA's head may ask for 4 GB of memory
_DAMAGE = (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, RuntimeError)


def members_of(archive: str, settings: ReadSettings) -> Iterator[tuple[str, int]]:
    """The names of the files in an archive and their sizes, the last first: it is the one that its name means.

    Raises ReadError for what is no archive, cannot be read, or unpacks to more than settings allow; OSError.
    """
    try:
        entries = _opened(archive).infolist()
    except _DAMAGE as error:
        why = f"is no whole ZIP archive ({str(error)[:80]}); fetch or pack it again"
        raise ReadError("damaged", why) from error
    limit = unpack_limit(Path(archive).stat().st_size, settings)
    if sum(entry.file_size for entry in entries) > limit:
        why = f"unpacks to more than {limit:.0f} bytes; raise read.max_unpacked_mb or read.max_unpacked_ratio"
        raise ReadError("decompression_bomb", why)
    for entry in reversed(entries):
        if not entry.is_dir():
            yield entry.filename, entry.file_size


def archive_of(address: str) -> tuple[str, str] | None:
    """The archive that a file is a member of, and its name there; None for one that stands by itself.

    >>> archive_of("/in/a.txt") is None
    True
    """
    ends = (found.end() - 1 for found in _IN_ARCHIVE.finditer(address))
    return next(((address[:end], address[end + 1 :]) for end in ends if Path(address[:end]).is_file()), None)


def open_member(archive: str, name: str) -> BinaryIO:
    """A member, for reading and seeking; what is wrong with it is a ReadError, also while it is read."""
    try:
        packed = _opened(archive)
        entry = packed.getinfo(name)
        if entry.compress_type not in _METHODS:
            raise ReadError("damaged", "is packed in a way that is not read; unpack the archive")
        return cast(BinaryIO, _Member(packed.open(entry)))
    except KeyError as error:
        raise ReadError("unreadable", "is in its archive no more; pack it again") from error
    except _DAMAGE as error:
        raise _broken(error) from error


def _broken(error: Exception) -> ReadError:
    if "encrypted" in str(error):
        return ReadError("encrypted", "is encrypted with a password; unpack the archive")
    return ReadError("damaged", f"is broken in its archive ({str(error)[:80]}); fetch or pack it again")


class _Member(io.RawIOBase):
    """A member of an archive as a stream."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return self._packed.seek(offset, whence)
        except _DAMAGE as error:
            raise _broken(error) from error

    def tell(self) -> int:
        return self._packed.tell()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            part = self._packed.read(len(view))
        except _DAMAGE as error:
            raise _broken(error) from error
        view[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._packed.close()
        super().close()


class _Stored(io.FileIO):
    """An archive's bytes, of which no more than its directory may have are taken at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MOST_DIRECTORY:
            raise ReadError("decompression_bomb", "names too many files; unpack it")
        return super().read(size)

    def __del__(self) -> None:
        self.close()


def _opened(archive: str) -> zipfile.ZipFile:
    status = Path(archive).stat()
    if not stat.S_ISREG(status.st_mode):
        raise ReadError("unreadable", "is a pipe, a device or a folder, not a file; put a file there")
    return _kept(archive, (status.st_ino, status.st_size, status.st_mtime_ns, os.getpid()))


@lru_cache(maxsize=4)  # to read the directory anew for each of its files would take square time
def _kept(archive: str, state: tuple[int, ...]) -> zipfile.ZipFile:
    """An archive in one state; processes that were forked have files of their own, for a file has one place."""
    return zipfile.ZipFile(_Stored(archive))
