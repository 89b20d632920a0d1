"""Which documents have rows that differ between two versions, found without reading what both share."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from winnow.base.files import parquet_file, scan_parquet
from winnow.publish.dataset import Dataset
from winnow.publish.manifest import FileEntry, Manifest
from winnow.publish.tables.delta import KEYS
from winnow.publish.tables.row_files import read_column

COMPARED = ("documents", "passages", "edits", "duplicates", "rejects")
"""Tables that a diff looks at. The others say how the dataset was made, not what is in it."""

PROVENANCE = {"run_id", "recipe_id", "input", "row"}
"""Columns that say who wrote a row; a row that differs in them alone is the same row."""


@dataclass(frozen=True, slots=True)
class VersionRows:
    """The rows of one version: its view and its manifest."""

    folder: Path
    manifest: Manifest

    def files(self, table: str) -> tuple[FileEntry, ...]:
        entry = self.manifest.tables.get(table)
        return entry.files if entry else ()

    def keys(self, table: str) -> pa.Array:
        """Returns all keys of a table."""
        columns = [read_column(self.folder / f.name, KEYS[table]) for f in self.files(table)]
        return pa.chunked_array([chunk for c in columns for chunk in c.chunks], pa.string()).combine_chunks()

    def rows(self, table: str, keys: Collection[str]) -> Mapping[str, list[Mapping[str, Any]]]:
        """Returns rows of the given documents, by key, in order; statistics skip the row groups without them."""
        files = [self.folder / f.name for f in self.files(table) if f.rows]
        found: dict[str, list[Mapping[str, Any]]] = {}
        if not files or not keys:
            return found
        key = pl.col(KEYS[table])
        wanted = pl.Series(sorted(keys), dtype=pl.String)
        within = key.is_between(pl.lit(wanted[0]), pl.lit(wanted[-1])) & key.is_in(wanted.implode())
        # Polars decodes the key first and the rest only where it is wanted.
        for row in scan_parquet(files).filter(within).collect().iter_rows(named=True):
            found.setdefault(row[KEYS[table]], []).append(row)
        return found


def rows_of_version(dataset: Dataset, version: int) -> VersionRows:
    """Returns the rows of a version. Raises DatasetError where it is not published."""
    return VersionRows(dataset.view(version), dataset.manifest(version))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRows:
    """Rows of one table that only one of the versions has, and the documents they belong to."""

    gone: int
    come: int
    doc_ids: frozenset[str]


def changed_rows(a: VersionRows, b: VersionRows) -> dict[str, ChangedRows]:
    """Returns what differs, by table. Files that both views link hold the same rows and are not read."""
    return {name: _changed_rows(a, b, name) for name in COMPARED}


def _changed_rows(a: VersionRows, b: VersionRows, table: str) -> ChangedRows:
    shared = {f.sha256 for f in a.files(table)} & {f.sha256 for f in b.files(table)}
    columns = _columns(a, b, table)
    counts_a, counts_b = (
        _hashes([v.folder / f.name for f in v.files(table) if f.sha256 not in shared], KEYS[table], columns)
        .group_by("key", "hash")
        .len()
        for v in (a, b)
    )
    both = counts_a.join(counts_b, on=["key", "hash"], how="full", coalesce=True, suffix="_b")
    more = pl.col("len").fill_null(0).cast(pl.Int64) - pl.col("len_b").fill_null(0).cast(pl.Int64)
    differ = both.with_columns(more=more).filter(pl.col("more") != 0)
    return ChangedRows(
        gone=int(differ.filter(pl.col("more") > 0)["more"].sum()),
        come=-int(differ.filter(pl.col("more") < 0)["more"].sum()),
        doc_ids=frozenset(differ["key"].to_list()),
    )


def _columns(a: VersionRows, b: VersionRows, table: str) -> Mapping[str, pl.DataType]:
    """Returns the columns of either version and their types; one that a version lacks counts as null there."""
    found: dict[str, pl.DataType] = {}
    for version in (a, b):
        for file in version.files(table)[:1]:
            found |= scan_parquet([version.folder / file.name]).collect_schema()
    return {name: kind for name, kind in found.items() if name not in PROVENANCE}


def _hashes(files: Collection[Path], key: str, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Returns the key and a 64-bit hash of each row; a column that is missing hashes as one that is all null."""
    parts = [pl.DataFrame(schema={"key": pl.String, "hash": pl.UInt64})]
    for frame in (frame for path in files for frame in _batches(path, columns)):
        missing = [pl.lit(None, kind).alias(name) for name, kind in columns.items() if name not in frame.columns]
        hashes = frame.with_columns(missing).select(list(columns)).hash_rows()
        parts.append(pl.DataFrame({"key": frame[key], "hash": hashes}).cast({"key": pl.String}))
    return pl.concat(parts)


def _batches(path: Path, columns: Collection[str]) -> Iterator[pl.DataFrame]:
    with parquet_file(path) as file:
        present = [c for c in columns if c in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=65_536, columns=present):
            frame = pl.from_arrow(pa.Table.from_batches([batch]))
            assert isinstance(frame, pl.DataFrame)
            yield frame


def keys_missing_from(keys: pa.Array, others: pa.Array) -> list[str]:
    """Returns those of `others` that `keys` has not, sorted.

    >>> keys_missing_from(pa.array(["a"]), pa.array(["c", "a", "b"]))
    ['b', 'c']
    """
    return sorted(set(others.filter(pc.invert(pc.is_in(others, value_set=keys))).to_pylist()))
