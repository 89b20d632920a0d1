"""Shards run anywhere with the same results, and a dead worker costs its own call again, nothing more."""

import os
import resource
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pytest

from winnow.base.errors import ReadError, UsageError, WinnowError
from winnow.run.executor import end_workers, map_shards, open_executor
from winnow.run.worker_pool import begin_loading


def square(n: int) -> int:
    return n * n


def die_once(n: int, mark: str) -> int:
    """Kills its own process the first time it is called with 3."""
    path = Path(mark)
    if n == 3 and not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def die_always(n: int) -> int:
    if n == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    """Two workers, for the tests that leave a pool as they found it; to begin one takes a processor a second."""
    with open_executor("processes", workers=2) as executor:
        yield executor


def test_results_come_in_the_order_of_the_shards(pool):
    with open_executor("inline") as inline:
        for executor in (inline, pool):
            assert map_shards(executor, square, list(range(20))) == [n * n for n in range(20)]


def test_a_killed_worker_is_replaced_and_nothing_is_lost(pool, tmp_path):
    assert map_shards(pool, die_once, list(range(8)), [str(tmp_path / "m")] * 8) == list(range(8))
    assert (tmp_path / "m").exists()


def test_a_shard_that_always_kills_its_worker_is_named(pool):
    with pytest.raises(WinnowError, match=r"die_always\(1,\)"):
        map_shards(pool, die_always, [0, 1, 2])


def test_what_a_call_raises_comes_back_with_its_place_in_the_worker(pool):
    with pytest.raises(ReadError, match="no text") as error:
        pool.submit(fail_to_read).result()
    assert error.value.kind == "empty" and "in fail_to_read" in error.value.__notes__[0]
    with pytest.raises(RuntimeError, match="Stubborn in a worker process"):
        pool.submit(fail_stubbornly).result()
    assert pool.submit(square, 3).result() == 9


def fail_to_read() -> None:
    raise Unread("empty", "no text")


class Unread(ReadError):
    """One that says how it travels."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Unread, (self.kind, str(self))


class Stubborn(Exception):
    """One that cannot travel."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def fail_stubbornly() -> None:
    raise Stubborn(1, 2)


def test_a_call_whose_worker_was_killed_is_made_again_with_no_other_beside_it(tmp_path):
    with open_executor("processes", workers=3) as executor:
        assert sum(map_shards(executor, stand_beside, list(range(12)), [str(tmp_path)] * 12)) == 0


def stand_beside(n: int, folder: str) -> int:
    """How many others run beside a repeated call; the first of all calls kills its worker."""
    running, died = Path(folder, f"running-{n}"), Path(folder, "died")
    if n == 2 and not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    running.touch()
    time.sleep(0.2)
    beside = len(list(Path(folder).glob("running-*"))) - 1
    running.unlink()
    return beside if n == 2 else 0


def test_an_interrupted_run_ends_its_workers_in_the_midst_of_their_calls(tmp_path):
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), open_executor("processes", workers=2) as executor:
        calls = [executor.submit(sleep_long, str(tmp_path / str(n))) for n in range(4)]
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.05)
        raise KeyboardInterrupt
    assert time.monotonic() - began < 30
    for pid in (int(path.read_text()) for path in tmp_path.iterdir()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert all(call.done() for call in calls)


def sleep_long(mark: str) -> None:
    Path(mark).write_text(str(os.getpid()))
    time.sleep(60)


def test_workers_need_no_semaphore_which_a_killed_group_would_leave_behind(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a named semaphore")

    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", refuse)
    with open_executor("processes", workers=2) as executor:
        assert map_shards(executor, square, [1, 2, 3]) == [1, 4, 9]


def test_progress_is_told_after_each_shard():
    told = []
    with open_executor("inline") as executor:
        map_shards(executor, square, [1, 2], progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_an_unreachable_cluster_is_a_wrong_call(monkeypatch):
    monkeypatch.setattr("winnow.run.cluster.CONNECT_SECONDS", 0.5)
    pytest.importorskip("distributed")
    with pytest.raises(UsageError, match="no Dask scheduler"), open_executor("dask", address="tcp://127.0.0.1:9"):
        pass


@pytest.mark.parametrize(("kind", "last"), [("inline", False), ("processes", False), ("processes", True)])
def test_workers_that_were_let_go_are_replaced_when_there_is_work(kind: str, last: bool) -> None:
    with open_executor(kind, 2) as executor:
        before = set(map_shards(executor, worker_id, range(4)))
        end_workers(executor, last)
        after = set(map_shards(executor, worker_id, range(4)))
    assert (before & after == set()) is (kind == "processes")


@pytest.mark.slow
def test_a_killed_fork_server_is_replaced_with_its_workers(tmp_path: Path) -> None:
    with open_executor("processes", 2) as executor:
        mark = str(tmp_path / "m")
        assert map_shards(executor, kill_what_forked_it, range(6), [mark] * 6) == list(range(6))


def kill_what_forked_it(n: int, mark: str) -> int:
    if n == 3 and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)  # the end of what forked it is its own
    return n


def test_a_worker_stands_where_the_one_stands_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_loading()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WINNOW_OF_LATE", "1")
    with open_executor("processes", 1) as executor:
        assert executor.submit(os.getcwd).result() == str(tmp_path)
        assert executor.submit(os.getenv, "WINNOW_OF_LATE").result() == "1"
        assert executor.submit(os.getenv, "POLARS_MAX_THREADS").result() == os.getenv("POLARS_MAX_THREADS", "1")


def test_no_worker_is_started_while_another_is_free(tmp_path: Path) -> None:
    with open_executor("processes", 3) as executor:
        one_after_the_other = {executor.submit(worker_id, n).result() for n in range(6)}
        assert len(one_after_the_other) == 1
        at_once = set(map_shards(executor, meet_two_others, [str(tmp_path)] * 6))
    assert len(at_once) == 3 and one_after_the_other < at_once


def meet_two_others(folder: str) -> int:
    Path(folder, str(os.getpid())).touch()
    until = time.monotonic() + 60
    while len(list(Path(folder).iterdir())) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    return os.getpid()


def worker_id(n: int) -> int:
    return os.getpid()


def pools() -> tuple[str, str]:
    import pyarrow

    return pyarrow.default_memory_pool().backend_name, os.environ["_RJEM_MALLOC_CONF"]


def test_memory_goes_back_to_the_system_here_and_in_workers(pool):
    for arrow, polars in (pools(), pool.submit(pools).result()):
        assert arrow == "system"
        assert polars.endswith("dirty_decay_ms:0,muzzy_decay_ms:0")  # polars puts its own before; the last counts


_held: list[bytearray] = []


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def leave_holes() -> tuple[int, float]:
    """Frees all of 40 MB but the last piece, which keeps what lies below it in the heap."""
    pieces = [bytearray(10_000) for _ in range(4000)]
    _held.append(pieces.pop())
    pieces.clear()
    return os.getpid(), resident_mb(os.getpid())


def test_a_worker_that_waits_gives_back_what_a_call_freed() -> None:
    with open_executor("processes", workers=1) as executor:
        pid, held = executor.submit(leave_holes).result()
        deadline = time.monotonic() + 10
        while resident_mb(pid) > held - 30 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert resident_mb(pid) < held - 30


def most_faults(depth: int) -> int:
    """Pages asked of the system in a loop of calls, at the worst of so many depths of the stack."""

    def faults_below(left: int) -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for n in range(500):
            square(n)
        here = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
        return max(here, faults_below(left - 1)) if left else here

    return faults_below(depth)


def test_at_no_depth_of_the_stack_does_a_call_in_a_loop_cost_memory_of_the_system() -> None:
    with open_executor("processes", workers=1) as executor:
        assert executor.submit(most_faults, 300).result() < 100
