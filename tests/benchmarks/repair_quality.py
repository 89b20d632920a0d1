"""How well damage is undone, and how little else is touched: Winnow and its peers side by side in one run.

usage: python tests/benchmarks/repair_quality.py
           [--gold DIR] [--corpus DIR] [--seeds DIR] [--sets a,b] [--limit N] [--misses N] [--slow]

Sets: ftfy_cases, commit_fixes, dirty_tags, broken_entities, double_escaping_fixes, html5_tokenizer, spacing, spun,
corpus, chains, wild, languages. A set that is not there, and a peer that is not installed, is named and skipped. The
whole table wants `pip install beautifulsoup4 wordsegment`; neither is a dependency of Winnow.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":  # run as a script, from anywhere
    sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from repair_chains import chain_tables  # noqa: E402
from repair_corpus import corpus_tables  # noqa: E402
from repair_peers import LEDGER, PEERS, WINNOW  # noqa: E402
from repair_sets import SETS, GoldSet, Score  # noqa: E402
from repair_spacing import spacing_tables  # noqa: E402
from repair_spun import spun_tables  # noqa: E402
from repair_wild import wild_tables  # noqa: E402


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    gold: Path
    corpus: Path | None
    seeds: Path
    sets: frozenset[str]
    limit: int | None
    misses: int
    slow: bool

    def wants(self, name: str) -> bool:
        return not self.sets or name in self.sets or name.split(" ")[0] in self.sets


@dataclass(frozen=True)
class Line:
    """One line of the table: a measure, and what each peer reached."""

    measure: str
    scores: dict[str, Score | None]


def gold_lines(gold: GoldSet, options: Options) -> list[Line]:
    """Run every peer and Winnow over one gold set, all measures of the set at once."""
    cases = gold.load(options.gold, options.limit)
    lines = []
    for measure in gold.measures:
        chosen = [c for c in cases if measure.of(c)]
        scores: dict[str, Score | None] = {}
        for peer in (*PEERS, WINNOW):
            if not peer.ready or (peer.name != WINNOW.name and peer.name not in measure.peers):
                scores[peer.name] = None
                continue
            fix = peer.for_set(measure.peer_mode)
            good = [measure.good(c, fix(measure.fed(c))) for c in chosen]
            scores[peer.name] = Score(sum(good), len(good))
            if peer is WINNOW:
                missed = [c for c, ok in zip(chosen, good, strict=True) if not ok]
                show_misses(
                    [(c.id, measure.fed(c), measure.want(c), fix(measure.fed(c))) for c in missed[: options.misses]]
                )
        lines.append(Line(f"{gold.name}: {measure.name}", scores))
    if cases:
        lines.append(Line(f"{gold.name}: ledger exact both ways", {WINNOW.name: LEDGER.score(c.input for c in cases)}))
    return lines


def show_misses(missed: Sequence[tuple[str, str, str, str]]) -> None:
    for name, fed, want, got in missed:
        print(f"  miss {name}\n    in   {fed[:300]!r}\n    want {want[:300]!r}\n    got  {got[:300]!r}")


def print_table(lines: Sequence[Line]) -> None:
    """The table, one column a peer; ``-`` where a peer does not take part in a measure or is not installed."""
    names = [p.name for p in (*PEERS, WINNOW)]
    width = max((len(line.measure) for line in lines), default=10)
    print("\n" + " ".join(["measure".ljust(width), *(n.rjust(13) for n in names)]))
    for line in lines:
        cells = (str(line.scores.get(n) or "-").rjust(13) for n in names)
        print(" ".join([line.measure.ljust(width), *cells]))


def parse(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gold", type=Path, default=ROOT.parent / "shared" / "gold")
    parser.add_argument("--corpus", type=Path, help="folder with clean.jsonl, damaged.jsonl and truth.json")
    parser.add_argument("--seeds", type=Path, default=ROOT / "seeds")
    parser.add_argument("--sets", default="", help="comma-separated names; all if left out")
    parser.add_argument("--limit", type=int, help="rows of each set, for a quick look")
    parser.add_argument("--misses", type=int, default=0, help="print so many failures of Winnow a measure")
    parser.add_argument("--slow", action="store_true", help="run wordsegment too, minutes for a set")
    got = parser.parse_args(arguments)
    wanted = frozenset(name for name in got.sets.split(",") if name)
    return Options(got.gold, got.corpus, got.seeds, wanted, got.limit, got.misses, got.slow)


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    for peer in (*PEERS, WINNOW):
        if not peer.ready:
            print(f"peer {peer.name} is not installed: skipped")
    lines: list[Line] = []
    jobs = [(gold.name, gold.file, lambda g=gold: gold_lines(g, options)) for gold in SETS]
    for name, file, job in jobs:
        if not options.wants(name):
            continue
        if not (options.gold / file).exists():
            print(f"set {name} is not there ({options.gold / file}): skipped")
            continue
        began = time.perf_counter()
        lines += job()
        print(f"{name}: {time.perf_counter() - began:.1f} s", file=sys.stderr)
    for tables in (spacing_tables, spun_tables, wild_tables, corpus_tables, chain_tables):
        began = time.perf_counter()
        found = [Line(measure, scores) for measure, scores in tables(options)]
        lines += found
        if found:
            print(f"{tables.__name__.split('_')[0]}: {time.perf_counter() - began:.1f} s", file=sys.stderr)
    print_table(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
