"""The one total order of documents: arrival, least damage, longest, earliest date, doc_id; a rank is a place in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from winnow.base.errors import DatasetError
from winnow.deduplicate.exchange import save

NO_RANK = np.uint32(0xFFFFFFFF)
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


@dataclass(frozen=True, slots=True)
class Order:
    """Facts of all documents by rank, memory-mapped from the work folder, and the way from doc_id to rank."""

    keys: NDArray[np.uint64]  # doc_ids as numbers, sorted
    ranks: NDArray[np.uint32]  # rank of the document with the key at the same place
    arrival: NDArray[np.int32]
    site: NDArray[np.int32]
    n_shingles: NDArray[np.int32]
    exact_of: NDArray[np.uint32]  # rank of the first document with the very same text; its own for that one

    def __len__(self) -> int:
        return len(self.arrival)

    def ranks_of(self, doc_ids: Sequence[str], left_out: frozenset[str] = frozenset()) -> NDArray[np.uint32]:
        """Rank of each document, NO_RANK for those that take no part or are to be left out."""
        keys = doc_keys(doc_ids)
        if not len(self.keys) or not len(keys):
            return np.full(len(keys), NO_RANK)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        ranks = np.where(self.keys[at] == keys, self.ranks[at], NO_RANK).astype(np.uint32)
        if left_out:
            ranks[[i in left_out for i in doc_ids]] = NO_RANK
        return ranks


def doc_keys(doc_ids: Iterable[str]) -> NDArray[np.uint64]:
    """doc_ids as numbers, which is what their 16 hex digits are.

    >>> doc_keys(["00000000000000ff"]).tolist()
    [255]
    """
    return np.frombuffer(bytes.fromhex("".join(doc_ids)), ">u8").astype(np.uint64)


def build_order(new: Sequence[Path], carried: Sequence[Path], left_out: frozenset[str], work: Path) -> list[str]:
    """Rank all documents, write the facts for `load_order`, and return the doc_ids by rank.

    Memory grows with the number of documents (about 150 bytes each), not with their text.
    Raises DatasetError where a document is given twice.
    """
    frames = [_read(path) for path in new]
    frames += [f.filter(~pl.col("doc_id").is_in(list(left_out))) for f in map(_read, carried)]
    table = pl.concat(frames) if frames else pl.DataFrame(schema=_COLUMNS)
    if (doubled := table.filter(pl.col("doc_id").is_duplicated())).height:
        first = sorted(doubled["doc_id"].to_list())[0]
        raise DatasetError(f"document {first} is given twice; list it under leave_out if it was replaced")
    table = table.sort(
        pl.col("arrival"), pl.col("damage"), -pl.col("length"), pl.col("collected_at"), pl.col("doc_id"),
        nulls_last=True,
    ).with_row_index("rank")  # fmt: skip
    table = table.with_columns(pl.col("rank").min().over("text_hash").alias("exact_of"))
    keys = doc_keys(table["doc_id"])
    by_key = np.argsort(keys)
    site = table["site"].rank("dense").fill_null(0).to_numpy()
    facts: dict[str, NDArray[Any]] = {
        "keys": keys[by_key],
        "ranks": by_key.astype(np.uint32),
        "arrival": table["arrival"].to_numpy().astype(np.int32),
        "site": site.astype(np.int32),
        "n_shingles": table["n_shingles"].to_numpy().astype(np.int32),
        "exact_of": table["exact_of"].to_numpy().astype(np.uint32),
    }
    for name, values in facts.items():
        save(work / f"order-{name}.npy", values)
    return table["doc_id"].to_list()


def load_order(work: Path) -> Order:
    """The facts that `build_order` wrote, memory-mapped so that workers on one machine share them."""
    return Order(*(np.load(work / f"order-{n}.npy", mmap_mode="r") for n in Order.__slots__))


def _read(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path, columns=list(_COLUMNS)).select(pl.col(n).cast(t) for n, t in _COLUMNS.items())
