"""Small runs of all stages without Prefect, and what must hold of a dataset whatever happened to them.

Run as a script, ``dataset_runs.py SOURCE DATASET [KIND [ADDRESS]]`` makes one run in a process of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pyarrow.parquet as pq
from deltalake import DeltaTable
from tests.articles import article, damaged_batch
from tests.conftest import ROOT, write_jsonl

from winnow.base.contracts import TABLES
from winnow.base.files import at_hand
from winnow.base.recipe import Recipe
from winnow.publish.dataset import Dataset
from winnow.publish.recover import recover
from winnow.publish.tables.delta import is_ours
from winnow.publish.verify import verify
from winnow.repair.engine.ledger import undo
from winnow.run import intake, release, table_changes
from winnow.run.executor import Kind, open_executor
from winnow.run.run_context import RunOrder, begin, new_run_id
from winnow.storage.locations import Location, locate_dataset
from winnow.storage.lock import lock_dataset

Step = Callable[[str], None]
RECIPE = Recipe.model_validate({"read": {"shard_mb": 0.01}})  # several shards from a few articles
PER_RUN = ["run_id", "recipe_id", "collected_at"]


def is_fork_server(process: psutil.Process) -> bool:
    """Whether the children of a process are workers."""
    return "winnow.run.fork_server" in process.cmdline()


def no_step(name: str) -> None:
    """Called at each boundary of a stage."""


def run_stages(
    source: Path | str,
    into: Location | Dataset,
    executor: Executor | None = None,
    at: Step = no_step,
    recipe: Recipe = RECIPE,
    wait_seconds: float = 0,
    full: bool = False,
    mirror: bool = False,
    replay: bool = False,
    withdraw: tuple[str, ...] = (),
) -> dict[str, Any]:
    """What the flow does, stage by stage; `at` is told where the run stands."""
    dataset = into if isinstance(into, Dataset) else locate_dataset(into)
    with lock_dataset(dataset, new_run_id(), wait_seconds), open_executor("inline") as inline:
        shards = executor or inline
        at("locked")
        recover(dataset)
        at("recovered")
        run = begin(
            dataset,
            recipe,
            RunOrder(
                source=str(source),
                full=full,
                mirror=mirror,
                intake="quarantine" if replay else "source",
                withdraw=withdraw,
            ),
        )
        documents = intake.read(run, shards)
        at("read")
        if documents.nothing_to_do:
            release.tidy_staging(run)
            return release.nothing_changed(run, documents).as_dict()
        repaired = intake.repair(run, shards, documents)
        at("repaired")
        checked = intake.check(run, shards, documents, repaired)
        at("checked")
        rows = table_changes.deduplicate(run, shards, documents, repaired, checked)
        at("deduplicated")
        judged = release.validate(run, shards, rows)
        at("validated")
        assert judged.gate.passed, judged.gate.held_by
        summary = release.publish(run, shards, documents, repaired, rows, judged).as_dict()
        at("published")
        return summary


STEPS = ("locked", "recovered", "read", "repaired", "checked", "deduplicated", "validated", "published")


def two_batches(folder: Path) -> tuple[Path, Path]:
    """Two sources: a first batch, and the same with one file changed and one added."""
    records = damaged_batch(18)
    later = [{"id": "doc-3", "text": article(77) + " &amp;amp; more"}, *records[4:6], {"id": "broken", "text": "\x00"}]
    for name in ("first", "second"):
        write_jsonl(folder / name / "a.jsonl", records[:9])
        write_jsonl(folder / name / "b.jsonl", records[9:14])
    write_jsonl(folder / "second" / "b.jsonl", [*records[9:12], *later[:1]])
    write_jsonl(folder / "second" / "c.jsonl", [*records[14:], *later[1:]])
    return folder / "first", folder / "second"


def rows_of(dataset: Path, version: int | None = None) -> dict[str, list[str]]:
    """The rows of each table as texts, sorted, without what names the run."""
    found = {}
    for table in (t for t in TABLES if t != "runs"):
        folder = (dataset / (f"v{version}" if version else "latest") / table).resolve()
        for file in folder.iterdir():
            at_hand(file)
        frame = pd.read_parquet(folder)
        frame = frame.drop(columns=[c for c in PER_RUN if c in frame])
        found[table] = sorted(map(repr, frame.astype(object).itertuples(index=False)))
    return found


def assert_whole(into: Path) -> None:
    """Every published version reads whole, by pandas and by pyarrow, and as its manifest says."""
    dataset = Dataset(into)
    assert verify_versions(dataset) == []
    for manifest in dataset.published():
        for name, entry in manifest.tables.items():
            folder = dataset.view(manifest.version) / name
            assert len(pd.read_parquet(folder)) == pq.read_table(folder).num_rows == entry.rows


def verify_versions(dataset: Dataset) -> list[Any]:
    """What `verify` says of each version; of `latest` and the tables it speaks after the next run."""
    return [p for n in dataset.version_numbers() for p in verify(dataset, n, undo)]


def assert_tidy(into: Path) -> None:
    """Nothing is wrong anywhere, no staging, no temporary file, and no file in a table that its log never named."""
    dataset = Dataset(into)
    assert verify(dataset, undo=undo) == []
    assert {p.name for p in into.iterdir()} <= {
        ".lock", "tables", "latest", "index.html", "gx", "erasures", "reviews",
        *(f"v{n}" for n in dataset.version_numbers()),
    }  # fmt: skip
    for name in TABLES:
        table = DeltaTable(str(dataset.table(name)))
        ever = {Path(path).name for n in range(table.version() + 1) for path in _added(dataset.table(name), n)}
        assert {p.name for p in dataset.table(name).glob("*.parquet")} <= ever, name
        assert all(is_ours(n) for n in ever)
    assert [p for p in into.rglob("*") if ".tmp" in p.name or p.name.endswith(".new")] == []


def _added(folder: Path, version: int) -> list[str]:
    import json

    lines = (folder / "_delta_log" / f"{version:020d}.json").read_text().splitlines()
    return [action["add"]["path"] for action in map(json.loads, lines) if "add" in action]


def in_child(work: Callable[..., object], *args: object) -> multiprocessing.process.BaseProcess:
    """Start `work` in a process of its own, forked from one that has imported everything and done nothing yet."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "great_expectations", "winnow.deduplicate.documents.shingles"])
    process = context.Process(target=work, args=args)
    process.start()
    return process


def run_quickly(source: Path, into: Path, workers: int = 0, kill_at: str = "", full: bool = False) -> None:
    """A run without Great Expectations' own record of it (seconds a run, and nothing of the version depends on it).

    With `workers`, shards run in so many processes; at the boundary `kill_at` the process kills itself.
    """

    def at(step: str) -> None:
        if step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    if workers:
        with open_executor("processes", workers) as shards:
            run_stages(source, into, shards, at, full=full)
    else:
        run_stages(source, into, at=at, full=full)


def environment() -> dict[str, str]:
    """For processes that import this project from its folder."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def main(source: str, into: str, kind: Kind = "processes", address: str | None = None) -> None:
    with open_executor(kind, 2, address) as shards:
        print(run_stages(source, Path(into), shards, lambda step: print(step, flush=True))["version"])


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
