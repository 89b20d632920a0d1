"""The new rows of a version against the expectations of their tables; where they are many, in workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from winnow.base.files import parquet_file
from winnow.base.recipe import ValidateSettings
from winnow.run.executor import each_range
from winnow.validate.expectations import TableCheck, check_table, columns_of, merge_checks, merge_small_tables

if TYPE_CHECKING:
    import pandas as pd

CHECKED = ("documents", "passages", "edits", "duplicates", "rejects")
JOB_ROWS = 500_000  # that one call checks, in two to five seconds
MANY_ROWS = 4_000_000  # from here on it pays that each worker imports Great Expectations, which takes three seconds


def check_tables(
    parts: Mapping[str, Sequence[Path]], settings: ValidateSettings, executor: Executor
) -> tuple[TableCheck, ...]:
    """One check for each expectation of each table that has rows; `parts` are files of whole documents, by table."""
    rows = {path: parquet_file(path).metadata.num_rows for table in CHECKED for path in parts[table]}
    jobs = [(table, some) for table in CHECKED for some in _shares(parts[table], rows)]
    many = sum(rows.values()) >= MANY_ROWS
    return merge_checks(each_range(executor if many else None, _check_files, jobs, settings))


def _shares(files: Sequence[Path], rows: Mapping[Path, int]) -> Iterator[list[Path]]:
    """The files in order, as many together as hold the rows of a job."""
    held: list[Path] = []
    for path in files:
        held.append(path)
        if sum(rows[one] for one in held) >= JOB_ROWS:
            yield held
            held = []
    if held:
        yield held


def _check_files(share: tuple[str, Sequence[Path]], settings: ValidateSettings) -> tuple[TableCheck, ...]:
    table, files = share
    return check_table(table, _frames(files, table), settings)


def _frames(files: Sequence[Path], table: str) -> Iterator[pd.DataFrame]:
    """The rows of a table, whole files at a time, with the columns that its expectations look at."""
    for rows in merge_small_tables(parquet_file(file).read(columns=list(columns_of(table))) for file in files):
        yield rows.to_pandas()
