"""How fast a whole run is and what memory it takes, all processes together, beside peers.

usage: python tests/benchmarks/pipeline_speed.py [--corpus FILE.jsonl] [--peers DIR] [--bench-kit DIR] [--times 3]
       python tests/benchmarks/pipeline_speed.py --table [--corpus FILE.jsonl] [--mb 100] [--peers DIR]
       python tests/benchmarks/pipeline_speed.py --growth 10,100,1000 [--corpus FILE.jsonl]
       python tests/benchmarks/pipeline_speed.py --smoke

Runs alternate (ours, peer, ours, ...), so that a busy machine is as unkind to one as to the other; figures are medians
of whole processes. Peers stand in environments of their own, ``DIR/datatrove`` and ``DIR/data-juicer``; one that is
missing is left out. ``--table`` adds what a user meets besides: starts, the filter, an addition of 1 %, the installed
size. ``--smoke`` runs the sample articles once, ``--growth`` texts of growing size.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from statistics import median

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":  # run as a script, from anywhere
    sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from grown_corpus import write_grown  # noqa: E402
from process_memory import Measured, measure_command  # noqa: E402
from published_score import score_published  # noqa: E402

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Contestant:
    """A way to clean a folder of JSON lines: ``command(source, into)``."""

    name: str
    command: Callable[[Path, Path], Sequence[str]]


def winnow(workers: int) -> Contestant:
    """The command a user types, with Prefect and its temporary server."""

    def command(source: Path, into: Path) -> Sequence[str]:
        return [
            sys.executable, "-m", "winnow", "run", str(source), "--into", str(into), "--workers", str(workers),
        ]  # fmt: skip

    return Contestant("winnow run", command)


def stages_alone(workers: int) -> Contestant:
    """The same stages without Prefect."""

    def command(source: Path, into: Path) -> Sequence[str]:
        return [sys.executable, str(HERE / "stage_run.py"), str(source), str(into), "--workers", str(workers)]

    return Contestant("stages alone", command)


def peers(folder: Path | None, kit: Path, workers: int) -> list[Contestant]:
    """The peers that are there, with a word on those that are not."""
    found = []
    datatrove = folder / "datatrove" / "bin" / "python" if folder else None
    if datatrove and datatrove.exists() and (kit / "peer_datatrove.py").exists():
        script = str(kit / "peer_datatrove.py")
        found.append(Contestant("datatrove", lambda s, o: [str(datatrove), script, str(workers), str(s), str(o)]))
    else:
        print(f"datatrove: left out, {datatrove or 'no --peers'} or the kit's script is missing")
    juicer = folder / "data-juicer" / "bin" / "dj-process" if folder else None
    if juicer and juicer.exists() and (kit / "peer_datajuicer.yaml").exists():
        found.append(Contestant("data-juicer", lambda s, o: [str(juicer), "--config", _juicer_config(kit, s, o)]))
    else:
        print(f"data-juicer: left out, {juicer or 'no --peers'} or the kit's configuration is missing")
    return found


def _juicer_config(kit: Path, source: Path, into: Path) -> str:
    into.mkdir(parents=True, exist_ok=True)
    text = (kit / "peer_datajuicer.yaml").read_text().replace("OUT/", f"{into}/")
    lines = [f"dataset_path: {source}" if line.startswith("dataset_path:") else line for line in text.splitlines()]
    path = into / "config.yaml"
    path.write_text("\n".join(lines))
    return str(path)


def run_once(contestant: Contestant, source: Path, work: Path, again: bool = False) -> Measured:
    """Measures a run into ``work/out``, from nothing or (`again`) onto what stands there."""
    into = work / "out"
    if not again:
        shutil.rmtree(into, ignore_errors=True)
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}
    measured = measure_command(contestant.command(source, into), work, env)
    if measured.returncode:
        sys.exit(f"{contestant.name} failed ({measured.returncode}):\n{measured.output[-3000:]}")
    return measured


def size_mb(source: Path) -> float:
    return sum(f.stat().st_size for f in source.rglob("*") if f.is_file()) / 1e6


def cut_in_two(corpus: Path, folder: Path, megabytes: float | None) -> Path:
    """The corpus as two files, which is what the peers need to use two workers."""
    folder.mkdir(parents=True)
    files = [(folder / f"half-{n}.jsonl").open("wb") for n in (0, 1)]
    left = (megabytes or 1e9) * 1e6
    with corpus.open("rb") as lines:
        for number, line in enumerate(lines):
            left -= len(line)
            if left < 0:
                break
            files[number % 2].write(line)
    for file in files:
        file.close()
    return folder


def compare(contestants: Sequence[Contestant], source: Path, work: Path, times: int) -> None:
    """Alternate the contestants `times` times; print medians, and each one's speed as a multiple of the others'."""
    runs: dict[str, list[Measured]] = {c.name: [] for c in contestants}
    for _ in range(times):
        for contestant in contestants:
            runs[contestant.name].append(run_once(contestant, source, work))
    mb = size_mb(source)
    ours = median(m.seconds for m in runs[contestants[0].name])
    print(f"\n{mb:.1f} MB, medians of {times}\n")
    print("| | seconds | MB/s | processor seconds | peak memory, MB | winnow is so many times faster |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, measured in runs.items():
        seconds, cpu = median(m.seconds for m in measured), median(m.cpu_seconds for m in measured)
        peak = median(m.peak_mb for m in measured)
        print(f"| {name} | {seconds:.1f} | {mb / seconds:.2f} | {cpu:.1f} | {peak:.0f} | {seconds / ours:.2f} |")


def grow(sizes: Sequence[float], corpus: Path, work: Path, workers: int) -> None:
    """Time, memory and staging of the stages for texts of growing size, and what 1 % costs that comes in addition."""
    print("| MB | seconds | MB/s | processor seconds | peak memory, MB | staging bytes a byte | 1 % added |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for megabytes in sizes:
        source, aside = work / "grown", work / "aside.jsonl"
        shutil.rmtree(source, ignore_errors=True)
        written = write_grown(corpus, source, megabytes * 1.01)
        written -= _set_aside(source, written // 101, aside)
        m = run_once(stages_alone(workers), source, work)
        told = json.loads(m.output.splitlines()[-1])
        shutil.move(aside, source)
        more = run_once(stages_alone(workers), source, work, again=True)
        print(
            f"| {written / 1e6:.0f} | {m.seconds:.1f} | {written / 1e6 / m.seconds:.2f} | {m.cpu_seconds:.1f} "
            f"| {m.peak_mb:.0f} | {told['staging_bytes'] / written:.2f} | {more.cpu_seconds / m.cpu_seconds:.1%} |",
            flush=True,
        )


def _set_aside(source: Path, wanted: int, aside: Path) -> int:
    """Moves the last lines of a folder's ``part-N.jsonl``, at least so many bytes, to a file; returns how many."""
    moved = 0
    with aside.open("wb") as out:
        for number in range(len(list(source.iterdir())) - 1, -1, -1):
            part = source / f"part-{number}.jsonl"
            lines = part.read_bytes().splitlines(keepends=True)
            while lines and moved < wanted:
                moved += out.write(lines.pop())
            part.write_bytes(b"".join(lines))
            if moved >= wanted:
                break
    return moved


def print_table(corpus: Path, work: Path, megabytes: float, workers: int, times: int) -> None:
    """What a user waits for, line by line; medians of `times` rounds, each of which does all of it."""
    source, added = work / "first", work / "added.jsonl"
    mb, more_mb = _cut_with_addition(corpus, source, added, megabytes)
    text = work / "text.txt"
    text.write_bytes(corpus.read_bytes()[:1000].decode("utf-8", "ignore").encode())
    rounds: dict[str, list[Measured]] = {}

    def measure(what: str, command: Sequence[str], env: dict[str, str] | None = None) -> None:
        own = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}", **(env or {})}
        own.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled
        measured = measure_command(command, work, own)
        if measured.returncode:
            sys.exit(f"{what} failed ({measured.returncode}):\n{measured.output[-3000:]}")
        rounds.setdefault(what, []).append(measured)

    for number in range(times):
        home = work / f"home-{number}"
        fresh = {"PREFECT_HOME": str(home), "WINNOW_CACHE": str(home / "cache")}
        seeds, into = work / f"seeds-{number}", work / f"into-{number}"
        measure("`winnow run seeds`, first", winnow(workers).command(ROOT / "seeds", seeds), fresh)
        shutil.rmtree(seeds)
        measure("`winnow run seeds`, later", winnow(workers).command(ROOT / "seeds", seeds), fresh)
        measure("`winnow run seeds`, nothing changed", winnow(workers).command(ROOT / "seeds", seeds), fresh)
        clean = [sys.executable, "-m", "winnow", "clean"]
        measure("`winnow clean`, 1 kB", [*clean, str(text)])
        measure(f"`winnow clean --jsonl`, {mb:.0f} MB", [*clean, "--jsonl", str(source / "first.jsonl")])
        measure(f"stages, {mb:.0f} MB", stages_alone(workers).command(source, into))
        place = shutil.copy(added, source)
        measure(f"stages, {more_mb:.2f} MB added", stages_alone(workers).command(source, into))
        Path(place).unlink()
        shutil.rmtree(into)
    print(f"| medians of {times} | seconds | processor seconds | MB a second | peak memory, MB |")
    print("| --- | --- | --- | --- | --- |")
    for what, measured in rounds.items():
        seconds = median(m.seconds for m in measured)
        speed = f"{mb / seconds:.2f}" if what.endswith(f"{mb:.0f} MB") else ""
        cpu, peak = median(m.cpu_seconds for m in measured), median(m.peak_mb for m in measured)
        print(f"| {what} | {seconds:.1f} | {cpu:.1f} | {speed} | {peak:.0f} |")
    first, more = (median(m.cpu_seconds for m in measured) for measured in list(rounds.values())[-2:])
    print(f"\n1 % added: {more / first:.1%} of the processor time of the first run")
    print(f"installed size without extras: {installed_mb('winnow-text'):.0f} MB")


def _cut_with_addition(corpus: Path, source: Path, added: Path, megabytes: float) -> tuple[float, float]:
    """The first lines of the corpus as a folder, and 1 % more as a file beside it; returns the sizes of both, in MB."""
    source.mkdir(parents=True)
    wanted = min(megabytes * 1e6, corpus.stat().st_size / 1.011)
    sizes = [0, 0]
    with corpus.open("rb") as lines, (source / "first.jsonl").open("wb") as first, added.open("wb") as more:
        for line in lines:
            which = int(sizes[0] + len(line) > wanted or sizes[1] > 0)
            if which and sizes[1] >= wanted / 100:
                break
            (first, more)[which].write(line)
            sizes[which] += len(line)
    return sizes[0] / 1e6, sizes[1] / 1e6


def installed_mb(name: str) -> float:
    """Size of a distribution and of all it needs without extras, in MB of disk (blocks of 4 kB)."""
    waiting, seen, size = [name], set(), 0
    while waiting:
        wanted = canonicalize_name(waiting.pop())
        if wanted in seen:
            continue
        seen.add(wanted)
        found = distribution(wanted)
        files = (Path(str(found.locate_file(f))) for f in found.files or ())
        size += sum(-(-f.stat().st_size // 4096) * 4096 for f in files if f.is_file())
        needed = map(Requirement, found.requires or ())
        waiting += [r.name for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    return size / 1e6


def whole_path(name: str) -> Path:
    """Contestants run in folders of their own."""
    return Path(name).absolute()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=whole_path, default=ROOT / "../bench/data/corpus/damaged.jsonl")
    parser.add_argument("--bench-kit", type=whole_path, default=ROOT / "../shared/bench")
    parser.add_argument("--peers", type=whole_path, help="folder of environments: datatrove, data-juicer")
    parser.add_argument("--mb", type=float, help="take only so much of the corpus")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="starts, the filter, an addition, the installed size")
    parser.add_argument("--growth", help="sizes in MB: 10,100,1000")
    parser.add_argument("--smoke", action="store_true", help="the sample articles, once, in seconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="winnow-bench-") as folder:
        work = Path(folder)
        if options.smoke:
            compare([stages_alone(options.workers)], ROOT / "seeds", work, 1)
            return
        if not options.corpus.exists():
            sys.exit(f"{options.corpus}: no such corpus; give one by --corpus, or run with --smoke")
        if options.growth:
            grow([float(s) for s in options.growth.split(",")], options.corpus, work, options.workers)
            return
        if options.table:
            print_table(options.corpus, work, options.mb or 100, options.workers, options.times)
        source = cut_in_two(options.corpus, work / "source", options.mb)
        ours = [winnow(options.workers), stages_alone(options.workers)]
        compare([*ours, *peers(options.peers, options.bench_kit, options.workers)], source, work, options.times)
        if (options.bench_kit / "score.py").exists() and (options.corpus.parent / "truth.json").exists():
            run_once(ours[1], source, work)
            print(score_published(work / "out", options.corpus.parent, options.bench_kit, work))


if __name__ == "__main__":
    main()
