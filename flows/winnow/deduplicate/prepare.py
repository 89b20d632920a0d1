"""What a worker does to a shard of repaired documents before they are compared with others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from winnow.base.recipe import DeduplicateSettings
from winnow.base.staging import PREPARED, PREPARED_INDEX
from winnow.deduplicate.documents.keys import laid
from winnow.deduplicate.documents.minhash import Signed, sign_documents
from winnow.deduplicate.exchange import unfinished
from winnow.deduplicate.passages.fingerprint import hash_of
from winnow.deduplicate.rows import passage_rows

_BATCH = 256  # documents at a time; long ones make batches of up to 64 MB each at the default limits


@dataclass(frozen=True, slots=True)
class PreparedShard:
    """The two files made of one shard, and how much they hold."""

    passages: Path
    index: Path
    n_documents: int
    n_passages: int
    n_chars: int


def prepare_shard(
    repaired: Path,
    out_dir: Path,
    version: int,
    settings: DeduplicateSettings,
    recipe_id: str,
    arrivals: Path | None = None,
) -> PreparedShard:
    """Write ``<shard>.passages.parquet`` and ``<shard>.index.parquet`` for one file of repaired documents.

    `arrivals` is a Parquet file with columns doc_id and arrival, for documents that were seen before; the others
    arrive in `version`. Order of the documents is that of the input.
    """
    known = _read_arrivals(arrivals)
    base = repaired.name.removesuffix(".parquet").removesuffix(".repaired")
    passages, index = out_dir / f"{base}.passages.parquet", out_dir / f"{base}.index.parquet"
    counts = [0, 0, 0]
    temporary = [unfinished(p) for p in (passages, index)]
    with (
        pq.ParquetWriter(temporary[0], PREPARED, compression="zstd", compression_level=1) as passage_writer,
        pq.ParquetWriter(temporary[1], PREPARED_INDEX, compression="zstd", compression_level=1) as index_writer,
    ):
        columns = ["doc_id", "source", "text", "input", "n_edits", "n_chars", "collected_at", "content_sha256"]
        for batch in pq.ParquetFile(repaired).iter_batches(batch_size=_BATCH, columns=columns):
            passage_rows, index_rows = prepare_batch(batch, known, version, settings, recipe_id)
            passage_writer.write_table(passage_rows)
            index_writer.write_table(index_rows)
            counts[0] += index_rows.num_rows
            counts[1] += passage_rows.num_rows
            counts[2] += sum(batch.column("n_chars").to_pylist())
    for made, final in zip(temporary, (passages, index), strict=True):
        with made.open("rb+") as file:
            os.fsync(file.fileno())
        made.rename(final)
    return PreparedShard(passages, index, *counts)


def prepare_batch(
    batch: pa.RecordBatch, known: dict[str, int], version: int, settings: DeduplicateSettings, recipe_id: str
) -> tuple[pa.Table, pa.Table]:
    """Passage rows and index rows of some repaired documents."""
    texts = laid(batch.column("text"))
    signed = sign_documents(*texts, settings.min_document_words)
    ids = batch.column("doc_id").to_pylist()
    rows, repeats = passage_rows(ids, *texts, settings)
    view = texts[0].data
    index = {
        **{n: batch.column(n) for n in ("doc_id", "input", "collected_at", "content_sha256")},
        "arrival": [known.get(i, version) for i in ids],
        "damage": batch.column("n_edits"),
        "length": batch.column("n_chars"),
        "recipe_id": [recipe_id] * len(ids),
        "site": [site_of(s) for s in batch.column("source").to_pylist()],
        "text_hash": [hash_of(view[a:b]) for a, b in pairwise(texts[1].tolist())],
        "n_shingles": signed.n_shingles.astype(np.int32),
        "bands": _band_lists(signed, settings.min_document_words),
        "sketch": _lists(signed.sketch, np.concatenate(([0], signed.sketch_ends))),
        "repeats": repeats,
    }
    return rows, pa.table({f.name: _column(index[f.name], f.type) for f in PREPARED_INDEX}, schema=PREPARED_INDEX)


def site_of(source: str) -> str:
    """Host of a URL, else the first folder of a path, else the empty string.

    >>> site_of("https://www.Example.org/a?b"), site_of("news/2024/a.txt"), site_of("a.txt"), site_of("x.jsonl#3")
    ('example.org', 'news', '', '')
    """
    if "://" in source[:12]:
        try:
            return (urlsplit(source).hostname or "").removeprefix("www.")
        except ValueError:  # a bracket in the host, as hostile URLs have it
            return ""
    return source.split("/", 1)[0] if "/" in source else ""


def _band_lists(signed: Signed, min_words: int) -> pa.Array:
    """One list a document, empty where it is too short to be compared by bands."""
    has = signed.n_words >= min_words
    ends = np.concatenate(([0], np.cumsum(has * signed.bands.shape[1])))
    return _lists(signed.bands[has].reshape(-1), ends)


def _lists(values: np.ndarray[Any, Any], ends: np.ndarray[Any, Any]) -> pa.Array:
    item = pa.field("item", pa.int64(), nullable=False)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(values.view(np.int64)), type=pa.list_(item))


def _column(values: pa.Array | Sequence[Any], kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return values if values.type == kind else values.cast(kind)
    return pa.array(values, kind)


def _read_arrivals(path: Path | None) -> dict[str, int]:
    if path is None:
        return {}
    table = pq.read_table(path, columns=["doc_id", "arrival"])
    return dict(zip(table["doc_id"].to_pylist(), table["arrival"].to_pylist(), strict=True))
