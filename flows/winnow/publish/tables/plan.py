"""What publishing a version does to a table, found out before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from winnow.base.contracts import TABLES
from winnow.publish.dataset import Dataset
from winnow.publish.tables.delta import KEYS, ActiveFile, active_files, open_table
from winnow.publish.tables.row_writer import Written
from winnow.publish.tables.rows import read_rows
from winnow.publish.tables.schema import evolution, storable, stored_schema

ALL: Literal["all"] = "all"
"""Given as `replaced`: every row the table has."""

Replaced: TypeAlias = pa.Array | pa.ChunkedArray | Collection[str]
"""Keys whose rows go; the string ``all`` for every row."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a table needs: rows to add, files that lose all their rows, files that lose some.

    ``adopted`` are files that are whole already and only become the table's (a rollback brings them back).
    ``in_order`` says whether the rows to add must come in the table's order.
    """

    name: str
    schema: pa.Schema
    rows: Callable[[], Iterator[pa.Table]]
    n_rows: int
    gone: pa.Array
    whole: tuple[ActiveFile, ...]
    partly: tuple[ActiveFile, ...]
    adopted: tuple[Written, ...] = ()
    in_order: bool = True

    @property
    def changes(self) -> bool:
        return bool(self.n_rows or self.whole or self.partly or self.adopted)


def plan_table(
    dataset: Dataset, name: str, parts: Sequence[Path], replaced: Replaced, schema: pa.Schema | None = None
) -> Plan:
    """Find out what publishing `parts` in place of the rows of `replaced` does to a table; writes nothing.

    Raises SchemaConflict when the table cannot take rows of the schema.
    """
    wanted = storable(schema or TABLES[name])
    table = open_table(dataset.table(name))
    gone = pa.array([], pa.string()) if isinstance(replaced, str) else _keys(replaced)
    whole: list[ActiveFile] = []
    partly: list[ActiveFile] = []
    if table is not None:
        evolution(name, stored_schema(table), wanted)
        for file in active_files(table, name):
            share = 1.0 if isinstance(replaced, str) else _share_gone(dataset.table(name), file, name, gone)
            if share == 1:
                whole.append(file)
            elif share:
                partly.append(file)
    n_rows = sum(pq.read_metadata(p).num_rows for p in parts)
    return Plan(
        name,
        wanted,
        lambda: read_rows(parts, wanted),
        n_rows,
        gone,
        tuple(whole),
        tuple(partly),
    )


def _keys(replaced: pa.Array | pa.ChunkedArray | Collection[str]) -> pa.Array:
    if isinstance(replaced, pa.ChunkedArray):
        return replaced.combine_chunks().cast(pa.string())
    if isinstance(replaced, pa.Array):
        return replaced.cast(pa.string())
    return pa.array(sorted(replaced), pa.string())


def _share_gone(folder: Path, file: ActiveFile, name: str, gone: pa.Array) -> float:
    """Share of the file's rows whose key is among `gone`; 1 only if all are."""
    if not len(gone):
        return 0
    span = pc.min_max(gone)
    if (file.low and file.low > span["max"].as_py()) or (file.high and file.high < span["min"].as_py()):
        return 0
    keys = pq.read_table(folder / file.path, columns=[KEYS[name]], partitioning=None).column(0)
    hit = pc.sum(pc.is_in(keys, value_set=gone)).as_py() or 0
    return 1 if hit == len(keys) else hit / len(keys)
