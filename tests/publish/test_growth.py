"""A dataset that is added to day after day keeps few files, and loses no row and no version for it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from deltalake import DeltaTable
from tests.publish.press import Press, sources

from winnow.publish.dataset import Dataset
from winnow.publish.tables.delta import ActiveFile
from winnow.publish.tables.table_update import small_tail
from winnow.publish.verify import verify

TAILS = {
    "no file": ([], 0),
    "two small files": ([1, 1], 0),
    "three small files": ([1, 1, 1], 3),
    "three small files after a big one": ([20, 1, 1, 1], 3),
    "a file that those after it have nearly reached": ([10, 1, 1, 1], 4),
    "a tail that grows from file to file": ([1, 2, 3], 3),
    "small files before a big one that has room for them": ([1, 1, 1, 90], 4),
    "no more than a file may hold": ([40, 40, 40], 0),
    "as many as a file may hold": ([40, 30, 30, 30], 3),
}


def files(sizes: list[int]) -> list[ActiveFile]:
    return [ActiveFile(name=f"{n}", rows=1, bytes=size, low=None, high=None) for n, size in enumerate(sizes)]


@pytest.mark.parametrize(("sizes", "joined"), TAILS.values(), ids=TAILS)
def test_the_last_files_are_joined(sizes: list[int], joined: int) -> None:
    held = files(sizes)
    assert small_tail(held, (), 100) == held[len(held) - joined :]


def test_a_file_that_is_rewritten_anyway_parts_the_tail() -> None:
    assert small_tail(files([1, 1, 1, 1]), {"1"}, 100) == []
    assert len(small_tail(files([1, 1, 1, 1]), {"0"}, 100)) == 3


@pytest.mark.slow
@pytest.mark.parametrize("days", [12, 60])
def test_days_of_additions_leave_few_files_a_version_and_every_row(days: int, tmp_path: Path) -> None:
    press = Press(Dataset(tmp_path / "dataset"), tmp_path / "press")
    for day in range(days):
        withdrawn = [f"d{day - 7}"] if day % 10 == 9 else ()
        press.publish(sources(f"d{day}"), withdrawn=withdrawn)
    dataset = press.dataset
    assert verify(dataset) == []
    held = sorted(f"d{day}" for day in range(days) if day % 10 != 2 or day + 7 >= days)
    assert sorted(pd.read_parquet(dataset.root / "latest" / "documents")["source"]) == held
    for manifest in dataset.published():
        assert all(len(entry.files) <= 6 for entry in manifest.tables.values())
        entry = manifest.tables["documents"]
        past = DeltaTable(str(dataset.table("documents")), version=entry.delta_version)
        assert past.to_pyarrow_table().num_rows == entry.rows
    everything = sum(1 for path in dataset.root.rglob("*") if path.is_file())
    assert everything < 55 * days  # 20,000 in a year
