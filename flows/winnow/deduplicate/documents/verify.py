"""Exact similarity of candidate pairs, on the full shingle sets of both documents."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numba import njit
from numpy.typing import NDArray

from winnow.deduplicate.documents.candidates import PLACE
from winnow.deduplicate.documents.shingles import Bytes, Hashes, Offsets, shared, shingle_sets
from winnow.deduplicate.exchange import distinct_values, save, unfinished
from winnow.deduplicate.order import NO_RANK, Order, load_order

VERIFIED = np.dtype([("first", np.uint32), ("later", np.uint32), ("jaccard", np.float64), ("contained", np.float64)])
_SET_BYTES = 64 << 20  # shingle sets held at a time
_Run = tuple[NDArray[np.uint32], Bytes, Offsets, Offsets]


def write_shingles(
    passage_files: Sequence[Path], work: Path, name: str, left_out: Sequence[frozenset[str]], wanted: Path
) -> int:
    """Write the shingle sets of the documents marked in the boolean array `wanted` (by rank); return how many.

    Given several files, a document's passages may lie in more than one of them, in the order of the files.
    """
    order = load_order(work)
    marked = np.load(wanted, mmap_mode="r")
    places: list[NDArray[Any]] = []
    filled = 0
    path = work / f"shingles-{name}.u64"
    temporary = unfinished(path)
    with temporary.open("wb") as out:
        for ranks, data, offsets, bounds in _documents(passage_files, left_out, order, marked):
            hashes, sizes = shingle_sets(data, offsets, bounds)
            out.write(hashes.data)
            place = np.empty(len(sizes), PLACE)
            place["rank"], place["size"], place["start"] = ranks, sizes, filled + np.cumsum(sizes) - sizes
            places.append(place)
            filled += len(hashes)
    temporary.rename(path)
    found = np.concatenate(places) if places else np.empty(0, PLACE)
    save(work / f"shingles-{name}.npy", found)
    return len(found)


def _documents(
    files: Sequence[Path], left_out: Sequence[frozenset[str]], order: Order, marked: NDArray[np.bool_]
) -> Iterator[_Run]:
    """The wanted documents, some at a time: ranks, bytes, offsets of their pieces, and the first piece of each.

    Pieces are passages with their gaps left out. Offsets and first pieces have one entry more, for the last one's end.
    """
    if len(files) > 1:  # documents that lie in several files; few, so they are brought together in memory
        frames = [_wanted_rows(f, out, order, marked) for f, out in zip(files, left_out, strict=True)]
        table = pl.concat(frames).sort("rank", "position", "part")
        ranks, texts = table["rank"].to_numpy(), table["text"].to_arrow().cast(pa.large_string())
        yield from _runs(ranks, texts)
        return
    held_ranks: NDArray[np.uint32] = np.empty(0, np.uint32)
    held: pa.LargeStringArray = pa.array([], pa.large_string())
    file = pq.ParquetFile(files[0], read_dictionary=["doc_id"])
    for batch in file.iter_batches(batch_size=16384, columns=["doc_id", "text"]):
        encoded = batch.column("doc_id")
        names = encoded.dictionary.to_pylist()
        by_name = order.ranks_of(names, left_out[0])
        ok = (by_name != NO_RANK) & marked[np.where(by_name == NO_RANK, 0, by_name)] if len(names) else by_name > 0
        ranks = np.where(ok, by_name, NO_RANK)[np.asarray(encoded.indices)]
        texts = batch.column("text").cast(pa.large_string())
        keep = ranks != NO_RANK
        if not keep.all():
            ranks, texts = ranks[keep], texts.filter(pa.array(keep))
        ranks = np.concatenate((held_ranks, ranks)).astype(np.uint32)
        texts = pa.concat_arrays([held, texts])
        if not len(ranks):
            continue
        cut = int(np.flatnonzero(ranks != ranks[-1])[-1]) + 1 if (ranks != ranks[-1]).any() else 0
        yield from _runs(ranks[:cut], texts.slice(0, cut))
        held_ranks, held = ranks[cut:], texts.slice(cut)
    yield from _runs(held_ranks, held)


def _runs(ranks: NDArray[np.uint32], texts: pa.LargeStringArray) -> Iterator[_Run]:
    if not len(ranks):
        return
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(texts.buffers()[2], np.uint8)
    bounds = np.r_[0, np.flatnonzero(ranks[1:] != ranks[:-1]) + 1, len(ranks)]
    yield ranks[bounds[:-1]], data, offsets, bounds


def _wanted_rows(path: Path, left_out: frozenset[str], order: Order, marked: NDArray[np.bool_]) -> pl.DataFrame:
    table = pl.read_parquet(path, columns=["doc_id", "position", "part", "text"])
    ranks = order.ranks_of(table["doc_id"].to_list(), left_out)
    ok = (ranks != NO_RANK) & marked[np.where(ranks == NO_RANK, 0, ranks)]
    return table.with_columns(pl.Series("rank", ranks)).filter(pl.Series(ok)).select("rank", "position", "part", "text")


class ShingleStore:
    """Reads the shingle sets that `write_shingles` wrote, by rank."""

    def __init__(self, work: Path, names: Sequence[str]) -> None:
        self._files = [os.open(work / f"shingles-{n}.u64", os.O_RDONLY) for n in names]
        places = [np.load(work / f"shingles-{name}.npy") for name in names]
        joined = np.concatenate(places) if places else np.empty(0, PLACE)
        order = np.argsort(joined["rank"])
        self._ranks, self._starts, self._sizes = (np.ascontiguousarray(joined[n][order]) for n in PLACE.names or ())
        self._file_of = np.repeat(np.arange(len(places)), [len(p) for p in places])[order]

    def sizes(self, ranks: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Number of shingles of each document."""
        return self._sizes[np.searchsorted(self._ranks, ranks)]

    def read(self, ranks: NDArray[np.uint32]) -> tuple[Hashes, Offsets, Offsets]:
        """The sets of documents (each given once) end to end, as they lie on disk, and where each starts and ends."""
        at = np.searchsorted(self._ranks, ranks)
        lie = np.lexsort((self._starts[at], self._file_of[at]))
        file, start, size = (values[at][lie] for values in (self._file_of, self._starts, self._sizes))
        ends = np.cumsum(size)
        sets = np.empty(int(ends[-1]) if len(ends) else 0, np.uint64)
        apart = (file[1:] != file[:-1]) | (start[1:] != start[:-1] + size[:-1])
        bounds = np.r_[0, np.flatnonzero(apart) + 1, len(ranks)].tolist() if len(ranks) else []
        for one, stop in pairwise(bounds):  # sets that lie side by side come in one read
            piece = sets[int(ends[one] - size[one]) : int(ends[stop - 1])]
            if os.preadv(self._files[file[one]], [piece.data], 8 * int(start[one])) != piece.nbytes:
                raise OSError(f"a file of shingles in {self._files} is shorter than its list of places says")
        back = np.argsort(lie)
        return sets, (ends - size)[back], ends[back]

    def close(self) -> None:
        for file in self._files:
            os.close(file)


def verify_pairs(work: Path, names: Sequence[str], pairs: Path, out: Path) -> int:
    """Write exact Jaccard and containment (of the later document in the first) of each pair; return how many."""
    wanted = np.load(pairs)
    store = ShingleStore(work, names)
    made = np.empty(len(wanted), VERIFIED)
    made["first"], made["later"] = wanted >> np.uint64(32), wanted & np.uint64(0xFFFFFFFF)
    try:
        for rows in _within(made, store):
            ranks = distinct_values(np.concatenate((rows["first"], rows["later"])))
            first, later = np.searchsorted(ranks, rows["first"]), np.searchsorted(ranks, rows["later"])
            sets, starts, ends = store.read(ranks)
            both = _in_common(sets, starts, ends, first, later)
            rows["jaccard"], rows["contained"] = _likeness(both, (ends - starts)[first], (ends - starts)[later])
    finally:
        store.close()
    save(out, made)
    return len(made)


def _within(rows: NDArray[Any], store: ShingleStore) -> Iterator[NDArray[Any]]:
    """Cut rows, sorted by their first document, so that the sets of a piece take no more memory than is allowed."""
    fresh = np.r_[True, rows["first"][1:] != rows["first"][:-1]] if len(rows) else np.empty(0, np.bool_)
    held = np.cumsum(8 * (store.sizes(rows["later"]) + fresh * store.sizes(rows["first"])))
    start = 0
    while start < len(rows):
        before = int(held[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(held, before + _SET_BYTES, side="right")))
        yield rows[start:stop]
        start = stop


@njit(cache=True, nogil=True)
def _in_common(sets, starts, ends, first, later):  # type: ignore[no-untyped-def]
    out = np.empty(len(first), np.int64)
    for n in range(len(first)):
        a, b = first[n], later[n]
        out[n] = shared(sets[starts[a] : ends[a]], sets[starts[b] : ends[b]])
    return out


def _likeness(both: Offsets, first: Offsets, later: Offsets) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Jaccard of pairs of sets, and the share of the second that stands in the first; 1 where there is nothing."""
    union = first + later - both
    return (
        np.where(union > 0, both / np.maximum(union, 1), 1.0),
        np.where(later > 0, both / np.maximum(later, 1), 1.0),
    )
