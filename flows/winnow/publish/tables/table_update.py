"""Write one version's rows to the Delta tables: new files for new rows, and copies of the files that lose rows.

What a table needs is found out before anything is written. A file that holds rows of a replaced document is then
rewritten without them; all others stay as they are, and with them the hard links of every view. Two commits do it. The
first moves the rows that will go into files of their own and changes no row; the second removes these files and adds
the new ones. So the change data feed names exactly the rows that went and came, and a reader sees the old rows or the
new, never a mixture.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable

from winnow.base.contracts import SORT_KEYS, TABLES
from winnow.base.doc_ids import DocIds, as_doc_ids
from winnow.base.errors import DatasetError
from winnow.base.files import hand_over, in_shares, make_way, metadata_of, parquet_file, take_over
from winnow.base.object_store import Entry
from winnow.publish.dataset import Dataset
from winnow.publish.tables.delta import (
    KEYS,
    PURPOSE,
    ActiveFile,
    WriteJob,
    active_files,
    commit,
    create_table,
    open_table,
)
from winnow.publish.tables.row_files import (
    RowWriter,
    WrittenFile,
    packed_bytes,
    read_column,
    read_rows,
    write_rows,
)
from winnow.publish.tables.schema import check, evolution, evolve, storable, stored_schema

ALL: Literal["all"] = "all"
"""Given as `replaced`: every row the table has."""

_TIER, _FEWEST = 4, 3

Replaced: TypeAlias = Collection[str]
"""Keys whose rows go; the string ``all`` for every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """Keys whose rows go, from ``low`` to ``high``; both are empty where there are none."""

    mask: Callable[[pa.ChunkedArray], pa.BooleanArray]
    low: str
    high: str

    @classmethod
    def of(cls, keys: Collection[str]) -> Removed:
        if isinstance(keys, DocIds):
            low, high = as_doc_ids(keys.keys[[0, -1]]).to_pylist() if keys else ("", "")
            return cls(mask=keys.mask, low=low, high=high)
        among = pa.array(sorted(keys), pa.string())
        return cls(
            mask=lambda column: pc.is_in(column, value_set=among), low=min(keys, default=""), high=max(keys, default="")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TableUpdate:
    """What a table needs: rows to add, files that lose all their rows, files that lose those `removed`.

    ``table`` is as it stood when this was found out; to open one costs more than most of what is asked of it.
    ``adopted`` are files that are whole already and only become the table's (a rollback brings them back).
    ``parts`` are the files that hold the rows to add, with their bytes, where files hold them. ``in_order`` says
    whether the rows to add must come in the table's order.
    """

    name: str
    table: DeltaTable | None
    schema: pa.Schema
    rows: Callable[[], Iterator[pa.Table]]
    n_rows: int
    removed: Removed
    emptied: tuple[ActiveFile, ...] = ()
    thinned: tuple[ActiveFile, ...] = ()
    adopted: tuple[WrittenFile, ...] = ()
    parts: Mapping[Path, int] = field(default_factory=dict)
    in_order: bool = True

    @property
    def changes_rows(self) -> bool:
        return bool(self.n_rows or self.emptied or self.thinned or self.adopted)


def plan_update(dataset: Dataset, name: str, replaced: Replaced, parts: Sequence[Path] = ()) -> TableUpdate:
    """Finds out what publishing `parts` in place of the rows of `replaced` does to a table; writes nothing.

    Raises SchemaConflict when the table cannot take rows of the schema.
    """
    folder, schema = dataset.table(name), storable(TABLES[name])
    table = open_table(folder)
    if table is not None:
        evolution(name, stored_schema(table), schema)
    removed = Removed.of(() if isinstance(replaced, str) else replaced)
    emptied: list[ActiveFile] = []
    thinned: list[ActiveFile] = []
    for file in active_files(table, name):
        share = 1.0 if isinstance(replaced, str) else _share_removed(folder / file.name, file, removed)
        if share == 1:
            emptied.append(file)
        elif share:
            thinned.append(file)
    sizes = [(meta.num_rows, packed_bytes(meta)) for meta in metadata_of(parts)]
    return TableUpdate(
        name=name,
        table=table,
        schema=schema,
        rows=lambda: read_rows(parts, schema),
        n_rows=sum(rows for rows, _ in sizes),
        removed=removed,
        emptied=tuple(emptied),
        thinned=tuple(thinned),
        parts={path: size for path, (_, size) in zip(parts, sizes, strict=True)},
    )


def _share_removed(path: Path, file: ActiveFile, removed: Removed) -> float:
    """Returns the share of the file's rows whose key is among the removed ones; 1 only if all are."""
    if not removed.low or (file.low and file.low > removed.high) or (file.high and file.high < removed.low):
        return 0
    keys = read_column(path, KEYS[path.parent.name])
    hit = int(pc.sum(removed.mask(keys)).as_py() or 0)
    return 1 if hit == len(keys) else hit / len(keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedUpdate:
    """An update whose files are written and belong to no table yet.

    ``cut`` are files to be replaced by ``kept`` (rows that stay) and ``split`` (rows that go); ``new`` are the rows
    that come. ``done``: the table has this run's commit already.
    """

    update: TableUpdate
    cut: Sequence[ActiveFile] = ()
    kept: Sequence[WrittenFile] = ()
    split: Sequence[WrittenFile] = ()
    new: Sequence[WrittenFile] = ()
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedUpdate:
    """A table after its commits; ``hashes`` are the SHA-256 of the files that were written."""

    table: DeltaTable
    hashes: Mapping[str, str] = field(default_factory=dict)


def prepare_update(
    dataset: Dataset, update: TableUpdate, job: WriteJob, executor: Executor | None = None
) -> PreparedUpdate:
    """Writes the files that an update needs; the table does not change. Updates may be prepared side by side.

    With an `executor` its workers write the new rows where they make more than one file.
    """
    name, folder, table = update.name, dataset.table(update.name), update.table
    if table is not None and job.purpose == "publish" and _is_done(table, job):
        return PreparedUpdate(update=update, done=True)
    cut: list[ActiveFile] = []
    kept: list[WrittenFile] = []
    split: list[WrittenFile] = []
    active = active_files(table, name)
    emptied, thinned = {f.name for f in update.emptied}, {f.name for f in update.thinned}
    changing = {
        f.name for f in active
        if f.name in thinned or (f.name not in emptied and _is_outdated(folder / f.name, update.schema))
    }  # fmt: skip
    labelled = job.labelled(update.schema)
    groups = [[f] for f in active if f.name in changing]
    if update.n_rows:
        groups.append(small_tail([f for f in active if f.name not in emptied], changing, job.file_bytes))
    for group in filter(None, groups):
        cut += group
        paths = job.paths_like(folder, group[0])
        stay, go = (RowWriter(labelled, paths, KEYS[name], job.file_bytes) for _ in range(2))
        for rows in read_rows([folder / f.name for f in group], update.schema):
            hit = update.removed.mask(rows.column(KEYS[name]))
            stay.add(rows.filter(pc.invert(hit)))
            go.add(rows.filter(hit))
        kept += stay.finish()
        split += go.finish()
    paths = job.new_paths(folder, active)
    shares = list(in_shares(update.parts, job.file_bytes)) if executor else []
    if executor and len(shares) > 1:
        new = list(_written_by(executor, shares, update, labelled, paths))
    else:
        rows = _checked(name, update.rows(), update.in_order)
        new = write_rows(rows, labelled, paths, KEYS[name], job.file_bytes)
    job.checkpoint(f"{name}: written")
    return PreparedUpdate(update=update, cut=cut, kept=kept, split=split, new=[*update.adopted, *new])


def small_tail(files: Sequence[ActiveFile], changing: Collection[str], file_bytes: int) -> list[ActiveFile]:
    """Returns the last files that are joined into one, three at least; none where they are fewer.

    A file is taken where it is at most four times as large as those after it, so that a row is written again as often
    as the logarithm of what comes later, and the small files of a table are a handful (size-tiered merging, as in
    O'Neil and others, The log-structured merge-tree, 1996).
    """
    tail: list[ActiveFile] = []
    size = 0
    for file in reversed(files):
        fits = file.name not in changing and size + file.bytes <= file_bytes
        if not fits or (tail and file.bytes > _TIER * size):
            break
        tail.insert(0, file)
        size += file.bytes
    return tail if len(tail) >= _FEWEST else []


def commit_update(dataset: Dataset, prepared: PreparedUpdate, job: WriteJob) -> CommittedUpdate:
    """Makes prepared files the table's. A table to which nothing changes gets no commit, nor one that has it."""
    update, folder = prepared.update, dataset.table(prepared.update.name)
    table = update.table or create_table(folder, update.schema)
    if prepared.done:
        return CommittedUpdate(table=table)
    steps = evolution(update.name, stored_schema(table), update.schema)
    evolve(table, steps, CommitProperties(custom_metadata=job.metadata("evolve")))
    if prepared.cut:
        purpose = "rearrange" if job.purpose == "publish" else job.purpose
        moved = [*prepared.kept, *prepared.split]
        commit(table, folder, update.schema, job, purpose, add=moved, remove=prepared.cut, data_change=False)
        job.checkpoint(f"{update.name}: rearranged")
    leaving: list[ActiveFile | WrittenFile] = [*update.emptied, *prepared.split]
    if prepared.new or leaving:
        commit(table, folder, update.schema, job, job.purpose, add=prepared.new, remove=leaving, data_change=True)
    job.checkpoint(f"{update.name}: committed")
    hashes = {f.name: f.sha256 for f in (*prepared.kept, *prepared.new)}
    return CommittedUpdate(table=table, hashes=hashes)


def apply_update(dataset: Dataset, update: TableUpdate, job: WriteJob) -> CommittedUpdate:
    """Prepares and commits one update."""
    return commit_update(dataset, prepare_update(dataset, update, job), job)


def _is_done(table: DeltaTable, job: WriteJob) -> bool:
    """Whether the table's newest commit is this run's: the call is a repetition."""
    if table.transaction_version(job.transaction.app_id) != job.version:
        return False
    newest = table.history(1)[0]
    return newest.get(PURPOSE) == "publish" and newest.get("winnow_run") == job.run_id


def _is_outdated(path: Path, schema: pa.Schema) -> bool:
    """Whether a file lacks columns of the schema; the plain view of the next version needs them in every file."""
    with parquet_file(path) as file:
        return bool(file.schema_arrow.names != schema.names)


def _written_by(
    executor: Executor,
    shares: Sequence[Sequence[Path]],
    update: TableUpdate,
    labelled: pa.Schema,
    paths: Iterator[Path],
) -> Iterator[WrittenFile]:
    """Yields the files that workers write, one a share that has rows. Raises DatasetError where shares overlap."""
    last = None
    given = map(repeat, (update.name, update.schema, labelled, update.in_order))
    for done in executor.map(_write_share, shares, paths, *given):
        if done is None:
            continue
        file, entry = done
        take_over(file.path, file.bytes, file.sha256, entry)
        if update.in_order and last is not None and (file.low or "") < last:
            raise _not_sorted(update.name)
        last = file.high
        yield file


def _write_share(
    parts: Sequence[Path], path: Path, name: str, schema: pa.Schema, labelled: pa.Schema, in_order: bool
) -> tuple[WrittenFile, Entry | None] | None:
    """Writes the rows of some parts to one file; None where there are none."""
    make_way(path)
    rows = _checked(name, read_rows(parts, schema), in_order)
    for file in write_rows(rows, labelled, iter([path]), KEYS[name], sys.maxsize):
        return file, hand_over(path)
    return None


def _not_sorted(name: str) -> DatasetError:
    return DatasetError(f"table {name}: the rows to be added are not sorted by {SORT_KEYS[name][0]}")


def _checked(name: str, new: Iterable[pa.Table], in_order: bool) -> Iterator[pa.Table]:
    """Yields new rows, each batch looked at: constraints, nulls, order."""
    last = None
    key = SORT_KEYS[name][0]
    for rows in new:
        if not rows.num_rows:
            continue
        check(name, rows)
        column = rows.column(key).combine_chunks()
        follows = last is None or column[0].as_py() >= last
        sorted_within = not pc.any(pc.greater(column[:-1], column[1:])).as_py()
        if in_order and not (follows and sorted_within):
            raise _not_sorted(name)
        last = column[-1].as_py()
        yield rows
