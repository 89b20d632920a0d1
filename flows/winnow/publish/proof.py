"""Files read through their checksums, and what a person can do where one does not fit."""

from __future__ import annotations

from pathlib import Path

from winnow.base.errors import DatasetDamaged
from winnow.base.staging import sha256_of
from winnow.publish.dataset import Dataset
from winnow.publish.manifest import FileEntry, Manifest

BACKUP = "bring it back from a backup or another copy"


class Sums:
    """SHA-256 of files, each read once however many names it has."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], str] = {}

    def fits(self, path: Path, file: FileEntry) -> bool:
        """Whether the file at `path` has the size and the bytes that a manifest names."""
        if not has_size(path, file):
            return False
        stat = path.stat()
        key = stat.st_dev, stat.st_ino
        if key not in self._known:
            self._known[key] = sha256_of(path)
        return self._known[key] == file.sha256


def ways_back(dataset: Dataset, version: int) -> str:
    """What a person can do about damage in `version` that nothing on disk can undo."""
    older = [n for n in dataset.version_numbers() if n < version]
    back = f", or go back: winnow rollback {older[-1]} --into {dataset.name}" if older else ""
    return f"{BACKUP}{back}; winnow verify --into {dataset.name} lists what is whole"


def prove(dataset: Dataset, manifest: Manifest) -> None:
    """Read every file of a version through its checksum.

    Raises DatasetDamaged naming the files that are not as they were published.
    """
    sums = Sums()
    files = [(dataset.view(manifest.version) / f.name, f) for t in manifest.tables.values() for f in t.files]
    bad = [f"{p.relative_to(dataset.root)} was changed, or is gone" for p, f in files if not sums.fits(p, f)]
    if bad:
        raise DatasetDamaged(f"{dataset.name}: {'; '.join(bad[:5])}; {ways_back(dataset, manifest.version)}")


def has_size(path: Path, file: FileEntry) -> bool:
    return path.is_file() and path.stat().st_size == file.bytes
