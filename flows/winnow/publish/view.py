"""A version's plain-Parquet view: the tables' files whose names sort in row order, complete by itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from winnow.base.contracts import TABLES, describe
from winnow.publish.dataset import Dataset
from winnow.publish.disk import link_or_copy, sha256_of
from winnow.publish.manifest import FileEntry, Manifest, TableEntry
from winnow.publish.tables.delta import active_files, open_table
from winnow.publish.tables.row_writer import write_empty
from winnow.publish.tables.schema import storable


def link_view(
    dataset: Dataset,
    folder: Path,
    version: int,
    hashes: Mapping[str, Mapping[str, str]],
    schemas: Mapping[str, pa.Schema] = TABLES,
) -> dict[str, TableEntry]:
    """Lay out the tables as they stand in `folder`; what the manifest says of each.

    `hashes` are SHA-256 by table and file name, as far as they are known; the rest is computed.
    """
    return {
        name: _link_table(dataset, folder, version, name, storable(schema), hashes.get(name, {}))
        for name, schema in schemas.items()
    }


def _link_table(
    dataset: Dataset, folder: Path, version: int, name: str, schema: pa.Schema, hashes: Mapping[str, str]
) -> TableEntry:
    delta = open_table(dataset.table(name))
    into = folder / name
    into.mkdir(parents=True)
    entries: list[FileEntry] = []
    for number, file in enumerate(active_files(delta, name) if delta else ()):
        source = dataset.table(name) / file.path
        target = into / view_name(number, version)
        link_or_copy(source, target)
        rows = file.rows if file.rows >= 0 else pq.read_metadata(source).num_rows
        sha256 = hashes.get(file.path) or sha256_of(source)
        entries.append(FileEntry(f"{name}/{target.name}", rows, file.bytes, sha256, file.path))
    if not entries:
        target = into / view_name(0, version)
        written = write_empty(target, schema)
        entries.append(FileEntry(f"{name}/{target.name}", 0, written.bytes, written.sha256))
    return TableEntry(
        rows=sum(e.rows for e in entries),
        bytes=sum(e.bytes for e in entries),
        delta_version=delta.version() if delta else 0,
        description=(schema.metadata or {}).get(b"description", b"").decode(),
        columns=describe(schema),
        files=tuple(entries),
    )


def view_name(number: int, version: int) -> str:
    """Name of a view's file; names sort in row order and tell the version.

    No two versions share a name, so a reader that lists `latest` just before it moves on cannot open a file of the
    next version in place of one it listed: it fails or finds no file at all, and reads again, rather than mix two
    versions or miss some rows.

    >>> view_name(0, 3)
    'part-00000-v3.parquet'
    """
    return f"part-{number:05d}-v{version}.parquet"


def known_hashes(manifest: Manifest | None) -> dict[str, dict[str, str]]:
    """SHA-256 of the tables' files that a version already lists."""
    tables = manifest.tables if manifest else {}
    return {name: {f.delta_path: f.sha256 for f in table.files if f.delta_path} for name, table in tables.items()}
