"""What 1 TB on 64 cores and 100 TB on 1,000 would cost: time, memory, bytes and files exchanged, and the first limit.

usage: python tests/benchmarks/scale_model.py [--sizes 35,105] [--corpus FILE.jsonl] [--planner-bytes 9] [--json]
       python tests/benchmarks/scale_model.py --smoke

Each size is one run of all stages in a process of its own, with one worker. Time is processor time, so that what else
runs does not count: that of workers they share, the driver's own does not shrink with them. Both are taken as lines
through the two largest sizes, and carried on. The planner's memory a document is what planner_memory.py fits, for runs
this small show buffers. Requests are counted from how many files each step writes and reads (`requests`). That is a
model: it says where to look first, not what a bill will be.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from winnow.deduplicate import removals
from winnow.deduplicate.array_files import FETCHED_AT_ONCE, MOST_PARTS
from winnow.deduplicate.decisions import Removals
from winnow.deduplicate.documents import comparison
from winnow.deduplicate.documents.pair_jobs import JOB_BYTES
from winnow.deduplicate.documents.shingle_store import Brought
from winnow.deduplicate.work_files import FACTS, KEYED, PASSAGE
from winnow.run.assemble import MERGED_RANGES, MOST_RUNS, RANGE_BYTES
from winnow.run.work_plan import RANGE_ROWS

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

TB = 10**12
PLANNER_GB = 16
PLANNER_MB = 250  # before the first document
CORES = {TB: 64, 100 * TB: 1000}
READS_A_DOLLAR, WRITES_A_DOLLAR = 1000 / 0.0004, 1000 / 0.005
READ_SECONDS, WRITE_SECONDS = 0.015, 0.03  # until the first byte of a range is there; until a small file is taken
WORKER_DISK_GB = 200
SHARD, RANGE, PARTITION = 64 << 20, RANGE_BYTES, 64 << 20  # bytes; of a shard, what read.shard_mb should be there
PAIRS_A_JOB = 5_000
SETS_BROUGHT = 7  # times: of copies, what tells those apart (3), of alike ones (2), of those that are listed
DAY = 24 * 3600.0  # what a run may take: winnow.base.environment.run_hours
# Six tasks times (create, three states, read, finish); the flow's own, artifacts and batches of log lines.
PREFECT_CALLS = 6 * 6 + 12

ASSUMPTIONS = f"""Assumptions
  Text like the sample: as many characters a document, as much damage, as few copies. Many copies of one text cost more:
  candidate pairs grow with the square of a cluster, up to the limits in winnow.deduplicate.
  One core of a worker is as fast as one here, and shared storage feeds it (measured: local disk, files in cache).
  The planner has {PLANNER_GB} GB. A version is built from nothing; a later one re-reads all index and passage rows.
  Requests are those of workers that share nothing but the store: one a file written, two a piece read. A read is
  waited for {READ_SECONDS * 1000:.0f} ms, a write {WRITE_SECONDS * 1000:.0f} ms, one at a time by each core;
  pieces of the exchange and of sets, and what the planner fetches, {FETCHED_AT_ONCE} at once.
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


def one_run(source: Path, into: Path) -> dict[str, Any]:
    """Figures of one run: seconds by stage (driver's, workers'), bytes, documents, the driver's peak memory."""
    from tests.operate.dataset_runs import run_stages

    from winnow.base.recipe import PublishSettings, Recipe
    from winnow.publish.dataset import Dataset
    from winnow.run import release, table_checks
    from winnow.run.executor import open_executor

    # As on a cluster, and with as much as it takes for workers to check rows and to write the files of tables.
    release.is_cluster = lambda executor: True
    table_checks.MANY_ROWS = 0
    # As where workers share nothing, and there is more than one partition of pairs.
    comparison.is_exchanged = lambda path: True  # type: ignore[attr-defined]
    comparison.partitions_for = lambda rows, size: 1 + rows * size // (1 << 18)  # type: ignore[attr-defined]
    comparison.PAIRS_A_JOB = PAIRS_A_JOB
    clear_sets = comparison.clear

    def clear_brought(sets: Sequence[Any]) -> None:
        parts = [part for one in sets if isinstance(one, Brought) for part in (one.sets, one.sizes)]
        sizes["brought"] += sum(path.stat().st_size for path in {file.path for part in parts for file in part.files})
        clear_sets(sets)

    comparison.clear = removals.clear = clear_brought  # type: ignore[attr-defined]

    def clear(removals: Removals, folder: Path) -> None:
        sizes["shuffle"] = folder_bytes(folder)
        step = [sum(p.stat().st_size for name in of for p in folder.glob(f"{name}.npy")) for of in FETCHED.values()]
        sizes["everywhere"] = max(step)
        sizes["pairs"] = sum(p.stat().st_size for p in folder.glob("to-verify-*.npy")) // 8
        sizes["shuffle"] += sizes["brought"]
        cleared(removals, folder)

    cleared, Removals.clear = Removals.clear, clear  # type: ignore[method-assign]  # deduplication clears them itself
    dataset = Dataset(into)
    laps: dict[str, dict[str, float]] = {}
    sizes: dict[str, int] = {"brought": 0}
    import great_expectations  # noqa: F401  # which takes seconds, whatever the size

    with open_executor("processes", 1) as pool:
        list(pool.map(abs, [1]))  # a worker is up
        at = 0.0, 0.0

        def lap(step: str) -> None:
            nonlocal at
            now = processor_seconds()
            if step in STAGES:
                laps[STAGES[step]] = {"driver": now[0] - at[0], "workers": now[1] - at[1]}
            if step == "deduplicated":
                sizes["staging"] = folder_bytes(dataset.staging)
            at = processor_seconds()

        summary = run_stages(source, dataset, pool, lap, Recipe(publish=PublishSettings(file_mb=1)))
    return {
        "bytes": folder_bytes(source),
        "documents": summary["documents"]["read"],
        "laps": laps,
        **sizes,
        "dataset": folder_bytes(dataset.table("documents").parent),
        "passages": sum(pq.read_metadata(f).num_rows for f in dataset.files("passages")),
        "driver_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "worker_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
    }


def folder_bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def measure(megabytes: float, corpus: Path | None, work: Path) -> dict[str, Any]:
    """A run over so much text, in a process of its own."""
    source = work / f"in-{megabytes}"
    source.mkdir()
    write_text(source / "a.jsonl", int(megabytes * 1e6), corpus)
    command = [sys.executable, __file__, "--one", str(source), str(work / f"out-{megabytes}")]
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


def parts_of(rows: float, row_bytes: float) -> float:
    """Partitions of so many rows."""
    return max(1.0, rows * row_bytes / PARTITION)


def exchange(files: float, each: float) -> tuple[float, float]:
    """Reads and writes of rows that go from files to so many partitions, merged on the way as `gather` does it."""
    reads, writes, spans = 0.0, 2 * files, 1.0
    while min(files, each) > MOST_PARTS:
        reads += 2 * spans * MOST_PARTS * files  # where its piece begins and ends, and the piece
        spans, each, files = spans * MOST_PARTS, each / MOST_PARTS, max(1.0, files / MOST_PARTS)
        writes += 2 * spans * files
    return reads + 2 * spans * each * files, writes


def requests(size: float, documents: float, passages: float, brought: float) -> dict[str, float]:
    """What is written and read, by what makes it grow: shards, ranges of ids, partitions of hashes, sets compared."""
    shards, ranges = size / SHARD, size / RANGE
    levels = 0
    runs = shards
    while runs > MOST_RUNS:
        runs, levels = runs / MOST_RUNS, levels + 1
    parts = parts_of(documents, FACTS.itemsize)
    bands = parts_of(documents * 100, KEYED.itemsize)
    kinds = [
        exchange(shards, parts), *[exchange(parts, parts)] * 2, *[exchange(shards, bands)] * 2,
        exchange(shards, parts_of(passages, KEYED.itemsize)),
        *[exchange(shards, parts_of(passages, PASSAGE.itemsize))] * 2,
    ]  # fmt: skip
    # The sets themselves and whose they are, by job; before that, by file, which ones are wanted.
    jobs = max(1.0, brought / SETS_BROUGHT / JOB_BYTES)
    sets = [*[exchange(shards, jobs)] * 2, exchange(max(1.0, jobs / comparison.JOBS_LISTED), shards)] * SETS_BROUGHT
    return {
        # raw, identities, repaired, prepared and index with their rejects and counts; sketches and shingle sets
        "writes": (
            shards * 24
            + ranges * 5
            + parts * 20
            + levels * 3 * shards / MOST_RUNS
            + sum(w for _, w in [*kinds, *sets])
            + SETS_BROUGHT * jobs * 2
        ),
        "reads by shards": shards * 24,
        # A file's end once for some ranges, and rows of it for each.
        "reads by merges of runs": levels * 3 * (1 + 1 / MERGED_RANGES) * shards * SHARD / RANGE * MOST_RUNS,
        "reads by ranges of ids": 2 * ranges * (3 * min(shards, MOST_RUNS) + 5),
        "reads by the exchange": sum(r for r, _ in kinds),
        # Each file of sets and where they lie in it, and the pairs.
        "reads of shingle sets": sum(r for r, _ in sets) + SETS_BROUGHT * (2 * shards + 2 * jobs),
        # Its files are Parquet: of each piece the footer as well as the rows.
        "reads by the plan": 2 * exchange(shards, max(1.0, documents / RANGE_ROWS))[0],
        # What each shard, each partition and each job leaves: where sets and sketches lie, samples, pairs, results.
        "reads by the planning process": 12 * shards + 5 * parts + 4 * bands + 2 * SETS_BROUGHT * jobs,
    }


def waited(asked: dict[str, float], cores: float) -> tuple[float, float]:
    """Seconds that the planning process and the workers wait for requests."""
    own = asked["reads by the planning process"]
    at_once = asked["reads by the exchange"] + asked["reads of shingle sets"]
    others = sum(asked.values()) - asked["writes"] - own - at_once
    of_workers = (others + at_once / FETCHED_AT_ONCE) * READ_SECONDS + asked["writes"] * WRITE_SECONDS
    return own / FETCHED_AT_ONCE * READ_SECONDS, of_workers / cores


def model(runs: Sequence[dict[str, Any]], planner_bytes: float) -> dict[str, Any]:
    """Costs at 1 TB and 100 TB of input, and the sizes at which something gives way."""
    sizes = [r["bytes"] for r in runs]
    stages = list(runs[0]["laps"])
    lines = {
        (stage, who): Line(sizes, [r["laps"][stage][who] for r in runs])
        for stage in stages
        for who in ("driver", "workers")
    }
    per_document = runs[-1]["bytes"] / runs[-1]["documents"]
    shares = {
        k: Line(sizes, [r[k] for r in runs]).slope for k in ("staging", "shuffle", "dataset", "everywhere", "brought")
    }
    passages = runs[-1]["passages"] / runs[-1]["bytes"]
    worker = max(r["worker_bytes"] for r in runs)

    def planner(size: float) -> float:
        return PLANNER_MB * 1e6 + planner_bytes * size / per_document

    def asked_at(size: float) -> dict[str, float]:
        return requests(size, size / per_document, passages * size, shares["brought"] * size)

    costs = {}
    for size, cores in CORES.items():
        asked = asked_at(size)
        own_wait, wait = waited(asked, cores)
        writes = asked.pop("writes")
        own = {s: lines[s, "driver"].at(size) for s in stages}
        mapped = {s: lines[s, "workers"].at(size) for s in stages}
        costs[size // TB] = {
            "documents": size / per_document,
            "worker core hours": sum(mapped.values()) / 3600,
            "driver hours": (sum(own.values()) + own_wait) / 3600,
            "driver hours, waiting for the store": own_wait / 3600,
            **{f"driver hours, {stage}": seconds / 3600 for stage, seconds in own.items()},
            "planner memory GB": planner(size) / 1e9,
            "worker memory GB": worker / 1e9,
            "worker disk GB": size * shares["everywhere"] / 1e9,
            "staging TB": size * shares["staging"] / TB,
            "exchanged TB": size * shares["shuffle"] / TB,
            "of it shingle sets TB": size * shares["brought"] / TB,
            "dataset TB": size * shares["dataset"] / TB,
            "shards": size / SHARD,
            "million writes": writes / 1e6,
            **{f"million {name}": count / 1e6 for name, count in asked.items()},
            "dollars for requests": writes / WRITES_A_DOLLAR + sum(asked.values()) / READS_A_DOLLAR,
            "Prefect calls": PREFECT_CALLS,
            "doc_ids that two sources share": (size / per_document) ** 2 / 2**65,
            f"hours on {cores} cores": (sum(own.values()) + sum(mapped.values()) / cores + own_wait + wait) / 3600,
            "of them workers waiting for the store": wait / 3600,
        }

    def drivers(size: float) -> float:
        return sum(lines[s, "driver"].at(size) for s in stages) + waited(asked_at(size), 1)[0]

    limits = {
        f"the planner's {PLANNER_GB} GB are full": _reached(planner, PLANNER_GB * 1e9),
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


def tell(runs: Sequence[dict[str, Any]], found: dict[str, Any]) -> Iterator[str]:
    yield "Measured, seconds (driver's own + workers')"
    for run in runs:
        laps = "  ".join(f"{s} {v['driver']:.1f}+{v['workers']:.1f}" for s, v in run["laps"].items())
        yield f"  {run['bytes'] / 1e6:7.1f} MB, {run['documents']:,} documents: {laps}"
        yield (
            f"           driver {run['driver_bytes'] / 1e6:.0f} MB, worker {run['worker_bytes'] / 1e6:.0f} MB, "
            f"staging {run['staging'] / 1e6:.1f} MB, "
            f"shuffle {run['shuffle'] / 1e6:.1f} MB, tables {run['dataset'] / 1e6:.1f} MB"
        )
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
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--smoke", action="store_true", help="two sizes too small to tell slopes: that it works")
    parser.add_argument("--one", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one_run(*options.one)))
        return
    sizes = "0.1,0.2" if options.smoke else options.sizes
    with tempfile.TemporaryDirectory() as work:
        runs = [measure(float(s), options.corpus, Path(work)) for s in sizes.split(",")]
    found = model(runs, options.planner_bytes)
    print(json.dumps({"runs": runs, **found}) if options.json else "\n".join(tell(runs, found)))


if __name__ == "__main__":
    main()
