"""Shards run anywhere with the same results, and a dead worker costs its own call again, nothing more."""

import os
import signal
from pathlib import Path

import pytest

from winnow.base.errors import UsageError, WinnowError
from winnow.run.executor import MUCH, end_workers, map_shards, open_executor


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


@pytest.mark.parametrize("kind", ["inline", "processes"])
def test_results_come_in_the_order_of_the_shards(kind):
    with open_executor(kind, workers=2) as executor:
        assert map_shards(executor, square, list(range(20))) == [n * n for n in range(20)]


def test_a_killed_worker_is_replaced_and_nothing_is_lost(tmp_path):
    with open_executor("processes", workers=2) as executor:
        assert map_shards(executor, die_once, list(range(8)), [str(tmp_path / "m")] * 8) == list(range(8))


def test_a_shard_that_always_kills_its_worker_is_named():
    with open_executor("processes", workers=1) as executor, pytest.raises(WinnowError, match=r"die_always\(1,\)"):
        map_shards(executor, die_always, [0, 1, 2])


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


@pytest.mark.parametrize("kind", ["inline", "processes"])
def test_workers_that_were_let_go_are_replaced_when_there_is_work(kind: str) -> None:
    with open_executor(kind, 2) as executor:
        few = set(map_shards(executor, worker_id, range(4)))
        end_workers(executor)
        before = set(map_shards(executor, worker_id, range(MUCH)))
        end_workers(executor)
        after = set(map_shards(executor, worker_id, range(MUCH)))
    assert few & before
    assert (before & after == set()) is (kind == "processes")


def worker_id(n: int) -> int:
    return os.getpid()


def pools() -> tuple[str, str]:
    import pyarrow

    return pyarrow.default_memory_pool().backend_name, os.environ["_RJEM_MALLOC_CONF"]


def test_memory_goes_back_to_the_system_here_and_in_workers():
    with open_executor("processes", workers=1) as executor:
        for arrow, polars in (pools(), executor.submit(pools).result()):
            assert arrow == "system"
            assert polars.endswith("dirty_decay_ms:0,muzzy_decay_ms:0")  # polars puts its own before; the last counts
