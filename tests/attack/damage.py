"""Kinds of damage to what a dataset keeps on disk, and the places they are done to."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from winnow.base.contracts import TABLES

Place = Callable[[Path], Path]
Kind = Callable[[Path], None]


def _log(which: int) -> Place:
    return lambda root: sorted((root / "tables/documents/_delta_log").glob("[0-9]*.json"))[which]


def _data(table: str) -> Place:
    return lambda root: min((root / "tables" / table).glob("*.parquet"))


def _view(table: str, version: int) -> Place:
    return lambda root: min((root / f"v{version}" / table).glob("*.parquet"))


WITH_ROWS = ("documents", "passages", "edits", "runs", "index", "inputs")

PLACES: dict[str, Place] = {
    "the first entry of a log": _log(0),
    "a middle entry of a log": _log(1),
    "the last entry of a log": _log(-1),
    **{f"a file of table {t}": _data(t) for t in WITH_ROWS},
    "a file of the last view": _view("documents", 3),
    "a file of an older view": _view("documents", 1),
    "the manifest": lambda root: root / "v3/manifest.json",
    "an older manifest": lambda root: root / "v1/manifest.json",
    "the link latest": lambda root: root / "latest",
    "the lock": lambda root: root / ".lock",
    "the card": lambda root: root / "v3/README.md",
    "the newest version": lambda root: root / "v3",
    "an older version": lambda root: root / "v2",
    "a table": lambda root: root / "tables/documents",
    "table runs": lambda root: root / "tables/runs",
    "all tables": lambda root: root / "tables",
    "staging": lambda root: root / ".staging",
}


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def empty(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
        path.symlink_to("") if False else path.touch()
    elif path.is_dir():
        for child in path.iterdir():
            remove(child)
    elif path.exists():
        path.write_bytes(b"")


def truncate(path: Path) -> None:
    for file in _files(path):
        content = file.read_bytes()
        file.write_bytes(content[: len(content) * 2 // 3])


def flip(path: Path) -> None:
    for file in _files(path):
        content = bytearray(file.read_bytes())
        if content:
            content[len(content) // 2] ^= 1
        file.write_bytes(bytes(content))


def put_a_folder(path: Path) -> None:
    remove(path)
    path.mkdir(parents=True)
    (path / "stranger.txt").write_text("not ours")


def _files(path: Path) -> list[Path]:
    """The file, or the first of a folder."""
    if path.is_dir() and not path.is_symlink():
        return sorted(p for p in path.rglob("*") if p.is_file())[:1]
    return [path] if path.is_file() and not path.is_symlink() else []


KINDS: dict[str, Kind] = {
    "removed": remove,
    "emptied": empty,
    "truncated": truncate,
    "one byte flipped": flip,
    "a folder in its place": put_a_folder,
}

assert set(WITH_ROWS) <= set(TABLES)


def link_again(root: Path) -> None:
    """Make the copies of a dataset's files hard links again, as they were: damage then hits all names of a file."""
    first: dict[bytes, Path] = {}
    for path in sorted(root.rglob("*.parquet")):
        known = first.setdefault(path.read_bytes(), path)
        if known is not path:
            path.unlink()
            path.hardlink_to(known)


def bring_back(root: Path, backup: Path) -> None:
    """Copy back from a backup what is missing or differs."""
    for path in sorted(backup.rglob("*")):
        mine = root / path.relative_to(backup)
        if path.is_file() and not path.is_symlink() and (not mine.is_file() or mine.read_bytes() != path.read_bytes()):
            remove(mine)
            mine.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, mine)
