"""The stages of a run one after the other, without Prefect; prints seconds and memory by stage as JSON.

usage: stage_run.py SOURCE INTO [--workers 2] [--executor processes|inline]
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

from process_memory import tree_mb

from winnow.base.errors import GateHeld
from winnow.base.recipe import Recipe
from winnow.publish.dataset import Dataset
from winnow.publish.recover import recover
from winnow.run import intake, release, table_changes
from winnow.run.executor import end_workers, open_executor
from winnow.run.run_context import RunOrder, begin
from winnow.storage.lock import lock_dataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("into", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--executor", choices=("processes", "inline"), default="processes")
    options = parser.parse_args()
    dataset = Dataset(options.into)
    laps: dict[str, dict[str, float]] = {}
    at = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal at
        seconds, at = time.perf_counter() - at, time.perf_counter()
        laps[name] = {"seconds": round(seconds, 2), "held_mb": round(tree_mb(os.getpid()))}

    with lock_dataset(dataset, "bench"), open_executor(options.executor, options.workers) as executor:
        recover(dataset)
        run = begin(dataset, Recipe(), RunOrder(source=options.source))
        documents = intake.read(run, executor)
        lap("read")
        repaired = intake.repair(run, executor, documents)
        lap("repair")
        end_workers(executor)
        checked = intake.check(run, documents, repaired)
        lap("check")
        rows = table_changes.deduplicate(run, executor, documents, repaired, checked)
        lap("deduplicate")
        end_workers(executor, last=True)
        staged = sum(f.stat().st_size for f in dataset.staging.rglob("*") if f.is_file())
        judged = release.validate(run, rows)
        lap("validate")
        try:
            if not judged.gate.passed:
                release.raise_held_back(run, documents, repaired, rows, judged)
            told: object = release.publish(run, documents, repaired, rows, judged).documents.shown()
        except GateHeld as error:
            told = {"held": str(error)}
        lap("publish")
    print(json.dumps({"laps": laps, "staging_bytes": staged, "documents": told}))


if __name__ == "__main__":
    main()
