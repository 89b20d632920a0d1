"""What a `Dataset` on object storage does besides: pull before it is read or written, push after, check the objects."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import disk_usage
from uuid import uuid4

from winnow.base.disk import Checkpoint, no_checkpoint
from winnow.base.environment import cache_bytes
from winnow.base.errors import DatasetDamaged, DatasetError, WinnowError
from winnow.base.files import in_parallel, mount, mounted_at
from winnow.base.mounted import STAGING, Mount
from winnow.base.object_store import Entry, Gone, Store
from winnow.base.pointers import Pointer, is_pointer, lay_pointer
from winnow.base.staging import sha256_of
from winnow.publish.dataset import WORK, Dataset, Problem, Remote, Writer
from winnow.publish.tables.delta import LOG, log_tail
from winnow.storage import lease
from winnow.storage.commit_point import Latest, fence, read_latest
from winnow.storage.pull import StoreContent, lay_out, pull
from winnow.storage.push import Overtaken, push
from winnow.storage.working_copy import (
    LATEST,
    State,
    WorkingCopy,
    is_folded,
    kind_of,
    listed_files,
    manifest_name,
    version_of,
    whole_views,
)


@dataclass(slots=True)
class ObjectStoreRemote(Remote):
    """The store behind a working copy.

    ``published`` is the last version that counts, as of the last pull; None while this process writes. A version that
    the working copy alone has, for its push died, is no version to a reader. ``content`` is what is known of the store.
    """

    copy: WorkingCopy
    published: int | None = 0
    settled: bool = False
    thorough: bool = False
    content: StoreContent | None = None
    session: State | None = None
    lease_seconds: float = lease.SECONDS
    checkpoint: Checkpoint = no_checkpoint

    @property
    def shown(self) -> str:
        return self.copy.address.shown

    @property
    def store(self) -> Store:
        return Store(self.copy.address)

    @property
    def mount(self) -> Mount:
        """The copy's folder, whose files stand for objects of the address."""
        return Mount(root=self.copy.root, address=self.copy.address)

    def pull(self) -> None:
        """Brings the working copy up to date for reading; while a run of this machine writes, it stays as it is.

        Raises DatasetDamaged where the last version is lost: an older one in its place would be read as the last.
        """
        copy, store = self.copy, self.store
        mount(self.mount)
        with copy.reading() as free:
            if free:
                self.content = content = pull(copy, store, state := copy.state(), writes=False)
                self._keep_room(state, content)
                if content.fault:
                    raise DatasetDamaged(content.fault)
                self.published = content.latest.version
            else:
                self.published = read_latest(store).version

    def lay_out(self, versions: Iterable[int]) -> None:
        """Brings the manifests of versions, and pointers for their files, where nobody here has asked for them yet."""
        seen = self.content
        unlisted = seen.unlisted if seen and self.session else ()  # who writes has to know of what it may change
        new = [v for v in versions if v in unlisted or is_folded(self.copy.root, v)]
        if not new:
            return
        copy, store = self.copy, self.store
        if self.session:
            more = lay_out(copy, store, self.session, new, seen, writes=True)
        else:
            with copy.reading() as free:  # else a run of this machine has the copy
                mine = copy if free else replace(copy, guest=f"-{uuid4().hex}")
                more = lay_out(mine, store, copy.state(), new, seen, writes=False)
        self.content = seen.with_more(more) if seen else more
        mounted_at(copy.root).know(_sizes(more))

    def sound_end(self, table: str) -> int | None:
        """Returns the last commit of a table's log where nobody changed it since the last writer, nor is it here."""
        if not self.content:
            return None
        log, objects, tags = f"tables/{table}/{LOG}", self.content.objects, self.content.tags
        tail = log_tail(path.name for path in (self.copy.root / log).glob("*"))
        for name in (f"{log}/{file}" for file in tail):
            known = name in objects and name in tags and objects[name].tag == tags[name]
            if not known or not is_pointer(self.copy.root / name):
                return None
        return max((int(file[:20]) for file in tail), default=None)

    def stored_bytes(self) -> int:
        """Returns how many bytes the objects of the address have."""
        return sum(entry.size for entry in self.store.entries().values())

    @contextmanager
    def writing(self, root: Path, run_id: str, wait_seconds: float) -> Iterator[None]:
        """Holds the lease and the newest state, and push what the body did; the caller holds the copy's file lock.

        A body that fails pushes nothing: what it left is here for the next run, as on a file system. Raises DatasetBusy
        naming the holder, or saying that another run came first; the copy is then what the store has.
        """
        copy, store = self.copy, self.store
        assert copy.root == root
        with (
            lease.hold(store, run_id, copy.lasting_id(), wait_seconds, self.lease_seconds) as held,
            copy.pulling(run_id),
        ):
            state = copy.state()
            if held.overtook:  # its last holder may be asleep, and not dead
                fence(store, run_id)
            mount(self.mount)
            settled = held.settled and not self.thorough
            content = pull(copy, store, state, writes=True, whole=not settled)
            self.settled, self.published = settled and not content.ahead, None
            self.content, self.session = content, state
            staged = [name for name in content.objects if name.startswith(f"{STAGING}/") and not kind_of(name)]
            # What a killed run exchanged with its workers goes; its finished shards stay for the next one.
            store.remove([name for name in staged if name.startswith(f"{STAGING}/{WORK}")])
            self._keep_room(state, content, writes=True)
            try:
                # One whose push died is whole, so it goes first.
                if (Dataset(root).latest_version() or 0) > content.latest.version:
                    self.content = push(copy, store, state, content, held, self.checkpoint)
                yield
                self.content = content = push(copy, store, state, self.content, held, self.checkpoint)
                held.settled = self.settled
                if not any(path.is_file() for path in Dataset(root).staging.rglob("*")):  # published, or erased
                    store.remove(staged)
                self._keep_room(state, content)
            except Overtaken:
                with suppress(WinnowError):
                    self.content = pull(copy, store, state, writes=True, reset=True)
                raise
            finally:
                self.session, self.published = None, self.content.latest.version

    def _keep_room(self, state: State, content: StoreContent, writes: bool = False) -> None:
        room = make_room(self.copy, state, content)
        mounted_at(self.copy.root).look_again(room, writes, _sizes(content))

    def writer(self) -> Writer | None:
        """Returns who holds the lease, None where nobody does."""
        return lease.holder(self.store)

    def verify(self, version: int | None = None) -> list[Problem]:
        """Returns what is wrong with the objects themselves; the working copy is checked as any dataset."""
        copy, store = self.copy, self.store
        dataset = Dataset(copy.root, self)
        dataset.lay_out(dataset.version_numbers() if version is None else [version])
        with copy.reading() as free:
            if not free:
                raise DatasetError(f"{self.shown}: a run of this machine is writing; verify when it has finished")
            return _check_objects(copy, store, version)


def _sizes(content: StoreContent) -> dict[str, Entry]:
    """What rows and pages have for sizes is known from the listing, so that nobody asks for it."""
    return {n: e for n, e in content.objects.items() if kind_of(n) in ("data", "view")}


def make_room(copy: WorkingCopy, state: State, content: StoreContent) -> int:
    """Puts pointers in the place of files that were not read for the longest time, until the rest is within the bound.

    Returns how many bytes more may be kept. A file goes that the store is known to have, with all of its names: rows by
    their name, which no other rows ever had, pages and logs by their checksum. Manifests stay.
    """
    names: dict[int, list[str]] = defaultdict(list)
    seen: dict[int, os.stat_result] = {}
    for name in content.local:
        stat = (copy.root / name).stat()
        names[stat.st_ino].append(name)
        seen[stat.st_ino] = stat
    room = cache_bytes() - sum(s.st_size for s in seen.values())
    for number, stat in sorted(seen.items(), key=lambda file: max(file[1].st_atime, file[1].st_mtime)):
        if room >= 0:
            break
        there = [
            n for n in sorted(names[number])
            if (content.is_unlisted(n) and n in state.tags) or (n in content.objects
            and content.objects[n].size == stat.st_size and content.objects[n].tag is not None
            and content.objects[n].tag == state.tags.get(n))
        ]  # fmt: skip
        if there and (sha256 := _sum_in_store(copy, state, content, there[0])):
            pointer = Pointer(name=there[0], sha256=sha256)
            if all(lay_pointer(copy.root / n, stat.st_size, pointer) for n in names[number]):
                room += stat.st_size
    return max(0, min(room, disk_usage(copy.root.parent).free // 2))  # what else is written there needs room too


def _sum_in_store(copy: WorkingCopy, state: State, content: StoreContent, name: str) -> str | None:
    """SHA-256 (hex) of a file as the store has it; None where the one here may be another."""
    listed = content.listed.get(name)
    known = listed.sha256 if listed else state.hashes.get(name)
    if listed and listed.bytes is not None:
        return known
    found = sha256_of(copy.root / name)
    return found if kind_of(name) == "data" or found == known else None


def _check_objects(copy: WorkingCopy, store: Store, version: int | None) -> list[Problem]:
    """Hashes every object of one version, or of all of them and the tables if None, against the manifests.

    Every byte is fetched, and none is kept. What no manifest lists (commits, files of a table that no version has) is
    compared with the working copy.
    """
    latest = read_latest(store)
    objects = store.entries()
    dataset = Dataset(copy.root)
    here = {n for n in dataset.version_numbers() if n <= latest.version and version in (None, n)}
    whole = whole_views(objects, latest.version)
    wanted = {manifest_name(number): sha256_of(dataset.manifest_path(number)) for number in here}
    # A vacuum may have removed the table's own; the view then has the only one.
    listed = listed_files(dataset.manifest(number) for number in here)
    wanted |= {n: file.sha256 for n, file in listed.items() if n.startswith("v") or n in objects}
    tables = [n for n in objects if kind_of(n) in ("data", "log") and n not in wanted]
    wanted |= {n: sha256_of(p) for n in tables if (p := copy.root / n).is_file() and not is_pointer(p)}
    asked = {n: s for n, s in wanted.items() if version is None or n.startswith(f"v{version}/")}

    def look(name: str) -> Iterator[Problem]:
        number = version_of(name) if kind_of(name) == "view" else None
        try:
            found = store.sha256(name)
        except Gone:
            yield Problem(number, name, "is missing in the store")
            return
        if found != asked[name]:
            yield Problem(number, name, f"was changed in the store: SHA-256 is {found}, not {asked[name]}")

    problems = [problem for found in in_parallel(lambda n: list(look(n)), sorted(asked)) for problem in found]
    strangers = _strangers(objects, wanted, version, latest.version)
    unreadable = [
        Problem(n, manifest_name(n), "was changed in the store, and is no manifest; put it back, or remove the version")
        for n in sorted(whole - here) if version in (None, n)
    ]  # fmt: skip
    return [*problems, *unreadable, *strangers, *(_commit_point(latest, whole) if version is None else ())]


def _strangers(
    objects: Mapping[str, Entry], wanted: Mapping[str, str], version: int | None, latest: int
) -> Iterator[Problem]:
    """Objects in a view that its manifest does not list: a reader of the prefix would take their rows for ours."""
    for name in sorted(objects):
        if kind_of(name) == "view" and version_of(name) <= latest and name not in wanted:
            number = version_of(name)
            if version in (None, number) and manifest_name(number) in wanted:
                yield Problem(number, name, "is not in the manifest")


def _commit_point(latest: Latest, whole: Collection[int]) -> Iterator[Problem]:
    if latest.fault:
        yield Problem(None, LATEST, f"{latest.fault}; the next run writes it anew, for v{latest.version}")
    elif latest.version and latest.version not in whole:
        yield Problem(None, LATEST, f"names v{latest.version}, which is not there")
