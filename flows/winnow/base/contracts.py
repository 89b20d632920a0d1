"""The contracts of a dataset: one JSON file a table in ``schemas/``, read as Arrow schemas and expectation suites.

Every column and table carries its description in the metadata key ``description``:

>>> TABLES["documents"].field("doc_id").metadata[b"description"].decode()[:24]
'First 16 hex digits of S'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from winnow.base.errors import ContractBroken
from winnow.base.recipe import ValidateSettings
from winnow.base.records import Json

STRUCTS = "list<struct>"
TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int32": pa.int32(),
    "int64": pa.int64(),  # Delta has no unsigned integers: hashes are the same 64 bits read as signed
    "float32": pa.float32(),
    "bool": pa.bool_(),
    "binary": pa.binary(),
    "binary[16]": pa.binary(16),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "map<string, string>": pa.map_(pa.string(), pa.string()),
    "list<int64>": pa.list_(pa.field("item", pa.int64(), nullable=False)),
}
"""Arrow's type for each name that a file in ``schemas/`` may use, besides STRUCTS, which has columns of its own."""

_Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Strict):
    """One column of a table, or one field of the structs that a column lists."""

    name: _Text
    type: str
    description: _Text
    nullable: bool = False
    columns: tuple[Column, ...] = ()

    @model_validator(mode="after")
    def _type_is_known(self) -> Column:
        if self.type not in TYPES and self.type != STRUCTS:
            raise ValueError(f"{self.type!r} is no type; known are {', '.join([*TYPES, STRUCTS])}")
        if bool(self.columns) != (self.type == STRUCTS):
            raise ValueError(f"columns inside a column belong to type {STRUCTS}, and to no other")
        return self

    def arrow_field(self) -> pa.Field:
        """The column in an Arrow schema."""
        kind = TYPES.get(self.type) or pa.list_(
            pa.field("item", pa.struct([c.arrow_field() for c in self.columns]), nullable=False)
        )
        return column(self.name, kind, self.description, self.nullable)


class ExpectationMeta(_Strict):
    """What Winnow says of an expectation. ``reason`` may hold places: {value}, {min_value}, {max_value}, {detail}."""

    name: _Text
    reason: _Text
    remedy: str = ""


class Expectation(_Strict):
    """One expectation, in Great Expectations' own JSON form."""

    type: str = Field(pattern=r"^expect_[a-z_]+$")
    kwargs: Json  # JSON by nature: each type has its own
    description: _Text
    meta: ExpectationMeta

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it looks at."""
        named = (self.kwargs.get(key) for key in ("column", "column_A", "column_B"))
        return tuple(c for c in (*named, *self.kwargs.get("column_list", ())) if c)

    def limits(self, settings: ValidateSettings) -> Json:
        """Its numbers as they apply under `settings`, by their names in ``kwargs``."""
        numbers = {k: v for k, v in self.kwargs.items() if k in ("min_value", "max_value", "regex", "value_set")}
        return {k: getattr(settings, v["$PARAMETER"]) if isinstance(v, dict) else v for k, v in numbers.items()}


class Contract(_Strict):
    """A table's columns and expectations; without columns, expectations of values that are no table of a dataset."""

    name: _Text
    description: str = ""
    notes: str = ""
    sort_key: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    expectations: tuple[Expectation, ...] = ()

    @model_validator(mode="after")
    def _parts_fit(self) -> Contract:
        names = [c.name for c in self.columns]
        used = {c for e in self.expectations for c in e.columns} if names else set()
        parameters = [v["$PARAMETER"] for e in self.expectations for v in e.kwargs.values() if isinstance(v, dict)]
        titles = [e.meta.name for e in self.expectations]
        troubles = (
            ("has columns and no description", names[:1] if not self.description else ()),
            ("columns stand twice", _repeated(names)),
            ("sort_key names unknown columns", {*self.sort_key} - {*names}),
            ("expectations name unknown columns", used - {*names}),
            ("expectations stand twice", _repeated(titles)),
            ("expectations name unknown settings of validation", {*parameters} - {*ValidateSettings.model_fields}),
        )
        for trouble, culprits in troubles:
            if culprits:
                raise ValueError(f"{trouble}: {', '.join(sorted(culprits))}")
        return self

    def arrow_schema(self) -> pa.Schema:
        """The columns as Arrow schema, descriptions in its metadata."""
        return table(self.description, *(c.arrow_field() for c in self.columns))

    def suite(self) -> Json:
        """The expectations as plain data, fit for ``great_expectations.ExpectationSuite(**data)``."""
        return self.model_dump(include={"name", "notes", "expectations"}, exclude_unset=True, mode="json")


def _repeated(names: Sequence[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}


def parse_contract(text: str, origin: str) -> Contract:
    """The contract that a JSON text holds.

    Raises ContractBroken with `origin` and the place in it.

    >>> parse_contract('{"name": "t", "columns": [{"name": "n", "type": "uint8", "description": "d"}]}', "t.json")
    Traceback (most recent call last):
    winnow.base.errors.ContractBroken: t.json: columns.0: 'uint8' is no type; known are string, int32, int64, float32,\
 bool, binary, binary[16], timestamp, map<string, string>, list<int64>, list<struct>
    """
    try:
        return Contract.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        said = first["msg"].removeprefix("Value error, ")
        raise ContractBroken(f"{origin}: {place}{': ' if place else ''}{said}") from error


def schemas_folder() -> Traversable:
    """The folder of contracts: inside the installed package, or the repository's own in an editable install."""
    installed = files("winnow") / "schemas"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[3] / "schemas"


@cache
def contract(name: str) -> Contract:
    """The contract in ``schemas/NAME.json``. Raises ContractBroken where it is missing or faulty."""
    try:
        text = (schemas_folder() / f"{name}.json").read_text(encoding="utf-8")
    except OSError as error:
        raise ContractBroken(
            f"schemas/{name}.json: cannot be read: {(error.strerror or str(error)).lower()}"
        ) from error
    return parse_contract(text, f"schemas/{name}.json")


def column(name: str, kind: pa.DataType, description: str, nullable: bool = False) -> pa.Field:
    """A field that carries its description in the metadata key ``description``."""
    return pa.field(name, kind, nullable=nullable, metadata={"description": description})


def table(description: str, *columns: pa.Field) -> pa.Schema:
    """A schema that carries the table's own description in the metadata key ``description``."""
    return pa.schema(columns, metadata={"description": description})


@dataclass(frozen=True, slots=True)
class ColumnEntry:
    """A column as it is listed for people and in manifests; ``type`` is Arrow's name of it."""

    name: str
    type: str
    nullable: bool
    description: str


def describe(schema: pa.Schema) -> tuple[ColumnEntry, ...]:
    """Each column of a schema, in order.

    >>> describe(table("t", column("n", pa.int64(), "a count")))
    (ColumnEntry(name='n', type='int64', nullable=False, description='a count'),)
    """
    return tuple(
        ColumnEntry(f.name, str(f.type), f.nullable, (f.metadata or {})[b"description"].decode()) for f in schema
    )


_NAMES = ("documents", "passages", "edits", "duplicates", "rejects", "runs", "index", "inputs", "sources", "similar")

TABLES = {name: contract(name).arrow_schema() for name in _NAMES}
"""Every table of a dataset, by the name of its folder."""

SORT_KEYS = {name: contract(name).sort_key for name in _NAMES}
"""The order of the rows that one version adds to a table."""
