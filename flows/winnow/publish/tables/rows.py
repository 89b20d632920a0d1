"""Streams of rows out of Parquet files, in order and in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from winnow.base.errors import DatasetError

_BATCH_BYTES = 8 << 20  # documents may have megabytes each, edits have bytes


def read_rows(files: Iterable[Path], schema: pa.Schema, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Batches of the files' rows, in order, with the columns of `schema` (only `columns` of them if
    given)."""
    wanted = schema if columns is None else pa.schema([schema.field(c) for c in columns])
    for path in files:
        with pq.ParquetFile(path) as file:
            present = [n for n in wanted.names if n in file.schema_arrow.names]
            for batch in file.iter_batches(batch_size=batch_rows(file.metadata), columns=present):
                yield conform(pa.Table.from_batches([batch]), wanted, path)


def batch_rows(meta: pq.FileMetaData) -> int:
    """How many rows of a file make a batch of some megabytes, by the mean size of its rows."""
    size = sum(meta.row_group(n).total_byte_size for n in range(meta.num_row_groups))
    return max(64, min(65_536, _BATCH_BYTES * meta.num_rows // max(size, 1)))


def conform(rows: pa.Table, schema: pa.Schema, origin: object) -> pa.Table:
    """The rows with exactly the columns of `schema`: in its order and types, nulls where a nullable one is
    missing.

    Raises DatasetError for a column that is missing and may not be null, or whose type cannot be cast without
    loss.
    """
    arrays = []
    for field in schema:
        if field.name not in rows.schema.names:
            if not field.nullable:
                raise DatasetError(f"{origin}: column {field.name} is missing")
            arrays.append(pa.chunked_array([pa.nulls(rows.num_rows, field.type)]))
            continue
        column = rows.column(field.name)
        if column.type != field.type:
            try:
                column = column.cast(field.type)
            except pa.ArrowException as error:
                raise DatasetError(
                    f"{origin}: column {field.name} is {column.type}, not {field.type}: {error}"
                ) from error
        arrays.append(column)
    return pa.Table.from_arrays(arrays, schema=schema)
