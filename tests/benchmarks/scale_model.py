"""What 1 TB on 64 cores and 100 TB on 1,000 would cost: time, memory, bytes and files exchanged, and the first limit.

usage: python tests/benchmarks/scale_model.py [--sizes 35,105] [--corpus FILE.jsonl] [--json]
           [--planner-bytes 9] [--planner-us 5]
       python tests/benchmarks/scale_model.py --smoke

Each size is one run of all stages in a process of its own, with one worker. Time is processor time, so that what else
runs does not count. That of workers is a line through the two largest sizes, carried on, and they share it. The
planning process looks at text for checksums alone. The rest of its time goes by what it counts: shards, parts of tables
(the ranges of doc_ids that one call assembles), jobs of pairs, files of tables. What one of each costs is the
difference of two runs over the same little text, of which the second has tens of times as many (`UNITS`), times as many
as there will be. Memory and time a document are what planner_memory.py fits: runs this small show buffers. Requests are
counted from how many files each step writes and reads (scale_requests.py), those of the planning process as a run on a
store made them. That is a model: it says where to look first, not what a bill will be.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from winnow.base.contracts import TABLES
from winnow.base.files import READ_AHEAD
from winnow.deduplicate import removals
from winnow.deduplicate.decisions import Removals
from winnow.deduplicate.documents import comparison
from winnow.deduplicate.documents.shingle_store import Brought
from winnow.run import sorted_runs

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tests.benchmarks.scale_requests import (  # noqa: E402
    READ_SECONDS,
    WRITE_SECONDS,
    counts_at,
    requests,
    waited,
)

TB = 10**12
PLANNER_GB = 16
PLANNER_MB = 250  # before the first document
CORES = {TB: 64, 100 * TB: 1000}
READS_A_DOLLAR, WRITES_A_DOLLAR = 1000 / 0.0004, 1000 / 0.005
WORKER_DISK_GB = 200
UNITS: dict[str, dict[str, float]] = {
    "parts": {"range": 1 << 18},
    "shards": {"shard": 0.2e6},
    "jobs of pairs": {"pairs": 25},
    "files": {"range": 1 << 18, "file": 1 << 16},
}
"""What the planning process counts, and which bytes, or pairs, make many of it of little text."""
UNITS_MB = 8
JOB_SECONDS = 0.0025  # of processor time that a job costs the planning process more on Dask than in a pool
REQUEST_SECONDS = 0.001  # the same for a request to the store
PLANNER_READS = {"shards": 25.0, "parts": 11.0, "jobs of pairs": 0.2}
"""Requests of the planning process for each of them, several at once, as a run on a store with one worker made them."""
PAIRS_A_JOB = 5_000
DAY = 24 * 3600.0  # what a run may take: winnow.base.environment.run_hours
# Six tasks times (create, three states, read, finish); the flow's own, artifacts and batches of log lines.
PREFECT_CALLS = 6 * 6 + 12

ASSUMPTIONS = f"""Assumptions
  Text like the sample: as many characters a document, as much damage, as few copies. Many copies of one text cost more:
  candidate pairs grow with the square of a cluster, up to the limits in winnow.deduplicate.
  One core of a worker is as fast as one here, and shared storage feeds it (measured: local disk, files in cache).
  The planner has {PLANNER_GB} GB. A version is built from nothing; a later one re-reads all index and passage rows.
  Requests are those of workers that share nothing but the store: one a file written, two a piece read. A read is
  waited for {READ_SECONDS * 1000:.0f} ms, a write {WRITE_SECONDS * 1000:.0f} ms. Each core reads shards and writes
  files in turn; pieces of the exchange, of sets, of runs and ranges, as what the planner fetches, come {READ_AHEAD}
  at once.
  A job costs the planner {JOB_SECONDS * 1000:.1f} ms more on Dask than here, a request {REQUEST_SECONDS * 1000:.1f} ms.
  Sets of shingles go to as many jobs as they do here, with {PAIRS_A_JOB:,} pairs a job (there some ten times as many).
  Prefect is told of stages, never of shards: {PREFECT_CALLS} calls, whatever the size."""


def processor_seconds() -> tuple[float, float]:
    """What this process has used of processors, and what the processes that it started have, ended ones too."""
    times, ticks = os.times(), os.sysconf("SC_CLK_TCK")
    below, found = {os.getpid()}, times.children_user + times.children_system
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended
            stats[int(path.parent.name)] = path.read_text().rpartition(")")[2].split()
    while more := {pid for pid, fields in stats.items() if int(fields[1]) in below and pid not in below}:
        below |= more
        found += sum(int(n) for pid in more for n in stats[pid][11:15]) / ticks
    return times.user + times.system, found


FETCHED = {
    "ranks": ("order-keys", "order-ranks", "order-exact_of"),
    "candidates": ("order-n_shingles", "sketches", "sketch-places"),
    "shingles": ("order-keys", "order-ranks", "order-arrival", "templates"),
    "pairs": ("order-n_shingles", "nearest"),
    "sets": ("shingle-places-five",),
    "alike": ("order-doc_keys", "shingle-places-three"),
    "spread": ("order-keys", "order-ranks", "order-doc_keys", "copies", "inner-places", "inner-place-parts"),
    "repeats": ("order-arrival", "order-site", "order-doc_keys", "repeated-places"),
    "decisions": ("order-doc_keys", "order-exact_of", "copies", "away", "kept-for-others"),
}
"""Files of all documents, of which each worker fetches the whole; those of a step before go when there is no room."""

STAGES = {
    "read": "read", "repaired": "repair", "checked": "check", "deduplicated": "deduplicate", "validated": "validate",
    "published": "publish",
}  # fmt: skip
"""The stage that ends where a run reaches each step."""


def one_run(source: Path, into: Path, how: dict[str, float]) -> dict[str, Any]:
    """Figures of one run: seconds by stage (driver's, workers'), what it counts, bytes, documents, peaks of memory."""
    from tests.operate.dataset_runs import run_stages

    from winnow.base.doc_ids import unpacked_bytes
    from winnow.base.recipe import Recipe
    from winnow.publish.dataset import Dataset
    from winnow.publish.version import Publication
    from winnow.read import shards
    from winnow.run import release, table_checks
    from winnow.run.executor import open_executor

    shards._SHARDS, shards._LEAST_SHARD, shards.MIN_PART = 1, 1000, 1000
    sorted_runs.RANGE_BYTES = int(how.get("range", sorted_runs.RANGE_BYTES))
    write_job = Publication.write_job
    file_bytes = int(how.get("file", 1 << 20))
    Publication.write_job = lambda *given: replace(write_job(*given), file_bytes=file_bytes)  # type: ignore[method-assign]

    # As on a cluster, and with as much as it takes for workers to check rows and to write the files of tables.
    release.is_cluster = lambda executor: True
    table_checks.MANY_ROWS = 0
    # As where workers share nothing, and there is more than one partition of pairs.
    comparison.is_exchanged = lambda path: True  # type: ignore[attr-defined]
    comparison.partitions_for = lambda rows, size: 1 + rows * size // (1 << 18)  # type: ignore[attr-defined]
    comparison.PAIRS_A_JOB = int(how.get("pairs", PAIRS_A_JOB))
    clear_sets = comparison.clear

    def clear_brought(sets: Sequence[Any]) -> None:
        paths = {file.path for one in sets if isinstance(one, Brought) for file in one.files}
        sizes["brought"] += sum(path.stat().st_size for path in paths)
        clear_sets(sets)

    comparison.clear = removals.clear = clear_brought  # type: ignore[attr-defined]

    def clear(removals: Removals, folder: Path) -> None:
        sizes["shuffle"] = folder_bytes(folder)
        step = [sum(p.stat().st_size for name in of for p in folder.glob(f"{name}.npy")) for of in FETCHED.values()]
        sizes["everywhere"] = max(step)
        sizes["pairs"] = sum(p.stat().st_size for p in folder.glob("to-verify-*.npy")) // 8
        sizes["shuffle"] += sizes["brought"]
        made = [path for kind in ("repaired", "prepared") for path in dataset.staging.rglob(f"{kind}/*.parquet")]
        sizes["merged"] = sum(unpacked_bytes(pq.read_metadata(path)) for path in made)
        cleared(removals, folder)

    cleared, Removals.clear = Removals.clear, clear  # type: ignore[method-assign]  # deduplication clears them itself
    dataset = Dataset(into)
    laps: dict[str, dict[str, float]] = {}
    sizes: dict[str, int] = {"brought": 0}
    import great_expectations  # noqa: F401  # which takes seconds, whatever the size

    with open_executor("processes", 1) as pool:
        list(pool.map(abs, [1]))  # a worker is up
        at, submit, calls = (0.0, 0.0), pool.submit, Counter[str]()

        def counted(fn: Callable[..., Any], /, *args: Any) -> Any:
            calls[fn.__name__] += 1
            return submit(fn, *args)

        pool.submit = counted  # type: ignore[method-assign]

        def lap(step: str) -> None:
            nonlocal at
            now = processor_seconds()
            if step in STAGES:
                laps[STAGES[step]] = {"driver": now[0] - at[0], "workers": now[1] - at[1]}
            if step == "deduplicated":
                sizes["staging"] = folder_bytes(dataset.staging)
            at = processor_seconds()

        shard_mb = how.get("shard", 16e6) / 1e6
        summary = run_stages(source, dataset, pool, lap, Recipe.model_validate({"read": {"shard_mb": shard_mb}}))
    return {
        "bytes": folder_bytes(source),
        "documents": summary["documents"]["read"],
        "laps": laps,
        "counted": {
            "shards": calls["read_job"],
            "parts": calls["assemble_job"],
            "jobs of pairs": calls["verify_pairs"] + calls["count_kept"],
            "files": sum(len(dataset.files(table)) for table in TABLES),
            "jobs": calls.total(),
        },
        **sizes,
        "dataset": folder_bytes(dataset.table("documents").parent),
        "passages": sum(pq.read_metadata(f).num_rows for f in dataset.files("passages")),
        "driver_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "worker_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
    }


def folder_bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def measure(megabytes: float, corpus: Path | None, work: Path, how: Mapping[str, float] = {}) -> dict[str, Any]:
    """A run over so much text, in a process of its own."""
    source = work / f"in-{megabytes}"
    if not source.exists():
        source.mkdir()
        write_text(source / "a.jsonl", int(megabytes * 1e6), corpus)
    shutil.rmtree(work / "out", ignore_errors=True)
    command = [sys.executable, __file__, "--one", str(source), str(work / "out"), json.dumps(how)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def write_text(path: Path, size: int, corpus: Path | None) -> None:
    """The head of the corpus, or made-up articles where none is given."""
    from tests.articles import article

    written = number = 0
    with path.open("wb") as out:
        lines = corpus.open("rb") if corpus else None
        while written < size:
            if lines:
                line = lines.readline()
                if not line:
                    break
            else:
                text = article(number).replace("the ", "the &amp;amp; ", 2)
                line = json.dumps({"id": f"d{number}", "text": text}).encode() + b"\n"
            written += out.write(line)
            number += 1


class Line:
    """A line through the two largest measurements: ``fixed + slope * x``; neither is taken below nothing."""

    def __init__(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        (x0, y0), (x1, y1) = sorted(zip(xs, ys, strict=True))[-2:]
        self.slope = max(0.0, (y1 - y0) / (x1 - x0))
        self.fixed = max(0.0, y1 - self.slope * x1)

    def at(self, x: float) -> float:
        return self.fixed + self.slope * x


@dataclass(frozen=True)
class Planner:
    """What the planning process costs: seconds by stage before it counts anything and for each unit, and a document.

    `jobs` are those that each unit adds.
    """

    fixed: dict[str, float]
    units: dict[str, dict[str, float]]
    jobs: dict[str, float]
    bytes_a_document: float
    us_a_document: float

    @classmethod
    def of(cls, few: Any, many: dict[str, Any], bytes_a_document: float, us_a_document: float) -> Planner:
        """From a run that counts few of each, and for each unit one that counts many of it."""
        units, jobs = {}, {}
        for unit, run in many.items():
            less = many["parts"] if unit == "files" else few  # a file has one part at least
            more = max(1, run["counted"][unit] - less["counted"][unit])
            found = {stage: lap["driver"] - less["laps"][stage]["driver"] for stage, lap in run["laps"].items()}
            units[unit] = {stage: max(0.0, seconds) / more for stage, seconds in found.items()}
            jobs[unit] = max(0, run["counted"]["jobs"] - less["counted"]["jobs"]) / more
        fixed = {stage: lap["driver"] for stage, lap in few["laps"].items()}
        return cls(fixed, units, jobs, bytes_a_document, us_a_document)

    def memory(self, documents: float) -> float:
        return PLANNER_MB * 1e6 + self.bytes_a_document * documents

    def reads(self, counts: dict[str, float]) -> float:
        return sum(n * counts[unit] for unit, n in PLANNER_READS.items())

    def waits(self, counts: dict[str, float]) -> float:
        return READ_SECONDS * self.reads(counts) / READ_AHEAD

    def seconds(self, counts: dict[str, float], documents: float) -> dict[str, float]:
        """Its own processor seconds, by what takes them."""
        jobs = sum(self.jobs[unit] * n for unit, n in counts.items())
        return {
            "whatever the size": sum(self.fixed.values()),
            **{f"for {unit}": sum(self.units[unit].values()) * n for unit, n in counts.items()},
            "for documents": self.us_a_document * 1e-6 * documents,
            "telling Dask of jobs": JOB_SECONDS * jobs,
            "making requests": REQUEST_SECONDS * self.reads(counts),
        }


def model(runs: Sequence[dict[str, Any]], planner: Planner) -> dict[str, Any]:
    """Costs at 1 TB and 100 TB of input, and the sizes at which something gives way."""
    sizes = [r["bytes"] for r in runs]
    stages = list(runs[0]["laps"])
    lines = {stage: Line(sizes, [r["laps"][stage]["workers"] for r in runs]) for stage in stages}
    per_document = runs[-1]["bytes"] / runs[-1]["documents"]
    shares = {
        k: Line(sizes, [r[k] for r in runs]).slope
        for k in ("staging", "shuffle", "dataset", "everywhere", "brought", "merged")
    }
    passages = runs[-1]["passages"] / runs[-1]["bytes"]
    worker = max(r["worker_bytes"] for r in runs)

    # It reads every input once, to know it again.
    checksums = Line(sizes, [r["laps"]["read"]["driver"] for r in runs]).slope

    def own_at(size: float) -> dict[str, float]:
        of = planner.seconds(counted_at(size), size / per_document)
        return {**of, "checksums of the inputs": checksums * size}

    def asked_at(size: float) -> dict[str, float]:
        documents, brought, merged = size / per_document, shares["brought"] * size, shares["merged"] * size
        return requests(size, documents, passages * size, brought, merged)

    def counted_at(size: float) -> dict[str, float]:
        return counts_at(size, shares["brought"] * size, shares["dataset"] * size)

    costs = {}
    for size, cores in CORES.items():
        asked, counted = asked_at(size), counted_at(size)
        wait, own_wait = waited(asked, cores), planner.waits(counted)
        writes = asked.pop("writes")
        asked["reads by the planning process"] = planner.reads(counted)
        own = own_at(size)
        mapped = {s: lines[s].at(size) for s in stages}
        costs[size // TB] = {
            "documents": size / per_document,
            "worker core hours": sum(mapped.values()) / 3600,
            "driver hours": (sum(own.values()) + own_wait) / 3600,
            "driver hours, waiting for the store": own_wait / 3600,
            **{f"driver hours, {of}": seconds / 3600 for of, seconds in own.items()},
            "planner memory GB": planner.memory(size / per_document) / 1e9,
            "worker memory GB": worker / 1e9,
            "worker disk GB": size * shares["everywhere"] / 1e9,
            "staging TB": size * shares["staging"] / TB,
            "exchanged TB": size * shares["shuffle"] / TB,
            "of it shingle sets TB": size * shares["brought"] / TB,
            "dataset TB": size * shares["dataset"] / TB,
            **counted,
            "jobs": sum(planner.jobs[unit] * n for unit, n in counted.items()),
            "million writes": writes / 1e6,
            **{f"million {name}": count / 1e6 for name, count in asked.items()},
            "dollars for requests": writes / WRITES_A_DOLLAR + sum(asked.values()) / READS_A_DOLLAR,
            "Prefect calls": PREFECT_CALLS,
            "doc_ids that two sources share": (size / per_document) ** 2 / 2**65,
            f"hours on {cores} cores": (sum(own.values()) + sum(mapped.values()) / cores + own_wait + wait) / 3600,
            "of them workers waiting for the store": wait / 3600,
        }

    def drivers(size: float) -> float:
        return sum(own_at(size).values()) + planner.waits(counted_at(size))

    limits = {
        f"the planner's {PLANNER_GB} GB are full": _reached(
            lambda size: planner.memory(size / per_document), PLANNER_GB * 1e9
        ),
        f"files of all documents that each worker fetches for one step take {WORKER_DISK_GB} GB of its disk": _reached(
            lambda size: size * shares["everywhere"], WORKER_DISK_GB * 1e9
        ),
        "requests cost more than a dollar a GB": _reached(
            lambda size: sum(n for k, n in asked_at(size).items() if k != "writes") / READS_A_DOLLAR / size * 1e9, 1
        ),
        "the driver alone works for a day, the limit unless WINNOW_RUN_HOURS says more": _reached(drivers, DAY),
        "more than 2^32 documents: ranks in a pair of 64 bits overflow": 2**32 * per_document,
    }
    return {"costs in TB": costs, "limits": dict(sorted(limits.items(), key=lambda kv: kv[1]))}


def _reached(costs: Callable[[float], float], most: float) -> float:
    """The size at which growing costs reach `most`, to a thousandth; infinite beyond a million TB."""
    low, high = 1e6, 1e18
    if costs(high) < most:
        return float("inf")
    while high / low > 1.001:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if costs(middle) < most else (low, middle)
    return high


def tell(runs: Sequence[dict[str, Any]], planner: Planner, found: dict[str, Any]) -> Iterator[str]:
    yield "Measured, seconds (driver's own + workers')"
    for run in runs:
        laps = "  ".join(f"{s} {v['driver']:.1f}+{v['workers']:.1f}" for s, v in run["laps"].items())
        yield f"  {run['bytes'] / 1e6:7.1f} MB, {run['documents']:,} documents: {laps}"
        yield (
            f"           driver {run['driver_bytes'] / 1e6:.0f} MB, worker {run['worker_bytes'] / 1e6:.0f} MB, "
            f"staging {run['staging'] / 1e6:.1f} MB, "
            f"shuffle {run['shuffle'] / 1e6:.1f} MB, tables {run['dataset'] / 1e6:.1f} MB"
        )
    fixed = "  ".join(f"{stage} {seconds:.2f}" for stage, seconds in planner.fixed.items())
    yield f"The planning process, over {UNITS_MB} MB (seconds): {fixed}"
    for unit, laps in planner.units.items():
        each = "  ".join(f"{stage} {1000 * seconds:.1f}" for stage, seconds in laps.items())
        yield f"  each of the {unit} (milliseconds): {each}; {planner.jobs[unit]:.1f} jobs"
    for size, costs in found["costs in TB"].items():
        yield f"{size} TB"
        for name, value in costs.items():
            yield f"  {name:<38} {value:{',.1f' if value >= 0.1 else '.1g'}}"
    yield "What gives way, in this order"
    for name, size in found["limits"].items():
        yield f"  {'never, at this slope' if size == float('inf') else f'{size / TB:,.2f} TB':>20}  {name}"
    yield ASSUMPTIONS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="35,105", help="megabytes, two or more; small ones show buffers, not slopes")
    parser.add_argument("--corpus", type=Path, help="JSON lines; made-up articles if it is not given")
    parser.add_argument("--planner-bytes", type=float, default=9, help="a document, as planner_memory.py fits it")
    parser.add_argument("--planner-us", type=float, default=5, help="microseconds a document, as it fits them")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--smoke", action="store_true", help="two sizes too small to tell slopes: that it works")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        source, into, how = options.one
        print(json.dumps(one_run(Path(source), Path(into), json.loads(how))))
        return
    sizes, size = ("0.1,0.2", 0.1) if options.smoke else (options.sizes, UNITS_MB)
    with tempfile.TemporaryDirectory() as work:
        runs = [measure(float(s), options.corpus, Path(work)) for s in sizes.split(",")]
        few = measure(size, options.corpus, Path(work))
        many: dict[str, Any] = {}
        for unit, how in UNITS.items():
            if options.smoke and many:  # one shows that it works
                many[unit] = many["parts"]
            else:
                many[unit] = measure(size, options.corpus, Path(work), how)
    planner = Planner.of(few, many, options.planner_bytes, options.planner_us)
    found = model(runs, planner)
    print(json.dumps({"runs": runs, **found}) if options.json else "\n".join(tell(runs, planner, found)))


if __name__ == "__main__":
    main()
