"""What a listing of many names costs: bytes of memory a name and microseconds a name, beside one object for each.

Run: python tests/benchmarks/listing_memory.py [--names 100000 1000000]
Each number of names is listed in a process of its own, from a list of addresses; then the files are taken as read, as a
run holds them. "Objects" is the tuple of one `InputFile` a name that listings were before.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

HELD_BLOCKS = b"\x5a" * 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--way", choices=("columns", "objects"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(*_measured(options.names[0], options.way))
        return
    print("| names | kept as | bytes a name, listed | bytes a name, held | peak, MB | microseconds a name |")
    print("| --- | --- | --- | --- | --- | --- |")
    for count in options.names:
        for way in ("objects", "columns"):
            command = [sys.executable, __file__, "--names", str(count), "--way", way]
            listed, held, peak, pace = subprocess.run(
                command, check=True, capture_output=True, text=True
            ).stdout.split()
            print(f"| {count:,} | {way} | {listed} | {held} | {peak} | {pace} |", flush=True)


def _measured(count: int, way: str) -> Iterator[str]:
    from winnow.read import InputFiles, list_inputs
    from winnow.read.listing import Held

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.urls"
        with path.open("w") as stream:
            for n in range(10):
                stream.write(f"http://example.org/crawl/warm-up/article-{n:07d}.txt\n")
        list_inputs(path)  # what is imported and kept for the first file
        with path.open("w") as stream:
            for n in range(count):
                stream.write(f"http://example.org/crawl/part-{n % 1000:03d}/article-{n:07d}.txt\n")
        before, started = _memory("VmRSS"), time.process_time()
        columns = list_inputs(path).files
        listing = columns if way == "columns" else tuple(columns)
        del columns
        pace = (time.process_time() - started) / count
    _give_back()
    listed = _memory("VmRSS") - before
    held = (replace(f, held=Held(f"{n:064x}", 1 << 20, HELD_BLOCKS)) for n, f in enumerate(listing))
    listing = InputFiles.of(held) if way == "columns" else tuple(held)
    del held
    _give_back()
    assert len(listing) == count
    yield f"{listed / count:.0f}"
    yield f"{(_memory('VmRSS') - before) / count:.0f}"
    yield f"{(_memory('VmHWM') - before) / 1e6:.0f}"
    yield f"{pace * 1e6:.1f}"


def _give_back() -> None:
    """What allocators keep for later is none of the listing's."""
    import pyarrow as pa

    gc.collect()
    pa.default_memory_pool().release_unused()
    ctypes.CDLL(None).malloc_trim(0)


def _memory(kind: str) -> int:
    status = Path("/proc/self/status").read_text().split(kind + ":")[1]
    return int(status.split()[0]) * 1024


if __name__ == "__main__":
    main()
