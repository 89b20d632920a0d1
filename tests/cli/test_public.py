"""What a user of the package meets: its names, in whatever order they are imported, and what is installed."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from tests.conftest import ROOT

import winnow
from winnow.base.contracts import TABLES
from winnow.base.errors import DatasetError

REPAIRED = "print(repair('a &amp;amp; b').text)"


def python(code: str, folder: Path = ROOT) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "code",
    [
        f"from winnow import repair; {REPAIRED}",
        f"import winnow.repair; from winnow import repair; {REPAIRED}",
        f"from winnow.repair import undo; from winnow import repair; {REPAIRED}",
        f"from winnow.repair import repair; {REPAIRED}",
        f"import winnow; repair = winnow.repair; {REPAIRED}",
        f"from winnow import repair; repair = repair.repair; {REPAIRED}",
        "import winnow; print(winnow.clean('a &amp;amp; b').text)",
    ],
)
def test_a_text_is_repaired_in_whatever_order_the_names_are_imported(code):
    assert python(code) == "a & b"


def test_every_public_name_is_there_and_importing_the_package_loads_next_to_nothing():
    assert python("import winnow; print([n for n in winnow.__all__ if n not in dir(winnow)])") == "[]"
    assert python("from winnow import *; print(clean, load_recipe(), Recipe(), __version__)")
    heavy = ("pydantic", "pyarrow", "numpy", "re2", "typer", "prefect", "winnow.base", "winnow.repair")
    assert python(f"import sys, winnow; print([m for m in {heavy!r} if m in sys.modules])") == "[]"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = winnow.nothing


def test_a_version_is_read_as_a_table_and_what_is_not_there_is_answered_by_what_is(history):
    data = history / "dataset"
    latest = winnow.read_version(data)
    assert isinstance(latest, pa.Table) and latest.schema.equals(TABLES["documents"])
    assert latest.equals(winnow.read_version(str(data), 2)) and not latest.equals(winnow.read_version(data, 1))
    assert set(winnow.read_version(data, table="rejects")["source"].to_pylist()) == {"signs"}
    with pytest.raises(DatasetError, match="has no version 3; published: 1, 2"):
        winnow.read_version(data, 3)
    with pytest.raises(DatasetError, match=r"v2 has no table 'document'; there are: .*documents"):
        winnow.read_version(data, table="document")
    with pytest.raises(DatasetError, match="has no version yet"):
        winnow.read_version(history / "in")


@pytest.mark.slow
def test_it_runs_beside_folders_of_the_user_s_own_named_flows_and_schemas(tmp_path):
    for folder in ("flows", "schemas"):
        (tmp_path / folder).mkdir()
        for name in ("__init__", "build", "documents"):
            (tmp_path / folder / f"{name}.py").write_text("raise RuntimeError('the user's own')\n")
    call = [sys.executable, "-m", "winnow", "schema", "rejects"]
    done = subprocess.run(call, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0 and "Identity of the document" in done.stdout, done.stderr
    assert python("import winnow.build; print(winnow.build.build.name)", tmp_path) == "build"


def test_what_is_installed_is_one_package_with_its_schemas(tmp_path):
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*pip, "-w", tmp_path, ROOT], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    info = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    assert {name.split("/")[0] for name in names} == {"winnow", info}
    schemas = {p.name for p in (ROOT / "schemas").iterdir()}
    assert {n.removeprefix("winnow/schemas/") for n in names if n.startswith("winnow/schemas/")} == schemas
    assert {"winnow/__main__.py", "winnow/py.typed"} <= set(names)
