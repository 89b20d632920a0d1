"""Every table is held to its Arrow schema: exact columns, types and nulls, and nothing dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from winnow.base.errors import ContractBroken

_SAME_VALUES = {  # other ways to store the same values; polars and pandas hand these over
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
}


def conform(table: pa.Table, schema: pa.Schema, name: str) -> pa.Table:
    """The same rows under exactly `schema`: its columns and types, in its order, nulls only where allowed.

    Columns are reordered, and values that are only stored in another way (large strings, dictionaries, a
    smaller integer type) are rewritten; nothing is guessed, rounded or dropped.

    Raises ContractBroken with table, column and row.

    >>> conform(pa.table({"n": [1, None]}), pa.schema([pa.field("n", pa.int64(), nullable=False)]), "counts")
    Traceback (most recent call last):
    winnow.base.errors.ContractBroken: counts: column 'n' is null in row 1; the schema allows no null there
    """
    unknown = [c for c in table.column_names if c not in schema.names]
    missing = [c for c in schema.names if c not in table.column_names]
    twice = sorted({c for c in table.column_names if table.column_names.count(c) > 1})
    for trouble, columns in (("unknown", unknown), ("missing", missing), ("repeated", twice)):
        if columns:
            raise ContractBroken(
                f"{name}: {trouble} column{'s' * (len(columns) > 1)} {', '.join(map(repr, columns))}; "
                f"the schema has {', '.join(schema.names)}"
            )
    columns = [_column(table.column(field.name), field, name, table) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def table_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema, name: str) -> pa.Table:
    """Rows as a table of `schema`, strictly: `pyarrow.Table.from_pylist` drops unknown keys without a word.

    Raises ContractBroken with table, column and row.

    >>> table_of([{"n": 1, "m": 2}], pa.schema([pa.field("n", pa.int64())]), "counts")
    Traceback (most recent call last):
    winnow.base.errors.ContractBroken: counts: row 0 has unknown columns 'm'; the schema has n
    """
    known = set(schema.names)
    for number, row in enumerate(rows):
        if row.keys() != known:
            wrong = sorted(row.keys() - known) or sorted(known - row.keys())
            kind = "unknown" if row.keys() - known else "missing"
            raise ContractBroken(
                f"{name}: row {number} has {kind} columns {', '.join(map(repr, wrong))}; "
                f"the schema has {', '.join(schema.names)}"
            )
    arrays = []
    for field in schema:
        values = [row[field.name] for row in rows]
        _refuse_unknown_inside(values, field, name)
        try:
            arrays.append(pa.array(values, field.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeError) as error:
            number = _first_bad(values, field.type)
            raise ContractBroken(
                f"{name}: column {field.name!r}, row {number}: {values[number]!r:.80} is no {field.type}"
            ) from error
    return conform(pa.Table.from_arrays(arrays, names=schema.names), schema, name)


def _refuse_unknown_inside(values: Sequence[Any], field: pa.Field, name: str) -> None:
    if not (pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type)):
        return
    known = {inner.name for inner in field.type.value_type}
    for number, items in enumerate(values):
        for item in items or ():
            if item is not None and item.keys() - known:
                raise ContractBroken(
                    f"{name}: column {field.name!r}, row {number} holds the unknown field "
                    f"{min(item.keys() - known)!r}; the schema has {', '.join(sorted(known))}"
                )


def _first_bad(values: Sequence[Any], kind: pa.DataType) -> int:
    for number, value in enumerate(values):
        try:
            pa.array([value], kind)
        except (pa.ArrowException, OverflowError, UnicodeError, TypeError):
            return number
    return 0


def _column(column: pa.ChunkedArray, field: pa.Field, name: str, table: pa.Table) -> pa.ChunkedArray:
    if column.type != field.type:
        if not _same_values(column.type, field.type):
            raise ContractBroken(f"{name}: column {field.name!r} is {column.type}, the schema says {field.type}")
        try:
            column = column.cast(field.type, safe=True)
        except pa.ArrowInvalid as error:
            raise ContractBroken(
                f"{name}: column {field.name!r} does not fit {field.type} without loss: {error}"
            ) from error
    if not field.nullable and column.null_count:
        row = pc.index(column.is_null(), True).as_py()
        raise ContractBroken(
            f"{name}: column {field.name!r} is null in row {row}{_identity(table, row)}; "
            "the schema allows no null there"
        )
    for number, chunk in enumerate(column.chunks):
        if inner := _null_inside(chunk, field.type):
            raise ContractBroken(
                f"{name}: column {field.name!r} holds a null in {inner} (chunk {number}); "
                "the schema allows no null there"
            )
    return column


def _identity(table: pa.Table, row: int) -> str:
    return f" (doc_id {table.column('doc_id')[row].as_py()})" if "doc_id" in table.column_names else ""


def _same_values(given: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether a cast between the types can only change how values are stored, or is checked by value."""
    if _SAME_VALUES.get(given, given) == wanted or pa.types.is_null(given):
        return True
    if pa.types.is_dictionary(given):
        return _same_values(given.value_type, wanted)
    if pa.types.is_timestamp(given) and pa.types.is_timestamp(wanted):
        return bool(given.tz) == bool(wanted.tz)  # a time without a zone is not a time in UTC
    if pa.types.is_floating(given) and pa.types.is_floating(wanted):
        return True  # shares and similarities are measured in double and kept in single precision
    if pa.types.is_list(wanted) and (pa.types.is_list(given) or pa.types.is_large_list(given)):
        return _same_values(given.value_type, wanted.value_type)
    if pa.types.is_struct(given) and pa.types.is_struct(wanted):
        pairs = zip(given, wanted, strict=False)
        return given.num_fields == wanted.num_fields and all(
            a.name == b.name and _same_values(a.type, b.type) for a, b in pairs
        )
    if pa.types.is_map(given) and pa.types.is_map(wanted):
        return _same_values(given.key_type, wanted.key_type) and _same_values(given.item_type, wanted.item_type)
    if pa.types.is_fixed_size_binary(wanted):
        return pa.types.is_binary(given) or pa.types.is_large_binary(given)
    return pa.types.is_integer(given) and pa.types.is_integer(wanted)


def _null_inside(array: pa.Array, kind: pa.DataType) -> str:
    """Path of a nested field that holds a null it must not, else an empty string; Arrow does not check."""
    if pa.types.is_list(kind):
        inner = array.flatten()
        if not kind.value_field.nullable and inner.null_count:
            return f"{kind.value_field.name}"
        return _null_inside(inner, kind.value_type)
    if pa.types.is_struct(kind):
        for number, field in enumerate(kind):
            inner = array.field(number) if not array.null_count else array.drop_null().field(number)
            if not field.nullable and inner.null_count:
                return field.name
            if found := _null_inside(inner, field.type):
                return f"{field.name}.{found}"
    return ""
