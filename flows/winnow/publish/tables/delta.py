"""The Delta tables: create, list their files, commit. Rows are written by `winnow.publish.tables.rows`, not here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from winnow.base.contracts import SORT_KEYS, TABLES
from winnow.base.staging import flush
from winnow.publish.tables.constraints import CONSTRAINTS
from winnow.publish.tables.row_writer import Written

KEYS = dict.fromkeys(TABLES, "doc_id") | {"runs": "run_id", "inputs": "path"}
"""The column by which rows of a table are replaced."""

MARK = "winnow"
"""Name under which a commit's metadata says what the commit is for."""

# Versions are kept as long as their views are; log files must not go before (Delta's default is 30 days).
_CONFIGURATION = {"delta.enableChangeDataFeed": "true", "delta.logRetentionDuration": "interval 36500 days"}

_FILE = re.compile(r"part-(\d{5,9})-(\d{5,9})-[0-9a-f]{8}-\d\d\.parquet")


@dataclass(frozen=True, slots=True)
class ActiveFile:
    """A file of the table as it stands. ``low`` and ``high`` bound its keys where the log knows them."""

    path: str
    rows: int
    bytes: int
    low: str | None
    high: str | None

    @property
    def place(self) -> tuple[int, int]:
        """Dataset version that added the rows, and the file's number in it. Files of others come after ours."""
        found = _FILE.fullmatch(self.path)
        return (int(found[1]), int(found[2])) if found else (999_999_999, 0)


def file_name(version: int, number: int, token: str, attempt: int = 0) -> str:
    """Name of a table's file: the dataset version that added its rows, its number in it, and who wrote it.

    Names sort in row order, and none is ever given twice: a view may hold the file that had it.

    >>> file_name(3, 0, "0a1b2c3d")
    'part-00003-00000-0a1b2c3d-00.parquet'
    """
    return f"part-{version:05d}-{number:05d}-{token}-{attempt:02d}.parquet"


def is_ours(name: str) -> bool:
    """Whether a file's name is one that `file_name` gives.

    >>> is_ours(file_name(3, 0, "0a1b2c3d")), is_ours("part-00000-c000.snappy.parquet")
    (True, False)
    """
    return _FILE.fullmatch(name) is not None


def open_table(folder: Path) -> DeltaTable | None:
    """The Delta table in `folder`, None where there is none."""
    if not (folder / "_delta_log").is_dir():
        return None
    try:
        return DeltaTable(str(folder))
    except TableNotFoundError:
        return None  # killed before its first commit


def create_table(folder: Path, name: str, schema: pa.Schema) -> DeltaTable:
    """A new, empty Delta table with change data feed and the table's constraints, in one commit."""
    folder.mkdir(parents=True, exist_ok=True)
    checks = {f"delta.constraints.{k}": sql for k, sql in CONSTRAINTS.get(name, {}).items()}
    description = (schema.metadata or {}).get(b"description", b"").decode()
    table = DeltaTable.create(
        str(folder),
        schema,
        name=name,
        description=description,
        configuration={**_CONFIGURATION, **checks},
        raise_if_key_not_exists=False,
        commit_properties=CommitProperties(custom_metadata={MARK: "create"}),
    )
    sync_log(folder)
    return table


def active_files(table: DeltaTable, name: str) -> list[ActiveFile]:
    """Files of the table as it stands, in row order."""
    actions = pa.table(table.get_add_actions(flatten=True)).to_pydict()
    key = KEYS[name]
    count = len(actions["path"])
    lows = actions.get(f"min.{key}") or [None] * count
    highs = actions.get(f"max.{key}") or [None] * count
    rows = actions.get("num_records") or [None] * count
    files = [
        ActiveFile(path, -1 if n is None else n, size, low, high)
        for path, n, size, low, high in zip(actions["path"], rows, actions["size_bytes"], lows, highs, strict=True)
    ]
    return sorted(files, key=lambda f: f.path)


def commit(
    folder: Path,
    name: str,
    schema: pa.Schema,
    add: Sequence[Written],
    remove: Sequence[ActiveFile],
    data_change: bool,
    mark: Mapping[str, Any],
    transactions: Sequence[Transaction],
    milliseconds: int,
) -> int:
    """Add and remove files in one commit; returns the table's new version.

    `data_change` false says that the rows stay the same (readers of the change feed see nothing).
    `milliseconds`: the time of the commit since 1970.
    """
    table = DeltaTable(str(folder))
    actions: list[AddAction | RemoveAction] = [
        AddAction(f.path.name, f.bytes, {}, milliseconds, data_change, _stats(f, KEYS[name])) for f in add
    ]
    actions += [RemoveAction(f.path, data_change, milliseconds, f.bytes, {}) for f in remove]
    table.create_write_transaction(
        actions,
        "append",
        schema,
        commit_properties=CommitProperties(custom_metadata=dict(mark), app_transactions=list(transactions)),
        post_commithook_properties=PostCommitHookProperties(cleanup_expired_logs=False),
    )
    sync_log(folder)
    return DeltaTable(str(folder)).version()


def _stats(file: Written, key: str) -> str:
    stats: dict[str, Any] = {"numRecords": file.rows, "nullCount": {key: 0}}
    # Only short ASCII keys: Delta compares bounds by code point and cuts long ones off, with rules of its
    # own.
    if file.low and file.high and len(file.high) <= 32 and (file.low + file.high).isascii():
        stats |= {"minValues": {key: file.low}, "maxValues": {key: file.high}}
    return json.dumps(stats)


def sync_log(folder: Path) -> None:
    log = folder / "_delta_log"
    # A vacuum makes two commits, so the last alone would not do.
    for path in sorted(log.glob("*.json"))[-3:]:
        flush(path)
    flush(log)


def sort_column(name: str) -> str:
    """The first column of a table's order."""
    return SORT_KEYS[name][0]
