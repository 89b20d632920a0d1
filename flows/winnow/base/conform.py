"""Rows are held to their table's Arrow schema: exact columns, types and nulls, and nothing dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from winnow.base.errors import ContractBroken


def conform(table: pa.Table, schema: pa.Schema, name: str, fill_absent: bool = False) -> pa.Table:
    """The same rows under exactly `schema`: its columns and types, in its order, nulls only where allowed.

    Columns are reordered, and values that are only stored in another way (large strings, dictionaries, a
    smaller integer type) are rewritten; nothing is guessed, rounded or dropped. With `fill_absent` a column that is
    missing and may be null is filled with nulls: rows of earlier versions do not have the columns that came later.

    Raises ContractBroken with table, column and row.

    >>> conform(pa.table({"n": [1, None]}), pa.schema([pa.field("n", pa.int64(), nullable=False)]), "counts")
    Traceback (most recent call last):
    winnow.base.errors.ContractBroken: counts: column 'n' is null in row 1; the schema allows no null there
    """
    if fill_absent:
        for field in schema:
            if field.nullable and field.name not in table.column_names:
                table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    given = table.column_names
    troubles = {
        "unknown": [c for c in given if c not in schema.names],
        "missing": [c for c in schema.names if c not in given],
        "repeated": sorted({c for c in given if given.count(c) > 1}),
    }
    for trouble, columns in troubles.items():
        if columns:
            raise ContractBroken(
                f"{name}: {trouble} column{'s' * (len(columns) > 1)} {', '.join(map(repr, columns))}; "
                f"the schema has {', '.join(schema.names)}"
            )
    return pa.Table.from_arrays([_column(table, field, name) for field in schema], schema=schema)


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


def _column(table: pa.Table, field: pa.Field, name: str) -> pa.ChunkedArray:
    column = table.column(field.name)
    where = f"{name}: column {field.name!r}"
    if column.type != field.type:
        if not _only_stored_otherwise(column.type, field.type):
            raise ContractBroken(f"{where} is {column.type}, the schema says {field.type}")
        try:
            column = column.cast(field.type, safe=True)
        except pa.ArrowException as error:
            raise ContractBroken(f"{where} does not fit {field.type} without loss: {error}") from error
    if not field.nullable and column.null_count:
        row = pc.index(column.is_null(), True).as_py()
        identity = f" (doc_id {table.column('doc_id')[row].as_py()})" if "doc_id" in table.column_names else ""
        raise ContractBroken(f"{where} is null in row {row}{identity}; the schema allows no null there")
    for number, chunk in enumerate(column.chunks):
        if inner := _null_inside(chunk, field.type):
            raise ContractBroken(f"{where} holds a null in {inner} (chunk {number}); the schema allows no null there")
    return column


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_binary(kind: pa.DataType) -> bool:
    is_any = pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary
    return any(is_it(kind) for is_it in is_any)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _only_stored_otherwise(given: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether a cast between the types can only change how values are stored, or is checked by value."""
    if given == wanted or pa.types.is_null(given):
        return True
    if pa.types.is_dictionary(given):
        return _only_stored_otherwise(given.value_type, wanted)
    # Shares and similarities are measured in double and kept in single precision.
    for is_kind in (_is_string, _is_binary, pa.types.is_integer, pa.types.is_floating):
        if is_kind(wanted):
            return bool(is_kind(given))
    if pa.types.is_timestamp(wanted):  # a time without a zone is not a time in UTC
        return bool(pa.types.is_timestamp(given) and bool(given.tz) == bool(wanted.tz))
    if _is_list(wanted):
        return _is_list(given) and _only_stored_otherwise(given.value_type, wanted.value_type)
    if pa.types.is_struct(wanted):
        return (
            pa.types.is_struct(given)
            and [f.name for f in given] == [f.name for f in wanted]
            and all(_only_stored_otherwise(a.type, b.type) for a, b in zip(given, wanted, strict=True))
        )
    return (
        pa.types.is_map(wanted)
        and pa.types.is_map(given)
        and _only_stored_otherwise(given.key_type, wanted.key_type)
        and _only_stored_otherwise(given.item_type, wanted.item_type)
    )


def _null_inside(array: pa.Array, kind: pa.DataType) -> str:
    """Path of a nested field that holds a null it must not, else an empty string; Arrow does not check."""
    if pa.types.is_list(kind):
        inner = array.flatten()
        if not kind.value_field.nullable and inner.null_count:
            return str(kind.value_field.name)
        return _null_inside(inner, kind.value_type)
    if pa.types.is_struct(kind):
        for number, field in enumerate(kind):
            inner = array.field(number) if not array.null_count else array.drop_null().field(number)
            if not field.nullable and inner.null_count:
                return str(field.name)
            if found := _null_inside(inner, field.type):
                return f"{field.name}.{found}"
    return ""
