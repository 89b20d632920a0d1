"""Rows of files of passages: those of wanted documents, and those of which a new document has the very passage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from winnow.base.doc_ids import Column
from winnow.base.files import parquet_file, scan_parquet
from winnow.deduplicate.array_files import ArrayFile, load_each
from winnow.deduplicate.documents.document_order import DocumentOrder, load_order
from winnow.deduplicate.sorted_rows import distinct_values
from winnow.deduplicate.work_files import NO_RANK, TEXT, InputFile, WorkFiles

_FEW = 6  # where one of so many documents is wanted, pages of a file have none and need not be unpacked
_AT_ONCE = 1 << 14  # rows
_MOST_PRINTS = 1 << 21  # of passages that new documents have; a worker that looks for them holds some 50 bytes of each


def wanted_rows(
    file: InputFile, order: DocumentOrder, marked: NDArray[np.bool_], columns: Sequence[str]
) -> Iterator[tuple[NDArray[np.uint32], pa.RecordBatch]]:
    """The rows of the documents of a file that are marked (by rank), with their ranks, some at a time."""
    for doc_ids, rows in _batches(file, order, marked, list(columns)):
        ranks = of_rows(doc_ids, lambda ids: wanted_ranks(ids, file, order, marked))
        keep = ranks != NO_RANK
        yield (ranks, rows) if keep.all() else (ranks[keep], rows.filter(pa.array(keep)))


def _batches(
    file: InputFile, order: DocumentOrder, marked: NDArray[np.bool_], columns: list[str]
) -> Iterator[tuple[pa.Array, pa.RecordBatch]]:
    """Rows among which those of the marked documents are, and the doc_id of each."""
    here = order.documents_in(file)
    few = here[marked[here]]
    if not len(few):
        return
    if len(few) * _FEW < len(here):
        among = pl.col("doc_id").is_in(pl.Series(order.doc_ids(few), dtype=pl.String).implode())
        rows = scan_parquet([file.path]).filter(among).select("doc_id", *columns).collect(engine="streaming")
        batches: Iterator[pa.RecordBatch] = iter(rows.to_arrow().to_batches(max_chunksize=_AT_ONCE))
    else:
        # The file's own dictionary has each id of a row group once.
        parquet = parquet_file(file.path, read_dictionary=["doc_id"])
        batches = parquet.iter_batches(batch_size=_AT_ONCE, columns=["doc_id", *columns])
    for batch in batches:
        yield batch.column("doc_id"), batch.select(columns)


def all_rows(file: InputFile, columns: Sequence[str], at_once: int) -> Iterator[pa.RecordBatch]:
    """The rows of a file, so many at a time; of published ones, where that is known, those that new ones share.

    The file's own dictionary has each doc_id and kind of a row group once.
    """
    if file.only:
        shared = shared_rows(file).select(columns).collect(engine="streaming")
        yield from shared.to_arrow().to_batches(max_chunksize=at_once)
        return
    names = [name for name in ("doc_id", "kind") if name in columns]
    yield from parquet_file(file.path, read_dictionary=names).iter_batches(batch_size=at_once, columns=list(columns))


def of_rows(values: pa.Array, find: Callable[[Column], NDArray[Any]]) -> NDArray[Any]:
    """What is found of the value of each row; of one that a dictionary has, it is looked for once."""
    if not isinstance(values, pa.DictionaryArray):
        return find(values)
    found: NDArray[Any] = find(values.dictionary)[np.asarray(values.indices)]
    return found


def wanted_ranks(
    doc_ids: Column, file: InputFile, order: DocumentOrder, marked: NDArray[np.bool_]
) -> NDArray[np.uint32]:
    """Rank of each document of a file, NO_RANK for those that are not wanted."""
    ranks = order.ranks_of(doc_ids, file)
    known = ranks != NO_RANK
    ranks[known] = np.where(marked[ranks[known]], ranks[known], NO_RANK)
    return ranks


def write_prints(new: Sequence[InputFile], out: ArrayFile) -> tuple[ArrayFile, ...]:
    """Write the fingerprints (TEXT) of the passages of new documents, for `shared_rows`; none where they are many."""
    files = [parquet_file(file.path) for file in new]
    if sum(file.metadata.num_rows for file in files) > _MOST_PRINTS:
        return ()
    pieces = [pl.Series(dtype=pl.Binary)]
    for file in files:
        pieces += [pl.Series(file.read(["fingerprint"])["fingerprint"], dtype=pl.Binary)]
    return (out.save(np.frombuffer(b"".join(pl.concat(pieces).unique().to_list()), TEXT)),)


def shared_rows(file: InputFile) -> pl.LazyFrame:
    """The rows of a file of passages whose fingerprint new documents have too (see `InputFile.only`)."""
    [prints] = (one.load() for one in file.only)
    among = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(prints), [None, pa.py_buffer(prints.tobytes())])
    wanted = pl.Series(among.cast(pa.binary()), dtype=pl.Binary)
    return scan_parquet([file.path]).filter(pl.col("fingerprint").is_in(wanted.implode()))


def list_documents(passages: InputFile, files: WorkFiles) -> ArrayFile:
    """Write the ranks of the documents that have passages in a file."""
    order = load_order(files)
    found = [np.empty(0, np.uint32)]
    # The file's own dictionary has each id of a row group once.
    parquet = parquet_file(passages.path, read_dictionary=["doc_id"])
    for batch in parquet.iter_batches(batch_size=1 << 20, columns=["doc_id"]):
        found.append(order.ranks_of(batch.column("doc_id").unique().dictionary, passages))
    ranks = distinct_values(np.concatenate(found))
    return files.documents_in(passages).save(ranks[ranks != NO_RANK])


def find_scattered(listed: Iterable[ArrayFile], documents: int) -> NDArray[np.bool_]:
    """Documents whose passages lie in more than one file, as a compaction may leave them, given those of each file."""
    seen, scattered = np.zeros(documents, np.bool_), np.zeros(documents, np.bool_)
    for ranks in load_each(listed):
        scattered[ranks[seen[ranks]]] = True
        seen[ranks] = True
    return scattered
