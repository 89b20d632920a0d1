"""What a worker does to one shard: read a file, call the stages' pure functions, write a file, return counts.

Workers import this module and so the stages' core, but neither Prefect nor Great Expectations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from winnow.base.recipe import ReadSettings, RepairSettings
from winnow.base.records import RawDocument, Reject
from winnow.base.staging import RAW, REJECTED, REPAIRED, once, write_parquet
from winnow.read import Shard, read_bytes, read_shard
from winnow.repair import repair
from winnow.validate.language import guess_language
from winnow.validate.measures import measure

_ORIGINS = pa.schema([(name, pa.string()) for name in ("doc_id", "content_sha256", "made")])
ROW_GROUP = 128  # documents; a range of doc_ids is a small part of each shard, and whole groups are read for it
BATCH_CHARS = 4_000_000  # text held as Python objects at a time; the rest of a shard stays in Arrow


@dataclass(frozen=True, slots=True)
class ShardFiles:
    """Where a shard's files stand.

    ``read_key`` is made from the shard's bytes and the settings it is read under, ``repair_key`` from that, the rows
    that are skipped, and the settings and rule versions it is repaired under.
    """

    folder: Path
    read_key: str
    repair_key: str = ""

    @property
    def raw(self) -> Path:
        return self.folder / "raw" / f"{self.read_key}.parquet"

    @property
    def unread(self) -> Path:
        return self.folder / "raw" / f"{self.read_key}.rejects.parquet"

    @property
    def read_counts(self) -> Path:
        """`ReadCounts` as JSON, written last: what makes the shard read."""
        return self.folder / "raw" / f"{self.read_key}.json"

    @property
    def origins(self) -> Path:
        """For rejects that were read again: which document came from which."""
        return self.folder / "raw" / f"{self.read_key}.origins.parquet"

    @property
    def repaired(self) -> Path:
        return self.folder / "repaired" / f"{self.repair_key}.parquet"

    @property
    def repair_counts(self) -> Path:
        """`RepairCounts` as JSON, written last: what makes the shard repaired."""
        return self.folder / "repaired" / f"{self.repair_key}.json"

    @property
    def broken(self) -> Path:
        return self.folder / "repaired" / f"{self.repair_key}.rejects.parquet"


@dataclass(slots=True, kw_only=True)
class ReadCounts:
    """What reading one shard, or all of them, gave; ``chars`` are those of the decoded texts."""

    documents: int = 0
    rejects: int = 0
    chars: int = 0


@dataclass(slots=True, kw_only=True)
class RepairCounts:
    """What repairing one shard, or all of them, gave; ``rules`` are edits by the rule that made them."""

    documents: int = 0
    rejects: int = 0
    edits: int = 0
    suspicions: int = 0
    chars_in: int = 0
    chars_out: int = 0
    rules: dict[str, int] = field(default_factory=dict)


def read_job(shard: Shard, files: ShardFiles, settings: ReadSettings) -> ReadCounts:
    """Reads a shard into RAW rows and REJECTED rows."""
    return once(files.read_counts, ReadCounts, lambda: _write_raw(files, read_shard(shard, settings)))


def reread_job(waiting: Path, files: ShardFiles, settings: ReadSettings) -> ReadCounts:
    """Like `read_job`, from the kept bytes of rejects (a file of rows of table ``rejects``)."""

    def work() -> ReadCounts:
        origins: list[dict[str, str]] = []
        counts = _write_raw(files, _read_again(waiting, settings, origins))
        write_parquet(files.origins, [pa.Table.from_pylist(origins, schema=_ORIGINS)], _ORIGINS)
        return counts

    return once(files.read_counts, ReadCounts, work)


def _write_raw(files: ShardFiles, documents: Iterable[RawDocument | Reject]) -> ReadCounts:
    counts = ReadCounts()
    rejects: list[Reject] = []
    write_parquet(files.raw, _raw_batches(documents, counts, rejects), RAW)
    write_parquet(files.unread, [_reject_table(rejects)], REJECTED)
    return counts


def _read_again(waiting: Path, settings: ReadSettings, origins: list[dict[str, str]]) -> Iterator[RawDocument | Reject]:
    """The documents that the bytes of rejects hold."""
    with pq.ParquetFile(waiting) as file:
        for batch in file.iter_batches(batch_size=64):
            for row in batch.to_pylist():
                for result in read_bytes(row["source"], row["input"], row["content"], settings):
                    identity = {"doc_id": row["doc_id"], "content_sha256": row["content_sha256"]}
                    origins.append({**identity, "made": result.doc_id})
                    yield replace(result, input=row["input"]) if result.input != row["input"] else result


def _raw_batches(
    documents: Iterable[RawDocument | Reject], counts: ReadCounts, rejects: list[Reject]
) -> Iterator[pa.Table]:
    held: list[RawDocument] = []
    size = 0
    for document in documents:
        if isinstance(document, Reject):
            rejects.append(document)
            counts.rejects += 1
            continue
        counts.documents += 1
        counts.chars += len(document.text)
        held.append(document)
        size += len(document.text)
        if size >= BATCH_CHARS:
            yield _raw_table(held)
            held, size = [], 0
    yield _raw_table(held)


def _raw_table(documents: Sequence[RawDocument]) -> pa.Table:
    columns = {name: [getattr(d, name) for d in documents] for name in RAW.names if name not in ("metadata", "content")}
    columns["metadata"] = [list(d.metadata.items()) for d in documents]
    columns["content"] = [d.content for d in documents]
    return pa.table(columns, schema=RAW)


def _reject_table(rejects: Sequence[Reject]) -> pa.Table:
    columns = {name: [getattr(r, name) for r in rejects] for name in REJECTED.names if name != "metadata"}
    columns["metadata"] = [list(r.metadata.items()) for r in rejects]
    return pa.table(columns, schema=REJECTED)


def repair_job(files: ShardFiles, skip: Sequence[int], settings: RepairSettings) -> RepairCounts:
    """Repair a shard's RAW rows into REPAIRED rows sorted by doc_id.

    `skip` lists the rows that need no work: unchanged since the last version, or a record whose id another has.
    """

    def work() -> RepairCounts:
        # Sorting needs the whole shard; its text stays in Arrow and only a batch of it becomes Python strings.
        table = pq.read_table(files.raw, columns=[n for n in RAW.names if n != "content"])
        if skip:
            keep = np.ones(table.num_rows, bool)
            keep[np.asarray(skip)] = False
            table = table.filter(pa.array(keep))
        table = table.sort_by("doc_id")
        counts = RepairCounts()
        rejects: list[Reject] = []
        write_parquet(files.repaired, _repaired_batches(table, settings, counts, rejects), REPAIRED, ROW_GROUP)
        write_parquet(files.broken, [_reject_table(rejects)], REJECTED)
        return counts

    return once(files.repair_counts, RepairCounts, work)


def _repaired_batches(
    table: pa.Table, settings: RepairSettings, counts: RepairCounts, rejects: list[Reject]
) -> Iterator[pa.Table]:
    for batch in table.to_batches(max_chunksize=256):
        rows: list[Mapping[str, Any]] = []
        for row in batch.to_pylist():
            done = _repaired_row(row, settings, counts)
            if isinstance(done, Reject):
                rejects.append(done)
                counts.rejects += 1
            else:
                rows.append(done)
        yield pa.Table.from_pylist(rows, schema=REPAIRED)


def _repaired_row(row: Mapping[str, Any], settings: RepairSettings, counts: RepairCounts) -> Mapping[str, Any] | Reject:
    text = row["text"]
    try:
        repaired = repair(text, settings)
    except Exception as error:
        # Whatever a rule stumbles over, it is one document's trouble; it waits in quarantine for a mended rule.
        reason = (
            f"{row['source']}: repair failed with {type(error).__name__}: {error}; replay it after the rule is mended"
        )
        content = text.encode("utf-8")
        return Reject(
            source=row["source"], stage="repair", reason=reason, expectation="repair_failed", content=content,
            metadata=dict(row["metadata"]), input=row["input"],
        )  # fmt: skip
    language, confidence = guess_language(repaired.text)
    measures = measure(repaired.text)
    applied = 0
    for edit in repaired.edits:
        if edit.applied:
            applied += 1
            counts.rules[edit.rule] = counts.rules.get(edit.rule, 0) + 1
    counts.documents += 1
    counts.edits += applied
    counts.suspicions += len(repaired.edits) - applied
    counts.chars_in += len(text)
    counts.chars_out += len(repaired.text)
    return {
        **row,
        "text": repaired.text,
        "language": language,
        "language_confidence": confidence,
        "n_chars": measures.n_chars,
        "n_words": measures.n_words,
        "n_edits": applied,
        "letter_share": measures.letter_share,
        "residual_markup": measures.residual_markup,
        "edits": [
            {
                "seq": e.seq, "rule": e.rule, "rule_version": e.rule_version, "start": e.start, "end": e.end,
                "before": e.before, "after": e.after, "confidence": e.confidence, "applied": e.applied,
            }
            for e in repaired.edits
        ],
    }  # fmt: skip
