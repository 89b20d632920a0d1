"""Check what stands in the store, object by object; the working copy only says what should be there."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from winnow.publish.dataset import Dataset, Problem
from winnow.publish.disk import sha256_of
from winnow.storage.copy import WorkingCopy
from winnow.storage.layout import LATEST, MANIFEST, kind_of, version_of, whole_views
from winnow.storage.pull import PARALLEL, read_latest
from winnow.storage.store import Entry, Gone, Store


def check_objects(copy: WorkingCopy, store: Store, version: int | None = None) -> list[Problem]:
    """Hash every object of one version, or of all of them and the tables if None, against the manifests.

    Every byte is fetched, and none is kept. What no manifest lists (commits, files of a table that no version has) is
    compared with the working copy.
    """
    latest = read_latest(store)
    objects = store.entries()
    dataset = Dataset(copy.root)
    wanted: dict[str, str] = {}
    for number in sorted(whole_views(objects, latest.version)):
        manifest = dataset.manifest(number)
        wanted[f"v{number}/{MANIFEST}"] = sha256_of(dataset.manifest_path(number))
        wanted |= {f"v{number}/{name}": sha256 for name, sha256 in manifest.files.items()}
        for table, entry in manifest.tables.items():
            wanted |= {f"v{number}/{f.name}": f.sha256 for f in entry.files}
            # A vacuum may have removed the table's own; the view then has the only one.
            made = {f"tables/{table}/{f.delta_path}": f.sha256 for f in entry.files if f.delta_path}
            wanted |= {name: sha256 for name, sha256 in made.items() if name in objects}
    tables = [n for n in objects if kind_of(n) in ("data", "log") and n not in wanted]
    wanted |= {n: sha256_of(copy.root / n) for n in tables if (copy.root / n).is_file()}
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

    with ThreadPoolExecutor(PARALLEL) as pool:
        problems = [problem for found in pool.map(lambda n: list(look(n)), sorted(asked)) for problem in found]
    strangers = _strangers(objects, wanted, version, latest.version)
    return [*problems, *strangers, *_commit_point(dataset, latest.version, version)]


def _strangers(
    objects: dict[str, Entry], wanted: dict[str, str], version: int | None, latest: int
) -> Iterator[Problem]:
    """Objects in a view that its manifest does not list: a reader of the prefix would take their rows for ours."""
    for name in sorted(objects):
        if kind_of(name) == "view" and version_of(name) <= latest and name not in wanted:
            number = version_of(name)
            if version in (None, number) and f"v{number}/{MANIFEST}" in wanted:
                yield Problem(number, name, "is not in the manifest")


def _commit_point(dataset: Dataset, latest: int, version: int | None) -> Iterator[Problem]:
    if version is None and latest and latest not in dataset.version_numbers():
        yield Problem(None, LATEST, f"names v{latest}, which is not there")
