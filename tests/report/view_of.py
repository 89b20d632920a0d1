"""A version's view made from texts: repaired by the rules, cut into passages, repeats found by a dictionary."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from winnow.base.contracts import SORT_KEYS, TABLES
from winnow.base.records import doc_id_of
from winnow.deduplicate.passages.splitter import split_passages
from winnow.repair import repair
from winnow.validate.measures import measure

START = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


def write_view(
    folder: Path,
    records: Iterable[Mapping[str, str]],
    rejects: Sequence[Mapping[str, str]] = (),
    runs: Sequence[Mapping[str, Any]] = (),
    copies: int = 0,
    min_repeat: int = 80,
) -> Path:
    """`records` have source, title and text; the last `copies` of them become duplicates of the first."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    seen: dict[str, tuple[str, int]] = {}
    records = list(records)
    for number, record in enumerate(records):
        copy = number >= len(records) - copies
        _add(rows, record, seen, min_repeat, doc_id_of(records[0]["source"]) if copy else None)
    for record in rejects:
        content = record["content"].encode("utf-8", "replace")
        rows["rejects"].append(
            {
                "doc_id": doc_id_of(record["source"]), "source": record["source"], "stage": record["stage"],
                "reason": record["reason"], "expectation": record["expectation"], "content": content,
                "content_sha256": hashlib.sha256(content).hexdigest(), "input": record["source"], "metadata": "{}",
                "recipe_id": "r" * 16, "run_id": "run-1", "replayed_in": None,
            }
        )  # fmt: skip
    rows["runs"] = [_run(n, run) for n, run in enumerate(runs, 1)]
    for name, schema in TABLES.items():
        # Columns that the report does not look at may come and go; they get a value that fits their type.
        filled = [{f.name: r[f.name] if f.name in r else _blank(f) for f in schema} for r in rows[name]]
        ordered = sorted(filled, key=lambda r: tuple(r[c] for c in SORT_KEYS[name]))
        (folder / name).mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(ordered, schema=schema), folder / name / "part-0.parquet")
    return folder


def _blank(field: pa.Field) -> Any:
    if field.nullable:
        return None
    if pa.types.is_nested(field.type):
        return []
    if pa.types.is_binary(field.type) or pa.types.is_fixed_size_binary(field.type):
        return b"\0" * 16
    return "" if pa.types.is_string(field.type) else 0


def _add(
    rows: dict[str, list[dict[str, Any]]],
    record: Mapping[str, str],
    seen: dict[str, tuple[str, int]],
    min_repeat: int,
    kept: str | None,
) -> None:
    doc_id = doc_id_of(record["source"])
    repaired = repair(record["text"])
    text: list[str] = []
    n_removed = 0
    passages = split_passages(repaired.text)
    for passage in passages:
        reason, place = None, None
        if kept:
            reason = "duplicate_document"
        elif passage.text in seen and len(passage.text) >= min_repeat:
            reason, place = "repeat", seen[passage.text]
        elif "ADVERTISEMENT" in passage.text or "Subscribe" in passage.text:
            reason = "promo"
        else:
            seen.setdefault(passage.text, (doc_id, passage.position))
            text.append(passage.text + passage.gap)
        n_removed += reason is not None
        rows["passages"].append(
            {
                "doc_id": doc_id, "position": passage.position, "part": passage.part, "kind": passage.kind,
                "text": passage.text, "gap": passage.gap,
                "fingerprint": hashlib.md5(passage.text.encode("utf-8", "replace")).digest(),
                "status": "removed" if reason else "kept", "reason": reason,
                "kept_doc_id": place[0] if place else kept, "kept_position": place[1] if place else None,
                "similarity": 1.0 if place else None,
            }
        )  # fmt: skip
    for edit in repaired.edits:
        rows["edits"].append(
            {"doc_id": doc_id, **{n: getattr(edit, n) for n in TABLES["edits"].names if n != "doc_id"}}
        )
    published = "".join(text).strip("\n")
    measures = measure(published)
    document = {
        "doc_id": doc_id, "source": record["source"], "title": record.get("title"), "text": published,
        "language": record.get("language", "en"), "language_confidence": 0.9, "n_chars": measures.n_chars,
        "n_words": measures.n_words, "n_passages": len(passages) - n_removed, "n_removed": n_removed,
        "n_edits": sum(e.applied for e in repaired.edits), "encoding": "utf-8",
        "content_sha256": hashlib.sha256(record["text"].encode("utf-8", "replace")).hexdigest(),
        "collected_at": None, "metadata": "{}", "first_version": 1, "recipe_id": "r" * 16, "run_id": "run-1",
    }  # fmt: skip
    if kept:
        rows["duplicates"].append(
            {**document, "kept_doc_id": kept, "similarity": 0.97, "containment": 0.99, "kind": "near"}
        )
    else:
        rows["documents"].append(document)
    rows["index"].append(
        {
            "doc_id": doc_id, "input": record["source"], "arrival": 1, "damage": 0, "length": len(published),
            "collected_at": None, "content_sha256": document["content_sha256"], "recipe_id": "r" * 16,
            "site": record.get("site", "example.org"), "n_shingles": 1, "bands": [1], "sketch": [1],
        }
    )  # fmt: skip


def _run(version: int, run: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "run_id": f"run-{version}", "version": version, "status": "published",
        "started_at": START + timedelta(days=version), "finished_at": START + timedelta(days=version, minutes=1),
        "recipe": json.dumps(run.get("recipe", {})), "recipe_id": "r" * 16, "packages": json.dumps({"polars": "2.1"}),
        "counts": json.dumps({"facts": run.get("facts", {})}), "gate": json.dumps(run.get("gate", {})),
        "table_versions": "{}", "note": run.get("note"),
    }  # fmt: skip
