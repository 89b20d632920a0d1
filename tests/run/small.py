"""Small versions on disk, from rows that name only the columns a case is about."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import ascii_lowercase
from tempfile import TemporaryDirectory
from typing import Any

from tests.publish.press import Press, copied, write_part

from winnow.base.records import doc_id_of
from winnow.publish.dataset import Dataset

IDS = {letter: doc_id_of(letter) for letter in ascii_lowercase}
"""The doc_id of each source that a case calls by a letter."""
LETTERS = {doc_id: letter for letter, doc_id in IDS.items()}
RECIPE, OTHER_RECIPE = "r" * 16, "s" * 16

VALID: dict[str, dict[str, Any]] = {
    "documents": {"first_version": 1},
    "duplicates": {"kind": "exact"},
    "index": {"arrival": 1},
    "passages": {"status": "kept"},
    "rejects": {"stage": "validate", "metadata": "{}"},
}
"""Columns whose blank would break a constraint of their table, or is no JSON."""

_MADE = TemporaryDirectory(prefix="versions-")  # goes with the process


def letters(doc_ids: Iterable[str]) -> str:
    """The documents' letters, in order."""
    return "".join(sorted(LETTERS[d] for d in doc_ids))


def ids(named: str) -> frozenset[str]:
    return frozenset(IDS[letter] for letter in named)


def sha(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def version(folder: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> Dataset:
    """A dataset whose only version has these rows; without rows it has no version.

    It is published once, and copied for all cases that begin with these rows.
    """
    tables = {t: [{**VALID.get(t, {}), **r} for r in rows] for t, rows in tables.items() if rows}
    made = Path(_MADE.name, sha(repr(tables)))
    press = Press(Dataset(made / "dataset"), made / "work")
    if not made.exists():
        parts = {t: [write_part(made / f"{t}.parquet", t, rows)] for t, rows in tables.items()}
        press.publish({}, more=parts)
    return copied(press, folder).dataset
