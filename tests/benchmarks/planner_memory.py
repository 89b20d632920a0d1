"""Memory of the process that plans a run, over growing numbers of short documents, with the slope fitted.

usage: python tests/benchmarks/planner_memory.py [--documents 1000000,3000000] [--workers 2] [--work DIR]
       python tests/benchmarks/planner_memory.py --smoke

Each number is two runs, each in a process of its own: one that takes in all documents, one that adds a file to them.
The planning process is sampled by stage: its own memory (anonymous pages), and with the pages of files that it has
mapped, which the system takes back when it needs them. Workers are other processes and are not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

A_FILE = 100_000  # documents
WORDS = (
    "river stone market letter window garden winter engine paper mirror village bridge signal harvest lantern copper "
    "orchard captain meadow thunder library journey marble falcon basket velvet anchor timber saddle candle"
).split()
MB = 1e6


def write_documents(folder: Path, first: int, stop: int) -> None:
    """Short texts, each with words and numbers of its own."""
    folder.mkdir(exist_ok=True)
    for begin in range(first, stop, A_FILE):
        with (folder / f"{begin:09d}.jsonl").open("w") as out:
            for n in range(begin, min(begin + A_FILE, stop)):
                a, b, c = (WORDS[n // 30**k % 30] for k in range(3))
                text = f"The {a} of number {n} stood by the {b}, and the {c} came {n * 7919 % 1_000_003} days later."
                out.write(json.dumps({"id": f"d{n}", "text": text}) + "\n")


class Sampler(threading.Thread):
    """Peaks of this process by stage: ``[own memory, with mapped files]`` in bytes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stage = "read"
        self.peaks: dict[str, list[int]] = {}

    def run(self) -> None:
        while True:
            fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
            own, mapped = (1024 * int(fields[name].split()[0]) for name in ("RssAnon", "VmRSS"))
            peak = self.peaks.setdefault(self.stage, [0, 0])
            peak[:] = max(peak[0], own), max(peak[1], mapped)
            time.sleep(0.05)


def one_run(source: Path, into: Path, workers: int) -> dict[str, Any]:
    from benchmarks.scale_model import STAGES  # the stage that ends at each step
    from tests.operate.dataset_runs import run_stages

    from winnow.base.recipe import Recipe
    from winnow.publish.dataset import Dataset
    from winnow.run.executor import open_executor

    sampler = Sampler()
    began = time.perf_counter()
    order = list(STAGES.values())

    def at(step: str) -> None:
        if step in STAGES and (following := order[order.index(STAGES[step]) + 1 :]):
            sampler.stage = following[0]

    with open_executor("processes", workers) as pool:
        list(pool.map(abs, range(workers)))
        sampler.start()
        run_stages(source, Dataset(into), pool, at, Recipe())
    return {"peaks": sampler.peaks, "seconds": time.perf_counter() - began}


def apart(source: Path, into: Path, workers: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", str(source), str(into), "--workers", str(workers)]
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", default="1000000,3000000")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--smoke", action="store_true", help="too few documents to tell a slope: that it works")
    parser.add_argument("--one", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one_run(*options.one, options.workers)))
        return
    sizes = [200, 400] if options.smoke else [int(n) for n in options.documents.split(",")]
    runs: dict[str, list[tuple[int, dict[str, Any]]]] = {"all new": [], "one file more": []}
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=options.work) as work:
            source, into = Path(work) / "in", Path(work) / "out"
            write_documents(source, 0, size)
            runs["all new"].append((size, apart(source, into, options.workers)))
            write_documents(source, size, size + min(A_FILE, size // 10))
            runs["one file more"].append((size, apart(source, into, options.workers)))
        for name, found in runs.items():
            tell(name, *found[-1])
    for name, found in runs.items():
        if len(found) > 1:
            tell_slopes(name, found)


def tell(name: str, size: int, run: dict[str, Any]) -> None:
    peaks = "  ".join(f"{s} {own / MB:.0f} ({mapped / MB:.0f})" for s, (own, mapped) in run["peaks"].items())
    print(f"{size:,} documents, {name}, {run['seconds']:.0f} s; peak MB (with mapped files): {peaks}", flush=True)


def tell_slopes(name: str, found: list[tuple[int, dict[str, Any]]]) -> None:
    (less, before), (more, after) = found[-2:]
    slopes = []
    for stage, peaks in after["peaks"].items():
        own, mapped = ((b - a) / (more - less) for a, b in zip(before["peaks"][stage], peaks, strict=True))
        slopes.append(f"{stage} {own:.0f} ({mapped:.0f})")
    own, mapped = (
        (max(p[k] for p in after["peaks"].values()) - max(p[k] for p in before["peaks"].values())) / (more - less)
        for k in range(2)
    )
    print(f"{name}: bytes a document {own:.0f} ({mapped:.0f}); {'  '.join(slopes)}")


if __name__ == "__main__":
    main()
