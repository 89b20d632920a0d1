"""Rows are checked in workers as they are in this process, whatever the files are that hold them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from winnow.base.contracts import TABLES
from winnow.base.recipe import Recipe
from winnow.run import table_checks
from winnow.run.executor import open_executor
from winnow.run.table_checks import CHECKED, check_tables

NO_FILES: dict[str, tuple[Path, ...]] = dict.fromkeys(CHECKED, ())


def edits(path: Path, first: int, ends: list[int]) -> Path:
    rows = [
        {
            "doc_id": f"{n:016x}", "seq": 0, "rule": "tags", "rule_version": 1, "start": 1, "end": end,
            "before": "", "after": "", "confidence": 1.0, "applied": True,
        }
        for n, end in enumerate(ends, first)
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows, schema=TABLES["edits"]), path)
    return path


@pytest.fixture(scope="module")
def workers() -> Iterator[Executor]:
    """For all cases: each worker imports Great Expectations, which takes it three seconds."""
    with open_executor("processes", 2) as pool:
        yield pool


@pytest.mark.parametrize(("rows_a_job", "jobs"), [(1, 8), (5, 3), (500, 1)])
def test_rows_of_many_files_are_checked_in_workers_as_they_are_here(
    rows_a_job: int, jobs: int, workers: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = [[1, 2, 0], [3, 3], [0, 0, 0, 1], [0, 0], [5], [5], [6], [0]]  # 0 lies before its start
    parts = {**NO_FILES, "edits": tuple(edits(tmp_path / f"{n}.parquet", 10 * n, some) for n, some in enumerate(ends))}
    settings = Recipe().validate_
    monkeypatch.setattr(table_checks, "JOB_ROWS", rows_a_job)
    asked: list[int] = []
    checked = table_checks._check_files
    monkeypatch.setattr(table_checks, "_check_files", lambda *args: asked.append(1) or checked(*args))
    with open_executor("inline") as inline:
        here = check_tables(parts, settings, inline)
    assert len(asked) == jobs
    monkeypatch.setattr(table_checks, "_check_files", checked)
    monkeypatch.setattr(table_checks, "MANY_ROWS", 1)
    there = check_tables(parts, settings, workers)
    assert here == there
    [broken] = [check for check in here if not check.passed]
    assert (broken.expectation, broken.n_rows, broken.n_failed) == ("end_not_before_start", 15, 7)
    assert [line.split(":")[0] for line in broken.examples] == [f"{n:016x}" for n in (2, 20, 21, 22, 30)]
    assert {check.n_rows for check in here} == {15}


def test_a_version_without_new_rows_has_nothing_to_check() -> None:
    with open_executor("inline") as inline:
        assert check_tables(NO_FILES, Recipe().validate_, inline) == ()
