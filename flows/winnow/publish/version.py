"""Publish a version: all of it, or nothing that a reader could see.

The tables are written first, then the view is laid out apart, flushed, and renamed into place; last, `latest` is
pointed to it. Killed before the rename, the run leaves the version before as the last one, and `recover` takes the
tables back to it. Killed after, the version is there and `recover` only moves `latest`.

A view holds, as plain Parquet, the tables' files whose names sort in row order; it is complete by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from winnow.base.contracts import TABLES, describe
from winnow.base.disk import (
    Checkpoint,
    flush_tree,
    link_or_copy,
    move,
    no_checkpoint,
    point,
    remove_any,
    remove_empty,
)
from winnow.base.errors import UsageError
from winnow.base.files import parquet_file
from winnow.base.recipe import PublishSettings
from winnow.base.staging import sha256_of, write_file
from winnow.publish.card import card, count_languages, count_not_read, count_sites
from winnow.publish.croissant import croissant
from winnow.publish.dataset import Dataset
from winnow.publish.loaders import data_package, duckdb_views
from winnow.publish.manifest import MANIFEST, Erased, FileEntry, Manifest, TableEntry
from winnow.publish.proof import prove
from winnow.publish.tables.delta import KEYS, WriteJob, active_files, labels_of, open_table
from winnow.publish.tables.row_files import WrittenFile, read_column, read_rows, write_empty
from winnow.publish.tables.schema import description_of, storable
from winnow.publish.tables.table_update import (
    ALL,
    CommittedUpdate,
    Replaced,
    TableUpdate,
    apply_update,
    commit_update,
    plan_update,
    prepare_update,
)

_WRITERS = 4  # each holds a row group or two in memory

Extras = Callable[[Path, Manifest], Mapping[str, bytes]]
"""Given the folder of a view that is laid out and its manifest: further files of the view (report.html), by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as it stands before it publishes. ``recipe``, ``counts`` and ``gate`` are plain data, fit for JSON."""

    run_id: str
    started_at: datetime
    recipe: Mapping[str, Any]
    recipe_id: str
    packages: Mapping[str, str]
    counts: Mapping[str, Any] = field(default_factory=dict)
    gate: Mapping[str, Any] = field(default_factory=dict)
    status: str = "published"
    note: str | None = None


def _no_extras(folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What a run needs to publish. It must be the dataset's only writer (`winnow.storage.lock`), after `recover`.

    With an ``executor``, workers write the new rows of tables that have many.
    """

    dataset: Dataset
    run: RunRecord
    settings: PublishSettings
    clock: Callable[[], datetime]
    extras: Extras = _no_extras
    executor: Executor | None = None
    checkpoint: Checkpoint = no_checkpoint

    def write_job(self, purpose: Literal["publish", "record"] = "publish") -> WriteJob:
        return WriteJob(
            run_id=self.run.run_id,
            version=self.dataset.next_version(),
            file_bytes=self.settings.file_mb << 20,
            started_at=self.clock(),
            purpose=purpose,
            labels={**labels_of(self.settings), "winnow.recipe": self.run.recipe_id},
            checkpoint=self.checkpoint,
        )


def publish_version(
    publication: Publication, parts: Mapping[str, Sequence[Path]], replaced: Mapping[str, Replaced]
) -> Manifest | None:
    """Publishes the next version and returns its manifest; None, and nothing written, where no row changes.

    `parts` are sorted Parquet files by table, `replaced` the keys whose rows they stand for. Table ``runs`` is written
    here.
    """
    dataset = publication.dataset
    last = dataset.latest_manifest()
    if last is not None and last.run_id == publication.run.run_id:
        # This run's version is there: an earlier try failed after it. Only `latest` may still be behind.
        point(dataset.latest, f"v{last.version}")
        return last
    names = [name for name in TABLES if name != "runs"]
    updates = [plan_update(dataset, name, replaced.get(name, ()), parts.get(name, ())) for name in names]
    return _publish(publication, updates) if any(update.changes_rows for update in updates) else None


def record_run(publication: Publication) -> None:
    """Writes a run that published nothing (held back by the gate) to table ``runs``, in place of its earlier row."""
    _commit_run(publication, publication.write_job("record"), {})


def rollback(publication: Publication, version: int) -> Manifest:
    """Publishes `version` again as the next one. Table ``runs`` goes on, the rest goes back; no version is lost.

    Needs the old version's view only, so it works after a vacuum too. Raises UsageError for the version that is the
    latest, DatasetError for one that there is not.
    """
    dataset, run = publication.dataset, publication.run
    old = dataset.manifest(version)
    if version == dataset.last_number():
        raise UsageError(f"{dataset.root}: version {version} is the latest; there is nothing to roll back")
    prove(dataset, old)
    updates = [_back_to(dataset, old, name) for name in TABLES if name != "runs"]
    noted = replace(run, note=run.note or f"rollback to version {version}")
    return _publish(replace(publication, run=noted), updates, old.erased)


def _back_to(dataset: Dataset, old: Manifest, name: str) -> TableUpdate:
    """Returns what a table needs to have an old version's rows again."""
    entry = old.tables.get(name)
    if entry is None:  # the table came later: the old version has no rows of it
        return plan_update(dataset, name, ALL)
    view, folder = dataset.view(old.version), dataset.table(name)
    if [c.name for c in entry.columns] != TABLES[name].names:  # the old rows go under columns that came later
        update = plan_update(dataset, name, ALL)
        files = [view / f.name for f in entry.files]
        return replace(update, rows=lambda: read_rows(files, update.schema), n_rows=entry.rows, in_order=False)
    wanted = {f.delta_path: f for f in entry.files if f.delta_path}
    active = active_files(open_table(folder), name)
    present = {f.name for f in active}
    adopted = []
    for path, file in wanted.items():
        if path in present:
            continue
        target = folder / path
        if not target.exists():  # a vacuum removed the name, the view kept the file
            link_or_copy(view / file.name, target)
        span = pc.min_max(read_column(target, KEYS[name]))
        low, high = span["min"].as_py(), span["max"].as_py()
        adopted.append(
            WrittenFile(path=target, rows=file.rows, bytes=file.bytes, sha256=file.sha256, low=low, high=high)
        )
    leaving = tuple(f for f in active if f.name not in wanted)
    return replace(plan_update(dataset, name, ()), emptied=leaving, adopted=tuple(adopted))


def _publish(publication: Publication, updates: Sequence[TableUpdate], erased: tuple[Erased, ...] = ()) -> Manifest:
    """Publishes the next version from what each table but ``runs`` needs.

    `erased` is what its rows lack of those that the counts of its run tell of.
    """
    dataset, checkpoint = publication.dataset, publication.checkpoint
    previous = dataset.latest_manifest()
    job = publication.write_job()
    # Encoding is the work, and tables wait for nothing in one another; the commits then follow one by one.
    with ThreadPoolExecutor(_WRITERS) as pool:
        prepared = list(pool.map(lambda update: prepare_update(dataset, update, job, publication.executor), updates))
    committed = {ready.update.name: commit_update(dataset, ready, job) for ready in prepared}
    committed["runs"] = _commit_run(publication, job, {name: done.table.version() for name, done in committed.items()})
    checkpoint("tables")

    folder = dataset.building / f"v{job.version}"
    remove_any(folder)
    folder.mkdir(parents=True)
    known = previous.tables if previous else {}
    hashes = {
        name: {f.delta_path: f.sha256 for f in known[name].files if f.delta_path} if name in known else {}
        for name in TABLES
    }
    run = publication.run
    manifest = Manifest(
        version=job.version,
        previous=previous.version if previous else None,
        created_at=publication.clock(),
        run_id=run.run_id,
        recipe_id=run.recipe_id,
        recipe=dict(run.recipe),
        packages=dict(run.packages),
        counts=dict(run.counts),
        tables={
            name: lay_out_table(
                dataset, folder, job.version, name, committed[name].table, {**hashes[name], **committed[name].hashes}
            )
            for name in TABLES
        },
        note=run.note,
        erased=erased,
    )
    checkpoint("view linked")
    files = {**descriptions(folder, manifest, publication.settings), **publication.extras(folder, manifest)}
    manifest = replace(manifest, files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()})
    for name, content in (*files.items(), (MANIFEST, manifest.to_json().encode())):
        write_file(folder / name, content)
    checkpoint("view written")
    flush_tree(folder)
    checkpoint("view flushed")
    move(folder, dataset.view(job.version))
    checkpoint("view renamed")
    point(dataset.latest, f"v{job.version}")
    checkpoint("latest moved")
    remove_empty(dataset.building, dataset.staging)
    return manifest


def descriptions(folder: Path, manifest: Manifest, settings: PublishSettings) -> dict[str, bytes]:
    """Returns the files in which a version describes itself for people and programs, by name; `folder` is its view."""
    languages, not_read = count_languages(folder, manifest), count_not_read(folder, manifest)
    readme = card(manifest, settings, languages, not_read, count_sites(folder, manifest))
    files = {
        "README.md": readme,
        "croissant.json": croissant(manifest, settings),
        "datapackage.json": data_package(manifest, settings),
        "duckdb.sql": duckdb_views(manifest),
    }
    return {name: text.encode() for name, text in files.items()}


def _commit_run(publication: Publication, job: WriteJob, table_versions: Mapping[str, int]) -> CommittedUpdate:
    """Writes the run as one row of table ``runs``."""
    run = publication.run
    row = {
        "run_id": run.run_id,
        "version": job.version,
        "status": run.status,
        "started_at": run.started_at,
        "finished_at": publication.clock(),
        "recipe": _as_json(run.recipe),
        "recipe_id": run.recipe_id,
        "packages": _as_json(run.packages),
        "counts": _as_json(run.counts),
        "gate": _as_json(run.gate),
        "table_versions": _as_json(table_versions),
        "note": run.note,
    }
    schema = TABLES["runs"]
    # A column added to the schema later is nullable, and this run has nothing to say in it.
    rows = pa.Table.from_pylist([{n: row.get(n) for n in schema.names}], schema=schema)
    update = plan_update(publication.dataset, "runs", [run.run_id])
    return apply_update(publication.dataset, replace(update, rows=lambda: iter([rows]), n_rows=1), job)


def _as_json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True, default=str)


def lay_out_table(
    dataset: Dataset, folder: Path, version: int, name: str, delta: DeltaTable | None, hashes: Mapping[str, str]
) -> TableEntry:
    """Lays out a table, as `delta` stands, in a view's `folder`; returns what the manifest says.

    `hashes` are SHA-256 by file name, as far as they are known; the rest is computed.
    """
    schema = storable(TABLES[name])
    entries: list[FileEntry] = []
    for number, file in enumerate(active_files(delta, name)):
        source, place = dataset.table(name) / file.name, f"{name}/{view_name(number, version)}"
        link_or_copy(source, folder / place)
        entries.append(
            FileEntry(
                name=place,
                rows=file.rows if file.rows is not None else parquet_file(source).metadata.num_rows,
                bytes=file.bytes,
                sha256=hashes.get(file.name) or sha256_of(source),
                delta_path=file.name,
            )
        )
    if not entries:
        place = f"{name}/{view_name(0, version)}"
        written = write_empty(folder / place, schema)
        entries.append(FileEntry(name=place, rows=0, bytes=written.bytes, sha256=written.sha256))
    return TableEntry(
        rows=sum(e.rows for e in entries),
        bytes=sum(e.bytes for e in entries),
        delta_version=delta.version() if delta else 0,
        description=description_of(schema),
        columns=describe(schema),
        files=tuple(entries),
    )


def view_name(number: int, version: int) -> str:
    """Returns the name of a view's file; names sort in row order and tell the version.

    No two versions share a name, so a reader that lists `latest` just before it moves on cannot open a file of the
    next version in place of one it listed: it fails or finds no file at all, and reads again, rather than mix two
    versions or miss some rows.

    >>> view_name(0, 3)
    'part-00000-v3.parquet'
    """
    return f"part-{number:05d}-v{version}.parquet"
