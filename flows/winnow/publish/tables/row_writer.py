"""Rows into Parquet files of a wished size, in constant memory, hashed on the way and flushed to disk."""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from winnow.base.staging import flush

_GROUP_BYTES = 64 << 20  # a row group is held in memory while it is encoded
_GROUP_ROWS = 262_144
# Columns of few values. For others a dictionary is built and thrown away; without it, writing is a fifth
# quicker.
_REPEATING = {
    "kind", "gap", "status", "reason", "kept_doc_id", "language", "encoding", "recipe_id", "run_id", "rule",
    "rule_version", "before", "after", "applied", "confidence", "stage", "expectation", "input", "site", "arrival",
    "first_version", "part", "similarity",
}  # fmt: skip
# pyarrow writes bloom filters only in its later versions.
_HAS_BLOOM = "bloom_filter_options" in inspect.signature(pq.ParquetWriter.__init__).parameters


@dataclass(frozen=True, slots=True)
class Written:
    """A Parquet file on disk. ``low`` and ``high`` are the smallest and largest value of its key column."""

    path: Path
    rows: int
    bytes: int
    sha256: str
    low: str | None
    high: str | None


class RowWriter:
    """Writes rows to as many files as `file_bytes` asks for, named by `paths`.

    zstd 3, statistics, page index and a bloom filter on `key`. No rows give no file.
    """

    def __init__(self, schema: pa.Schema, paths: Iterator[Path], key: str, file_bytes: int) -> None:
        self._schema, self._paths, self._key, self._file_bytes = schema, paths, key, file_bytes
        self._waiting: list[pa.Table] = []
        self._size = self._count = 0
        self._open: _OpenFile | None = None
        self._written: list[Written] = []

    def add(self, rows: pa.Table) -> None:
        if not rows.num_rows:
            return
        self._waiting.append(rows)
        self._size += rows.nbytes
        self._count += rows.num_rows
        if self._size >= _GROUP_BYTES or self._count >= _GROUP_ROWS:
            self._write_group()

    def finish(self) -> list[Written]:
        """Write what waits, close and flush the last file; all files in order."""
        self._write_group()
        self._close()
        if self._written:
            flush(self._written[0].path.parent)
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
) -> list[Written]:
    """Write a stream of rows; see `RowWriter`."""
    writer = RowWriter(schema, paths, key, file_bytes)
    for table in rows:
        writer.add(table)
    return writer.finish()


class _OpenFile:
    def __init__(self, path: Path, schema: pa.Schema, key: str, sample: pa.Table) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._key = path, key
        self._raw: BinaryIO = path.open("xb")
        self.sink = _HashingFile(self._raw)
        self._writer = pq.ParquetWriter(self.sink, schema, **options(schema, key, sample))
        self._bounds: list[str] = []
        self._rows = 0

    def write(self, group: pa.Table) -> None:
        self._writer.write_table(group, row_group_size=group.num_rows)
        span = pc.min_max(group.column(self._key))
        self._bounds += span["min"].as_py(), span["max"].as_py()
        self._rows += group.num_rows

    def close(self) -> Written:
        self._writer.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        bounds = min(self._bounds), max(self._bounds)
        return Written(self._path, self._rows, self.sink.size, self.sink.hexdigest(), *bounds)


class _HashingFile:
    """A binary file that hashes what is written through it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self._file.write(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self.closed = True

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def options(schema: pa.Schema, key: str, sample: pa.Table | None = None) -> dict[str, Any]:
    """How every Parquet file of a dataset is written. `sample` tells how many keys the bloom filter must
    hold."""
    chosen: dict[str, Any] = {
        "compression": "zstd",
        "compression_level": 3,
        "write_statistics": True,
        "write_page_index": True,
        "use_dictionary": [f.name for f in schema if f.name in _REPEATING],
    }
    if _HAS_BLOOM and sample is not None:
        keys = max(64, pc.count_distinct(sample.column(key)).as_py())
        chosen["bloom_filter_options"] = {key: {"ndv": keys, "fpp": 0.01}}
    return chosen


def write_empty(path: Path, schema: pa.Schema) -> Written:
    """A Parquet file without rows, so that an empty table can be read like any other.

    It has no row group either: Hugging Face's `datasets` stumbles over one that is empty.
    """
    with path.open("xb") as raw:
        sink = _HashingFile(raw)
        pq.ParquetWriter(sink, schema, **options(schema, schema.names[0])).close()
        raw.flush()
        os.fsync(raw.fileno())
    return Written(path, 0, sink.size, sink.hexdigest(), None, None)
