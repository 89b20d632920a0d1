"""Files between stages: when they reach the disk, and how they are laid out."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from winnow.base import staging
from winnow.base.contracts import TABLES
from winnow.base.staging import RAW, REPAIRED, write_parquet

ROWS = pa.table({"text": ["one", "two", "one"]})


@pytest.mark.parametrize(("durable", "waits"), [(True, 2), (False, 0)], ids=["a file that stays", "one made again"])
def test_only_what_stays_waits_for_the_disk(
    durable: bool, waits: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    assert write_parquet(tmp_path / "rows.parquet", [ROWS], ROWS.schema, durable=durable) == 3
    assert len(flushed) == waits, "the file and its folder"
    assert pq.read_table(tmp_path / "rows.parquet").equals(ROWS)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


@pytest.mark.parametrize("schema", [RAW, REPAIRED, *TABLES.values()], ids=["raw", "repaired", *TABLES])
def test_columns_with_a_dictionary_are_named_as_parquet_names_them(schema: pa.Schema, tmp_path: Path) -> None:
    write_parquet(tmp_path / "rows.parquet", [], schema)
    laid_out = pq.ParquetFile(tmp_path / "rows.parquet").schema
    paths = {laid_out.column(n).path for n in range(len(laid_out))}
    told = set(staging._with_dictionary(schema))
    assert told <= paths
    assert {path.split(".")[0] for path in paths - told} <= {"text", "fingerprint", "bands", "sketch", "text_hash"}
