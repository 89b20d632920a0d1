"""The new rows of a version against the expectations of their tables; where they are many, in workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from winnow.base.files import in_shares, parquet_file
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
    rows = {t: {path: parquet_file(path).metadata.num_rows for path in parts[t]} for t in CHECKED}
    jobs = [(table, some) for table in CHECKED for some in in_shares(rows[table], JOB_ROWS)]
    many = sum(sum(counts.values()) for counts in rows.values()) >= MANY_ROWS
    return merge_checks(each_range(executor if many else None, _check_files, jobs, settings))


def _check_files(share: tuple[str, Sequence[Path]], settings: ValidateSettings) -> tuple[TableCheck, ...]:
    table, files = share
    return check_table(table, _frames(files, table), settings)


def _frames(files: Sequence[Path], table: str) -> Iterator[pd.DataFrame]:
    """The rows of a table, whole files at a time, with the columns that its expectations look at."""
    for rows in merge_small_tables(parquet_file(file).read(columns=list(columns_of(table))) for file in files):
        yield rows.to_pandas()
