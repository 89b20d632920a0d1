"""kill -9 on the command as people run it: flow, temporary Prefect server, process pool.

Killed at random moments are the whole process group, as a closing terminal or a container's end does; the main process
alone, as an operator does; one worker, as the kernel does when memory runs out. No process may outlive the command by
more than moments, the temporary server included.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.operate.conftest import History
from tests.operate.dataset_runs import (
    assert_tidy,
    assert_whole,
    environment,
    in_child,
    is_fork_server,
    rows_of,
    run_quickly,
)

SECONDS = 180  # a command that takes longer hangs
GONE_SECONDS = 15
WORKING_SECONDS = 12.0  # about as long as the flow works here, its pool's start included


def start(history: History, into: Path, folder: Path) -> subprocess.Popen[bytes]:
    """The command, in a process group of its own, just when its flow begins to work."""
    recipe = folder / "recipe.toml"
    recipe.write_text("[read]\nshard_mb = 0.01\n")
    command = [
        sys.executable,
        "-m",
        "winnow.cli.main",
        "run",
        str(history.source),
        "--into",
        str(into),
        "--workers",
        "2",
    ]
    command += ["--recipe", str(recipe)]
    own = {k: v for k, v in environment().items() if k != "PREFECT_API_URL"}
    own["PREFECT_HOME"] = str(folder / "home")
    with (folder / "command.log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, env=own, start_new_session=True)
    end = time.monotonic() + SECONDS
    while not (into / ".staging").exists() and child.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    return child


def family_of(child: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The command's server, workers and their helpers."""
    try:
        return psutil.Process(child.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def kill_after(seconds: float, history: History, into: Path, folder: Path, whom: str) -> None:
    """Kill the command so long after its flow began to work, and see that all of its processes end."""
    child = start(history, into, folder)
    time.sleep(seconds)
    family = family_of(child)
    assert family or child.poll() is not None
    if whom == "group" and child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
    child.wait(SECONDS)
    _, alive = psutil.wait_procs(family, timeout=GONE_SECONDS)
    assert [" ".join(p.cmdline()) for p in alive] == []


def kill_a_worker(history: History, into: Path, folder: Path, rng: random.Random) -> None:
    """The command itself has to end well."""
    child = start(history, into, folder)
    killed, end = 0, time.monotonic() + SECONDS
    looks = rng.randrange(30)  # at workers, before one of them is killed
    while child.poll() is None and not killed and time.monotonic() < end:
        time.sleep(0.02)
        workers = [p for p in family_of(child) if _is_worker(p)]
        looks -= bool(workers)
        if workers and looks < 0:
            rng.choice(workers).kill()
            killed += 1
    assert killed
    family = family_of(child)
    assert child.wait(SECONDS) == 0, (folder / "command.log").read_text()
    assert rows_of(into) == history.rows
    assert psutil.wait_procs(family, timeout=GONE_SECONDS)[1] == []
    assert_tidy(into)


def _is_worker(process: psutil.Process) -> bool:
    try:
        parent = process.parent()
        return parent is not None and is_fork_server(parent)
    except psutil.Error:
        return False


def assert_nothing_was_lost(history: History, into: Path) -> None:
    assert_whole(into)
    child = in_child(run_quickly, history.source, into)
    child.join(SECONDS)
    assert child.exitcode == 0
    assert rows_of(into) == history.rows
    assert_tidy(into)


@pytest.mark.slow
def test_a_command_killed_alone_leaves_no_process_and_loses_nothing(history, tmp_path):
    into = history.copy_to(tmp_path / "dataset")
    kill_after(1.5, history, into, tmp_path, "main")
    assert_nothing_was_lost(history, into)


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["main", "group"])
@pytest.mark.parametrize("number", range(5))
def test_commands_killed_at_random_leave_no_process_and_lose_nothing(history, tmp_path, whom, number):
    into = history.copy_to(tmp_path / "dataset")
    seconds = random.Random(f"{whom} {number}").uniform(0, WORKING_SECONDS)
    kill_after(seconds, history, into, tmp_path, whom)
    assert_nothing_was_lost(history, into)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(4))
def test_a_command_whose_worker_is_killed_ends_well(history, tmp_path, number):
    kill_a_worker(history, history.copy_to(tmp_path / "dataset"), tmp_path, random.Random(number))
