"""Files between stages: when they reach the disk, and how they are laid out."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from winnow.base.doc_ids import bounds_in
from winnow.base.staging import write_parquet

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


def test_doc_ids_are_sought_by_their_bounds_and_read_by_their_dictionary(tmp_path: Path) -> None:
    rows = pa.table({"doc_id": ["a", "a", "b"], "kind": ["code"] * 3, "text": ["one", "two", "one"]})
    write_parquet(tmp_path / "rows.parquet", [rows], rows.schema)
    meta = pq.read_metadata(tmp_path / "rows.parquet")
    assert list(bounds_in(meta)) == [("a", "b")]
    columns = [meta.row_group(0).column(n) for n in range(3)]
    assert [column.has_dictionary_page for column in columns] == [True, True, False]
