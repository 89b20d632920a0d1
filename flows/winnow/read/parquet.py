"""Parquet: each row is a record; what is kept of a row is its record as JSON."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import orjson

from winnow.base.errors import ReadError
from winnow.base.records import RawDocument, Reject
from winnow.read.charset import decode
from winnow.read.content import MB, Content, sha256, unpack_limit
from winnow.read.fields import Record, Records, distinct, require_columns
from winnow.read.jsonl import read_jsonl
from winnow.read.sources import FileSettings


def read_parquet(content: Content, settings: FileSettings) -> Iterator[RawDocument | Reject]:
    """A document or a reject for each row, and one reject for all row groups that are damaged.

    Raises ReadError for what is no Parquet file or has no text column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    damage = (pa.ArrowException, OSError, UnicodeDecodeError)  # the last of names of columns
    records = Records(content, settings)
    with content.open() as stream:
        try:
            source = stream if hasattr(stream, "size") else pa.PythonFile(stream, mode="r")
            table = pq.ParquetFile(source, page_checksum_verification=True)  # of the pages that have one
            names = distinct(table.schema_arrow.names)
        except damage as error:
            raise ReadError("damaged", f"is no whole Parquet file ({_why(error)}); write it again") from error
        require_columns(names, settings)
        nulls = {name: None for name in settings.text_field if name in names}
        # A dictionary yields one long value for every row: bytes are counted as they come out.
        limit, number = unpack_limit(stream.seek(0, io.SEEK_END), settings), 0
        unread, why = list[str](), ""
        for index in range(table.metadata.num_row_groups):
            group = table.metadata.row_group(index)
            end = number + group.num_rows
            try:
                for batch in table.iter_batches(batch_size=_batch_rows(group), row_groups=[index]):
                    for row in _rows(batch, names):
                        record = {k: _plain(v) for k, v in row.items() if v is not None}
                        raw = orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS)
                        limit -= len(raw)
                        if limit < 0:
                            much = "unpacks to more than it may; raise read.max_unpacked_mb or read.max_unpacked_ratio"
                            place = f", after row {number}: {much}; rows before it were read"
                            yield content.reject("decompression_bomb", place)
                            return
                        number += 1
                        yield _document(nulls | record, raw, number, records)
            except damage as error:
                unread.append(f"{number + 1} to {end}")
                number, why = max(number, end), _why(error)
        if unread:
            which = ", ".join(unread[:_MOST_NAMED]) + (" and more" if len(unread) > _MOST_NAMED else "")
            yield content.reject(
                "damaged", f", rows {which}: cannot be read ({why}); write it again; the rest was read"
            )


_MOST_NAMED = 5  # damaged row groups that a message names


def _why(error: Exception) -> str:
    return str(error).split("\n")[0][:120]


def _batch_rows(group: Any) -> int:
    """Rows to take at a time: a batch is to hold 512 MB at most, and no row holds more than its row group.

    Nothing is asked of the group's columns: pyarrow ends the process where one is encrypted or damaged.
    """
    of_group: int = group.total_byte_size
    return max(1, min(64, 512 * MB // max(1, of_group)))


def read_kept_parquet(content: Content, settings: FileSettings) -> Iterator[RawDocument | Reject]:
    """What a document or reject kept: a record as JSON, or the whole file."""
    with content.open() as stream:
        is_file = stream.read(4) == b"PAR1"
    return read_parquet(content, settings) if is_file else read_jsonl(content, settings)


def _rows(batch: Any, names: list[str]) -> Iterator[dict[str, object]]:
    for row in zip(*map(_values, batch.columns), strict=True):
        yield dict(zip(names, row, strict=True))


_NO_FORM = (OverflowError, ValueError, KeyError)  # the last for a time zone that is none


def _values(column: Any) -> list[object]:
    try:
        return list(column.to_pylist())
    except _NO_FORM:
        return [_value(scalar) for scalar in column]


def _value(scalar: Any) -> object:
    """A value as Python has it.

    What it has no form of: a date beyond the calendar is its number; one in an unknown time zone is in UTC, as which
    it is stored; text that is no UTF-8 is decoded.
    """
    import pyarrow as pa

    try:
        return scalar.as_py()
    except _NO_FORM:
        if getattr(scalar.type, "tz", "UTC") != "UTC":
            return _value(scalar.cast(pa.timestamp(scalar.type.unit, "UTC")))
        if isinstance(scalar, pa.StructScalar):
            return {name: _value(part) for name, part in scalar.items()}
        if hasattr(scalar, "as_buffer"):
            return _plain(scalar.as_buffer().to_pybytes())
        if hasattr(scalar, "values"):
            return [_value(part) for part in scalar.values]
        inner = getattr(scalar, "value", None)
        return _value(inner) if isinstance(inner, pa.Scalar) else inner


def _document(fields: dict[str, object], raw: bytes, number: int, records: Records) -> RawDocument | Reject:
    too_large = len(raw) > records.settings.max_document_mb * MB
    kept = b"" if too_large else raw
    row = Record(value=fields, raw=kept, sha256=sha256(raw), row=number, place=f", row {number}")
    error = ReadError("too_large", f"has {len(raw)} bytes; raise read.max_document_mb") if too_large else None
    return records.result(row, error)


def _plain(value: object) -> object:
    """Dates as ISO 8601 and bytes as text in the charset they are in, as they stand in the record that is kept."""
    if isinstance(value, bytes):
        try:
            return decode(value).text
        except ReadError:  # no text in any charset: an image, a hash
            return value.decode("latin-1")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value
