"""A run that is killed, anywhere and at any time, costs its own work and nothing else.

After each kill the versions there are read whole and verify; the next run ends well, its rows are those of a run that
nobody disturbed, and nothing of the killed one is left.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import psutil
import pytest
from tests.operate.conftest import History
from tests.operate.dataset_runs import STEPS, assert_tidy, assert_whole, in_child, is_fork_server, rows_of, run_quickly

SECONDS = 120  # a child that takes longer hangs


def run(*call: object) -> None:
    child = in_child(run_quickly, *call)
    child.join(SECONDS)
    assert child.exitcode == 0


def assert_nothing_was_lost(history: History, into: Path) -> None:
    assert_whole(into)
    run(history.source, into)
    assert rows_of(into) == history.rows
    assert_tidy(into)


def kill_at_a_random_time(history: History, into: Path, rng: random.Random, workers: int) -> None:
    """Kill the main process, then see that its workers end by themselves."""
    child = in_child(run_quickly, history.source, into, workers)
    time.sleep(rng.uniform(0, history.seconds * (2 if workers else 1)))
    try:
        workers_of = psutil.Process(child.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        workers_of = []
    child.kill()
    child.join(SECONDS)
    _, alive = psutil.wait_procs(workers_of, timeout=30)
    assert not alive


def kill_a_worker_at_a_random_time(history: History, into: Path, rng: random.Random, kills: int = 2) -> None:
    """Kill workers, as the kernel does when memory runs out; the run itself must end well."""
    child = in_child(run_quickly, history.source, into, 2)
    killed = 0
    end = time.monotonic() + SECONDS
    while child.exitcode is None and killed < kills and time.monotonic() < end:
        time.sleep(rng.uniform(0.05, history.seconds))
        try:
            found = [w for p in psutil.Process(child.pid).children() if is_fork_server(p) for w in p.children()]
            if found:
                os.kill(rng.choice(found).pid, signal.SIGKILL)
                killed += 1
        except (psutil.NoSuchProcess, ProcessLookupError):
            continue
    child.join(SECONDS)
    assert killed
    assert child.exitcode == 0
    assert rows_of(into) == history.rows
    assert_tidy(into)


@pytest.mark.slow
@pytest.mark.parametrize("step", ["deduplicated"])
def test_a_run_killed_between_stages_is_made_up_for_by_the_next(history, tmp_path, step):
    into = history.copy_to(tmp_path / "dataset")
    child = in_child(run_quickly, history.source, into, 0, step)
    child.join(SECONDS)
    assert child.exitcode == -signal.SIGKILL
    assert_nothing_was_lost(history, into)


@pytest.mark.slow
def test_a_worker_killed_from_outside_costs_the_run_nothing(history, tmp_path):
    kill_a_worker_at_a_random_time(history, history.copy_to(tmp_path / "dataset"), random.Random(4), kills=1)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_any_stage_boundary_is_made_up_for_by_the_next(history, tmp_path, step, workers):
    into = history.copy_to(tmp_path / "dataset")
    child = in_child(run_quickly, history.source, into, workers, step)
    child.join(SECONDS)
    assert child.exitcode == -signal.SIGKILL
    assert_nothing_was_lost(history, into)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(50))
def test_fifty_kills_at_random_times_leave_nothing_half_done(history, tmp_path, number):
    into = history.copy_to(tmp_path / "dataset")
    kill_at_a_random_time(history, into, random.Random(number), workers=0 if number % 5 else 2)
    assert_nothing_was_lost(history, into)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(8))
def test_workers_killed_at_random_times_cost_the_run_nothing(history, tmp_path, number):
    kill_a_worker_at_a_random_time(history, history.copy_to(tmp_path / "dataset"), random.Random(number))


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_still_ends_well(history, tmp_path):
    into, rng = history.copy_to(tmp_path / "dataset"), random.Random(9)
    for _ in range(8):
        kill_at_a_random_time(history, into, rng, workers=0)
        assert_whole(into)
    assert_nothing_was_lost(history, into)
