"""Unpacking gzip, bzip2, xz and Zstandard as a stream, with a bound on what comes out."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from winnow.base.errors import ReadError

COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd"}
MAGIC = {"gzip": b"\x1f\x8b", "bz2": b"BZh", "xz": b"\xfd7zXZ\x00", "zstd": b"\x28\xb5\x2f\xfd"}
BLOCK = 1 << 20  # bytes that come out at a time, so that no bomb can burst between two looks
_FEED = 1 << 16
_LZMA_MEMORY = 256 << 20  # xz headers may ask for 4 GB; its highest preset needs 65 MB


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


def unpacked(stream: BinaryIO, compression: str, max_bytes: float) -> Iterator[bytes]:
    """The unpacked bytes of `stream` in blocks of about 1 MiB.

    Everything before a break is yielded; then ReadError is raised: ``truncated`` for a file that ends too early,
    ``damaged`` for one that is no such archive or broken, ``decompression_bomb`` beyond `max_bytes`.
    Members one after another (as `cat a.gz b.gz` makes) are one stream; padding with zeros is passed over.

    >>> import gzip, io
    >>> b"".join(unpacked(io.BytesIO(gzip.compress(b"a") + gzip.compress(b"b")), "gzip", 9))
    b'ab'
    """
    blocks = _zstd(stream) if compression == "zstd" else _members(stream, compression)
    total = 0
    for block in blocks:
        total += len(block)
        if total > max_bytes:
            raise ReadError(
                "decompression_bomb",
                f"unpacks to more than {max_bytes:.0f} bytes and was cut off there; raise read.max_unpacked_mb",
            )
        yield block


def _members(stream: BinaryIO, compression: str) -> Iterator[bytes]:
    member: _Unpacker | None = None
    first, rest = True, b""
    while True:
        data = rest or stream.read(_FEED)
        rest = b""
        if member is None:
            if not data and first:
                raise ReadError("empty", "is an empty file; remove it or write it again")
            if not data:
                return
            if not first and not (data := data.lstrip(b"\0")):
                continue
            member, first = _new(compression), False
        if not data and not member.eof:
            raise ReadError("truncated", f"ends in the middle of its {compression} data; fetch or pack it again")
        try:
            while True:
                out = member.decompress(data, BLOCK)
                data = getattr(member, "unconsumed_tail", b"")
                if out:
                    yield out
                if member.eof or (not data and getattr(member, "needs_input", len(out) < BLOCK)):
                    break
        except (zlib.error, OSError, lzma.LZMAError, ValueError) as error:
            raise ReadError("damaged", f"is damaged {compression} data ({error}); fetch or pack it again") from error
        if member.eof:
            rest, member = member.unused_data, None


def _new(compression: str) -> _Unpacker:
    if compression == "gzip":
        return _Gzip()
    if compression == "bz2":
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)


class _Gzip:
    """zlib's object under the names of the other two: it wants unconsumed input back, and says no `needs_input`."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def unconsumed_tail(self) -> bytes:
        return self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int = BLOCK) -> bytes:
        return self._inner.decompress(data, max_length)


def _zstd(stream: BinaryIO) -> Iterator[bytes]:
    import pyarrow as pa

    source = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")
    held: list[bytes] = []
    size = 0
    while True:
        try:
            # Small steps: what a failing read had unpacked already is lost.
            block = source.read(4096)
        except OSError as error:
            yield b"".join(held)
            if "runcated" in str(error):
                raise ReadError("truncated", "ends in the middle of its zstd data; fetch or pack it again") from error
            raise ReadError("damaged", f"is damaged zstd data ({error}); fetch or pack it again") from error
        held.append(block)
        size += len(block)
        if not block or size >= BLOCK:
            yield b"".join(held)
            held, size = [], 0
        if not block:
            return
