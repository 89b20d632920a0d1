"""Parquet: each row is a record; what is kept of a row is its record as JSON."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject
from winnow.read.content import MB, Content, sha256
from winnow.read.record import document_of, source_of


def read_parquet(content: Content, settings: ReadSettings) -> Iterator[RawDocument | Reject]:
    """A document or a reject for each row; raises ReadError for what is no Parquet file or has no text column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with content.open() as stream:
        try:
            table = pq.ParquetFile(stream if hasattr(stream, "size") else pa.PythonFile(stream, mode="r"))
        except (pa.ArrowException, OSError) as error:
            raise ReadError("damaged", f"is no whole Parquet file ({str(error)[:120]}); write it again") from error
        unpacked = sum(table.metadata.row_group(i).total_byte_size for i in range(table.num_row_groups))
        if unpacked > settings.max_unpacked_mb * MB:
            raise ReadError("decompression_bomb", f"unpacks to {unpacked} bytes; raise read.max_unpacked_mb to read it")
        if settings.text_field not in table.schema_arrow.names:
            names = ", ".join(repr(n[:40]) for n in table.schema_arrow.names[:8])
            raise ReadError(
                "no_text", f"has no column {settings.text_field!r} (its columns: {names}); name it in read.text_field"
            )
        number = 0
        try:
            for batch in table.iter_batches(batch_size=64):
                for record in batch.to_pylist():
                    number += 1
                    yield _document(record, number, content, settings)
        except (pa.ArrowException, OSError) as error:
            why = str(error).split("\n")[0][:120]
            yield content.reject("damaged", f", after row {number}: is damaged ({why}); rows before it were read", b"")


def _document(record: dict[str, object], number: int, content: Content, settings: ReadSettings) -> RawDocument | Reject:
    present = {k: _plain(v) for k, v in record.items() if v is not None}
    raw = orjson.dumps(present, default=str, option=orjson.OPT_NON_STR_KEYS)
    sha = sha256(raw)
    try:
        if len(raw) > settings.max_document_mb * MB:
            raise ReadError("too_large", f"has {len(raw)} bytes; raise read.max_document_mb")
        return document_of(present, raw, sha, "utf-8", content.path, settings)
    except ReadError as error:
        kept = b"" if error.kind == "too_large" else raw
        return content.reject(
            error.kind, f", row {number}: {error}", kept, source_of(present, sha, content.path, settings)
        )


def _plain(value: object) -> object:
    """Dates as ISO 8601 and bytes as text, as they stand in the record that is kept."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value
