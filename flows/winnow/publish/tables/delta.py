"""The Delta tables: create, list their files, commit. Rows are written by `winnow.publish.tables.row_files`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from winnow.base.contracts import TABLES
from winnow.base.disk import Checkpoint, flush, no_checkpoint
from winnow.base.files import bring, is_mounted
from winnow.base.recipe import PublishSettings
from winnow.base.recipe_values import spdx_licence
from winnow.base.staging import sha256_of
from winnow.publish.tables.row_files import WrittenFile
from winnow.publish.tables.schema import CONSTRAINTS, description_of

KEYS = dict.fromkeys(TABLES, "doc_id") | {"runs": "run_id", "inputs": "path", "sources": "site"}
"""The column by which rows of a table are replaced."""

LOG = "_delta_log"

PURPOSE = "winnow"
"""Name under which a commit's metadata says what the commit is for."""

_SUMS = "winnow_sha256"
"""Name under which a commit that belongs to no version says the SHA-256 of its files, as a manifest does of others."""

# Versions are kept as long as their views are; log files must not go before (Delta's default is 30 days).
_CONFIGURATION = {
    "delta.enableChangeDataFeed": "true",
    "delta.logRetentionDuration": "interval 36500 days",
    # Who opens a table reads the last checkpoint and the commits since, each a file, or a request; the default is 100.
    "delta.checkpointInterval": "10",
}

_FILE = re.compile(r"part-(\d{5,9})-(\d{5,9})-([0-9a-f]{8})-(\d\d)\.parquet")


def token_of(run_id: str) -> str:
    """Returns what the files of a run have in their names."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:8]


def labels_of(settings: PublishSettings) -> dict[str, str]:
    """What the metadata of each Parquet file says of the dataset, as it was named when the file was written."""
    return {"winnow.dataset": settings.name, "winnow.licence": spdx_licence(settings.licence) or settings.licence}


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteJob:
    """Who writes to the tables, for which version and what purpose.

    A commit to ``publish`` belongs to a version and is undone where the version never came to be; one to ``record`` or
    ``compact`` stands by itself. ``started_at`` is the time that its commits bear. ``labels`` go into the metadata of
    the Parquet files it writes, with the run and the version.
    """

    run_id: str
    version: int
    file_bytes: int
    started_at: datetime
    purpose: Literal["publish", "record", "compact"] = "publish"
    labels: Mapping[str, str] = field(default_factory=dict)
    checkpoint: Checkpoint = no_checkpoint

    @property
    def token(self) -> str:
        """What its files have in their names."""
        return token_of(self.run_id)

    @property
    def transaction(self) -> Transaction:
        return Transaction(f"winnow:{self.run_id}", self.version)

    def labelled(self, schema: pa.Schema) -> pa.Schema:
        """The schema of the Parquet files it writes."""
        said = {"winnow.run": self.run_id, "winnow.version": str(self.version), **self.labels}
        return schema.with_metadata({**(schema.metadata or {}), **said})

    def metadata(self, purpose: str) -> dict[str, str]:
        """What its commits say of themselves."""
        return {PURPOSE: purpose, "winnow_run": self.run_id, "winnow_version": str(self.version)}

    def new_paths(self, folder: Path, taken: Sequence[ActiveFile]) -> Iterator[Path]:
        """Yields free file names for the rows that its version adds to the table in `folder`."""
        # A run that was held back may have taken numbers of this version already.
        first = max((f.number + 1 for f in taken if f.version == self.version), default=0)
        for number in count(first):
            yield next(self._free_paths(folder, self.version, number))

    def paths_like(self, folder: Path, file: ActiveFile) -> Iterator[Path]:
        """Yields free file names that keep a rewritten file's place in the order."""
        yield from self._free_paths(folder, file.version, file.number)

    def _free_paths(self, folder: Path, version: int, number: int) -> Iterator[Path]:
        # A killed run may have left a file of the same name, and a view may hold it: never write into one.
        for attempt in range(100):
            path = folder / file_name(version, number, self.token, attempt)
            if not path.exists():
                yield path


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveFile:
    """A file of the table as it stands. ``rows``, ``low`` and ``high`` (bounds of its keys) are as the log knows them.

    ``version`` is the dataset version that added the rows, ``number`` the file's in it; files of others come after
    ours.
    """

    name: str
    rows: int | None
    bytes: int
    low: str | None
    high: str | None

    @property
    def version(self) -> int:
        found = _FILE.fullmatch(self.name)
        return int(found[1]) if found else 999_999_999

    @property
    def number(self) -> int:
        found = _FILE.fullmatch(self.name)
        return int(found[2]) if found else 0


def file_name(version: int, number: int, token: str, attempt: int = 0) -> str:
    """Returns the name of a table's file: the version that added its rows, its number in it, and who wrote it.

    Names sort in row order, and none is ever given twice: a view may hold the file that had it.

    >>> file_name(3, 0, "0a1b2c3d")
    'part-00003-00000-0a1b2c3d-00.parquet'
    """
    return f"part-{version:05d}-{number:05d}-{token}-{attempt:02d}.parquet"


def name_after_erasure(name: str, run_id: str) -> str:
    """Returns the name of a file that takes the place of `name`, in the same place of the row order.

    Files of one writer get one new token, so that their order stays.

    >>> name_after_erasure("part-00003-00000-0a1b2c3d-01.parquet", "run")
    'part-00003-00000-c7cc85d3-01.parquet'
    """
    found = _FILE.fullmatch(name)
    if found is None:
        return f"{Path(name).stem}-{token_of(run_id)}.parquet"
    return f"{name[: -len('-0a1b2c3d-00.parquet')]}-{token_of(run_id + found[3])}-{found[4]}.parquet"


def is_ours(name: str) -> bool:
    """Whether a file's name is one that `file_name` gives.

    >>> is_ours(file_name(3, 0, "0a1b2c3d")), is_ours("part-00000-c000.snappy.parquet")
    (True, False)
    """
    return _FILE.fullmatch(name) is not None


def open_table(folder: Path, at: int | None = None) -> DeltaTable | None:
    """Returns the Delta table in `folder` as it stands, or stood at commit `at`; None where there is none."""
    if not (folder / LOG).is_dir():
        return None
    bring_log(folder, at)
    try:
        return DeltaTable(str(folder), version=at)
    except TableNotFoundError:
        return None  # killed before its first commit


def bring_log(folder: Path, at: int | None = None, since: int | None = None) -> None:
    """Fetches what is not here of a table's log: all `since` a commit, or how the table stands, or stood `at` one."""
    if not is_mounted(folder) or not (folder / LOG).is_dir():
        return
    names = [path.name for path in (folder / LOG).iterdir()]
    asked = log_tail(names, at) if since is None else [name for number, name in _numbered(names) if number >= since]
    bring(folder / LOG / name for name in asked)


def log_tail(names: Iterable[str], at: int | None = None) -> list[str]:
    """Returns the files of a log that tell how the table stands, or stood at a commit: the last checkpoint and commits.

    >>> log_tail(f"{n:020d}{end}" for n, end in ((1, ".json"), (2, ".json"), (1, ".checkpoint.parquet")))
    ['00000000000000000001.checkpoint.parquet', '00000000000000000002.json']
    """
    asked = [(number, name) for number, name in _numbered(names) if at is None or number <= at]
    last = max((number for number, name in asked if ".checkpoint" in name), default=-1)
    return sorted(n for number, n in asked if number > last or (number == last and ".checkpoint" in n))


def last_commit(folder: Path) -> int:
    """Returns the highest number that a file of the log in `folder` has; -1 where there is none."""
    return max((number for number, _ in _numbered(path.name for path in (folder / LOG).glob("*"))), default=-1)


def _numbered(names: Iterable[str]) -> list[tuple[int, str]]:
    """Returns the files of a log with the numbers of their commits; what else lies in its folder has none."""
    return [(int(name[:20]), name) for name in names if name[:20].isdigit()]


def create_table(folder: Path, schema: pa.Schema) -> DeltaTable:
    """Returns a new, empty Delta table with change data feed and the table's constraints, made in one commit."""
    folder.mkdir(parents=True, exist_ok=True)
    checks = {f"delta.constraints.{k}": sql for k, sql in CONSTRAINTS.get(folder.name, {}).items()}
    table = DeltaTable.create(
        str(folder),
        schema,
        name=folder.name,
        description=description_of(schema),
        configuration={**_CONFIGURATION, **checks},
        raise_if_key_not_exists=False,
        commit_properties=CommitProperties(custom_metadata={PURPOSE: "create"}),
    )
    flush_log(folder)
    return table


def is_whole_commit(path: Path) -> bool:
    """Whether a file of a log holds a commit, and not what a power loss or damage leaves of one."""
    lines = path.read_bytes().splitlines()
    try:
        return bool(lines) and all(isinstance(json.loads(line), dict) for line in lines)
    except ValueError:
        return False


def active_files(table: DeltaTable | None, name: str) -> list[ActiveFile]:
    """Returns the files of the table as it stands, in row order; none where there is no table."""
    if table is None:
        return []
    key = KEYS[name]
    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    files = [
        ActiveFile(
            name=action["path"],
            rows=action.get("num_records"),
            bytes=action["size_bytes"],
            low=action.get(f"min.{key}"),
            high=action.get(f"max.{key}"),
        )
        for action in actions
    ]
    return sorted(files, key=lambda f: f.name)


def recorded_sums(table: DeltaTable, base: int) -> dict[str, str]:
    """Returns SHA-256 by name of the files that the table got after commit `base`, as far as its commits say them."""
    behind = table.version() - base
    said = (entry.get(_SUMS) for entry in (table.history(behind) if behind > 0 else ()))
    return {name: sha256 for text in said if text for name, sha256 in json.loads(text).items()}


def fault_of(path: Path, file: ActiveFile, sha256: str | None) -> str | None:
    """What is wrong with a file of a table; None where nothing is. Without `sha256` only its size is compared."""
    size = path.stat().st_size if path.is_file() else None
    if size != file.bytes:
        return "is missing" if size is None else f"has {size} bytes, the log says {file.bytes}"
    if sha256 is not None and (found := sha256_of(path)) != sha256:
        return f"was changed: SHA-256 is {found}, the log says {sha256}"
    return None


def commit(
    table: DeltaTable,
    folder: Path,
    schema: pa.Schema,
    job: WriteJob,
    purpose: str,
    *,
    add: Sequence[WrittenFile],
    remove: Sequence[ActiveFile | WrittenFile],
    data_change: bool,
) -> None:
    """Adds and removes files of the table in `folder`, in one commit; `table` stands as it leaves it.

    `data_change` false says that the rows stay the same (readers of the change feed see nothing).
    """
    milliseconds = int(job.started_at.timestamp() * 1000)
    actions: list[AddAction | RemoveAction] = [
        AddAction(f.name, f.bytes, {}, milliseconds, data_change, _statistics(f, KEYS[folder.name])) for f in add
    ]
    actions += [RemoveAction(f.name, data_change, milliseconds, f.bytes, {}) for f in remove]
    metadata = job.metadata(purpose)
    if job.purpose != "publish":  # the files of the others are in a manifest
        metadata[_SUMS] = json.dumps({f.name: f.sha256 for f in add})
    table.create_write_transaction(
        actions,
        "append",
        schema,
        commit_properties=CommitProperties(
            custom_metadata=metadata, app_transactions=[job.transaction] if data_change else []
        ),
        post_commithook_properties=PostCommitHookProperties(cleanup_expired_logs=False),
    )
    flush_log(folder)
    table.update_incremental()


def _statistics(file: WrittenFile, key: str) -> str:
    statistics: dict[str, Any] = {"numRecords": file.rows, "nullCount": {key: 0}}
    # Only short ASCII keys: Delta compares bounds by code point and cuts long ones off, with rules of its own.
    if file.low and file.high and len(file.high) <= 32 and (file.low + file.high).isascii():
        statistics |= {"minValues": {key: file.low}, "maxValues": {key: file.high}}
    return json.dumps(statistics)


def flush_log(folder: Path) -> None:
    """Flushes the newest commits of the table in `folder`, and their checkpoints."""
    log = folder / LOG
    # A vacuum makes two commits, so the last alone would not do; each may have a checkpoint.
    for path in sorted(log.glob("[0-9]*"))[-4:]:
        flush(path)
    flush(log)
