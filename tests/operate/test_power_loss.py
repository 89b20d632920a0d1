"""After a power loss a disk holds what was flushed: so flush the content, then name it, then flush the folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from deltalake import DeltaTable
from tests.operate.dataset_runs import assert_tidy, rows_of, run_stages, two_batches

from winnow.publish.dataset import Dataset
from winnow.publish.recover import drop_torn_commits, recover
from winnow.storage.lock import lock_dataset


class Disk:
    """Watches what is flushed and what is renamed: `unflushed` are names given to content that was not on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.flushed: set[tuple[int, int]] = set()
        self.renamed: list[Path] = []
        self.unflushed: list[Path] = []
        self.waiting: dict[tuple[int, int], Path] = {}  # folders with a new name that are not flushed

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        fsync, rename, replace = os.fsync, os.rename, os.replace

        def noting_fsync(handle: int) -> None:
            fsync(handle)
            self.flushed.add(_identity(os.fstat(handle)))
            self.waiting.pop(_identity(os.fstat(handle)), None)

        def noting(move):
            def moved(source, target, **options):
                self._check(Path(source))
                move(source, target, **options)
                self._note(Path(target))

            return moved

        patch.setattr(os, "fsync", noting_fsync)
        patch.setattr(os, "rename", noting(rename))
        patch.setattr(os, "replace", noting(replace))

    def _check(self, path: Path) -> None:
        # A symbolic link has no content of its own.
        if not path.is_relative_to(self.root) or path.is_symlink() or self._needs_none(path):
            return
        files = [path] if path.is_file() else [*list(path.rglob("*")), path]
        self.unflushed += [p for p in files if _identity(p.stat()) not in self.flushed]

    def _note(self, path: Path) -> None:
        if path.is_relative_to(self.root) and not self._needs_none(path):
            self.renamed.append(path)
            self.waiting[_identity(path.parent.stat())] = path.parent

    @staticmethod
    def _needs_none(path: Path) -> bool:
        """What a run keeps for itself is made anew by the next; Great Expectations' pages are for people to look at."""
        return any(part.startswith("work-") or part == "gx" for part in path.parts)


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino


@pytest.mark.slow
def test_everything_is_flushed_before_it_gets_its_name_and_its_folder_after(tmp_path, monkeypatch):
    first, second = two_batches(tmp_path)
    disk = Disk(tmp_path / "dataset")
    disk.watch(monkeypatch)
    unflushed_folders = []

    def at(step: str) -> None:
        unflushed_folders.extend(p for p in disk.waiting.values() if p.exists())

    for source in (first, second):
        run_stages(source, tmp_path / "dataset", at=at)
    names = {p.relative_to(tmp_path / "dataset").parts[0] for p in disk.renamed}
    assert {".staging", "v1", "v2", "latest"} <= names  # the watch works: shards, views and the link were seen
    assert disk.unflushed == []
    assert unflushed_folders == []


def test_every_file_of_a_version_and_its_commits_are_on_disk_when_the_version_gets_its_name(tmp_path, monkeypatch):
    first, _ = two_batches(tmp_path)
    disk = Disk(tmp_path / "dataset")
    disk.watch(monkeypatch)
    run_stages(first, tmp_path / "dataset")
    files = [p for p in (tmp_path / "dataset" / "v1").rglob("*") if p.is_file()]
    # Each table's commits: a commit is a file of JSON that Delta renames into place and publication flushes.
    commits = list((tmp_path / "dataset" / "tables").rglob("_delta_log/*.json"))
    assert len(files) > 10
    assert len(commits) >= 8
    assert [p for p in (*files, *commits) if _identity(p.stat()) not in disk.flushed] == []


@pytest.mark.slow  # a lost or damaged end of a log is among the quick cases of tests/attack
@pytest.mark.parametrize("left", [b"", b'{"add": {"path": "part-'], ids=["empty", "cut"])
def test_a_commit_that_a_power_loss_cut_short_is_taken_back(history, tmp_path, left):
    dataset = Dataset(tmp_path / "dataset")
    history.copy_to(dataset.root)
    folder = dataset.table("documents")
    newest = DeltaTable(str(folder)).version() + 1
    (folder / "_delta_log" / f"{newest:020d}.json").write_bytes(left)
    with lock_dataset(dataset, "after"):
        done = recover(dataset)
    assert f"documents/{newest:020d}.json" in done.removed
    run_stages(history.source, dataset.root)
    assert rows_of(dataset.root) == history.rows
    assert_tidy(dataset.root)


def test_a_commit_of_a_published_version_is_never_taken_back(history, tmp_path):
    dataset = Dataset(tmp_path / "dataset")
    history.copy_to(dataset.root)
    newest = max((dataset.table("documents") / "_delta_log").glob("*.json"))
    newest.write_bytes(b"")
    assert drop_torn_commits(dataset, dataset.latest_manifest()) == []
    assert newest.exists()
