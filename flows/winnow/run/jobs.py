"""What a worker does to one shard: read a file, call the stages' pure functions, write a file, return counts.

Workers import this module and so the stages' core, but neither Prefect nor Great Expectations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from winnow.base.errors import InputChanged
from winnow.base.recipe import ReadSettings, RepairSettings
from winnow.base.records import OTHER_LANGUAGE, LeftOut, RawDocument, Read, Reject
from winnow.base.staging import IDENTITIES, RAW, REJECTED, REPAIRED, once, write_parquet
from winnow.read import Shard, read_bytes, read_shard
from winnow.repair import redactor, repair
from winnow.validate.language import guess_language, is_among
from winnow.validate.measures import measure

_ORIGINS = pa.schema([(name, pa.string()) for name in ("doc_id", "content_sha256", "made")])
EDIT = [field.name for field in REPAIRED.field("edits").type.value_type]
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
    def read_rejects(self) -> Path:
        return self.folder / "raw" / f"{self.read_key}.rejects.parquet"

    @property
    def identities(self) -> Path:
        """Which document each row of `raw` is, sorted by doc_id."""
        return self.folder / "raw" / f"{self.read_key}.identities.parquet"

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
    def repair_rejects(self) -> Path:
        return self.folder / "repaired" / f"{self.repair_key}.rejects.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCounts:
    """What reading one shard, or all of them, gave.

    ``chars`` are those of the decoded texts, ``left_out`` the records without a document by the file they stand in.
    """

    documents: int = 0
    rejects: int = 0
    chars: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: ReadCounts) -> ReadCounts:
        return ReadCounts(
            documents=self.documents + other.documents,
            rejects=self.rejects + other.rejects,
            chars=self.chars + other.chars,
            left_out=dict(Counter(self.left_out) + Counter(other.left_out)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairCounts:
    """What repairing one shard, or all of them, gave; ``rules`` are edits by the rule that made them."""

    documents: int = 0
    rejects: int = 0
    edits: int = 0
    suspicions: int = 0
    chars_in: int = 0
    chars_out: int = 0
    rules: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: RepairCounts) -> RepairCounts:
        return RepairCounts(
            documents=self.documents + other.documents,
            rejects=self.rejects + other.rejects,
            edits=self.edits + other.edits,
            suspicions=self.suspicions + other.suspicions,
            chars_in=self.chars_in + other.chars_in,
            chars_out=self.chars_out + other.chars_out,
            rules=dict(Counter(self.rules) + Counter(other.rules)),  # asdict breaks a Counter
        )


def read_job(shard: Shard, files: ShardFiles, settings: ReadSettings) -> ReadCounts | InputChanged:
    """Reads a shard into RAW rows and REJECTED rows; returns what changed instead, where an input did meanwhile."""
    outputs = (files.raw, files.identities, files.read_rejects)
    try:
        return once(files.read_counts, ReadCounts, outputs, lambda: _write_raw(files, read_shard(shard, settings)))
    except InputChanged as changed:
        return changed


def reread_job(waiting: Path, files: ShardFiles, settings: ReadSettings) -> ReadCounts:
    """Like `read_job`, from the kept bytes of rejects (a file of rows of table ``rejects``)."""

    def work() -> ReadCounts:
        origins: list[dict[str, str]] = []
        counts = _write_raw(files, _read_again(waiting, settings, origins))
        write_parquet(files.origins, [pa.Table.from_pylist(origins, schema=_ORIGINS)], _ORIGINS)
        return counts

    return once(files.read_counts, ReadCounts, (files.raw, files.identities, files.origins, files.read_rejects), work)


def _write_raw(files: ShardFiles, results: Iterable[Read]) -> ReadCounts:
    rejects: list[Reject] = []
    left_out: Counter[str] = Counter()
    chars = 0

    def batches() -> Iterator[pa.Table]:
        nonlocal chars
        batch: list[RawDocument] = []
        size = 0
        for result in results:
            if isinstance(result, Reject):
                rejects.append(result)
                continue
            if isinstance(result, LeftOut):
                left_out[result.input] += result.records
                continue
            batch.append(result)
            size += len(result.text)
            if size >= BATCH_CHARS:
                yield _table(batch, RAW)
                chars += size
                batch, size = [], 0
        yield _table(batch, RAW)
        chars += size

    documents = write_parquet(files.raw, batches(), RAW)
    identities = pq.read_table(files.raw, columns=[n for n in IDENTITIES.names if n != "row"])
    identities = identities.append_column("row", pa.array(np.arange(documents))).select(IDENTITIES.names)
    write_parquet(files.identities, [identities.sort_by("doc_id").cast(IDENTITIES)], IDENTITIES)
    write_parquet(files.read_rejects, [_table(rejects, REJECTED)], REJECTED)
    return ReadCounts(documents=documents, rejects=len(rejects), chars=chars, left_out=dict(left_out))


def _table(records: Sequence[RawDocument | Reject], schema: pa.Schema) -> pa.Table:
    columns = {name: [getattr(r, name) for r in records] for name in schema.names if name != "metadata"}
    columns["metadata"] = [list(r.metadata.items()) for r in records]
    return pa.table(columns, schema=schema)


def _read_again(waiting: Path, settings: ReadSettings, origins: list[dict[str, str]]) -> Iterator[RawDocument | Reject]:
    """The documents that the bytes of rejects hold."""
    with pq.ParquetFile(waiting) as file:
        for batch in file.iter_batches(batch_size=64):
            for row in batch.to_pylist():
                for result in read_bytes(row["source"], row["input"], row["content"], settings):
                    if isinstance(result, LeftOut):
                        continue
                    identity = {"doc_id": row["doc_id"], "content_sha256": row["content_sha256"]}
                    origins.append({**identity, "made": result.doc_id})
                    yield replace(result, input=row["input"]) if result.input != row["input"] else result


MAX_LOST_SHARE = 0.2  # of a document's characters that may be U+FFFD: with more, words cannot be told


def repair_job(files: ShardFiles, cleaned: bytes, settings: RepairSettings, languages: tuple[str, ...]) -> RepairCounts:
    """Repair a shard's RAW rows into REPAIRED rows sorted by doc_id; reject those in none of `languages`, if any.

    `cleaned` has a bit for each row: set for those that need work, not for what is unchanged since the last version, or
    a record whose id another has.
    """

    def work() -> RepairCounts:
        # Sorting needs the whole shard; its text stays in Arrow and only a batch of it becomes Python strings.
        table = pq.read_table(files.raw, columns=[n for n in RAW.names if n != "content"])
        bits = np.frombuffer(cleaned, np.uint8)
        table = table.filter(pa.array(np.unpackbits(bits, count=table.num_rows).astype(np.bool_)))
        table = table.sort_by("doc_id")
        counts: Counter[str] = Counter()
        rules: Counter[str] = Counter()
        rejects: list[Reject] = []

        def batches() -> Iterator[pa.Table]:
            for batch in table.to_batches(max_chunksize=256):
                results = [_repaired_row(row, settings, languages, counts, rules) for row in batch.to_pylist()]
                rejects.extend(result for result in results if isinstance(result, Reject))
                yield pa.Table.from_pylist([r for r in results if not isinstance(r, Reject)], schema=REPAIRED)

        documents = write_parquet(files.repaired, batches(), REPAIRED, ROW_GROUP)
        write_parquet(files.repair_rejects, [_table(rejects, REJECTED)], REJECTED)
        return RepairCounts(documents=documents, rejects=len(rejects), rules=dict(rules), **counts)

    return once(files.repair_counts, RepairCounts, (files.repaired, files.repair_rejects), work)


def _refused(row: Mapping[str, Any], reason: str, expectation: str) -> Reject:
    return Reject(
        source=row["source"], stage="repair", reason=f"{row['source']}: {reason}", expectation=expectation,
        content=row["text"].encode("utf-8"), metadata=dict(row["metadata"]), input=row["input"],
    )  # fmt: skip


def _labels(row: Mapping[str, Any], settings: RepairSettings) -> Mapping[str, Any]:
    """Title and metadata without personal data, where that is replaced."""
    if not settings.redact.kinds:
        return {}
    bare = redactor(settings.redact).text
    return {"title": row["title"] and bare(row["title"]), "metadata": [(k, v and bare(v)) for k, v in row["metadata"]]}


def _repaired_row(
    row: Mapping[str, Any],
    settings: RepairSettings,
    languages: tuple[str, ...],
    counts: Counter[str],
    rules: Counter[str],
) -> Mapping[str, Any] | Reject:
    text = row["text"]
    try:
        repaired = repair(text, settings)
        language, confidence = guess_language(repaired.text)
        measures = measure(repaired.text)
    except Exception as error:
        # Whatever a rule stumbles over, it is one document's trouble; it waits in quarantine for a mended rule.
        reason = f"repair failed with {type(error).__name__}: {error}; replay it after the rule is mended"
        return _refused(row, reason, "repair_failed")
    if (lost := repaired.text.count("\ufffd")) > MAX_LOST_SHARE * len(repaired.text):
        reason = (
            f"{lost / len(repaired.text):.0%} of its characters were lost before it was read "
            "(U+FFFD); look for the original, or for the charset it was written in"
        )
        return _refused(row, reason, "text_lost")
    if languages and not is_among(language, languages):
        found = f"is in {language}" if language else "is in no language that can be told"
        return _refused(row, f"{found}, and the recipe keeps {', '.join(languages)} (read.languages)", OTHER_LANGUAGE)
    applied = [edit.rule for edit in repaired.edits if edit.applied]
    rules.update(applied)
    counts["edits"] += len(applied)
    counts["suspicions"] += len(repaired.edits) - len(applied)
    counts["chars_in"] += len(text)
    counts["chars_out"] += len(repaired.text)
    return {
        **row,
        **_labels(row, settings),
        "text": repaired.text,
        "language": language,
        "language_confidence": confidence,
        "n_chars": measures.n_chars,
        "n_words": measures.n_words,
        "n_edits": len(applied),
        "letter_share": measures.letter_share,
        "residual_markup": measures.residual_markup,
        "edits": [{name: getattr(edit, name) for name in EDIT} for edit in repaired.edits],
    }
