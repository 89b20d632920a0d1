"""Files to documents and rejects: which worker reads what, and one bad file costs one reject.

Small files are read together, big files of lines in parts. Rows never depend on where it is cut.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from typing import BinaryIO

from winnow.base.errors import InputChanged, ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import INTERNAL_ERROR, LeftOut, Read, Reject
from winnow.read.charset import HEAD, wide_charset
from winnow.read.content import (
    BLOCK,
    MB,
    Content,
    blocks_of,
    content_blocks,
    internal_error,
    is_packed,
    reject_of,
    unpack_limit,
)
from winnow.read.formats import FileType, type_of
from winnow.read.held_files import open_held
from winnow.read.input_files import unreadable
from winnow.read.listing import InputFile, InputFiles
from winnow.read.sources import FileSettings, settings_of
from winnow.read.zip_members import archive_of

MIN_PART = 1 << 20  # smaller parts cost more to open than to read
_LEAST_SHARD = 2 * MB  # a worker is started in the time it takes to clean so much
_SHARDS = 16  # into which little input is cut, so that no worker waits long for another's last one
MAX_FILES = 2_000  # small files of a shard; opening them costs as much as 32 MB of text


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes of a file from ``start`` to ``end``; a line belongs to the span in which it begins."""

    file: InputFile
    start: int
    end: int

    @property
    def bytes(self) -> int:
        return self.end - self.start

    @property
    def is_whole(self) -> bool:
        return self.start == 0 and self.end >= self.file.bytes


@dataclass(frozen=True, slots=True)
class Shard:
    """What one worker reads at a time: files one after another.

    Of the first it reads what begins at ``start``, of the last what begins before ``end`` (None: all of it).
    """

    files: InputFiles
    start: int = 0
    end: int | None = None

    @property
    def spans(self) -> Iterator[Span]:
        last = len(self.files) - 1
        for n, file in enumerate(self.files):
            end = file.bytes if n < last or self.end is None else self.end
            yield Span(file, 0 if n else self.start, end)


def plan_shards(inputs: InputFiles, settings: ReadSettings) -> list[Shard]:
    """Cut `inputs` into shards of at most about settings.shard_mb MB, in order.

    Uncompressed JSON lines are cut by byte range, into parts of one size; any other file is one span. Little input is
    cut finer, so that there is some for every worker.

    >>> files = InputFiles.of([InputFile("a.txt", "/a.txt", 10), InputFile("b.jsonl", "/b.jsonl", 2_500_000)])
    >>> how = ReadSettings(shard_mb=1.5)
    >>> [[(s.file.path, s.start, s.end) for s in shard.spans] for shard in plan_shards(files, how)]
    [[('a.txt', 0, 10), ('b.jsonl', 0, 1250000)], [('b.jsonl', 1250000, 2500000)]]
    """
    of_many = max(int(inputs.total_bytes / _SHARDS), _LEAST_SHARD)
    part = max(min(int(settings.shard_mb * MB), of_many), MIN_PART)
    shards: list[Shard] = []
    first = start = size = count = 0
    for number, file in enumerate(inputs):
        for span in _spans(file, part, settings):
            if count and (size + span.bytes > part or count >= MAX_FILES):
                # The span begins the next shard; the file it is a part of may end this one.
                shards.append(Shard(inputs[first : number + (span.start > 0)], start, span.start or None))
                first, start, size, count = number, span.start, 0, 0
            size += span.bytes
            count += 1
    return [*shards, Shard(inputs[first:], start)] if count else shards


def _spans(file: InputFile, part: int, settings: ReadSettings) -> list[Span]:
    found = type_of(file.path, settings)
    is_cut = file.bytes > part and found is not None and found.format.by_lines and not found.compression
    if not is_cut or archive_of(file.address):
        return [Span(file, 0, file.bytes)]
    size = -(-file.bytes // -(-file.bytes // part))
    return [Span(file, start, min(start + size, file.bytes)) for start in range(0, file.bytes, size)]


def read_shard(shard: Shard, settings: ReadSettings) -> Iterator[Read]:
    """Every document and reject of a shard, in the order of its files; one bad file never ends it."""
    for span in shard.spans:
        yield from _read_span(span, settings)


def read_documents(file: InputFile, settings: ReadSettings) -> Iterator[Read]:
    """Every document and reject of one file."""
    return _read_span(Span(file, 0, file.bytes), settings)


def read_bytes(
    source: str, path: str, content: bytes, settings: ReadSettings, row: int | None = None
) -> Iterator[Read]:
    """Read again what a document or reject of the input file `path` kept, of its record `row` if it is one.

    A document of a file that is one document has `source`; a record is named by its fields as it was before.
    """
    found, how = type_of(path, settings), settings_of(path, settings)
    if found is None:
        yield _unknown_format(path, content)
        return
    name = source if found.format.is_one_document else path
    blocks: Iterator[bytes] = iter((content,))
    if found.compression and is_packed(content, found.compression):
        blocks = content_blocks(io.BytesIO(content), found.compression, unpack_limit(len(content), settings))
    is_file = source == path and row is None
    if found.format.is_text:  # what is kept of a record is in UTF-8
        blocks = _in_utf8(blocks, how.charset if is_file else None)
    handed = Content(path=name, blocks=blocks, open=lambda: io.BytesIO(content))
    try:
        for result in found.format.read_kept(handed, how):
            if isinstance(result, LeftOut):
                yield result
            else:
                # The rows of a file are counted anew; that of a record is known, or from before rows were.
                yield replace(result, input=path, row=result.row if is_file else row)
    except ReadError as error:
        yield replace(reject_of(name, error.kind, f": {error}", content, source), input=path)
    except Exception as error:  # the last net, as for a file
        yield replace(internal_error(name, "", error, content, source, row), input=path)


def _unknown_format(path: str, content: bytes = b"") -> Reject:
    return reject_of(path, "unknown_format", ": has an ending no reader knows", content)


def _read_span(span: Span, settings: ReadSettings) -> Iterator[Read]:
    file, how = span.file, settings_of(span.file.path, settings)
    found = type_of(file.path, settings)
    if found is None:
        yield reject_of(file.path, "unreadable", f": {file.fault}") if file.fault else _unknown_format(file.path)
        return
    try:
        with open_held(file) as stream:
            yield from found.format.read(_content(span, stream, found, how), how)
    except ReadError as error:
        yield reject_of(file.path, error.kind, f": {error}", _stored(file, error.kind, settings))
    except OSError as error:  # the disk or the network failed while it was read
        yield reject_of(file.path, "unreadable", f": {unreadable(error)}")
    except InputChanged:
        raise
    except Exception as error:  # a last net: one file must not end a run
        yield internal_error(file.path, "", error, _stored(file, INTERNAL_ERROR, settings))


def _content(span: Span, stream: BinaryIO, found: FileType, settings: FileSettings) -> Content:
    file = span.file

    def reopen() -> BinaryIO:
        return open_held(file)

    if found.compression:
        blocks = content_blocks(stream, found.compression, unpack_limit(file.bytes, settings))
        blocks = _in_utf8(blocks, settings.charset) if found.format.is_text else blocks
        return Content(path=file.path, blocks=blocks, open=reopen)
    if found.format.is_text and (charset := wide_charset(stream.read(HEAD), settings.charset)):
        # Its lines cannot be told by bytes: whoever has the first part reads it all.
        stream.seek(0)
        blocks = iter(()) if span.start else _transcoded(blocks_of(stream), charset)
        return Content(path=file.path, blocks=blocks, open=reopen, is_whole=span.is_whole)
    # A line that begins at `start` is preceded by the line end at `start - 1`.
    first = max(span.start - 1, 0)
    stream.seek(first)
    return Content(
        path=file.path,
        blocks=blocks_of(stream),
        open=reopen,
        first=first,
        start=span.start,
        end=None if span.end >= file.bytes else span.end,
        lines_before=cache(lambda: _lines_before(span)),
        is_whole=span.is_whole,
    )


def _lines_before(span: Span) -> int:
    """Lines that begin before a span; what was counted when its file was held is not counted again."""
    file, at, count = span.file, 0, 0
    if file.held and file.held.lines and span.start:
        number = (span.start - 1) // file.held.block_bytes
        at, count = number * file.held.block_bytes, file.held.lines_before(number)
    last, rest = b"\n", span.start - at
    with open_held(file) as stream:
        stream.seek(at)
        while rest > 0 and (block := stream.read(min(BLOCK, rest))):
            count += block.count(b"\n")
            rest -= len(block)
            last = block
    return count + (not last.endswith(b"\n"))


def _in_utf8(blocks: Iterator[bytes], said: str | None) -> Iterator[bytes]:
    """What is in a charset whose line ends are not those of ASCII as UTF-8; anything else as it is."""
    first = next(blocks, b"")
    whole = chain((first,), blocks)
    charset = wide_charset(first[:HEAD], said)
    yield from _transcoded(whole, charset) if charset else whole


def _transcoded(blocks: Iterator[bytes], charset: str) -> Iterator[bytes]:
    """A file in another charset as UTF-8; half a character at its end (a cut line end) is left out."""
    decoder = codecs.getincrementaldecoder(charset)("replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "replace")
    if decoder.getstate()[0].strip(b"\0\r\n"):
        yield decoder.decode(b"", final=True).encode()


def _stored(file: InputFile, kind: str, settings: ReadSettings) -> bytes:
    """The file's bytes for the quarantine; none where they are too many or cannot be had."""
    if kind in ("unreadable", "too_large", "decompression_bomb") or file.bytes > settings.max_document_mb * MB:
        return b""
    try:
        with open_held(file) as stream:
            return b"".join(blocks_of(stream))
    except (OSError, ReadError):
        return b""
