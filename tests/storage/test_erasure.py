"""What is erased is gone from the store and from every working copy, whoever is killed on the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tests.operate.dataset_runs import in_child
from tests.publish.press import sources, texts_of, write_part
from tests.run.test_erasure import GONE, erase_all, reject, traces
from tests.storage.conftest import Bucket
from tests.storage.dying import signalled_at

from winnow.publish.erasure import unfinished
from winnow.publish.verify import verify
from winnow.run.recovery import recover_dataset
from winnow.storage.lock import lock_dataset

STEPS = [("receipts", 1), ("data", 1), ("log", 1), ("log", 9), ("side", 1), ("latest", 1), ("removed", 1)]


def publish_some(bucket: Bucket) -> None:
    press = bucket.machine()
    rejects = [reject("lantern", b"lantern persimmon")]
    more = {"rejects": [write_part(bucket.folder / "rejects.parquet", "rejects", rejects)]}
    press.publish({**sources("a", "b"), "mulberry": "quince"}, more=more)
    press.publish(sources("c"))
    bucket.store.put(".staging/shards/raw/a.parquet", b"lantern persimmon")  # of a cluster whose run was killed


def traces_in_store(bucket: Bucket, folder: Path) -> list[str]:
    """Where a word of what is erased stands in any object."""
    for number, name in enumerate(bucket.store.entries()):
        bucket.store.fetch(name, folder / f"{number}-{name.replace('/', '-')}")
    return traces(folder)


def erase_until(url: str, folder: Path, environment: dict[str, str], step: str, nth: int) -> None:
    """Erases, and is killed at the `nth` time that the push stands at `step`."""
    os.environ.update(environment)
    at = signalled_at(step, nth, signal.SIGKILL)
    erase_all(Bucket(url, folder).machine("one", at, lease_seconds=1.0).dataset)


def assert_gone(bucket: Bucket, folder: Path) -> None:
    for machine in ("reader", "one", "new"):
        seen = bucket.read(machine)
        assert traces(seen.root) == []
        assert verify(seen) == [] == unfinished(seen)
        assert {n: set(texts_of(seen, n)) for n in (1, 2)} == {1: {"a", "b"}, 2: {"a", "b", "c"}}
    assert seen.remote.verify() == []
    folder.mkdir()
    assert traces_in_store(bucket, folder) == []


@pytest.mark.slow
def test_what_is_erased_leaves_the_store_and_the_copies_of_other_machines(bucket, tmp_path):
    publish_some(bucket)
    assert set(GONE[:1]) <= set(texts_of(bucket.read("reader")))
    erase_all(bucket.machine().dataset)
    assert_gone(bucket, tmp_path / "objects")


@pytest.mark.slow
@pytest.mark.parametrize("machine", ["one", "other"])
@pytest.mark.parametrize(("step", "nth"), STEPS)
def test_an_erasure_whose_push_is_killed_is_ended_by_the_next_writer(
    bucket, s3_environment, tmp_path, step, nth, machine
):
    publish_some(bucket)
    bucket.read("reader")
    child = in_child(erase_until, bucket.url, bucket.folder, s3_environment, step, nth)
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert {"a", "b"} <= set(texts_of(bucket.read("reader")))
    dataset = bucket.machine(machine).dataset
    with lock_dataset(dataset, "next", wait_seconds=20):
        recover_dataset(dataset)
    assert_gone(bucket, tmp_path / "objects")
