"""What the store says of itself: the commit point, every object, and the tags that the last writer left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from winnow.base.errors import DatasetBusy
from winnow.base.object_store import Entry, Gone, Store, Taken
from winnow.storage.working_copy import LATEST, TAGS, whole_views


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
    """What the store said of itself: the commit point, every object, and the tags that the last writer left."""

    latest: Latest
    objects: Mapping[str, Entry]
    tags: Mapping[str, str]


def look(store: Store) -> Seen:
    """Asks the store what it has."""
    latest = read_latest(store)  # first: what it names is in the listing that follows
    objects = store.entries()
    return Seen(latest, objects, _read_tags(store, objects))


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


def _read_tags(store: Store, objects: Mapping[str, Entry]) -> dict[str, str]:
    """Returns the tags that the last writer left; a note that is damaged says nothing."""
    if TAGS not in objects:
        return {}
    try:
        said = json.loads(store.read(TAGS)[0])["tags"]
        return {str(name): str(tag) for name, tag in said.items()}
    except (Gone, ValueError, KeyError, TypeError, AttributeError):
        return {}
