"""Rows for table ``rejects``: what failed, why, and the bytes from which it can be tried again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from winnow.base.conform import table_of
from winnow.base.contracts import TABLES
from winnow.base.records import fields_as_json
from winnow.base.staging import REJECTED
from winnow.validate.expectations import Failure


def reject_failures(raw: Iterable[Mapping[str, Any]], failures: Sequence[Failure]) -> pa.Table:
    """Staged rejects (REJECTED) for the documents that failed, from their RAW rows, sorted by doc_id.

    A document that fails several expectations is one row: `expectation` names the first, `reason` tells
    all. Title and date go into the metadata, where a replay finds them again. Documents that did not fail
    are passed over.
    """
    by_id: dict[str, list[Failure]] = {}
    for failure in failures:
        by_id.setdefault(failure.doc_id, []).append(failure)
    rows = []
    for row in raw:
        if found := by_id.get(row["doc_id"]):
            content = row["content"] if row["content"] is not None else row["text"].encode("utf-8", "surrogatepass")
            rows.append(
                {
                    "doc_id": row["doc_id"],
                    "source": row["source"],
                    "stage": "validate",
                    "reason": _capital("; also ".join(f.reason for f in found)),
                    "expectation": found[0].expectation,
                    "content": content,
                    "metadata": _with_identity(row),
                    "input": row["input"],
                    "row": row["row"],
                }
            )
    rows.sort(key=lambda r: (r["doc_id"], r["content"]))
    return table_of(rows, REJECTED, "rejected")


def quarantine(staged: pa.Table, recipe_id: str, run_id: str) -> pa.Table:
    """Rows of table ``rejects`` from staged rejects of any stage (REJECTED), in order, each once, by its first row."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in staged.to_pylist():
        digest = hashlib.sha256(row["content"]).hexdigest()
        key = (row["doc_id"], digest, row["stage"], row["reason"])
        known = {
            **row,
            "metadata": fields_as_json(row["metadata"] or ()),
            "content_sha256": digest,
            "recipe_id": recipe_id,
            "run_id": run_id,
            "replayed_in": None,
        }
        rows.setdefault(key, known)
    return table_of([rows[key] for key in sorted(rows)], TABLES["rejects"], "rejects")


def _with_identity(row: Mapping[str, Any]) -> dict[str, str]:
    extra = {"title": row["title"], "collected_at": row["collected_at"] and row["collected_at"].isoformat()}
    return {**dict(row["metadata"] or ()), **{k: v for k, v in extra.items() if v}}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
