"""Bring the working copy's work to the store, so that at any point what stands there is whole.

The order is that of a local publication: files of the tables, commits of the tables, the view, the commit point; and
what was removed goes last. Commits are created only where none of their number stands: of two writers, however it came
to two, one fails there, before it touches a view.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from winnow.base.disk import Checkpoint, no_checkpoint
from winnow.base.errors import DatasetBusy, DatasetDamaged
from winnow.base.files import at_hand, in_parallel, mounted_at
from winnow.base.object_store import Entry, Gone, Store, Taken
from winnow.base.pointers import Pointer, is_pointer, read_pointer
from winnow.base.staging import sha256_of
from winnow.publish.dataset import Dataset
from winnow.publish.manifest import read_manifest
from winnow.publish.mend import readable
from winnow.publish.tables.delta import log_tail
from winnow.storage.commit_point import Latest
from winnow.storage.lease import Lease
from winnow.storage.pull import StoreContent
from winnow.storage.working_copy import (
    COMPARED,
    LATEST,
    MAY_CHANGE,
    Kind,
    Listed,
    State,
    WorkingCopy,
    files_here,
    is_folded,
    kind_of,
    listed_files,
    local_names,
    manifest_name,
    tags_name,
    version_of,
)

_SMALL = 64 << 10  # bytes of a file that is rather sent than copied


class Overtaken(DatasetBusy):
    """Another run wrote there at the same time; what this one did is given up."""


def push(
    copy: WorkingCopy,
    store: Store,
    state: State,
    content: StoreContent,
    lease: Lease,
    checkpoint: Checkpoint = no_checkpoint,
) -> StoreContent:
    """Writes what the working copy has and the store has not; returns what the store holds then.

    `content` is what it held when this lease began, or after the last push. Raises Overtaken where another writer came
    between, and DatasetBusy where the lease is lost.
    """
    work = _Push(copy, store, state, lease, content.unlisted, dict(content.objects), checkpoint)
    tags = content.tags
    try:
        latest = work.all(content.latest)
        tags = work.leave_tags(latest.version, tags)
    except (Taken, Gone) as error:
        raise Overtaken(
            f"{store.address.shown}/{error}: another run wrote there at the same time; its work stands, this run's is "
            "given up. Run again"
        ) from error
    finally:
        copy.save(state)
    local = [name for name, pointer in files_here(copy.root) if pointer is None]
    return StoreContent(latest, work.objects, content.unlisted, tags=tags, listed=work.listed, local=local)


@dataclass(frozen=True, slots=True)
class _Push:
    copy: WorkingCopy
    store: Store
    state: State
    lease: Lease
    unlisted: Collection[int]
    objects: dict[str, Entry]
    checkpoint: Checkpoint
    renewed: set[str] = field(default_factory=set)
    """Logs of which a commit was replaced, as folders."""
    listed: dict[str, Listed] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    """Files that were written, whatever stood there."""

    def all(self, latest: Latest) -> Latest:
        here = dict(local_names(self.copy.root))
        self._know_what_was_sent()
        self.listed.update(listed_files(readable(Dataset(self.copy.root))))
        # First of all: another machine finishes by them what this one may not bring to its end.
        in_parallel(self._put, self._changed(here, "receipt"))
        self.checkpoint("receipts")
        in_parallel(self._put, self._new_data(here))
        self.checkpoint("data")
        commits = self._changed(here, "log")
        self._find_renewed(commits)
        # A checkpoint goes before the log that it sums up: with other commits it would say what no version held.
        self._drop([n for n in self.objects if kind_of(n) == "note" and _log_of(n) in self.renewed])
        # One after the other, each table's in their order: a commit stands on those before it.
        for name in commits:
            self._write_commit(name)
            self.checkpoint("log")
        self._drop([n for n in self._logs() if n not in here and _log_of(n) in self.renewed])
        in_parallel(self._put, self._changed(here, *(kind for kind in MAY_CHANGE if kind != "page")))
        self.checkpoint("side")
        newest = Dataset(self.copy.root).latest_version() or 0
        views = [n for n, k in here.items() if k == "view"]
        known = {v for v in map(version_of, views) if not is_folded(self.copy.root, v)} - set(self.unlisted)
        self._bring_back([n for n in views if version_of(n) <= latest.version and version_of(n) in known])
        for version in range(latest.version + 1, newest + 1):
            self._view(version, [n for n in views if version_of(n) == version])
        if newest > latest.version or (newest == latest.version and self._says_otherwise(latest)):
            latest = self._commit(newest, latest)
            self.checkpoint("latest")
        in_parallel(self._put, self._changed(here, "page"))  # it names the versions that stand there now
        self._remove(here, latest.version)
        return latest

    def _know_what_was_sent(self) -> None:
        """Notes files of tables that went to the store as they were written.

        Raises Taken where another has held the lease since, who may have removed them.
        """
        sent = mounted_at(self.copy.root).sent
        if sent and not self.lease.is_ours():
            raise Taken(min(sent))
        for name, entry in sent.items():
            self._noted(name, entry)

    def _new_data(self, here: Mapping[str, Kind]) -> list[str]:
        """Files that the store has not; by their size, for a data file is whole there or not there."""
        sizes = {n: (self.copy.root / n).stat().st_size for n, k in here.items() if k == "data"}
        return sorted(n for n, size in sizes.items() if n not in self.objects or self.objects[n].size != size)

    def _changed(self, here: Mapping[str, Kind], *kinds: Kind) -> list[str]:
        """Files that the store has not, or has otherwise. What was fetched since the pull is known as it came."""
        fetched = mounted_at(self.copy.root).fetched

        def differs(name: str) -> bool:
            path = self.copy.root / name
            if is_pointer(path):
                return False
            there = self.state.hashes.get(name) or fetched.get(name) or self.store.sha256(name)
            self.state.hashes[name] = there
            return sha256_of(path) != there

        names = sorted(n for n, k in here.items() if k in kinds)
        new = {n for n in names if n not in self.objects}
        others = [n for n in names if n not in new]
        new |= {n for n, differ in zip(others, in_parallel(differs, others), strict=True) if differ}
        return sorted(new)

    def _logs(self) -> list[str]:
        return [n for n in self.objects if kind_of(n) == "log"]

    def _find_renewed(self, commits: Iterable[str]) -> None:
        """Finds logs that were written anew: a commit takes another's place, or one before others.

        A sound log is never shorter here, for a pull brings all of it, if only as pointers.
        """
        last: dict[str, str] = {}
        for name in self._logs():
            last[_log_of(name)] = max(name, last.get(_log_of(name), ""))
        self.renewed.update(_log_of(n) for n in commits if n <= last.get(_log_of(n), ""))

    def _bring_back(self, names: Iterable[str]) -> None:
        """Objects of versions that the store has lost, that were changed there, or that an erasure changed here.

        Each version's manifest goes last. Of one that an erasure changed, all pages go: their sizes may be the same.
        """

        def is_lost(name: str) -> bool:
            there = self.objects.get(name)
            if there is None or there.size != (self.copy.root / name).stat().st_size:
                return True
            if name == manifest_name(version_of(name)) and name not in self.state.tags:
                return True  # the one there could not be read, and this one was restored
            return None not in (there.tag, known := self.state.tags.get(name)) and there.tag != known

        names = list(names)
        renewed = {version_of(n) for n in names if n == manifest_name(version_of(n)) and is_lost(n)}
        lost = [n for n in names if is_lost(n) or (version_of(n) in renewed and not n.endswith(".parquet"))]
        manifests = [n for n in lost if n == manifest_name(version_of(n))]
        for group in ([n for n in lost if n not in manifests], manifests):
            in_parallel(self._put, group)

    def _says_otherwise(self, latest: Latest) -> bool:
        """Whether the commit point is damaged, or means another manifest than the one that was restored."""
        if not latest.version:
            return False
        return latest.fault is not None or latest.manifest_sha256 != sha256_of(
            self.copy.root / manifest_name(latest.version)
        )

    def _put(self, name: str) -> None:
        """Writes an object, whatever stood there."""
        self._write(name, self.store.put)
        if kind_of(name) == "view":
            self.state.note(name, self.objects[name])
        self.sent.add(name)

    def _write(self, name: str, write: Callable[[str, Path], Entry]) -> None:
        self.lease.check()
        path = self.copy.root / name
        pointer = read_pointer(path)
        self._noted(name, self._copied(name, pointer) if pointer else write(name, path))

    def _copied(self, name: str, pointer: Pointer) -> Entry:
        """Lets the store copy an object under the name of a file that is not here. Raises DatasetDamaged for none."""
        same = (n for n, f in self.listed.items() if f.sha256 == pointer.sha256)
        source = next((n for n in (pointer.name, *same) if n != name and n in self.objects), None)
        if source is None:
            raise DatasetDamaged(f"{self.store.address.shown}/{name}: is gone from the store, and no copy is left")
        if not self.store.copy(source, name, replace=True):
            self.store.put(name, at_hand(self.copy.root / name))
        return self.store.entry(name)

    def leave_tags(self, latest: int, known: Mapping[str, str]) -> Mapping[str, str]:
        """Leaves the tags of what this copy knows to be whole, for writers that come to the store without a copy.

        Those of the last version, whose note says `known`, and of the logs; those of others that were changed.
        """
        logs: dict[str, list[str]] = defaultdict(list)
        for name in (n for n in self.objects if kind_of(n) in ("log", "note")):
            logs[_log_of(name)].append(Path(name).name)
        tails = {f"{log}/{file}" for log, files in logs.items() for file in log_tail(files)}
        said: dict[str, str] = {}
        for manifest in readable(Dataset(self.copy.root)):
            version, named = manifest.version, listed_files([manifest]).keys()
            if version != latest and named.isdisjoint(self.sent):
                continue
            names = sorted({*named, *(tails if version == latest else ())} & self.objects.keys())
            tags = {n: str(tag) for n in names if (tag := self.objects[n].tag) and self.state.tags.get(n) == tag}
            said = tags if version == latest else said
            if version != latest or tags != known:
                self.lease.check()
                note = tags_name(version)
                self.objects[note] = self.store.put(note, json.dumps({"tags": tags}).encode())
        return said

    def _write_commit(self, name: str) -> None:
        """A new commit, or one of a log that was damaged in the store: that very object is replaced, and no other."""
        self.lease.check()
        there = self.objects.get(name)
        self._noted(name, self.store.swap(name, (self.copy.root / name).read_bytes(), there.tag if there else None))

    def _noted(self, name: str, entry: Entry) -> None:
        self.objects[name] = entry
        if kind_of(name) != "view":  # a view is nothing before ``latest.json`` names it
            path = self.copy.root / name
            self.state.note(name, entry, sha256_of(path) if kind_of(name) in COMPARED else None)

    def _view(self, version: int, names: list[str]) -> None:
        """A view: copies of the tables' objects where the bytes are the same, its manifest last."""
        self.lease.check()
        left = [n for n in self.objects if kind_of(n) == "view" and version_of(n) == version]
        self._drop(left)  # of a push that died
        last = manifest_name(version)

        def lay(name: str) -> None:
            self.lease.check()
            if not self._copy_from_table(name):
                self._write(name, self.store.swap)

        in_parallel(lay, [n for n in names if n != last])
        if any(self.objects[n].tag is None for n in names if n != last):  # the store tells no tag when it copies
            self.objects.update(self.store.entries(f"v{version}"))
        self.checkpoint("view")
        self._write(last, self.store.swap)
        self.checkpoint("manifest")

    def _copy_from_table(self, name: str) -> bool:
        """Lets the store copy a table's object to a view; false where it has none, cannot, or sending takes less."""
        file = self.listed.get(name)
        if not file or not file.table_name or not (source := self.objects.get(file.table_name)):
            return False
        small = source.size <= _SMALL and not is_pointer(self.copy.root / name)  # a copy takes three requests
        if small or source.size != file.bytes:
            return False
        try:
            copied = self.store.copy(file.table_name, name)
        except Taken:
            # Perhaps our own, and the answer was lost; then it is the file that the manifest means.
            if self.store.sha256(name) != file.sha256:
                raise
            copied = True
        if copied:
            self.objects[name] = Entry(source.size, None)
        return copied

    def _commit(self, version: int, latest: Latest) -> Latest:
        self.lease.check()
        manifest = self.copy.root / manifest_name(version)
        sha256 = sha256_of(manifest)
        said = {"version": version, "run_id": read_manifest(manifest).run_id, "manifest_sha256": sha256}
        entry = self.store.swap(LATEST, (json.dumps(said, indent=2) + "\n").encode(), latest.tag)
        for name in self.objects:
            if kind_of(name) == "view" and version_of(name) > latest.version:
                self.state.note(name, self.objects[name])
        return Latest(version=version, tag=entry.tag, manifest_sha256=sha256)

    def _remove(self, here: Mapping[str, Kind], latest: int) -> None:
        """What went from the working copy goes from the store; of a view the manifest first, so that it counts no more.

        Commits never go: they are the tables' history, and by them another copy sees that somebody has written. A
        version whose manifest is damaged there, and that this copy never had, stays for who has it.
        """
        whole = {v for n, k in here.items() if k == "view" and not is_folded(self.copy.root, v := version_of(n))}
        gone: dict[str, list[str]] = {"manifest": [], "view": [], "rest": []}
        for name in self.objects.keys() - here.keys():
            kind = kind_of(name)
            if kind in ("data", "side"):
                gone["rest"].append(name)
            elif kind == "view" and (version_of(name) in whole or not self._is_unknown(version_of(name))):
                gone["manifest" if name == manifest_name(version_of(name)) else "view"].append(name)
                if name in gone["manifest"] and (note := tags_name(version_of(name))) in self.objects:
                    gone["rest"].append(note)
        for names in filter(None, gone.values()):
            self._drop(sorted(names))
            self.checkpoint("removed")

    def _drop(self, names: list[str]) -> None:
        if not names:
            return
        self.lease.check()
        self.store.remove(names)
        for name in names:
            self.objects.pop(name, None)
            self.state.forget(name)

    def _is_unknown(self, version: int) -> bool:
        """Whether a version stands in the store under a manifest that this copy does not know, or has not read."""
        name = manifest_name(version)
        return name in self.objects and (name not in self.state.tags or is_folded(self.copy.root, version))


def _log_of(name: str) -> str:
    return name.rpartition("/")[0]
