"""Two runs, a run and an upkeep, a run and a reader: one at a time writes, the other is told, no reader sees a half."""

from __future__ import annotations

import multiprocessing
import re
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.articles import article
from tests.conftest import write_jsonl
from tests.operate.dataset_runs import RECIPE, assert_tidy, in_child, rows_of, run_stages

from winnow.base.errors import DatasetBusy
from winnow.base.recipe import Recipe
from winnow.publish.dataset import Dataset
from winnow.run.maintenance import tidy_up

HOLD_SECONDS = 1.0


def slow_run(source: Path, into: Path, mark: Path) -> None:
    """A run that stops for a while with the dataset in its hands."""

    def at(step: str) -> None:
        if step == "read":
            mark.touch()
            time.sleep(HOLD_SECONDS)

    run_stages(source, into, at=at)


def begin_slow_run(source: Path, into: Path, mark: Path) -> multiprocessing.process.BaseProcess:
    child = in_child(slow_run, source, into, mark)
    end = time.monotonic() + 60
    while not mark.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert mark.exists()
    return child


def test_a_second_run_is_told_who_writes_or_waits_and_then_finds_the_first_ones_version(history, tmp_path):
    into = history.copy_to(tmp_path / "dataset")
    child = begin_slow_run(history.source, into, tmp_path / "mark")
    with pytest.raises(DatasetBusy, match=rf"run 2\w+-\w+ \(process {child.pid} on .+\) is writing; wait for it"):
        run_stages(history.source, into)
    with pytest.raises(DatasetBusy):
        tidy_up(Dataset(into), RECIPE, dry_run=False)
    assert run_stages(history.source, into, wait_seconds=60)["version"] is None
    child.join(60)
    assert child.exitcode == 0
    assert Dataset(into).version_numbers() == [1, 2]
    assert rows_of(into) == history.rows
    assert_tidy(into)


def read_through(folder: Path) -> str:
    """Two tables of one folder, read as an analyst would; what the documents say."""
    documents = pq.read_table(folder / "documents", columns=["doc_id", "text"])
    pd.read_parquet(folder / "passages", columns=["doc_id"])
    return repr(sorted(zip(*documents.to_pydict().values(), strict=True)))


def is_miss(error: Exception) -> bool:
    """A file is not found, or none was, and with it no column: pyarrow leaves out of a listing what has moved on."""
    return isinstance(error, FileNotFoundError) or (
        isinstance(error, pa.ArrowInvalid) and "FieldRef.Name(doc_id) in __fragment_index" in str(error)
    )


def read_on(root: Path, stop: Path, told: Path) -> None:
    """Read two tables through `latest` until told to stop, and through the version it names; note what was seen.

    Documented for readers: `latest` may move on while a folder is listed and its files are opened. Then a file or every
    file is not found, and the reader reads again. What must never happen is to read some of one version and some of
    another. A reader that names the version misses nothing at all.
    """
    seen: set[str] = set()
    reads = 0
    other: set[str] = set()
    while not stop.exists():
        for folder in (root / "latest", (root / "latest").resolve()):
            try:
                seen.add(read_through(folder))
                reads += 1
            except (OSError, pa.ArrowException) as error:
                if folder.name != "latest" or not is_miss(error):
                    other.add(f"{folder.name}: {type(error).__name__}: {str(error)[:200]}")
    told.write_text(repr((reads, sorted(seen), sorted(other))), encoding="utf-8")


def publish_under_a_reader(tmp_path: Path, versions: int) -> None:
    source, into = tmp_path / "in", tmp_path / "dataset"
    stop, told = tmp_path / "stop", tmp_path / "told"
    recipe = Recipe.model_validate({"read": {"shard_mb": 0.01}, "maintain": {"keep_versions": versions + 1}})

    def publish(number: int) -> None:
        # Every text changes with every version, so that any mixture shows.
        rows = [{"id": f"d{n}", "text": article(100 * number + n)} for n in range(6)]
        write_jsonl(source / "a.jsonl", rows)
        run_stages(source, into, recipe=recipe)

    publish(0)
    reader = in_child(read_on, into, stop, told)
    for number in range(1, versions):
        publish(number)
        if number % 2:
            tidy_up(Dataset(into), recipe, dry_run=False)
    stop.touch()
    reader.join(60)
    reads, seen, other = eval(told.read_text(encoding="utf-8"))
    published = {read_through(d) for d in into.iterdir() if re.fullmatch(r"v\d+", d.name)}
    assert len(published) == versions
    assert other == []
    assert set(seen) <= published
    assert reads > 10
    assert len(seen) >= min(versions, 3) - 1
    assert_tidy(into)


@pytest.mark.slow
def test_a_reader_in_a_loop_sees_whole_versions_only(tmp_path):
    publish_under_a_reader(tmp_path, 3)


@pytest.mark.slow
def test_a_reader_in_a_loop_for_minutes_sees_whole_versions_only(tmp_path):
    publish_under_a_reader(tmp_path, 40)


def run_in_turn(source: Path, into: Path, told: Path) -> None:
    told.write_text(str(run_stages(source, into, wait_seconds=120)["version"]))


@pytest.mark.slow
def test_many_runs_that_wait_for_one_another_all_come_to_their_turn(tmp_path):
    """Each with a document of its own: one that changes nothing would rightly publish nothing."""
    into, numbers = tmp_path / "dataset", range(5)
    sources = [write_jsonl(tmp_path / f"in {n}" / f"{n}.jsonl", [{"id": str(n), "text": article(n)}]) for n in numbers]
    children = [in_child(run_in_turn, s.parent, into, tmp_path / f"told {n}") for n, s in enumerate(sources)]
    for child in children:
        child.join(300)
    assert [c.exitcode for c in children] == [0] * 5
    assert sorted(int((tmp_path / f"told {n}").read_text()) for n in numbers) == [1, 2, 3, 4, 5]
    assert sorted(pd.read_parquet(into / "latest" / "documents")["source"]) == sorted(map(str, numbers))
    assert_tidy(into)
