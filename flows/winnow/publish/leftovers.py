"""What a killed run leaves beside the tables: files that no commit names, and commits that a power loss cut short."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from winnow.base.contracts import TABLES
from winnow.base.staging import flush
from winnow.publish.dataset import WORK, Dataset
from winnow.publish.disk import remove_tree
from winnow.publish.tables.delta import is_ours


def remove_leftovers(dataset: Dataset) -> list[str]:
    """Remove half-built views, folders of runs, and files that never became part of a table; their names.

    Call it as the dataset's only writer, after `drop_torn_commits`.
    """
    removed = []
    if dataset.building.is_dir():
        for leftover in sorted(dataset.building.iterdir()):
            remove_tree(leftover)
            removed.append(leftover.name)
    for folder in sorted(dataset.staging.glob(f"{WORK}*")):
        remove_tree(folder)
        removed.append(folder.name)
    dataset.latest.with_name(f".{dataset.latest.name}.new").unlink(missing_ok=True)
    for name in TABLES:
        for path in _never_committed(dataset, name):
            path.unlink()
            removed.append(f"{name}/{path.name}")
    return removed


def _never_committed(dataset: Dataset, name: str) -> Iterator[Path]:
    """Files of a table that no commit ever named; other writers' files are theirs."""
    folder = dataset.table(name)
    manifest = dataset.latest_manifest()
    known = {f.delta_path for f in manifest.tables[name].files} if manifest and name in manifest.tables else set()
    unknown = [p for p in sorted(folder.glob("*.parquet")) if p.name not in known and is_ours(p.name)]
    if unknown:  # reading the whole log is for these alone
        known |= set(_ever_added(folder / "_delta_log"))
    yield from (p for p in unknown if p.name not in known)
    # A commit takes its number by a link or a rename; killed before that, it leaves the file it came from.
    yield from sorted((folder / "_delta_log").glob("_commit_*.tmp"))


def _ever_added(log: Path) -> Iterator[str]:
    for path in log.glob("*.json"):
        for line in path.read_bytes().splitlines():
            action = json.loads(line)
            if "add" in action:
                yield action["add"]["path"]


def drop_torn_commits(dataset: Dataset) -> list[str]:
    """Take away newest commits that hold no JSON, as a power loss leaves them that came before they were flushed.

    Only commits after the last version: that one was flushed before it was named, and anything else is for `verify`.
    Returns the files' names, ``table/file``.
    """
    manifest = dataset.latest_manifest()
    dropped = []
    for name in TABLES:
        log = dataset.table(name) / "_delta_log"
        entry = manifest.tables.get(name) if manifest else None
        base = entry.delta_version if entry else -1
        # From the newest on: a commit that is whole was built on those before it.
        for path in sorted(log.glob("[0-9]*.json"), reverse=True):
            if int(path.stem) <= base or _is_whole(path):
                break
            path.unlink()
            flush(log)
            dropped.append(f"{name}/{path.name}")
    return dropped


def _is_whole(path: Path) -> bool:
    lines = path.read_bytes().splitlines()
    try:
        return bool(lines) and all(isinstance(json.loads(line), dict) for line in lines)
    except ValueError:
        return False
