"""Which versions there are, and what one holds; from the views alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from winnow.publish.dataset import Dataset
from winnow.publish.manifest import Manifest


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One line of `winnow versions`. ``bytes`` is the size of the view, ``new_bytes`` what the version
    before has not."""

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
    """All published versions, oldest first."""
    manifests = dataset.published()
    lines = []
    held: set[str] = set()
    for manifest in manifests:
        files = {f.sha256: f.bytes for t in manifest.tables.values() for f in t.files}
        lines.append(
            VersionLine(
                version=manifest.version,
                created_at=manifest.created_at,
                documents=_rows(manifest, "documents"),
                duplicates=_rows(manifest, "duplicates"),
                rejects=_rows(manifest, "rejects"),
                edits=_rows(manifest, "edits"),
                bytes=sum(t.bytes for t in manifest.tables.values()),
                new_bytes=sum(size for sha, size in files.items() if sha not in held),
                recipe_id=manifest.recipe_id,
                run_id=manifest.run_id,
                latest=manifest is manifests[-1],
                note=manifest.note,
            )
        )
        held = set(files)
    return lines


def show(dataset: Dataset, version: int | None = None) -> Manifest:
    """The manifest of a version, the latest if None.

    Raises DatasetError naming the versions there are.
    """
    return dataset.manifest(version if version is not None else dataset.latest_version() or 0)


def _rows(manifest: Manifest, table: str) -> int:
    return manifest.tables[table].rows if table in manifest.tables else 0
