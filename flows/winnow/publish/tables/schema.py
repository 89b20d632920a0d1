"""Schema evolution: columns may be added and may become nullable; nothing may be lost."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Field, Schema

from winnow.base.errors import SchemaConflict

_NEW_DATASET = "publish into a new dataset (winnow run --into NEW)"


@dataclass(frozen=True, slots=True)
class Evolution:
    """What must be done to a table before rows of the new schema can be written."""

    added: tuple[str, ...] = ()
    loosened: tuple[str, ...] = ()
    described: tuple[str, ...] = ()


def evolution(name: str, stored: pa.Schema, wanted: pa.Schema) -> Evolution:
    """The steps from the stored columns of table `name` to the wanted ones.

    Raises SchemaConflict for a column that was dropped, retyped, forbidden to be null, or added and may not
    be null.

    >>> from winnow.base.contracts import column, table
    >>> a = table("t", column("n", pa.int64(), "a count"))
    >>> evolution("t", a, table("t", *a, column("m", pa.string(), "new", True))).added
    ('m',)
    >>> evolution("t", a, table("t", column("n", pa.string(), "a count")))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    winnow.base.errors.SchemaConflict: table t: column n is int64 in the dataset and string in schemas/; ...
    """
    added, loosened, described = [], [], []
    for field in stored:
        if field.name not in wanted.names:
            raise SchemaConflict(
                f"table {name}: column {field.name} is in the dataset and no longer in schemas/; "
                f"put it back (it may be null in new rows), or {_NEW_DATASET}"
            )
    for field in wanted:
        if field.name not in stored.names:
            if not field.nullable:
                raise SchemaConflict(
                    f"table {name}: column {field.name} is new and may not be null, "
                    "but the rows of earlier versions have no value for it; declare it nullable"
                )
            added.append(field.name)
            continue
        old = stored.field(field.name)
        if plain(old.type) != plain(field.type):
            raise SchemaConflict(
                f"table {name}: column {field.name} is {plain(old.type)} in the dataset and {plain(field.type)} "
                f"in schemas/; give the changed column a new name beside the old one, or {_NEW_DATASET}"
            )
        if old.nullable and not field.nullable:
            raise SchemaConflict(
                f"table {name}: column {field.name} may be null in the dataset and not in schemas/; "
                f"let it stay nullable, or {_NEW_DATASET}"
            )
        if field.nullable and not old.nullable:
            loosened.append(field.name)
        if (old.metadata or {}) != (field.metadata or {}):
            described.append(field.name)
    return Evolution(tuple(added), tuple(loosened), tuple(described))


def evolve(table: DeltaTable, steps: Evolution, wanted: pa.Schema, mark: dict[str, str]) -> None:
    """Make the steps; each is a commit that changes no row."""
    if steps.added:
        fields = [Field.from_arrow(wanted.field(n)) for n in steps.added]
        table.alter.add_columns(fields, commit_properties=CommitProperties(custom_metadata=mark))
    for name in steps.loosened:
        table.alter.drop_column_not_null(name, commit_properties=CommitProperties(custom_metadata=mark))
    for name in steps.described:
        description = (wanted.field(name).metadata or {}).get(b"description", b"").decode()
        table.alter.set_column_metadata(
            name, {"description": description}, commit_properties=CommitProperties(custom_metadata=mark)
        )


def stored_schema(table: DeltaTable) -> pa.Schema:
    """The table's columns as Arrow types that every reader knows (no views, no large types)."""
    schema: Schema = table.schema()
    return pa.schema([f.with_type(plain(f.type)) for f in pa.schema(schema)])


def storable(schema: pa.Schema) -> pa.Schema:
    """The schema with types that Delta can hold; names, order and descriptions stay.

    >>> storable(pa.schema([("hash", pa.binary(16))])).field("hash").type
    DataType(binary)
    """
    return pa.schema([f.with_type(plain(f.type)) for f in schema], metadata=schema.metadata)


def plain(kind: pa.DataType) -> pa.DataType:
    """The type as Delta knows it: one kind of string, of binary, of list.

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
