"""Files to documents and rejects: opens, unpacks, hands on to the format's reader, and turns failures into rejects."""

from __future__ import annotations

import codecs
import hashlib
import io
from collections.abc import Iterator
from functools import cache
from typing import BinaryIO

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject
from winnow.read.content import MB, Content
from winnow.read.formats import FORMATS, Format, format_of
from winnow.read.inputs import InputFile
from winnow.read.shards import Shard, Span
from winnow.read.storage import open_input, unreadable
from winnow.read.unpack import BLOCK, MAGIC, unpacked

COUNTED_BYTES = 256 * MB  # in larger files places are byte offsets only: counting lines up to there costs too much


def read_shard(shard: Shard, settings: ReadSettings) -> Iterator[RawDocument | Reject]:
    """Every document and reject of a shard, in the order of its files; one bad file never ends it."""
    for span in shard.spans:
        yield from _read_span(span, settings)


def read_documents(file: InputFile, settings: ReadSettings) -> Iterator[RawDocument | Reject]:
    """Every document and reject of one file."""
    return _read_span(Span(file, 0, file.bytes), settings)


def read_bytes(
    source: str, path_or_format: str, content: bytes, settings: ReadSettings
) -> Iterator[RawDocument | Reject]:
    """Read again what a document or reject kept.

    `path_or_format` is its ``input``, or a format's name. A document of a file that is one document has `source`; a
    record is named by its fields as it was before.
    """
    found = format_of(path_or_format)
    form, compression = found or (_by_name(path_or_format), None)
    path = path_or_format if found else source.partition("#")[0]
    if form.read is form.read_kept and not form.by_lines:
        path = source
    blocks: Iterator[bytes] = iter((content,))
    if compression and content.startswith(MAGIC[compression]):
        blocks = unpacked(io.BytesIO(content), compression, settings.max_unpacked_mb * MB)
    handed = Content(path, blocks, lambda: io.BytesIO(content), lines_before=lambda: 0)
    try:
        for result in form.read_kept(handed, settings):
            yield _with_input(result, path_or_format if found else path)
    except ReadError as error:
        yield Reject(source, "read", f"{path}: {error}", error.kind, content, input=path_or_format if found else path)


def file_sha256(file: InputFile) -> str:
    """SHA-256 (hex) of the file's bytes, streamed; empty for one that cannot be read (reading it gives the reject)."""
    digest = hashlib.sha256()
    try:
        with open_input(file.address) as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
    except (OSError, ReadError):
        return ""
    return digest.hexdigest()


def _read_span(span: Span, settings: ReadSettings) -> Iterator[RawDocument | Reject]:
    file = span.file
    found = format_of(file.path)
    if found is None:
        yield Reject(
            file.path, "read", f"{file.path}: has an ending no reader knows", "unknown_format", b"", input=file.path
        )
        return
    try:
        with open_input(file.address) as stream:
            yield from found[0].read(_content(span, stream, found, settings), settings)
    except ReadError as error:
        yield Reject(
            file.path, "read", f"{file.path}: {error}", error.kind, _stored(file, error.kind, settings), input=file.path
        )
    except OSError as error:  # the disk or the network failed while it was read
        yield Reject(file.path, "read", f"{file.path}: {unreadable(error)}", "unreadable", b"", input=file.path)


def _content(span: Span, stream: BinaryIO, found: tuple[Format, str | None], settings: ReadSettings) -> Content:
    file, compression, by_lines = span.file, found[1], found[0].by_lines
    if compression:
        blocks = unpacked(stream, compression, settings.max_unpacked_mb * MB)
        return Content(file.path, blocks, lambda: open_input(file.address), lines_before=lambda: 0)
    if by_lines and stream.read(4).startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)):
        # Its lines cannot be told by bytes: whoever has the first part reads it all.
        blocks = iter(()) if span.start else _transcoded(stream)
        return Content(file.path, blocks, lambda: open_input(file.address), is_whole=span.is_whole)
    # A line that begins at `start` is preceded by the line end at `start - 1`.
    first = max(span.start - 1, 0)
    stream.seek(first)
    end = None if span.end >= file.bytes else span.end
    count = cache(lambda: _lines_before(file, span.start)) if file.bytes <= COUNTED_BYTES else None
    return Content(
        file.path, _blocks(stream), lambda: open_input(file.address), first, span.start, end, count, span.is_whole
    )


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(BLOCK):
        yield block


def _lines_before(file: InputFile, start: int) -> int:
    """Lines that begin before `start`."""
    count, last, rest = 0, b"\n", start
    with open_input(file.address) as stream:
        while rest > 0 and (block := stream.read(min(BLOCK, rest))):
            count += block.count(b"\n")
            rest -= len(block)
            last = block
    return count + (not last.endswith(b"\n"))


def _transcoded(stream: BinaryIO) -> Iterator[bytes]:
    """A file in UTF-16 or UTF-32 with its mark, as UTF-8."""
    stream.seek(0)
    head = stream.read(4)
    stream.seek(0)
    name = "utf-32" if head in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE) else "utf-16"
    decoder = codecs.getincrementaldecoder(name)("replace")
    for block in _blocks(stream):
        yield decoder.decode(block).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode()


def _stored(file: InputFile, kind: str, settings: ReadSettings) -> bytes:
    """The file's bytes for the quarantine; none where they are too many or cannot be had."""
    if kind in ("unreadable", "too_large", "decompression_bomb") or file.bytes > settings.max_document_mb * MB:
        return b""
    try:
        with open_input(file.address) as stream:
            return b"".join(_blocks(stream))
    except (OSError, ReadError):
        return b""


def _by_name(name: str) -> Format:
    for form in FORMATS:
        if form.name == name:
            return form
    raise ReadError("unknown_format", f"{name!r} is no format; known: {', '.join(f.name for f in FORMATS)}")


def _with_input(result: RawDocument | Reject, path: str) -> RawDocument | Reject:
    from dataclasses import replace

    return result if result.input == path else replace(result, input=path)
