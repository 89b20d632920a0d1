"""The one total order of documents: arrival, least damage, longest, earliest date, doc_id; a rank is a place in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from winnow.base.errors import DatasetError
from winnow.deduplicate.work_files import NO_RANK, ORDER, InputFile, WorkFiles

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentOrder:
    """Facts of all documents by rank, memory-mapped from the work folder, and the way from doc_id to rank (ORDER)."""

    keys: NDArray[np.uint64]
    ranks: NDArray[np.uint32]
    arrival: NDArray[np.int32]
    site: NDArray[np.int32]
    n_shingles: NDArray[np.int32]
    exact_of: NDArray[np.uint32]

    def ranks_of(self, doc_ids: Sequence[str], file: InputFile) -> NDArray[np.uint32]:
        """Rank of each document of a file, NO_RANK for those that take no part or are left out of it."""
        keys = doc_keys(doc_ids)
        if not len(self.keys) or not len(keys):
            return np.full(len(keys), NO_RANK)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        ranks = np.where(self.keys[at] == keys, self.ranks[at], NO_RANK).astype(np.uint32)
        if file.left_out:
            ranks[[i in file.left_out for i in doc_ids]] = NO_RANK
        return ranks


def doc_keys(doc_ids: Iterable[str]) -> NDArray[np.uint64]:
    """doc_ids as numbers, which is what their 16 hex digits are.

    >>> doc_keys(["00000000000000ff"]).tolist()
    [255]
    """
    return np.frombuffer(bytes.fromhex("".join(doc_ids)), ">u8").astype(np.uint64)


def rank_documents(indexes: Sequence[InputFile], files: WorkFiles) -> list[str]:
    """Rank all documents, write the facts for `load_order`, and return the doc_ids by rank.

    Memory grows with the number of documents (about 150 bytes each), not with their text.
    Raises DatasetError where a document is given twice.
    """
    table = pl.concat([pl.DataFrame(schema=_COLUMNS), *map(_read, indexes)])
    if (doubled := table.filter(pl.col("doc_id").is_duplicated())).height:
        first = min(doubled["doc_id"].to_list())
        raise DatasetError(f"document {first} is given twice; list it under leave_out if it was replaced")
    table = table.sort(
        pl.col("arrival"), pl.col("damage"), -pl.col("length"), pl.col("collected_at"), pl.col("doc_id"),
        nulls_last=True,
    ).with_row_index("rank")  # fmt: skip
    table = table.with_columns(pl.col("rank").min().over("text_hash").alias("exact_of"))
    keys = doc_keys(table["doc_id"])
    by_key = np.argsort(keys)
    facts = {n: table[n].to_numpy() for n in ("arrival", "n_shingles", "exact_of")}
    facts |= {"keys": keys[by_key], "ranks": by_key, "site": table["site"].rank("dense").fill_null(0).to_numpy()}
    for name, dtype in ORDER.items():
        files.order(name).save(facts[name].astype(dtype))
    return table["doc_id"].to_list()


def load_order(files: WorkFiles) -> DocumentOrder:
    """The facts that `rank_documents` wrote."""
    return DocumentOrder(**{name: files.order(name).load() for name in ORDER})


def _read(file: InputFile) -> pl.DataFrame:
    table = pl.read_parquet(file.path, columns=list(_COLUMNS)).select(pl.col(n).cast(t) for n, t in _COLUMNS.items())
    return table.filter(~pl.col("doc_id").is_in(list(file.left_out))) if file.left_out else table
