"""Keep a dataset small and quick: join small files, drop old views, remove files that no version needs.

Call each as the dataset's only writer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deltalake import CommitProperties, DeltaTable

from winnow.base.contracts import TABLES
from winnow.base.disk import move, remove_any, remove_empty
from winnow.base.errors import UsageError
from winnow.base.recipe import PublishSettings
from winnow.publish.dataset import Dataset
from winnow.publish.tables.delta import (
    KEYS,
    PURPOSE,
    ActiveFile,
    WriteJob,
    active_files,
    bring_log,
    commit,
    flush_log,
    labels_of,
    open_table,
)
from winnow.publish.tables.row_files import read_rows, write_rows
from winnow.publish.tables.schema import storable


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """Files of a table before and after."""

    table: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What was removed, or would be; ``bytes`` counts only files that nothing else links to."""

    names: tuple[str, ...]
    bytes: int


def compact(
    dataset: Dataset, run_id: str, settings: PublishSettings, now: datetime, dry_run: bool = False
) -> list[Compacted]:
    """Joins neighbouring small files of each table into files of the wished size; no row changes, nor their order.

    No version is published: the next one will link the joined files, the views there are keep theirs.
    """
    done = []
    size = settings.file_mb << 20
    job = WriteJob(
        run_id=run_id,
        version=dataset.next_version(),
        file_bytes=size,
        started_at=now,
        purpose="compact",
        labels=labels_of(settings),
    )
    for name in TABLES:
        folder, schema = dataset.table(name), storable(TABLES[name])
        table = open_table(folder)
        if table is None:
            continue
        files = active_files(table, name)
        groups = neighbours(files, size)
        after = len(files) - sum(len(g) - 1 for g in groups)
        if groups and not dry_run:
            joined = []
            for group in groups:
                rows = read_rows((folder / f.name for f in group), schema)
                # A file may grow past the wished size by little; cutting it would leave a small one again.
                joined += write_rows(rows, job.labelled(schema), job.paths_like(folder, group[0]), KEYS[name], size * 2)
            small = [f for g in groups for f in g]
            commit(table, folder, schema, job, job.purpose, add=joined, remove=small, data_change=False)
            after = len(active_files(table, name))
        done.append(Compacted(table=name, before=len(files), after=after))
    return done


def neighbours(files: Sequence[ActiveFile], file_bytes: int) -> list[list[ActiveFile]]:
    """Returns runs of two or more neighbouring files that together fill no more than one file of the wished size."""
    groups: list[list[ActiveFile]] = []
    size = 0
    for file in files:
        if groups and size + file.bytes <= file_bytes:
            groups[-1].append(file)
            size += file.bytes
        else:
            groups.append([file])
            size = file.bytes
    return [g for g in groups if len(g) > 1]


def prune(dataset: Dataset, keep: int, dry_run: bool = False) -> Freed:
    """Removes all views but the last `keep`. `vacuum` then removes the tables' files that only they needed.

    Raises UsageError for a `keep` below 1: the last version is never removed.
    """
    if keep < 1:
        raise UsageError(f"--keep {keep}: keep at least 1; the last version is never removed")
    numbers = dataset.version_numbers()[:-keep]
    dataset.lay_out(numbers)
    freed = 0
    for number in numbers:
        folder = dataset.view(number)
        # The tables hold one link of their own; where they hold none, the view was the last to need the file.
        freed += _bytes_freed(p for p in folder.rglob("*") if p.is_file())
        if not dry_run:
            dataset.building.mkdir(parents=True, exist_ok=True)
            apart = dataset.building / f"pruned-v{number}"
            remove_any(apart)
            move(folder, apart)  # one step for a reader: the version is there, or it is not
            remove_any(apart)
    if not dry_run:
        remove_empty(dataset.building, dataset.staging)
    return Freed(names=tuple(f"v{n}" for n in numbers), bytes=freed)


def vacuum(dataset: Dataset, dry_run: bool = False) -> Freed:
    """Removes files of the tables that no published version needs, also those that a killed run left.

    Time travel to the Delta versions that the manifests name keeps working. The views would hold their files in any
    case.
    """
    names: list[str] = []
    freed = 0
    manifests = dataset.published()
    for name in TABLES:
        folder = dataset.table(name)
        table = open_table(folder)
        if table is None:
            continue
        keep = sorted({m.tables[name].delta_version for m in manifests if name in m.tables})
        for number in keep:
            bring_log(folder, at=number)
        paths = [p for p in (folder / Path(gone).name for gone in _vacuum(table, keep, dry_run=True)) if p.exists()]
        names += [f"{name}/{p.name}" for p in paths]
        freed += _bytes_freed(paths)
        if paths and not dry_run:
            _vacuum(table, keep, dry_run=False)
            flush_log(folder)
    return Freed(names=tuple(sorted(names)), bytes=freed)


def _vacuum(table: DeltaTable, keep_versions: list[int], dry_run: bool) -> list[str]:
    return table.vacuum(
        retention_hours=0,
        dry_run=dry_run,
        enforce_retention_duration=False,
        full=True,
        keep_versions=keep_versions,
        commit_properties=CommitProperties(custom_metadata={PURPOSE: "vacuum"}),
    )


def _bytes_freed(paths: Iterable[Path]) -> int:
    """Returns the bytes of the files that have no other name."""
    return sum(s.st_size for s in (p.stat() for p in paths) if s.st_nlink == 1)
