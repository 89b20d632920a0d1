"""``winnow versions``, ``show``, ``schema`` and ``report``: what has been published."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from winnow.base.contracts import TABLES, describe
from winnow.base.errors import UsageError
from winnow.base.terminal import visible
from winnow.cli.output import paint, print_json, print_table, size
from winnow.publish.dataset import Dataset
from winnow.publish.history import show, versions
from winnow.publish.manifest import Manifest
from winnow.storage.locate import Place, inside, open_dataset


def published(root: Place) -> Dataset:
    """The dataset at `root`.

    Raises UsageError where it has no version yet.
    """
    dataset = open_dataset(root)
    if dataset.latest_version() is None:
        raise UsageError(f"{root}: holds no published version; make one with: winnow run SOURCE --into {root}")
    return dataset


def list_versions(root: Place, as_json: bool) -> int:
    """Print each version with its counts, size, time and recipe, newest last."""
    lines = versions(open_dataset(root))
    if as_json:
        print_json(lines)
        return 0
    published(root)
    head = ("version", "created", "documents", "duplicates", "rejects", "edits", "size", "new", "recipe", "note")
    rows = [
        (
            f"v{v.version}",
            f"{v.created_at:%Y-%m-%d %H:%M:%S}",
            *(f"{n:,}" for n in (v.documents, v.duplicates, v.rejects, v.edits)),
            size(v.bytes),
            size(v.new_bytes),
            v.recipe_id[:8],
            visible(v.note or ""),
        )
        for v in lines
    ]
    print_table(head, rows)
    return 0


def show_version(root: Place, version: int | None, as_json: bool) -> int:
    """Print what one version holds and how it was made."""
    dataset = published(root)
    manifest = show(dataset, version)
    if as_json:
        print_json(manifest)
        return 0
    p = paint()
    before = f", after v{manifest.previous}" if manifest.previous else ""
    print(p.bold(f"v{manifest.version}") + f"  {manifest.created_at:%Y-%m-%d %H:%M:%S} UTC{before}")
    print(f"run {manifest.run_id}, recipe {manifest.recipe_id}, in {inside(root, f'v{manifest.version}')}")
    if manifest.note:
        print(p.yellow(f"note: {visible(manifest.note)}"))
    print()
    rows = [(n, f"{t.rows:,}", str(len(t.files)), size(t.bytes), t.description) for n, t in manifest.tables.items()]
    print_table(("table", "rows", "files", "size", "what it holds"), rows, last=80)
    for title, counts in _tallies(manifest):
        print(f"\n{p.bold(title)}")
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:20]:
            print(f"  {count:>9,}  {visible(name)}")
    print(f"\n{p.bold('packages')}")
    print("  " + ", ".join(f"{n} {v}" for n, v in sorted(manifest.packages.items())))
    return 0


def _tallies(manifest: Manifest) -> list[tuple[str, dict[str, int]]]:
    facts: dict[str, Any] = manifest.counts.get("facts", {})
    named = (
        ("repairs by rule", "edits_by_rule"),
        ("removals by reason", "removals_by_reason"),
        ("documents by language", "documents_by_language"),
    )
    return [(title, facts[key]) for title, key in named if facts.get(key)]


def show_schema(table: str | None, as_json: bool) -> int:
    """Print the columns of one table, or of all, from the schemas themselves."""
    if table is not None and table not in TABLES:
        raise UsageError(f"{table!r} is no table; there are {', '.join(TABLES)}")
    names = [table] if table else list(TABLES)
    if as_json:
        print_json({n: {"description": _about(n), "columns": _columns(n)} for n in names})
        return 0
    for number, name in enumerate(names):
        print(("\n" if number else "") + paint().bold(name) + f"  {_about(name)}")
        rows = [(f"  {c.name}", c.type, "null" if c.nullable else "", c.description) for c in describe(TABLES[name])]
        print_table(("  column", "type", "", "meaning"), rows)
    return 0


def _about(table: str) -> str:
    return str(TABLES[table].metadata[b"description"].decode())


def _columns(table: str) -> list[dict[str, object]]:
    return [asdict(c) for c in describe(TABLES[table])]


def show_report(
    root: Place, version: int | None, open_it: bool, as_json: bool, browse: Callable[[str], object] = webbrowser.open
) -> int:
    """Print where a version's report stands; open it where asked."""
    dataset = published(root)
    manifest = show(dataset, version)
    path = dataset.view(manifest.version) / "report.html"
    if not path.is_file():
        raise UsageError(f"{path}: v{manifest.version} has no report; versions made by a newer run have one")
    if as_json:
        print_json({"version": manifest.version, "report": path.resolve().as_uri()})
    else:
        print(path)
    if open_it:
        browse(path.resolve().as_uri())
    return 0
