"""The stages of a run one after the other, without Prefect; prints seconds and memory by stage as JSON.

usage: stage_run.py SOURCE INTO [--workers 2] [--executor processes|inline]
       stage_run.py SOURCE INTO --rules

With --rules, in one process, a table of seconds of a processor a MB of input, by stage and by rule of the repair.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from process_memory import tree_mb

from winnow.base.environment import look_for_garbage_rarely
from winnow.base.errors import GateHeld
from winnow.base.recipe import Recipe
from winnow.publish.dataset import Dataset
from winnow.publish.recover import recover
from winnow.repair.engine.rule import Change, Evidence, Rule
from winnow.repair.order import REPAIRS
from winnow.run import intake, release, table_changes
from winnow.run.executor import end_workers, open_executor
from winnow.run.run_context import RunOrder, begin
from winnow.storage.lock import lock_dataset


def time_rules() -> Counter[str]:
    """Lets every rule of the repair count its seconds: those of its look at the text, without the engine and gates."""
    seconds: Counter[str] = Counter()

    def timed(rule: Rule) -> Callable[[str, Evidence], Iterable[Change]]:
        find = rule.find

        def looking(text: str, evidence: Evidence) -> list[Change]:
            began = time.process_time()
            try:
                return list(find(text, evidence))
            finally:
                seconds[rule.name] += time.process_time() - began

        return looking

    for rule in REPAIRS:
        object.__setattr__(rule, "find", timed(rule))
    return seconds


def print_by_rule(laps: Mapping[str, Mapping[str, float]], rules: Mapping[str, float], mb: float) -> None:
    print(f"| {mb:.1f} MB | processor seconds a MB |\n| --- | --- |")
    for name, lap in laps.items():
        print(f"| {name} | {lap['seconds'] / mb:.4f} |")
        for rule, seconds in sorted(rules.items(), key=lambda item: -item[1]) if name == "repair" else ():
            print(f"| {name}: {rule} | {seconds / mb:.4f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("into", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--executor", choices=("processes", "inline"), default="processes")
    parser.add_argument("--rules", action="store_true", help="seconds a MB by stage and rule, in one process")
    options = parser.parse_args()
    look_for_garbage_rarely()  # as the command does
    rules = time_rules() if options.rules else Counter()
    if options.rules:
        options.executor = "inline"
    dataset = Dataset(options.into)
    laps: dict[str, dict[str, float]] = {}
    clock = time.process_time if options.rules else time.perf_counter
    at = clock()

    def lap(name: str) -> None:
        nonlocal at
        seconds, at = clock() - at, clock()
        laps[name] = {"seconds": round(seconds, 2), "held_mb": round(tree_mb(os.getpid()))}

    with lock_dataset(dataset, "bench"), open_executor(options.executor, options.workers) as executor:
        recover(dataset)
        run = begin(dataset, Recipe(), RunOrder(source=options.source))
        documents = intake.read(run, executor)
        lap("read")
        repaired = intake.repair(run, executor, documents)
        lap("repair")
        end_workers(executor)
        checked = intake.check(run, executor, documents, repaired)
        lap("check")
        rows = table_changes.deduplicate(run, executor, documents, repaired, checked)
        lap("deduplicate")
        end_workers(executor)
        staged = sum(f.stat().st_size for f in dataset.staging.rglob("*") if f.is_file())
        judged = release.validate(run, executor, rows)
        end_workers(executor, last=True)
        lap("validate")
        try:
            if not judged.gate.passed:
                release.raise_held_back(run, documents, repaired, rows, judged)
            told: object = release.publish(run, executor, documents, repaired, rows, judged).documents.shown()
        except GateHeld as error:
            told = {"held": str(error)}
        lap("publish")
    if options.rules:
        source = Path(options.source)
        files = source.rglob("*") if source.is_dir() else [source]
        print_by_rule(laps, rules, sum(f.stat().st_size for f in files if f.is_file()) / 1e6)
        return
    print(json.dumps({"laps": laps, "staging_bytes": staged, "documents": told}))


if __name__ == "__main__":
    main()
