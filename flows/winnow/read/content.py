"""What a reader is handed: a file's name and its bytes as a stream, unpacked within a bound."""

from __future__ import annotations

import bz2
import hashlib
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Protocol

from winnow.base import records
from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import INTERNAL_ERROR, Reject

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from backports import zstd

MB = 1_000_000
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd"}
MAGIC = {"gzip": b"\x1f\x8b", "bz2": b"BZh", "xz": b"\xfd7zXZ\x00", "zstd": b"\x28\xb5\x2f\xfd"}
BLOCK = 1 << 20  # bytes that come out at a time, so that no bomb can burst between two looks
_FEED = 1 << 16
_LZMA_MEMORY = 256 << 20  # xz headers may ask for 4 GB; its highest preset needs 65 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A file, or a part of one, for a reader.

    ``path`` names it in sources and messages. ``blocks`` are its bytes from offset ``first`` on (unpacked), and may
    raise ReadError at a break. The reader owns the lines that begin at ``start`` or after and before ``end`` (None:
    to the end of the file). ``open`` gives the stored file for formats that seek. ``lines_before`` counts the lines
    before ``start``.
    """

    path: str
    blocks: Iterator[bytes]
    open: Callable[[], BinaryIO]
    first: int = 0
    start: int = 0
    end: int | None = None
    lines_before: Callable[[], int] = lambda: 0
    is_whole: bool = True

    def reject(
        self, kind: str, message: str, content: bytes = b"", source: str | None = None, row: int | None = None
    ) -> Reject:
        """A reject of stage ``read`` that names this file."""
        return replace(reject_of(self.path, kind, message, content, source=source), row=row)

    def whole(self, settings: ReadSettings) -> bytes:
        """All bytes of a file that is one document.

        Raises ReadError of kind ``too_large`` beyond settings.max_document_mb, ``empty`` where there is nothing.
        """
        parts: list[bytes] = []
        size = 0
        for block in self.blocks:
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


def reject_of(path: str, kind: str, message: str, content: bytes = b"", source: str | None = None) -> Reject:
    """A reject of stage ``read`` for the file at `path`, or for `source` in it; `message` continues the path."""
    return Reject(
        source=source or path, stage="read", reason=f"{path}{message}", expectation=kind, content=content, input=path
    )


def internal_error(
    path: str, place: str, error: Exception, content: bytes, source: str | None = None, row: int | None = None
) -> Reject:
    """The reject of what Winnow stumbled over by a fault of its own; its traceback is kept in the metadata."""
    why, traced = records.internal_error(error)
    return replace(reject_of(path, INTERNAL_ERROR, f"{place}: {why}", content, source), metadata=traced, row=row)


def sha256(content: bytes) -> str:
    """SHA-256 in hex.

    >>> sha256(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(content).hexdigest()


def blocks_of(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of a stream from where it stands, in blocks."""
    while block := stream.read(BLOCK):
        yield block


def unpack_limit(stored: int, settings: ReadSettings) -> float:
    """Bytes that a file of `stored` bytes may unpack to.

    >>> unpack_limit(1000, ReadSettings()), unpack_limit(10 * MB, ReadSettings())
    (64000000, 2500000000)
    """
    return min(settings.max_unpacked_mb * MB, max(64 * MB, settings.max_unpacked_ratio * stored))


def is_packed(head: bytes, compression: str) -> bool:
    """Whether a file begins as one of that compression does; zstd may begin with a frame that is skipped."""
    skipped = compression == "zstd" and head[1:4] == _DICTIONARY_HEAD[1:] and head[0] >> 4 == 5
    return skipped or head.startswith(MAGIC[compression])


def content_blocks(stream: BinaryIO, compression: str, max_bytes: float) -> Iterator[bytes]:
    """The bytes of a file whose name says that it is packed, also where it is packed twice, or plain text after all."""
    head = stream.read(512)
    stream.seek(0)
    if head and not is_packed(head, compression) and is_plain(head):
        yield from blocks_of(stream)
        return
    blocks = unpacked(stream, compression, max_bytes)
    first = next(blocks, b"")
    if first.startswith(MAGIC[compression]):
        blocks = unpacked(io.BufferedReader(_Blocks(chain([first], blocks))), compression, max_bytes)
        if (first := next(blocks, b"")).startswith(MAGIC[compression]):
            raise ReadError("damaged", f"is packed with {compression} more than twice; unpack it")
    yield first
    yield from blocks


_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def is_plain(head: bytes) -> bool:
    """Whether bytes are plain text rather than packed: they hold no control characters.

    >>> import zlib
    >>> is_plain(b"<p>words"), is_plain(zlib.compress(b"<p>words"))
    (True, False)
    """
    return not _BINARY.search(head)


class _Blocks(io.RawIOBase):
    """Blocks of bytes as a stream."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        self._rest = self._rest or next(self._blocks, b"")
        part, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(part)] = part
        return len(part)


def unpacked(stream: BinaryIO, compression: str, max_bytes: float) -> Iterator[bytes]:
    """The unpacked bytes of `stream` in blocks of about 1 MiB.

    Everything before a break is yielded; then ReadError is raised: ``truncated`` for a file that ends too early,
    ``damaged`` for one that is no such archive or broken, ``decompression_bomb`` beyond `max_bytes`.
    Members one after another (as `cat a.gz b.gz` makes) are one stream; padding with zeros is passed over.

    >>> import gzip, io
    >>> b"".join(unpacked(io.BytesIO(gzip.compress(b"a") + gzip.compress(b"b")), "gzip", 9))
    b'ab'
    """
    for block in unpacked_over_breaks(stream, compression, max_bytes):
        if isinstance(block, ReadError):
            raise block
        yield block


def unpacked_over_breaks(stream: BinaryIO, compression: str, max_bytes: float) -> Iterator[bytes | ReadError]:
    """Like `unpacked`, but a break is yielded, and of gzip data the members after it are read all the same."""
    total = 0
    for block in _members(stream, compression):
        total += 0 if isinstance(block, ReadError) else len(block)
        if total > max_bytes:
            raise ReadError(
                "decompression_bomb",
                f"unpacks to more than {max_bytes:.0f} bytes and was cut off there; raise read.max_unpacked_mb "
                "or read.max_unpacked_ratio",
            )
        yield block


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /, max_length: int) -> bytes: ...


_MOST_BREAKS = 1000  # of a file; where there are more it is made of breaks, each of which costs a search


def _members(stream: BinaryIO, compression: str) -> Iterator[bytes | ReadError]:
    member: _Unpacker | None = None
    first, rest, breaks = True, b"", 0
    dictionary = _dictionary_of(stream) if compression == "zstd" else None
    while True:
        data = rest or stream.read(_FEED)
        rest = b""
        begins = member is None
        if member is None:
            if not data and first:
                raise ReadError("empty", "is an empty file; remove it or write it again")
            if not data:
                return
            if not first and not (data := data.lstrip(b"\0")):
                continue
            member, first = _new(compression, dictionary), False
        if not data and not member.eof:
            yield ReadError("truncated", f"ends in the middle of its {compression} data; fetch or pack it again")
            return
        given = data
        try:
            while True:
                out = member.decompress(data, BLOCK)
                data = getattr(member, "unconsumed_tail", b"")
                if out:
                    yield out
                if member.eof or (not data and getattr(member, "needs_input", len(out) < BLOCK)):
                    break
        except (zlib.error, OSError, lzma.LZMAError, ValueError) as error:
            yield ReadError("damaged", f"is damaged {compression} data ({error}); fetch or pack it again")
            breaks += 1
            if compression != "gzip" or breaks > _MOST_BREAKS:
                return
            if not (rest := _next_member(stream, given, 1 if begins else 0)):
                return
            member = None
            continue
        if member.eof:
            rest, member = member.unused_data, None


def _next_member(stream: BinaryIO, data: bytes, start: int) -> bytes:
    """What a stream holds from the next gzip member on; nothing where none follows."""
    while (at := data.find(_GZIP_HEAD, start)) < 0:
        more = stream.read(_FEED)
        if not more:
            return b""
        data, start = data[-2:] + more, 0
    return data[at:]


_GZIP_HEAD = b"\x1f\x8b\x08"


def _new(compression: str, dictionary: zstd.ZstdDict | None = None) -> _Unpacker:
    if compression == "zstd":
        return _Zstd(dictionary)
    if compression == "gzip":
        # zlib's own names differ: it hands unconsumed input back, and has no `needs_input`.
        return zlib.decompressobj(31)
    if compression == "deflate":
        return zlib.decompressobj()
    if compression == "raw deflate":
        return zlib.decompressobj(-15)
    if compression == "brotli":
        return _Brotli()
    if compression == "bz2":
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)


class _Brotli:
    """A brotli stream under the names of the standard library."""

    unused_data = b""

    def __init__(self) -> None:
        import brotli

        self._stream, self._error = brotli.Decompressor(), brotli.error

    @property
    def eof(self) -> bool:
        return bool(self._stream.is_finished())

    @property
    def needs_input(self) -> bool:
        return bool(self._stream.can_accept_more_data())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        try:
            return bytes(self._stream.process(data, output_buffer_limit=max_length))
        except self._error as error:
            raise ValueError("no brotli stream") from error


class _Zstd:
    """A zstd frame under the names of the standard library. What comes out before a break is given before it raises."""

    def __init__(self, dictionary: zstd.ZstdDict | None) -> None:
        from backports import zstd

        self._stream = zstd.ZstdDecompressor(zstd_dict=dictionary)
        self._kind, self._error = zstd.ZstdError, False

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._error and self._stream.needs_input

    def decompress(self, data: bytes, max_length: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            while not self._error and size < max_length and not (self.eof or (self.needs_input and not data)):
                parts.append(self._stream.decompress(data, _ZSTD_STEP))
                data = b""
                size += len(parts[-1])
        except self._kind:
            self._error = True
        if self._error and not size:
            raise ValueError("no zstd frame")
        return b"".join(parts)


_ZSTD_STEP = 1 << 14  # bytes; what a step that fails had unpacked is lost
_DICTIONARY_HEAD = b"\x5d\x2a\x4d\x18"  # of the skippable frame that holds it (IIPC: WARC files in zstd)
_DICTIONARY_MAGIC = b"\x37\xa4\x30\xec"
_MOST_DICTIONARY = 16 << 20  # bytes; those in use have some 100 kB


def _dictionary_of(stream: BinaryIO) -> zstd.ZstdDict | None:
    """The dictionary at the head of a zstd file, packed or not; None where it has none, and nothing is read."""
    from backports import zstd

    if not stream.seekable():  # what is packed twice
        return None
    head = stream.read(8)
    size = int.from_bytes(head[4:], "little")
    raw = stream.read(size) if head[:4] == _DICTIONARY_HEAD and size <= _MOST_DICTIONARY else b""
    stream.seek(-len(head) - len(raw), io.SEEK_CUR)
    try:
        if raw.startswith(MAGIC["zstd"]):
            raw = zstd.ZstdDecompressor().decompress(raw, _MOST_DICTIONARY)
        if not raw.startswith(_DICTIONARY_MAGIC):
            return None
        dictionary = zstd.ZstdDict(raw)
        zstd.ZstdDecompressor(zstd_dict=dictionary)  # which finds out whether it is whole
        return dictionary
    except (zstd.ZstdError, ValueError):
        return None
