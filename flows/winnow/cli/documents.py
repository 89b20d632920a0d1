"""``winnow explain`` and ``winnow why``: one document's story, told from the dataset alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.dataset as pads

from winnow.base.errors import UsageError
from winnow.base.records import Edit
from winnow.base.terminal import Paint, colours_for, visible
from winnow.cli.clean import edit_lines
from winnow.publish.dataset import Dataset
from winnow.repair import undo
from winnow.storage.locate import Place, open_dataset


@dataclass(frozen=True, slots=True)
class Story:
    """A document as the dataset holds it: identity, passages (rows of the table) and ledger."""

    doc_id: str
    source: str
    published: bool
    passages: tuple[dict[str, Any], ...]
    edits: tuple[Edit, ...]

    @property
    def repaired(self) -> str:
        return "".join(p["text"] + p["gap"] for p in self.passages)

    @property
    def decoded(self) -> str:
        return undo(self.repaired, self.edits)


def rows_of(dataset: Dataset, table: str, column: str, value: str) -> list[dict[str, Any]]:
    """Rows of the latest version whose `column` is `value`; statistics skip the files that cannot hold it."""
    files = [str(p) for p in dataset.files(table)]
    if not files:
        return []
    found: list[dict[str, Any]] = pads.dataset(files).to_table(filter=pads.field(column) == value).to_pylist()
    return found


def find_story(root: Place, name: str) -> Story:
    """The document with that doc_id or source.

    Raises UsageError where the latest version has none, and says if it waits in quarantine.
    """
    dataset = open_dataset(root)
    if dataset.latest_version() is None:
        raise UsageError(f"{root}: holds no published version; make one with: winnow run SOURCE --into {root}")
    for table in ("documents", "duplicates"):
        for column in ("doc_id", "source"):
            rows = rows_of(dataset, table, column, name)
            if rows:
                return _story(dataset, rows[0], table == "documents")
    rejected = rows_of(dataset, "rejects", "doc_id", name) or rows_of(dataset, "rejects", "source", name)
    if rejected:
        raise UsageError(f"{name} is in quarantine: {rejected[0]['reason']}")
    raise UsageError(f"{root}: no document has the doc_id or source {name!r}; doc_ids are in {root}/latest/documents")


def _story(dataset: Dataset, row: dict[str, Any], published: bool) -> Story:
    doc_id = row["doc_id"]
    passages = sorted(rows_of(dataset, "passages", "doc_id", doc_id), key=lambda p: (p["position"], p["part"]))
    edits = sorted(rows_of(dataset, "edits", "doc_id", doc_id), key=lambda e: e["seq"])
    ledger = tuple(Edit(**{k: v for k, v in e.items() if k != "doc_id"}) for e in edits)
    return Story(doc_id, row["source"], published, tuple(passages), ledger)


def explain_document(root: Place, name: str, as_json: bool) -> int:
    """Print every edit of a document, then its removals."""
    story = find_story(root, name)
    removed = [p for p in story.passages if p["status"] == "removed"]
    if as_json:
        edits = [{n: getattr(e, n) for n in Edit.__slots__} for e in story.edits]
        keys = ("position", "part", "kind", "text", "reason", "kept_doc_id", "kept_position", "similarity")
        json.dump(
            {
                "doc_id": story.doc_id,
                "source": story.source,
                "published": story.published,
                "edits": edits,
                "removed": [{k: p[k] for k in keys} for p in removed],
            },
            sys.stdout,
            ensure_ascii=True,
        )
        print()
        return 0
    paint = Paint(colours_for(sys.stdout))
    applied = sum(e.applied for e in story.edits)
    print(paint.bold(f"{story.doc_id}  {visible(story.source)}"))
    print(f"{applied} edits made, {len(story.edits) - applied} suspicions, {len(removed)} passages removed")
    for line in edit_lines(story.decoded, story.edits, paint):
        print(line)
    for line in removal_lines(removed, paint):
        print(line)
    return 0


def removal_lines(removed: Sequence[dict[str, Any]], paint: Paint) -> list[str]:
    """One line a removed passage: where it stood, why it went, what was kept instead."""
    lines = []
    for row in removed:
        kept = ""
        if row["kept_doc_id"] is not None:
            kept = f"kept: {row['kept_doc_id']} passage {row['kept_position']}"
            if row["similarity"] is not None:
                kept += f" (similarity {row['similarity']:.3f})"
        text = row["text"] if len(row["text"]) <= 80 else row["text"][:77] + "..."
        lines.append(f"passage {row['position']:>4}  {row['reason']:<18} {paint.red(visible(text))}  {paint.dim(kept)}")
    return lines
