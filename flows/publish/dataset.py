"""Where the parts of a dataset stand, and which versions it has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.errors import DatasetError
from flows.full_disk import told_when_full
from flows.publish.lock import hold
from flows.publish.manifest import Manifest, read_manifest

WORK = "work-"
_VERSION = re.compile(r"v([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset by its folder; nothing is read until it is asked for.

    >>> Dataset(Path("dataset")).view(2).as_posix()
    'dataset/v2'
    """

    root: Path

    @property
    def tables(self) -> Path:
        return self.root / "tables"

    @property
    def latest(self) -> Path:
        return self.root / "latest"

    @property
    def staging(self) -> Path:
        """Room for the stages of a run; publication uses only `building` of it."""
        return self.root / ".staging"

    def work(self, run_id: str) -> Path:
        """Room for one run. Not shared: workers that outlive a killed run write to its folder, which nobody reads."""
        return self.staging / f"{WORK}{run_id}"

    @property
    def building(self) -> Path:
        """Where a view stands until it is whole; on the same file system, so that it can be renamed into
        place."""
        return self.staging / "views"

    def table(self, name: str) -> Path:
        return self.tables / name

    def view(self, version: int) -> Path:
        return self.root / f"v{version}"

    def manifest_path(self, version: int) -> Path:
        return self.view(version) / "manifest.json"

    def version_numbers(self) -> list[int]:
        """Published versions, ascending. A view is renamed into place when it is whole, so its name is
        enough."""
        if not self.root.is_dir():
            return []
        found = (_VERSION.fullmatch(p.name) for p in self.root.iterdir() if p.is_dir() and not p.is_symlink())
        return sorted(int(m[1]) for m in found if m)

    def latest_version(self) -> int | None:
        """Number of the last published version, None before the first."""
        numbers = self.version_numbers()
        return numbers[-1] if numbers else None

    def next_version(self) -> int:
        return (self.latest_version() or 0) + 1

    def manifest(self, version: int) -> Manifest:
        """Manifest of one version.

        Raises DatasetError naming the versions there are.
        """
        numbers = self.version_numbers()
        if version not in numbers:
            known = ", ".join(map(str, numbers)) or "none yet"
            raise DatasetError(f"{self.root}: has no version {version}; published: {known}")
        return read_manifest(self.manifest_path(version))

    def latest_manifest(self) -> Manifest | None:
        number = self.latest_version()
        return None if number is None else self.manifest(number)

    def published(self) -> list[Manifest]:
        """Manifests of all published versions, oldest first."""
        return [self.manifest(n) for n in self.version_numbers()]

    def files(self, table: str, version: int | None = None) -> list[Path]:
        """Parquet files of a table in one version (the latest if None), in row order; none before the
        first."""
        manifest = self.latest_manifest() if version is None else self.manifest(version)
        if manifest is None or table not in manifest.tables:
            return []
        return [self.view(manifest.version) / f.name for f in manifest.tables[table].files]

    @contextmanager
    def writing(self, run_id: str, wait_seconds: float = 0) -> Iterator[None]:
        """Be the dataset's only writer.

        Raises DatasetBusy naming the holder when it is still taken after `wait_seconds`, and DiskFull for
        whatever the body raises because no room is left.
        """
        with told_when_full(self.root), hold(self.root / ".lock", run_id, wait_seconds):
            yield
