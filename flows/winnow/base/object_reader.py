"""An object of the store that is read as a file, bit by bit."""

from __future__ import annotations

import io
from typing import Any

from winnow.base.mounted import Mounted
from winnow.base.object_store import Gone


class SeekableReader(io.RawIOBase):
    """A file to read in whose end lies at byte `_end_at`; what is read there is up to its kinds."""

    _at = 0
    _end_at = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end_at}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


class ObjectReader(SeekableReader):
    """An object as a file to read in: each read is a request for these bytes alone.

    Where the object of that name has gone, one of the file's `own_name` has the same bytes.
    """

    def __init__(self, mounted: Mounted, name: str, own_name: str, size: int, its_end: bytes) -> None:
        self._mounted, self._name, self._end_at = mounted, name, size
        self._own_name, self._end = own_name, its_end

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._end_at)
        low = self._end_at - len(self._end)
        if self._at < low:
            content = self._read(end)
        else:
            content = self._end[self._at - low : end - low]
        buffer[: len(content)] = content
        self._at = end
        return len(content)

    def _read(self, end: int) -> bytes:
        try:
            return self._mounted.read_range(self._name, self._at, end, self._end_at)
        except Gone:
            if self._name == self._own_name:
                raise
            self._name = self._own_name
            return self._read(end)

    def size(self) -> int:
        return self._end_at
