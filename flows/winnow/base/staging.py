"""Files between stages: written under a temporary name, flushed to disk, renamed; so what has its name is whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

# zstd 1 costs a few milliseconds a megabyte and keeps staging at a third of the text's size.
_COMPRESSION: dict[str, Any] = {"compression": "zstd", "compression_level": 1}


def key_of(*parts: object) -> str:
    """First 24 hex digits of SHA-256 over the JSON form of `parts`; names a file after what it is made from."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that a rename in it survives a power loss."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _in_place(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the name `path` when it is whole and flushed; where that fails it is removed.

    Its first name is a random one: process numbers repeat among machines that share the folder.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:12]}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_file(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _in_place(path) as file:
        file.write(content)


def write_parquet(
    path: Path, batches: Iterable[pa.Table | pa.RecordBatch], schema: pa.Schema, row_group_rows: int = 4096
) -> int:
    """Write `batches` to `path`, whole or not at all; returns the number of rows.

    Row groups are small, so that a reader of a range of sorted doc_ids skips most of the file by its statistics.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = 0
    with _in_place(path) as file, pq.ParquetWriter(file, schema, **_COMPRESSION) as writer:
        for batch in batches:
            table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
            writer.write_table(table, row_group_size=row_group_rows)
            rows += table.num_rows
    return rows


def once(done: Path, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do `work` unless its summary stands at `done` from an earlier try; the summary is written last."""
    try:
        summary: dict[str, Any] = json.loads(done.read_bytes())
        return {**summary, "reused": True}
    except FileNotFoundError:
        summary = work()
        write_file(done, json.dumps(summary).encode())
        return summary
