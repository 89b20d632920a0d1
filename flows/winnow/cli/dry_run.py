"""What ``winnow run --dry-run`` and ``--sample`` print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice

from winnow.base.records import Reject
from winnow.base.terminal import Paint, visible
from winnow.cli.output import edit_lines, edit_record, paint, print_json, print_json_lists, print_table, shortened, size
from winnow.run.preview import Plan, Sampled
from winnow.run.summary import not_read

SHOWN_FILES = 20
SHOWN_EDITS = 5
SHOWN_CHARS = 300


def print_plan(plan: Plan, as_json: bool) -> None:
    if as_json:
        print_json_lists({
            "files": (asdict(f) for f in plan.files),
            "not_read": ({"path": s.path, "reason": s.reason, "bytes": s.bytes} for s in plan.skipped),
            "vanished": plan.vanished,
            "idle": plan.idle,
        })  # fmt: skip
        return
    p = paint()
    kinds: Counter[tuple[str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    for file in plan.files:
        kinds[file.format, file.state] += 1
        sizes[file.format, file.state] += file.bytes
    rows = [(state, kind, f"{n:,}", size(sizes[kind, state])) for (kind, state), n in sorted(kinds.items())]
    print_table(("state", "read as", "files", "size"), rows)
    work = sum(n for (_, state), n in kinds.items() if state != "unchanged")
    if work:
        shown = islice((f for f in plan.files if f.state != "unchanged"), SHOWN_FILES)
        print()
        print_table(
            ("", "read as", "size", "path"), [(f.state, f.format, size(f.bytes), visible(f.path)) for f in shown]
        )
    if work > SHOWN_FILES:
        print(p.dim(f"and {work - SHOWN_FILES:,} more; see them all with --json"))
    print()
    for kind in not_read(plan.skipped):
        print(p.yellow(f"note: {visible(str(kind))}"))
    for entry in plan.idle:
        print(p.yellow(f"note: no file belongs to {visible(entry)!r} in read.sources; check its glob"))
    if len(plan.vanished):
        print(
            p.yellow(
                f"note: {len(plan.vanished):,} files of the last version are gone; --mirror withdraws their documents"
            )
        )
    print("Nothing was done." if work else "Nothing was done, and a run would have nothing to do.")


def print_sample(sampled: Iterable[Sampled], as_json: bool) -> None:
    if as_json:
        print_json([_record(one) for one in sampled])
        return
    p = paint()
    for one in sampled:
        print("\n".join(_lines(one, p)) + "\n")
    print("Nothing was done: this is how these records would be read and repaired.")


def _record(one: Sampled) -> dict[str, object]:
    record = one.record
    shared = {"source": record.source, "input": record.input, "row": record.row, "metadata": dict(record.metadata)}
    if isinstance(record, Reject) or one.repaired is None:
        return {**shared, "rejected": getattr(record, "expectation", ""), "reason": getattr(record, "reason", "")}
    read = {"title": record.title, "encoding": record.encoding, "before": record.text, "after": one.repaired.text}
    return {**shared, **read, "edits": [edit_record(e) for e in one.repaired.edits]}


def _lines(one: Sampled, p: Paint) -> Iterator[str]:
    record = one.record
    row = f", row {record.row}" if record.row is not None else ""
    yield p.bold(visible(record.source)) + p.dim(f"  in {visible(record.input)}{row}")
    if isinstance(record, Reject) or one.repaired is None:
        yield p.red(f"  rejected: {visible(getattr(record, 'reason', ''))}")
        return
    edits = [e for e in one.repaired.edits if e.applied]
    fields = ", ".join(sorted(map(visible, record.metadata))) or "none"
    yield f"  {record.encoding}, {len(record.text):,} characters, {len(edits):,} repairs; other fields: {fields}"
    if record.title:
        yield f"  title: {shortened(record.title, 100)}"
    yield f"  text:  {shortened(one.repaired.text, SHOWN_CHARS)}"
    yield from (f"  {line}" for line in edit_lines(record.text, edits[:SHOWN_EDITS], p))
    if len(edits) > SHOWN_EDITS:
        yield p.dim(f"  and {len(edits) - SHOWN_EDITS:,} more repairs")
