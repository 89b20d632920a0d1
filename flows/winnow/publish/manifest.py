"""``manifest.json``: what a version holds, file by file. A version can be checked and compared from it alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from winnow.base.contracts import ColumnEntry
from winnow.base.errors import DatasetError

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One Parquet file of a view. ``delta_path`` is the file's name in the Delta table, None for an empty table."""

    name: str
    rows: int
    bytes: int
    sha256: str
    delta_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEntry:
    """One table of a version; ``delta_version`` is the version of the Delta table with the same rows."""

    rows: int
    bytes: int
    delta_version: int
    description: str
    columns: tuple[ColumnEntry, ...]
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure took from a version after it was published: how many documents and rows, and never which."""

    run_id: str
    at: datetime
    documents: int
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A published version. ``counts`` are those of its run; ``files`` maps README.md and the like to their SHA-256.

    The rows are those of its run without what was ``erased`` since.
    """

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
    erased: tuple[Erased, ...] = ()

    def to_json(self) -> str:
        data = {"format": FORMAT, **asdict(self)}
        data["created_at"] = self.created_at.isoformat()
        erased = [{**e, "at": e["at"].isoformat()} for e in data.pop("erased")]
        data |= {"erased": erased} if erased else {}
        return json.dumps({**data, "sha256": _checksum(data)}, indent=2, ensure_ascii=False) + "\n"

    def rows(self, table: str) -> int:
        """Returns the rows of a table; 0 for one that came later."""
        return self.tables[table].rows if table in self.tables else 0

    def erased_rows(self, table: str) -> int:
        """Returns how many rows of a table were erased since its run."""
        return sum(e.rows.get(table, 0) for e in self.erased)


_MANIFEST = TypeAdapter(Manifest)


def _checksum(data: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a manifest without its own checksum, as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def read_manifest(path: Path) -> Manifest:
    """Reads a manifest.

    Raises DatasetError where the file is missing, damaged, or of a later format.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read as a manifest: {error}") from error
    wanted = data.pop("sha256", None) if isinstance(data, dict) else None  # the first versions have none
    if wanted is not None and wanted != _checksum(data):
        raise DatasetError(f"{path}: was changed: its checksum does not fit")
    format_ = data.get("format") if isinstance(data, dict) else None
    if format_ != FORMAT:
        raise DatasetError(f"{path}: format {format_!r}, this program reads {FORMAT}; update it")
    try:
        return _MANIFEST.validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise DatasetError(f"{path}: is not a manifest: {at}: {first['msg']}") from error
