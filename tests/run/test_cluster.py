"""A Dask cluster gives the rows that a process pool gives, loses a worker and no row, and listens to no stranger."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pyarrow.parquet as pq
import pytest
from tests.articles import article
from tests.conftest import write_jsonl
from tests.operate.dataset_runs import PER_RUN, assert_tidy, environment, run_stages, two_batches

from winnow.base.contracts import TABLES
from winnow.base.errors import UsageError, WinnowError
from winnow.base.mounted import Mount
from winnow.base.object_store import parse_address
from winnow.publish.dataset import Dataset
from winnow.run.cluster import Shared, mount_on_worker, open_cluster
from winnow.run.executor import map_shards, open_executor

pytest.importorskip("distributed")


def tables_of(root: Path) -> dict[str, object]:
    """The tables' contents in the order in which they are stored, but for what names the run."""
    dataset = Dataset(root)
    found = {}
    for name in (t for t in TABLES if t != "runs"):
        table = pq.ParquetDataset([str(f) for f in dataset.files(name)]).read()
        found[name] = table.drop_columns([c for c in PER_RUN if c in table.column_names])
    return found


def slow_square(number: int) -> int:
    time.sleep(0.2)
    return number * number


def die(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """A source of uneven shards (one holds most of the text), and what a process pool makes of it."""
    folder = tmp_path_factory.mktemp("dask")
    _, source = two_batches(folder)
    write_jsonl(source / "big.jsonl", [{"id": "big", "text": article(500, 120)}])
    with open_executor("processes", 2) as pool:
        run_stages(source, folder / "pool", pool)
    return source, tables_of(folder / "pool")


@pytest.fixture(scope="module")
def cluster():
    """A local cluster of two workers, as ``--executor dask`` starts it, and what it logged."""
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("winnow")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    with open_executor("dask", 2) as executor:
        yield executor, records
    logger.setLevel(level)
    logger.removeHandler(handler)


def dask_workers() -> list[psutil.Process]:
    """The processes of the local cluster's workers."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def test_a_local_cluster_listens_on_this_machine_alone_and_tells_its_dashboard(cluster):
    executor, records = cluster
    assert map_shards(executor, slow_square, [1, 2, 3, 4]) == [1, 4, 9, 16]
    assert any("2 workers, dashboard http://127.0.0.1:" in r for r in records)
    listening = [
        c.laddr.ip
        for process in (psutil.Process(), *dask_workers())
        for c in process.net_connections("inet")
        if c.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 4  # scheduler, dashboard, two workers
    assert set(listening) == {"127.0.0.1"}


def test_a_cluster_gives_the_very_rows_that_a_process_pool_gives(cluster, example, tmp_path):
    source, wanted = example
    run_stages(source, tmp_path / "dataset", cluster[0])
    found = tables_of(tmp_path / "dataset")
    for name, table in wanted.items():
        assert found[name].equals(table), name
    assert_tidy(tmp_path / "dataset")


def test_a_worker_of_the_cluster_killed_in_mid_run_costs_no_row(cluster, example, tmp_path):
    source, wanted = example
    killed = []

    def at(step: str) -> None:
        if step in ("read", "checked"):  # then the stage after it begins, and loses a worker in its midst
            timer = threading.Timer(0.05, lambda: killed.append(_kill(dask_workers()[len(killed)])))
            timer.start()

    run_stages(source, tmp_path / "dataset", cluster[0], at)
    assert len(killed) == 2
    found = tables_of(tmp_path / "dataset")
    assert all(found[name].equals(table) for name, table in wanted.items())
    assert_tidy(tmp_path / "dataset")


def _kill(process: psutil.Process) -> int:
    process.kill()
    return process.pid


@pytest.mark.slow
def test_results_that_die_with_their_worker_are_made_again(cluster):
    executor, _ = cluster
    threading.Timer(0.5, lambda: dask_workers()[0].kill()).start()
    assert map_shards(executor, slow_square, list(range(16))) == [n * n for n in range(16)]


@pytest.mark.slow
def test_a_shard_that_always_kills_its_worker_is_named(cluster):
    with pytest.raises(WinnowError, match=r"die\(1,\)"):
        map_shards(cluster[0], die, [0, 1, 2])


@pytest.mark.slow
def test_a_cluster_that_exists_is_used_by_its_address(example, tmp_path):
    """Scheduler and workers as a site would start them, each a process of its own."""
    source, wanted = example
    file = tmp_path / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    started = [subprocess.Popen([*command, "--no-dashboard", "--scheduler-file", str(file)], env=environment())]
    try:
        worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file)]
        options = ["--nthreads", "1", "--host", "127.0.0.1", "--no-dashboard"]
        started += [subprocess.Popen([*worker, *options], env=environment(), cwd=tmp_path) for _ in range(2)]
        address = _address(file)
        shared = Shared(staging=tmp_path / "dataset" / ".staging", source=source)
        with open_executor("dask", address=address, shared=shared) as executor:
            run_stages(source, tmp_path / "dataset", executor)
        with open_executor("dask", address=address) as executor:  # it is still there for the next
            assert map_shards(executor, slow_square, [3]) == [9]
        missing = Shared(staging=tmp_path / "dataset" / ".staging", source=tmp_path / "mounted elsewhere")
        with (
            pytest.raises(UsageError, match=r"^worker tcp://.* does not see .*mounted elsewhere; mount it there"),
            open_executor("dask", address=address, shared=missing),
        ):
            pass
        assert_tidy(tmp_path / "dataset")
    finally:
        for process in started:
            process.kill()
            process.wait(30)
    found = tables_of(tmp_path / "dataset")
    assert all(found[name].equals(table) for name, table in wanted.items())


def _address(file: Path) -> str:
    import json

    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            return str(json.loads(file.read_text())["address"])
        except (FileNotFoundError, ValueError):
            time.sleep(0.1)
    raise TimeoutError(file)


HELD_CLUSTER = """
import time
from winnow.run.executor import map_shards, open_executor

if __name__ == "__main__":
    with open_executor("dask", 2) as executor:
        print(map_shards(executor, abs, [-1, -2]), flush=True)
        time.sleep(600)
"""


def semaphores(pid: int) -> list[str]:
    """What the cluster of a process has in /dev/shm."""
    return [path.name for path in Path("/dev/shm").glob(f"sem.winnow-*-{pid}.*")]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="this system keeps semaphores elsewhere")
def test_semaphores_of_a_killed_cluster_are_cleared_by_the_next_one_and_those_of_a_living_one_stay(tmp_path):
    script = tmp_path / "held_cluster.py"
    script.write_text(HELD_CLUSTER)
    killed, living = (
        subprocess.Popen(
            [sys.executable, str(script)], env=environment(), start_new_session=True, stdout=subprocess.PIPE
        )
        for _ in range(2)
    )
    try:
        for process in (killed, living):
            assert process.stdout is not None
            assert process.stdout.readline() == b"[1, 2]\n"
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait(30)
        held, ours = semaphores(living.pid), semaphores(os.getpid())
        assert semaphores(killed.pid)
        assert held
        with open_executor("dask", 1) as executor:
            assert map_shards(executor, abs, [-1]) == [1]
            assert len(semaphores(os.getpid())) > len(ours)
        assert semaphores(killed.pid) == []
        assert set(semaphores(os.getpid())) == set(ours)
        assert set(semaphores(living.pid)) == set(held)
    finally:
        for process in (killed, living):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(30)
    with open_executor("dask", 1):
        assert semaphores(living.pid) == []


@pytest.mark.slow
def test_a_scheduler_without_workers_is_told_and_not_waited_for(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr("winnow.run.cluster.WORKER_SECONDS", 1)
    with (
        LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=None) as empty,
        pytest.raises(UsageError, match="has no worker after 1 s; start one: dask worker tcp://127"),
        open_cluster(2, empty.scheduler_address),
    ):
        pass


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_an_address_that_is_none_is_a_wrong_call(monkeypatch, address):
    monkeypatch.setattr("winnow.run.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(UsageError, match="no Dask scheduler answers"), open_executor("dask", address=address):
        pass


def test_a_worker_on_a_small_disk_keeps_half_of_what_the_disk_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WINNOW_CACHE_MB", raising=False)
    bounds: dict[str, int] = {}
    monkeypatch.setattr("winnow.run.cluster.mount", lambda one, folder, bound: bounds.update({str(one.root): bound}))
    for name, size in (("small", 1 << 20), ("large", 1 << 50)):
        monkeypatch.setattr("winnow.run.cluster.disk_usage", lambda _, size=size: SimpleNamespace(total=size))
        mounted = Mount(root=Path(name), address=parse_address("s3://bucket/dataset"), exchanges=True)
        mount_on_worker(mounted, tmp_path)
    assert bounds == {"small": 1 << 19, "large": 10**10}
