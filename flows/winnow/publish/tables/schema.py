"""What the tables accept: columns may be added and may become nullable, nothing may be lost; and CHECK constraints.

Every writer must keep the constraints, also one that is not ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import polars as pl
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Field, Schema

from winnow.base.errors import DatasetError, SchemaConflict

_NEW_DATASET = "publish into a new dataset (winnow run --into NEW)"

_SHARE = "{0} IS NULL OR {0} >= 0 AND {0} <= 1"

CONSTRAINTS: dict[str, dict[str, str]] = {
    "documents": {
        "language_confidence": _SHARE.format("language_confidence"),
        "counts": "n_chars >= 0 AND n_words >= 0 AND n_passages >= 0 AND n_edits >= 0 AND n_removed >= 0",
        "first_version": "first_version >= 1",
    },
    "passages": {
        "position": "position >= 0 AND part >= 0",
        "reason": "status = 'removed' AND reason IS NOT NULL OR status = 'kept' AND reason IS NULL",
        "similarity": _SHARE.format("similarity"),
    },
    "edits": {
        "span": "start >= 0 AND start <= end",
        "confidence": "confidence >= 0 AND confidence <= 1",
        "seq": "seq >= 0",
    },
    "duplicates": {
        "kind": "kind = 'exact' OR kind = 'near' OR kind = 'contained'",
        "similarity": _SHARE.format("similarity"),
        "containment": _SHARE.format("containment"),
        "other": "doc_id <> kept_doc_id",
    },
    "similar": {
        "similarity": _SHARE.format("similarity"),
        "containment": _SHARE.format("containment"),
        "other": "doc_id <> similar_doc_id",
    },
    "rejects": {"stage": "stage = 'read' OR stage = 'repair' OR stage = 'validate' OR stage = 'withdraw'"},
    "inputs": {"counts": "bytes >= 0 AND n_documents >= 0 AND n_rejects >= 0"},
    "sources": {"counts": "n_documents = n_published + n_duplicates + n_rejected AND n_removed <= n_passages"},
    "index": {"arrival": "arrival >= 1"},
    "runs": {"status": "status = 'published' OR status = 'held' OR status = 'approved'"},
}
"""Name and SQL of each constraint, by table: plain comparisons, which Delta, DataFusion and Polars read alike."""


@dataclass(slots=True, kw_only=True)
class Evolution:
    """Columns that a table must get, let be null or describe anew before rows of the new schema can be written."""

    added: list[pa.Field] = field(default_factory=list)
    loosened: list[pa.Field] = field(default_factory=list)
    described: list[pa.Field] = field(default_factory=list)


def evolution(name: str, stored: pa.Schema, wanted: pa.Schema) -> Evolution:
    """Returns the steps from the stored columns of table `name` to the wanted ones.

    Raises SchemaConflict for a column that was dropped, retyped, forbidden to be null, or added and may not be null.

    >>> from winnow.base.contracts import column, table
    >>> a = table("t", column("n", pa.int64(), "a count"))
    >>> [f.name for f in evolution("t", a, table("t", *a, column("m", pa.string(), "new", True))).added]
    ['m']
    >>> evolution("t", a, table("t", column("n", pa.string(), "a count")))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    winnow.base.errors.SchemaConflict: table t: column n is int64 in the dataset and string in schemas/; ...
    """
    steps = Evolution()
    for old in stored:
        if old.name not in wanted.names:
            raise SchemaConflict(
                f"table {name}: column {old.name} is in the dataset and no longer in schemas/; "
                f"put it back (it may be null in new rows), or {_NEW_DATASET}"
            )
    for new in wanted:
        if new.name not in stored.names:
            if not new.nullable:
                raise SchemaConflict(
                    f"table {name}: column {new.name} is new and may not be null, "
                    "but the rows of earlier versions have no value for it; declare it nullable"
                )
            steps.added.append(new)
            continue
        old = stored.field(new.name)
        if plain(old.type) != plain(new.type):
            raise SchemaConflict(
                f"table {name}: column {new.name} is {plain(old.type)} in the dataset and {plain(new.type)} "
                f"in schemas/; give the changed column a new name beside the old one, or {_NEW_DATASET}"
            )
        if old.nullable and not new.nullable:
            raise SchemaConflict(
                f"table {name}: column {new.name} may be null in the dataset and not in schemas/; "
                f"let it stay nullable, or {_NEW_DATASET}"
            )
        if new.nullable and not old.nullable:
            steps.loosened.append(new)
        if (old.metadata or {}) != (new.metadata or {}):
            steps.described.append(new)
    return steps


def evolve(table: DeltaTable, steps: Evolution, properties: CommitProperties) -> None:
    """Makes the steps; each is a commit that changes no row. `table` stands as they leave it."""
    if steps.added:
        table.alter.add_columns([Field.from_arrow(f) for f in steps.added], commit_properties=properties)
    for column in steps.loosened:
        table.alter.drop_column_not_null(column.name, commit_properties=properties)
    for column in steps.described:
        described = {key.decode(): text.decode() for key, text in (column.metadata or {}).items()}
        table.alter.set_column_metadata(column.name, described, commit_properties=properties)
    if steps.added or steps.loosened or steps.described:
        table.update_incremental()


def description_of(described: pa.Schema | pa.Field) -> str:
    """Returns what a table or column says of itself, empty where it says nothing."""
    return str((described.metadata or {}).get(b"description", b"").decode())


def stored_schema(table: DeltaTable) -> pa.Schema:
    """Returns the table's columns as Arrow types that every reader knows (no views, no large types)."""
    schema: Schema = table.schema()
    return storable(pa.schema(schema))


def storable(schema: pa.Schema) -> pa.Schema:
    """Returns the schema with types that Delta can hold, and its descriptions as Delta's comments as well.

    >>> storable(pa.schema([("hash", pa.binary(16))])).field("hash").type
    DataType(binary)
    """
    return pa.schema([_commented(f.with_type(plain(f.type))) for f in schema], metadata=schema.metadata)


def _commented(column: pa.Field) -> pa.Field:
    """The column with its description under the key that Spark and others show as the comment."""
    said = column.metadata or {}
    return column.with_metadata({**said, b"comment": said[b"description"]}) if b"description" in said else column


def plain(kind: pa.DataType) -> pa.DataType:
    """Returns the type as Delta knows it: one kind of string, of binary, of list.

    >>> plain(pa.list_(pa.large_string()))
    ListType(list<item: string>)
    """
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.binary()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        item = kind.value_field
        return pa.list_(pa.field("item", plain(item.type), item.nullable))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(f.name, plain(f.type), f.nullable) for f in kind])
    if pa.types.is_map(kind):
        return pa.map_(plain(kind.key_type), plain(kind.item_type))
    return kind


@cache
def _constraints(table: str) -> list[tuple[str, pl.Expr]]:
    return [(name, pl.sql_expr(sql)) for name, sql in CONSTRAINTS.get(table, {}).items()]


def check(table: str, rows: pa.Table) -> None:
    """Raises DatasetError naming the constraint and a row that breaks it.

    As in SQL, a row for which a constraint is null breaks it no less than one for which it is false.
    """
    for column in rows.schema:
        if not column.nullable and rows.column(column.name).null_count:
            raise DatasetError(f"table {table}: column {column.name} holds null, which its schema forbids")
    for name, expression in _constraints(table):
        frame = pl.from_arrow(rows.select(list(dict.fromkeys(expression.meta.root_names()))))
        assert isinstance(frame, pl.DataFrame)
        broken = frame.select(expression.fill_null(False).not_().arg_true().first()).item()
        if broken is not None:
            row = frame.row(int(broken), named=True)
            raise DatasetError(f"table {table}: row {row} breaks the constraint {name}: {CONSTRAINTS[table][name]}")
