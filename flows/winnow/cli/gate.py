"""``winnow gate``, ``approve`` and ``status``: why a version was held back, who let it pass, how things stand."""

from __future__ import annotations

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from winnow.base.errors import UsageError
from winnow.base.terminal import visible
from winnow.cli.output import paint, print_json, print_table, size
from winnow.run.approval import PastRun, approved_call, held_run, past_runs
from winnow.storage.locate import Place, open_dataset


def explain_gate(root: Place, run_id: str | None, as_json: bool) -> int:
    """Print each expectation of the gate for a run (the last if None); returns 1 where it was held back."""
    dataset = open_dataset(root)
    runs = [r for r in past_runs(dataset) if r.gate is not None and run_id in (None, r.run_id)]
    if not runs:
        what = f"run {run_id!r} is unknown or was not judged" if run_id else "no run has been judged yet"
        raise UsageError(f"{root}: {what}; winnow versions --into {root} lists the runs that published")
    run = runs[-1]
    gate = run.gate
    assert gate is not None
    if as_json:
        print_json({"run_id": run.run_id, "version": run.version, "status": run.status, "note": run.note, "gate": gate})
        return int(run.status == "held")
    p = paint()
    waits = held_run(dataset)
    print(p.bold(f"run {run.run_id}") + f"  {run.status}, for v{run.version}, {run.finished_at:%Y-%m-%d %H:%M:%S} UTC")
    if run.note:
        print(f"because: {visible(run.note)}")
    print()
    rows = [
        ("ok" if o.passed else "FAILED", o.expectation, o.observed or "-", o.limit, visible(o.sentence))
        for o in sorted(gate.results, key=lambda o: o.passed)
    ]
    print_table(("", "expectation", "observed", "limit", "in words"), rows)
    broken = [c for c in gate.tables if c.n_failed]
    if broken:
        print()
        failed = [(c.table, c.expectation, f"{c.n_failed:,}", visible(", ".join(map(str, c.examples)))) for c in broken]
        print_table(("table", "expectation", "rows failed", "for example"), failed, last=60)
    if run.status == "held" and waits is not None and waits.run_id == run.run_id:
        print("\nLet it pass, with your reason on record:")
        print(f"  winnow approve {run.run_id} --because REASON --into {root}")
    return int(run.status == "held")


def approve_run(root: Place, run_id: str, because: str, source: str | None, as_json: bool) -> int:
    """Run again what the gate held back, and publish it with the reason on record."""
    flow, parameters = approved_call(open_dataset(root), run_id, because, source)
    from winnow.cli.flow_call import run_flow

    return run_flow(flow, parameters | {"into": str(root)}, root, as_json)


def show_status(root: Place, as_json: bool) -> int:
    """Print the last version and run, what waits, who is writing, and what staging takes."""
    dataset = open_dataset(root)
    if not dataset.root.is_dir():
        raise UsageError(f"{root}: is no dataset; make one with: winnow run SOURCE --into {root}")
    runs = past_runs(dataset)
    last, held = (runs[-1] if runs else None), held_run(dataset)
    manifest = dataset.latest_manifest()
    waiting = manifest.counts.get("facts", {}).get("n_rejected", 0) if manifest else 0
    state: dict[str, Any] = {
        "dataset": str(root),
        "version": manifest.version if manifest else None,
        "published_at": manifest.created_at if manifest else None,
        "documents": manifest.tables["documents"].rows if manifest else 0,
        "rejects_waiting": waiting,
        "versions": len(dataset.version_numbers()),
        "last_run": _run(last),
        "held": _run(held),
        "writer": dataset.remote.writer() if dataset.remote else writer(dataset.root),
        "staging_bytes": folder_bytes(dataset.staging),
        "dataset_bytes": folder_bytes(dataset.root),
    }
    if as_json:
        print_json(state)
        return int(held is not None)
    p = paint()
    if manifest:
        age = _age((datetime.now(UTC) - manifest.created_at).total_seconds())
        print(f"version   {p.bold(f'v{manifest.version}')}, {state['documents']:,} documents, published {age} ago")
    else:
        print("version   none yet")
    if last:
        ended = _age((datetime.now(UTC) - last.finished_at).total_seconds())
        print(f"last run  {last.run_id}: {last.status}, took {last.seconds:.1f} s, ended {ended} ago")
    if held:
        print(p.yellow(f"held      {held.run_id} waits for a decision: winnow gate --into {root}"))
    print(f"rejects   {waiting:,} wait" + (f": winnow rejects --into {root}" if waiting else ""))
    holder = state["writer"]
    said = f"run {visible(holder['run'])}, process {holder['pid']} on {visible(holder['host'])}" if holder else "none"
    print(f"writer    {said}")
    print(f"disk      {size(state['dataset_bytes'])}, of it staging {size(state['staging_bytes'])}")
    return int(held is not None)


def _run(run: PastRun | None) -> dict[str, object] | None:
    if run is None:
        return None
    names = ("run_id", "version", "status", "started_at", "finished_at", "note")
    failed = [o.expectation for o in run.gate.held_by] if run.gate else []
    return {n: getattr(run, n) for n in names} | {"failed": failed}


def writer(root: Path) -> dict[str, Any] | None:
    """Who holds the dataset, as its lock file says; None where nobody does.

    The lock itself is not touched: a look at it must not make a run that starts just now find it taken.
    """
    try:
        note = json.loads((root / ".lock").read_bytes())
        found: dict[str, Any] = {"run": str(note["run"]), "pid": int(note["pid"]), "host": str(note["host"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if found["host"] == socket.gethostname() and not _alive(found["pid"]):
        return None  # it was killed; the kernel has let its lock go
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def folder_bytes(folder: Path) -> int:
    """Bytes of the files under a folder, each once however many names it has."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                stat = os.lstat(os.path.join(base, name))  # noqa: PTH118  (a walk over many files)
            except FileNotFoundError:
                continue  # a run that is writing has renamed it
            if (stat.st_dev, stat.st_ino) not in seen:
                seen.add((stat.st_dev, stat.st_ino))
                total += stat.st_size
    return total


def _age(seconds: float) -> str:
    """
    >>> _age(59), _age(7200), _age(200_000)
    ('59 s', '2 h', '2 d')
    """
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"
