"""The house keeps its order: who may import whom, what a schema must say, how long a file may be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import schemas
from schemas import staged

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("read", "repair", "deduplicate", "validate", "publish", "report")
SHARED = {"flows.records", "flows.errors", "flows.recipe", "flows.staging", "flows.telemetry", "flows.full_disk"}


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide who depends on whom"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def strays_of(stage: str, imported: set[str]) -> set[str]:
    """What a file of `stage` imports and must not."""
    own = {m for m in imported if m.startswith("flows.")}
    allowed = {m for m in own if m.startswith(f"flows.{stage}.") or m == f"flows.{stage}"}
    allowed |= {m for m in own if any(m == s or m.startswith(s + ".") for s in SHARED)}
    foreign = {m for m in imported if m.split(".")[0] in ("prefect", "typer", "rich", "distributed")}
    return (own - allowed) | foreign


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_no_other_stage_nor_prefect_nor_the_command_line(stage):
    files = sorted((ROOT / "flows" / stage).rglob("*.py"))
    assert files
    strays = {str(f.relative_to(ROOT)): s for f in files if (s := strays_of(stage, imports_of(f)))}
    assert strays == {}


def test_a_stray_import_is_found():
    assert strays_of("read", {"flows.repair", "flows.repair.repair", "prefect", "flows.read.x", "flows.errors"}) == {
        "flows.repair", "flows.repair.repair", "prefect",
    }  # fmt: skip


def test_schemas_import_only_pyarrow_and_the_standard_library():
    foreign = set()
    for path in (ROOT / "schemas").rglob("*.py"):
        tops = {m.split(".")[0] for m in imports_of(path)}
        foreign |= {t for t in tops if t not in sys.stdlib_module_names and t not in ("pyarrow", "schemas")}
    assert foreign == set()


@pytest.mark.parametrize("module", ["flows.jobs", "flows.assemble", "flows.repair", "flows.read"])
def test_workers_load_neither_prefect_nor_great_expectations(module):
    code = f"import sys, {module}; print([m for m in ('prefect', 'great_expectations') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_every_column_says_what_it_means():
    tables = {**schemas.TABLES, "raw": staged.RAW, "repaired": staged.REPAIRED}
    silent = [f"{t}.{f.name}" for t, s in tables.items() for f in s if not (f.metadata or {}).get(b"description")]
    assert silent == []
    assert all(s.metadata[b"description"] for s in tables.values())


def test_files_stay_readable_in_one_sitting():
    long = {
        str(p.relative_to(ROOT)): n
        for folder in ("flows", "schemas")
        for p in (ROOT / folder).rglob("*.py")
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert long == {}


def test_no_file_has_a_name_that_says_nothing():
    ours = [p for top in ("flows", "schemas", "tests") for p in (ROOT / top).rglob("*.py")]
    vague = [p.name for p in ours if p.stem in ("utils", "helpers", "common", "misc")]
    assert vague == []
