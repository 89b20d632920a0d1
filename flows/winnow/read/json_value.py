"""JSON that is no JSON lines: an array of records, an object about one, or records one after another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from winnow.base.errors import ReadError
from winnow.base.records import RawDocument, Reject
from winnow.read.content import MB, Content, sha256
from winnow.read.fields import Record, Records, value_of
from winnow.read.jsonl import parsed_object
from winnow.read.sources import FileSettings

_SCALAR = rb'(?:"(?:[^"\\]|\\.){0,1000}"|[-+0-9.eE]{1,40}|true|false|null|\{[^{}\[\]]{0,1000}\})'
# An object whose array holds the records: up to the bracket.
_WRAPPED = re.compile(
    rb'\s{0,99}\{\s{0,99}(?:"[^"\\]{0,80}"\s{0,9}:\s{0,9}' + _SCALAR + rb"\s{0,9},\s{0,99}){0,20}"
    rb'"[^"\\]{1,80}"\s{0,9}:\s{0,9}(?=\[\s{0,99}\{)'
)
# Strings, the last of which may go on in the next block, and brackets.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_BETWEEN = b" \t\r\n,"


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes from offset `at` on: a value in brackets, or what stands between two and is neither space nor comma."""

    at: int
    raw: bytes
    whole: bool


def read_kept_json(content: Content, settings: FileSettings) -> Iterator[RawDocument | Reject]:
    """The same of what is kept of a record: the object itself, whatever it holds."""
    return read_json(content, settings, is_record=True)


def read_json(content: Content, settings: FileSettings, is_record: bool = False) -> Iterator[RawDocument | Reject]:
    """A document or a reject for each record; what else stands in the file becomes rejects with its place.

    Records are the objects of an array, ``[{...}, ...]``; those of the array in an object that has no text of its own,
    ``{"total": 2, "items": [{...}, ...]}``; or the objects that stand one after another, be it only one. Memory is
    bounded by settings.max_document_mb.
    """
    records = Records(content, settings)
    row, limit = 0, int(settings.max_document_mb * MB)
    try:
        for piece in pieces_of(content.blocks, limit, settings.text_field, is_record):
            row += 1
            value, encoding, wrong = None, "utf-8", None
            try:
                if not piece.whole:
                    raise ReadError("not_json", "is not JSON: no object begins or ends here; mend it or leave it out")
                value, encoding = parsed_object(piece.raw, settings.charset, "write an array of objects")
            except Exception as error:
                wrong = error
            place = f", record {row} (byte {piece.at})"
            digest = sha256(piece.raw)
            record = Record(value=value, raw=piece.raw, sha256=digest, row=row, place=place, encoding=encoding)
            yield records.result(record, wrong)
    except ReadError as error:
        why = f", record {row + 1}: {error}; what stands before was read"
        yield content.reject(error.kind, why, error.tail, row=row + 1)
        return
    if not row:
        yield content.reject("empty", ": holds no record; remove it or write it again")


def _wrapped(head: bytes, text_fields: Sequence[str]) -> int | None:
    """Where in the head of a file the array of an object begins that has no text of its own."""
    found = _WRAPPED.match(head)
    if found is None or any(f'"{name}"'.encode() in found[0] for name in text_fields):
        return None
    try:
        whole = json.loads(head)
    except ValueError:
        return found.end()  # it goes on: the rest of the object cannot be known yet
    return None if any(value_of(whole, name) is not None for name in text_fields) else found.end()


def pieces_of(
    blocks: Iterator[bytes], limit: int, text_fields: Sequence[str] = (), is_record: bool = False
) -> Iterator[Piece]:
    """The records of a JSON file, and what stands between them; `is_record`: no object is about others.

    Raises ReadError of kind ``too_large`` where one has more than `limit` bytes.

    >>> [p.raw for p in pieces_of(iter([b'[{"a": "}"}, 5, {"b', b'": []}]']), 99)]
    [b'{"a": "}"}', b'5', b'{"b": []}']
    >>> [p.raw for p in pieces_of(iter([b'{"n": 1, "items": [{"a": 1}], "m": 2}']), 99)]
    [b'{"a": 1}']
    """
    held = next(blocks, b"")
    at = 3 if held.startswith(b"\xef\xbb\xbf") else 0  # offset of what is held in the file
    held = held[at:]
    wrapped = None if is_record else _wrapped(held, text_fields)
    if wrapped is not None:
        at, held = at + wrapped, held[wrapped:]
    base = 1 if held.lstrip()[:1] == b"[" else 0
    depth, done, scanned = 0, 0, 0  # done: up to where what is held was given out
    while True:
        for token in _TOKEN.finditer(held, scanned):
            sign = token[0][:1]
            if sign == b'"':
                if len(token[0]) < 2 or token[0][-1:] != b'"' or token.end() == len(held):
                    scanned = token.start()  # it may go on in the next block
                    break
            elif sign in b"[{":
                if depth == base:
                    yield from _between(held, at, done, token.start())
                    done = token.start()
                elif depth < base:
                    done = token.end()
                depth += 1
            else:
                depth -= 1
                if depth == base and done < token.end():
                    yield Piece(at + done, held[done : token.end()], True)
                    done = token.end()
                elif depth < base:
                    yield from _between(held, at, done, token.start())
                    done, depth = token.end(), 0
                    if wrapped is not None:
                        yield from _texts_behind(held[token.end() :], at + token.end(), blocks, text_fields)
                        return
            scanned = token.end()
        else:
            scanned = len(held)
        block = next(blocks, None)
        if block is None:
            break
        at, held, scanned, done = at + done, held[done:] + block, scanned - done, 0
        if len(held) > limit + len(block):
            raise ReadError("too_large", f"is larger than {limit / MB:g} MB; raise read.max_document_mb")
    yield from _between(held, at, done, len(held))


def _texts_behind(held: bytes, at: int, blocks: Iterator[bytes], text_fields: Sequence[str]) -> Iterator[Piece]:
    """What stands behind the array, if it names a text: it is not read, and not lost."""
    rest = held + next(blocks, b"")
    if any(f'"{name}"'.encode() in rest for name in text_fields):
        yield Piece(at, rest, False)


def _between(held: bytes, at: int, start: int, end: int) -> Iterator[Piece]:
    if raw := held[start:end].strip(_BETWEEN):
        yield Piece(at + start + held[start:end].index(raw), raw, False)
