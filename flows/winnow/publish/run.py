"""What a run tells about itself: its row in table ``runs``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from winnow.base.contracts import TABLES


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it stands before it publishes. ``recipe``, ``counts`` and ``gate`` are plain data, fit for
    JSON."""

    run_id: str
    started_at: datetime
    recipe: Mapping[str, Any]
    recipe_id: str
    packages: Mapping[str, str]
    counts: Mapping[str, Any] = field(default_factory=dict)
    gate: Mapping[str, Any] = field(default_factory=dict)
    status: str = "published"
    note: str | None = None


def run_row(run: RunRecord, version: int, finished_at: datetime, table_versions: Mapping[str, int]) -> pa.Table:
    """The run as one row of table ``runs``."""
    row = {
        "run_id": run.run_id,
        "version": version,
        "status": run.status,
        "started_at": run.started_at,
        "finished_at": finished_at,
        "recipe": _json(run.recipe),
        "recipe_id": run.recipe_id,
        "packages": _json(run.packages),
        "counts": _json(run.counts),
        "gate": _json(run.gate),
        "table_versions": _json(table_versions),
        "note": run.note,
    }
    schema = TABLES["runs"]
    # A column added to the schema later is nullable, and this run has nothing to say in it.
    return pa.Table.from_pylist([{n: row.get(n) for n in schema.names}], schema=schema)


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True, default=str)
