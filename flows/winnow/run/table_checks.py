"""Repaired documents and the new rows of a version against their expectations; where they are many, in workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from winnow.base.files import in_shares, metadata_of, parquet_file, read_ahead
from winnow.base.recipe import ValidateSettings
from winnow.run.executor import each_range
from winnow.validate.expectations import (
    Failure,
    TableCheck,
    check_rows,
    check_table,
    columns_of,
    merge_checks,
    merge_small_tables,
)
from winnow.validate.facts import residual_markup

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MEASURES = ["doc_id", "n_chars", "letter_share", "residual_markup"]
CHECKED = ("documents", "passages", "edits", "duplicates", "rejects")
JOB_ROWS = 500_000  # that one call checks, in two to five seconds
MANY_ROWS = 4_000_000  # from here on it pays that each worker imports Great Expectations, which takes three seconds


def check_repaired(
    files: Sequence[Path], settings: ValidateSettings, executor: Executor
) -> tuple[list[Failure], list[tuple[float, int]]]:
    """Every failure of the documents in these files, and how much markup each file has left (`residual_markup`)."""
    rows = _rows_in(files)
    several = executor if sum(rows.values()) >= MANY_ROWS else None
    found = list(each_range(several, _check_measures, list(in_shares(rows, JOB_ROWS)), settings))
    return [failure for failures, _ in found for failure in failures], [one for _, markup in found for one in markup]


def _check_measures(files: Sequence[Path], settings: ValidateSettings) -> tuple[list[Failure], list[tuple[float, int]]]:
    markup: list[tuple[float, int]] = []

    def measures() -> Iterator[pa.Table]:
        for rows in read_ahead(lambda path: parquet_file(path).read(MEASURES), files):
            markup.append(residual_markup(rows))
            yield rows

    failures = [f for rows in merge_small_tables(measures()) for f in check_rows(rows.to_pandas(), settings)]
    return failures, markup


def _rows_in(files: Sequence[Path]) -> dict[Path, int]:
    return {path: meta.num_rows for path, meta in zip(files, metadata_of(files), strict=True)}


def check_tables(
    parts: Mapping[str, Sequence[Path]], settings: ValidateSettings, executor: Executor
) -> tuple[TableCheck, ...]:
    """One check for each expectation of each table that has rows; `parts` are files of whole documents, by table."""
    rows = {t: _rows_in(parts[t]) for t in CHECKED}
    jobs = [(table, some) for table in CHECKED for some in in_shares(rows[table], JOB_ROWS)]
    many = sum(sum(counts.values()) for counts in rows.values()) >= MANY_ROWS
    return merge_checks(each_range(executor if many else None, _check_files, jobs, settings))


def _check_files(share: tuple[str, Sequence[Path]], settings: ValidateSettings) -> tuple[TableCheck, ...]:
    table, files = share
    return check_table(table, _frames(files, table), settings)


def _frames(files: Sequence[Path], table: str) -> Iterator[pd.DataFrame]:
    """The rows of a table, whole files at a time, with the columns that its expectations look at."""
    for rows in merge_small_tables(parquet_file(file).read(columns=list(columns_of(table))) for file in files):
        yield rows.to_pandas(strings_to_categorical=True)  # Great Expectations hashes, takes and looks them up
