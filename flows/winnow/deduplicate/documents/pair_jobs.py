"""Pairs to compare, in jobs: pairs of documents that are alike with the same others stand together.

So a job reads the sets of few documents, and hardly any document's set goes to more than a few jobs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from winnow.deduplicate.array_files import ArrayFile, Partition, PartitionedFile
from winnow.deduplicate.documents.document_order import load_order
from winnow.deduplicate.documents.shingle_store import Slice
from winnow.deduplicate.sorted_rows import run_starts
from winnow.deduplicate.work_files import WorkFiles

JOB_BYTES = 128 << 20  # of the sets of a job, about


@dataclass(frozen=True, slots=True)
class Cut:
    """Pairs in a file (first << 32 | later), job after job, and where each job ends."""

    pairs: ArrayFile
    ends: tuple[int, ...]

    def jobs(self) -> list[Slice]:
        return [Slice(self.pairs, start, stop) for start, stop in zip((0, *self.ends), self.ends, strict=False)]


def spread_pairs(pairs: Slice, out: PartitionedFile, files: WorkFiles, cuts: NDArray[np.uint32]) -> PartitionedFile:
    """Write pairs by the first document that the later one may be alike with; `cuts` says where partitions begin."""
    rows = pairs.load()
    labels: NDArray[np.uint32] = files.nearest.load()[_later(rows)]
    return out.spread(rows, np.searchsorted(cuts, labels, side="right"), len(cuts) + 1)


def cut_jobs(pairs: Partition, out: ArrayFile, files: WorkFiles, most: int, one_of_many: bool) -> Cut:
    """Write the pairs of a partition as jobs of so many at most, and of so many documents as one worker holds.

    Where there is no other partition, pairs with the same first document stay together: they are counted faster.
    """
    rows = pairs.load()
    later, first = _later(rows), (rows >> np.uint64(32)).astype(np.int64)
    label = files.nearest.load()[later] if one_of_many else first
    sizes = load_order(files).n_shingles
    # The first documents of many pairs are the same; each counts once beside those that are like it.
    order = np.lexsort((later, first, label))
    new = np.empty(len(rows), np.bool_)
    new[order] = run_starts(first[order], label[order])
    order = np.lexsort((first, later, label))
    fresh = run_starts(later[order])
    held = 8 * np.cumsum(sizes[later[order]] * fresh + sizes[first[order]] * new[order], dtype=np.int64)
    job = np.cumsum(run_starts(held // JOB_BYTES, np.arange(len(rows)) // most))
    out.save(rows[order][np.lexsort((rows[order], job))])
    return Cut(out, tuple(np.flatnonzero(np.append(run_starts(job), True))[1:].tolist()))


def _later(pairs: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
