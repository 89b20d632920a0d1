"""Runs as the dataset remembers them, and the one whose version the gate holds back until a person approves it.

Its order is kept in staging, beside the shards that an approval finds there; it never enters a published table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from winnow.base.addresses import holds_credentials, redacted
from winnow.base.contracts import TABLES
from winnow.base.errors import UsageError
from winnow.base.files import arrow_dataset, parquet_file
from winnow.base.staging import write_file, write_parquet
from winnow.publish.dataset import Dataset
from winnow.publish.tables.delta import active_files, open_table
from winnow.run.run_context import RunOrder
from winnow.validate.gate import GateResult


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A row of table ``runs``."""

    run_id: str
    version: int
    status: str
    started_at: datetime
    finished_at: datetime
    recipe_id: str
    gate: GateResult | None
    note: str | None

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()


def past_runs(dataset: Dataset) -> list[PastRun]:
    """Returns every run that published a version or was held back, oldest first; the latter have no manifest.

    Versions tell which came first, for a clock may be set back. A version may be held back several times before it is
    published. The row of a run that was killed before its version stood does not count.
    """
    folder, end = dataset.table("runs"), dataset.sound_end("runs")
    last = dataset.latest_manifest() if end is not None else None
    if last and last.tables["runs"].delta_version == end:
        files = dataset.files("runs")  # so that its log is not fetched
    else:
        files = [folder / f.name for f in active_files(open_table(folder), "runs")]
    if not files:
        return []
    rows = arrow_dataset(files, TABLES["runs"]).to_table().to_pylist()
    latest = dataset.latest_version() or 0
    return sorted((_past_run(row) for row in rows if row["status"] == "held" or row["version"] <= latest), key=_order)


def _order(run: PastRun) -> tuple[int, bool, datetime, str]:
    return run.version, run.status != "held", run.started_at, run.run_id


def _past_run(row: Mapping[str, Any]) -> PastRun:
    gate = json.loads(row["gate"])
    names = ("run_id", "version", "status", "started_at", "finished_at", "recipe_id", "note")
    return PastRun(**{n: row[n] for n in names}, gate=GateResult.from_dict(gate) if gate else None)


def run_awaiting_approval(dataset: Dataset) -> PastRun | None:
    """Returns the run that waits for a decision: the last of all, held back, with nothing published since."""
    runs = past_runs(dataset)
    if runs and runs[-1].status == "held" and runs[-1].version == dataset.next_version():
        return runs[-1]
    return None


def run_to_approve(dataset: Dataset, run_id: str) -> PastRun:
    """Returns the run of that name, which waits for approval.

    Raises UsageError for any other run, and names the one that waits.
    """
    waiting = run_awaiting_approval(dataset)
    if waiting is not None and waiting.run_id == run_id:
        return waiting
    waits = f"the one that waits is {waiting.run_id}" if waiting else "no run waits for approval"
    known = {r.run_id: r.status for r in past_runs(dataset)}
    said = f"was {known[run_id]}, and is not waiting" if run_id in known else "is unknown here"
    raise UsageError(f"{dataset.name}: run {run_id!r} {said}; {waits}")


def remember_order(dataset: Dataset, run_id: str, order: RunOrder, made_from: str) -> None:
    """Keeps the order of a run that is held back, without credentials, so that an approval can make it again.

    `made_from` tells whether the next run would make the same version.
    """
    source = redacted(order.source) if holds_credentials(order.source) else order.source
    order_kept = replace(order, source=source, into=dataset.name)  # an approval names the dataset itself
    kept = {
        "run_id": run_id,
        "source_was_cut": source != order.source,
        "order": asdict(order_kept),
        "made_from": made_from,
    }
    write_file(_path(dataset), json.dumps(kept).encode())


def held_from(dataset: Dataset) -> tuple[PastRun, str] | None:
    """Returns the run that waits for approval and what it was made from; None where none waits or that is unknown."""
    held = run_awaiting_approval(dataset)
    kept = _kept(dataset, held.run_id) if held else {}
    return (held, kept["made_from"]) if held and kept.get("made_from") else None


def remember_rejects(dataset: Dataset, run_id: str, rows: Iterable[pa.RecordBatch]) -> None:
    """Keeps the rejects of a run that is held back, all that would wait after it, so that a person can look at them."""
    write_parquet(_rejects_path(dataset, run_id), (pa.Table.from_batches([b]) for b in rows), TABLES["rejects"])


def held_rejects(dataset: Dataset) -> tuple[PastRun, Path] | None:
    """Returns the run that waits for approval and the file of its rejects; None where none waits, or they are gone."""
    held = run_awaiting_approval(dataset)
    path = _rejects_path(dataset, held.run_id) if held else None
    return (held, path) if held and path and _is_readable(path) else None


def _is_readable(path: Path) -> bool:
    """Whether a Parquet file is there and has an end that tells of its rows."""
    try:
        with parquet_file(path):
            return True
    except (OSError, pa.ArrowException):
        return False


def _rejects_path(dataset: Dataset, run_id: str) -> Path:
    return dataset.staging / f"held-{run_id}.rejects.parquet"


def order_to_approve(dataset: Dataset, run_id: str, because: str, source: str | None = None) -> RunOrder:
    """Returns the order that makes a run again which waits for approval, approved.

    Raises UsageError for a run that does not wait, a blank reason, a source that has to be given again because its
    address held credentials, and where staging was cleaned since.
    """
    if not because.strip():
        raise UsageError("the reason is blank; say in a few words why this version may go out")
    run_to_approve(dataset, run_id)
    kept = _kept(dataset, run_id)
    try:
        order = RunOrder(**{**kept["order"], "withdraw": tuple(kept["order"]["withdraw"])})
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"{dataset.name}: how run {run_id} was called is no longer known; run it again, then approve that"
        ) from error
    if kept["source_was_cut"] and source is None:
        raise UsageError(f"the address of run {run_id} held credentials, which are not kept; give the source again")
    return replace(order, source=source or order.source, approve=because.strip(), approved_run=run_id)


def _kept(dataset: Dataset, run_id: str) -> dict[str, Any]:
    """Returns what `remember_order` kept of a run; nothing where it is lost or damaged, or another run's."""
    try:
        kept = json.loads(_path(dataset).read_bytes())
        return kept if isinstance(kept, dict) and kept["run_id"] == run_id else {}
    except (OSError, ValueError, KeyError):
        return {}


def _path(dataset: Dataset) -> Path:
    return dataset.staging / "held.json"


LEEWAY = 1.1
"""An approved figure may lie so many times as far outside its limit, for a source that grows moves it a little."""


def covers(approved: PastRun, recipe_id: str, gate: GateResult) -> bool:
    """Whether the approval of a run lets this through: the same settings, and nothing fails that did not fail there.

    No figure may be worse than the person saw it, but for a tenth (`LEEWAY`).

    >>> from datetime import UTC
    >>> from winnow.validate.gate import GateCheck
    >>> def lost(missed_by: float) -> GateResult:
    ...     check = GateCheck(expectation="a", passed=False, observed="", limit="", sentence="", missed_by=missed_by)
    ...     return GateResult(passed=False, results=(check,))
    >>> now = datetime.now(UTC)
    >>> run = PastRun(run_id="r", version=1, status="held", started_at=now, finished_at=now, recipe_id="a",
    ...     gate=lost(0.2), note=None)
    >>> covers(run, "a", lost(0.21)), covers(run, "a", lost(0.3)), covers(run, "b", lost(0.2))
    (True, False, False)
    >>> covers(run, "a", GateResult(passed=True))
    True
    """
    seen = {check.expectation: check.missed_by for check in approved.gate.held_by} if approved.gate else {}
    none_is_worse = all(check.missed_by <= LEEWAY * seen.get(check.expectation, 0.0) for check in gate.held_by)
    return approved.recipe_id == recipe_id and none_is_worse
