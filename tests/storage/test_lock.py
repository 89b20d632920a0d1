"""One writer per dataset."""

import os
import time
from pathlib import Path

import pytest

from winnow.base.errors import DatasetBusy, UsageError
from winnow.publish.dataset import Dataset
from winnow.storage.lock import lock_dataset, lock_file


def test_a_second_writer_is_told_who_holds_the_dataset(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    told = pytest.raises(DatasetBusy, match=rf"run-1 \(process {os.getpid()}")
    with lock_file(lock, "run-1"), told, lock_file(lock, "run-2"):
        pass


def test_the_next_writer_gets_the_lock_when_the_first_is_done(tmp_path: Path) -> None:
    for run in ("run-1", "run-2"):
        with lock_file(tmp_path / ".lock", run):
            pass


def test_a_writer_that_waits_gives_up_at_its_limit(tmp_path: Path) -> None:
    lock, begin = tmp_path / ".lock", time.monotonic()
    with lock_file(lock, "run-1"), pytest.raises(DatasetBusy), lock_file(lock, "run-2", wait_seconds=0.3):
        pass
    assert time.monotonic() - begin >= 0.3


def test_a_failed_writer_lets_the_lock_go(tmp_path: Path) -> None:
    with pytest.raises(KeyError), lock_file(tmp_path / ".lock", "run-1"):
        raise KeyError
    with lock_file(tmp_path / ".lock", "run-2"):
        pass


def test_a_folder_whose_name_delta_misreads_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="%20 in its path"), lock_dataset(Dataset(tmp_path / "a%20b" / "ds"), "run"):
        pass
    assert not list(tmp_path.iterdir())
    with lock_dataset(Dataset(tmp_path / "100% a#?b" / "ds"), "run"):
        pass
