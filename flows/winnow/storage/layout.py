"""What the names of a dataset's files say: which travel to the store, and in what order they matter."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

LATEST = "latest.json"
HELD = ".staging/held.json"
MANIFEST = "manifest.json"

Kind = Literal["data", "log", "note", "view", "side"]
"""data: a table's file, never changed. log: a commit of a table, never changed, in order. note: what Delta keeps beside
its log and can do without. view: a version's file, never changed. side: what may change (Data Docs, a held call)."""

_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("log", re.compile(r"tables/[^/]+/_delta_log/\d{20}\.json")),
    ("note", re.compile(r"tables/[^/]+/_delta_log/(?!_commit_)[^/]+(?<!\.tmp)")),
    ("data", re.compile(r"tables/.+(?<!\.tmp)")),
    ("view", re.compile(r"v[1-9][0-9]{0,8}/.+")),
    ("side", re.compile(r"gx/.+(?<!\.tmp)")),
    ("side", re.compile(re.escape(HELD))),
)


def kind_of(name: str) -> Kind | None:
    """What a file or object is; None for what is not ours, or would not stay in the dataset's folder.

    >>> [kind_of(n) for n in ("tables/runs/_delta_log/00000000000000000000.json", "tables/runs/a.parquet", "v2/x/y")]
    ['log', 'data', 'view']
    >>> [kind_of(n) for n in ("latest.json", "notes.txt", "gx/../../x", "tables/runs/_delta_log/_commit_1.json.tmp")]
    [None, None, None, None]
    """
    if any(part in ("", ".", "..") for part in name.split("/")) or "\\" in name or "_delta_log/_commit_" in name:
        return None
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(name)), None)


def version_of(name: str) -> int:
    """The version of a view's file.

    >>> version_of("v12/documents/part-00000-v12.parquet")
    12
    """
    return int(name[1 : name.index("/")])


def local_names(root: Path) -> Iterator[tuple[str, Kind]]:
    """The files of a working copy that have their place in the store."""
    tops = [root / "tables", root / "gx", *root.glob("v[1-9]*")]
    for top in tops:
        for path in top.rglob("*") if top.is_dir() and not top.is_symlink() else ():
            if path.is_file() and not path.is_symlink():
                name = path.relative_to(root).as_posix()
                kind = kind_of(name)
                if kind:
                    yield name, kind
    if (root / HELD).is_file():
        yield HELD, "side"


def whole_views(names: Collection[str], latest: int) -> set[int]:
    """Versions that count: those up to the one that ``latest.json`` names, with their manifest."""
    manifests = (n for n in names if kind_of(n) == "view" and n.endswith(f"/{MANIFEST}") and n.count("/") == 1)
    return {v for v in map(version_of, manifests) if v <= latest}
