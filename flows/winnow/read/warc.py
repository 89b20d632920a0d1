"""WARC and WET (ISO 28500): each response, conversion or resource record that holds text is a document.

Where a record begins and ends is found here, so that a broken one costs itself alone; FastWARC reads what stands in it.
Left out and counted: requests, metadata, revisits, answers other than 2xx, and what is neither a page nor plain text.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import LeftOut, RawDocument, Read, Reject
from winnow.read.charset import decode
from winnow.read.content import (
    MAGIC,
    MB,
    Content,
    internal_error,
    is_plain,
    sha256,
    unpack_limit,
    unpacked,
    unpacked_over_breaks,
)
from winnow.read.fields import parsed_date
from winnow.read.html import page_of

_HEAD_BYTES = 1 << 16  # a longer head is none; FastWARC's own limit is half of it
_NEXT = re.compile(rb"\nWARC/\d\.\d{1,2}[ \t]{0,4}\r?\n")
_NEXT_BYTES = 16  # the longest start of one that a block may end in
_LINE_ENDS = re.compile(rb"[\r\n]+")
_HEAD = re.compile(rb"WARC/\d\.\d{1,2}[ \t]*+\r?\n(?:[^\r\n:]{1,200}+:[^\r\n]*+\r?\n|[ \t][^\r\n]*+\r?\n)*+\r?\n")
_LENGTH = re.compile(rb"\nContent-Length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?\n", re.IGNORECASE)
_URI = re.compile(rb"\nWARC-Target-URI[ \t]*:[ \t]*([^\r\n]{1,8192})", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]{0,9}(?:;[^\r\n]{0,1000})?\r?\n")
_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([^\s\"';,]{1,40})", re.IGNORECASE)
_PAGES = frozenset({"text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"})
_TEXTS = frozenset({"text/plain", "text/markdown", "text/x-markdown"})
_MARKUP = re.compile(rb"[\s\xef\xbb\xbf]{0,200}<(?:!doctype\s{1,9}html|html|head|body|\?xml|!--)", re.IGNORECASE)
_KINDS = ("response", "conversion", "resource")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A record as it stands from byte ``offset`` of the unpacked file on; ``error`` tells why it is broken."""

    offset: int
    raw: bytes
    error: ReadError | None = None


def read_warc(content: Content, settings: ReadSettings) -> Iterator[Read]:
    """A document or a reject for each record with text; what is kept of a record is the record as it stands."""
    with content.open() as stream:
        is_gzip = stream.read(2) == MAGIC["gzip"]
        stored = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        limit = unpack_limit(stored, settings)
        blocks: Iterator[bytes | ReadError] = content.blocks
        if is_gzip:
            blocks = unpacked_over_breaks(stream, "gzip", limit)
        archive = _Archive(content, settings, limit)
        for piece in _Pieces(blocks, int(settings.max_document_mb * MB)):
            result = archive.result(piece)
            if result is None:
                continue
            yield result
            if isinstance(result, Reject) and result.expectation == "decompression_bomb":
                break
        if archive.left_out:
            yield LeftOut(input=content.path, records=archive.left_out)
        if not archive.records:
            yield content.reject("empty", ": holds no record; remove it or write it again")


def read_kept_warc(content: Content, settings: ReadSettings) -> Iterator[Read]:
    """What the bytes of one record hold."""
    yield from read_warc(content, settings)


@dataclass(slots=True)
class _Pieces:
    """Cuts a stream into records.

    A record ends where its length says if nothing, or the next record, follows there. If not, one of the two is
    broken, and the record ends where the next one begins. So does one of more than `limit` bytes.
    """

    blocks: Iterator[bytes | ReadError]
    limit: int
    _held: bytearray = field(default_factory=bytearray)
    _offset: int = 0
    _break: ReadError | None = None  # what is held ends in it: nothing that comes after belongs to it
    _ended: bool = False

    def __iter__(self) -> Iterator[_Piece]:
        is_told = False
        while self._has(1) or self._break is not None:
            if blank := _LINE_ENDS.match(self._held):
                self._drop(blank.end())
            if self._held:
                piece = self._next()
                yield piece
                is_told = piece.error is not None
            elif self._break is not None:
                error, self._break = self._break, None
                if not is_told:  # a break may look like several
                    yield _Piece(offset=self._offset, raw=b"", error=error)
                is_told = True

    def _next(self) -> _Piece:
        self._has(_HEAD_BYTES)
        head = _HEAD.match(self._held, 0, _HEAD_BYTES)
        if head is None:
            is_begun = self._held.startswith(b"WARC/")
            piece = self._broken(1, ReadError("not_a_record", "is no WARC record; fetch or write it again"))
            return self._cut(piece, "breaks off in its head; fetch it again") if is_begun else piece
        end = head.end()
        length = _LENGTH.search(self._held, 0, end)
        if length is None:
            error = ReadError("malformed_record", "has no Content-Length; write the record again")
            return self._broken(end, error)
        size = end + int(length[1])
        if size > self.limit:
            why = f"has {size} bytes and is not kept here; raise read.max_document_mb"
            return self._broken(end, ReadError("too_large", why))
        is_whole = self._has(size)
        if is_whole and self._is_followed(size):
            piece = _Piece(offset=self._offset, raw=bytes(self._held[:size]))
            self._drop(size)
            return piece
        why = "does not end where its Content-Length says; fetch or write it again"
        piece = self._broken(end, ReadError("malformed_record", why))
        return piece if is_whole else self._cut(piece, why)

    def _cut(self, piece: _Piece, why: str) -> _Piece:
        """The piece as a truncated one where the file ends with it."""
        is_told = piece.error is None or piece.error.kind not in ("malformed_record", "not_a_record")
        return piece if is_told or self._held else replace(piece, error=ReadError("truncated", why))

    def _is_followed(self, size: int) -> bool:
        self._has(size + 4 + _NEXT_BYTES)
        rest = bytes(self._held[size : size + 4 + _NEXT_BYTES])
        return rest.startswith(b"\r\n\r\n") or b"WARC/".startswith(rest.lstrip(b"\r\n")[:5])

    def _broken(self, start: int, error: ReadError) -> _Piece:
        """What stands before the next record, which is looked for from `start` on; of too much its head alone."""
        offset, head = self._offset, b""
        passed = error.kind == "too_large"
        while not (found := _NEXT.search(self._held, start)):
            start = max(start, len(self._held) - _NEXT_BYTES)
            if len(self._held) > self.limit:
                head = head or bytes(self._held[:_HEAD_BYTES])
                self._drop(start)
                start, passed = 0, True
            if not self._has(len(self._held) + 1):
                break
        if not found and self._break is not None:
            error, self._break = self._break, None
        size = found.start() + 1 if found else len(self._held)
        if passed or size > self.limit:
            why = str(error) if error.kind == "too_large" else f"{error}; its bytes are too many to be kept here"
            head = head or bytes(self._held[: min(size, _HEAD_BYTES)])
            piece = _Piece(offset=offset, raw=head, error=ReadError("too_large", why))
        else:
            piece = _Piece(offset=offset, raw=bytes(self._held[:size]), error=error)
        self._drop(size)
        return piece

    def _has(self, size: int) -> bool:
        """Whether `size` bytes are held, after reading on; not beyond a break."""
        while len(self._held) < size and not self._ended and self._break is None:
            try:
                block = next(self.blocks, None)
            except ReadError as error:
                block, self._ended = error, True
            if block is None:
                self._ended = True
            elif isinstance(block, ReadError):
                self._break = block
            else:
                self._held += block
        return len(self._held) >= size

    def _drop(self, size: int) -> None:
        del self._held[:size]
        self._offset += size


@dataclass(slots=True)
class _Archive:
    """Makes the records of one archive documents, rejects, or records that are left out (None)."""

    content: Content
    settings: ReadSettings
    budget: float  # bytes that packed bodies may still unpack to: an archive may pack a bomb a record
    records: int = 0
    left_out: int = 0

    def result(self, piece: _Piece) -> RawDocument | Reject | None:
        self.records += 1
        digest = sha256(piece.raw)
        found = _URI.search(piece.raw, 0, _HEAD_BYTES)
        uri = found[1].decode("utf-8", "replace").strip().removeprefix("<").removesuffix(">") if found else ""
        source = uri or f"{self.content.path}#{digest[:16]}"
        place = f", record at byte {piece.offset}"
        try:
            if piece.error is not None:
                raise piece.error
            document = self._document(piece.raw, source, digest)
        except ReadError as error:
            kept = b"" if error.kind == "too_large" else piece.raw
            return self.content.reject(error.kind, f"{place}: {error}", kept, source, self.records)
        except Exception as error:
            return internal_error(self.content.path, place, error, piece.raw, source, self.records)
        self.left_out += document is None
        return document

    def _document(self, raw: bytes, source: str, digest: str) -> RawDocument | None:
        from fastwarc.warc import WarcRecord

        try:
            record = WarcRecord.from_reader(io.BytesIO(raw), quirks_mode=True)  # which takes LF for CRLF
            kind = str(record.headers.get("WARC-Type") or "").lower()
            if kind not in _KINDS:
                return None
            is_http = record.is_http and kind != "conversion"
            if is_http:
                record.parse_http(auto_decode="none", quirks_mode=True)
            headers = record.http_headers if is_http else record.headers
            body = record.reader.read()
        except (OSError, ValueError) as error:
            why = str(error).split("\n")[0][:120]
            raise ReadError("malformed_record", f"is no whole WARC record ({why}); fetch or write it again") from error
        if is_http:
            if headers is None or not headers.status_code:
                raise ReadError("malformed_record", "holds no whole HTTP head; fetch or write it again")
            if not 200 <= int(headers.status_code) < 300:
                return None
        declared_type = str(headers.get("Content-Type") or "")
        media = declared_type.partition(";")[0].strip().lower()
        media = str(record.headers.get("WARC-Identified-Payload-Type") or media).partition(";")[0].strip().lower()
        if media and media not in _PAGES and media not in _TEXTS:
            return None
        if is_http:
            body = self._decoded(body, headers)
        if not media:
            if not _MARKUP.match(body) and not is_plain(body):
                return None
            media = "text/html" if _MARKUP.match(body) else "text/plain"
        charset = _CHARSET.search(declared_type)
        if not body.strip():
            raise ReadError("empty", "holds no text; leave it out")
        declared = charset[1] if charset else None
        if media in _PAGES:
            page = page_of(body, declared)
            title, text, encoding = page.title, page.text, page.encoding
        else:
            title, (text, encoding) = None, decode(body, declared)
        if not text.strip():
            raise ReadError("empty", "holds nothing but white space; leave it out")
        return RawDocument(
            source=source, text=text, encoding=encoding, content_sha256=digest, title=title,
            collected_at=parsed_date(record.headers.get("WARC-Date")), metadata=_metadata(record, media), content=raw,
            input=self.content.path, row=self.records,
        )  # fmt: skip

    def _decoded(self, body: bytes, headers: Any) -> bytes:
        """The body without its transfer and content encodings; one that was taken off already is none."""
        names = ",".join(str(headers.get(n) or "") for n in ("Content-Encoding", "Transfer-Encoding")).lower()
        for name in reversed([name.strip() for name in names.split(",")]):
            if name == "chunked":
                body = _joined(body)
            elif name in _UNPACKERS and not is_plain(body[:512]):
                body = self._unpacked(body, _UNPACKERS[name])
        return body

    def _unpacked(self, body: bytes, compression: str) -> bytes:
        most = self.settings.max_document_mb * MB
        if compression == "deflate" and not _has_zlib_head(body):
            compression = "raw deflate"
        parts: list[bytes] = []
        size = 0
        for block in unpacked(io.BytesIO(body), compression, self.budget):
            parts.append(block)
            size += len(block)
            self.budget -= len(block)
            if size > most:
                raise ReadError("too_large", f"unpacks to more than {most / MB:g} MB; raise read.max_document_mb")
        return b"".join(parts)


_UNPACKERS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "br": "brotli", "zstd": "zstd"}


def _has_zlib_head(body: bytes) -> bool:
    try:
        zlib.decompressobj().decompress(body[:2])
    except zlib.error:
        return False
    return True


def _joined(body: bytes) -> bytes:
    """A chunked body in one piece. Raises ReadError of kind ``truncated`` where it breaks off."""
    if not _CHUNK.match(body):  # an archiver that took the chunks off left the header
        return body
    chunks: list[bytes] = []
    at = 0
    while head := _CHUNK.match(body, at):
        size = int(head[1], 16)
        if not size:
            return b"".join(chunks)
        chunks.append(body[head.end() : head.end() + size])
        at = head.end() + size + 2
    raise ReadError("truncated", "breaks off in its chunks; fetch it again")


def _metadata(record: Any, media: str) -> dict[str, str]:
    names = ("WARC-Record-ID", "WARC-Refers-To", "WARC-Identified-Content-Language", "WARC-Truncated")
    found = {name.lower().replace("-", "_"): str(record.headers.get(name) or "") for name in names}
    return {name: value for name, value in {**found, "content_type": media}.items() if value}
