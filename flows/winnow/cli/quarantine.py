"""``winnow rejects``: the documents that wait in quarantine, and why."""

from __future__ import annotations

import difflib
from typing import Any

import pyarrow.compute as pc
import pyarrow.dataset as pads

from winnow.base.contracts import TABLES
from winnow.base.errors import UsageError
from winnow.base.terminal import visible
from winnow.cli.output import paint, print_json, print_table, size
from winnow.cli.versions import published
from winnow.publish.dataset import Dataset
from winnow.storage.locate import Place

COLUMNS = (
    "doc_id", "source", "stage", "expectation", "reason", "input", "content_sha256", "recipe_id", "run_id",
    "replayed_in",
)  # fmt: skip


def list_rejects(root: Place, reason: str | None, settled: bool, limit: int, as_json: bool) -> int:
    """Print the rejects that wait; with `settled`, those too that a later run let pass."""
    dataset = published(root)
    rows = rejects_of(dataset, reason, settled)
    if as_json:
        print_json(rows)
        return 0
    if not rows:
        print("No document waits in quarantine.")
        return 0
    shown = rows[:limit] if limit else rows
    head = ("doc_id", "stage", "reason", "bytes", "what was wrong and what to do")
    print_table(
        head,
        [(r["doc_id"], r["stage"], r["expectation"], size(r["bytes"]), visible(r["reason"])) for r in shown],
        last=160,
    )
    p = paint()
    if len(rows) > len(shown):
        print(p.dim(f"and {len(rows) - len(shown):,} more; see them all with --limit 0 or --json"))
    kinds: dict[str, int] = {}
    for row in rows:
        kinds[row["expectation"]] = kinds.get(row["expectation"], 0) + 1
    print(p.dim("by reason: " + ", ".join(f"{n:,} {k}" for k, n in sorted(kinds.items(), key=lambda i: (-i[1], i[0])))))
    print(p.dim(f"after a mended rule or setting, read them again: winnow replay --into {root}"))
    return 0


def rejects_of(dataset: Dataset, reason: str | None, settled: bool) -> list[dict[str, Any]]:
    """Rejects of the last version in order, without their content; `reason` names one kind.

    Raises UsageError for a kind that no reject has, with the kinds there are.
    """
    source = pads.dataset([str(f) for f in dataset.files("rejects")], schema=TABLES["rejects"])
    columns = {name: pads.field(name) for name in COLUMNS} | {"bytes": pc.binary_length(pads.field("content"))}
    rows: list[dict[str, Any]] = source.to_table(columns=columns).to_pylist()
    rows = [r for r in rows if settled or r["replayed_in"] is None]
    if reason is None:
        return rows
    found = [r for r in rows if reason == r["expectation"]]
    if not found:
        refuse_kind(reason, {r["expectation"] for r in rows})
    return found


def refuse_kind(reason: str, known: set[str]) -> None:
    """Raise UsageError for a kind of reject that there is not."""
    near = difflib.get_close_matches(reason, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known)) or 'none'}"
    raise UsageError(f"--reason {reason}: no document waits for that reason; {hint}")
