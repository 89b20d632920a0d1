"""Where the parts of a dataset stand, and which versions it has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from winnow.base.errors import NoSuchVersion
from winnow.base.mounted import Mount
from winnow.publish.manifest import MANIFEST, Manifest, read_manifest

WORK = "work-"
INDEX = "index.html"
_VERSION = re.compile(r"v([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """The process that writes to a dataset, as its lock says."""

    run: str
    pid: int
    host: str

    def __str__(self) -> str:
        return f"run {self.run} (process {self.pid} on {self.host})"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be; ``place`` is a file or folder relative to the dataset."""

    version: int | None
    place: str
    what: str


class Remote(Protocol):
    """The store that a dataset's folder is the working copy of."""

    published: int | None
    settled: bool
    """Whether the last writer left nothing half done, and this folder has nothing besides; set by who saw to that."""
    thorough: bool
    """Whether who writes next looks at all versions, and trusts no writer before."""

    @property
    def shown(self) -> str:
        """The address without credentials or options."""

    @property
    def mount(self) -> Mount:
        """The folder whose files stand for objects of the address."""

    def pull(self) -> None:
        """Brings the folder up to the store, for reading."""

    def lay_out(self, versions: Iterable[int]) -> None:
        """Brings the manifests of versions, and pointers for their files, where nobody here has asked for them yet."""

    def sound_end(self, table: str) -> int | None:
        """Returns the number of the last commit of a table's log where it need not be read to know that it is sound."""

    def stored_bytes(self) -> int:
        """Returns how many bytes the objects of the address have."""

    def writing(self, root: Path, run_id: str, wait_seconds: float) -> AbstractContextManager[None]:
        """Brings the folder up to the store before the body, and the store up to the folder after it."""

    def writer(self) -> Writer | None:
        """Returns who writes to the store, None where nobody does."""

    def verify(self, version: int | None = None) -> list[Problem]:
        """Returns what is wrong with the objects in the store."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset by its folder; nothing is read until it is asked for. With `remote` the folder is a working copy.

    >>> Dataset(Path("dataset")).view(2).as_posix()
    'dataset/v2'
    """

    root: Path
    remote: Remote | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """What messages call it, and ``--into`` takes."""
        return self.remote.shown if self.remote else str(self.root)

    @property
    def tables(self) -> Path:
        return self.root / "tables"

    @property
    def latest(self) -> Path:
        return self.root / "latest"

    @property
    def index_page(self) -> Path:
        """The page over all versions, which is drawn anew from them."""
        return self.root / INDEX

    @property
    def lock_path(self) -> Path:
        """The file that the only writer holds; see `winnow.storage.lock`."""
        return self.root / ".lock"

    @property
    def staging(self) -> Path:
        """Room for the stages of a run; publication uses only `building` of it."""
        return self.root / ".staging"

    def work(self, run_id: str) -> Path:
        """Room for one run. Not shared: workers that outlive a killed run write to its folder, which nobody reads."""
        return self.staging / f"{WORK}{run_id}"

    @property
    def erasures(self) -> Path:
        """The receipts of what was erased, one file an erasure; see `winnow.publish.erasure`."""
        return self.root / "erasures"

    @property
    def building(self) -> Path:
        """Where a view stands until it is whole; on the same file system, so that it can be renamed into place."""
        return self.staging / "views"

    def table(self, name: str) -> Path:
        return self.tables / name

    def view(self, version: int) -> Path:
        return self.root / f"v{version}"

    def manifest_path(self, version: int) -> Path:
        return self.view(version) / MANIFEST

    def version_numbers(self) -> list[int]:
        """Returns the published versions, ascending.

        A view is renamed into place when it is whole, so its name is enough. In a working copy one counts that the
        store has too, but for the run that is about to push it.
        """
        if not self.root.is_dir():
            return []
        found = (_VERSION.fullmatch(p.name) for p in self.root.iterdir() if p.is_dir() and not p.is_symlink())
        most = self.remote.published if self.remote else None
        numbers = (int(m[1]) for m in found if m)
        return sorted(n for n in numbers if most is None or n <= most)

    def latest_version(self) -> int | None:
        """Returns the number of the last published version, None before the first."""
        numbers = self.version_numbers()
        return numbers[-1] if numbers else None

    def last_number(self) -> int | None:
        """Number of the last version that was ever published, also where its folder was lost since.

        The link `latest` remembers it: it is moved only to what stands.
        """
        numbers = self.version_numbers()
        linked = _VERSION.fullmatch(self.latest.readlink().as_posix()) if self.latest.is_symlink() else None
        if linked and (self.remote is None or self.remote.published is None):
            numbers.append(int(linked[1]))
        return max(numbers, default=None)

    def next_version(self) -> int:
        """A number that no version ever had."""
        return (self.last_number() or 0) + 1

    def manifest(self, version: int | None = None) -> Manifest:
        """Returns the manifest of one version, the latest if None.

        Raises NoSuchVersion naming the versions there are.
        """
        number = version if version is not None else self.latest_version() or 0
        self.lay_out([number])
        numbers = self.version_numbers()
        if number not in numbers:
            known = ", ".join(map(str, numbers)) or "none yet"
            raise NoSuchVersion(f"{self.name}: has no version {number}; published: {known}")
        return read_manifest(self.manifest_path(number))

    def latest_manifest(self) -> Manifest | None:
        """Returns the manifest of the last published version, None before the first."""
        return self.manifest() if self.version_numbers() else None

    def published(self) -> list[Manifest]:
        """Returns the manifests of all published versions, oldest first."""
        self.lay_out(self.version_numbers())
        return [self.manifest(n) for n in self.version_numbers()]

    def lay_out(self, versions: Iterable[int]) -> None:
        """Makes the views of versions what they are on disk; of a working copy, those that were not asked for yet."""
        if self.remote:
            self.remote.lay_out(versions)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is half done: older versions and logs need no look then. Of a folder nobody knows it."""
        return self.remote is not None and self.remote.settled

    def sound_end(self, table: str) -> int | None:
        """Returns the number of the last commit of a table's log where it need not be read to know that it is sound."""
        return self.remote.sound_end(table) if self.remote else None

    def files(self, table: str, version: int | None = None) -> list[Path]:
        """Returns a table's Parquet files in one version (the latest if None), in row order; none before the first."""
        manifest = self.latest_manifest() if version is None else self.manifest(version)
        if manifest is None or table not in manifest.tables:
            return []
        return [self.view(manifest.version) / f.name for f in manifest.tables[table].files]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """One line of `winnow versions`. ``bytes`` is the size of the view, ``new_bytes`` what the version before lacks."""

    version: int
    created_at: datetime
    documents: int
    duplicates: int
    rejects: int
    edits: int
    bytes: int
    new_bytes: int
    recipe_id: str
    run_id: str
    latest: bool
    note: str | None


def versions(dataset: Dataset) -> list[VersionLine]:
    """Returns all published versions, oldest first."""
    manifests = dataset.published()
    lines = []
    known: set[str] = set()
    for manifest in manifests:
        files = {f.sha256: f.bytes for t in manifest.tables.values() for f in t.files}
        lines.append(
            VersionLine(
                version=manifest.version,
                created_at=manifest.created_at,
                documents=manifest.rows("documents"),
                duplicates=manifest.rows("duplicates"),
                rejects=manifest.rows("rejects"),
                edits=manifest.rows("edits"),
                bytes=sum(t.bytes for t in manifest.tables.values()),
                new_bytes=sum(size for sha, size in files.items() if sha not in known),
                recipe_id=manifest.recipe_id,
                run_id=manifest.run_id,
                latest=manifest is manifests[-1],
                note=manifest.note,
            )
        )
        known = set(files)
    return lines
