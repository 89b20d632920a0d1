"""The one total order of documents: arrival, least damage, longest, earliest date, doc_id; a rank is a place in it.

It is found as sorted runs are merged, so that no process holds the facts of all documents: each index file is sorted by
itself, the order is cut into parts by samples of all files, and each part is merged from its pieces of them. Ids and
texts then find their ranks in the same way, by hash partition.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import accumulate, repeat
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from winnow.base.doc_ids import Column, as_doc_ids, doc_keys
from winnow.base.errors import DatasetError
from winnow.base.files import remove_files, scan_parquet
from winnow.deduplicate.array_files import ArrayFile, Partition, PartitionedFile, gather, load_each, partitions_for
from winnow.deduplicate.passages.utf8_texts import Utf8Texts
from winnow.deduplicate.sorted_rows import Rows, distinct_values, merged, run_starts, stand_in
from winnow.deduplicate.work_files import (
    FACTS,
    KEYED,
    NO_RANK,
    ORDER,
    SAME_TEXT,
    TEXT,
    InputFile,
    RankedPart,
    WorkFiles,
)

_COLUMNS: dict[str, Any] = {
    "doc_id": pl.String,
    "arrival": pl.Int32,
    "damage": pl.Int32,
    "length": pl.Int64,
    "collected_at": pl.Datetime("us", "UTC"),
    "site": pl.String,
    "n_shingles": pl.Int32,
    "text_hash": pl.Binary,
}
_ORDERED_BY = ("arrival", "damage", "shorter", "collected_at", "key")
_LAST = np.iinfo(np.int64).max
_SAMPLED = 4096  # one row of so many is looked at to cut the order into parts
_NO_SITE = np.uint64(0)


class DocumentOrder:
    """Facts of all documents by rank, memory-mapped from the work folder, and the way from doc_id to rank (ORDER).

    A worker that has its files from a store fetches those that it asks for.
    """

    keys: NDArray[np.uint64]
    ranks: NDArray[np.uint32]
    doc_keys: NDArray[np.uint64]
    arrival: NDArray[np.int32]
    site: NDArray[np.int32]
    n_shingles: NDArray[np.int32]
    exact_of: NDArray[np.uint32]

    def __init__(self, files: WorkFiles) -> None:
        self._files = files

    def __getattr__(self, fact: str) -> NDArray[Any]:
        if fact not in ORDER:
            raise AttributeError(fact)
        self.__dict__[fact] = loaded = self._files.order(fact).load()
        return loaded

    def ranks_of(self, doc_ids: Column, file: InputFile) -> NDArray[np.uint32]:
        """Rank of each document of a file, NO_RANK for those that take no part or are left out of it."""
        keys = doc_keys(doc_ids)
        if not len(self.keys) or not len(keys):
            return np.full(len(keys), NO_RANK)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        ranks = np.where(self.keys[at] == keys, self.ranks[at], NO_RANK).astype(np.uint32)
        if file.left_out:
            ranks[stand_in(keys, file.left_out.load())] = NO_RANK
        return ranks

    def documents_in(self, passages: InputFile) -> NDArray[np.uint32]:
        """Ranks of the documents with passages in a file."""
        found: NDArray[np.uint32] = self._files.documents_in(passages).load()
        return found

    def doc_ids(self, ranks: NDArray[Any]) -> pa.StringArray:
        """The doc_ids of the documents with these ranks."""
        return as_doc_ids(self.doc_keys[ranks])

    def spread(self, rows: Rows, out: PartitionedFile, spans: int, by: str = "rank") -> PartitionedFile:
        """Write rows by the span of doc_ids in which the document stands whose rank they give."""
        return out.spread(rows, nth_of(self.doc_keys[rows[by]], spans), spans)


def rank_documents(indexes: Sequence[InputFile], files: WorkFiles, executor: Executor) -> int:
    """Rank all documents, write the facts for `load_order`, and return how many there are.

    Raises DatasetError where a document is given twice.
    """
    runs = list(executor.map(_sort_facts, indexes, repeat(files)))
    sites = distinct_values(np.concatenate([np.array([_NO_SITE]), *(run.sites for run in runs)]))
    files.sites.save(sites)
    count = sum(run.rows for run in runs)
    partitions = partitions_for(count, FACTS.itemsize)
    cuts = _cut([run.samples for run in runs], partitions)
    totals = np.zeros(len(cuts) + 1, np.int64)
    for of_run in executor.map(_cut_run, indexes, repeat(files), repeat(cuts)):
        totals += of_run
    remove_files([files.sorted_facts(index).path for index in indexes])
    sizes = totals.tolist()
    firsts = list(accumulate(sizes, initial=0))[:-1]
    pieces = gather([files.facts(index) for index in indexes], FACTS, len(sizes), executor)
    parts = list(executor.map(_rank_part, pieces, firsts, repeat(files), repeat(partitions)))
    by_key = gather([part.by_key for part in parts], KEYED, partitions, executor)
    keyed = list(executor.map(_sort_keys, by_key, repeat(files)))
    by_text = gather([part.by_text for part in parts], SAME_TEXT, partitions, executor)
    same = list(executor.map(_find_same_texts, by_text, repeat(files)))
    for fact in ("arrival", "site", "n_shingles", "doc_keys"):
        files.order(fact).join([files.order_part(fact, n) for n in range(len(parts))])
    for fact in ("keys", "ranks"):
        files.order(fact).join([files.order_part(fact, n) for n in keyed])
    copies = merged(list(load_each(same)), SAME_TEXT)
    copies = copies[np.argsort(copies["rank"])]
    for n, (first, size) in enumerate(zip(firsts, sizes, strict=True)):
        exact = np.arange(first, first + size, dtype=np.uint32)
        start, stop = np.searchsorted(copies["rank"], [first, first + size])
        exact[copies["rank"][start:stop] - np.uint32(first)] = copies["first"][start:stop]
        files.order_part("exact_of", n).save(exact)
    files.order("exact_of").join([files.order_part("exact_of", n) for n in range(len(parts))])
    return count


def load_order(files: WorkFiles) -> DocumentOrder:
    """The facts that `rank_documents` wrote."""
    return DocumentOrder(files)


@dataclass(frozen=True, slots=True, eq=False)
class _SortedRun:
    """What one index file gives besides its rows in order: how many and a few of them, and the sites it names."""

    rows: int
    samples: Rows
    sites: NDArray[np.uint64]


def _sort_facts(file: InputFile, files: WorkFiles) -> _SortedRun:
    """Write the facts of a file's documents, sorted (FACTS)."""
    table = scan_parquet([file.path]).select(pl.col(n).cast(t) for n, t in _COLUMNS.items()).collect()
    keys = doc_keys(table["doc_id"].to_arrow())
    rows = np.empty(table.height, FACTS)
    rows["key"] = keys
    rows["shorter"] = -table["length"].to_numpy()
    rows["collected_at"] = table["collected_at"].to_physical().fill_null(_LAST).to_numpy()
    for name in ("arrival", "damage", "n_shingles"):
        rows[name] = table[name].to_numpy()
    rows["text"] = _numbers(table["text_hash"].to_list())
    sites = table["site"].unique().drop_nulls()
    numbers = _numbers(Utf8Texts.of(sites.to_arrow()).hashes())["low"]
    by_site = pl.DataFrame({"site": sites, "number": pl.Series(numbers, dtype=pl.UInt64)})
    of_row = table.select("site").join(by_site, on="site", how="left", maintain_order="left")["number"]
    rows["site"] = of_row.fill_null(int(_NO_SITE)).to_numpy()
    if file.left_out:
        rows = rows[~stand_in(keys, file.left_out.load())]
    rows = _in_order(rows)
    files.sorted_facts(file).save(rows)
    return _SortedRun(rows=len(rows), samples=rows[::_SAMPLED].copy(), sites=np.unique(rows["site"]))


def _numbers(hashes: Sequence[bytes]) -> Rows:
    """128-bit hashes as two numbers each (TEXT)."""
    found: Rows = np.frombuffer(b"".join(hashes), TEXT)
    return found


def _in_order(rows: Rows) -> Rows:
    ordered: Rows = rows[np.lexsort([rows[name] for name in reversed(_ORDERED_BY)])]
    return ordered


def _cut(samples: Sequence[Rows], parts: int) -> list[tuple[Any, ...]]:
    """The rows at which the parts of the order begin, without the first."""
    rows = _in_order(merged(samples, FACTS))
    places = [len(rows) * n // parts for n in range(1, parts)] if len(rows) >= parts else []
    return [_key(rows[place]) for place in places]


def _key(row: Any) -> tuple[Any, ...]:
    return tuple(row[name] for name in _ORDERED_BY)


def _cut_run(file: InputFile, files: WorkFiles, cuts: Sequence[tuple[Any, ...]]) -> NDArray[np.int64]:
    """Cut a sorted run where the parts of the order begin; return how many of its rows each part has."""
    rows = files.sorted_facts(file).load()
    sizes = np.diff([0, *(bisect_left(rows, cut, key=_key) for cut in cuts), len(rows)])
    files.facts(file).fill([rows], sizes)
    return sizes


def _rank_part(pieces: Partition, first: int, files: WorkFiles, partitions: int) -> RankedPart:
    """Merge one part of the order from its pieces of the sorted runs; the first of its documents has rank `first`."""
    part, rows = pieces.number, _in_order(pieces.load())
    ranks = np.arange(first, first + len(rows), dtype=np.uint32)
    facts = {"arrival": rows["arrival"], "n_shingles": rows["n_shingles"], "doc_keys": rows["key"]}
    facts["site"] = np.searchsorted(files.sites.load(), rows["site"])
    for name, values in facts.items():
        files.order_part(name, part).save(np.ascontiguousarray(values.astype(ORDER[name])))
    made = files.ranked(part)
    keyed = np.empty(len(rows), KEYED)
    keyed["key"], keyed["rank"] = rows["key"], ranks
    made.by_key.spread(keyed, nth_of(rows["key"], partitions), partitions)
    texts = np.empty(len(rows), SAME_TEXT)
    texts["text"], texts["rank"], texts["first"] = rows["text"], ranks, ranks
    made.by_text.spread(texts, nth_of(rows["text"]["low"], partitions), partitions)
    return made


def nth_of(hashes: NDArray[np.uint64], partitions: int) -> NDArray[np.int64]:
    """The partition of each, in the order of the numbers."""
    return ((hashes >> np.uint64(32)) * np.uint64(partitions) >> np.uint64(32)).astype(np.int64)


def _sort_keys(keyed: Partition, files: WorkFiles) -> int:
    rows = keyed.load()
    rows = rows[np.argsort(rows["key"])]
    if len(doubled := np.flatnonzero(~run_starts(rows["key"]))):
        [doc_id] = as_doc_ids(rows["key"][doubled[:1]]).to_pylist()
        raise DatasetError(f"document {doc_id} is given twice; list it under leave_out if it was replaced")
    files.order_part("keys", keyed.number).save(np.ascontiguousarray(rows["key"]))
    files.order_part("ranks", keyed.number).save(np.ascontiguousarray(rows["rank"]))
    return keyed.number


def _find_same_texts(texts: Partition, files: WorkFiles) -> ArrayFile:
    """Write the documents whose very text an earlier one has, with the first that has it (SAME_TEXT)."""
    rows = texts.load()
    low, high = rows["text"]["low"], rows["text"]["high"]
    rows = rows[np.lexsort((rows["rank"], low, high))]
    starts = run_starts(rows["text"]["low"], rows["text"]["high"])
    rows["first"] = rows["rank"][np.flatnonzero(starts)][np.cumsum(starts) - 1]
    return files.same_texts(texts.number).save(rows[~starts])
