"""How cost grows: time and peak memory of preparing and deciding, over all processes, for texts of growing size.

usage: python tests/benchmarks/dedup_scale.py [--corpus DIR] [--mb 10,100,1000] [--workers 2] [--work DIR]
       python tests/benchmarks/dedup_scale.py --smoke

Sizes above the corpus are filled with its documents again, every fifth word exchanged by a draw from a fixed seed, so
that they are new texts of the same make.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":  # run as a script, from anywhere
    sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import pyarrow.parquet as pq  # noqa: E402
from dedup_sets import lines_of, tidy, write_small  # noqa: E402
from process_memory import tree_mb  # noqa: E402
from tests.deduplicate.corpus import write_repaired  # noqa: E402

from winnow.base.recipe import DeduplicateSettings  # noqa: E402
from winnow.deduplicate.prepare import Preparation, prepare_shard  # noqa: E402
from winnow.deduplicate.removals import find_removals  # noqa: E402

SHARD_MB = 16


def documents(folder: Path, megabytes: float) -> Iterator[tuple[str, str]]:
    rows = [(r["id"], tidy(r["text"])) for r in lines_of(folder / "damaged.jsonl")]
    left = megabytes * 1e6
    rng = random.Random(7)
    for round_ in range(10_000):
        for name, text in rows:
            if left <= 0:
                return
            if round_:
                words = text.split(" ")
                for n in range(rng.randrange(5), len(words), 5):
                    words[n] = f"w{rng.randrange(1_000_000)}"
                text = " ".join(words)
            left -= len(text.encode())
            yield f"r{round_}/{name}", text


def write_shards(corpus: Path, megabytes: float, folder: Path) -> list[Path]:
    shard: dict[str, str] = {}
    files: list[Path] = []
    held = 0
    for name, text in documents(corpus, megabytes):
        shard[name] = text
        held += len(text.encode())
        if held > SHARD_MB * 1e6:
            files.append(write_repaired(folder / f"s{len(files)}.parquet", shard))
            shard, held = {}, 0
    return [*files, write_repaired(folder / f"s{len(files)}.parquet", shard)] if shard else files


class Memory(threading.Thread):
    """Watches the proportional memory (Pss) of this process and its children; shared pages count once."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.2):
            self.peak = max(self.peak, tree_mb(os.getpid()))

    def stop(self) -> float:
        self._done.set()
        self.join()
        return self.peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=ROOT.parent / "bench" / "data" / "corpus")
    parser.add_argument("--mb", default="10,100,1000")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--smoke", action="store_true", help="a made-up corpus of a quarter of a megabyte")
    options = parser.parse_args()
    if options.smoke:
        with tempfile.TemporaryDirectory() as made_up:
            measure(write_small(Path(made_up)), [0.1, 0.25], 1, options.work)
        return
    measure(options.corpus, [float(size) for size in options.mb.split(",")], options.workers, options.work)


def measure(corpus: Path, sizes: Sequence[float], workers: int, work: Path | None) -> None:
    """Prepare and decide at each of the sizes (MB), with worker processes; print a line for each."""
    settings = DeduplicateSettings()
    for size in sizes:
        folder = Path(tempfile.mkdtemp(dir=work))
        with ProcessPoolExecutor(1, get_context("spawn")) as apart:  # its memory is none of ours
            files = apart.submit(write_shards, corpus, size, folder).result()
        memory = Memory()
        memory.start()
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            begun = time.perf_counter()
            how = Preparation(folder=folder, version=1, settings=settings, recipe_id="scale")
            made = list(pool.map(prepare_shard, files, [how] * len(files)))
            ready = time.perf_counter()
            found = find_removals([m.index for m in made], [m.passages for m in made], folder / "w", settings, pool)
            done = time.perf_counter()
        count = sum(pq.ParquetFile(m.index).metadata.num_rows for m in made)
        gone = [pq.read_table(f, columns=["doc_id"]).num_rows for f in (*found.document_files, *found.passage_files)]
        print(
            f"{size:g} MB, {count} documents, {workers} workers: "
            f"prepare {ready - begun:.1f} s ({size / (ready - begun):.1f} MB/s), "
            f"decide {done - ready:.1f} s ({size / (done - ready):.1f} MB/s), "
            f"peak {memory.stop():.0f} MB over all processes; left out {gone[0]} documents, {gone[1]} passages",
            flush=True,
        )
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
