"""``manifest.json``: what a version holds, file by file. A version can be checked and compared from it
alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from winnow.base.contracts import ColumnEntry
from winnow.base.errors import DatasetError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One Parquet file of a view. ``delta_path`` is the file's name in the Delta table, None for an empty
    table."""

    name: str
    rows: int
    bytes: int
    sha256: str
    delta_path: str | None = None


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One table of a version; ``delta_version`` is the version of the Delta table with the same rows."""

    rows: int
    bytes: int
    delta_version: int
    description: str
    columns: tuple[ColumnEntry, ...]
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A published version. ``counts`` are those of the run that made it; ``files`` maps README.md and the
    like
    to their SHA-256."""

    version: int
    previous: int | None
    created_at: datetime
    run_id: str
    recipe_id: str
    recipe: Mapping[str, Any]
    packages: Mapping[str, str]
    counts: Mapping[str, Any]
    tables: Mapping[str, TableEntry]
    files: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None

    def to_json(self) -> str:
        data = {"format": FORMAT, **asdict(self)}
        data["created_at"] = self.created_at.isoformat()
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises DatasetError where the file is missing, damaged, or of a later format.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read as a manifest: {error}") from error
    if data.get("format") != FORMAT:
        raise DatasetError(f"{path}: format {data.get('format')!r}, this program reads {FORMAT}; update it")
    try:
        tables = {
            name: TableEntry(
                rows=t["rows"],
                bytes=t["bytes"],
                delta_version=t["delta_version"],
                description=t["description"],
                columns=tuple(ColumnEntry(**c) for c in t["columns"]),
                files=tuple(FileEntry(**f) for f in t["files"]),
            )
            for name, t in data["tables"].items()
        }
        return Manifest(
            version=data["version"],
            previous=data["previous"],
            created_at=datetime.fromisoformat(data["created_at"]),
            run_id=data["run_id"],
            recipe_id=data["recipe_id"],
            recipe=data["recipe"],
            packages=data["packages"],
            counts=data["counts"],
            tables=tables,
            files=data["files"],
            note=data["note"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path}: is not a manifest: {error!r}") from error
