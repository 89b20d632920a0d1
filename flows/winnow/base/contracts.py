"""The contracts of a dataset: one JSON file a table in ``schemas/``, read as Arrow schemas and expectation suites.

Every column and table carries its description in the metadata key ``description``:

>>> TABLES["documents"].field("doc_id").metadata[b"description"].decode()[:24]
'First 16 hex digits of S'
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")
METADATA = pa.map_(pa.string(), pa.string())

_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int32": pa.int32(),
    "int64": pa.int64(),  # Delta has no unsigned integers: hashes are the same 64 bits read as signed
    "float32": pa.float32(),
    "bool": pa.bool_(),
    "binary": pa.binary(),
    "binary[16]": pa.binary(16),
    "timestamp": TIMESTAMP,
    "map<string, string>": METADATA,
    "list<int64>": pa.list_(pa.field("item", pa.int64(), nullable=False)),
}
"""Arrow's type for each name that a file in ``schemas/`` may use."""


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


def suite_names() -> list[str]:
    """Names of the contracts that hold expectations, sorted."""
    return sorted(name for name in _names() if "expectations" in _contract(name))


def suite(name: str) -> dict[str, Any]:
    """The expectations of a contract as plain data, fit for ``great_expectations.ExpectationSuite(**data)``.

    Raises FileNotFoundError for a name that is not in `suite_names`.
    """
    contract = _contract(name)
    return {key: contract[key] for key in ("name", "notes", "expectations")}


def _folder() -> Traversable:
    """The folder of contracts: inside the installed package, or the repository's own in an editable install."""
    installed = files("winnow") / "schemas"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[3] / "schemas"


def _names() -> list[str]:
    return [p.name.removesuffix(".json") for p in _folder().iterdir() if p.name.endswith(".json")]


@cache
def _contract(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((_folder() / f"{name}.json").read_text(encoding="utf-8"))
    return data


def _field(said: dict[str, Any]) -> pa.Field:
    kind = said["type"]
    if isinstance(kind, list):
        arrow = pa.list_(pa.field("item", pa.struct([_field(c) for c in kind]), nullable=False))
    else:
        arrow = _TYPES[kind]
    return column(said["name"], arrow, said["description"], said.get("nullable", False))


def _table(name: str) -> pa.Schema:
    contract = _contract(name)
    return table(contract["description"], *map(_field, contract["columns"]))


_NAMES: Sequence[str] = ("documents", "passages", "edits", "duplicates", "rejects", "runs", "index", "inputs")

TABLES = {name: _table(name) for name in _NAMES}
"""Every table of a dataset, by the name of its folder."""

SORT_KEYS: dict[str, tuple[str, ...]] = {name: tuple(_contract(name)["sort_key"]) for name in _NAMES}
"""The order of the rows that one version adds to a table."""
