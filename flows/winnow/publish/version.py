"""Publish a version: all of it, or nothing that a reader could see.

The tables are written first, then the view is laid out apart, flushed, and renamed into place; last, `latest`
is pointed to it. Killed before the rename, the run leaves the version before as the last one, and `recover`
takes the tables back to it. Killed after, the version is there and `recover` only moves `latest`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from winnow.base.contracts import TABLES
from winnow.base.recipe import PublishSettings
from winnow.publish.card import card, count_languages
from winnow.publish.dataset import Dataset
from winnow.publish.disk import move, point, remove_tree, sync_tree, write_bytes
from winnow.publish.manifest import Manifest
from winnow.publish.run import RunRecord, run_row
from winnow.publish.tables.plan import Plan, Replaced, plan_table
from winnow.publish.tables.tables import commit_plan, commit_prepared, prepare
from winnow.publish.tables.writing import Checkpoint, no_checkpoint, writing_of
from winnow.publish.view import known_hashes, link_view

_WRITERS = 4  # each holds a row group or two in memory

Extras = Callable[[Path, Manifest], Mapping[str, bytes]]
"""Given the folder of a view that is laid out and its manifest: further files of the view (report.html),
by name."""


def no_extras(folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
    return {}


def publish_version(
    dataset: Dataset,
    parts: Mapping[str, Sequence[Path]],
    replaced: Mapping[str, Replaced],
    run: RunRecord,
    settings: PublishSettings,
    clock: Callable[[], datetime],
    extras: Extras = no_extras,
    checkpoint: Checkpoint = no_checkpoint,
) -> Manifest | None:
    """Publish the next version and return its manifest; None, and nothing written, where no row changes.

    Call it as the dataset's only writer (`winnow.storage.lock`), after `recover`. `parts` are sorted Parquet
    files by table, `replaced` the keys whose rows they stand for. Table ``runs`` is written here.
    """
    last = dataset.latest_manifest()
    if last is not None and last.run_id == run.run_id:
        # This run's version is there: an earlier try failed after it. Only `latest` may still be behind.
        point(dataset.latest, f"v{last.version}")
        return last
    plans = [
        plan_table(dataset, name, parts.get(name, ()), replaced.get(name, ())) for name in TABLES if name != "runs"
    ]
    if not any(plan.changes for plan in plans):
        return None
    return publish_plans(dataset, plans, run, settings, clock, extras, checkpoint)


def publish_plans(
    dataset: Dataset,
    plans: Sequence[Plan],
    run: RunRecord,
    settings: PublishSettings,
    clock: Callable[[], datetime],
    extras: Extras = no_extras,
    checkpoint: Checkpoint = no_checkpoint,
) -> Manifest:
    """Publish the next version from what each table needs."""
    previous = dataset.latest_manifest()
    version = dataset.next_version()
    writing = writing_of(run.run_id, version, settings, clock())
    hashes = known_hashes(previous)
    versions: dict[str, int] = {}
    # Encoding is the work, and tables wait for nothing in one another; the commits then follow one by one.
    with ThreadPoolExecutor(_WRITERS) as pool:
        prepared = list(pool.map(lambda plan: prepare(dataset, plan, writing, checkpoint), plans))
    for ready in prepared:
        name = ready.plan.name
        done = commit_prepared(dataset, ready, writing, checkpoint)
        hashes[name] = {**hashes.get(name, {}), **done.hashes}
        versions[name] = done.delta_version
    row = run_row(run, version, clock(), versions)
    done = commit_plan(dataset, plan_rows(dataset, "runs", row, [run.run_id]), writing, checkpoint)
    hashes["runs"] = {**hashes.get("runs", {}), **done.hashes}
    checkpoint("tables")

    folder = dataset.building / f"v{version}"
    remove_tree(folder)
    folder.mkdir(parents=True)
    manifest = Manifest(
        version=version,
        previous=previous.version if previous else None,
        created_at=clock(),
        run_id=run.run_id,
        recipe_id=run.recipe_id,
        recipe=dict(run.recipe),
        packages=dict(run.packages),
        counts=dict(run.counts),
        tables=link_view(dataset, folder, version, hashes),
        note=run.note,
    )
    checkpoint("view linked")
    readme = card(manifest, settings, count_languages(folder, manifest))
    files = {"README.md": readme.encode(), **extras(folder, manifest)}
    manifest = replace(manifest, files={n: write_bytes(folder / n, c) for n, c in files.items()})
    write_bytes(folder / "manifest.json", manifest.to_json().encode())
    checkpoint("view written")
    sync_tree(folder)
    checkpoint("view flushed")
    move(folder, dataset.view(version))
    checkpoint("view renamed")
    point(dataset.latest, f"v{version}")
    checkpoint("latest moved")
    return manifest


def record_run(dataset: Dataset, run: RunRecord, settings: PublishSettings, clock: Callable[[], datetime]) -> None:
    """Write a run that published nothing (held back by the gate) to table ``runs``, in place of its
    earlier row."""
    version = dataset.next_version()
    row = run_row(run, version, clock(), {})
    plan = plan_rows(dataset, "runs", row, [run.run_id])
    commit_plan(dataset, plan, writing_of(run.run_id, version, settings, clock()), kind="record")


def plan_rows(dataset: Dataset, name: str, rows: pa.Table, replaced: Replaced) -> Plan:
    """A plan for rows that are in memory."""
    plan = plan_table(dataset, name, (), replaced)
    return replace(plan, rows=lambda: iter([rows]), n_rows=rows.num_rows)
