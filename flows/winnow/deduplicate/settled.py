"""What was decided before, and still holds where documents only come in addition.

Every decision depends on documents that arrived no later: pairs are taken by the arrival of the later document,
templates and boilerplate are counted up to an arrival, and a passage is held by an earlier document. So where all new
documents arrive after all published ones, those keep their decisions, and only what concerns the new ones is looked at.

What makes a pair come first may be how many others its documents have, and large buckets are gone through in rounds. So
whatever a chain of candidate pairs connects with a new document is decided once more, and must come out as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from winnow.base.files import parquet_file
from winnow.base.staging import SIMILAR_DOCUMENTS
from winnow.deduplicate.documents.document_order import DocumentOrder
from winnow.deduplicate.documents.kept_set import KeptSet, components
from winnow.deduplicate.documents.similar_pairs import NO_POSITION
from winnow.deduplicate.sorted_rows import Rows, run_starts
from winnow.deduplicate.work_files import NO_RANK, SIMILAR, InputFile


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

    `ranks` (ascending) are left out as copies of those in `kept`; `of_rest` says which are so by what was left of them.
    """

    fresh: int
    ranks: NDArray[np.uint32]
    kept: NDArray[np.uint32]
    of_rest: NDArray[np.bool_]
    similar: Sequence[Path]

    @classmethod
    def of(cls, settled: Settled, order: DocumentOrder, fresh: int) -> Before:
        """Raises Unsettled where the tables do not tell all of it."""
        ranks, kept, of_rest = [np.empty(0, np.uint32)], [np.empty(0, np.uint32)], [np.empty(0, np.bool_)]
        for path in settled.duplicates:
            file, source = parquet_file(path), InputFile(path=path, name="")
            if "of_rest" not in file.schema_arrow.names:
                raise Unsettled
            for batch in file.iter_batches(batch_size=1 << 16, columns=["doc_id", "kept_doc_id", "of_rest"]):
                if batch.column("of_rest").null_count:
                    raise Unsettled
                ranks.append(order.ranks_of(batch.column("doc_id"), source))
                kept.append(order.ranks_of(batch.column("kept_doc_id"), source))
                of_rest.append(batch.column("of_rest").to_numpy(zero_copy_only=False))
        all_ranks, all_kept = np.concatenate(ranks), np.concatenate(kept)
        if (all_ranks == NO_RANK).any() or (all_kept == NO_RANK).any():
            raise Unsettled
        by_rank = np.argsort(all_ranks)
        return cls(
            fresh=fresh,
            ranks=all_ranks[by_rank],
            kept=all_kept[by_rank],
            of_rest=np.concatenate(of_rest)[by_rank],
            similar=settled.similar,
        )

    @property
    def rest(self) -> NDArray[np.uint32]:
        """The documents of which too little was left."""
        return self.ranks[self.of_rest]

    def reached(
        self, pairs: Sequence[NDArray[np.int64]], buckets: Rows, exact_of: NDArray[np.uint32]
    ) -> NDArray[np.bool_]:
        """By rank, which documents a chain of pairs (first and later ones), large buckets or same texts connects with a
        new one."""
        same = np.flatnonzero(exact_of != np.arange(len(exact_of), dtype=np.uint32))
        inside = np.flatnonzero(~run_starts(buckets["key"]))
        in_buckets = buckets["rank"][inside - 1], buckets["rank"][inside]
        of_texts = exact_of[same], same
        first, later = (
            np.concatenate([sides[n] for sides in (pairs, in_buckets, of_texts)]).astype(np.uint32) for n in (0, 1)
        )
        labels = components(first, later, len(exact_of))
        new = np.zeros(len(exact_of), np.bool_)
        new[labels[self.fresh :]] = True
        return new[labels]

    def with_new(self, decided: KeptSet, reached: NDArray[np.bool_]) -> KeptSet:
        """All copies, given those among the documents that were `reached`.

        Raises Unsettled where a published document is decided on otherwise than before, or where one of which too
        little was left is kept for a new one.
        """
        whole = ~self.of_rest
        ranks, kept = self.ranks[whole], self.kept[whole]
        was, new = reached[ranks], decided.ranks >= self.fresh
        again = reached[decided.ranks] & ~new
        same = np.array_equal(decided.ranks[again], ranks[was]) and np.array_equal(decided.kept[again], kept[was])
        if not same or np.isin(decided.kept[new], self.rest).any():
            raise Unsettled
        unknown = np.full(len(ranks), np.nan)  # nothing asks how close they are
        return KeptSet(
            documents=decided.documents,
            ranks=np.concatenate((ranks, decided.ranks[new])),
            kept=np.concatenate((kept, decided.kept[new])),
            jaccard=np.concatenate((unknown, decided.jaccard[new])),
            containment=np.concatenate((unknown, decided.containment[new])),
        )

    def similar_pairs(self, order: DocumentOrder) -> Rows:
        """The rows of table ``similar`` (SIMILAR)."""
        found = [np.empty(0, SIMILAR)]
        for path in self.similar:
            source = InputFile(path=path, name="")
            for batch in parquet_file(path).iter_batches(batch_size=1 << 16, columns=SIMILAR_DOCUMENTS.names):
                rows = np.empty(batch.num_rows, SIMILAR)
                rows["rank"], rows["other"] = (
                    order.ranks_of(batch.column(name), source) for name in ("doc_id", "similar_doc_id")
                )
                if (rows["rank"] == NO_RANK).any() or (rows["other"] == NO_RANK).any():
                    raise Unsettled
                rows["jaccard"], rows["containment"] = batch.column("similarity"), batch.column("containment")
                rows["position"] = batch.column("position").fill_null(NO_POSITION)
                rows["share"] = batch.column("passage_share").fill_null(0)
                found.append(rows)
        return np.concatenate(found)
