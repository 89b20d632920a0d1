"""CSV and TSV with a head line: each row is a record of strings."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from functools import partial

import orjson

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject
from winnow.read.charset import decode
from winnow.read.content import MB, Content, sha256
from winnow.read.fields import Records, require_text_column
from winnow.read.jsonl import read_jsonl


def _read(content: Content, settings: ReadSettings, delimiter: str) -> Iterator[RawDocument | Reject]:
    r"""A document or a reject for each row; what is kept of a row is its record as JSON.

    Quoting is RFC 4180's. Bytes that are not UTF-8 are decoded field by field.
    """
    # A field that never closes its quote would swallow the file; the limit is the process's, and the same for all.
    csv.field_size_limit(int(settings.max_document_mb * MB))
    records = Records(content, settings)
    number = 0
    head: list[str] | None = None
    try:
        for number, row in enumerate(csv.reader(_lines(content.blocks), delimiter=delimiter), 1):
            fields = [_decoded(f) for f in row]
            if head is None:
                head = _distinct([f.strip() for f in fields])
                require_text_column(head, settings)
                continue
            if not fields:
                continue
            record = {h: f for h, f in zip(head, fields, strict=False) if f}
            # A row that does not fit the head is kept with it, field by field: nothing of it is cut off.
            raw = orjson.dumps(record if len(fields) <= len(head) else [head, fields])
            digest = sha256(raw)
            try:
                if len(fields) > len(head):
                    raise _too_many_fields(head, fields)
                document = records.document(record, raw, digest)
            except ReadError as error:
                yield records.reject(error, f", row {number}", record, raw, digest)
            else:
                yield document
    except csv.Error as error:
        yield content.reject("malformed_row", f", row {number + 1}: {error}; rows before it were read")
    except ReadError as error:
        yield content.reject(error.kind, f": {error}; what stands before was read")
    if head is None:
        yield content.reject("empty", ": is an empty file; remove it or write it again")


def _too_many_fields(head: list[str], fields: list[str]) -> ReadError:
    said = f"has {len(fields)} fields, the head line {len(head)}; quote fields with delimiters"
    return ReadError("malformed_row", said)


def _distinct(names: list[str]) -> list[str]:
    """Column names, each once: a second column of a name is told from the first by a number.

    >>> _distinct(["id", "note", "note"])
    ['id', 'note', 'note.2']
    """
    used: dict[str, int] = {}
    distinct = []
    for name in names:
        used[name] = used.get(name, 0) + 1
        distinct.append(name if used[name] == 1 else f"{name}.{used[name]}")
    return distinct


def read_kept_row(content: Content, settings: ReadSettings) -> Iterator[RawDocument | Reject]:
    """The row that a document or reject kept: its record as JSON, or head and fields of one that did not fit."""
    kept = b"".join(content.blocks)
    if not kept.startswith(b"["):
        again = Content(path=content.path, blocks=iter((kept,)), open=content.open, lines_before=content.lines_before)
        yield from read_jsonl(again, settings)
        return
    head, fields = orjson.loads(kept)
    record = {h: f for h, f in zip(head, fields, strict=False) if f}
    yield Records(content, settings).reject(_too_many_fields(head, fields), "", record, kept, sha256(kept))


read_csv = partial(_read, delimiter=",")
read_tsv = partial(_read, delimiter="\t")


def _lines(blocks: Iterator[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    rest = ""
    first = True
    for block in blocks:
        text = decoder.decode(block)
        if first:
            text, first = text.removeprefix("\ufeff"), False
        lines = (rest + text).split("\n") if "\n" in text else [rest + text]
        rest = lines.pop()
        yield from (line + "\n" for line in lines)
        if len(rest) > csv.field_size_limit():
            raise csv.Error("a line is longer than a document may be; raise read.max_document_mb")
    if rest:
        yield rest


def _decoded(field: str) -> str:
    """A field whose bytes are not UTF-8 (they stand as surrogates), decoded by itself."""
    if field.isascii():
        return field
    try:
        field.encode("utf-8")
        return field
    except UnicodeEncodeError:
        return decode(field.encode("utf-8", "surrogateescape")).text
