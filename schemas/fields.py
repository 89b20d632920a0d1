"""How a column is written down: name, Arrow type, whether null is allowed, and what it means."""

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")
METADATA = pa.map_(pa.string(), pa.string())


def column(name: str, kind: pa.DataType, description: str, nullable: bool = False) -> pa.Field:
    """A field that carries its description in the metadata key ``description``."""
    return pa.field(name, kind, nullable=nullable, metadata={"description": description})


def table(description: str, *columns: pa.Field) -> pa.Schema:
    """A schema that carries the table's own description in the metadata key ``description``."""
    return pa.schema(columns, metadata={"description": description})


def describe(schema: pa.Schema) -> list[tuple[str, str, bool, str]]:
    """``(name, type, nullable, description)`` for each column, in order.

    >>> describe(table("t", column("n", pa.int64(), "a count")))
    [('n', 'int64', False, 'a count')]
    """
    return [(f.name, str(f.type), f.nullable, (f.metadata or {})[b"description"].decode()) for f in schema]
