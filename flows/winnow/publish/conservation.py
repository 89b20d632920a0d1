"""Nothing is lost: what the tables of one version can show about it, document by document.

* As many documents were read as are published, left out as copies and rejected, and the tables have that many.
* Each document is in `documents`, in `duplicates`, or a waiting row of `rejects`, and in one of them only.
* `index` knows exactly the documents that are published or left out as copies; so does `passages`.
* A document's kept passages stand in its text, in order, and there are as many of them as its row says; the
  removed ones are in `passages`.
* Its edits are numbered without a gap, and there are as many as its row says; taken back, last first, they
  fit the repaired text, which is text and gap of its passages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.dataset as ds

from winnow.base.errors import LedgerError
from winnow.base.files import arrow_dataset
from winnow.base.records import REPEATED_ID, Edit
from winnow.publish.manifest import Manifest

Undo = Callable[[str, Sequence[Edit]], str]
"""Takes the applied edits of a document back; raises LedgerError where they do not fit its repaired text."""

Row = Mapping[str, Any]

_AT_ONCE = 24 << 20  # bytes of Parquet whose rows are held in memory together, some thirty times as large there
_MOST = 20  # problems of one kind that are told one by one


def conservation(view: Path, manifest: Manifest, undo: Undo | None = None) -> list[str]:
    """What is wrong, a sentence each; empty where nothing is."""
    found: list[str] = []
    counts: Counter[str] = Counter()
    for kind, sentence in _all(view, manifest, undo):
        counts[kind] += 1
        if counts[kind] <= _MOST:
            found.append(sentence)
    return found + [f"{n - _MOST} more like it: {kind}" for kind, n in counts.items() if n > _MOST]


def _all(view: Path, manifest: Manifest, undo: Undo | None) -> Iterator[tuple[str, str]]:
    yield from _totals(manifest)
    names = ("documents", "duplicates", "passages", "edits")
    size = sum(manifest.tables[n].bytes for n in names)
    slices = max(1, -(-size // _AT_ONCE))
    for number in range(slices):
        # doc_ids are spread evenly (they are hashes), and files are sorted by them: each slice reads its own
        # part.
        low = f"{number * (1 << 64) // slices:016x}" if number else ""
        high = f"{(number + 1) * (1 << 64) // slices:016x}" if number + 1 < slices else None
        yield from _slice(view, manifest, low, high, undo)


def _totals(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """What the run counted on its way, against the rows that came out at its end."""
    facts = manifest.counts.get("facts")
    if not facts:  # written by hand, or by a run that counted nothing
        return
    for table, key in (("documents", "n_published"), ("duplicates", "n_duplicates")):
        left = facts[key] - manifest.erased_rows(table)
        if manifest.tables[table].rows != left:
            erased = f", {facts[key] - left} of them erased since" if manifest.erased else ""
            yield "a wrong total", f"{table} has {manifest.rows(table)} rows, the run counted {facts[key]}{erased}"
    settled = facts["n_published"] + facts["n_duplicates"] + facts["n_rejected"]
    if facts["n_read"] != settled:
        yield (
            "documents lost",
            f"{facts['n_read']} documents were read, {settled} published, copies or rejected",
        )


def _slice(view: Path, manifest: Manifest, low: str, high: str | None, undo: Undo | None) -> Iterator[tuple[str, str]]:
    def read(table: str, *columns: str) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        files = [view / f.name for f in manifest.tables[table].files]
        within = ds.field("doc_id") >= low
        if high is not None:
            within &= ds.field("doc_id") < high
        rows = arrow_dataset(files).to_table(columns=["doc_id", *columns], filter=within)
        order = pc.sort_indices(rows, sort_keys=[(c, "ascending") for c in ("doc_id", *_order(table))])
        for row in rows.take(order).to_pylist():
            found.setdefault(row["doc_id"], []).append(row)
        return found

    counted = ("text", "n_passages", "n_removed", "n_edits")
    documents, duplicates = read("documents", *counted), read("duplicates", "n_edits")
    rejects = read("rejects", "replayed_in", "expectation", "stage", "content_sha256")
    index = read("index", "content_sha256")
    passages = read("passages", "position", "part", "text", "gap", "status")
    edits = read("edits", "seq", "rule", "rule_version", "start", "end", "before", "after", "confidence", "applied")
    # A record that bears the id of another waits under that id, beside the other's document: as a repeat, or for
    # what is wrong with it.
    waiting = {
        i for i, rows in rejects.items()
        if any(
            r["replayed_in"] is None and r["expectation"] != REPEATED_ID
            and (r["stage"] != "read" or r["content_sha256"] == index.get(i, [{}])[0].get("content_sha256"))
            for r in rows
        )
    }  # fmt: skip
    for name, rows_by_id in (("documents", documents), ("duplicates", duplicates), ("index", index)):
        for doc_id, rows in rows_by_id.items():
            if len(rows) > 1:
                yield "a document more than once", f"{name}: {doc_id} stands there {len(rows)} times"
    for doc_id in sorted(documents.keys() & duplicates.keys()):
        yield "in two tables", f"{doc_id} is in documents and in duplicates"
    live = documents.keys() | duplicates.keys()
    for doc_id in sorted(live & waiting):
        yield "in two tables", f"{doc_id} is published or a copy, and a waiting reject"
    for name, other in (("passages", passages), ("edits", edits), ("index", index)):
        for doc_id in sorted(other.keys() - live):
            yield f"{name} of no document", f"{name}: {doc_id} is neither in documents nor in duplicates"
    for doc_id in sorted(live - index.keys()):
        yield "not in index", f"{doc_id} is not in index"
    for doc_id in sorted(live):
        row = (documents.get(doc_id) or duplicates[doc_id])[0]
        yield from _document(doc_id, row, passages.get(doc_id, []), edits.get(doc_id, []), undo)


def _order(table: str) -> tuple[str, ...]:
    return {"passages": ("position", "part"), "edits": ("seq",)}.get(table, ())


def _document(
    doc_id: str, row: Row, passages: Sequence[Row], edits: Sequence[Row], undo: Undo | None
) -> Iterator[tuple[str, str]]:
    kept = [p["text"] for p in passages if p["status"] == "kept"]
    applied = sum(1 for e in edits if e["applied"])
    if "text" in row:
        at = 0
        for text in kept:
            found = row["text"].find(text, at)
            if found < 0:
                yield "text without a passage", f"{doc_id}: its text lacks the kept passage {text[:60]!r}"
                break
            at = found + len(text)
        if row["n_passages"] != len(kept) or row["n_removed"] != len(passages) - len(kept):
            yield (
                "wrong number of passages",
                f"{doc_id}: says {row['n_passages']} passages kept and {row['n_removed']} removed, "
                f"has {len(kept)} and {len(passages) - len(kept)}",
            )
    if row["n_edits"] != applied:
        yield "wrong number of edits", f"{doc_id}: says {row['n_edits']} edits, has {applied}"
    if [e["seq"] for e in edits] != list(range(len(edits))):
        yield "a gap in the ledger", f"{doc_id}: its edits are not numbered from 0 without a gap"
    if undo is not None:
        repaired = "".join(p["text"] + p["gap"] for p in passages)
        ledger = [Edit(**{k: v for k, v in e.items() if k != "doc_id"}) for e in edits]
        try:
            undo(repaired, ledger)
        except LedgerError as error:
            yield "a ledger that does not fit", f"{doc_id}: {error}"
