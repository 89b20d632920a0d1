"""How commands print: tables for people, one JSON value for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winnow.base.terminal import Paint, colours_for, visible

if TYPE_CHECKING:
    from winnow.base.records import Edit

EDIT_CHARS = 60  # characters of an edit's text that are printed


def print_json(value: object) -> None:
    """One JSON value on one line, in ASCII: what texts hold cannot act on a terminal."""
    print(json.dumps(value, default=_plain))


def print_json_lists(lists: Mapping[str, Iterable[object]]) -> None:
    """An object of lists as `print_json` prints it, an item at a time: a list may have a million."""
    for number, (name, items) in enumerate(lists.items()):
        print(", " if number else "{", json.dumps(name), ": [", sep="", end="")
        for place, item in enumerate(items):
            print(", " * bool(place) + json.dumps(item, default=_plain), end="")
        print("]", end="")
    print("}")


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def paint() -> Paint:
    """Colours for standard output, where it takes them."""
    return Paint(colours_for(sys.stdout))


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]], last: int = 0) -> None:
    """Print a table; with `last`, the last column is cut to that many characters."""
    cut = [(*row[:-1], shortened(row[-1], last)) for row in rows] if last else rows
    print("\n".join(table_lines(head, cut, paint())))


def table_lines(head: Sequence[str], rows: Sequence[Sequence[str]], paint: Paint) -> list[str]:
    """A plain table: numbers to the right, words to the left, two spaces between.

    >>> table_lines(("name", "n"), [("a", "10"), ("bc", "2")], Paint(False))
    ['name   n', 'a     10', 'bc     2']
    """
    columns = list(zip(head, *rows, strict=True))
    widths = [max(map(len, c)) for c in columns]
    numeric = [all(_is_number(v) for v in c[1:]) for c in columns]

    def line(cells: Sequence[str]) -> str:
        padded = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(cells, widths, numeric, strict=True))
        return "  ".join(padded).rstrip()

    return [paint.bold(line(head)), *(line(r) for r in rows)]


def counted(number: int, thing: str) -> str:
    """
    >>> counted(1, "edit"), counted(1200, "document")
    ('1 edit', '1,200 documents')
    """
    return f"{number:,} {thing}{'s' * (number != 1)}"


def _is_number(cell: str) -> bool:
    """Digits with their separators and perhaps a unit; dates and identifiers are words.

    >>> [_is_number(c) for c in ("1,234", "3.5 MB", "", "2024-01-01", "a15c", "12ab")]
    [True, True, True, False, False, False]
    """
    figure, _, unit = cell.partition(" ")
    return not cell or (figure.replace(",", "").replace(".", "").isdigit() and (not unit or unit.isalpha()))


def shortened(text: str, most: int) -> str:
    """`text` on one harmless line of at most `most` characters.

    >>> shortened("one\\ntwo three", 10)
    'one\\\\ntwo …'
    """
    shown = visible(text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def size(count: int) -> str:
    """Bytes as people say them, in powers of 1,000.

    >>> size(999), size(12_345), size(5 * 10**9)
    ('999 B', '12.3 kB', '5.0 GB')
    """
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        value /= 1000
        if value < 999.95 or unit == "PB":
            break
    return f"{value:,.1f} {unit}"


def edit_record(edit: Edit) -> dict[str, object]:
    """Returns an edit as a JSON object."""
    return edit._asdict()


def edit_lines(text: str, edits: Sequence[Edit], paint: Paint) -> Iterator[str]:
    """Yields a line an edit of the decoded `text`: number, rule, confidence, place, and the change within its line."""
    from winnow.repair.engine.ledger import shown_edits

    width = max((len(e.rule) for e in edits), default=0)
    for shown in shown_edits(text, edits):
        edit = shown.edit
        before, after = _ends(edit.before), _ends(edit.after)
        change = paint.red(f"[-{before}-]" if before else "") + paint.green(f"{{+{after}+}}" if after else "")
        left, right = paint.dim(visible(shown.left)), paint.dim(visible(shown.right))
        mark = "" if edit.applied else paint.yellow("  suspicion, not made")
        yield (
            f"{edit.seq:>5}  {edit.rule:<{width}}  {edit.confidence:.2f}  line {shown.line:<5} "
            f"{left}{change}{right}{mark}"
        )


def _ends(text: str) -> str:
    if len(text) > EDIT_CHARS:
        text = f"{text[: EDIT_CHARS // 2]} … {text[-EDIT_CHARS // 2 :]}"
    return visible(text)
