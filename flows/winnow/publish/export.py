"""Hand a version out: the whole view as a folder, or its documents as one file."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from winnow.base.errors import UsageError
from winnow.publish.dataset import Dataset
from winnow.publish.disk import remove_tree, sync_file, sync_folder
from winnow.publish.tables.row_writer import write_empty, write_rows
from winnow.publish.tables.rows import batch_rows

FORMS = ("a folder", "*.parquet", "*.jsonl", "*.jsonl.gz")


def export(dataset: Dataset, version: int, to: Path) -> Path:
    """Write a version to `to`; its name decides the form. A folder gets the view; a file gets the documents.

    What is written appears whole or not at all.
    Raises UsageError where something stands there already, or for a file name of another form.
    """
    manifest = dataset.manifest(version)
    if to.is_dir() and not any(to.iterdir()):
        to.rmdir()
    if to.exists() or to.is_symlink():
        raise UsageError(f"{to}: exists; give --to a name that is free")
    to.parent.mkdir(parents=True, exist_ok=True)
    temporary = to.with_name(f".{to.name}.{uuid4().hex[:12]}.tmp")
    files = [dataset.view(version) / f.name for f in manifest.tables["documents"].files]
    try:
        if to.name.endswith(".parquet"):
            _write_parquet(files, temporary)
        elif to.name.endswith((".jsonl", ".jsonl.gz")):
            _write_lines(files, temporary, packed=to.name.endswith(".gz"))
        elif to.suffix in ("", f".{version}") or to.name.startswith("."):
            shutil.copytree(dataset.view(version), temporary)
        else:
            raise UsageError(f"{to}: cannot tell the form from this name; give {', '.join(FORMS)}")
        if temporary.is_file():
            sync_file(temporary)
        temporary.rename(to)
        sync_folder(to.parent)
    finally:
        if temporary.is_dir():
            remove_tree(temporary)
        else:
            temporary.unlink(missing_ok=True)
    return to


def _batches(files: list[Path]) -> Iterator[pa.Table]:
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=batch_rows(file.metadata)):
                yield pa.Table.from_batches([batch])


def _write_parquet(files: list[Path], to: Path) -> None:
    schema = pq.read_schema(files[0])
    if not write_rows((b.cast(schema) for b in _batches(files)), schema, iter([to]), "doc_id", 1 << 62):
        write_empty(to, schema)


def _write_lines(files: list[Path], to: Path, packed: bool) -> None:
    with to.open("wb") as raw:
        # No name and no time in the gzip head: the same version gives the same bytes.
        sink: Any = gzip.GzipFile("", "wb", 6, raw, mtime=0) if packed else raw
        for rows in _batches(files):
            lines = (json.dumps(_plain(row), ensure_ascii=False) + "\n" for row in rows.to_pylist())
            sink.write("".join(lines).encode("utf-8", "surrogatepass"))
        if packed:
            sink.close()


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON knows it: times in ISO 8601, maps as objects."""
    plain = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}
    plain["metadata"] = dict(row["metadata"] or [])
    return plain
