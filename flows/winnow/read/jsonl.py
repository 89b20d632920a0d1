"""JSON lines: one record a line, also as a part of a file that begins and ends anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject
from winnow.read.content import MB, Content, sha256
from winnow.read.record import document_of, parsed_record, source_of


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end. ``number`` counts from 0 at the content's start; one too long keeps its hash."""

    offset: int
    number: int
    raw: bytes
    size: int
    sha256: str | None = None


def read_jsonl(content: Content, settings: ReadSettings) -> Iterator[RawDocument | Reject]:
    """A document or a reject for each line that is not blank; a broken end is one more reject, named by the file."""
    seen = False
    limit = int(settings.max_document_mb * MB)
    path = content.path
    try:
        for line in lines_of(content, limit):
            raw = line.raw.rstrip(b"\r \t")
            if line.offset == 0:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if line.sha256 is None and not raw:
                continue
            seen = True
            sha = line.sha256 or sha256(raw)
            record: object = None
            try:
                if line.sha256 is not None:
                    raise ReadError(
                        "too_large",
                        f"has {line.size} bytes, more than {settings.max_document_mb:g} MB, and is not kept here; "
                        "raise read.max_document_mb",
                    )
                record, encoding = parsed_record(raw)
                if not isinstance(record, dict):
                    kind = type(record).__name__
                    raise ReadError("not_an_object", f"is a JSON {kind}, not an object; write one object a line")
                document = document_of(record, raw, sha, encoding, path, settings)
            except ReadError as error:
                kind = "binary" if raw.count(0) * 20 > len(raw) else error.kind
                yield content.reject(
                    kind, f"{_place(content, line)}: {error}", raw, source_of(record, sha, path, settings)
                )
            else:
                yield document
    except ReadError as error:
        tail = getattr(error, "tail", b"")
        yield content.reject(error.kind, f": {error}; what stands before the break was read", tail)
        return
    if not seen and content.is_whole:
        yield content.reject("empty", ": holds no record; remove it or write it again", b"")


def lines_of(content: Content, limit: int) -> Iterator[Line]:
    """The lines that begin in the content's range; memory is bounded by `limit` and a block.

    A ReadError of the stream goes through, with the line it broke off in as ``tail``.
    """
    at = content.first
    number = 0
    carry: list[bytes] = []
    size = 0
    digest = None
    skipping = content.start > content.first  # the line that holds the byte before `start` is the part before's
    begin = at
    try:
        for block in content.blocks:
            pieces = block.split(b"\n")
            last = len(pieces) - 1
            for index, piece in enumerate(pieces):
                at += len(piece)
                if not skipping:
                    size += len(piece)
                    if digest is not None:
                        digest.update(piece)
                    elif size > limit:
                        digest = hashlib.sha256(b"".join(carry) + piece)
                        carry = []
                    elif piece:
                        carry.append(piece)
                if index == last:
                    break
                at += 1
                if not skipping:
                    raw = carry[0] if len(carry) == 1 else b"".join(carry)
                    yield Line(begin, number, raw, size, digest.hexdigest() if digest else None)
                    number += 1
                skipping, carry, size, digest, begin = False, [], 0, None, at
                if content.end is not None and begin >= content.end:
                    return
            if skipping and content.end is not None and at >= content.end:
                return
    except ReadError as error:
        error.tail = b"".join(carry)  # type: ignore[attr-defined]
        raise
    if size and not skipping:
        yield Line(begin, number, b"".join(carry), size, digest.hexdigest() if digest else None)


def _place(content: Content, line: Line) -> str:
    if content.lines_before is None:
        return f" at byte {line.offset}"
    return f", line {content.lines_before() + line.number + 1} (byte {line.offset})"
