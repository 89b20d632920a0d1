"""A cluster whose workers have nothing in common with the process that plans but the store."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.articles import article
from tests.conftest import ROOT
from tests.operate.dataset_runs import PER_RUN
from tests.s3_server import serve_s3

from winnow import read_version
from winnow.base.errors import UsageError
from winnow.base.object_store import Store, parse_address
from winnow.run.cluster import Shared
from winnow.run.executor import open_executor
from winnow.storage.locations import locate_dataset

pytest.importorskip("distributed")
pytest.importorskip("moto.server", reason="the local S3 server needs moto[server]")

TABLES = ("documents", "passages", "edits", "duplicates", "rejects", "inputs", "sources", "similar", "index")
WORD_TABLES = 18 << 20
"""Bytes on a worker's disk for lists of words, whatever there is to clean: those of the text's languages."""

ALONE = "for hidden in $HIDDEN; do mount -t tmpfs none $hidden; done; mount -t tmpfs -o size=$SIZE none $DISK; cd $DISK"


def may_mount(folder: Path) -> bool:
    """Whether this system lets a process have a disk of its own."""
    command = ["unshare", "-Urm", "mount", "-t", "tmpfs", "none", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@dataclass
class Machine:
    """A process on a disk of its own, of so many bytes, that sees none of the hidden folders."""

    process: subprocess.Popen[bytes]
    disk: Path
    most: int = 0
    log: Path = field(default_factory=Path)

    @classmethod
    def start(
        cls, command: list[str], disk: Path, size: int, hidden: list[Path], environment: dict[str, str]
    ) -> Machine:
        disk.mkdir(parents=True)
        private = {name: str(disk) for name in ("HOME", "TMPDIR", "WINNOW_CACHE", "DISK")}
        sizes = {"SIZE": str(size), "HIDDEN": " ".join(map(str, hidden))}
        own = {**os.environ, **environment, **private, **sizes, "PYTHONPATH": str(ROOT)}
        log = disk.with_suffix(".log")
        with log.open("wb") as out:
            alone = ["unshare", "-Urm", "sh", "-ec", f'{ALONE}; exec "$@"', "sh", *command]
            process = subprocess.Popen(alone, env=own, stdout=out, stderr=out, start_new_session=True)
        return cls(process, disk, log=log)

    def look(self) -> None:
        """Notes how full the disk is."""
        try:
            there = os.statvfs(f"/proc/{self.process.pid}/root{self.disk}")
        except OSError:  # it ended
            return
        if there.f_blocks < 1 << 20:  # before it is mounted this is the disk of all
            self.most = max(self.most, (there.f_blocks - there.f_bfree) * there.f_frsize)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)


@contextmanager
def cluster(folder: Path, size: int, environment: dict[str, str]) -> Iterator[tuple[str, list[Machine]]]:
    """A scheduler, and two workers that do not see the planner's disk; the scheduler's address."""
    file = folder / "scheduler.json"
    hidden = folder / "planner"
    hidden.mkdir()
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    own = {**os.environ, "PYTHONPATH": str(ROOT)}
    scheduler = subprocess.Popen([*command, "--no-dashboard", "--scheduler-file", str(file)], env=own, cwd=folder)
    workers: list[Machine] = []
    try:
        end = time.monotonic() + 60
        while not file.exists() and time.monotonic() < end:
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        for name in ("one", "two"):
            options = ["--nthreads", "1", "--host", "127.0.0.1", "--no-dashboard", "--no-nanny"]
            disk = folder / "workers" / name
            worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, *options]
            worker += ["--local-directory", str(disk)]
            few = {"WINNOW_CACHE_MB": str((size - WORD_TABLES) / 2e6)}  # as much is for what is being written
            workers.append(Machine.start(worker, disk, size, [hidden], {**environment, **few}))
        yield address, workers
    finally:
        for machine in workers:
            if machine.process.poll() is None:
                machine.kill()
        scheduler.kill()
        scheduler.wait(30)


def write_source(store: Store, size: int, files: int) -> None:
    """Documents of some kilobytes of made-up words, with copies, repeats and damage."""
    rng = random.Random(1)
    words = ["".join(rng.choices("abdeghiklmnoprstuvw", k=rng.randint(2, 9))) for _ in range(20_000)]
    known: list[str] = []
    for number in range(files):
        lines, written = [], 0
        while written < size / files:
            if known and rng.random() < 0.1:
                text = rng.choice(known)
            else:
                paragraphs = [" ".join(rng.choices(words, k=60)).capitalize() + "." for _ in range(rng.randint(3, 12))]
                text = "\n\n".join([*paragraphs, article(rng.randint(1, 50), 2), "caf\u00c3\u00a9 &amp;amp; more"])
            if rng.random() < 0.01:
                known.append(text)
            lines.append(json.dumps({"id": f"{number}-{len(lines)}", "text": text}))
            written += len(lines[-1])
        store.put(f"{number:04}.jsonl", "\n".join(lines).encode())


def rows_of(dataset: str | Path) -> dict[str, object]:
    found = {}
    for name in TABLES:
        table = read_version(dataset, table=name)
        found[name] = table.drop_columns([c for c in PER_RUN if c in table.column_names])
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("megabytes", "disk", "shard"), [(40, 34, 0.5), pytest.param(500, 200, 8, id="issue")])
def test_workers_that_share_nothing_but_the_store_give_the_rows_of_one_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, megabytes: int, disk: int, shard: float
) -> None:
    if not may_mount(tmp_path):
        pytest.skip("no process here may have a disk of its own")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f"[read]\nshard_mb = {shard}\n[publish]\nfile_mb = 1\n")
    requests: Counter[str] = Counter()
    with serve_s3("datasets", requests) as environment:
        for name, value in {**environment, "WINNOW_CACHE": str(tmp_path / "reader")}.items():
            monkeypatch.setenv(name, value)
        write_source(Store(parse_address("s3://datasets/in")), megabytes << 20, max(3, megabytes // 8))
        run = [sys.executable, "-m", "winnow", "run", "s3://datasets/in", "--recipe", str(recipe)]
        began = time.monotonic()
        alone = subprocess.run([*run, "--into", str(tmp_path / "alone")], capture_output=True, text=True, check=False)
        assert alone.returncode == 0, alone.stdout + alone.stderr
        print(f"{megabytes} MB; one machine: {time.monotonic() - began:.0f} s, requests {dict(requests)}", flush=True)
        requests.clear()
        began = time.monotonic()
        with cluster(tmp_path, disk << 20, environment) as (address, workers):
            there = ["--into", "s3://datasets/articles", "--executor", "dask", "--address", address]
            planner = Machine.start([*run, *there], tmp_path / "planner" / "disk", disk << 21, [], environment)
            store, killed = Store(parse_address("s3://datasets/articles")), False
            while planner.process.poll() is None:
                for machine in (planner, *workers):
                    machine.look()
                if not killed and len(store.entries(".staging/shards/repaired")) > 2:
                    workers[0].kill()
                    killed = True
                time.sleep(0.1)
        print(
            f"two workers of which one was killed: {time.monotonic() - began:.0f} s, requests {dict(requests)}; "
            f"most on a disk (MB), planner and workers: {[m.most >> 20 for m in (planner, *workers)]}; "
            f"dataset {sum(e.size for e in store.entries().values()) >> 20} MB",
            flush=True,
        )
        said = planner.log.read_text()
        assert planner.process.returncode == 0, said + workers[1].log.read_text()
        assert killed
        assert [n for n in store.entries() if n.startswith(".staging/")] == []
        found, wanted = rows_of("s3://datasets/articles"), rows_of(tmp_path / "alone")
        pages = store.read("v1/report.html")[0].decode(), (tmp_path / "alone" / "latest" / "report.html").read_text()
    flows = [re.findall(r'"characters_flow": *\[\[.*?\]\]', page) for page in pages]
    assert flows[0] == flows[1] != []
    for name, table in wanted.items():
        assert found[name].equals(table), name  # type: ignore[attr-defined]
    assert all(0 < machine.most <= disk << 20 for machine in workers)


@pytest.mark.slow
def test_a_worker_that_does_not_reach_the_store_is_named_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not may_mount(tmp_path):
        pytest.skip("no process here may have a disk of its own")
    with serve_s3("datasets") as environment:
        for name, value in {**environment, "WINNOW_CACHE": str(tmp_path / "cache")}.items():
            monkeypatch.setenv(name, value)
        dataset = locate_dataset("s3://datasets/articles")
        assert dataset.remote
        shared = Shared(staging=dataset.staging, mount=dataset.remote.mount)
        nowhere = {**environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
        with (
            cluster(tmp_path, 32 << 20, nowhere) as (address, _),
            pytest.raises(UsageError, match=r"^worker tcp://.*: s3://datasets/articles/\.staging/.*: cannot be read"),
            open_executor("dask", address=address, shared=shared),
        ):
            pass
        assert Store(parse_address("s3://datasets/articles")).entries() == {}
