"""Whether any input, however hostile, costs repair more than linear time, and more than ten times plain prose.

usage: python tests/benchmarks/repair_linear.py [--size MB] [--smoke] [--only a,b]

Each shape is repaired at the full size and at half of it; printed are seconds, the ratio of both, and how many times
as long as plain prose of the same size it took. Exit code 1 where a shape breaks a limit: 2.2 times for twice the
size (3 where a run lasts less than a second, for clocks and caches blur short ones), and ten times prose for shapes
that come down to nothing. Shapes that need an edit every few characters cost what their edits cost, some ten
microseconds each, and are held to growth alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":  # run as a script, from anywhere
    sys.path.insert(0, str(ROOT))

from winnow.repair import repair  # noqa: E402

MAX_TIMES_PROSE = 10.0
MAX_GROWTH = 2.2
MAX_GROWTH_SHORT = 3.0
SHORT = 1.0  # seconds
SMOKE_MB = 0.2

SHAPES: dict[str, str] = {
    "escaped ampersands": "&amp;",
    "brackets": "<",
    "brackets and spaces": "< ",
    "letters and spaces": "a ",
    "one unbroken line": "word",
    "combining characters": "a\u0301\u0302",
    "open tags": "<b>",
}
"""Shapes that may cost no more than ten times plain prose."""

EDITED: dict[str, str] = {
    "ampersands escaped ten deep": "&" + "amp;" * 10,
    "ampersands and hard spaces": "&nbsp; ",
    "names without ampersand": "lt; ",
    "spaced tags": "x < strong > y ",
    "a tag every line": "< li >a</ l i >\n",
    "a broken entity every word": "one &a mp ; two ",
    "mojibake": "Ã©",
    "mojibake words": "Ã©tÃ© ",
    "closing brackets": "td > ",
    "comments never closed": "<!--",
    "scripts never closed": "<script>",
    "attributes never closed": '<b x="',
    "spaces before line ends": "a \n",
    "wiki links never closed": "[[a|",
}
"""Shapes that ask for an edit, or for a close look, every few characters."""
NESTED = "nested tags"


def prose(size: int, root: Path = ROOT) -> str:
    """Plain prose without damage: the undamaged sample articles over and over."""
    articles = [repair((root / "seeds" / p.name).read_text(encoding="utf-8")).text for p in _seeds(root)]
    text = "\n\n".join(articles)
    return (text * (size // len(text) + 1))[:size].rstrip()


def _seeds(root: Path) -> list[Path]:
    return [p for p in sorted((root / "seeds").glob("*.txt")) if p.name.startswith(("000", "002", "003"))]


def shaped(name: str, size: int) -> str:
    """The hostile text of that name, of about `size` characters."""
    if name == NESTED:
        return "<b>" * (size // 7) + "x" + "</b>" * (size // 7)
    unit = SHAPES.get(name) or EDITED[name]
    return unit * (size // len(unit))


def seconds(text: str) -> float:
    """Processor time of one repair."""
    began = time.process_time()
    repair(text)
    return time.process_time() - began


def measure(size: int, names: Sequence[str]) -> list[str]:
    """One line a shape on the terminal; gives back the names of those that break a limit."""
    repair("warm < strong >u p</ s trong > &a mp ; caf&eacute; .By Ã©t t o b e pi√π ÔÇô")  # word lists load once
    plain = seconds(prose(size))
    print(f"{'plain prose':32} {plain:8.2f} s {size / 1e6 / plain:8.1f} million characters a second")
    broken = []
    for name in names:
        half, whole = seconds(shaped(name, size // 2)), seconds(shaped(name, size))
        growth, times = whole / max(half, 1e-3), whole / plain
        limit = MAX_GROWTH if whole >= SHORT else MAX_GROWTH_SHORT
        bad = growth > limit or (times > MAX_TIMES_PROSE and name not in EDITED)
        print(f"{name:32} {whole:8.2f} s {growth:6.2f} x half {times:8.1f} x prose{'  TOO LONG' if bad else ''}")
        broken += [name] * bad
    return broken


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=float, default=10.0, help="millions of characters")
    parser.add_argument("--smoke", action="store_true", help=f"{SMOKE_MB} million characters, and never fail")
    parser.add_argument("--only", default="", help="comma-separated names of shapes")
    got = parser.parse_args(arguments)
    names = [n for n in got.only.split(",") if n] or [*SHAPES, NESTED, *EDITED]
    broken = measure(int((SMOKE_MB if got.smoke else got.size) * 1_000_000), names)
    return 1 if broken and not got.smoke else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
