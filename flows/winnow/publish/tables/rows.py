"""Streams of rows out of Parquet files, in order and in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from winnow.base.conform import conform
from winnow.base.errors import ContractBroken, DatasetError

_BATCH_BYTES = 8 << 20  # documents may have megabytes each, edits have bytes


def read_rows(files: Iterable[Path], schema: pa.Schema, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Batches of the files' rows, in order, with the columns of `schema` (only `columns` of them if given).

    A column that a file does not have and that may be null is null. Raises DatasetError for rows that do not fit.
    """
    wanted = schema if columns is None else pa.schema([schema.field(c) for c in columns])
    for path in files:
        with pq.ParquetFile(path) as file:
            present = [n for n in wanted.names if n in file.schema_arrow.names]
            for batch in file.iter_batches(batch_size=batch_rows(file.metadata), columns=present):
                try:
                    rows = conform(pa.Table.from_batches([batch]), wanted, str(path), fill_absent=True)
                except ContractBroken as error:
                    raise DatasetError(str(error)) from error
                yield rows


def batch_rows(meta: pq.FileMetaData) -> int:
    """How many rows of a file make a batch of some megabytes, by the mean size of its rows."""
    size = sum(meta.row_group(n).total_byte_size for n in range(meta.num_row_groups))
    return max(64, min(65_536, int(_BATCH_BYTES * meta.num_rows // max(size, 1))))
