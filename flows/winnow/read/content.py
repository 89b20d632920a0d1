"""What a reader is handed: a file's name and its unpacked bytes, as a stream."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import Reject

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Content:
    """A file, or a part of one, for a reader.

    ``path`` names it in sources and messages. ``blocks`` are its bytes from offset ``first`` on (unpacked), and may
    raise ReadError at a break. The reader owns the lines that begin at ``start`` or after and before ``end`` (None:
    to the end of the file). ``open`` gives the stored file for formats that seek. ``lines_before`` counts the lines
    before ``start``; None where counting would cost too much, and places are byte offsets only.
    """

    path: str
    blocks: Iterator[bytes]
    open: Callable[[], BinaryIO]
    first: int = 0
    start: int = 0
    end: int | None = None
    lines_before: Callable[[], int] | None = None
    is_whole: bool = True

    def reject(self, kind: str, message: str, content: bytes, source: str | None = None) -> Reject:
        """A reject of stage ``read`` that names this file."""
        return Reject(source or self.path, "read", f"{self.path}{message}", kind, content, input=self.path)


def whole(content: Content, settings: ReadSettings) -> bytes:
    """All bytes of a file that is one document.

    Raises ReadError of kind ``too_large`` beyond settings.max_document_mb, ``empty`` where there is nothing.
    """
    parts: list[bytes] = []
    size = 0
    for block in content.blocks:
        size += len(block)
        if size > settings.max_document_mb * MB:
            raise ReadError(
                "too_large",
                f"is larger than {settings.max_document_mb:g} MB, and its bytes are not kept here; "
                "raise read.max_document_mb or cut it up",
            )
        parts.append(block)
    if not size:
        raise ReadError("empty", "is an empty file; remove it or write it again")
    return b"".join(parts)


def sha256(content: bytes) -> str:
    """SHA-256 in hex.

    >>> sha256(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(content).hexdigest()
