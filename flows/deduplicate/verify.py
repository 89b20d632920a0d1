"""Exact similarity of candidate pairs, on the full shingle sets of both documents."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from flows.deduplicate.candidates import PLACE
from flows.deduplicate.exchange import save, unfinished
from flows.deduplicate.order import NO_RANK, load_order
from flows.deduplicate.shingles import Hashes, segment_shingles, shared

VERIFIED = np.dtype([("first", np.uint32), ("later", np.uint32), ("jaccard", np.float64), ("contained", np.float64)])
_CACHE_BYTES = 64 << 20


def write_shingles(
    passage_files: Sequence[Path], work: Path, name: str, left_out: Sequence[frozenset[str]], wanted: Path
) -> int:
    """Write the shingle sets of the documents marked in the boolean array `wanted` (by rank); return how many.

    Given several files, a document's passages may lie in more than one of them, in the order of the files.
    """
    order = load_order(work)
    marked = np.load(wanted, mmap_mode="r")
    places: list[tuple[int, int, int]] = []
    filled = 0
    path = work / f"shingles-{name}.u64"
    temporary = unfinished(path)
    with temporary.open("wb") as out:
        for rank, data, segments in _documents(passage_files, left_out, order, marked):
            hashes = segment_shingles(data, segments)
            hashes.tofile(out)
            places.append((rank, filled, len(hashes)))
            filled += len(hashes)
    temporary.rename(path)
    save(work / f"shingles-{name}.npy", np.array(places, PLACE))
    return len(places)


def _documents(files: Sequence[Path], left_out: Sequence[frozenset[str]], order: Any, marked: NDArray[np.bool_]) -> Any:
    """Rank, bytes and piece offsets of each wanted document; pieces are passages with their gaps left out."""
    if len(files) > 1:  # documents that lie in several files; few, so they are brought together in memory
        frames = [_wanted_rows(f, out, order, marked) for f, out in zip(files, left_out, strict=True)]
        table = pl.concat(frames).sort("rank", "position", "part")
        ranks, texts = table["rank"].to_numpy(), table["text"].to_arrow().cast(pa.large_string())
        yield from _runs(ranks, texts)
        return
    held_ranks: NDArray[np.uint32] = np.empty(0, np.uint32)
    held: pa.LargeStringArray = pa.array([], pa.large_string())
    for batch in pq.ParquetFile(files[0]).iter_batches(batch_size=16384, columns=["doc_id", "text"]):
        ids = batch.column("doc_id")
        encoded = pc.dictionary_encode(ids.cast(pa.string()))
        names = encoded.dictionary.to_pylist()
        by_name = order.ranks_of(["" if i in left_out[0] else i for i in names])
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


def _runs(ranks: NDArray[np.uint32], texts: pa.LargeStringArray) -> Any:
    if not len(ranks):
        return
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(texts.buffers()[2], np.uint8)
    bounds = np.r_[0, np.flatnonzero(ranks[1:] != ranks[:-1]) + 1, len(ranks)]
    for start, end in pairwise(bounds):
        yield int(ranks[start]), data, offsets[start : end + 1]


def _wanted_rows(path: Path, left_out: frozenset[str], order: Any, marked: NDArray[np.bool_]) -> pl.DataFrame:
    table = pl.read_parquet(path, columns=["doc_id", "position", "part", "text"])
    ranks = order.ranks_of(["" if i in left_out else i for i in table["doc_id"].to_list()])
    ok = (ranks != NO_RANK) & marked[np.where(ranks == NO_RANK, 0, ranks)]
    return table.with_columns(pl.Series("rank", ranks)).filter(pl.Series(ok)).select("rank", "position", "part", "text")


class ShingleStore:
    """Reads shingle sets by rank from the files `write_shingles` wrote, the latest of them kept at hand."""

    def __init__(self, work: Path, names: Sequence[str]) -> None:
        self._files = [os.open(work / f"shingles-{n}.u64", os.O_RDONLY) for n in names]
        self._at: dict[int, tuple[int, int, int]] = {}
        for number, name in enumerate(names):
            for rank, start, size in np.load(work / f"shingles-{name}.npy").tolist():
                self._at[rank] = number, start, size
        self._held: OrderedDict[int, Hashes] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, rank: int) -> Hashes:
        found = self._held.get(rank)
        if found is None:
            number, start, size = self._at[rank]
            found = np.frombuffer(os.pread(self._files[number], 8 * size, 8 * start), np.uint64)
            self._held[rank] = found
            self._bytes += found.nbytes
            while self._bytes > _CACHE_BYTES and len(self._held) > 2:
                self._bytes -= self._held.popitem(last=False)[1].nbytes
        else:
            self._held.move_to_end(rank)
        return found

    def close(self) -> None:
        for file in self._files:
            os.close(file)


def verify_pairs(work: Path, names: Sequence[str], pairs: Path, out: Path) -> int:
    """Write exact Jaccard and containment (of the later document in the first) of each pair; return how many."""
    wanted = np.load(pairs)
    store = ShingleStore(work, names)
    made = np.empty(len(wanted), VERIFIED)
    try:
        for n, pair in enumerate(wanted.tolist()):
            first, later = pair >> 32, pair & 0xFFFFFFFF
            made[n] = first, later, *similarity(store[first], store[later])
    finally:
        store.close()
    save(out, made)
    return len(made)


def similarity(first: Hashes, later: Hashes) -> tuple[float, float]:
    """Jaccard of two shingle sets, and the share of the second that stands in the first."""
    both = shared(first, later)
    union = len(first) + len(later) - both
    return (both / union if union else 1.0), (both / len(later) if len(later) else 1.0)
