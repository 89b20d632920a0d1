"""A run that is killed at any step leaves the last version whole, and the next run finishes the work."""

import multiprocessing
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.attack.damage import flip, remove
from tests.publish.load import read_everywhere
from tests.publish.press import Press, sources, texts_of

from winnow.base.contracts import TABLES
from winnow.base.errors import DatasetDamaged
from winnow.base.files import arrow_dataset
from winnow.publish.dataset import Dataset
from winnow.publish.recover import recover
from winnow.publish.tables.delta import active_files, open_table
from winnow.publish.verify import verify
from winnow.publish.version import publish_version, record_run, rollback
from winnow.storage.lock import lock_dataset


class Killed(BaseException):
    """Ends a run between two steps, as a signal would."""


FIRST = sources("a", "b", "c")
SECOND = sources("b", "d", word="new")


def rows_of_all_tables(dataset: Dataset) -> dict[str, list[dict[str, object]]]:
    """The rows of the Delta tables as they stand, without what differs from run to run."""
    found = {}
    for name in TABLES:
        files = [dataset.table(name) / f.name for f in active_files(open_table(dataset.table(name)), name)]
        table = arrow_dataset(files).to_table() if files else TABLES[name].empty_table()
        drop = {"started_at", "finished_at", "run_id", "table_versions"}
        rows = table.drop_columns([c for c in table.column_names if c in drop]).to_pylist()
        found[name] = sorted(rows, key=repr)
    return found


def steps(tmp_path: Path, first: bool) -> list[str]:
    """Names of all the steps of a run: the first of a dataset, or a later one."""
    press = Press(Dataset(tmp_path / "steps"), tmp_path / "steps work")
    seen: list[str] = []
    if first:
        press.publish(FIRST, checkpoint=seen.append)
    else:
        press.publish(FIRST)
        press.publish(SECOND, checkpoint=seen.append)
    # The tables are written one like the other: the first, an empty one and the last stand for all.
    tested = ("documents", "rejects", "runs")
    return [s for s in seen if ":" not in s or s.split(":")[0] in tested]


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False])
def test_a_run_killed_at_any_step_leaves_the_last_version_and_the_next_run_finishes(
    tmp_path: Path, first: bool
) -> None:
    undisturbed = Press(Dataset(tmp_path / "undisturbed"), tmp_path / "work")
    undisturbed.publish(FIRST)
    if not first:
        undisturbed.publish(SECOND)
    wanted = rows_of_all_tables(undisturbed.dataset)
    names = steps(tmp_path, first)
    assert {"documents: committed", "view renamed", "latest moved"} <= set(names)
    begun = Press(Dataset(tmp_path / "begun"), tmp_path / "work")
    if not first:
        begun.publish(FIRST)
    for number, name in enumerate(names):
        press = replace(begun, dataset=Dataset(tmp_path / str(number)), work=tmp_path / f"work {number}")
        if not first:
            shutil.copytree(begun.dataset.root, press.dataset.root, symlinks=True)

        def kill(step: str, at: str = name) -> None:
            if step == at:
                raise Killed

        with pytest.raises(Killed):
            press.publish(FIRST if first else SECOND, checkpoint=kill)
        last = press.dataset.latest_manifest()
        done = name in ("view renamed", "latest moved")
        if last is not None:
            assert last.version == (1 if first else 2) - (not done)
            read_everywhere(press.dataset, last, delta=False)
        with lock_dataset(press.dataset, "next"):
            recover(press.dataset)
        if last is not None:
            assert press.dataset.latest.readlink() == Path(f"v{last.version}")
        if not done:
            manifest = press.publish(FIRST if first else SECOND)
            assert manifest is not None
            read_everywhere(press.dataset, manifest)
        assert rows_of_all_tables(press.dataset) == wanted, name
        assert texts_of(press.dataset) == texts_of(undisturbed.dataset)
        assert list(press.dataset.building.glob("*")) == []


def _publish_and_die(root: Path, step: str) -> None:
    press = Press(Dataset(root / "dataset"), root / "dying")

    def kill(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    press.publish(SECOND, run_id="dying", checkpoint=kill)


_slow = [
    pytest.param(step, marks=pytest.mark.slow) for step in ("documents: rearranged", "index: committed", "view linked")
]


@pytest.mark.parametrize("step", ["view renamed", *_slow])
def test_a_process_killed_by_the_kernel_frees_the_lock_and_loses_nothing(tmp_path: Path, step: str) -> None:
    press = Press(Dataset(tmp_path / "dataset"), tmp_path / "work")
    press.publish(FIRST)
    process = multiprocessing.get_context("spawn").Process(target=_publish_and_die, args=(tmp_path, step))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    read_everywhere(press.dataset, press.dataset.published()[-1], delta=False)
    press.publish(sources("e"))
    manifest = press.dataset.latest_manifest()
    assert manifest is not None
    read_everywhere(press.dataset, manifest)
    expected = {"a", "b", "c", "e"} | ({"d"} if step == "view renamed" else set())
    assert set(texts_of(press.dataset)) == expected


def test_recovery_after_a_good_run_does_nothing(press: Press) -> None:
    press.publish(FIRST)
    with lock_dataset(press.dataset, "again"):
        done = recover(press.dataset)
    assert (done.restored, done.removed, done.latest) == ((), (), None)


def test_files_that_vanished_from_the_tables_are_linked_back(press: Press) -> None:
    manifest = press.publish(FIRST)
    assert manifest is not None
    lost = press.dataset.table("documents") / str(manifest.tables["documents"].files[0].delta_path)
    lost.unlink()
    with lock_dataset(press.dataset, "again"):
        (said,) = recover(press.dataset).mended
    assert said.startswith(f"tables/documents/{lost.name}: restored from v1/documents/")
    read_everywhere(press.dataset, manifest)


def test_a_run_that_was_held_back_is_recorded_and_stays_so(press: Press) -> None:
    press.publish(FIRST)
    held = replace(press.run("held"), status="held", gate={"few_rejects": False})
    record_run(press.publication(held))
    record_run(press.publication(replace(held, note="looked at")))
    with lock_dataset(press.dataset, "next"):
        assert recover(press.dataset).restored == ()
    assert press.dataset.version_numbers() == [1]
    manifest = press.publish(SECOND)
    assert manifest is not None
    runs = pq.read_table(press.dataset.view(2) / "runs").to_pylist()
    assert [(r["status"], r["version"], r["note"]) for r in runs] == [
        ("published", 1, None),
        ("held", 2, "looked at"),
        ("published", 2, None),
    ]
    read_everywhere(press.dataset, manifest)


@pytest.mark.parametrize("damage", [remove, flip])
def test_damage_to_what_only_a_held_run_wrote_costs_its_record_and_no_row(press: Press, damage) -> None:
    press.publish(FIRST)
    record_run(press.publication(replace(press.run("held"), status="held")))
    for file in active_files(open_table(press.dataset.table("runs")), "runs")[1:]:
        damage(press.dataset.table("runs") / file.name)
    (found,) = verify(press.dataset)
    with lock_dataset(press.dataset, "next"):
        (said,) = recover(press.dataset).mended
    assert said.startswith(f"{found.place}: {found.what}; the table stands as the last version left it")
    press.publish(SECOND)
    assert pq.read_table(press.dataset.view(2) / "runs").column("status").to_pylist() == ["published"] * 2
    assert verify(press.dataset) == []


def test_a_rollback_does_without_rows_of_runs_that_are_lost(press: Press) -> None:
    press.publish(FIRST)
    press.publish(SECOND)
    lost = max(press.dataset.table("runs").glob("*.parquet"))
    for path in (lost, *(p for p in press.dataset.view(2).glob("runs/*") if p.samefile(lost))):
        remove(path)
    with pytest.raises(DatasetDamaged, match="or go back: winnow rollback 1"), lock_dataset(press.dataset, "next"):
        recover(press.dataset)
    with lock_dataset(press.dataset, "rollback"):
        assert "tables/runs: lacks rows of v2; stands as v1 left it" in recover(press.dataset, to_go_back=True).mended
        rollback(press.publication(press.run("rollback")), 1)
    assert texts_of(press.dataset) == texts_of(press.dataset, 1)
    assert pq.read_table(press.dataset.view(3) / "runs").column("version").to_pylist() == [1, 3]
    assert verify(press.dataset, 3) == []


def test_the_log_of_a_table_without_rows_is_missed_and_written_anew(press: Press) -> None:
    press.publish(FIRST)
    remove(press.dataset.table("rejects"))
    assert [(p.place, p.what) for p in verify(press.dataset)] == [("tables/rejects/_delta_log", "is gone")]
    with lock_dataset(press.dataset, "next"):
        assert recover(press.dataset).mended == ("tables/rejects/_delta_log: is gone; written anew from the views",)
    assert verify(press.dataset) == []


def test_a_recovered_table_is_not_restored_again(press: Press) -> None:
    press.publish(FIRST)

    def kill(name: str) -> None:
        if name == "index: committed":
            raise Killed

    with pytest.raises(Killed):
        press.publish(SECOND, checkpoint=kill)
    with lock_dataset(press.dataset, "again"):
        assert "documents" in recover(press.dataset).restored
        assert recover(press.dataset).restored == ()


def test_a_step_that_is_tried_again_under_the_same_run_commits_once(press: Press) -> None:
    press.publish(FIRST)
    run = press.run("one")
    parts = press.parts(sources("d"), 2)

    def fail(name: str) -> None:
        if name == "view linked":
            raise Killed

    with pytest.raises(Killed):
        publish_version(press.publication(run, checkpoint=fail), parts, {})
    manifest = publish_version(press.publication(run), parts, {})
    assert manifest is not None
    read_everywhere(press.dataset, manifest)
    assert manifest.tables["documents"].rows == 4


def test_a_version_whose_view_and_log_are_both_gone_is_named_and_not_made_without_the_table(press: Press) -> None:
    press.publish(sources("a"))
    shutil.rmtree(press.dataset.view(1))
    shutil.rmtree(press.dataset.table("documents") / "_delta_log")
    with pytest.raises(DatasetDamaged, match="the log of table documents is gone too"):
        recover(press.dataset)
    assert press.dataset.version_numbers() == []
