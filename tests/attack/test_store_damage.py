"""Damage to the objects of a dataset in a store is undone, or said in one clear message; what is read is never less."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.attack.test_damage import ACTIONS, Rows, next_run, rows, sound, undamaged
from tests.publish.press import Press, sources
from tests.storage.conftest import Bucket, bucket, s3_environment, s3_fetched
from winnow.base.contracts import TABLES
from winnow.base.errors import WinnowError
from winnow.base.object_store import Store
from winnow.publish.verify import verify

__all__ = ["bucket", "s3_environment", "s3_fetched", "sound", "undamaged"]

LOG = "tables/documents/_delta_log/"
Names = Callable[[list[str]], list[str]]


def _first(prefix: str, ending: str = "", which: int = 0) -> Names:
    return lambda names: [[n for n in names if n.startswith(prefix) and n.endswith(ending)][which]]


def _below(prefix: str) -> Names:
    return lambda names: [n for n in names if n.startswith(prefix)]


PLACES: dict[str, Names] = {
    "the first entry of a log": _first(LOG, ".json"),
    "the last entry of a log": _first(LOG, ".json", -1),
    **{
        f"a file of table {t}": _first(f"tables/{t}/", ".parquet")
        for t in TABLES
        if t in ("documents", "runs", "index")
    },
    "a file of the last view": _first("v3/documents/"),
    "a file of an older view": _first("v1/documents/"),
    "the manifest": _below("v3/manifest.json"),
    "an older manifest": _below("v1/manifest.json"),
    "the commit point": _below("latest.json"),
    "the lease": _below(".lock.json"),
    "the card": _below("v3/README.md"),
    "the newest version": _below("v3/"),
    "an older version": _below("v2/"),
    "a table": _below("tables/documents/"),
    "all tables": _below("tables/"),
}

KINDS: dict[str, Callable[[bytes], bytes | None]] = {
    "removed": lambda _: None,
    "emptied": lambda _: b"",
    "truncated": lambda content: content[: len(content) * 2 // 3],
    "one byte flipped": lambda content: (
        content[: (half := len(content) // 2)] + bytes([content[half] ^ 1]) + content[half + 1 :]
    ),
}


def published(bucket: Bucket) -> Press:
    """Three versions, by one machine; its working copy stays."""
    press = bucket.machine("own")
    press.publish(sources("a", "b", "c", "d"))
    press.publish(sources("e", "b", word="other"))
    press.publish(sources("f"), withdrawn=["c"])
    return press


def harm(store: Store, place: str, kind: str) -> dict[str, bytes]:
    """Does the damage; returns what stood there before."""
    before = {}
    for name in PLACES[place](sorted(store.entries())):
        before[name], _ = store.read(name)
        content = KINDS[kind](before[name])
        if content is None:
            store.remove([name])
        else:
            store.put(name, content)
    return before


QUICK = {("the commit point", "removed")}


def cases() -> Iterator[object]:
    """Machines: the one that published, and one that has nothing of the dataset yet."""
    for place in PLACES:
        for kind in KINDS:
            for machine in ("own", "other"):
                for action in ACTIONS:
                    quick = (place, kind) in QUICK and (machine, action) == ("other", "a run")
                    yield pytest.param(place, kind, machine, action, marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize(("place", "kind", "machine", "action"), cases())
def test_damage_in_a_store_is_undone_or_told(
    bucket: Bucket, undamaged: Callable[[str], dict[int, Rows]], place: str, kind: str, machine: str, action: str
) -> None:
    last = rows(published(bucket).dataset, 3)
    before = harm(bucket.store, place, kind)
    wanted = undamaged(action)
    press = bucket.machine(machine)
    try:
        ACTIONS[action](press)
    except WinnowError as error:
        assert bucket.url in str(error)
        assert _rows_as_read(bucket, "reader") in (None, last)
        for name, content in before.items():
            bucket.store.put(name, content)
        next_run(bucket.machine("own"))
        assert rows(bucket.read("third"), 4) == undamaged("a run")[4]
        return
    there, number = bucket.read("third"), max(wanted)
    assert there.latest_version() == number
    assert rows(there, number) == wanted[number]
    assert [p for p in (*verify(there), *there.remote.verify()) if p.version in (None, number)] == []


def _rows_as_read(bucket: Bucket, machine: str) -> Rows | None:
    """Rows of the last version as another machine reads it; None where it is told that it cannot."""
    try:
        there = bucket.read(machine)
        return rows(there, there.latest_version() or 0)
    except WinnowError as error:
        assert bucket.url in str(error)
        return None
