"""Publish a new version that is equal to an old one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pyarrow.compute as pc
import pyarrow.parquet as pq

from winnow.base.contracts import TABLES
from winnow.base.errors import UsageError
from winnow.base.recipe import PublishSettings
from winnow.publish.dataset import Dataset
from winnow.publish.disk import link_or_copy
from winnow.publish.manifest import Manifest, TableEntry
from winnow.publish.run import RunRecord
from winnow.publish.tables.delta import KEYS, active_files, open_table
from winnow.publish.tables.plan import ALL, Plan, plan_table
from winnow.publish.tables.row_writer import Written
from winnow.publish.tables.rows import read_rows
from winnow.publish.tables.writing import Checkpoint, no_checkpoint
from winnow.publish.version import Extras, no_extras, publish_plans


def rollback(
    dataset: Dataset,
    version: int,
    run: RunRecord,
    settings: PublishSettings,
    clock: Callable[[], datetime],
    extras: Extras = no_extras,
    checkpoint: Checkpoint = no_checkpoint,
) -> Manifest:
    """Publish `version` again as the next one; nothing in between is lost. Table ``runs`` goes on, the rest
    goes back.

    Needs the old version's view only, so it works after a vacuum too. Call it as the dataset's only writer.
    Raises UsageError for the version that is the latest, DatasetError for one that there is not.
    """
    old = dataset.manifest(version)
    if version == dataset.latest_version():
        raise UsageError(f"{dataset.root}: version {version} is the latest; there is nothing to roll back")
    noted = replace(run, note=run.note or f"rollback to version {version}")
    plans = [_plan(dataset, old, name) for name in TABLES if name != "runs"]
    return publish_plans(dataset, plans, noted, settings, clock, extras, checkpoint)


def _plan(dataset: Dataset, old: Manifest, name: str) -> Plan:
    entry = old.tables.get(name)
    if entry is None:  # the table came later: the old version has no rows of it
        return plan_table(dataset, name, (), ALL)
    if [c.name for c in entry.columns] != TABLES[name].names:
        return _rewrite(dataset, old, name, entry)
    table = open_table(dataset.table(name))
    active = active_files(table, name) if table else []
    wanted = {f.delta_path: f for f in entry.files if f.delta_path}
    present = {f.path for f in active}
    adopted = []
    for path, file in wanted.items():
        if path in present:
            continue
        target = dataset.table(name) / path
        source = dataset.view(old.version) / file.name
        if not target.exists():  # a vacuum removed the name, the view kept the file
            target.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(source, target)
        span = pc.min_max(pq.read_table(target, columns=[KEYS[name]], partitioning=None).column(0))
        bounds = span["min"].as_py(), span["max"].as_py()
        adopted.append(Written(target, file.rows, file.bytes, file.sha256, *bounds))
    going = tuple(f for f in active if f.path not in wanted)
    return replace(plan_table(dataset, name, (), ()), whole=going, adopted=tuple(adopted))


def _rewrite(dataset: Dataset, old: Manifest, name: str, entry: TableEntry) -> Plan:
    """The old rows under columns that came later."""
    files = [dataset.view(old.version) / f.name for f in entry.files]
    plan = plan_table(dataset, name, (), ALL)
    return replace(plan, rows=lambda: read_rows(files, plan.schema), n_rows=entry.rows, in_order=False)
