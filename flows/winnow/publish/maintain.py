"""Keep a dataset small and quick: join small files, drop old views, remove files that no version needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deltalake import CommitProperties, DeltaTable

from winnow.base.contracts import TABLES
from winnow.base.errors import UsageError
from winnow.base.recipe import PublishSettings
from winnow.publish.dataset import Dataset
from winnow.publish.disk import move, remove_tree
from winnow.publish.tables.delta import KEYS, MARK, ActiveFile, active_files, commit, open_table, sync_log
from winnow.publish.tables.row_writer import write_rows
from winnow.publish.tables.rows import read_rows
from winnow.publish.tables.schema import storable
from winnow.publish.tables.tables import names_like
from winnow.publish.tables.writing import writing_of


@dataclass(frozen=True, slots=True)
class Compacted:
    """Files of a table before and after."""

    table: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Freed:
    """What was removed, or would be; ``bytes`` counts only files that nothing else links to."""

    names: tuple[str, ...]
    bytes: int


def compact(
    dataset: Dataset, run_id: str, settings: PublishSettings, now: datetime, dry_run: bool = False
) -> list[Compacted]:
    """Join neighbouring small files of each table into files of the wished size; no row changes, nor their
    order.

    No version is published: the next one will link the joined files, the views there are keep theirs.
    """
    done = []
    writing = writing_of(run_id, dataset.next_version(), settings, now)
    for name in TABLES:
        folder = dataset.table(name)
        table = open_table(folder)
        if table is None:
            continue
        files = active_files(table, name)
        groups = neighbours(files, writing.file_bytes)
        after = len(files) - sum(len(g) - 1 for g in groups)
        if groups and not dry_run:
            schema = storable(TABLES[name])
            joined = []
            for group in groups:
                rows = read_rows((folder / f.path for f in group), schema)
                paths = names_like(folder, group[0], writing)
                # A file may grow past the wished size by little; cutting it would leave a small one again.
                joined += write_rows(rows, schema, paths, KEYS[name], writing.file_bytes * 2)
            away = [f for g in groups for f in g]
            mark = writing.mark("compact")
            commit(folder, name, schema, joined, away, False, mark, [], writing.milliseconds)
            after = len(active_files(DeltaTable(str(folder)), name))
        done.append(Compacted(name, len(files), after))
    return done


def neighbours(files: Sequence[ActiveFile], file_bytes: int) -> list[list[ActiveFile]]:
    """Runs of two or more neighbouring files that together fill no more than one file of the wished size."""
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
    """Remove all views but the last `keep`. `vacuum` then removes the tables' files that only they needed.

    Raises UsageError for a `keep` below 1: the last version is never removed.
    """
    if keep < 1:
        raise UsageError(f"--keep {keep}: keep at least 1; the last version is never removed")
    numbers = dataset.version_numbers()[:-keep]
    freed = 0
    for number in numbers:
        folder = dataset.view(number)
        # The tables hold one link of their own; where they hold none, the view was the last to need the file.
        freed += sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and p.stat().st_nlink == 1)
        if not dry_run:
            dataset.building.mkdir(parents=True, exist_ok=True)
            apart = dataset.building / f"pruned-v{number}"
            remove_tree(apart)
            move(folder, apart)  # one step for a reader: the version is there, or it is not
            remove_tree(apart)
    return Freed(tuple(f"v{n}" for n in numbers), freed)


def vacuum(dataset: Dataset, dry_run: bool = False) -> Freed:
    """Remove files of the tables that no published version needs, also those that a killed run left.

    Time travel to the Delta versions that the manifests name keeps working. The views would hold their files
    in any case. Call it as the dataset's only writer.
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
        gone = table.vacuum(
            retention_hours=0,
            dry_run=True,
            enforce_retention_duration=False,
            full=True,
            keep_versions=keep,
        )
        paths = [p for p in (folder / Path(g).name for g in gone) if p.exists()]
        names += [f"{name}/{p.name}" for p in paths]
        freed += sum(p.stat().st_size for p in paths if p.stat().st_nlink == 1)
        if paths and not dry_run:
            table.vacuum(
                retention_hours=0,
                dry_run=False,
                enforce_retention_duration=False,
                full=True,
                keep_versions=keep,
                commit_properties=CommitProperties(custom_metadata={MARK: "vacuum"}),
            )
            sync_log(folder)
    return Freed(tuple(sorted(names)), freed)
