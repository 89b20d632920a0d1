"""One document as the dataset holds it: its passages, its ledger, and the evidence of each removal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.dataset as pads

from winnow.base.errors import UsageError
from winnow.base.files import arrow_dataset
from winnow.base.records import DUPLICATE_DOCUMENT, Edit
from winnow.publish.dataset import Dataset

Row = Mapping[str, Any]
"""A row of a published table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A document as the dataset holds it: identity, input file and row there, rows of its passages, and its ledger."""

    doc_id: str
    source: str
    input: str | None
    row: int | None
    published: bool
    passages: Sequence[Row]
    edits: Sequence[Edit]

    @property
    def identity(self) -> dict[str, object]:
        names = ("doc_id", "source", "input", "row", "published")
        return {name: getattr(self, name) for name in names}

    @property
    def origin(self) -> str:
        """The input file and the row in it, in words."""
        row = f", row {self.row}" if self.row is not None else ""
        return f"from {self.input}{row}" if self.input else "from an input file that is not on record"


def find_story(dataset: Dataset, name: str) -> Story:
    """Returns the document of the latest version with that doc_id or source.

    Raises UsageError where there is none, and says if it waits in quarantine.
    """
    for table in ("documents", "duplicates"):
        if rows := rows_of(dataset, table, "doc_id", name) or rows_of(dataset, table, "source", name):
            doc_id = rows[0]["doc_id"]
            edits = sorted(rows_of(dataset, "edits", "doc_id", doc_id), key=lambda e: e["seq"])
            passages = rows_of(dataset, "passages", "doc_id", doc_id)
            return Story(
                doc_id=doc_id,
                source=rows[0]["source"],
                input=_input_of(dataset, rows[0]),
                row=rows[0].get("row"),
                published=table == "documents",
                passages=sorted(passages, key=lambda p: (p["position"], p["part"])),
                edits=[Edit(**{k: v for k, v in e.items() if k != "doc_id"}) for e in edits],
            )
    if rows := rows_of(dataset, "rejects", "doc_id", name) or rows_of(dataset, "rejects", "source", name):
        raise UsageError(f"{name} is a reject, and waits in quarantine: {rows[0]['reason']}")
    # The version is called by its own name: a store has no link `latest`.
    there = f"{dataset.name}/v{dataset.latest_version()}/documents"
    raise UsageError(f"{dataset.name}: no document has the doc_id or source {name!r}; doc_ids are in {there}")


def _input_of(dataset: Dataset, row: Row) -> str | None:
    """The input file of a document; rows from before the column do not name it, and the index always did."""
    if row.get("input") is None:
        row = next(iter(rows_of(dataset, "index", "doc_id", row["doc_id"])), {})
    return row.get("input")


def rows_of(dataset: Dataset, table: str, column: str, value: str) -> list[Row]:
    """Returns rows of the latest version whose `column` is `value`; statistics skip the files that cannot hold it."""
    files = dataset.files(table)
    if not files:
        return []
    found: list[Row] = arrow_dataset(files).to_table(filter=pads.field(column) == value).to_pylist()
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyEvidence:
    """Why a document is removed as a duplicate: how near the kept one is, and both texts."""

    kind: str
    similarity: float
    containment: float | None
    kept_doc_id: str
    kept_source: str | None
    removed_text: str
    kept_text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageEvidence:
    """Why a passage is left out, and the passage that was kept instead (None: none was)."""

    position: int
    part: int
    kind: str
    reason: str
    similarity: float | None
    kept_doc_id: str | None
    kept_source: str | None
    kept_position: int | None
    removed_text: str
    kept_text: str | None


def copy_evidence(dataset: Dataset, story: Story) -> CopyEvidence | None:
    """Returns why a document is left out as a copy; None for a published one."""
    rows = rows_of(dataset, "duplicates", "doc_id", story.doc_id)
    if not rows:
        return None
    row = rows[0]
    kept = next(iter(rows_of(dataset, "documents", "doc_id", row["kept_doc_id"])), None)
    return CopyEvidence(
        kind=row["kind"],
        similarity=row["similarity"],
        containment=row["containment"],
        kept_doc_id=row["kept_doc_id"],
        kept_source=kept["source"] if kept else None,
        removed_text=row["text"],
        kept_text=kept["text"] if kept else None,
    )


def passage_evidence(dataset: Dataset, story: Story) -> Iterator[PassageEvidence]:
    """Yields each passage that was removed for its own sake, not with a whole document."""
    passages: dict[str, Sequence[Row]] = {story.doc_id: story.passages}
    sources: dict[str, str | None] = {story.doc_id: story.source}
    for row in story.passages:
        if row["status"] != "removed" or row["reason"] == DUPLICATE_DOCUMENT:
            continue
        other = row["kept_doc_id"]
        if other is not None and other not in passages:
            passages[other] = rows_of(dataset, "passages", "doc_id", other)
            known = rows_of(dataset, "documents", "doc_id", other)
            sources[other] = known[0]["source"] if known else None
        yield PassageEvidence(
            **{k: row[k] for k in ("position", "part", "kind", "reason", "similarity")},
            kept_doc_id=other,
            kept_source=sources[other] if other else None,
            kept_position=row["kept_position"],
            removed_text=row["text"],
            kept_text=_kept_text(row, passages[other]) if other else None,
        )


def _kept_text(row: Row, others: Sequence[Row]) -> str | None:
    """Returns the passage at the kept position; one cut into parts by the part of the same fingerprint, else whole."""
    there = sorted((o for o in others if o["position"] == row["kept_position"]), key=lambda o: int(o["part"]))
    for other in there:
        if other["fingerprint"] == row["fingerprint"]:
            return str(other["text"])
    return "".join(o["text"] + o["gap"] for o in there).rstrip() or None
