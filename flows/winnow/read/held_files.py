"""What an input file holds when a run is planned, and reading that yields exactly that or says that it changed."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

import xxhash

from winnow.base.errors import InputChanged, ReadError
from winnow.read.input_files import open_input, unreadable
from winnow.read.listing import Held, InputFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 1 << 20
_MOST_BLOCKS = 4096  # their hashes travel with every part of a file; blocks of larger files are larger


def hold(file: InputFile) -> InputFile:
    """The file with what it holds now and its size; with a ``fault``, in words, where it cannot be read."""
    block_bytes = _BLOCK
    while block_bytes * _MOST_BLOCKS < file.bytes:
        block_bytes *= 2
    digest, blocks, size = hashlib.sha256(), [], 0
    lines, ends, last = [], 0, b""
    try:
        with open_input(file.address) as stream:
            while block := _read_whole(stream, block_bytes):
                digest.update(block)
                blocks.append(xxhash.xxh3_64_digest(block))
                ends += last.count(b"\n")  # of one block alone nobody asks
                lines.append(ends.to_bytes(8, "little"))
                last = block
                size += len(block)
    except (OSError, ReadError) as error:
        return replace(file, fault=str(unreadable(error) if isinstance(error, OSError) else error))
    counted = b"".join(lines) if len(lines) > 1 else b""
    return replace(file, bytes=size, held=Held(digest.hexdigest(), block_bytes, b"".join(blocks), counted))


def open_held(file: InputFile) -> BinaryIO:
    """The file, as it was when it was held; as it is now where it never was.

    Reading raises InputChanged where a block is not the one that was held; what was added at its end is not read.
    Raises ReadError of kind ``unreadable`` for a file with a fault.
    """
    if file.fault:
        raise ReadError("unreadable", file.fault)
    if file.held is None:
        return open_input(file.address)
    try:
        return io.BufferedReader(_HeldFile(open_input(file.address), file, file.held))
    except ReadError as error:
        raise InputChanged(file.path) from error


def _read_whole(stream: BinaryIO, size: int) -> bytes:
    parts: list[bytes] = []
    while size and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class _HeldFile(io.RawIOBase):
    def __init__(self, stream: BinaryIO, file: InputFile, held: Held) -> None:
        self._stream, self._file, self._held = stream, file, held
        self._at = 0
        self._number, self._block = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._file.bytes)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        if self._at >= self._file.bytes:
            return 0
        number, start = divmod(self._at, self._held.block_bytes)
        if number != self._number:
            self._number, self._block = number, self._proved(number)
        view = memoryview(buffer).cast("B")
        part = self._block[start : start + len(view)]
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _proved(self, number: int) -> bytes:
        try:
            self._stream.seek(number * self._held.block_bytes)
            wanted = min(self._held.block_bytes, self._file.bytes - number * self._held.block_bytes)
            block = _read_whole(self._stream, wanted)
        except OSError as error:  # the disk or the network failed, or the file went
            raise InputChanged(self._file.path) from error
        if xxhash.xxh3_64_digest(block) != self._held.blocks[8 * number : 8 * number + 8]:
            raise InputChanged(self._file.path)
        return block

    def close(self) -> None:
        self._stream.close()
        super().close()
