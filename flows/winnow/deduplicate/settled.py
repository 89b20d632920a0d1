"""What was decided before, and still holds where documents only come in addition.

Every decision depends on documents that arrived no later: pairs are taken by the arrival of the later document,
templates and boilerplate are counted up to an arrival, and a passage is held by an earlier document. So where all new
documents arrive after all published ones, those keep their decisions, and only what concerns the new ones is looked at.

Large buckets of like documents are gone through in rounds. So where a new document is in one, and close to any there
that is not compared with it anyway, what candidate pairs connect with that bucket is decided on once more, and must
come out as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from winnow.base.files import parquet_file
from winnow.base.staging import SIMILAR_DOCUMENTS
from winnow.deduplicate.documents.document_order import DocumentOrder, load_order
from winnow.deduplicate.documents.kept_set import RANKS_READ, KeptSet, components
from winnow.deduplicate.sorted_rows import Rows, run_starts, stand_in
from winnow.deduplicate.work_files import NO_POSITION, NO_RANK, SIMILAR, VERIFIED, InputFile, WorkFiles


class Unsettled(Exception):
    """A decision of before does not hold any more: everything is to be decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Files of tables ``duplicates`` and ``similar`` with what was decided on all published documents."""

    duplicates: Sequence[Path]
    similar: Sequence[Path]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Before:
    """The same by rank: documents below `fresh` are published.

    `copies` are those left out because of their text as a whole, `rest` (ranks, ascending) those of which removal left
    too little.
    """

    fresh: int
    copies: KeptSet
    rest: NDArray[np.uint32]
    similar: Sequence[Path]

    @classmethod
    def of(cls, settled: Settled, files: WorkFiles, fresh: int) -> Before:
        """Raises Unsettled where the tables do not tell all of it."""
        order, rest = load_order(files), [np.empty(0, np.uint32)]
        copies = KeptSet.of([], files.kept_set("before").room(len(order.arrival)))
        columns = ["doc_id", "kept_doc_id", "similarity", "containment", "of_rest"]
        for path in settled.duplicates:
            file, source = parquet_file(path), InputFile(path=path, name="")
            if "of_rest" not in file.schema_arrow.names:
                raise Unsettled
            for batch in file.iter_batches(batch_size=1 << 16, columns=columns):
                if batch.column("of_rest").null_count:
                    raise Unsettled
                some = np.empty(batch.num_rows, VERIFIED)
                some["later"], some["first"] = (_ranks(batch, name, source, order) for name in columns[:2])
                some["jaccard"], some["containment"] = batch.column("similarity"), batch.column("containment")
                of_rest = batch.column("of_rest").to_numpy(zero_copy_only=False)
                copies.add(some[~of_rest])
                rest.append(some["later"][of_rest])
        return cls(
            fresh=fresh,
            copies=copies,
            rest=np.sort(np.concatenate(rest)),
            similar=settled.similar,
        )

    def reached(
        self, pairs: tuple[NDArray[np.int64], NDArray[np.int64]], buckets: Rows, files: WorkFiles
    ) -> NDArray[np.bool_]:
        """By rank, the documents to decide on: new ones, and what is connected with large buckets that have any.

        It is connected by candidate `pairs` (first and later ones) and the `buckets` (KEYED).
        """
        starts = run_starts(buckets["key"])
        of_bucket = np.cumsum(starts) - 1
        has_new = np.zeros(int(starts.sum()), np.bool_)
        has_new[of_bucket[buckets["rank"] >= self.fresh]] = True
        inside = np.flatnonzero(~starts)
        labels = files.labels.room(len(self.copies.by_rank))
        components([pairs, (buckets["rank"][inside - 1], buckets["rank"][inside])], labels)
        wanted = np.zeros(len(labels), np.bool_)
        wanted[labels[buckets["rank"][has_new[of_bucket]]]] = True
        reached: NDArray[np.bool_] = wanted[labels]
        reached[self.fresh :] = True
        return reached

    def may_hold(self, first: NDArray[np.int64], later: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which pairs are not of a new document and of a published one that is left out because of its text."""
        may: NDArray[np.bool_] = (later < self.fresh) | self.stays(first)
        return may

    def stays(self, ranks: NDArray[Any]) -> NDArray[np.bool_]:
        """Which documents are new, or not left out because of their text."""
        stays: NDArray[np.bool_] = self.copies.by_rank["kept"][ranks] == NO_RANK
        return stays

    def with_new(self, decided: KeptSet, reached: NDArray[np.bool_], exact_of: NDArray[np.uint32]) -> KeptSet:
        """All copies, given those `decided` on among the documents that were `reached`.

        Raises Unsettled where a published document is decided on otherwise than before, or where one of which too
        little was left is kept for a new one.
        """
        known, fresh = self.copies, self.fresh
        was, now = (one.by_rank["kept"] for one in (known, decided))
        for start in range(0, fresh, RANKS_READ):
            ranks = np.arange(start, min(start + RANKS_READ, fresh), dtype=np.uint32)
            ranks = ranks[reached[ranks] & (exact_of[ranks] == ranks)]
            if not np.array_equal(was[ranks], now[ranks]):
                raise Unsettled
        known.by_rank[fresh:] = decided.by_rank[fresh:]
        known.add_exact_copies(exact_of, fresh)
        if any(stand_in(rows["first"], self.rest).any() for rows in known.pairs(fresh)):
            raise Unsettled
        return known

    def similar_pairs(self, order: DocumentOrder) -> Iterator[Rows]:
        """The rows of table ``similar`` (SIMILAR), file by file."""
        for path in self.similar:
            source, found = InputFile(path=path, name=""), [np.empty(0, SIMILAR)]
            for batch in parquet_file(path).iter_batches(batch_size=1 << 16, columns=SIMILAR_DOCUMENTS.names):
                rows = np.empty(batch.num_rows, SIMILAR)
                for field, name in (("rank", "doc_id"), ("other", "similar_doc_id")):
                    rows[field] = _ranks(batch, name, source, order)
                rows["jaccard"], rows["containment"] = batch.column("similarity"), batch.column("containment")
                rows["position"] = batch.column("position").fill_null(NO_POSITION)
                rows["share"] = batch.column("passage_share").fill_null(0)
                found.append(rows)
            yield np.concatenate(found)


def _ranks(rows: pa.RecordBatch, column: str, file: InputFile, order: DocumentOrder) -> NDArray[np.uint32]:
    """Ranks of the documents that a column names. Raises Unsettled where one takes no part."""
    ranks = order.ranks_of(rows.column(column), file)
    if (ranks == NO_RANK).any():
        raise Unsettled
    return ranks
