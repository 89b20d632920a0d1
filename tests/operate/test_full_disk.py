"""A full disk ends a run with one clear line; the last version stays whole, and the next run ends well."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.operate.dataset_runs import assert_tidy, assert_whole, rows_of, run_stages

from winnow.base.errors import DiskFull

KB = 1024
MOUNT_MB = 16


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory) -> Iterator[Path]:
    """A file system of a few megabytes in memory."""
    place = tmp_path_factory.mktemp("disk")
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs root, to mount a small file system")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={MOUNT_MB}m", "tmpfs", str(place)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"cannot mount a small file system here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """Take all room but `leave` bytes."""
    path = disk / "ballast"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free - leave))
    return path


def check_full_disk(history, disk: Path, step: str, leave: int) -> None:
    into = disk / "dataset"
    history.copy_to(into)

    def at(name: str) -> None:
        if name == step:
            fill(disk, leave)

    try:
        with pytest.raises(DiskFull, match=r"the disk is full; the last version stays as it is\. Free some space"):
            run_stages(history.source, into, at=at)
        assert_whole(into)
        assert rows_of(into) == rows_of(history.dataset)
        # Nothing changes as long as the disk is full, however often it is tried.
        with pytest.raises(DiskFull):
            run_stages(history.source, into)
        assert_whole(into)
    finally:
        (disk / "ballast").unlink(missing_ok=True)
    run_stages(history.source, into)
    assert rows_of(into) == history.rows
    assert_tidy(into)


@pytest.mark.slow
@pytest.mark.parametrize(("step", "leave"), [("validated", 48 * KB)])
def test_a_full_disk_ends_a_run_clearly_and_the_next_one_finishes(history, small_disk, step, leave):
    check_full_disk(history, small_disk, step, leave)


@pytest.mark.slow
@pytest.mark.parametrize("leave", [0, 4, 12, 24, 32, 40, 56, 64, 72, 80, 96])
@pytest.mark.parametrize("step", ["locked", "read", "checked", "deduplicated", "validated"])
def test_wherever_the_disk_gets_full_nothing_is_lost(history, small_disk, step, leave):
    try:
        check_full_disk(history, small_disk, step, leave * KB)
    except pytest.fail.Exception:
        # Enough was left for the whole run: then it has to be right.
        assert rows_of(small_disk / "dataset") == history.rows
