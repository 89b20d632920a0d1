"""What stands around a command must not reach its processes: modules in the working folder, a proxy that is dead."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.articles import article
from tests.conftest import write_jsonl

PLANTED = "attrs", "socket", "signal", "pickle", "random", "yaml"
"""Names of modules that every process of Python imports early, a server's late, and a worker's alone."""

STAGES = ["read", "repair", "check", "deduplicate", "validate", "publish"]
DEAD = "http://127.0.0.1:9"
PROXIES = {name: DEAD for proxy in ("http_proxy", "https_proxy", "all_proxy") for name in (proxy, proxy.upper())}


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A working folder with planted modules, each of which leaves a marker where a process imports it."""
    for name in PLANTED:
        (tmp_path / f"{name}.py").write_text(
            f"open({str(tmp_path / 'marker')!r}, 'a').write('{name}\\n')\nraise ImportError('planted')\n"
        )
    write_jsonl(tmp_path / "in" / "a.jsonl", [{"id": str(n), "text": article(n)} for n in range(4)])
    return tmp_path


def winnow(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The installed command, called in `folder`, with nothing of Prefect's set but its home."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "PYTHON"))}
    own = {"PREFECT_HOME": str(folder / "home"), **variables}
    command = [str(Path(sys.executable).with_name("winnow")), *words]
    return subprocess.run(command, cwd=folder, env={**clean, **own}, capture_output=True, text=True, timeout=300)


def assert_nothing_planted_was_run(folder: Path) -> None:
    marker = folder / "marker"
    assert not marker.exists(), marker.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["processes", "dask"])
def test_a_run_imports_nothing_of_its_folder_asks_no_proxy_and_is_on_record(hostile, executor):
    done = winnow(hostile, "run", "in", "--into", "dataset", "--workers", "2", "--executor", executor, **PROXIES)
    assert done.returncode == 0, done.stderr
    assert "Published v1" in done.stdout
    assert_nothing_planted_was_run(hostile)
    with sqlite3.connect(hostile / "home" / "prefect.db") as record:
        assert record.execute("select state_name from flow_run").fetchall() == [("Completed",)]
        tasks = record.execute("select name, state_name from task_run order by start_time").fetchall()
        assert record.execute("select count(*) from artifact").fetchone()[0] >= 3
        assert record.execute("select count(*) from events where event = 'prefect.flow-run.Completed'").fetchone() == (
            1,
        )
    assert [(name.rpartition("-")[0], state) for name, state in tasks] == [(stage, "Completed") for stage in STAGES]


def test_a_filter_imports_nothing_of_its_folder(hostile):
    done = winnow(hostile, "clean", "--jsonl", "in/a.jsonl")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 4
    assert_nothing_planted_was_run(hostile)


@pytest.mark.slow
@pytest.mark.parametrize("home", [None, "/nonexistent", "/proc"], ids=["none", "missing", "read-only"])
def test_a_run_needs_no_home(hostile, home):
    done = subprocess.run(
        [str(Path(sys.executable).with_name("winnow")), "run", "in", "--into", "dataset"],
        cwd=hostile, env={"PATH": os.defpath, **({"HOME": home} if home else {})}, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Published v1" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can begin a process as somebody else")
def test_a_run_needs_no_rights_but_in_its_own_folder(hostile):
    nobody = 65534
    try:
        subprocess.run([sys.executable, "-c", ""], user=nobody, group=nobody, check=True, cwd="/")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the interpreter stands where others may not read")
    hostile.parent.chmod(0o755)
    for path in (hostile, *hostile.rglob("*")):
        os.chown(path, nobody, nobody)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "winnow", "run", "in", "--into", "dataset"],
        cwd=hostile, user=nobody, group=nobody, extra_groups=[], env={"PATH": os.defpath},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (hostile / "dataset" / "v1").stat().st_uid == nobody
