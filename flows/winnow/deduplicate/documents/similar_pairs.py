"""Pairs of documents that are alike and both kept: how much of the one stands in the other, and which passage shows it.

Shares are counted by five words in a row and by three: the first tell text that was cut out, the second text that was
reworded as well. Of students' answers rewritten from a source those that were lightly or heavily reworded stand apart
from the others by .96 to .999 at five words and .98 to 1.0 at three.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import numpy as np

from winnow.deduplicate.array_files import ArrayFile, Partition, PartitionedFile
from winnow.deduplicate.documents.document_order import load_order
from winnow.deduplicate.documents.shingle_store import SET_BYTES, Brought, ShingleStore, Slice
from winnow.deduplicate.documents.shingles import short_shingle_sets
from winnow.deduplicate.documents.similarity import count_pairs, passages_of
from winnow.deduplicate.sorted_rows import Rows, count_shared, distinct_values, ranges, run_starts
from winnow.deduplicate.work_files import NO_POSITION, SIMILAR, InputFile, ShingleSets, WorkFiles

MOST = 5  # pairs listed of a document, so that no template or licence fills the table
_FAIR = 0.4  # with each sixth word another, a fifth of the shingles of five words stays, and half of those of three


def count_kept(pairs: Slice, out: ArrayFile, five: ShingleSets | Brought, least: float) -> ArrayFile:
    """Write the shingles that pairs have in common (COUNTED), of those that have a fair part of `least` in common.

    What was reworded keeps fewer shingles of five words than of three; of what keeps hardly any, three tell no more.
    """
    counted = count_pairs(pairs.load(), five)
    smaller = np.minimum(counted["of_first"], counted["of_later"])
    return out.save(counted[counted["both"] >= _FAIR * least * smaller])


def compare_kept(
    counted: ArrayFile, out: PartitionedFile, three: ShingleSets | Brought, files: WorkFiles, spans: int
) -> PartitionedFile:
    """Write how alike the documents of each pair (COUNTED) are (SIMILAR), by span of doc_ids.

    Given are their shingle sets by three words.
    """
    by_five = counted.load()
    wanted = by_five["first"].astype(np.uint64) << np.uint64(32) | by_five["later"]
    by_three = count_pairs(wanted, three)
    first, later = by_five["first"], by_five["later"]
    shares = [
        np.maximum(*(counted["both"] / np.maximum(counted[size], 1) for counted in (by_five, by_three)))
        for size in ("of_first", "of_later")
    ]
    swapped = shares[0] > shares[1]
    rows = np.empty(len(wanted), SIMILAR)
    rows["rank"], rows["other"] = np.where(swapped, first, later), np.where(swapped, later, first)
    union = by_five["of_first"] + by_five["of_later"] - by_five["both"]
    rows["jaccard"], rows["containment"] = by_five["both"] / np.maximum(union, 1), np.maximum(*shares)
    rows["position"], rows["share"] = NO_POSITION, 0
    return load_order(files).spread(rows, out, spans)


def list_closest(
    alike: Partition, files: WorkFiles, sets: ShingleSets, least: float, fresh: int
) -> tuple[PartitionedFile, PartitionedFile]:
    """Write the pairs that are listed of a span of doc_ids: of documents from rank `fresh` on, and of known ones."""
    rows, span = closest(alike.load(), least), alike.number
    new = np.maximum(rows["rank"], rows["other"]) >= fresh
    listed, known = files.listed_similar(span), files.known_similar(span)
    of = sets.file_of(rows["rank"][new])
    return listed.spread(rows[new], of, len(sets.parts)), known.spread(rows[~new], np.zeros((~new).sum(), np.int64), 1)


def closest(rows: Rows, least: float) -> Rows:
    """Of each document the few rows (SIMILAR) with the greatest shares, none below `least`; sorted by rank.

    Shares are told apart as they are published, so that those of before and new ones come in one order.
    """
    rows = rows[rows["containment"].astype(np.float32) >= np.float32(least)]
    shares = (-rows[name].astype(np.float32) for name in ("jaccard", "containment"))
    rows = rows[np.lexsort((rows["other"], *shares, rows["rank"]))]
    starts = np.flatnonzero(run_starts(rows["rank"]))
    place = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
    few: Rows = rows[place < MOST]
    return few


def find_evidence(
    passages: Sequence[InputFile],
    listed: Partition,
    out: PartitionedFile,
    three: ShingleSets | Brought,
    files: WorkFiles,
    spans: int,
) -> PartitionedFile:
    """Write pairs (SIMILAR) with the passage that speaks most, by span of doc_ids; those of the documents of a file.

    It is the one with most shingles of three words in common with the other document.
    """
    order, rows = load_order(files), listed.load()
    rows = rows[np.argsort(rows["rank"], kind="stable")]
    ranks = np.ascontiguousarray(rows["rank"])
    marked = np.zeros(len(order.arrival), np.bool_)
    marked[ranks] = True
    with closing(ShingleStore(three)) as store:
        for some in passages_of(passages, order, marked) if len(rows) else ():
            hashes, sizes = short_shingle_sets(some.words(np.arange(len(some.ranks) + 1)))
            ends, bounds = np.cumsum(sizes), np.append(np.flatnonzero(run_starts(some.ranks)), len(some.ranks))
            first, stop = (np.searchsorted(ranks, some.ranks[bounds[:-1]], side) for side in ("left", "right"))
            at, owner = ranges(first, stop), np.repeat(np.arange(len(first)), stop - first)
            held = 8 * np.cumsum(store.sizes(rows["other"][at])) // SET_BYTES
            for part in np.split(np.arange(len(at)), np.flatnonzero(run_starts(held))[1:]):
                others = distinct_values(rows["other"][at[part]])
                sets, set_starts, set_ends = store.read(others)
                begins, stops = bounds[owner[part]], bounds[owner[part] + 1]
                row, piece = np.repeat(part, stops - begins), ranges(begins, stops)
                shared = count_shared(
                    np.concatenate((hashes, sets)),
                    np.append(ends - sizes, set_starts + len(hashes)),
                    np.append(ends, set_ends + len(hashes)),
                    (np.searchsorted(others, rows["other"][at[row]]) + len(sizes), piece),
                )
                most = np.lexsort((-shared, row))  # the first of a row is the first passage that has most
                best = most[run_starts(row[most])]
                best = best[shared[best] > 0]
                rows["position"][at[row[best]]] = some.positions[piece[best]]
                rows["share"][at[row[best]]] = shared[best] / sizes[piece[best]]
    return order.spread(rows, out, spans)
