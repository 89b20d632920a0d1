"""What a worker does to a shard of repaired documents before they are compared: passages, bands, sketches, repeats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress, groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from winnow.base.files import at_hand
from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import Passage
from winnow.base.staging import PREPARED, PREPARED_INDEX, write_parquet
from winnow.deduplicate.documents.shingles import Signatures, Words, overlapping, sign_documents
from winnow.deduplicate.passages.fingerprint import fingerprints
from winnow.deduplicate.passages.splitter import Pieces, cut
from winnow.deduplicate.passages.utf8_texts import Offsets, Utf8Texts, portions
from winnow.deduplicate.repeats.inner_candidates import may_be_near, may_run
from winnow.deduplicate.repeats.promotion import MAX_PROMO, PROMO_OPENING, SHORT_LINK, is_promo
from winnow.deduplicate.repeats.within_document import (
    PROSE,
    PROTECTED,
    CutPassage,
    Outline,
    cut_at_repeats,
    least_chars,
    outline_repeats,
)
from winnow.deduplicate.sorted_rows import repeat, stand_in

_BATCH = 256  # documents at a time
_PORTION = 1 << 20  # bytes of text of them at most, but for longer ones
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
        table = pq.read_table(at_hand(self.arrivals), columns=["doc_id", "arrival"])
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
        for batch in pq.ParquetFile(at_hand(repaired)).iter_batches(batch_size=_BATCH, columns=_COLUMNS):
            for first, stop in portions(Utf8Texts.of(batch.column("text")).offsets, _PORTION):
                documents = batch.slice(first, stop - first)
                passages = Batch.of(documents, how.settings)
                index.append(_index_rows(documents, passages, known, how))
                yield passages.table()

    write_parquet(made.passages, passages(), PREPARED, 1 << 20, durable=False)
    write_parquet(made.index, index, PREPARED_INDEX, durable=False)
    return made


def _index_rows(batch: pa.RecordBatch, passages: Batch, known: dict[str, int], how: Preparation) -> pa.Table:
    signed = passages.signed
    compared = signed.n_words >= how.settings.min_document_words  # others have no bands: they are too short
    ids = batch.column("doc_id").to_pylist()
    columns: dict[str, pa.Array | Sequence[Any]] = {
        **{n: batch.column(n) for n in ("doc_id", "input", "collected_at", "content_sha256")},
        "arrival": [known.get(i, how.version) for i in ids],
        "damage": batch.column("n_edits"),
        "length": batch.column("n_chars"),
        "recipe_id": [how.recipe_id] * len(ids),
        "site": [site_of(s) for s in batch.column("source").to_pylist()],
        "text_hash": Utf8Texts.of(batch.column("text")).hashes(),
        "n_shingles": signed.n_shingles.astype(np.int32),
        "bands": _lists(signed.bands[compared].reshape(-1), np.cumsum(compared * signed.bands.shape[1])),
        "sketch": _lists(signed.sketch, signed.sketch_ends),
        "repeats": [[_stored(cut) for cut in document] for document in passages.repeats()],
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


def _table(columns: Mapping[str, pa.Array | Sequence[Any]], schema: pa.Schema) -> pa.Table:
    arrays = {
        f.name: values.cast(f.type) if isinstance(values := columns[f.name], pa.Array) else pa.array(values, f.type)
        for f in schema
    }
    return pa.table(arrays, schema=schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The passages of some documents end to end; document n has those from ``bounds[n]`` to ``bounds[n + 1]``."""

    settings: DeduplicateSettings
    doc_ids: pa.Array
    pieces: Pieces
    texts: pa.Array  # of the pieces once more
    bounds: Offsets
    prints: list[bytes]
    words: Words
    signed: Signatures
    cuts: dict[int, list[CutPassage]]  # of documents in which passages repeat or promote: these, cut at it

    @classmethod
    def of(cls, batch: pa.RecordBatch, settings: DeduplicateSettings) -> Batch:
        documents = list(map(cut, batch.column("text").to_pylist()))
        pieces = Pieces(*(list(chain.from_iterable(column)) for column in zip(*documents, strict=True)))
        bounds = np.cumsum([0, *(len(document.texts) for document in documents)])
        texts = pa.array(pieces.texts, pa.large_string())
        words = Words.of(Utf8Texts.of(texts), bounds)
        self = cls(
            settings=settings,
            doc_ids=batch.column("doc_id"),
            pieces=pieces,
            texts=texts,
            bounds=bounds,
            prints=fingerprints(pieces.texts, settings),
            words=words,
            signed=sign_documents(words, settings.min_document_words),
            cuts={},
        )
        if settings.passages:
            self._cut_at_repeats()
        return self

    @property
    def _owners(self) -> Offsets:
        """The document of each passage."""
        return np.repeat(np.arange(len(self.doc_ids)), np.diff(self.bounds))

    def _cut_at_repeats(self) -> None:
        """Look for repeats in documents in which a passage may be promotion, or may go for what another one says."""
        pieces, settings, owners = self.pieces, self.settings, self._owners
        texts = pl.Series(self.texts, dtype=pl.String)
        promo = may_promote(texts) if settings.promo_lines else np.zeros(len(owners), np.bool_)
        least = {kind: least_chars(kind, settings) for kind in set(pieces.kinds)}
        long = texts.str.len_chars().to_numpy() >= np.array([least[kind] for kind in pieces.kinds], np.int64)
        near, runs = self._inner_candidates(np.flatnonzero(overlapping(self.words) & long))
        lows = np.frombuffer(b"".join(self.prints), np.uint64)[1::2]
        again = repeat(lows ^ owners.astype(np.uint64)) & long  # others are not found again
        for n in np.unique(owners[promo | again | near | runs]).tolist():
            a, b = self.bounds[n : n + 2].tolist()
            outline = Outline(
                kinds=pieces.kinds[a:b],
                texts=pieces.texts[a:b],
                gaps=pieces.gaps[a:b],
                prints=self.prints[a:b],
                may_promote=np.flatnonzero(promo[a:b]).tolist(),
                may_be_near=np.flatnonzero(near[a:b]).tolist(),
                may_run=np.flatnonzero(runs[a:b]).tolist(),
            )
            if found := outline_repeats(outline, settings):
                at = dict.fromkeys(repeat.position for repeat in found)
                blocks = [Passage(m, outline.kinds[m], outline.texts[m], outline.gaps[m]) for m in at]
                self.cuts[n] = cut_at_repeats(blocks, found)

    def _inner_candidates(self, at: Offsets) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Marks passages that may be near another, and those with sentences that may stand again, of some passages."""
        kinds, texts = ([column[n] for n in at.tolist()] for column in (self.pieces.kinds, self.pieces.texts))
        marks = np.zeros((2, len(self.texts)), np.bool_)
        owners = self._owners[at]
        may_go = np.array([kind not in PROTECTED for kind in kinds], np.bool_)
        prose = np.array([kind in PROSE for kind in kinds], np.bool_)
        found = (
            may_be_near(list(compress(texts, prose)), owners[prose], self.settings.passage_threshold),
            may_run(list(compress(texts, may_go)), owners[may_go], self.settings),
        )
        for mark, asked, documents in zip(marks, (prose, may_go), found, strict=True):
            mark[at[asked]] = stand_in(owners[asked], documents)
        return marks[0], marks[1]

    def repeats(self) -> list[list[CutPassage]]:
        """Of each document, what goes for another passage of it, or as promotion, or stays although it repeats."""
        return [[row for row in self.cuts.get(n, ()) if row.repeat] for n in range(len(self.doc_ids))]

    def table(self) -> pa.Table:
        """Of type winnow.base.staging.PREPARED."""
        owners = self._owners
        whole = _table(
            {
                "doc_id": self.doc_ids.take(pa.array(owners)),
                "position": pa.array(np.arange(len(owners)) - self.bounds[owners]),
                "part": pa.array(np.zeros(len(owners), np.int32)),
                "kind": self.pieces.kinds,
                "text": self.texts,
                "gap": self.pieces.gaps,
                "fingerprint": self.prints,
            },
            PREPARED,
        )
        tables, at = [], 0
        for n, rows in sorted(self.cuts.items()):
            for position, cut_rows in groupby(rows, lambda row: row.passage.position):
                parts = [row.passage for row in cut_rows]
                if len(parts) > 1:
                    place = int(self.bounds[n]) + position
                    tables += [whole.slice(at, place - at), self._in_parts(self.doc_ids[n], parts)]
                    at = place + 1
        return pa.concat_tables([*tables, whole.slice(at)])

    def _in_parts(self, doc_id: pa.Scalar, parts: Sequence[Passage]) -> pa.Table:
        """The same of one passage that was cut into parts."""
        columns: dict[str, Sequence[Any]] = {
            name: [getattr(part, name) for part in parts] for name in ("position", "part", "kind", "text", "gap")
        }
        prints = fingerprints([part.text for part in parts], self.settings)
        return _table({**columns, "fingerprint": prints, "doc_id": [doc_id.as_py()] * len(parts)}, PREPARED)


def may_promote(texts: pl.Series) -> NDArray[np.bool_]:
    """Passages that are promotion, or would be if they stood again in their document."""
    text = pl.col("text")
    short = pl.when(text.str.len_chars() <= MAX_PROMO).then(text).str
    opens = short.contains(PROMO_OPENING) | short.contains(SHORT_LINK)
    out = texts.to_frame("text").select(opens.fill_null(False)).to_series().to_numpy().copy()
    out[out] = [is_promo(text, stands_again=True) for text in texts.filter(out)]
    return out
