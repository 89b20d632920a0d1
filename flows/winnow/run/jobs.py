"""What a worker does to one shard: read a file, call the stages' pure functions, write a file, return counts.

Workers import this module and so the stages' core, but neither Prefect nor Great Expectations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from winnow.base.errors import InputChanged, WinnowError
from winnow.base.files import at_hand, parquet_file
from winnow.base.recipe import ReadSettings, RepairSettings
from winnow.base.records import INTERNAL_ERROR, OTHER_LANGUAGE, LeftOut, RawDocument, Read, Reject, internal_error
from winnow.base.staging import IDENTITIES, RAW, REJECTED, REPAIRED, once, write_parquet
from winnow.read import Shard, read_bytes, read_shard
from winnow.repair import Repaired, redacted, redactor, repair_each
from winnow.validate.language import guess_language, is_among
from winnow.validate.measures import Measures, measure

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
    identities = pq.read_table(at_hand(files.raw), columns=["doc_id", "content_sha256", "input", "row"])
    identities = identities.rename_columns({"row": "place"})
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
    with parquet_file(waiting) as file:
        for batch in file.iter_batches(batch_size=64):
            for row in batch.to_pylist():
                for result in read_bytes(row["source"], row["input"], row["content"], settings, row["row"]):
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
        table = pq.read_table(at_hand(files.raw), columns=[n for n in RAW.names if n != "content"])
        bits = np.frombuffer(cleaned, np.uint8)
        table = table.filter(pa.array(np.unpackbits(bits, count=table.num_rows).astype(np.bool_)))
        table = table.sort_by("doc_id")
        counts = RepairCounts()
        rejects: list[Reject] = []

        def batches() -> Iterator[pa.Table]:
            nonlocal counts
            for batch in table.to_batches(max_chunksize=256):
                results = _repair_texts(batch.column("text").to_pylist(), settings, languages)
                made = [one for one in results if isinstance(one, _Mended)]
                refused = [n for n, one in enumerate(results) if not isinstance(one, _Mended)]
                if refused:
                    rows = batch.take(refused).to_pylist()
                    rejects.extend(_reject(row, results[n]) for n, row in zip(refused, rows, strict=True))
                    batch = batch.filter(pa.array([isinstance(one, _Mended) for one in results]))
                counts += _counted(batch.column("text"), made)
                yield _repaired_rows(batch, made, settings)

        write_parquet(files.repaired, batches(), REPAIRED, ROW_GROUP)
        write_parquet(files.repair_rejects, [_table(rejects, REJECTED)], REJECTED)
        return replace(counts, rejects=len(rejects))

    return once(files.repair_counts, RepairCounts, (files.repaired, files.repair_rejects), work)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mended:
    """A text that was repaired, and what was found out about it."""

    repaired: Repaired
    language: str | None
    confidence: float | None
    measures: Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refused:
    """Why a text goes to quarantine, the expectation that says so, and what is kept with it."""

    reason: str
    expectation: str
    metadata: Mapping[str, str] = field(default_factory=dict)


T = TypeVar("T")
S = TypeVar("S")


def _repair_texts(
    texts: Sequence[str], settings: RepairSettings, languages: tuple[str, ...]
) -> list[_Mended | _Refused]:
    """Repairs texts, and finds out about them what is published.

    Step by step for all of them: the tables of one stay in the processor's cache, which saves a tenth of the time.
    """
    found = repair_each(texts, settings)
    repaired = _each(lambda n: redacted(_sound(found[n]), settings), range(len(found)))
    guessed = _each(lambda one: guess_language(one.text), repaired)
    measured = _each(lambda one: measure(one.text), repaired)
    return [_judged(*found, languages) for found in zip(repaired, guessed, measured, strict=True)]


def _sound(found: Repaired | Exception) -> Repaired:
    if isinstance(found, Exception):
        raise found
    return found


def _each(step: Callable[[T], S], of: Sequence[T | _Refused]) -> list[S | _Refused]:
    """What a step gives for each; a text that it stumbles over is refused, and what is refused stays so."""
    given: list[S | _Refused] = []
    for one in of:
        if isinstance(one, _Refused):
            given.append(one)
            continue
        try:
            given.append(step(one))
        except WinnowError:
            raise  # a key that this worker lacks is no fault of one document
        except Exception as error:
            # Whatever a rule stumbles over, it is one document's trouble; it waits in quarantine for a mended rule.
            reason, traced = internal_error(error)
            given.append(_Refused(reason=reason, expectation=INTERNAL_ERROR, metadata=traced))
    return given


def _judged(
    repaired: Repaired | _Refused,
    guessed: tuple[str | None, float | None] | _Refused,
    measures: Measures | _Refused,
    languages: tuple[str, ...],
) -> _Mended | _Refused:
    if isinstance(repaired, _Refused):
        return repaired
    if isinstance(guessed, _Refused):
        return guessed
    if isinstance(measures, _Refused):
        return measures
    language, confidence = guessed
    if (lost := repaired.text.count("\ufffd")) > MAX_LOST_SHARE * len(repaired.text):
        reason = (
            f"{lost / len(repaired.text):.0%} of its characters were lost before it was read "
            "(U+FFFD); look for the original, or for the charset it was written in"
        )
        return _Refused(reason=reason, expectation="text_lost")
    if languages and not is_among(language, languages):
        found = f"is in {language}" if language else "is in no language that can be told"
        reason = f"{found}, and the recipe keeps {', '.join(languages)} (read.languages)"
        return _Refused(reason=reason, expectation=OTHER_LANGUAGE)
    return _Mended(repaired=repaired, language=language, confidence=confidence, measures=measures)


def _reject(row: Mapping[str, Any], why: _Mended | _Refused) -> Reject:
    assert isinstance(why, _Refused)
    return Reject(
        source=row["source"], stage="repair", reason=f"{row['source']}: {why.reason}", expectation=why.expectation,
        content=row["text"].encode("utf-8"), metadata={**dict(row["metadata"]), **why.metadata},
        input=row["input"], row=row["row"],
    )  # fmt: skip


def _labels(batch: pa.RecordBatch, settings: RepairSettings) -> dict[str, list[Any]]:
    """Title and metadata without personal data, where that is replaced."""
    if not settings.redact.kinds:
        return {}
    bare = redactor(settings.redact).text
    titles, metadata = batch.column("title").to_pylist(), batch.column("metadata").to_pylist()
    return {
        "title": [title and bare(title) for title in titles],
        "metadata": [[(name, value and bare(value)) for name, value in fields] for fields in metadata],
    }


def _counted(texts: pa.Array, made: Sequence[_Mended]) -> RepairCounts:
    rules = Counter(edit.rule for one in made for edit in one.repaired.edits if edit.applied)
    edits = rules.total()
    return RepairCounts(
        documents=len(made),
        edits=edits,
        suspicions=sum(len(one.repaired.edits) for one in made) - edits,
        chars_in=pc.sum(pc.utf8_length(texts)).as_py() or 0,
        chars_out=sum(one.measures.n_chars for one in made),
        rules=dict(rules),
    )


def _repaired_rows(batch: pa.RecordBatch, made: Sequence[_Mended], settings: RepairSettings) -> pa.Table:
    """REPAIRED rows of a batch of RAW rows, in the same order."""
    edits = [one.repaired.edits for one in made]
    flat = list(chain.from_iterable(edits))
    ledger = REPAIRED.field("edits").type
    items = [pa.array([getattr(edit, f.name) for edit in flat], f.type) for f in ledger.value_type]
    starts = pa.array(list(accumulate(map(len, edits), initial=0)), pa.int32())
    columns = {
        **{name: batch.column(name) for name in batch.schema.names},
        **_labels(batch, settings),
        "text": [one.repaired.text for one in made],
        "language": [one.language for one in made],
        "language_confidence": [one.confidence for one in made],
        "n_chars": [one.measures.n_chars for one in made],
        "n_words": [one.measures.n_words for one in made],
        "n_edits": [sum(edit.applied for edit in of) for of in edits],
        "letter_share": [one.measures.letter_share for one in made],
        "residual_markup": [one.measures.residual_markup for one in made],
        "edits": pa.ListArray.from_arrays(
            starts, pa.StructArray.from_arrays(items, fields=list(ledger.value_type)), type=ledger
        ),
    }
    return pa.table(columns, schema=REPAIRED)
