"""Time, processor time and memory of a command and of every process it starts, sampled from /proc.

``/usr/bin/time`` gives the largest single process; a run of several workers is as large as their sum. Pages that
processes share are counted once (PSS: each process is charged its share of them).
"""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

INTERVAL = 0.2  # seconds; a table lives longer than that
RESTRAINT = 20  # times as long as a look took is waited: it walks a process's pages, which stop meanwhile


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a command. ``peak_mb`` is the largest sum over all its processes.

    ``cpu_seconds`` lack processes that nobody waited for, as those of a fork server (datatrove's) are.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    returncode: int
    output: str


def measure_command(command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> Measured:
    """Run `command` to its end and sample the memory of its process tree meanwhile."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    log = cwd / ".output"
    peak = 0.0
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=cwd, env=dict(env or os.environ), stdout=sink, stderr=sink)
        while True:
            looked = time.perf_counter()
            peak = max(peak, tree_mb(process.pid))
            try:
                process.wait(max(INTERVAL, RESTRAINT * (time.perf_counter() - looked)))
                break
            except subprocess.TimeoutExpired:
                continue
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    output = log.read_text(errors="replace")
    log.unlink()
    return Measured(seconds, cpu, peak, process.returncode, output)


def tree_mb(pid: int) -> float:
    """Proportional set size of a process and of all that descend from it, in MB."""
    return sum(map(_pss_mb, _process_tree(pid)))


def _process_tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        found.append(parent)
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                waiting += map(int, children.read_text().split())
            except OSError:  # it ended while we looked
                continue
    return found


def _pss_mb(pid: int) -> float:
    """Proportional set size of a process in MB; 0 for one that has ended."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0
