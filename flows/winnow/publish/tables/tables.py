"""Write one version's rows to the Delta tables: new files for new rows, and copies of the files that lose
rows.

A file that holds rows of a replaced document is rewritten without them; all others stay as they are, and with
them the hard links of every view. Two commits do it. The first moves the rows that will go into files of
their own and changes no row; the second removes these files and adds the new ones. So the change data feed
names exactly the rows that went and came, and a reader sees the old rows or the new, never a mixture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable

from winnow.base.errors import DatasetError
from winnow.publish.dataset import Dataset
from winnow.publish.tables.constraints import check
from winnow.publish.tables.delta import (
    KEYS,
    MARK,
    ActiveFile,
    active_files,
    commit,
    create_table,
    file_name,
    open_table,
    sort_column,
)
from winnow.publish.tables.plan import Plan
from winnow.publish.tables.row_writer import RowWriter, Written, write_rows
from winnow.publish.tables.rows import read_rows
from winnow.publish.tables.schema import evolution, evolve, stored_schema
from winnow.publish.tables.writing import Checkpoint, Writing, no_checkpoint


@dataclass(frozen=True, slots=True)
class Committed:
    """A table after its commits; ``hashes`` are the SHA-256 of the files that were written."""

    delta_version: int
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan whose files are written and belong to no table yet.

    ``cut`` are files to be replaced by ``kept`` (rows that stay) and ``split`` (rows that go); ``new`` are
    the rows that come. ``done``: the table has this run's commit already.
    """

    plan: Plan
    cut: tuple[ActiveFile, ...] = ()
    kept: tuple[Written, ...] = ()
    split: tuple[Written, ...] = ()
    new: tuple[Written, ...] = ()
    done: bool = False


def prepare(
    dataset: Dataset, plan: Plan, writing: Writing, checkpoint: Checkpoint = no_checkpoint, kind: str = "publish"
) -> Prepared:
    """Write the files that a plan needs; the table does not change. Plans may be prepared side by side."""
    name, folder = plan.name, dataset.table(plan.name)
    table = open_table(folder)
    if table is not None and kind == "publish" and _is_done(table, writing):
        return Prepared(plan, done=True)
    whole = {f.path for f in plan.whole}
    partly = {f.path for f in plan.partly}
    cut, kept, split = [], [], []
    active = active_files(table, name) if table is not None else []
    for file in active:
        if file.path in partly or (file.path not in whole and _is_outdated(folder, file, plan.schema)):
            stay, go = _cut(folder, file, plan, writing)
            cut.append(file)
            kept += stay
            split += go
    # A run that was held back may have taken numbers of this version already.
    first = max((f.place[1] + 1 for f in active if f.place[0] == writing.version), default=0)
    names = _names(folder, writing, first)
    new = write_rows(_checked(plan), plan.schema, names, KEYS[name], writing.file_bytes)
    checkpoint(f"{name}: written")
    return Prepared(plan, tuple(cut), tuple(kept), tuple(split), (*plan.adopted, *new))


def commit_prepared(
    dataset: Dataset,
    prepared: Prepared,
    writing: Writing,
    checkpoint: Checkpoint = no_checkpoint,
    kind: str = "publish",
) -> Committed:
    """Make prepared files the table's. A table to which nothing changes gets no commit, nor one that has it.

    `kind` says what the commit is for: ``publish`` belongs to a version and is undone where the version never
    came to be; ``record`` and ``compact`` stand by themselves.
    """
    plan, name, folder = prepared.plan, prepared.plan.name, dataset.table(prepared.plan.name)
    table = open_table(folder) or create_table(folder, name, plan.schema)
    if prepared.done:
        return Committed(table.version())
    evolve(table, evolution(name, stored_schema(table), plan.schema), plan.schema, writing.mark("evolve"))
    if prepared.cut:
        first = "rearrange" if kind == "publish" else kind
        moved = [*prepared.kept, *prepared.split]
        _commit(folder, plan, writing, first, moved, prepared.cut, data_change=False)
        checkpoint(f"{name}: rearranged")
    split = [ActiveFile(f.path.name, f.rows, f.bytes, None, None) for f in prepared.split]
    leaving = [*plan.whole, *split]
    if prepared.new or leaving:
        _commit(folder, plan, writing, kind, prepared.new, leaving, data_change=True)
    checkpoint(f"{name}: committed")
    hashes = {f.path.name: f.sha256 for f in (*prepared.kept, *prepared.new)}
    return Committed(DeltaTable(str(folder)).version(), hashes)


def commit_plan(
    dataset: Dataset,
    plan: Plan,
    writing: Writing,
    checkpoint: Checkpoint = no_checkpoint,
    kind: str = "publish",
) -> Committed:
    """Carry one plan out."""
    return commit_prepared(dataset, prepare(dataset, plan, writing, checkpoint, kind), writing, checkpoint, kind)


def _is_done(table: DeltaTable, writing: Writing) -> bool:
    """Whether the table's newest commit is this run's: the call is a repetition."""
    transaction = writing.transaction
    if table.transaction_version(transaction.app_id) != writing.version:
        return False
    newest = table.history(1)[0]
    return newest.get(MARK) == "publish" and newest.get("winnow_run") == writing.run_id


def _commit(
    folder: Path,
    plan: Plan,
    writing: Writing,
    kind: str,
    add: Sequence[Written],
    remove: Sequence[ActiveFile],
    data_change: bool,
) -> None:
    commit(
        folder,
        plan.name,
        plan.schema,
        add,
        remove,
        data_change,
        writing.mark(kind),
        [writing.transaction] if data_change else [],
        writing.milliseconds,
    )


def _is_outdated(folder: Path, file: ActiveFile, schema: pa.Schema) -> bool:
    """Whether a file lacks columns of the schema; the plain view of the next version needs them in every
    file."""
    return bool(pq.read_schema(folder / file.path).names != schema.names)


def _cut(folder: Path, file: ActiveFile, plan: Plan, writing: Writing) -> tuple[list[Written], list[Written]]:
    """Write a file's rows anew: those that stay, and those that go."""
    paths = names_like(folder, file, writing)
    stay, go = (RowWriter(plan.schema, paths, KEYS[plan.name], writing.file_bytes) for _ in range(2))
    for rows in read_rows([folder / file.path], plan.schema):
        hit = pc.is_in(rows.column(KEYS[plan.name]), value_set=plan.gone)
        stay.add(rows.filter(pc.invert(hit)))
        go.add(rows.filter(hit))
    return stay.finish(), go.finish()


def _checked(plan: Plan) -> Iterator[pa.Table]:
    """The new rows, each batch looked at: constraints, nulls, order."""
    last = None
    key = sort_column(plan.name)
    for rows in plan.rows():
        if not rows.num_rows:
            continue
        check(plan.name, rows)
        column = rows.column(key).combine_chunks()
        first = column[0].as_py()
        if plan.in_order and (
            (last is not None and first < last)
            or (len(column) > 1 and pc.any(pc.less(column[1:], column[:-1])).as_py())
        ):
            raise DatasetError(f"table {plan.name}: the rows to be added are not sorted by {key}")
        last = column[-1].as_py()
        yield rows


def _names(folder: Path, writing: Writing, first: int) -> Iterator[Path]:
    """Free file names for the rows that a version adds."""
    for number in range(first, 1 << 30):
        yield next(_free(folder, writing.version, number, writing.token))


def names_like(folder: Path, file: ActiveFile, writing: Writing) -> Iterator[Path]:
    """Free file names that keep a rewritten file's place in the order."""
    yield from _free(folder, *file.place, writing.token)


def _free(folder: Path, version: int, number: int, token: str) -> Iterator[Path]:
    # A killed run may have left a file of the same name, and a view may hold it: never write into one.
    for attempt in range(100):
        path = folder / file_name(version, number, token, attempt)
        if not path.exists():
            yield path
