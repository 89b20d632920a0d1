"""How fast repair is beside another checkout: the same texts, in turn, in processes of their own.

usage: python tests/benchmarks/repair_speed.py --corpus DIR [--against CHECKOUT] [--mb 5] [--rounds 3]

DIR holds clean.jsonl and damaged.jsonl, or clean_10mb.jsonl and damaged_10mb.jsonl; CHECKOUT is a folder with
`flows/winnow` in it. Printed are megabytes of UTF-8 a second of the processor, medians of the rounds: `first` from a
new process on, its word lists included, and `later` for the same texts once more; and the peak memory of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETS = ("clean", "damaged")


def texts_of(corpus: Path, name: str, size: float) -> list[str]:
    """Texts from all over a set, of about `size` bytes."""
    path = next(p for p in (corpus / f"{name}_10mb.jsonl", corpus / f"{name}.jsonl") if p.exists())
    step = max(1, round(path.stat().st_size / size))
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for n, line in enumerate(lines) if n % step == 0]


def measure(corpus: Path, name: str, size: float) -> None:
    """Repairs the texts of a set twice in this process and prints what that took, as JSON."""
    texts = texts_of(corpus, name, size)
    from winnow.repair import repair

    seconds = []
    for _ in range(2):
        began = time.process_time()
        for text in texts:
            repair(text)
        seconds.append(time.process_time() - began)
    n_bytes = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"first": n_bytes / seconds[0] / 1e6, "later": n_bytes / seconds[1] / 1e6, "peak": peak}))


def measured(checkout: Path, options: argparse.Namespace, name: str) -> dict[str, float]:
    """The same of the Winnow of a checkout, in a process of its own."""
    command = [sys.executable, __file__, "--corpus", str(options.corpus), "--mb", str(options.mb), "--one", name]
    environment = {**os.environ, "PYTHONPATH": str(checkout / "flows")}
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--against", type=Path, help="a checkout to compare with")
    parser.add_argument("--mb", type=float, default=5, help="megabytes of each set")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=SETS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        measure(options.corpus, options.one, options.mb * 1e6)
        return 0
    checkouts = [ROOT, *([options.against] if options.against else [])]
    for checkout in checkouts:
        measured(checkout, options, "damaged")  # what is kept in the user's cache is made
    print(f"{'MB a second of the processor':30} " + " ".join(f"{c.name[:16]:>16}" for c in checkouts) + "    times")
    for name in SETS:
        rounds = [[measured(checkout, options, name) for checkout in checkouts] for _ in range(options.rounds)]
        for measure_name in ("first", "later", "peak"):
            found = [statistics.median(one[n][measure_name] for one in rounds) for n in range(len(checkouts))]
            title = f"{name}, peak memory in MB" if measure_name == "peak" else f"{name}, {measure_name}"
            print(f"{title:30} " + " ".join(f"{value:16.2f}" for value in found) + f" {found[0] / found[-1]:8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
