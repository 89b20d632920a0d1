"""Memory and processor time of the process that plans a run, over growing numbers of short documents, with the slopes.

usage: python tests/benchmarks/planner_memory.py [--documents 1000000,3000000] [--workers 2] [--ranges N] [--work DIR]
       python tests/benchmarks/planner_memory.py --smoke

As many documents are published, and all are read again; half of them have other content now. Each has a passage of its
own, and one that it shares with four others, of which it goes where it is not the first. The stages are given files
as reading, repair and preparation leave them, for only what the planning process does is looked at: which rows have
work, what is left out, what was decided otherwise, and the facts of the next version. That process is sampled by stage:
its own memory (anonymous pages), and with the pages of files that it has mapped, which the system takes back when it
needs them; and its processor time. Workers are
other processes and are not counted. What takes one range of doc_ids is done in the planning
process itself, so slopes show from where there are several: with `--ranges` they are smaller (rows a range) and fewer
documents tell them.
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
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    import winnow  # noqa: F401  # first: it says how Arrow and polars give memory back

import numpy as np  # noqa: E402
import polars as pl  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from winnow.base.contracts import TABLES  # noqa: E402
from winnow.base.doc_ids import as_doc_ids  # noqa: E402
from winnow.base.recipe import DeduplicateSettings  # noqa: E402
from winnow.base.staging import IDENTITIES, PREPARED, PREPARED_INDEX, RAW, REJECTED  # noqa: E402
from winnow.deduplicate.removals import find_removals  # noqa: E402
from winnow.publish.dataset import Dataset  # noqa: E402
from winnow.read import InputFiles  # noqa: E402
from winnow.run import previous_version, version_facts, work_plan  # noqa: E402
from winnow.run.executor import open_executor  # noqa: E402
from winnow.run.jobs import ShardFiles  # noqa: E402
from winnow.run.previous_version import changed_decisions  # noqa: E402
from winnow.run.version_facts import facts_of_version  # noqa: E402
from winnow.run.work_plan import InputPlan, plan_rows  # noqa: E402

A_FILE = 100_000  # documents
A_GROUP = 5  # documents that share a passage
MB = 1e6


def write(path: Path, schema: pa.Schema, rows: int, **columns: Any) -> Path:
    """A file with these columns; the others hold blanks."""
    arrays = []
    path.parent.mkdir(parents=True, exist_ok=True)
    if not rows:
        pq.write_table(schema.empty_table(), path)
        return path
    for field in schema:
        values = columns.get(field.name)
        if values is None:
            one = None if field.nullable else blank(field.type)
            values = pa.nulls(rows, field.type) if one is None else pa.repeat(pa.scalar(one, field.type), rows)
        elif not isinstance(values, pa.Array):
            values = pa.repeat(pa.scalar(values, field.type), rows)
        arrays.append(values.cast(field.type))
    pq.write_table(pa.table(arrays, schema=schema), path, compression="zstd", row_group_size=20_000)
    return path


def blank(kind: pa.DataType) -> Any:
    if pa.types.is_list(kind) or pa.types.is_map(kind):
        return []
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_binary(kind):
        return bytes(16)
    if pa.types.is_string(kind):
        return ""
    return pa.scalar(0).cast(kind).as_py()


def passage_rows(ids: pa.Array, keys: np.ndarray) -> dict[str, Any]:
    """Two passages of each document, and what is decided about them; of five documents in a row the second is one."""
    first = np.arange(len(keys)) // A_GROUP * A_GROUP
    is_shared = np.tile([False, True], len(keys))
    prints = np.stack((keys, keys[first] ^ np.uint64(1)), axis=1).reshape(-1)
    goes = is_shared & (np.repeat(first, 2) != np.repeat(np.arange(len(keys)), 2))
    kept = pa.array(np.where(goes, np.repeat(first, 2), 0), mask=~goes)
    held = pa.array(np.where(goes, 1, 0), pa.int32(), mask=~goes)
    return {
        "doc_id": ids.take(pa.array(np.repeat(np.arange(len(keys)), 2))),
        "position": pa.array(is_shared.astype(np.int32)),
        "text": pa.repeat(pa.scalar("some words of a passage " * 12), len(is_shared)),
        "fingerprint": pa.Array.from_buffers(
            pa.binary(16), len(prints), [None, pa.py_buffer(np.repeat(prints, 2).tobytes())]
        ),
        "kind": "paragraph",
        "status": pa.array(np.where(goes, "removed", "kept")),
        "reason": pa.array(np.where(goes, "repeat", None)),
        "kept_doc_id": ids.take(kept),
        "kept_position": held,
        "similarity": held.cast(pa.float32()),
    }


class Published(Dataset):
    """A dataset whose version has the files of a folder."""

    def files(self, table: str, version: int | None = None) -> list[Path]:
        return sorted((self.root / table).glob("*.parquet"))


def make(folder: Path, documents: int) -> None:
    """Write what is published, what was read, and the new half of it as prepared for comparison."""
    for n, first in enumerate(range(0, documents, A_FILE)):
        rows = min(A_FILE, documents - first)
        keys = np.sort(pl.select(pl.int_range(first, first + rows).hash(1)).to_series().to_numpy())
        ids, odd = as_doc_ids(keys), (keys & np.uint64(1)).astype(bool)
        sha = pl.Series(ids, dtype=pl.String)
        old = (sha + sha + sha + sha).to_arrow()
        new = pl.select(pl.when(pl.Series(odd)).then(sha + "0" * 48).otherwise(pl.Series(old, dtype=pl.String)))
        prints = pa.Array.from_buffers(pa.binary(16), rows, [None, pa.py_buffer(np.repeat(keys, 2).tobytes())])
        name = f"{n:05d}.parquet"
        common = {"doc_id": ids, "input": f"{n}.jsonl", "recipe_id": "r" * 16, "site": "example.org"}
        write(
            folder / "published" / "index" / name, TABLES["index"], rows, **common, arrival=1, length=40, n_shingles=4,
            content_sha256=old, text_hash=prints,
        )  # fmt: skip
        passages = passage_rows(ids, keys)
        decided = {n: passages.pop(n) for n in ("status", "reason", "kept_doc_id", "kept_position", "similarity")}
        write(folder / "published" / "passages" / name, TABLES["passages"], 2 * rows, **passages, **decided)
        write(
            folder / "published" / "documents" / name, TABLES["documents"], rows, doc_id=ids, text="text", language="en"
        )
        for table in ("duplicates", "rejects", "edits"):
            write(folder / "published" / table / name, TABLES[table], 0)
        shard = ShardFiles(folder, f"{n:05d}")
        shuffled = np.random.default_rng(n).permutation(rows)
        read = {"doc_id": ids, "content_sha256": new.to_series().to_arrow(), "input": f"{n}.jsonl"}
        raw = {k: v.take(pa.array(shuffled)) if isinstance(v, pa.Array) else v for k, v in read.items()}
        write(shard.raw, RAW, rows, **raw)
        write(shard.identities, IDENTITIES, rows, **read, row=pa.array(np.argsort(shuffled)))
        write(shard.read_rejects, REJECTED, 0)
        half = pa.array(np.flatnonzero(odd))
        again = {k: v.take(half) if isinstance(v, pa.Array) else v for k, v in common.items()}
        write(
            folder / "index" / name, PREPARED_INDEX, len(half), **again, arrival=1, length=40, n_shingles=4,
            content_sha256=old.take(half), text_hash=prints.take(half),
        )  # fmt: skip
        both = pa.array(np.repeat(2 * np.flatnonzero(odd), 2) + np.tile([0, 1], len(half)))
        of_half = {k: v.take(both) if isinstance(v, pa.Array) else v for k, v in passages.items()}
        write(folder / "passages" / name, PREPARED, len(both), **of_half)


class Sampler(threading.Thread):
    """Peaks of this process by stage: ``[own memory, with mapped files]`` in bytes; and its processor seconds."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stage, self.began = "start", time.process_time()
        self.peaks: dict[str, list[int]] = {}
        self.seconds: dict[str, float] = {}

    def enter(self, stage: str) -> None:
        now = time.process_time()
        self.seconds[self.stage], self.stage, self.began = now - self.began, stage, now

    def run(self) -> None:
        while True:
            fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
            own, mapped = (1024 * int(fields[name].split()[0]) for name in ("RssAnon", "VmRSS"))
            peak = self.peaks.setdefault(self.stage, [0, 0])
            peak[:] = max(peak[0], own), max(peak[1], mapped)
            time.sleep(0.02)


def one_plan(folder: Path, workers: int, range_rows: int | None) -> dict[str, Any]:
    if range_rows:
        work_plan.RANGE_ROWS = previous_version.RANGE_ROWS = version_facts.RANGE_DOCUMENTS = range_rows
    dataset = Published(folder / "published")
    names = sorted(path.name.removesuffix(".parquet") for path in (folder / "index").glob("*.parquet"))
    shards = [ShardFiles(folder, name) for name in names]
    sampler, began = Sampler(), time.perf_counter()
    with open_executor("processes", workers) as pool:
        list(pool.map(abs, range(workers)))
        sampler.start()
        time.sleep(0.1)
        sampler.enter("plan")
        inputs = InputPlan(InputFiles.of(()))
        plan = plan_rows(shards, inputs, dataset, recipe_id="r" * 16, executor=pool, work=folder / "plan")
        assert 0 < plan.fresh == len(plan.replaced) < plan.fresh + plan.unchanged
        sampler.enter("decide")
        left_out = folder / "left_out.parquet"
        schema = pa.schema([TABLES["index"].field("doc_id")])
        with pq.ParquetWriter(left_out, schema) as writer:
            for table in plan.replaced.tables(schema):
                writer.write_table(table)
        found = find_removals(
            sorted((folder / "index").glob("*.parquet")), sorted((folder / "passages").glob("*.parquet")),
            folder / "work", DeduplicateSettings(), pool, published_index=dataset.files("index"),
            published_passages=dataset.files("passages"), leave_out=left_out,
        )  # fmt: skip
        sampler.enter("compare")
        changed = changed_decisions(
            dataset, left_out=plan.replaced, document_decisions=found.document_files,
            passage_decisions=found.passage_files, executor=pool,
        )  # fmt: skip
        sampler.enter("facts")
        replaced = dict.fromkeys(("documents", "duplicates", "passages"), plan.replaced | changed)
        facts_of_version(dataset, {}, replaced, pool, folder / "facts")
    sampler.enter("end")
    return {"peaks": sampler.peaks, "own": sampler.seconds, "seconds": time.perf_counter() - began}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", default="1000000,3000000")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ranges", type=int, metavar="N", help="rows a range of doc_ids; those of a run if not given")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--smoke", action="store_true", help="too few documents to tell a slope: that it works")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one_plan(options.one, options.workers, options.ranges)))
        return
    sizes = [200, 400] if options.smoke else [int(n) for n in options.documents.split(",")]
    runs = []
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=options.work) as work:
            make(Path(work), size)
            command = [sys.executable, __file__, "--one", work, "--workers", str(options.workers)]
            command += ["--ranges", str(options.ranges)] if options.ranges else []
            done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
        if done.returncode:
            raise SystemExit(done.stderr)
        runs.append((size, json.loads(done.stdout.splitlines()[-1])))
        tell(*runs[-1])
    for (less, before), (more, after) in pairwise(runs):
        slopes = [
            f"{stage} {(after['peaks'][stage][0] - own) / (more - less):.1f}"
            f" ({(after['peaks'][stage][1] - mapped) / (more - less):.1f})"
            for stage, (own, mapped) in before["peaks"].items()
            if stage in after["peaks"]  # one that was over between two samples has none
        ]
        print(f"bytes a document from {less:,} to {more:,}: {'  '.join(slopes)}")
        own = (
            (stage, 1e6 * (after["own"][stage] - seconds) / (more - less)) for stage, seconds in before["own"].items()
        )
        print(f"microseconds a document: {'  '.join(f'{stage} {each:.2f}' for stage, each in own)}")


def tell(size: int, run: dict[str, Any]) -> None:
    peaks = "  ".join(f"{s} {own / MB:.0f} ({mapped / MB:.0f})" for s, (own, mapped) in run["peaks"].items())
    print(f"{size:,} documents, {run['seconds']:.0f} s; peak MB (with mapped files): {peaks}", flush=True)
    print(f"  processor seconds: {'  '.join(f'{s} {own:.2f}' for s, own in run['own'].items())}", flush=True)


if __name__ == "__main__":
    main()
