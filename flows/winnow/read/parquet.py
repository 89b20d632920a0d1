"""Parquet: each row is a record; what is kept of a row is its record as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject
from winnow.read.content import MB, Content, sha256
from winnow.read.fields import Records, require_text_column


def read_parquet(content: Content, settings: ReadSettings) -> Iterator[RawDocument | Reject]:
    """A document or a reject for each row; raises ReadError for what is no Parquet file or has no text column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    records = Records(content, settings)
    with content.open() as stream:
        try:
            table = pq.ParquetFile(stream if hasattr(stream, "size") else pa.PythonFile(stream, mode="r"))
        except (pa.ArrowException, OSError) as error:
            raise ReadError("damaged", f"is no whole Parquet file ({str(error)[:120]}); write it again") from error
        unpacked = sum(table.metadata.row_group(i).total_byte_size for i in range(table.num_row_groups))
        if unpacked > settings.max_unpacked_mb * MB:
            raise ReadError("decompression_bomb", f"unpacks to {unpacked} bytes; raise read.max_unpacked_mb to read it")
        require_text_column(table.schema_arrow.names, settings)
        number = 0
        try:
            for batch in table.iter_batches(batch_size=64):
                for record in _rows(batch):
                    number += 1
                    yield _document(record, number, records)
        except (pa.ArrowException, OSError) as error:
            why = str(error).split("\n")[0][:120]
            yield content.reject("damaged", f", after row {number}: is damaged ({why}); rows before it were read")


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


def _document(row: dict[str, object], number: int, records: Records) -> RawDocument | Reject:
    record = {k: _plain(v) for k, v in row.items() if v is not None}
    raw = orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS)
    digest = sha256(raw)
    try:
        if len(raw) > records.settings.max_document_mb * MB:
            raise ReadError("too_large", f"has {len(raw)} bytes; raise read.max_document_mb")
        return records.document(record, raw, digest)
    except ReadError as error:
        return records.reject(error, f", row {number}", record, b"" if error.kind == "too_large" else raw, digest)


def _plain(value: object) -> object:
    """Dates as ISO 8601 and bytes as text, as they stand in the record that is kept."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value
