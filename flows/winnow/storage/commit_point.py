"""What the store says of itself: the commit point, its objects, and the tags that the last writer left."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from winnow.base.errors import DatasetBusy
from winnow.base.files import in_parallel
from winnow.base.object_store import Entry, Gone, Store, Taken
from winnow.storage.working_copy import LATEST, kind_of, tags_name, version_of, whole_views

_FEW = 8  # views that are listed one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """What ``latest.json`` says; version 0 before the first, where there is no such object and so no tag.

    ``fault``: why the object does not say it, and the newest whole version is taken in its place.
    """

    version: int = 0
    tag: str | None = None
    manifest_sha256: str | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store said of itself: the commit point, and objects: all but those of `unlisted` versions.

    Of these no more is known than that objects of theirs are there.
    """

    latest: Latest
    objects: Mapping[str, Entry]
    unlisted: frozenset[int] = frozenset()

    def is_unlisted(self, name: str) -> bool:
        """Whether nothing is known of an object."""
        return bool(self.unlisted) and kind_of(name) == "view" and version_of(name) in self.unlisted

    def with_views(self, store: Store, versions: Collection[int]) -> Seen:
        """Returns the same with the objects of `versions` listed, too."""
        new = self.unlisted & set(versions)
        if len(new) > _FEW:
            found = store.entries().items()
            views = {n: e for n, e in found if kind_of(n) == "view" and version_of(n) in new}
        else:
            views = _views(store, new)
        return replace(self, objects={**self.objects, **views}, unlisted=self.unlisted - new)


def look(store: Store, whole: bool = False) -> Seen:
    """Asks the store what it has. Old versions are listed where that takes no more requests, or where `whole`."""
    latest = read_latest(store)  # first: what it names is in the listing that follows
    if whole:
        return Seen(latest, store.entries())
    objects, is_all = store.entries_before("v")
    if is_all:
        return Seen(latest, objects)
    views = {version_of(f"{name}/") for name in store.folders() if kind_of(f"{name}/x") == "view"}
    wanted = {number for number in views if number >= latest.version}
    rest = {name: entry for name, entry in objects.items() if kind_of(name) != "view"}
    return Seen(latest, {**rest, **_views(store, wanted)}, frozenset(views - wanted))


def _views(store: Store, versions: Iterable[int]) -> dict[str, Entry]:
    listed = in_parallel(lambda number: store.entries(f"v{number}"), sorted(versions))
    return {name: entry for objects in listed for name, entry in objects.items()}


def read_latest(store: Store) -> Latest:
    """Returns the commit point; where its object is lost or damaged, the newest version that has its manifest.

    A version whose push died before the commit point has its manifest too. It is whole, so to count it is no harm.
    """
    tag, fault = None, "is gone"
    try:
        content, entry = store.read(LATEST)
        tag, fault = entry.tag, "names no version"
        said = json.loads(content)
        return Latest(version=int(said["version"]), tag=tag, manifest_sha256=said.get("manifest_sha256"))
    except (Gone, ValueError, KeyError, TypeError, AttributeError):
        newest = max(whole_views(store.entries()), default=0)
        return Latest(version=newest, tag=tag, fault=fault if newest or tag else None)


def fence(store: Store, run_id: str) -> None:
    """Writes the commit point anew, saying the same: who read it before, and lost its lease since, cannot replace it.

    Raises DatasetBusy where another writer came between.
    """
    latest = read_latest(store)
    try:
        said = {"version": latest.version, "manifest_sha256": latest.manifest_sha256, "taken_over_by": run_id}
        store.swap(LATEST, (json.dumps(said, indent=2) + "\n").encode(), latest.tag)
    except (Taken, Gone) as error:
        raise DatasetBusy(f"{store.address.shown}: another run is writing; wait and run again") from error


def read_tags(store: Store, objects: Mapping[str, Entry], versions: Iterable[int]) -> dict[str, str]:
    """Returns the tags that writers left of versions' files; a note that is damaged says nothing."""

    def read(version: int) -> dict[str, str]:
        try:
            said = json.loads(store.read(tags_name(version))[0])["tags"]
            return {str(name): str(tag) for name, tag in said.items()}
        except (Gone, ValueError, KeyError, TypeError, AttributeError):
            return {}

    noted = in_parallel(read, [v for v in sorted(versions) if tags_name(v) in objects])
    return {name: tag for tags in noted for name, tag in tags.items()}
