"""Rows of many files that are sorted by doc_id: merged into few files, and read by ranges of doc_ids.

Merging takes row groups in the order of their first doc_ids, in which it comes to need them: each is fetched before it
is wanted, and decoded once (forecasting: Knuth, The Art of Computer Programming 3, 5.4.6).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from heapq import heappop, heappush
from itertools import islice, repeat
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from winnow.base.doc_ids import EVERYTHING, Range, bounds_in, doc_id_ranges, unpacked_bytes
from winnow.base.files import bytes_of, metadata_of, parquet_piece, read_ahead, remove_files
from winnow.base.object_reader import SeekableReader
from winnow.base.staging import write_parquet

MOST_RUNS = 64  # files that a range of doc_ids is read from; each costs an opening for each range
MERGED_RUNS = 32  # that are merged at a time: a row group of each is held
MERGED_RANGES = 4  # that merging writes into one file; what a worker's disk has room for bounds them
GROUP_BYTES = 2 << 20  # unpacked, of a row group of merged runs, of which one of each run is held
RANGE_BYTES = 16 << 20  # text of the documents that one call holds in memory, some ten times in all

SortedRun: TypeAlias = tuple[tuple[Range, Path], ...]
"""Rows sorted by doc_id: files, and the range of which each holds the rows; the ranges follow one another."""


def assembly_ranges(total_bytes: int) -> list[Range]:
    """Ranges of doc_ids, of which each has about as much text as one call holds in memory.

    >>> assembly_ranges(0)
    [('', 'g')]
    """
    return doc_id_ranges(max(1, -(-total_bytes // RANGE_BYTES)))


def few_runs(files: Sequence[Path], schema: pa.Schema, executor: Executor, folder: Path) -> list[SortedRun]:
    """At most MOST_RUNS runs with the rows of these files, which are sorted by doc_id; merged level by level."""
    runs: list[SortedRun] = [((EVERYTHING, file),) for file in files]
    level = 0
    while len(runs) > MOST_RUNS:
        groups = [runs[n : n + MERGED_RUNS] for n in range(0, len(runs), MERGED_RUNS)]
        names = [folder / f"{level}-{n}" for n in range(len(groups))]
        merged = list(executor.map(merge_runs, groups, names, repeat(schema)))
        if level:
            remove_files([path for run in runs for _, path in run])
        runs, level = merged, level + 1
    return runs


def files_of(runs: Sequence[SortedRun], wanted: Range) -> Iterator[Path]:
    """The files that hold the rows of a range."""
    for run in runs:
        first = bisect_right(run, wanted[0], key=lambda file: file[0][1])
        yield from (path for _, path in run[first : bisect_left(run, wanted[1], key=lambda file: file[0][0])])


def merge_runs(runs: Sequence[SortedRun], name: Path, schema: pa.Schema) -> SortedRun:
    """Write the rows of some runs as one, in files of some ranges each: no disk need have room for all of it."""
    files = sorted((file for run in runs for file in run), key=lambda file: file[0][0])
    n_rows = n_bytes = 0
    for meta in metadata_of(path for _, path in files):
        n_rows, n_bytes = n_rows + meta.num_rows, n_bytes + unpacked_bytes(meta)
    ranges = assembly_ranges(n_bytes)
    rows = _rows_before([end for _, end in ranges], read_ahead(_Stretch.fetched, _in_turn(files)), schema)
    merged = []
    for n in range(0, len(ranges), MERGED_RANGES):
        some = ranges[n : n + MERGED_RANGES]
        path = name.with_name(f"{name.name}-{n}.parquet")
        group = max(1, n_rows * GROUP_BYTES // max(n_bytes, 1))
        write_parquet(path, islice(rows, len(some)), schema, group, durable=False)
        merged.append(((some[0][0], some[-1][1]), path))
    return tuple(merged)


def rows_of_range(files: Sequence[Path], schema: pa.Schema, span: Range) -> pa.Table:
    """The rows of a range, file by file."""
    found = [schema.empty_table()]
    for stretch in read_ahead(partial(_stretch_of, span=span), files):
        if stretch:
            rows = stretch.table(schema)
            # What is not wanted is let go, for it may be much more.
            least, most = pc.greater_equal(rows["doc_id"], span[0]), pc.less(rows["doc_id"], span[1])
            found.append(rows.filter(pc.and_(least, most)))
    return pa.concat_tables(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """Row groups of a file that follow one another, and their bytes in it, once these are fetched."""

    path: Path
    meta: pq.FileMetaData
    groups: range
    low: str = ""  # the first doc_id
    packed: bytes = b""

    def _bounds(self) -> tuple[int, int]:
        """Where the row groups begin and end in the file."""
        ends = [self.meta.row_group(n) for n in (self.groups[0], self.groups[-1])]
        first, last = ([group.column(n) for n in range(group.num_columns)] for group in ends)
        return min(map(_start, first)), max(_start(column) + column.total_compressed_size for column in last)

    def fetched(self) -> _Stretch:
        """The same with its bytes, which are one piece of the file."""
        return replace(self, packed=bytes_of(self.path, *self._bounds()))

    def table(self, schema: pa.Schema) -> pa.Table:
        """All rows of what was fetched."""
        file = parquet_piece(_Piece(self._bounds()[0], self.packed), self.meta)
        rows = file.read_row_groups(list(self.groups), columns=schema.names, use_threads=False)
        return rows.select(schema.names).cast(schema)


def _start(column: pq.ColumnChunkMetaData) -> int:
    return int(column.dictionary_page_offset or column.data_page_offset)


def _stretch_of(path: Path, span: Range) -> _Stretch | None:
    """What may hold rows of a range, fetched; None where nothing does."""
    [meta] = metadata_of([path])
    groups = [n for n, least, most in _groups(meta) if least < span[1] and most >= span[0]]
    return _Stretch(path, meta, range(groups[0], groups[-1] + 1)).fetched() if groups else None


def _groups(meta: pq.FileMetaData) -> Iterator[tuple[int, str, str]]:
    """The row groups of a file that are not empty, by number, with the least and the greatest doc_id of each."""
    bounds = enumerate(bounds_in(meta))
    return ((n, least, most) for n, (least, most) in bounds if meta.row_group(n).num_rows)


def _in_turn(files: Sequence[tuple[Range, Path]]) -> Iterator[_Stretch]:
    """The row groups of sorted files, given in the order of their ranges, in the order of their first doc_ids."""
    coming: list[tuple[str, int, int, _Stretch]] = []
    opened = metadata_of(path for _, path in files)
    for number, (((start, _), path), meta) in enumerate(zip(files, opened, strict=True)):
        while coming and coming[0][0] < start:
            yield heappop(coming)[-1]
        for n, low, _ in _groups(meta):
            heappush(coming, (low, number, n, _Stretch(path, meta, range(n, n + 1), low)))
    while coming:
        yield heappop(coming)[-1]


def _rows_before(ends: Sequence[str], coming: Iterator[_Stretch], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of row groups, in order, up to each of the ends."""
    keys = [(key, "ascending") for key in ("doc_id", "position", "part") if key in schema.names]
    held: list[pa.Table] = []
    following = next(coming, None)
    for end in ends:
        while following and following.low < end:
            held.append(following.table(schema))
            following = next(coming, None)
        cuts = [pc.sum(pc.less(rows["doc_id"], end)).as_py() or 0 for rows in held]
        before = [rows.slice(0, cut) for rows, cut in zip(held, cuts, strict=True)]
        held = [rows.slice(cut) for rows, cut in zip(held, cuts, strict=True) if cut < rows.num_rows]
        yield pa.concat_tables([schema.empty_table(), *before]).sort_by(keys)


class _Piece(SeekableReader):
    """A piece of a file as if it were all of it."""

    def __init__(self, start: int, content: bytes) -> None:
        self._start, self._content, self._end_at = start, content, start + len(content)

    def readinto(self, buffer: Any) -> int:
        begin = self._at - self._start
        content = self._content[begin : begin + len(buffer)]
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)
