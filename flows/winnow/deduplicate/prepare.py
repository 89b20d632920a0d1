"""What a worker does to a shard of repaired documents before they are compared: passages, bands, sketches, repeats.

Passages are cut from the bytes of the documents by offsets; documents in which nothing can repeat or promote, which
are most, never become Python objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numba import njit
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import Passage
from winnow.base.staging import PREPARED, PREPARED_INDEX, write_parquet
from winnow.deduplicate.documents.shingles import overlapping, sign_documents
from winnow.deduplicate.passages.compiled_lines import CODE, HEADING, ITEM, KINDS, ROW
from winnow.deduplicate.passages.compiled_splitter import SplitDocuments, split_documents
from winnow.deduplicate.passages.utf8_texts import Utf8Texts, fingerprints
from winnow.deduplicate.repeats.promotion import is_promo
from winnow.deduplicate.repeats.within_document import CutPassage, Outline, cut_at_repeats, outline_repeats

_BATCH = 256  # documents at a time; long ones make batches of up to 64 MB each at the default limits
_COLUMNS = ["doc_id", "source", "text", "input", "n_edits", "n_chars", "collected_at", "content_sha256"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """How shards are prepared.

    `arrivals` is a Parquet file with columns doc_id and arrival, for documents that were seen before; the others
    arrive in `version`.
    """

    folder: Path
    version: int
    settings: DeduplicateSettings
    recipe_id: str
    arrivals: Path | None = None

    def known_arrivals(self) -> dict[str, int]:
        if self.arrivals is None:
            return {}
        table = pq.read_table(self.arrivals, columns=["doc_id", "arrival"])
        return dict(zip(table["doc_id"].to_pylist(), table["arrival"].to_pylist(), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedShard:
    """The two files made of one shard (winnow.base.staging.PREPARED and PREPARED_INDEX)."""

    passages: Path
    index: Path


def prepare_shard(repaired: Path, how: Preparation) -> PreparedShard:
    """Write ``<shard>.passages.parquet`` and ``<shard>.index.parquet`` for one file of repaired documents.

    Order of the documents is that of the input.
    """
    known = how.known_arrivals()
    name = repaired.name.removesuffix(".parquet").removesuffix(".repaired")
    made = PreparedShard(passages=how.folder / f"{name}.passages.parquet", index=how.folder / f"{name}.index.parquet")
    index: list[pa.Table] = []

    def passages() -> Iterator[pa.Table]:
        for batch in pq.ParquetFile(repaired).iter_batches(batch_size=_BATCH, columns=_COLUMNS):
            texts = Utf8Texts.of(batch.column("text"))
            rows = _passage_rows(batch.column("doc_id").to_pylist(), texts, how.settings)
            index.append(_index_rows(batch, texts, rows.repeats, known, how))
            yield rows.table

    write_parquet(made.passages, passages(), PREPARED, 1 << 20)
    write_parquet(made.index, index, PREPARED_INDEX)
    return made


def _index_rows(
    batch: pa.RecordBatch, texts: Utf8Texts, repeats: list[list[CutPassage]], known: dict[str, int], how: Preparation
) -> pa.Table:
    min_words = how.settings.min_document_words
    signed = sign_documents(texts, min_words)
    compared = signed.n_words >= min_words  # others have no bands: they are too short
    ids = batch.column("doc_id").to_pylist()
    columns: dict[str, pa.Array | Sequence[Any]] = {
        **{n: batch.column(n) for n in ("doc_id", "input", "collected_at", "content_sha256")},
        "arrival": [known.get(i, how.version) for i in ids],
        "damage": batch.column("n_edits"),
        "length": batch.column("n_chars"),
        "recipe_id": [how.recipe_id] * len(ids),
        "site": [site_of(s) for s in batch.column("source").to_pylist()],
        "text_hash": texts.hashes(),
        "n_shingles": signed.n_shingles.astype(np.int32),
        "bands": _lists(signed.bands[compared].reshape(-1), np.cumsum(compared * signed.bands.shape[1])),
        "sketch": _lists(signed.sketch, signed.sketch_ends),
        "repeats": [[_stored(cut) for cut in document] for document in repeats],
    }
    return _table(columns, PREPARED_INDEX)


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


def _lists(values: NDArray[np.uint64], ends: NDArray[np.int64]) -> pa.Array:
    """One list of 64-bit numbers a document, given the end of each."""
    item = pa.field("item", pa.int64(), nullable=False)
    starts = pa.array(np.append(0, ends), pa.int32())
    return pa.ListArray.from_arrays(starts, pa.array(values.view(np.int64)), type=pa.list_(item))


def _stored(cut: CutPassage) -> dict[str, Any]:
    why = cut.repeat
    assert why is not None
    of_passage = {"position": cut.passage.position, "part": cut.passage.part, "reason": why.reason}
    return {**of_passage, "kept_position": why.kept_position, "similarity": why.similarity}


def _table(columns: dict[str, pa.Array | Sequence[Any]], schema: pa.Schema) -> pa.Table:
    arrays = {
        f.name: values.cast(f.type) if isinstance(values := columns[f.name], pa.Array) else pa.array(values, f.type)
        for f in schema
    }
    return pa.table(arrays, schema=schema)


@dataclass(frozen=True, slots=True)
class _PassageRows:
    table: pa.Table  # winnow.base.staging.PREPARED
    repeats: list[list[CutPassage]]  # for each document, what of it goes for another passage of it, or as promotion


def _passage_rows(doc_ids: Sequence[str], texts: Utf8Texts, settings: DeduplicateSettings) -> _PassageRows:
    """The passages of documents that lie end to end, and what repeats inside each."""
    split = split_documents(texts)
    first, n = split.starts, len(split.kinds)
    edges = np.append(split.bounds.reshape(-1), texts.offsets[-1])  # where text, gap, text, gap, ... start
    pieces = pa.LargeStringArray.from_buffers(2 * n, pa.py_buffer(edges), pa.py_buffer(texts.data))
    whole = pieces.take(pa.array(np.arange(n) * 2))
    whole_texts = Utf8Texts.of(whole)
    prints = fingerprints(whole_texts, settings.fold_digits)
    repeats: list[list[CutPassage]] = [[] for _ in doc_ids]
    cut: dict[int, list[CutPassage]] = {}
    if settings.passages and n:
        batch = _Batch(
            split=split,
            pieces=pieces,
            prints=prints,
            overlaps=overlapping(whole_texts, split.ends),
            may_promote=_may_promote(split, whole) if settings.promo_lines else np.zeros(n, np.bool_),
        )
        for d in np.flatnonzero(batch.may_repeat(settings)).tolist():
            found = outline_repeats(batch.outline(d), settings)
            rows = cut_at_repeats(batch.blocks(d), found) if found else []
            repeats[d] = [row for row in rows if row.repeat]
            if any(row.passage.part for row in rows):
                cut[d] = rows
    sizes = split.ends - first
    columns: dict[str, pa.Array | Sequence[Any]] = {
        "doc_id": pa.array(doc_ids, pa.string()).take(pa.array(np.repeat(np.arange(len(doc_ids)), sizes))),
        "position": np.arange(n) - np.repeat(first, sizes),
        "part": np.zeros(n, np.int32),
        "kind": pa.array(KINDS, pa.string()).take(pa.array(split.kinds)),
        "text": whole,
        "gap": pieces.take(pa.array(np.arange(n) * 2 + 1)),
        "fingerprint": prints,
    }
    table = _table(columns, PREPARED)
    return _PassageRows(_with_parts(table, doc_ids, cut, split, settings) if cut else table, repeats)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """The passages of some documents, and what compiled loops say of each."""

    split: SplitDocuments
    pieces: pa.LargeStringArray  # text, gap, text, gap, ...
    prints: list[bytes]
    overlaps: NDArray[np.bool_]
    may_promote: NDArray[np.bool_]

    def may_repeat(self, settings: DeduplicateSettings) -> NDArray[np.bool_]:
        """Documents in which a passage may be promotion, or may go because another says the same or almost."""
        kinds = self.split.kinds
        short = (kinds == ITEM) | (kinds == CODE)
        least = np.where(short, settings.min_repeat_chars, settings.min_inner_repeat_chars)
        may_go = (self.split.chars >= least) & (kinds != HEADING) & (kinds != ROW)
        keys = np.frombuffer(b"".join(self.prints), np.uint64)[::2]
        found = self.may_promote | self.overlaps & may_go
        documents: NDArray[np.bool_] = _any_repeats(keys, self.split.starts, self.split.ends, may_go, found)
        return documents

    def outline(self, d: int) -> Outline:
        start, end = int(self.split.starts[d]), int(self.split.ends[d])
        return Outline(
            kinds=[KINDS[k] for k in self.split.kinds[start:end].tolist()],
            chars=self.split.chars[start:end].tolist(),
            prints=self.prints[start:end],
            text=lambda n: str(self.pieces[2 * (start + n)]),
            overlaps=np.flatnonzero(self.overlaps[start:end]).tolist(),
            may_promote=np.flatnonzero(self.may_promote[start:end]).tolist(),
        )

    def blocks(self, d: int) -> list[Passage]:
        start, end = int(self.split.starts[d]), int(self.split.ends[d])
        texts = self.pieces.slice(2 * start, 2 * (end - start)).to_pylist()
        kinds = [KINDS[k] for k in self.split.kinds[start:end].tolist()]
        return [Passage(n, kind, texts[2 * n], texts[2 * n + 1]) for n, kind in enumerate(kinds)]


def _may_promote(split: SplitDocuments, texts: pa.LargeStringArray) -> NDArray[np.bool_]:
    """Passages that are promotion, or would be if they stood again in their document."""
    out = split.may_promote.copy()
    rows = np.flatnonzero(out)
    out[rows] = [is_promo(text, stands_again=True) for text in texts.take(pa.array(rows)).to_pylist()]
    return out


@njit(cache=True, nogil=True)
def _any_repeats(keys, first, ends, may_go, found):  # type: ignore[no-untyped-def]
    """Documents with a row that is found, or one that may go and has the key of another."""
    out = np.zeros(len(ends), np.bool_)
    for d in range(len(ends)):
        start, end = first[d], ends[d]
        out[d] = found[start:end].any()
        if out[d] or end - start < 2:
            continue
        order = np.argsort(keys[start:end]) + start
        for n in range(1, len(order)):
            a, b = order[n - 1], order[n]
            if keys[a] == keys[b] and (may_go[a] or may_go[b]):
                out[d] = True
                break
    return out


def _with_parts(
    table: pa.Table,
    doc_ids: Sequence[str],
    cut: dict[int, list[CutPassage]],
    split: SplitDocuments,
    settings: DeduplicateSettings,
) -> pa.Table:
    """The table with the rows of some documents exchanged for those of their passages cut into parts."""
    passages = [row.passage for row in chain.from_iterable(cut.values())]
    columns: dict[str, pa.Array | Sequence[Any]] = {
        "doc_id": [doc_ids[d] for d, rows in cut.items() for _ in rows],
        **{name: [getattr(p, name) for p in passages] for name in ("position", "part", "kind", "text", "gap")},
    }
    texts = Utf8Texts.of(pa.array(columns["text"], pa.large_string()))
    parts = _table({**columns, "fingerprint": fingerprints(texts, settings.fold_digits)}, PREPARED)
    pieces = []
    at = done = 0
    for d, rows in cut.items():
        pieces += [table.slice(at, int(split.starts[d]) - at), parts.slice(done, len(rows))]
        at, done = int(split.ends[d]), done + len(rows)
    return pa.concat_tables([*pieces, table.slice(at)]).combine_chunks()
