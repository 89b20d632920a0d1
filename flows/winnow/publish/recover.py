"""Bring a dataset back to its last published version after damage, or a run that was killed.

Beside half-done versions such a run leaves files that no commit names, and a power loss leaves commits cut short.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deltalake import CommitProperties, DeltaTable

from winnow.base.contracts import TABLES
from winnow.base.disk import flush, point, remove_any
from winnow.base.files import at_hand
from winnow.publish.dataset import WORK, Dataset
from winnow.publish.manifest import Manifest
from winnow.publish.mend import PageMaker, is_whole, mend, prepare_to_mend, published_commit, readable
from winnow.publish.proof import Sums
from winnow.publish.tables.delta import (
    LOG,
    PURPOSE,
    active_files,
    bring_log,
    fault_of,
    flush_log,
    is_ours,
    is_whole_commit,
    last_commit,
    open_table,
    recorded_sums,
)

# Commits that leave the rows as they are, by whoever made them.
_NEUTRAL = {
    "OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES", "UPDATE FIELD METADATA", "UPDATE TABLE METADATA",
    "ADD CONSTRAINT", "DROP CONSTRAINT", "ADD FEATURE", "FSCK",
}  # fmt: skip
_OURS = {"create", "record", "compact", "vacuum", "recovered"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What `recover` did; all empty after a run that ended well. ``mended`` says what damage was undone."""

    restored: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    latest: str | None = None


def recover(dataset: Dataset, page_of: PageMaker | None = None, to_go_back: bool = False) -> Recovered:
    """Undoes damage, and what a killed run left half done. Call it first in every run, as the dataset's only writer.

    What was lost or changed since the last version is restored first (see `winnow.publish.mend`); `page_of` draws
    reports again. Raises DatasetDamaged where the last version cannot be restored; a rollback (`to_go_back`) does
    without it, and what is left of it is set aside.

    Tables that are ahead of the last published version go back to it by Delta's own restore, in a new commit: what the
    killed run committed stays in the table's history until a vacuum. What it never committed is removed, with
    half-built views and its folder in staging, and `latest` is pointed to the last version. It may be killed itself at
    any point and called again.
    """
    mended = prepare_to_mend(dataset, to_go_back)
    manifest = dataset.latest_manifest()
    torn = drop_torn_commits(dataset, manifest)
    whole = manifest is not None and dataset.is_settled and is_whole(dataset, manifest)
    manifests = None if whole else list(readable(dataset))
    if manifests is not None:
        mended += mend(dataset, manifests, page_of, to_go_back)
    restored: list[str] = []
    for name in TABLES:
        folder, base = dataset.table(name), published_commit(manifest, name)
        as_published = dataset.sound_end(name) == base or (not to_go_back and last_commit(folder) == base)
        table = None if as_published else open_table(folder)
        if table is None:
            continue
        if to_go_back and name == "runs" and manifest and (older := _whole_runs(dataset, manifest, manifests or ())):
            base = published_commit(older, name)
            mended.append(f"tables/{name}: lacks rows of v{manifest.version}; stands as v{older.version} left it")
        bring_log(folder, since=base + 1)
        target = _last_good(table, base)
        stands = table if target is None else open_table(folder, target)
        for file, what in _unsound(folder, stands, manifest, base):
            target = base
            mended.append(f"tables/{name}/{file}: {what}; the table stands as the last version left it")
        if target is not None:
            bring_log(folder, at=target)
            table.restore(target, commit_properties=CommitProperties(custom_metadata={PURPOSE: "recovered"}))
            flush_log(folder)
            restored.append(name)
    removed = [*torn, *_remove_leftovers(dataset, manifests)]
    latest = None if to_go_back else _fix_latest(dataset)
    if dataset.remote:
        dataset.remote.settled = True
    return Recovered(restored=tuple(restored), mended=tuple(mended), removed=tuple(removed), latest=latest)


def _last_good(table: DeltaTable, base: int) -> int | None:
    """Returns the version to go back to, None where the table stands as it was published.

    Commits after `base`, the published version, are looked at in their order: those that belong to a version
    that never came to be spoil the rows until a restore of ours puts them right.
    """
    behind = table.version() - base
    if behind <= 0:
        return None
    good, spoilt = base, False
    for entry in reversed(table.history(behind)):
        mark = entry.get(PURPOSE)
        if mark == "recovered":
            good, spoilt = entry["version"], False
        elif not spoilt and (mark in _OURS or (mark is None and _is_neutral(entry))):
            good = entry["version"]
        else:
            spoilt = True
    return good if spoilt else None


def _unsound(folder: Path, table: DeltaTable | None, manifest: Manifest | None, base: int) -> Iterator[tuple[str, str]]:
    """Yields the files that a table got after commit `base` and that are not as they were written, and what is wrong.

    The manifest does not name them, nor has a view a name of theirs: upkeep joined them, or a run was held back.
    """
    if table is None or table.version() <= base:
        return
    named = manifest.tables[folder.name].files if manifest and folder.name in manifest.tables else ()
    known, sums = {f.delta_path for f in named}, recorded_sums(table, base)
    for file in active_files(table, folder.name):
        if file.name not in known and (what := fault_of(folder / file.name, file, sums.get(file.name))):
            yield file.name, what


def _whole_runs(dataset: Dataset, last: Manifest, manifests: Sequence[Manifest]) -> Manifest | None:
    """Returns the newest version whose rows of table ``runs`` are whole; None where the last one's are."""
    sums = Sums()
    for manifest in reversed(manifests):
        files = manifest.tables["runs"].files if "runs" in manifest.tables else ()
        if all(sums.fits(dataset.table("runs") / f.delta_path, f) for f in files if f.delta_path):
            return None if manifest.version == last.version else manifest
    return None


def _is_neutral(entry: dict[str, Any]) -> bool:
    return entry.get("operation", "").upper() in _NEUTRAL


def _fix_latest(dataset: Dataset) -> str | None:
    """Points `latest` to the last version; returns the new target, None if it was right."""
    number = dataset.latest_version()
    if number is None:
        return None
    target = f"v{number}"
    if dataset.latest.is_symlink() and dataset.latest.readlink().as_posix() == target:
        return None
    point(dataset.latest, target)
    return target


def _remove_leftovers(dataset: Dataset, manifests: Sequence[Manifest] | None) -> list[str]:
    """Removes half-built views, folders of runs, and files that never became part of a table; returns their names.

    Torn commits must have gone before. Without `manifests` there are no such files: who wrote last left nothing.
    """
    removed = []
    if dataset.building.is_dir():
        for leftover in sorted(dataset.building.iterdir()):
            remove_any(leftover)
            removed.append(leftover.name)
    for folder in sorted(dataset.staging.glob(f"{WORK}*")):
        remove_any(folder)
        removed.append(folder.name)
    dataset.latest.with_name(f".{dataset.latest.name}.new").unlink(missing_ok=True)
    for page in dataset.root.glob(f".{dataset.index_page.name}.*.tmp"):
        page.unlink()
    for name in TABLES if manifests is not None else ():
        for path in _never_committed(dataset.table(name), manifests or ()):
            path.unlink()
            removed.append(f"{name}/{path.name}")
    return removed


def _never_committed(folder: Path, manifests: Sequence[Manifest]) -> Iterator[Path]:
    """Yields files of the table in `folder` that no commit ever named; other writers' files are theirs."""
    known = {f.delta_path for m in manifests if folder.name in m.tables for f in m.tables[folder.name].files}
    unknown = [p for p in sorted(folder.glob("*.parquet")) if p.name not in known and is_ours(p.name)]
    if unknown:  # reading the whole log is for these alone
        bring_log(folder, since=0)
        known |= set(_ever_added(folder / LOG))
    yield from (p for p in unknown if p.name not in known)
    # A commit takes its number by a link or a rename; killed before that, it leaves the file it came from.
    yield from sorted((folder / LOG).glob("_commit_*.tmp"))


def _ever_added(log: Path) -> Iterator[str]:
    for path in log.glob("*.json"):
        for line in path.read_bytes().splitlines():
            action = json.loads(line)
            if "add" in action:
                yield action["add"]["path"]


def drop_torn_commits(dataset: Dataset, manifest: Manifest | None) -> list[str]:
    """Takes away newest commits that hold no JSON, as a power loss leaves them that came before they were flushed.

    Only commits after the last version, whose `manifest` it is: that one was flushed before it was named, and anything
    else is for `verify`. Returns the files' names, ``table/file``.
    """
    dropped = []
    for name in TABLES:
        log = dataset.table(name) / LOG
        base = published_commit(manifest, name) if manifest and name in manifest.tables else -1
        # From the newest on: a commit that is whole was built on those before it.
        for path in sorted(log.glob("[0-9]*.json"), reverse=True):
            if int(path.stem) <= base or not path.is_file() or is_whole_commit(at_hand(path)):
                break
            path.unlink()
            flush(log)
            dropped.append(f"{name}/{path.name}")
    return dropped
