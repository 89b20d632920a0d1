"""Parquet files of a dataset: rows out of them in batches, and into files of a wished size, hashed and flushed."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from winnow.base.conform import conform
from winnow.base.disk import flush
from winnow.base.errors import ContractBroken, DatasetError
from winnow.base.files import NewFile, parquet_file, place_for

_BATCH_BYTES = 8 << 20  # documents may have megabytes each, edits have bytes
_GROUP_BYTES = 64 << 20  # a row group is held in memory while it is encoded
_GROUP_ROWS = 262_144
# Columns of few values. For others a dictionary is built and thrown away; without it, writing is a fifth quicker.
_REPEATING = {
    "kind", "gap", "status", "reason", "kept_doc_id", "language", "encoding", "recipe_id", "run_id", "rule",
    "rule_version", "before", "after", "applied", "confidence", "stage", "expectation", "input", "site", "arrival",
    "first_version", "part", "similarity",
}  # fmt: skip
# pyarrow writes bloom filters only in its later versions.
_HAS_BLOOM = "bloom_filter_options" in inspect.signature(pq.ParquetWriter.__init__).parameters
# A file that is written anew with a few rows less keeps most of its pages as they were: a store that knows chunks by
# their content (Hugging Face's hub) is sent the rest alone. It costs 5 % of the time to write and 2 % of the size.
_HAS_CHUNKING = "use_content_defined_chunking" in inspect.signature(pq.ParquetWriter.__init__).parameters


def read_rows(files: Iterable[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yields batches of the files' rows, in order, under `schema`.

    A column that a file does not have and that may be null is null. Raises DatasetError for rows that do not fit.
    """
    for path in files:
        with parquet_file(path) as file:
            present = [n for n in schema.names if n in file.schema_arrow.names]
            for batch in file.iter_batches(batch_size=_batch_rows(file.metadata), columns=present):
                try:
                    rows = conform(pa.Table.from_batches([batch]), schema, str(path), fill_absent=True)
                except ContractBroken as error:
                    raise DatasetError(str(error)) from error
                yield rows


def read_column(path: Path, column: str) -> pa.ChunkedArray:
    """Returns one column of a file."""
    with parquet_file(path) as file:
        return file.read(columns=[column]).column(0)


def packed_bytes(meta: pq.FileMetaData) -> int:
    """Returns how many bytes the rows of a file take in it."""
    groups = (meta.row_group(n) for n in range(meta.num_row_groups))
    return sum(group.column(n).total_compressed_size for group in groups for n in range(meta.num_columns))


def _batch_rows(meta: pq.FileMetaData) -> int:
    """Returns how many rows of a file make a batch of some megabytes, by the mean size of its rows."""
    size = sum(meta.row_group(n).total_byte_size for n in range(meta.num_row_groups))
    return max(64, min(65_536, int(_BATCH_BYTES * meta.num_rows // max(size, 1))))


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """A Parquet file on disk. ``low`` and ``high`` are the smallest and largest value of its key column."""

    path: Path
    rows: int
    bytes: int
    sha256: str
    low: str | None = None
    high: str | None = None

    @property
    def name(self) -> str:
        return self.path.name


class RowWriter:
    """Writes rows to as many files as `file_bytes` asks for, named by `paths`.

    zstd 3, statistics, page index and a bloom filter on `key`. No rows give no file.
    """

    def __init__(self, schema: pa.Schema, paths: Iterator[Path], key: str, file_bytes: int) -> None:
        self._schema, self._paths, self._key, self._file_bytes = schema, paths, key, file_bytes
        self._waiting: list[pa.Table] = []
        self._size = self._count = 0
        self._open: _OpenFile | None = None
        self._written: list[WrittenFile] = []

    def add(self, rows: pa.Table) -> None:
        if not rows.num_rows:
            return
        self._waiting.append(rows)
        self._size += rows.nbytes
        self._count += rows.num_rows
        if self._size >= _GROUP_BYTES or self._count >= _GROUP_ROWS:
            self._write_group()

    def finish(self) -> list[WrittenFile]:
        """Writes what waits, closes and flushes the last file; returns all files in order."""
        self._write_group()
        self._close()
        if self._written:
            flush(place_for(self._written[0].path).parent)
        return self._written

    def _write_group(self) -> None:
        if not self._waiting:
            return
        group = pa.concat_tables(self._waiting)
        self._waiting, self._size, self._count = [], 0, 0
        if self._open is None:
            self._open = _OpenFile(next(self._paths), self._schema, self._key, group)
        self._open.write(group)
        if self._open.sink.size >= self._file_bytes:
            self._close()

    def _close(self) -> None:
        if self._open is not None:
            self._written.append(self._open.close())
            self._open = None


def write_rows(
    rows: Iterable[pa.Table], schema: pa.Schema, paths: Iterator[Path], key: str, file_bytes: int
) -> list[WrittenFile]:
    """Writes a stream of rows; see `RowWriter`."""
    writer = RowWriter(schema, paths, key, file_bytes)
    for table in rows:
        writer.add(table)
    return writer.finish()


def key_bounds(path: Path, key: str) -> tuple[str | None, str | None]:
    """Returns the smallest and the largest value of a file's key column."""
    span = pc.min_max(read_column(path, key))
    return span["min"].as_py(), span["max"].as_py()


def write_empty(path: Path, schema: pa.Schema) -> WrittenFile:
    """Writes a Parquet file without rows, so that an empty table can be read like any other.

    It has no row group either: Hugging Face's `datasets` stumbles over one that is empty.
    """
    return _OpenFile(path, schema, schema.names[0]).close()


class _OpenFile:
    """A file that is being written. `sample` tells how many keys its bloom filter must hold."""

    def __init__(self, path: Path, schema: pa.Schema, key: str, sample: pa.Table | None = None) -> None:
        place_for(path).parent.mkdir(parents=True, exist_ok=True)
        self._path, self._key = path, key
        self.sink = NewFile(path)
        options: dict[str, Any] = {}
        if _HAS_BLOOM and sample is not None:
            keys = max(64, pc.count_distinct(sample.column(key)).as_py())
            options["bloom_filter_options"] = {key: {"ndv": keys, "fpp": 0.01}}
        if _HAS_CHUNKING:
            options["use_content_defined_chunking"] = True
        self._writer = pq.ParquetWriter(
            self.sink,
            schema,
            compression="zstd",
            compression_level=3,
            write_statistics=True,
            write_page_index=True,
            use_dictionary=[f.name for f in schema if f.name in _REPEATING],
            **options,
        )
        self._bounds: list[str] = []
        self._rows = 0

    def write(self, group: pa.Table) -> None:
        self._writer.write_table(group, row_group_size=group.num_rows)
        span = pc.min_max(group.column(self._key))
        self._bounds += span["min"].as_py(), span["max"].as_py()
        self._rows += group.num_rows

    def close(self) -> WrittenFile:
        self._writer.close()
        return WrittenFile(
            path=self._path,
            rows=self._rows,
            bytes=self.sink.size,
            sha256=self.sink.finish(),
            low=min(self._bounds, default=None),
            high=max(self._bounds, default=None),
        )
