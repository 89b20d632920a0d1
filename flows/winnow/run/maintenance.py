"""Upkeep of a dataset in one go: join small files, prune, remove what nothing needs, clean staging. And rollback."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from winnow.base.recipe import PublishSettings, Recipe
from winnow.base.records import Json
from winnow.publish.dataset import Dataset
from winnow.publish.housekeeping import compact, prune, vacuum
from winnow.publish.manifest import Manifest
from winnow.publish.version import Publication, RunRecord, rollback
from winnow.run.approval import run_awaiting_approval
from winnow.run.recovery import recover_dataset
from winnow.run.release import now, packages, report_of
from winnow.run.run_context import new_run_id
from winnow.run.version_index import draw_index
from winnow.storage.lock import lock_dataset

DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What upkeep did, or would do. ``joined`` maps tables to their number of files before and after."""

    run_id: str
    dry_run: bool
    joined: Mapping[str, tuple[int, int]]
    versions_removed: tuple[str, ...]
    files_removed: int
    staging_removed: int
    bytes_freed: int

    def as_dict(self) -> Json:
        """Plain data for JSON."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """What was done, for people.

        >>> done = Upkeep(run_id="r", dry_run=True, joined={"edits": (9, 1)}, versions_removed=(), files_removed=8,
        ...     staging_removed=0, bytes_freed=2_000_000)
        >>> print(*done.lines(), sep="\\n")
        edits: 9 files would be joined to 1
        versions that would be removed: none
        files that would be removed: 8 of the tables, 0 of staging; 2.0 MB free
        """
        verb = "would be" if self.dry_run else "were"
        for table, (before, after) in self.joined.items():
            yield f"{table}: {before} files {verb} joined to {after}"
        yield f"versions that {verb} removed: {', '.join(self.versions_removed) or 'none'}"
        yield (
            f"files that {verb} removed: {self.files_removed} of the tables, {self.staging_removed} of staging; "
            f"{self.bytes_freed / 1e6:.1f} MB free"
        )


def tidy_up(
    dataset: Dataset,
    recipe: Recipe,
    dry_run: bool = False,
    wait_seconds: float = 0,
    clock: Callable[[], float] = time.time,
) -> Upkeep:
    """Do all upkeep as the dataset's only writer.

    Readers are not disturbed: views hold their files by links of their own, whatever the tables let go. Staging stays
    as it is while a version waits for approval, so that an approval finds its shards.
    """
    run_id = new_run_id()
    keep = recipe.maintain.keep_versions
    with lock_dataset(dataset, run_id, wait_seconds):
        recover_dataset(dataset)
        joined = compact(dataset, run_id, recipe.publish, datetime.now(UTC), dry_run)
        views = prune(dataset, keep, dry_run) if keep else None
        if not dry_run:
            draw_index(dataset)
        files = vacuum(dataset, dry_run)
        before = clock() - recipe.maintain.staging_days * DAY
        staging = [] if run_awaiting_approval(dataset) else list(clean_staging(dataset.staging, before, dry_run))
    return Upkeep(
        run_id=run_id,
        dry_run=dry_run,
        joined={j.table: (j.before, j.after) for j in joined if j.before != j.after},
        versions_removed=tuple(views.names) if views else (),
        files_removed=len(files.names),
        staging_removed=len(staging),
        bytes_freed=files.bytes + (views.bytes if views else 0) + sum(size for _, size in staging),
    )


def clean_staging(folder: Path, before: float, dry_run: bool) -> Iterator[tuple[str, int]]:
    """Remove what no run has touched since `before` (seconds since 1970); yields names and sizes.

    Temporary files go as well: the writer that could still rename them would hold the dataset's lock.
    """
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if path.is_symlink() or not path.is_file():
            continue
        stat = path.stat()
        if stat.st_mtime < before or path.name.endswith(".tmp"):
            if not dry_run:
                path.unlink()
            yield path.relative_to(folder).as_posix(), stat.st_size
    if folder.is_dir() and not dry_run and not any(p.is_file() for p in folder.rglob("*")):
        shutil.rmtree(folder, ignore_errors=True)


def roll_back(dataset: Dataset, version: int, because: str, wait_seconds: float = 0) -> Manifest:
    """Publishes an old version again as the next one, as the dataset's only writer; returns its manifest."""
    old = dataset.manifest(version)
    run_id = new_run_id()
    with lock_dataset(dataset, run_id, wait_seconds):
        recover_dataset(dataset, to_go_back=True)
        record = RunRecord(
            run_id=run_id,
            started_at=now(),
            recipe=old.recipe,
            recipe_id=old.recipe_id,
            packages=packages(),
            counts=old.counts,  # the version is equal to the old one, so what is known of its rows is too
            note=f"rollback to version {version}" + (f": {because.strip()}" if because.strip() else ""),
        )
        settings = PublishSettings.model_validate(old.recipe["publish"])
        extras = report_of(run_id, settings.name)
        publication = Publication(dataset=dataset, run=record, settings=settings, clock=now, extras=extras)
        manifest = rollback(publication, version)
        draw_index(dataset)
    return manifest
