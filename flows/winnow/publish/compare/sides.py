"""Two versions side by side: which documents have rows that differ, found without reading what both share."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from winnow.publish.dataset import Dataset
from winnow.publish.manifest import FileEntry, Manifest
from winnow.publish.tables.delta import KEYS

COMPARED = ("documents", "passages", "edits", "duplicates", "rejects")
"""Tables that a diff looks at. The others say how the dataset was made, not what is in it."""

PROVENANCE = {"run_id", "recipe_id"}
"""Columns that say who wrote a row; a row that differs in them alone is the same row."""


@dataclass(frozen=True, slots=True)
class Side:
    """One version: its view and its manifest."""

    folder: Path
    manifest: Manifest

    def files(self, table: str) -> list[FileEntry]:
        entry = self.manifest.tables.get(table)
        return list(entry.files) if entry else []

    def keys(self, table: str) -> pa.Array:
        """All keys of a table."""
        chunks: list[pa.Array] = []
        for f in self.files(table):
            column = pq.read_table(self.folder / f.name, columns=[KEYS[table]], partitioning=None).column(0)
            chunks += column.chunks
        return pa.chunked_array(chunks, pa.string()).combine_chunks()

    def rows(self, table: str, keys: Collection[str]) -> dict[str, list[dict[str, Any]]]:
        """Rows of the given documents, by key, in order. Row groups without them are skipped by their
        statistics."""
        files = [self.folder / f.name for f in self.files(table) if f.rows]
        found: dict[str, list[dict[str, Any]]] = {}
        if not files or not keys:
            return found
        key = pl.col(KEYS[table])
        wanted = pl.Series(sorted(keys), dtype=pl.String)
        within = key.is_between(pl.lit(wanted[0]), pl.lit(wanted[-1])) & key.is_in(wanted.implode())
        # Polars decodes the key first and the rest only where it is wanted.
        for row in pl.scan_parquet(files, glob=False).filter(within).collect().iter_rows(named=True):
            found.setdefault(row[KEYS[table]], []).append(row)
        return found


def side(dataset: Dataset, version: int) -> Side:
    return Side(dataset.view(version), dataset.manifest(version))


@dataclass(frozen=True, slots=True)
class TableDifference:
    """Rows of one table that only one of the versions has, and the documents they belong to."""

    gone: int
    come: int
    doc_ids: frozenset[str]


def differing(a: Side, b: Side) -> dict[str, TableDifference]:
    """For each compared table, what differs. Files that both views link hold the same rows and are not
    read."""
    return {name: _differing_rows(a, b, name) for name in COMPARED}


def _differing_rows(a: Side, b: Side, table: str) -> TableDifference:
    shared = {f.sha256 for f in a.files(table)} & {f.sha256 for f in b.files(table)}
    counts = [
        (
            _hashes(s, table, [f for f in s.files(table) if f.sha256 not in shared], _columns(a, b, table))
            .group_by("key", "hash")
            .len()
        )
        for s in (a, b)
    ]
    both = counts[0].join(counts[1], on=["key", "hash"], how="full", coalesce=True, suffix="_b")
    more = pl.col("len").fill_null(0).cast(pl.Int64) - pl.col("len_b").fill_null(0).cast(pl.Int64)
    differ = both.with_columns(more=more).filter(pl.col("more") != 0)
    return TableDifference(
        gone=int(differ.filter(pl.col("more") > 0)["more"].sum()),
        come=-int(differ.filter(pl.col("more") < 0)["more"].sum()),
        doc_ids=frozenset(differ["key"].to_list()),
    )


def _columns(a: Side, b: Side, table: str) -> dict[str, pl.DataType]:
    """Columns of either version and their types; one that a version lacks counts as null there."""
    found: dict[str, pl.DataType] = {}
    for s in (a, b):
        for file in s.files(table)[:1]:
            found |= pl.read_parquet_schema(s.folder / file.name)
    return {name: kind for name, kind in found.items() if name not in PROVENANCE}


def _hashes(s: Side, table: str, files: list[FileEntry], columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    parts = [pl.DataFrame(schema={"key": pl.String, "hash": pl.UInt64})]
    for file in files:
        for rows in _batches(s.folder / file.name, columns):
            frame = pl.from_arrow(rows)
            assert isinstance(frame, pl.DataFrame)
            parts.append(
                pl.DataFrame({"key": frame[KEYS[table]], "hash": row_hashes(frame, columns)}).cast({"key": pl.String})
            )
    return pl.concat(parts)


def row_hashes(frame: pl.DataFrame, columns: Mapping[str, pl.DataType]) -> pl.Series:
    """A 64-bit hash of each row over `columns`; a column that is missing hashes as one that is all null."""
    missing = [pl.lit(None, kind).alias(name) for name, kind in columns.items() if name not in frame.columns]
    return frame.with_columns(missing).select(list(columns)).hash_rows()


def _batches(path: Path, columns: Collection[str]) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        present = [c for c in columns if c in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=65_536, columns=present):
            yield pa.Table.from_batches([batch])


def only_in(first: pa.Array, second: pa.Array) -> list[str]:
    """Keys of the first that the second has not, sorted."""
    missing = first.filter(pc.invert(pc.is_in(first, value_set=second)))
    return sorted(set(missing.to_pylist()))
