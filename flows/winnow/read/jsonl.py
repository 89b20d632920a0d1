"""JSON lines: one record a line, also as a part of a file that begins and ends anywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from winnow.base.errors import ReadError
from winnow.base.records import RawDocument, Reject, without_lone_surrogates
from winnow.read.charset import decode
from winnow.read.content import MB, Content, sha256
from winnow.read.fields import Record, Records
from winnow.read.sources import FileSettings

_MARKS = b"\x1e", b"\xef\xbb\xbf"  # before a record: of RFC 7464, and of files that were put one behind another


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line without its end. ``number`` counts from 0 at the content's start; one too long keeps its hash alone."""

    offset: int
    number: int
    raw: bytes
    size: int
    sha256: str | None = None


def read_jsonl(content: Content, settings: FileSettings) -> Iterator[RawDocument | Reject]:
    """A document or a reject for each line that is not blank; a broken end is one more reject, named by the file."""
    seen, row = False, content.lines_before()
    records = Records(content, settings)
    try:
        for line in lines_of(content, int(settings.max_document_mb * MB)):
            raw = line.raw.rstrip(b"\r \t")
            for mark in _MARKS:
                raw = raw.removeprefix(mark)
            if line.sha256 is None and raw in (b"", b"[", b"]"):
                continue
            seen = True
            row = content.lines_before() + line.number + 1
            place = f", line {row} (byte {line.offset})"
            value, encoding, wrong = None, "utf-8", None
            try:
                if line.sha256 is not None:
                    raise ReadError(
                        "too_large",
                        f"has {line.size} bytes, more than {settings.max_document_mb:g} MB, and is not kept here; "
                        "raise read.max_document_mb",
                    )
                bare = without_commas(raw)
                value, encoding = parsed_object(bare, settings.charset, "write one object a line")
                raw = bare
            except Exception as error:
                wrong = error
            digest = line.sha256 or sha256(raw)
            record = Record(value=value, raw=raw, sha256=digest, row=row, place=place, encoding=encoding)
            yield records.result(record, wrong)
    except ReadError as error:
        why = f": {error}; what stands before the break was read"
        yield content.reject(error.kind, why, error.tail, row=row + 1 if error.tail else None)
        return
    if not seen and content.is_whole:
        yield content.reject("empty", ": holds no record; remove it or write it again")


def without_commas(line: bytes) -> bytes:
    """An object without the brackets and the comma that an array in lines has about it.

    >>> without_commas(b'[{"a": 1},'), without_commas(b'{"a": 2}]'), without_commas(b'{"a": [{}]}')
    (b'{"a": 1}', b'{"a": 2}', b'{"a": [{}]}')
    """
    if line.startswith(b"[{") and line.endswith(b"},"):
        line = line[1:]
    return line[:-1] if line.startswith(b"{") and line.endswith((b"},", b"}]")) else line


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

    def line() -> Line:
        raw = carry[0] if len(carry) == 1 else b"".join(carry)
        return Line(offset=begin, number=number, raw=raw, size=size, sha256=digest.hexdigest() if digest else None)

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
                    yield line()
                    number += 1
                skipping, carry, size, digest, begin = False, [], 0, None, at
                if content.end is not None and begin >= content.end:
                    return
            if skipping and content.end is not None and at >= content.end:
                return
    except ReadError as error:
        raise ReadError(error.kind, str(error), tail=b"".join(carry)) from error
    if size and not skipping:
        yield line()


def parsed_object(raw: bytes, charset: str | None, remedy: str) -> tuple[dict[str, Any], str]:
    """The fields of a record and the encoding of its bytes.

    Raises ReadError as `parsed_record` does, and of kind ``not_an_object``, with the remedy, for any other JSON.
    """
    value, encoding = parsed_record(raw, charset)
    if not isinstance(value, dict):
        raise ReadError("not_an_object", f"is a JSON {type(value).__name__}, not an object; {remedy}")
    return value, encoding


def parsed_record(line: bytes, charset: str | None = None) -> tuple[Any, str]:
    """The JSON value of a line and the encoding of its bytes.

    orjson reads what is plain JSON in UTF-8; the standard library what it refuses (NaN, lone surrogates, whole numbers
    beyond 64 bits, control characters in strings). Bytes that are not UTF-8 are decoded as any others are, in `charset`
    where the recipe names one.

    Raises ReadError of kind ``not_json``, or ``binary`` where the line is full of zeros.
    """
    try:
        value = orjson.loads(line)
        if not (isinstance(value, dict) and any(isinstance(v, float) and abs(v) >= 2**53 for v in value.values())):
            return value, "utf-8"
    except orjson.JSONDecodeError:
        pass
    kind = "binary" if line.count(0) * 20 > len(line) else "not_json"
    try:
        text, encoding = line.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = decode(line, charset, certain=True)
    try:
        return _clean(json.loads(text, strict=False)), encoding  # not strict, strings hold tabs and other controls
    except RecursionError as error:
        raise ReadError(kind, "is nested too deeply; flatten it") from error
    except json.JSONDecodeError as error:
        why = f"{error.msg.lower()} at column {error.colno}"
        remedy = "name the file .json if objects take several lines or share one, or mend the line"
        raise ReadError(kind, f"is not JSON: {why}; {remedy}") from error
    except ValueError as error:  # whole numbers of more than 4,300 digits
        raise ReadError(kind, f"cannot be read as JSON: {error}; mend the line or leave it out") from error


def _clean(value: Any) -> Any:
    """The record with lone surrogates replaced in what is used as it is; nested values are written as ASCII JSON."""
    if not isinstance(value, dict):
        return value
    return {
        without_lone_surrogates(k): without_lone_surrogates(v) if isinstance(v, str) else v for k, v in value.items()
    }
