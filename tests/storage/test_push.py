"""What a push leaves when it is killed is a whole version; the next run, here or elsewhere, finishes the work."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.operate.dataset_runs import in_child
from tests.publish.press import texts_of
from tests.publish.test_recover import rows_of_all_tables
from tests.storage.conftest import Bucket
from tests.storage.dying import FIRST, SECOND, THIRD, publish_until

from winnow.base.disk import remove_any
from winnow.base.errors import DatasetBusy
from winnow.base.object_store import Store, Taken
from winnow.base.staging import write_file
from winnow.publish.dataset import Dataset
from winnow.publish.housekeeping import prune, vacuum
from winnow.publish.recover import recover
from winnow.publish.verify import verify
from winnow.storage import push
from winnow.storage.lock import lock_dataset
from winnow.storage.working_copy import LATEST, kind_of


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The same runs on a file system: the rows of the tables and the texts of each version."""
    from tests.publish.press import Press

    folder = tmp_path_factory.mktemp("undisturbed")
    press = Press(Dataset(folder / "dataset"), folder / "work")
    press.publish(FIRST)
    press.publish(SECOND)
    return rows_of_all_tables(press.dataset), {n: texts_of(press.dataset, n) for n in (1, 2)}


def assert_sound(dataset: Dataset) -> None:
    """The working copy is as its manifests say, and so is every object in the store."""
    assert dataset.remote is not None
    assert verify(dataset) == []
    assert dataset.remote.verify() == []


def names_in(bucket: Bucket) -> set[str]:
    return {n for n in bucket.store.entries() if kind_of(n)}


def strays_in(bucket: Bucket) -> set[str]:
    """Objects of tables that no commit in the store names."""
    names, added = names_in(bucket), set()
    for log in (n for n in names if kind_of(n) == "log"):
        actions = [json.loads(line) for line in bucket.store.read(log)[0].splitlines()]
        added |= {log.replace(f"_delta_log/{Path(log).name}", a["add"]["path"]) for a in actions if "add" in a}
    return {n for n in names if kind_of(n) == "data"} - added


def test_a_dataset_in_the_store_is_the_dataset_on_disk(bucket, undisturbed):
    press = bucket.machine()
    press.publish(FIRST)
    press.publish(SECOND)
    there = bucket.read()
    assert there.version_numbers() == [1, 2]
    assert (rows_of_all_tables(there), {n: texts_of(there, n) for n in (1, 2)}) == undisturbed
    assert_sound(there)
    local = {p.relative_to(there.root).as_posix() for p in there.root.rglob("*") if p.is_file() and not p.is_symlink()}
    assert names_in(bucket) == {n for n in local if kind_of(n)} == local - {".lock"}
    assert there.latest.readlink() == Path("v2")


def test_a_run_that_changes_nothing_writes_nothing(bucket):
    press = bucket.machine()
    press.publish(FIRST)
    before = bucket.store.entries()
    assert press.publish({}) is None
    after = bucket.store.entries()
    before.pop(".lock.json"), after.pop(".lock.json")
    assert after == before


STEPS = (
    ("edits: written", 1),
    ("tables", 1),
    ("latest moved", 1),
    ("data", 1),
    ("log", 1),
    ("log", 4),
    ("side", 1),
    ("view", 1),
    ("manifest", 1),
    ("latest", 1),
)
QUICK = {("latest", "other")}


def kills() -> Iterator[Any]:
    """Each step, who goes on, and what it keeps; one of each sort by default, for a kill costs some seconds."""
    for step, nth in STEPS:
        for machine in ("same", "other"):
            for megabytes in ("100", "0"):
                quick = (step, machine) in QUICK and megabytes == "100"
                yield pytest.param(step, nth, machine, megabytes, marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize(("step", "nth", "machine", "megabytes"), kills())
def test_a_push_killed_at_any_step_leaves_the_last_version_and_the_next_run_finishes(
    bucket, undisturbed, s3_environment, monkeypatch, step, nth, machine, megabytes
):
    monkeypatch.setenv("WINNOW_CACHE_MB", megabytes)
    bucket.machine("same").publish(FIRST)
    environment = {**s3_environment, "WINNOW_CACHE_MB": megabytes}
    child = in_child(publish_until, bucket.url, bucket.folder, environment, "same", step, nth, signal.SIGKILL)
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    done = step == "latest"
    assert bool(strays := strays_in(bucket)) == (step in ("edits: written", "tables", "latest moved", "data", "log"))
    seen = bucket.read()
    assert seen.version_numbers() == ([1, 2] if done else [1])
    assert texts_of(seen) == undisturbed[1][2 if done else 1]
    assert_sound(seen)

    press = bucket.machine(machine)
    press.dataset.remote.pull()
    assert press.dataset.version_numbers() == ([1, 2] if done else [1])  # also where the copy has more than the store
    with lock_dataset(press.dataset, "next", wait_seconds=20):  # elsewhere the dead run's lease has to run out
        removed = {f"tables/{name}" for name in recover(press.dataset).removed}
    if machine == "other":
        assert strays <= removed
    assert strays_in(bucket) == set()
    if press.dataset.version_numbers() == [1]:
        press.publish(SECOND)
    ahead = machine == "same" and step in ("latest moved", "data", "log", "side", "view", "manifest")
    assert (press.dataset.latest_manifest().run_id == "dying") == (done or ahead)  # its work is not done twice
    there = bucket.read("third")
    assert there.version_numbers() == [1, 2]
    assert (rows_of_all_tables(there), {n: texts_of(there, n) for n in (1, 2)}) == undisturbed
    assert_sound(there)
    assert texts_of(bucket.read("same")) == undisturbed[1][2]


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False])
def test_a_version_that_died_before_its_push_is_given_up_where_another_machine_removed_what_it_had_sent(
    bucket, s3_environment, monkeypatch, first
):
    monkeypatch.setenv("WINNOW_CACHE_MB", "0")  # its files stand in the store alone
    if not first:
        bucket.machine("same").publish(FIRST)
    environment = {**s3_environment, "WINNOW_CACHE_MB": "0"}
    call = bucket.url, bucket.folder, environment, "same", "latest moved", 1, signal.SIGKILL
    in_child(publish_until, *call).join(60)
    other = bucket.machine("other").dataset
    with lock_dataset(other, "looks", wait_seconds=20):
        recover(other)
    assert strays_in(bucket) == set()
    press = bucket.machine("same")
    press.dataset.remote.pull()
    assert press.dataset.version_numbers() == ([] if first else [1])
    press.publish(THIRD)
    there = bucket.read()
    assert set(texts_of(there)) == ({"e"} if first else {"a", "b", "c", "e"})
    assert_sound(there)


def test_a_run_that_fails_before_its_push_leaves_the_store_as_it_was(bucket):
    press = bucket.machine()
    press.publish(FIRST)
    before = names_in(bucket)
    with pytest.raises(ZeroDivisionError), lock_dataset(press.dataset, "fails"):
        press.dataset.table("documents").joinpath("stray.parquet").write_bytes(b"x")
        raise ZeroDivisionError
    assert names_in(bucket) == before
    assert bucket.machine("other").publish(THIRD) is not None  # and its lease is let go


SLEEPS = [
    (step, nth, watch) for step, nth in (("data", 1), ("log", 3), ("view", 1), ("manifest", 1)) for watch in (1, 0)
]


@pytest.mark.slow
@pytest.mark.parametrize(("step", "nth", "watch"), SLEEPS)
def test_a_writer_that_slept_through_its_lease_is_told_and_harms_nothing(bucket, s3_environment, step, nth, watch):
    bucket.machine("sleeper").publish(FIRST)
    call = bucket.url, bucket.folder, s3_environment, "sleeper", step, nth, signal.SIGSTOP, watch
    child = in_child(publish_until, *call)
    try:
        _await_stop(child.pid)
        press = bucket.machine("quick")
        with lock_dataset(press.dataset, "quick", wait_seconds=20):
            recover(press.dataset)
        press.publish(THIRD)
        wanted = texts_of(press.dataset)
    finally:
        os.kill(child.pid, signal.SIGCONT)
        child.join(60)
    assert child.exitcode == 3
    there = bucket.read()
    assert there.version_numbers() == [1, 2]
    assert texts_of(there) == wanted
    assert_sound(there)
    sleeper = bucket.machine("sleeper")
    assert sleeper.publish(SECOND).version == 3  # from what the store has, not from what it had itself
    assert set(texts_of(bucket.read())) == {"a", "b", "c", "d", "e"}
    assert_sound(bucket.read())


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False])
def test_a_sleeper_whose_lease_was_taken_commits_nothing_even_where_nobody_published_since(
    bucket, s3_environment, first
):
    """Of a first version there is no commit point to take away: a whole one counts, for the sleeper and for others."""
    if not first:
        bucket.machine("sleeper").publish(FIRST)
    call = bucket.url, bucket.folder, s3_environment, "sleeper", "manifest", 1, signal.SIGSTOP, False
    child = in_child(publish_until, *call)
    try:
        _await_stop(child.pid)
        quick = bucket.machine("quick").dataset
        with lock_dataset(quick, "quick", wait_seconds=20):
            recover(quick)
    finally:
        os.kill(child.pid, signal.SIGCONT)
        child.join(60)
    assert child.exitcode == (0 if first else 3)
    there = bucket.read()
    assert there.version_numbers() == [1]
    assert_sound(there)
    assert bucket.machine("sleeper").publish(SECOND).version == 2
    assert_sound(bucket.read())


def _await_stop(pid: int | None) -> None:
    """Wait until the kernel shows the process as stopped; it is no child of ours to wait for, but the fork server's."""
    end = time.monotonic() + 60
    while psutil.Process(pid).status() != psutil.STATUS_STOPPED:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_second_run_is_told_who_writes(bucket):
    one, two = bucket.machine("one"), bucket.machine("two")
    with lock_dataset(one.dataset, "the first run"):
        with pytest.raises(DatasetBusy, match=r"s3://datasets/.+: run the first run \(process \d+ on .+ is writing"):
            two.publish(FIRST)
        assert bucket.read().remote.writer().run == "the first run"
    assert two.publish(FIRST).version == 1


def test_what_a_killed_run_exchanged_with_its_workers_goes_and_its_shards_go_with_the_next_version(bucket):
    press = bucket.machine()
    for name in ("work-1/parts/a.parquet", "shards/raw/b.parquet"):
        bucket.store.put(f".staging/{name}", b"rows")
    with press.dataset.remote.writing(press.dataset.root, "looks", 0):
        assert list(bucket.store.entries(".staging")) == [".staging/shards/raw/b.parquet"]
        write_file(press.dataset.staging / "shards" / "c.parquet", b"rows")  # as a run leaves them that is held
    assert list(bucket.store.entries(".staging")) == [".staging/shards/raw/b.parquet"]
    remove_any(press.dataset.staging)  # as a version is published
    press.publish(FIRST)
    assert list(bucket.store.entries(".staging")) == []


@pytest.mark.slow
def test_what_is_removed_here_goes_there_and_everywhere(bucket):
    one = bucket.machine("one")
    for batch in (FIRST, SECOND, THIRD):
        one.publish(batch)
    two = bucket.read("two")
    before = names_in(bucket)
    with lock_dataset(one.dataset, "prune"):
        recover(one.dataset)
        assert prune(one.dataset, 1).names == ("v1", "v2")
        assert vacuum(one.dataset).names
    assert not any(n.startswith(("v1/", "v2/")) for n in names_in(bucket))
    assert any(n.startswith("tables/documents/part-") for n in before - names_in(bucket))
    two.remote.pull()
    assert two.version_numbers() == [3]
    assert not two.view(1).exists()
    assert_sound(two)


def test_the_call_of_a_held_run_travels_too_and_nothing_else_of_staging(bucket):
    one = bucket.machine("one")
    held = one.dataset.staging / "held.json"
    with lock_dataset(one.dataset, "first"):
        held.parent.mkdir(parents=True)
        held.write_text("1")
        one.dataset.staging.joinpath("shards.parquet").write_text("stays")
    two = bucket.machine("two")
    with lock_dataset(two.dataset, "second"):
        theirs = two.dataset.staging / "held.json"
        assert theirs.read_text() == "1"
        theirs.write_text("2")
    one.dataset.remote.pull()
    assert held.read_text() == "2"
    with lock_dataset(two.dataset, "third"):
        theirs.unlink()
    one.dataset.remote.pull()
    assert not held.exists()
    assert one.dataset.staging.joinpath("shards.parquet").exists()
    assert names_in(bucket) == set()


def test_a_copy_of_which_the_answer_was_lost_is_the_versions_file(bucket, monkeypatch):
    monkeypatch.setattr(push, "_SMALL", 0)
    copy = Store.copy

    def lost(store: Store, source: str, target: str, replace: bool = False) -> bool:
        assert copy(store, source, target, replace)
        raise Taken(target)

    monkeypatch.setattr(Store, "copy", lost)
    bucket.machine().publish(FIRST)
    assert_sound(bucket.read())


@pytest.mark.slow
def test_a_lost_state_costs_a_comparison_and_no_more(bucket, undisturbed):
    one = bucket.machine("one")
    one.publish(FIRST)
    one.dataset.remote.copy.state_path.unlink()
    one.publish(SECOND)
    there = bucket.read()
    assert rows_of_all_tables(there) == undisturbed[0]
    assert_sound(there)


@pytest.mark.slow
def test_a_damaged_commit_point_is_told_and_the_newest_whole_version_counts(bucket):
    bucket.machine().publish(FIRST)
    bucket.store.put(LATEST, b"v1")
    there = bucket.read()
    assert there.version_numbers() == [1]
    assert [(p.place, p.what.split(";")[0]) for p in there.remote.verify()] == [(LATEST, "names no version")]
    assert bucket.machine("other").publish(SECOND).version == 2
    assert_sound(bucket.read())


def test_an_object_that_went_from_a_version_is_missed_there_and_not_here(bucket):
    one = bucket.machine().dataset
    bucket.machine().publish(FIRST)
    one.remote.pull()
    bucket.store.remove(["v1/README.md"])
    one.remote.pull()
    assert one.view(1).joinpath("README.md").exists()
    assert [p.place for p in one.remote.verify()] == ["v1/README.md"]
