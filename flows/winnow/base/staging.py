"""Files between stages, in the staging folder: their schemas, and how they are written. No part of a published dataset.

A file is written under a temporary name, flushed to disk and renamed, so what has its name is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from winnow.base.contracts import TABLES, column, table
from winnow.base.disk import beside, flush, hash_of, remove_any
from winnow.base.files import at_hand, known_sha256, place_for, sent, store_tag

EDITS, INDEX, PASSAGES, REJECTS = (TABLES[name] for name in ("edits", "index", "passages", "rejects"))

_DOCUMENT = {f.name: f for f in TABLES["documents"]}
_FIELDS = column("metadata", pa.map_(pa.string(), pa.string()), "All other fields of the record, values as text")
_IDENTITY = [
    *(_DOCUMENT[n] for n in ("doc_id", "source", "title", "encoding", "content_sha256", "collected_at")),
    _FIELDS,
]
_ORIGIN = [
    column("input", pa.string(), "Input file that held the document, relative to the input root"),
    _DOCUMENT["row"],
]

RAW = table(
    "Read: one row per decoded document.",
    *_IDENTITY,
    *_ORIGIN,
    column("text", pa.string(), "The decoded text, line ends as LF"),
    column("content", pa.binary(), "The bytes as read, where they are not simply text in UTF-8", True),
)

IDENTITIES = table(
    "Read: which document each row of RAW is, sorted by doc_id.",
    *(_DOCUMENT[n] for n in ("doc_id", "content_sha256")),
    _ORIGIN[0],
    column("place", pa.int64(), "Number of its record in that file; null where the file is the document", True),
    column("row", pa.int64(), "Its row in RAW"),
)

REJECTED = table(
    "Read, repair: one row per document that goes to quarantine.",
    *(REJECTS.field(n) for n in ("doc_id", "source", "stage", "reason", "expectation", "content")),
    _FIELDS,
    *(REJECTS.field(n) for n in ("input", "row")),
)

REPAIRED = table(
    "Repaired: one row per document, sorted by doc_id, with its ledger and measures.",
    *_IDENTITY,
    *_ORIGIN,
    column("text", pa.string(), "The repaired text"),
    _DOCUMENT["language"],
    _DOCUMENT["language_confidence"],
    column("n_chars", pa.int64(), "Length of the repaired text in code points"),
    column("n_words", pa.int64(), "Words of the repaired text"),
    column("n_edits", pa.int32(), "Repairs made"),
    column("letter_share", pa.float32(), "Share of the characters other than white space that are letters or digits"),
    column("residual_markup", pa.float32(), "Share of the characters that still stand in damaged tags or entities"),
    column(
        "edits",
        pa.list_(pa.field("item", pa.struct([EDITS.field(n) for n in EDITS.names if n != "doc_id"]), nullable=False)),
        "The ledger, in order",
    ),
)

PREPARED = table(
    "Prepared for comparison: one row per passage, sorted by doc_id, position, part.",
    *(PASSAGES.field(n) for n in ("doc_id", "position", "part", "kind", "text", "gap", "fingerprint")),
)

PREPARED_INDEX = INDEX
"""One row per document, as in table ``index``."""

DOCUMENT_DECISIONS = table(
    "Deduplicate: one row per document that is left out as a copy.",
    *(column(n, t, d, n == "containment") for n, t, d in (
        ("doc_id", pa.string(), "The document left out"),
        ("kept_doc_id", pa.string(), "The document kept"),
        ("similarity", pa.float32(), "Exact Jaccard of the shingle sets"),
        ("containment", pa.float32(), "Share of its shingles found in the kept one"),
        ("kind", pa.string(), "exact, near or contained"),
        ("of_rest", pa.bool_(), "It is one by what removal left of it; its own text is none"),
    )),
)  # fmt: skip

PASSAGE_DECISIONS = table(
    "Deduplicate: one row per passage that is removed, or kept as a suspicion, sorted by doc_id, position, part.",
    *(PASSAGES.field(n) for n in ("doc_id", "position", "part")),
    column("reason", pa.string(), "Why it is removed; null where it is kept", True),
    *(PASSAGES.field(n) for n in ("kept_doc_id", "kept_position", "similarity", "suspicion")),
)

SIMILAR_DOCUMENTS = table(
    "Deduplicate: one row per pair that is alike and kept both, sorted by doc_id, similar_doc_id.",
    *(field for field in TABLES["similar"] if field.name != "run_id"),
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Counts = TypeVar("Counts", bound="DataclassInstance")

# zstd 1 costs a few milliseconds a megabyte and keeps staging at a third of the text's size.
_ZSTD_LEVEL = 1
_REPEATING = ["doc_id", "kind"]  # read by their dictionaries; zstd packs what repeats in others in less time and room
_SOUGHT = ["doc_id"]  # a range of them is looked for by the least and the greatest one of a row group


def key_of(*parts: object) -> str:
    """First 24 hex digits of SHA-256 over the JSON form of `parts`; names a file after what it is made from."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


@contextmanager
def _in_place(path: Path, durable: bool = True) -> Iterator[BinaryIO]:
    """A file to write that takes the name `path` when it is whole and flushed; where that fails it is removed.

    What is not `durable` is not flushed: it may be lost with the machine's power.
    """
    place = place_for(path)
    with beside(place) as temporary:
        with temporary.open("xb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if place.is_dir():
            remove_any(place)  # nothing of ours is a folder under a file's name
    if durable:
        flush(place.parent)
    sent(path)


def write_file(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with _in_place(path) as file:
        file.write(content)


def write_parquet(
    path: Path,
    batches: Iterable[pa.Table | pa.RecordBatch],
    schema: pa.Schema,
    row_group_rows: int = 4096,
    *,
    durable: bool = True,
) -> int:
    """Write `batches` to `path`, whole or not at all; returns the number of rows.

    What a run that died makes again need not be `durable`: waiting for the disk takes longer than many a job.

    Row groups are small, so that a reader of a range of sorted doc_ids skips most of the file by its statistics.
    """
    rows = 0
    with parquet_writer(path, schema, row_group_rows, durable=durable) as write:
        for batch in batches:
            part = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
            write(part)
            rows += part.num_rows
    return rows


@contextmanager
def parquet_writer(
    path: Path, schema: pa.Schema, row_group_rows: int = 4096, *, durable: bool = True
) -> Iterator[Callable[[pa.Table], None]]:
    """What writes rows to `path`, which has them all when the context ends, or is not there; see `write_parquet`."""
    how = {"compression": "zstd", "compression_level": _ZSTD_LEVEL, "use_dictionary": _REPEATING}
    with _in_place(path, durable) as file, pq.ParquetWriter(file, schema, **how, write_statistics=_SOUGHT) as writer:
        yield partial(writer.write_table, row_group_size=row_group_rows)


def once(done: Path, kind: type[Counts], outputs: Sequence[Path], work: Callable[[], Counts]) -> Counts:
    """Do `work`, which writes `outputs`, unless an earlier try did it.

    The counts (of dataclass `kind`) are written to `done` last, with the SHA-256 of every output, or its tag where it
    stands in a store: what was changed or lost since is made again.
    """
    try:
        kept = json.loads(at_hand(done).read_bytes())
        if kept["content"] == _contents(outputs):
            return kind(**kept["counts"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # nothing there, or nothing whole
    counts = work()
    write_file(done, json.dumps({"counts": asdict(counts), "content": _contents(outputs)}).encode())
    return counts


def _contents(files: Sequence[Path]) -> dict[str, str]:
    return {f.name: store_tag(f) or sha256_of(f) for f in files}


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes; of one that only the store has, what it was last seen to have."""
    return known_sha256(path) or hash_of(path)
