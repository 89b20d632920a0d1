"""The documents of a version that are most like one of them, published or not, with the passages that speak for it.

Candidates come from the index: they share an LSH band or a sampled shingle with the document. What they really share is
then counted in two ways, for each finds what the other misses: five words in a row tell text that was cut out and put
together again, three words in a row tell text that was reworded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads
from numpy.typing import NDArray

from winnow.base.files import arrow_dataset, scan_parquet
from winnow.deduplicate.documents.shingles import Hashes, Words, shingle_sets, short_shingle_sets
from winnow.deduplicate.passages.utf8_texts import Utf8Texts
from winnow.publish.dataset import Dataset
from winnow.publish.evidence import find_story

_CANDIDATES = 100  # looked at word by word, those first that share most of the samples
_PASSAGES = 3  # shown of each document
_LEAST = 0.2  # share of a passage's shingles that must stand in the other document for it to be shown


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPassage:
    """A passage of which `share` stands in the other document."""

    position: int
    share: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """How alike another document is. Shares are 0 to 1.

    `containment` is the share of the document's shingles found in the other, by five words and by three, the greater;
    `contains` is the same the other way round. `kept_doc_id` is set for a document that was removed as a duplicate.
    """

    doc_id: str
    source: str
    kept_doc_id: str | None
    similarity: float
    containment: float
    containment_5: float
    containment_3: float
    contains: float
    passages: tuple[SharedPassage, ...]


@dataclass(frozen=True, slots=True)
class _Shingles:
    """The shingles of a document by five words and by three, and by three of each of its passages."""

    five: Hashes
    three: Hashes
    passages: Sequence[tuple[int, str, Hashes]]


def similar_documents(dataset: Dataset, name: str, limit: int) -> tuple[str, list[Similar]]:
    """The doc_id of the document with that doc_id or source, and those most like it, the most alike first.

    Raises UsageError where the dataset has no such document.
    """
    doc_id = find_story(dataset, name).doc_id
    names = _candidates(dataset, doc_id)
    shingles = {d: _shingles(rows) for d, rows in _passages(dataset, [doc_id, *names]).items()}
    said = {d: (source, kept) for d, source, kept in _identities(dataset, names)}
    own = shingles[doc_id]
    found = [_compared(own, shingles[d], d, *said[d]) for d in names if d in shingles and d in said]
    found = [one for one in found if max(one.containment, one.contains) > 0]
    found.sort(key=lambda one: (-max(one.containment, one.contains), -one.similarity, one.doc_id))
    return doc_id, found[:limit]


def _candidates(dataset: Dataset, doc_id: str) -> list[str]:
    """Documents that share a band or a sample with one, those first that share most samples."""
    index = scan_parquet(dataset.files("index")).select("doc_id", "bands", "sketch")
    own = index.filter(pl.col("doc_id") == doc_id).collect()
    others = index.filter(pl.col("doc_id") != doc_id)
    shared = []
    for column in ("sketch", "bands"):
        values = own[column].explode().drop_nulls().implode()
        rows = (
            others.select("doc_id", pl.col(column).alias("value"))
            .explode("value")
            .filter(pl.col("value").is_in(values))
        )
        shared.append(rows.group_by("doc_id").len().collect(engine="streaming"))
    counts = shared[0].join(shared[1], on="doc_id", how="full", coalesce=True).fill_null(0)
    best = counts.sort("len", "len_right", "doc_id", descending=[True, True, False]).head(_CANDIDATES)
    return best["doc_id"].to_list()


def _passages(dataset: Dataset, doc_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The passages of documents in order, removed ones too."""
    among = pads.field("doc_id").isin(pa.array(doc_ids, pa.string()))
    files = dataset.files("passages")
    rows = arrow_dataset(files).to_table(columns=["doc_id", "position", "part", "text"], filter=among)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows.sort_by([(c, "ascending") for c in ("doc_id", "position", "part")]).to_pylist():
        found.setdefault(row["doc_id"], []).append(row)
    return found


def _identities(dataset: Dataset, doc_ids: Sequence[str]) -> list[tuple[str, str, str | None]]:
    """doc_id and source of documents, and the one that is kept for those removed as duplicates."""
    among = pads.field("doc_id").isin(pa.array(doc_ids, pa.string()))
    found: list[tuple[str, str, str | None]] = []
    for table, columns in (("documents", ["doc_id", "source"]), ("duplicates", ["doc_id", "source", "kept_doc_id"])):
        if files := dataset.files(table):
            rows = arrow_dataset(files).to_table(columns=columns, filter=among).to_pylist()
            found += [(row["doc_id"], row["source"], row.get("kept_doc_id")) for row in rows]
    return found


def _shingles(rows: Sequence[dict[str, Any]]) -> _Shingles:
    texts = Utf8Texts.of(pa.array([row["text"] for row in rows], pa.large_string()))
    whole, each = Words.of(texts, np.array([0, len(rows)])), Words.of(texts, np.arange(len(rows) + 1))
    hashes, sizes = short_shingle_sets(each)
    bounds = np.append(0, np.cumsum(sizes)).tolist()
    pieces = [
        (row["position"], row["text"], hashes[start:stop])
        for row, start, stop in zip(rows, bounds, bounds[1:], strict=False)
    ]
    return _Shingles(shingle_sets(whole)[0], short_shingle_sets(whole)[0], pieces)


def _compared(own: _Shingles, other: _Shingles, doc_id: str, source: str, kept: str | None) -> Similar:
    five, three = _shared(own.five, other.five), _shared(own.three, other.three)
    union = len(own.five) + len(other.five) - five
    by_five, by_three = five / max(1, len(own.five)), three / max(1, len(own.three))
    shown = [
        SharedPassage(position=position, share=_shared(hashes, other.three) / len(hashes), text=text)
        for position, text, hashes in own.passages
        if len(hashes)
    ]
    shown = sorted((p for p in shown if p.share >= _LEAST), key=lambda p: (-p.share * len(p.text), p.position))
    return Similar(
        doc_id=doc_id,
        source=source,
        kept_doc_id=kept,
        similarity=five / max(1, union),
        containment=max(by_five, by_three),
        containment_5=by_five,
        containment_3=by_three,
        contains=max(five / max(1, len(other.five)), three / max(1, len(other.three))),
        passages=tuple(shown[:_PASSAGES]),
    )


def _shared(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> int:
    return len(np.intersect1d(one, other, assume_unique=True))
