"""Contracts are data: what a file in schemas/ says is what Arrow holds, and a faulty file is named with its place."""

import json
import shutil
import tomllib

import pyarrow as pa
import pytest
from tests.conftest import ROOT

from winnow.base import contracts
from winnow.base.contracts import SORT_KEYS, STRUCTS, TABLES, TYPES, contract, parse_contract, schemas_folder
from winnow.base.errors import ContractBroken

SCHEMAS = {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in sorted((ROOT / "schemas").glob("*.json"))}
NAMES = {kind: name for name, kind in TYPES.items()}

COLUMN = {"name": "n", "type": "int64", "description": "A count"}
EXPECTATION = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "n", "min_value": 0, "max_value": {"$PARAMETER": "max_chars"}},
    "description": "n is a length",
    "meta": {"name": "n_is_a_length", "reason": "n is {value}"},
}
TABLE = {"name": "t", "description": "A table", "sort_key": ["n"], "columns": [COLUMN], "expectations": [EXPECTATION]}


def columns_from(fields) -> list[dict[str, object]]:
    """Arrow fields in the form of a file in schemas/."""
    columns = []
    for field in fields:
        said = {"name": field.name, "description": field.metadata[b"description"].decode()}
        if field.type in NAMES:
            said["type"] = NAMES[field.type]
        else:
            said |= {"type": STRUCTS, "columns": columns_from(field.type.value_type)}
        columns.append(said | ({"nullable": True} if field.nullable else {}))
    return columns


@pytest.mark.parametrize("name", TABLES)
def test_arrow_schema_and_file_say_the_same(name):
    assert columns_from(TABLES[name]) == SCHEMAS[name]["columns"]
    assert TABLES[name].metadata == {b"description": SCHEMAS[name]["description"].encode()}
    assert list(SORT_KEYS[name]) == SCHEMAS[name]["sort_key"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_suite_is_what_the_file_says(name):
    said = {key: SCHEMAS[name][key] for key in ("name", "notes", "expectations") if key in SCHEMAS[name]}
    assert contract(name).suite() == said


def test_every_file_is_a_table_or_a_suite():
    assert {name for name, said in SCHEMAS.items() if "columns" in said} == set(TABLES)
    assert all("expectations" in said for name, said in SCHEMAS.items() if name not in TABLES)


def test_a_list_of_structs_holds_no_null():
    item = TABLES["index"].field("repeats").type.value_field
    assert (item.nullable, item.type.field("position").type) == (False, pa.int32())


def test_numbers_of_an_expectation_come_from_the_settings():
    [expectation] = parse_contract(json.dumps(TABLE), "t.json").expectations
    assert expectation.limits(contracts.ValidateSettings(max_chars=7)) == {"min_value": 0, "max_value": 7}
    assert expectation.columns == ("n",)


@pytest.mark.parametrize(
    "change, said",
    [
        ({"columns": [{**COLUMN, "type": "uint8"}]}, "columns.0: 'uint8' is no type; known are string"),
        ({"columns": [{"name": "n", "type": "int64"}]}, "columns.0.description: Field required"),
        ({"columns": [{**COLUMN, "description": ""}]}, "columns.0.description: String should have at least 1"),
        ({"columns": [{**COLUMN, "nulable": True}]}, "columns.0.nulable: Extra inputs are not permitted"),
        ({"columns": [{**COLUMN, "columns": [COLUMN]}]}, "columns.0: columns inside a column belong to"),
        ({"columns": [{**COLUMN, "type": STRUCTS}]}, "columns.0: columns inside a column belong to"),
        ({"columns": [{**COLUMN, "type": STRUCTS, "columns": [{"name": "m"}]}]}, "columns.0.columns.0.type: Field"),
        ({"columns": [COLUMN, COLUMN]}, "columns stand twice: n"),
        ({"description": ""}, "has columns and no description"),
        ({"sort_key": ["m"]}, "sort_key names unknown columns: m"),
        ({"expectations": [{**EXPECTATION, "kwargs": {"column": "m"}}]}, "expectations name unknown columns: m"),
        ({"expectations": [EXPECTATION, EXPECTATION]}, "expectations stand twice: n_is_a_length"),
        ({"expectations": [{**EXPECTATION, "type": "between"}]}, "expectations.0.type: String should match pattern"),
        ({"expectations": [{**EXPECTATION, "meta": {"name": "x"}}]}, "expectations.0.meta.reason: Field required"),
        (
            {"expectations": [{**EXPECTATION, "kwargs": {"column": "n", "max_value": {"$PARAMETER": "longest"}}}]},
            "expectations name unknown settings of validation: longest",
        ),
    ],
)  # fmt: skip
def test_a_faulty_contract_is_named_with_file_and_place(change, said):
    with pytest.raises(ContractBroken) as caught:
        parse_contract(json.dumps({**TABLE, **change}), "schemas/t.json")
    assert str(caught.value).startswith(f"schemas/t.json: {said}")


def test_what_is_no_json_is_named():
    with pytest.raises(ContractBroken, match=r"schemas/t\.json: Invalid JSON"):
        parse_contract("{", "schemas/t.json")


def test_a_missing_contract_is_named():
    with pytest.raises(ContractBroken, match=r"schemas/nothing\.json: cannot be read: no such file"):
        contract("nothing")


def test_an_installed_package_reads_its_own_copy_and_an_editable_one_the_repository_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(contracts, "files", lambda package: tmp_path)
    assert schemas_folder() == ROOT / "schemas"
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    assert schemas_folder() == tmp_path / "schemas"


def test_the_wheel_carries_the_folder_of_the_repository():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"] == {"schemas": "winnow/schemas"}


@pytest.mark.parametrize("name", TABLES)
def test_no_table_holds_a_map_which_datasets_spark_and_spreadsheets_do_not_read(name: str) -> None:
    assert [f.name for f in TABLES[name] if pa.types.is_map(f.type) or pa.types.is_struct(f.type)] == []
