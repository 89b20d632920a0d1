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
from winnow.read.fields import Record, Records, require_columns
from winnow.read.jsonl import read_jsonl
from winnow.read.sources import FileSettings


def read_parquet(content: Content, settings: FileSettings) -> Iterator[RawDocument | Reject]:
    """A document or a reject for each row; raises ReadError for what is no Parquet file or has no text column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    records = Records(content, settings)
    with content.open() as stream:
        try:
            table = pq.ParquetFile(stream if hasattr(stream, "size") else pa.PythonFile(stream, mode="r"))
        except (pa.ArrowException, OSError) as error:
            raise ReadError("damaged", f"is no whole Parquet file ({str(error)[:120]}); write it again") from error
        require_columns(table.schema_arrow.names, settings)
        nulls = {name: None for name in settings.text_field if name in table.schema_arrow.names}
        # A dictionary yields one long value for every row: bytes are counted as they come out.
        limit, number = unpack_limit(stream.seek(0, io.SEEK_END), settings), 0
        try:
            for batch in table.iter_batches(batch_size=_batch_rows(table.metadata)):
                for row in _rows(batch):
                    record = {k: _plain(v) for k, v in row.items() if v is not None}
                    raw = orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS)
                    limit -= len(raw)
                    if limit < 0:
                        why = "unpacks to more than it may; raise read.max_unpacked_mb or read.max_unpacked_ratio"
                        place = f", after row {number}: {why}; rows before it were read"
                        yield content.reject("decompression_bomb", place)
                        return
                    number += 1
                    yield _document(nulls | record, raw, number, records)
        except (pa.ArrowException, OSError) as error:
            why = str(error).split("\n")[0][:120]
            yield content.reject("damaged", f", after row {number}: is damaged ({why}); rows before it were read")


def _batch_rows(metadata: Any) -> int:
    """Rows to take at a time: no row holds more of a column than its chunk, and a batch is to hold 512 MB at most."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    chunks: list[int] = [g.column(c).total_uncompressed_size for g in groups for c in range(g.num_columns)]
    return max(1, min(64, 512 * MB // max([1, *chunks])))


def read_kept_parquet(content: Content, settings: FileSettings) -> Iterator[RawDocument | Reject]:
    """What a document or reject kept: a record as JSON, or the whole file."""
    with content.open() as stream:
        is_file = stream.read(4) == b"PAR1"
    return read_parquet(content, settings) if is_file else read_jsonl(content, settings)


def _rows(batch: Any) -> Iterator[dict[str, object]]:
    """The rows of a batch; a value that Python has no form of (a date beyond the calendar) as its number."""
    try:
        yield from batch.to_pylist()
    except (OverflowError, ValueError):
        for number in range(batch.num_rows):
            yield {name: _value(batch.column(name)[number]) for name in batch.schema.names}


def _value(scalar: Any) -> object:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return getattr(scalar, "value", None) if hasattr(scalar, "value") else str(scalar)


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
