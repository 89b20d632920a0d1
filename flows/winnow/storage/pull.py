"""Make the working copy what the store has.

What stands in the store wins, with one exception: where nobody has written there since, what this copy has besides is
the work of a run that died before it could push, and stays. That somebody has written shows in the commits of the
tables and in the manifests, for every writer adds some.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from winnow.base.errors import DatasetBusy, DatasetError
from winnow.base.staging import flush, sha256_of
from winnow.publish.dataset import Dataset
from winnow.publish.disk import flush_tree, link_or_copy, move, point, remove_tree
from winnow.publish.manifest import MANIFEST, Manifest, read_manifest
from winnow.storage.object_store import Entry, Gone, Store, Taken
from winnow.storage.working_copy import (
    LATEST,
    MAY_CHANGE,
    State,
    WorkingCopy,
    kind_of,
    local_names,
    manifest_name,
    version_of,
    whole_views,
)

PARALLEL = 8  # transfers at once; they wait for the network, not for a core


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """What ``latest.json`` says; version 0 before the first, where there is no such object and so no tag."""

    version: int = 0
    tag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreContent:
    """The store as it was found: the commit point and every object. `winnow.storage.push` goes on from it."""

    latest: Latest
    objects: Mapping[str, Entry]


def read_latest(store: Store) -> Latest:
    """Returns the commit point. Raises DatasetError where it cannot be read."""
    try:
        content, entry = store.read(LATEST)
    except Gone:
        return Latest()
    try:
        return Latest(version=int(json.loads(content)["version"]), tag=entry.tag)
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{store.address.shown}/{LATEST}: names no version; another program wrote it") from error


def fence(store: Store, run_id: str) -> None:
    """Writes the commit point anew, saying the same: who read it before, and lost its lease since, cannot replace it.

    Raises DatasetBusy where another writer came between.
    """
    latest = read_latest(store)
    try:
        said = json.loads(store.read(LATEST)[0]) if latest.tag else {"version": 0}
        store.swap(LATEST, (json.dumps({**said, "taken_over_by": run_id}, indent=2) + "\n").encode(), latest.tag)
    except (Taken, Gone) as error:
        raise DatasetBusy(f"{store.address.shown}: another run is writing; wait and run again") from error


def pull(copy: WorkingCopy, store: Store, state: State, reset: bool = False, tries: int = 3) -> StoreContent:
    """Brings the working copy up to the store, as the only one who touches it; `reset` gives up what is only here.

    A reader holds no lease, so an object may go while it fetches; it looks again, and after `tries` times gives up.
    """
    while True:
        tries -= 1
        try:
            return _pull(copy, store, state, reset)
        except Gone as error:
            if not tries:
                raise DatasetError(f"{store.address.shown}/{error}: went away while it was read; try again") from error
        finally:
            copy.save(state)
            remove_tree(copy.incoming)


def _pull(copy: WorkingCopy, store: Store, state: State, reset: bool) -> StoreContent:
    latest = read_latest(store)  # first: what it names is in the listing that follows
    objects = store.entries()
    views = whole_views(objects, latest.version)
    there = {n: k for n in objects if (k := kind_of(n)) and (k != "view" or version_of(n) in views)}
    here = dict(local_names(copy.root))
    copy.incoming.mkdir(parents=True, exist_ok=True)
    fetch = _Fetch(copy, store, state, objects)

    logs = fetch.differing(n for n, k in there.items() if k == "log")
    stale = [v for v in sorted(views) if not fetch.same_view(v)]
    foreign = reset or bool(logs) or any(manifest_name(v) not in state.tags for v in stale)
    # What went from the store since goes here too. First of all: killed after the rest, the next look would find
    # nothing foreign, and take what is left of this copy's own for work that goes on.
    gone = {n for n in here if n not in there and (foreign or n in state.tags)}
    # A view goes as a whole, when its manifest has gone; one that lacks an object in the store is sound here.
    old = {n for n, k in here.items() if k == "view" and version_of(n) <= latest.version}
    whole = {n for n, k in here.items() if k == "view" and version_of(n) in views}
    _remove(copy, state, (gone | old) - whole)

    data = [n for n, k in there.items() if k == "data" and not fetch.has_size(n)]
    fetch.into_place([*data, *(n for n, k in there.items() if k in MAY_CHANGE and fetch.is_outdated(n, foreign))])
    for version in stale:
        fetch.view(version)
    fetch.into_place(sorted(logs))
    dataset = Dataset(copy.root)
    if views and dataset.latest_version() == max(views):
        point(dataset.latest, f"v{max(views)}")
    return StoreContent(latest=latest, objects=objects)


def _remove(copy: WorkingCopy, state: State, names: Iterable[str]) -> None:
    """Remove files; a view as a whole, out of sight first."""
    for name in sorted(names, reverse=True):
        if kind_of(name) == "view":
            folder = copy.root / name.split("/")[0]
            if folder.exists():
                apart = copy.incoming / f"gone-{folder.name}"
                move(folder, apart)
                remove_tree(apart)
        else:
            (copy.root / name).unlink(missing_ok=True)
        state.forget(name)


@dataclass(frozen=True, slots=True)
class _Fetch:
    """Compares objects with the copy's files, and fetches what differs."""

    copy: WorkingCopy
    store: Store
    state: State
    objects: Mapping[str, Entry]

    def has_size(self, name: str) -> bool:
        path = self.copy.root / name
        return path.is_file() and path.stat().st_size == self.objects[name].size

    def differing(self, names: Iterable[str]) -> list[str]:
        """Names whose object is not this copy's file; read where the tag alone does not tell."""
        same_size = {name: self.has_size(name) for name in names}
        differ = [n for n, same in same_size.items() if not same]
        unsure = [n for n, same in same_size.items() if same and self.state.tags.get(n, "") != self.objects[n].tag]
        with ThreadPoolExecutor(PARALLEL) as pool:
            for name, (content, entry) in zip(unsure, pool.map(self.store.read, unsure), strict=True):
                if content == (self.copy.root / name).read_bytes():
                    self.state.note(name, entry)
                else:
                    differ.append(name)
        return differ

    def is_outdated(self, name: str, foreign: bool) -> bool:
        """Whether a file that may change is to be fetched: the store's is another, or this copy's is given up."""
        path = self.copy.root / name
        if self.state.tags.get(name, "") != self.objects[name].tag:
            return True
        return foreign and not (path.is_file() and sha256_of(path) == self.state.hashes.get(name))

    def same_view(self, version: int) -> bool:
        """Whether the copy has this very version; views never change, so the manifest answers for all files."""
        return not self.differing([manifest_name(version)])

    def into_place(self, names: Iterable[str]) -> None:
        """Fetch objects to their files: whole, flushed, then renamed."""

        def fetch(numbered: tuple[int, str]) -> None:
            number, name = numbered
            apart, target = self.copy.incoming / f"{number}.part", self.copy.root / name
            entry = self.store.fetch(name, apart)
            flush(apart)
            target.parent.mkdir(parents=True, exist_ok=True)
            apart.replace(target)
            self.state.note(name, entry, sha256_of(target) if kind_of(name) in MAY_CHANGE else None)

        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(fetch, enumerate(names)))

    def view(self, version: int) -> None:
        """Lay a version out apart, and rename it into place when it is whole.

        A file that a table still has is linked, as publication does it; the rest is fetched.
        """
        folder = self.copy.incoming / f"v{version}"
        remove_tree(folder)
        folder.mkdir(parents=True)
        shown = f"{self.store.address.shown}/{manifest_name(version)}"
        entry = self.store.fetch(manifest_name(version), folder / MANIFEST)
        try:
            manifest = read_manifest(folder / MANIFEST)
        except DatasetError as error:
            raise DatasetError(
                f"{shown}: was changed in the store, and is no manifest; put it back from a copy, or remove the version"
            ) from error
        tables = _table_files(self.copy.root, manifest)

        def lay(name: str) -> None:
            if kind_of(f"v{version}/{name}") != "view":
                raise DatasetError(f"{shown}: names a file outside: {name!r}")
            target = folder / name
            if name in tables:
                link_or_copy(tables[name], target)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                self.store.fetch(f"v{version}/{name}", target)
                flush(target)

        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(lay, [*(f.name for t in manifest.tables.values() for f in t.files), *manifest.files]))
        flush(folder / MANIFEST)
        flush_tree(folder)
        target = self.copy.root / f"v{version}"
        if target.exists():
            move(target, self.copy.incoming / f"old-v{version}")
        move(folder, target)
        for name in self.objects:
            if name.startswith(f"v{version}/"):
                self.state.note(name, self.objects[name])
        self.state.note(manifest_name(version), entry)


def _table_files(root: Path, manifest: Manifest) -> dict[str, Path]:
    """Returns the files of a view that the tables have, by their name in the view."""
    found = {}
    for table, entry in manifest.tables.items():
        for file in entry.files:
            name = f"tables/{table}/{file.delta_path}"
            path = root / name
            if kind_of(name) == "data" and path.is_file() and path.stat().st_size == file.bytes:
                found[file.name] = path
    return found
