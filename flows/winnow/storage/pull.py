"""Make the working copy what the store has, without what nobody has asked for yet.

The last version's manifest is fetched, and what may change. A file of rows, a page or a commit that is not here gets a
pointer, and is read from the store by who wants it (`winnow.base.files`); an older version is a pointer in place of its
manifest, until somebody asks for it. Of older versions the store is asked for no more than their numbers, unless the
last writer left something half done, or erased documents. An object counts as the file that a manifest names where it
has its size and the tag under which that file was seen before, by this copy or by the last writer; else it is read
through its checksum, and nothing of it is kept. One that is another file counts as lost.

What stands in the store wins, with two exceptions. Where nobody has written there since, what this copy has besides is
the work of a run that died before it could push, and stays. That somebody has written shows in the commits of the
tables and in the manifests, for every writer adds some. And a version of which the store has lost a part stays here
whole; the next push brings the part back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from winnow.base.disk import beside, exchange, flush, flush_tree, link_or_copy, move, point, remove_any
from winnow.base.errors import DatasetError
from winnow.base.files import in_parallel
from winnow.base.object_store import Entry, Gone, Store
from winnow.base.pointers import MOST_BYTES, Pointer, is_pointer, lay_pointer, read_pointer
from winnow.base.staging import sha256_of
from winnow.publish.dataset import Dataset
from winnow.publish.manifest import MANIFEST, Manifest, read_manifest
from winnow.storage.commit_point import Latest, Seen, look, read_tags
from winnow.storage.lease import is_settled
from winnow.storage.working_copy import (
    COMPARED,
    MAY_CHANGE,
    Listed,
    State,
    WorkingCopy,
    files_here,
    is_folded,
    kind_of,
    listed_files,
    local_names,
    manifest_name,
    version_of,
    whole_views,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreContent(Seen):
    """The store as it was found, without objects that are not what they should be; `winnow.storage.push` goes on.

    ``tags`` are those under which the last writer knew objects, ``listed`` what the manifests say of files, ``local``
    the files of tables and views that this copy has. ``fault``: why the last version cannot be read, neither there nor
    here. ``ahead``: whether this copy has files of tables that the store has not.
    """

    tags: Mapping[str, str]
    listed: Mapping[str, Listed]
    local: Sequence[str]
    fault: str | None = None
    ahead: bool = False

    def with_more(self, more: StoreContent) -> StoreContent:
        """Returns the same with what was found when further versions were laid out."""
        objects, listed = {**more.objects, **self.objects}, {**self.listed, **more.listed}
        return replace(self, objects=objects, listed=listed, unlisted=self.unlisted & more.unlisted)


def pull(
    copy: WorkingCopy, store: Store, state: State, *, writes: bool, whole: bool = False, reset: bool = False
) -> StoreContent:
    """Brings the working copy up to the store, as the only one who touches it; `reset` gives up what is only here.

    Who `writes` goes on from what stands there: objects of the last version of which no tag is known are read through
    their checksums. Another version is a pointer in place of its manifest, until `lay_out`; what this copy has of it is
    compared with the store only where `whole`, and where documents were erased since.
    """

    def once(seen: Seen, leniently: bool) -> StoreContent:
        if state.erasing or _erased_since(state, seen):
            # Before the listing: what an erasure does after it would be missed. Who writes ends one that was killed.
            state.erasing = not writes and not is_settled(store)
            seen = look(store, whole=True)
        return _pull(_Fetch(copy, store, state, seen, leniently), writes, reset)

    return _looking_again(copy, store, state, None, once, whole)


def _erased_since(state: State, seen: Seen) -> bool:
    return any(kind_of(n) == "receipt" and state.tags.get(n, "") != e.tag for n, e in seen.objects.items())


def lay_out(
    copy: WorkingCopy, store: Store, state: State, versions: Collection[int], seen: Seen | None, *, writes: bool
) -> StoreContent:
    """Lays those of the versions out that stand here by their number alone; returns what the store has of all of them.

    It is asked again only where it is not as it was `seen`. Nothing else changes: another process may have come further
    since. A version of which the store has no manifest, nor this copy, is none.
    """

    def once(seen: Seen, leniently: bool) -> StoreContent:
        fetch = _Fetch(copy, store, state, seen.with_views(store, versions), leniently)
        there = {v for v in versions if manifest_name(v) in fetch.objects}
        folded = {v for v in versions if is_folded(copy.root, v)}
        _remove(copy, state, map(manifest_name, folded - there))
        new = folded & there | {v for v in there - folded if not fetch.same_view(v)}
        tags = read_tags(store, fetch.objects, new)
        fetch.find_unsound(listed_files(fetch.manifests(new, new)), tags, writes)
        for version in new:
            fetch.view(version)
        return fetch.content(tags, ())

    return _looking_again(copy, store, state, seen, once)


def _looking_again(
    copy: WorkingCopy,
    store: Store,
    state: State,
    seen: Seen | None,
    once: Callable[[Seen, bool], StoreContent],
    whole: bool = False,
    tries: int = 3,
) -> StoreContent:
    """Returns what `once` gives for what the store has, and saves the state unless another has the copy.

    A reader holds no lease, so an object may go while it fetches; it looks again. What a listing names and nobody has
    at the last of `tries` (`once` is told) is lost, and a version is laid out without it.
    """
    while True:
        tries -= 1
        copy.incoming.mkdir(parents=True, exist_ok=True)
        try:
            return once(seen or look(store, whole), not tries)
        except Gone as error:
            seen = None
            if not tries:
                raise DatasetError(f"{store.address.shown}/{error}: went away while it was read; try again") from error
        finally:
            if not copy.guest:
                copy.save(state)
            remove_any(copy.incoming)


def _pull(fetch: _Fetch, writes: bool, reset: bool) -> StoreContent:
    copy, state, seen = fetch.copy, fetch.state, fetch.seen
    latest, objects = seen.latest, seen.objects
    views = whole_views(objects, latest.version) | seen.unlisted
    there = {n: k for n in objects if (k := kind_of(n)) and (k != "view" or version_of(n) in views)}
    here = dict(local_names(copy.root))
    kept = set(_versions_only_here(copy, state, objects, latest)) - views

    logs = fetch.differing(n for n, k in there.items() if k == "log")
    folded = {v for v in views if is_folded(copy.root, v)}
    stale = [v for v in sorted(views - seen.unlisted - folded) if not fetch.same_view(v)]
    foreign = reset or bool(logs) or any(manifest_name(v) not in state.tags for v in stale)
    # What went from the store since goes here too. First of all: killed after the rest, the next look would find
    # nothing foreign, and take what is left of this copy's own for work that goes on.
    missing = {n for n, k in here.items() if n not in there and k != "receipt" and not seen.is_unlisted(n)}
    gone = {n for n in missing if foreign or n in state.tags}
    # A view goes as a whole, when its manifest has gone; one that lacks an object in the store is sound here.
    old = {n for n, k in here.items() if k == "view" and version_of(n) <= latest.version}
    whole = {n for n, k in here.items() if k == "view" and version_of(n) in views | kept}
    _remove(copy, state, (gone | old) - whole)

    outdated = [n for n, k in there.items() if k in MAY_CHANGE and fetch.is_outdated(n, foreign)]
    notes = {n for n in outdated if kind_of(n) in ("note", "page")}
    hints = {n for n in notes if n.endswith("/_last_checkpoint")}  # its checkpoints are found without
    _remove(copy, state, hints)
    fetch.into_place(n for n in outdated if n not in notes)
    fetch.point_to(notes - hints)
    absent = {v for v in seen.unlisted if not Dataset(copy.root).manifest_path(v).exists()}
    last = views & {latest.version}
    new = last & (folded | {*stale})
    listed = listed_files(fetch.manifests(last | (views - folded - absent - {*stale}), new))
    tags = read_tags(fetch.store, objects, last)
    fetch.find_unsound(listed, tags, writes)
    fetch.point_to(n for n, k in there.items() if k == "data" and not fetch.has_size(n))
    for version in new:
        fetch.view(version)
    for version in sorted(absent.union(stale) - last):
        fetch.fold(version)
    fetch.point_to(sorted(logs))
    local, dropped = fetch.check_pointers()
    # A version that this copy alone has is none where somebody removed files of it that had been sent to the store.
    torn = {v for n in dropped if kind_of(n) == "view" and (v := version_of(n)) > latest.version}
    _remove(copy, state, map(manifest_name, torn))
    local = [n for n in local if kind_of(n) != "view" or version_of(n) not in torn]
    dataset = Dataset(copy.root)
    if latest.version and (dataset.latest_version() or 0) <= latest.version:
        point(dataset.latest, f"v{latest.version}")  # also where it is lost, so that its number is not used again
    elif torn and not latest.version:
        dataset.latest.unlink(missing_ok=True)
    return replace(
        fetch.content(tags, local),
        fault=_fault_of_last(dataset, fetch.store, latest, objects),
        ahead=any(kind_of(n) == "data" for n in missing - gone),
    )


def _versions_only_here(copy: WorkingCopy, state: State, objects: Mapping[str, Entry], latest: Latest) -> Iterator[int]:
    """Yields versions that this copy has from the store, and that the store has in part, or as its last in name only.

    Whoever removes a version removes all of its objects; one that died on the way may find it there again.
    """
    in_part = {version_of(n) for n in objects if kind_of(n) == "view"}
    for number in Dataset(copy.root).version_numbers():
        if is_folded(copy.root, number):
            continue
        name = manifest_name(number)
        is_last = number == latest.version and sha256_of(copy.root / name) == latest.manifest_sha256
        if is_last or (number <= latest.version and number in in_part and name in state.tags):
            yield number


def _fault_of_last(dataset: Dataset, store: Store, latest: Latest, objects: Mapping[str, Entry]) -> str | None:
    name = manifest_name(latest.version)
    if not latest.version or dataset.manifest_path(latest.version).is_file():
        return None
    fault = "was changed in the store, and is no manifest" if name in objects else "is missing in the store"
    return (
        f"{store.address.shown}/{name}: {fault}; the next run restores v{latest.version} from the tables, "
        f"or says how to go back (winnow verify --mend --into {store.address.shown} does no more than that)"
    )


def _remove(copy: WorkingCopy, state: State, names: Iterable[str]) -> None:
    """Remove files; a view as a whole, out of sight first."""
    for name in sorted(names, reverse=True):
        if kind_of(name) == "view":
            folder = copy.root / name.split("/")[0]
            if folder.exists():
                apart = copy.incoming / f"gone-{folder.name}"
                move(folder, apart)
                remove_any(apart)
        else:
            (copy.root / name).unlink(missing_ok=True)
        state.forget(name)


@dataclass(frozen=True, slots=True)
class _Fetch:
    """Compares objects with the copy's files, and fetches what differs."""

    copy: WorkingCopy
    store: Store
    state: State
    seen: Seen
    leniently: bool
    listed: dict[str, Listed] = field(default_factory=dict)
    unsound: set[str] = field(default_factory=set)
    """Objects that are not the files which the manifests name; what stands here is written there again."""

    @property
    def objects(self) -> Mapping[str, Entry]:
        return self.seen.objects

    def content(self, tags: Mapping[str, str], local: Sequence[str]) -> StoreContent:
        """Returns what the store has, but for what is unsound."""
        objects = {n: e for n, e in self.objects.items() if n not in self.unsound}
        latest, unlisted = self.seen.latest, self.seen.unlisted
        return StoreContent(latest, objects, unlisted, tags=tags, listed=self.listed, local=local)

    def has_size(self, name: str) -> bool:
        path = self.copy.root / name
        return path.is_file() and path.stat().st_size == self.objects[name].size

    def differing(self, names: Iterable[str]) -> list[str]:
        """Names whose object is not this copy's file; read where the tag alone does not tell."""
        same_size = {name: self.has_size(name) for name in names}
        differ = [n for n, same in same_size.items() if not same]
        unsure = []
        for name in (n for n, same in same_size.items() if same and self.state.tags.get(n, "") != self.objects[n].tag):
            if not is_pointer(self.copy.root / name):
                unsure.append(name)
            elif name in self.state.tags:
                differ.append(name)
            else:
                self.state.note(name, self.objects[name])
        for name, (content, entry) in zip(unsure, in_parallel(self.store.read, unsure), strict=True):
            if content == (self.copy.root / name).read_bytes():
                self.state.note(name, entry, hashlib.sha256(content).hexdigest())
            else:
                differ.append(name)
        return differ

    def is_outdated(self, name: str, foreign: bool) -> bool:
        """Whether a file that may change is to be fetched: the store's is another, or this copy's is given up."""
        path = self.copy.root / name
        if self.state.tags.get(name, "") != self.objects[name].tag:
            return True
        if not foreign or is_pointer(path):
            return False
        return not (path.is_file() and sha256_of(path) == self.state.hashes.get(name))

    def same_view(self, version: int) -> bool:
        """Whether the copy has this very version; views never change, so the manifest answers for all files."""
        return not self.differing([manifest_name(version)])

    def into_place(self, names: Iterable[str]) -> None:
        """Fetch objects to their files: whole, flushed, then renamed."""

        def fetch(name: str) -> None:
            target = self.copy.root / name
            with beside(target) as apart:
                entry = self.store.fetch(name, apart)
                flush(apart)
            self.state.note(name, entry, sha256_of(target) if kind_of(name) in COMPARED else None)

        in_parallel(fetch, list(names))

    def manifests(self, views: Iterable[int], new: Collection[int]) -> list[Manifest]:
        """Returns the manifests of the store's views that can be read; those of `new` ones are fetched."""

        def read(version: int) -> Manifest | None:
            path = self.copy.root / manifest_name(version)
            if version in new:
                name, path = manifest_name(version), self._new_folder(version) / MANIFEST
                if name not in self.objects or self.store.fetch(name, path).tag != self.objects[name].tag:
                    raise Gone(name)  # it is another since the listing, and so are its files
            with suppress(DatasetError):
                return read_manifest(path)
            return None

        return list(filter(None, in_parallel(read, sorted(views))))

    def _apart(self, version: int) -> Path:
        return self.copy.incoming / f"v{version}"

    def _new_folder(self, version: int) -> Path:
        folder = self._apart(version)
        remove_any(folder)
        folder.mkdir(parents=True)
        return folder

    def find_unsound(self, listed: Mapping[str, Listed], tags: Mapping[str, str], writes: bool) -> None:
        """Finds objects that are other files than the manifests name: by size, by tag, and by checksum in doubt."""
        self.listed.update(listed)
        doubtful = []
        for name, file in listed.items():
            if (entry := self.objects.get(name)) is None:
                continue
            known = self.state.tags.get(name) or tags.get(name)
            if file.bytes not in (None, entry.size):
                self.unsound.add(name)
            elif entry.tag is not None and entry.tag == known:
                self.state.note(name, entry)
            elif known is not None or (writes and (kind_of(name) == "data" or file.bytes is None)):
                doubtful.append(name)
        if writes:  # a view's object of which nothing is known matters where the table's is lost
            lost = {f.sha256 for n, f in listed.items() if kind_of(n) == "data" and not self.is_sound(n)}
            unknown = self.objects.keys() & listed.keys() - self.state.tags.keys() - tags.keys() - self.unsound
            doubtful += sorted(n for n in unknown if kind_of(n) == "view" and listed[n].sha256 in lost)
        for name, sha256 in zip(doubtful, in_parallel(self.store.sha256, doubtful), strict=True):
            if sha256 == listed[name].sha256:
                self.state.note(name, self.objects[name])
            else:
                self.unsound.add(name)

    def is_sound(self, name: str) -> bool:
        return (name in self.objects or self.seen.is_unlisted(name)) and name not in self.unsound

    def point_to(self, names: Iterable[str]) -> None:
        """Puts pointers in the place of what the store has; the few files that are too small for one are fetched."""
        small = [name for name in names if self.is_sound(name) and not self._point(name, self.copy.root / name)]
        self.into_place(small)

    def _point(self, name: str, path: Path) -> bool:
        file, entry = self.listed.get(name), self.objects.get(name)
        size = entry.size if entry else path.stat().st_size if path.exists() else MOST_BYTES
        laid = lay_pointer(path, size, Pointer(name=name, sha256=file.sha256 if file else None))
        if laid and entry:
            self.state.note(name, entry)
        return laid

    def check_pointers(self) -> tuple[list[str], list[str]]:
        """Lets each pointer name an object that is its file; one for which there is none any more goes.

        Returns the files that are whole here, and the pointers that went.
        """
        whole, dropped = [], []
        for name, pointer in files_here(self.copy.root):
            if pointer is None:
                whole.append(name)
            elif not self.is_sound(pointer.name) and not (
                self.is_sound(name) and self._point(name, self.copy.root / name)
            ):
                (self.copy.root / name).unlink()
                dropped.append(name)
        return whole, dropped

    def view(self, version: int) -> None:
        """Lay a version out apart, and rename it into place when it is whole.

        A file that a table has, here or as a pointer, is linked, as publication does it. A manifest that cannot be read
        leaves what this copy has of the version.
        """
        folder = self._apart(version)
        try:
            manifest = read_manifest(folder / MANIFEST)
        except DatasetError:
            if is_folded(self.copy.root, version):
                _remove(self.copy, self.state, [manifest_name(version)])
            return
        shown = f"{self.store.address.shown}/{manifest_name(version)}"

        def lay(name: str) -> None:
            place = f"v{version}/{name}"
            if kind_of(place) != "view":
                raise DatasetError(f"{shown}: names a file outside: {name!r}")
            target = folder / name
            if table := self._table_file(self.listed[place]):
                link_or_copy(table, target)
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            if not self.is_sound(place) or self._point(place, target):
                if place not in self.objects and not self.leniently:
                    raise Gone(place)
                return
            try:
                self.store.fetch(place, target)
            except Gone:
                if not self.leniently:
                    raise
                return
            flush(target)

        rows = (f.name for t in manifest.tables.values() for f in t.files)
        in_parallel(lay, [*rows, *manifest.files])
        flush(folder / MANIFEST)
        self._into_place(version)
        for name in self.objects:
            if name.startswith(f"v{version}/") and name not in self.unsound:
                self.state.note(name, self.objects[name])

    def _table_file(self, file: Listed) -> Path | None:
        """Returns a view's file as its table has it, if it does.

        A pointer from before its version was laid out tells no checksum, and is told.
        """
        name = file.table_name
        if name is None or kind_of(name) != "data" or not (path := self.copy.root / name).is_file():
            return None
        pointer = read_pointer(path)
        if pointer and pointer.sha256 is None and not (self.is_sound(name) and self._point(name, path)):
            return None
        return path if path.stat().st_size == file.bytes and sha256_of(path) == file.sha256 else None

    def fold(self, version: int) -> None:
        """Lets the pointer of its manifest stand for a version."""
        if self._point(manifest_name(version), self._new_folder(version) / MANIFEST):
            self._into_place(version)

    def _into_place(self, version: int) -> None:
        folder, target = self._apart(version), self.copy.root / f"v{version}"
        flush_tree(folder)
        if target.exists() or self.copy.guest:  # what another removes meanwhile must not come back
            exchange(folder, target)
        else:
            move(folder, target)
