"""Load a version as analysts do: pandas, DuckDB, Polars, pyarrow, deltalake."""

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
from deltalake import DeltaTable

from winnow.base.contracts import TABLES
from winnow.publish.dataset import Dataset
from winnow.publish.manifest import Manifest

DUCK = duckdb.connect()  # one for all, for it starts threads


def duckdb_ids(folder: Path, key: str) -> list[str]:
    escaped = str(folder).replace("'", "''")
    return [r[0] for r in DUCK.execute(f"SELECT {key} FROM '{escaped}/*.parquet'").fetchall()]


READERS: dict[str, Any] = {
    "pandas": lambda folder, key: pd.read_parquet(folder)[key].tolist(),
    "duckdb": duckdb_ids,
    "polars": lambda folder, key: pl.read_parquet(folder / "*.parquet")[key].to_list(),
    "pyarrow": lambda folder, key: pq.read_table(folder)[key].to_pylist(),
}


def read_everywhere(dataset: Dataset, manifest: Manifest, delta: bool = True) -> None:
    """Fail unless all tools read all tables of a version with the manifest's rows, in one order."""
    for name, table in manifest.tables.items():
        key = TABLES[name].names[0]
        found = {tool: read(dataset.view(manifest.version) / name, key) for tool, read in READERS.items()}
        assert {tool: len(rows) for tool, rows in found.items()} == dict.fromkeys(READERS, table.rows), name
        assert all(rows == found["pyarrow"] for rows in found.values()), name
        if delta:
            at = DeltaTable(str(dataset.table(name)), version=table.delta_version)
            assert sorted(at.to_pyarrow_table()[key].to_pylist()) == sorted(found["pyarrow"]), name
            lazy = pl.scan_delta(str(dataset.table(name)), version=table.delta_version)
            assert sorted(lazy.select(key).collect()[key].to_list()) == sorted(found["pyarrow"]), name
