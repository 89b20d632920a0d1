"""Bring a dataset back to its last published version after a run that was killed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deltalake import CommitProperties, DeltaTable

from winnow.base.contracts import TABLES
from winnow.publish.dataset import Dataset
from winnow.publish.disk import link_or_copy, point
from winnow.publish.leftovers import drop_torn_commits, remove_leftovers
from winnow.publish.manifest import Manifest
from winnow.publish.tables.delta import MARK, open_table, sync_log

# Commits that leave the rows as they are, by whoever made them.
_NEUTRAL = {
    "OPTIMIZE",
    "VACUUM START",
    "VACUUM END",
    "SET TBLPROPERTIES",
    "UPDATE FIELD METADATA",
    "UPDATE TABLE METADATA",
    "ADD CONSTRAINT",
    "DROP CONSTRAINT",
    "ADD FEATURE",
    "FSCK",
}
_OURS = {"create", "record", "compact", "vacuum", "recovered"}


@dataclass(frozen=True, slots=True)
class Recovered:
    """What `recover` did; all empty after a run that ended well."""

    restored: tuple[str, ...] = ()
    relinked: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    latest: str | None = None


def recover(dataset: Dataset) -> Recovered:
    """Undo what a killed run left half done. Call it first in every run, as the dataset's only writer.

    Tables that are ahead of the last published version go back to it by Delta's own restore, in a new commit: what the
    killed run committed stays in the table's history until a vacuum. What it never committed is removed, with
    half-built views and its folder in staging, and `latest` is pointed to the last version. It may be killed itself at
    any point and called again.
    """
    manifest = dataset.latest_manifest()
    restored: list[str] = []
    torn = drop_torn_commits(dataset)
    relinked = _relink(dataset, manifest) if manifest else []
    for name in TABLES:
        table = open_table(dataset.table(name))
        if table is None:
            continue
        entry = manifest.tables.get(name) if manifest else None
        target = _last_good(table, entry.delta_version if entry else 0)
        if target is not None:
            table.restore(target, commit_properties=CommitProperties(custom_metadata={MARK: "recovered"}))
            sync_log(dataset.table(name))
            restored.append(name)
    removed = [*torn, *remove_leftovers(dataset)]
    latest = _fix_latest(dataset)
    return Recovered(tuple(restored), tuple(relinked), tuple(removed), latest)


def _relink(dataset: Dataset, manifest: Manifest) -> list[str]:
    """Give the tables back what the last view still has of their files."""
    relinked = []
    for name, entry in manifest.tables.items():
        for file in entry.files:
            target = dataset.table(name) / (file.delta_path or "")
            if file.delta_path and not target.exists() and (dataset.view(manifest.version) / file.name).is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                link_or_copy(dataset.view(manifest.version) / file.name, target)
                relinked.append(f"{name}/{file.delta_path}")
    return relinked


def _last_good(table: DeltaTable, base: int) -> int | None:
    """The version to go back to, None where the table stands as it was published.

    Commits after `base`, the published version, are looked at in their order: those that belong to a version
    that never came to be spoil the rows until a restore of ours puts them right.
    """
    behind = table.version() - base
    if behind <= 0:
        return None
    good, spoilt = base, False
    for entry in reversed(table.history(behind)):
        mark = entry.get(MARK)
        if mark == "recovered":
            good, spoilt = entry["version"], False
        elif not spoilt and (mark in _OURS or (mark is None and _is_neutral(entry))):
            good = entry["version"]
        else:
            spoilt = True
    return good if spoilt else None


def _is_neutral(entry: dict[str, Any]) -> bool:
    return entry.get("operation", "").upper() in _NEUTRAL


def _fix_latest(dataset: Dataset) -> str | None:
    """Point `latest` to the last version where it points elsewhere; the new target, None if it was right."""
    number = dataset.latest_version()
    if number is None:
        return None
    target = f"v{number}"
    if dataset.latest.is_symlink() and dataset.latest.readlink().as_posix() == target:
        return None
    point(dataset.latest, target)
    return target
