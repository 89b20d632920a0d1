"""The house keeps its order: who may import whom, what a contract must say, how long a file may be."""

import ast
import json
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from winnow.base import staging
from winnow.base.contracts import TABLES

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "flows" / "winnow"

STAGES = ("read", "repair", "deduplicate", "validate", "publish", "report")
FLOWS = ("build", "replay", "withdraw", "approve", "erase", "maintain")

LAYERS = (("cli", "__main__"), FLOWS, ("server",), ("run",), ("storage",), STAGES, ("base", "__init__"))
"""The floors from top to bottom. A room imports from floors below its own; rooms of one floor that are stages never
import one another."""

FLOOR = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
MANY_DOORS = {"__init__"}  # the package's face hands names on from wherever they stand
WORKER_FREE = ("prefect", "typer", "rich", "distributed", "great_expectations")


def name_of(path: Path) -> str:
    """The dotted name of a module of the house."""
    parts = list(path.relative_to(HOUSE.parent).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(HOUSE.rglob("*.py"))}


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide who depends on whom"
            found |= {f"{node.module}.{a.name}" for a in node.names if f"{node.module}.{a.name}" in MODULES}
            if any(f"{node.module}.{a.name}" not in MODULES for a in node.names):
                found.add(node.module or "")
    return found


@cache
def all_imports() -> dict[str, set[str]]:
    """Of each module of the house, what it imports."""
    return {name: imports_of(path) for name, path in MODULES.items()}


def room_of(module: str) -> str:
    """The folder or file directly inside the package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def upward(imports: dict[str, set[str]]) -> list[str]:
    """Imports that point to a higher floor, or sideways from one stage to another."""
    found = []
    for name, imported in imports.items():
        here = room_of(name)
        for other in sorted(imported):
            there = room_of(other) if other.split(".")[0] == "winnow" else None
            if there is None or there == here or here in MANY_DOORS:
                continue
            if FLOOR[there] < FLOOR[here] or (here in STAGES and there in STAGES):
                found.append(f"{name} -> {other}")
    return found


def cycles(imports: dict[str, set[str]]) -> list[str]:
    """Modules that reach themselves through their imports, one line a circle found."""
    done: set[str] = set()
    found: list[str] = []

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            found.append(" -> ".join([*path[path.index(name) :], name]))
            return
        if name in done:
            return
        for other in sorted(imports.get(name, ())):
            if other in imports:
                visit(other, [*path, name])
        done.add(name)

    for name in imports:
        visit(name, [])
    return found


def unused(imports: dict[str, set[str]]) -> list[str]:
    """Modules that no module imports; flows, the command and the fork server are started by name."""
    started = {"winnow", "winnow.__main__", "winnow.run.fork_server", *(f"winnow.{flow}" for flow in FLOWS)}
    packages = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    used = {other for name, imported in imports.items() for other in imported if other != name}
    return sorted(set(imports) - used - started - packages)


def test_no_import_points_up_or_from_stage_to_stage():
    assert upward(all_imports()) == []


def test_an_import_that_points_up_or_sideways_is_found():
    above = {"winnow.repair.order", "winnow.base.errors"}
    imports = {"winnow.read.html": above, "winnow.base.log": {"winnow.run.work_plan"}}
    assert upward(imports) == ["winnow.read.html -> winnow.repair.order", "winnow.base.log -> winnow.run.work_plan"]


def test_no_import_runs_in_a_circle():
    assert cycles(all_imports()) == []


def test_a_circle_is_found():
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a -> b -> c -> a"]


def test_every_module_is_imported_by_another():
    assert unused(all_imports()) == []


def test_a_module_that_nothing_imports_is_found():
    assert unused({**all_imports(), "winnow.read.lost": set()}) == ["winnow.read.lost"]


def test_every_room_has_its_floor_and_there_are_at_most_twenty():
    rooms = {room_of(name) for name in MODULES}
    assert rooms == set(FLOOR)
    assert len(rooms) + 1 <= 20  # and schemas/
    assert len(LAYERS) <= 7


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_knows_neither_prefect_nor_the_command_line(stage):
    foreign = {
        name: strays
        for name, imported in all_imports().items()
        if room_of(name) == stage and (strays := {m for m in imported if m.split(".")[0] in WORKER_FREE[:4]})
    }
    assert foreign == {}


@pytest.mark.parametrize("module", ["winnow.run.jobs", "winnow.run.assemble", "winnow.repair", "winnow.read"])
def test_workers_load_neither_prefect_nor_great_expectations(module):
    code = f"import sys, {module}; print([m for m in ('prefect', 'great_expectations') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_schemas_hold_data_only():
    assert {p.suffix for p in (ROOT / "schemas").iterdir()} == {".json"}
    assert all(json.loads(p.read_text(encoding="utf-8"))["name"] == p.stem for p in (ROOT / "schemas").iterdir())


def test_every_column_says_what_it_means():
    tables = {**TABLES, "raw": staging.RAW, "repaired": staging.REPAIRED}
    silent = [f"{t}.{f.name}" for t, s in tables.items() for f in s if not (f.metadata or {}).get(b"description")]
    assert silent == []
    assert all(s.metadata[b"description"] for s in tables.values())


def test_files_stay_readable_in_one_sitting():
    long = {name: n for name, p in MODULES.items() if (n := len(p.read_text(encoding="utf-8").splitlines())) > 500}
    assert long == {}


def test_no_file_has_a_name_that_says_nothing():
    ours = [*MODULES.values(), *(ROOT / "tests").rglob("*.py")]
    vague = [p.name for p in ours if p.stem in ("utils", "helpers", "common", "misc")]
    assert vague == []


def test_no_two_modules_share_a_name_unless_they_are_the_same_thing_in_two_stages():
    names = sorted(p.stem for p in MODULES.values() if p.stem != "__init__")
    assert {a for a, b in pairwise(names) if a == b} - SAME_THING == set()


SAME_THING: set[str] = set()
"""Names that stand in two rooms on purpose."""


PLAIN_OPENS = {
    "pl": {"scan_parquet", "read_parquet", "scan_ipc", "read_ipc"},
    "pq": {"read_table", "read_metadata", "read_schema", "ParquetFile", "ParquetDataset"},
    "pads": {"dataset"},
}
READS_SOURCES = ("winnow.read.", "winnow.repair.")  # their files are not a dataset's


def plain_opens_of(source: str) -> list[int]:
    """The lines on which a module opens a table's file without asking where it is."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="pl" | "pq" | "pads" as library), attr=called)):
                asked = [a for a in node.args if isinstance(a, ast.Call) and ast.unparse(a.func) == "at_hand"]
                if called in PLAIN_OPENS[library] and not asked:
                    found.append(node.lineno)
    return found


def test_a_plain_open_is_found() -> None:
    assert plain_opens_of("pq.read_table(at_hand(path))\nx = pl.scan_parquet(files)\npads.field('a')") == [2]


def test_files_of_a_dataset_are_opened_through_the_door_for_they_may_be_in_the_store_alone() -> None:
    dataset = {n: path for n, path in MODULES.items() if n != "winnow.base.files" and not n.startswith(READS_SOURCES)}
    opened = {name: plain_opens_of(path.read_text(encoding="utf-8")) for name, path in dataset.items()}
    assert {name: lines for name, lines in opened.items() if lines} == {}
