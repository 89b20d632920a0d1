"""NumPy files that jobs hand each other: whole, mapped into memory or read in part, and exchanged by partition.

Jobs hand each other files, never rows. A file is written under a temporary name and renamed, so that a killed worker
leaves no half file; it is not synced to disk, for a run can make it again. `winnow.base.files` finds and sends them,
for workers may share nothing but a store. Rows that another job wants by key are sorted by hash partition. Where a
partition would be read from very many files, they are merged first, many of them and a share of the partitions at a
time, so that files and reads grow with the rows, not with the files times the partitions.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import repeat
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from winnow.base.disk import beside
from winnow.base.files import at_hand, bytes_of, place_for, read_ahead, remove_files, sent
from winnow.deduplicate.sorted_rows import Rows, merged

MOST_PARTS = 32
"""Files that a partition is read from, and shares into which merging cuts the partitions; also how many are merged.

Each level of merging reads so many pieces of every file: twice as many were read at 64, in as many levels.
"""

_SORTED_AT_A_TIME = 1 << 20  # values of a sorted file that are looked at for repeated ones

_HEAD = 1024  # bytes before the values of a file, so that where some of them lie is known without a look


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """A NumPy file and the type of its values."""

    path: Path
    dtype: np.dtype[Any]

    def save(self, values: NDArray[Any]) -> ArrayFile:
        """Write the file; raises TypeError where the values are of another type than it is to hold."""
        if values.dtype != self.dtype:
            raise TypeError(f"{self.path.name} holds {self.dtype}, not {values.dtype}")
        with whole_file(self.path) as file:
            file.write(self._head(len(values)))
            values.tofile(file)
        return self

    def part(self, number: int) -> ArrayFile:
        """A part of what `join` makes one file."""
        return ArrayFile(self.path.with_stem(f"{self.path.stem}-{number}"), self.dtype)

    def join(self, parts: Sequence[ArrayFile]) -> ArrayFile:
        """Write the values of other files, one after the other, and remove those."""
        values = 0
        with whole_file(self.path) as file:
            file.write(self._head(0))
            for array in load_each(parts):
                array.tofile(file)
                values += len(array)
            file.seek(0)
            file.write(self._head(values))
        remove_files([part.path for part in parts])
        return self

    def room(self, values: int) -> NDArray[Any]:
        """Room for so many values, to be filled in; it is mapped, so that this process need not hold them."""
        if not values:  # there is no mapping of nothing
            return np.empty(0, self.dtype)
        return np.lib.format.open_memmap(place_for(self.path), "w+", self.dtype, (values,))

    @contextmanager
    def filled(self, values: int) -> Iterator[NDArray[Any]]:
        """The same, for others to read when it is filled."""
        room = self.room(values)
        yield room
        if isinstance(room, np.memmap):
            room.flush()
            sent(self.path)
        else:
            self.save(room)

    def distinct(self, parts: Iterable[NDArray[Any]], most: int) -> NDArray[Any]:
        """The different values of arrays, which have so many at `most`, sorted; this process need not hold them."""
        room, size = self.room(most), 0
        for part in parts:
            room[size : size + len(part)] = part
            size += len(part)
        values, size = room[:size], 0
        values.sort()
        for start in range(0, len(values), _SORTED_AT_A_TIME):
            some = np.array(values[start : start + _SORTED_AT_A_TIME])
            fresh = np.append(not size or some[0] != values[size - 1], some[1:] != some[:-1])
            kept = some[fresh]
            values[size : size + len(kept)] = kept
            size += len(kept)
        return values[:size]

    def _head(self, values: int) -> bytes:
        """What NumPy writes before so many values, filled up with blanks."""
        head, descr = BytesIO(), np.lib.format.dtype_to_descr(self.dtype)
        np.lib.format.write_array_header_2_0(head, {"descr": descr, "fortran_order": False, "shape": (values,)})
        mark, text = head.getvalue()[:8], head.getvalue()[12:]
        size = _HEAD - len(mark) - 4
        return mark + size.to_bytes(4, "little") + text.rstrip().ljust(size - 1) + b"\n"

    def load(self) -> NDArray[Any]:
        """The values, memory-mapped, so that workers on one machine share them; `np.load` takes ten times as long."""
        held = _mapped(self.path)
        size = 2 if held[6] == 1 else 4  # bytes that say how long the rest of the head is, by its version
        return np.frombuffer(held, self.dtype, offset=8 + size + int.from_bytes(held[8 : 8 + size], "little"))

    def some(self, start: int, stop: int) -> NDArray[Any]:
        """The values from one place to before another; of a file that stands in the store these alone are fetched."""
        size = self.dtype.itemsize
        return np.frombuffer(bytes_of(self.path, _HEAD + start * size, _HEAD + stop * size), self.dtype)


@dataclass(frozen=True, slots=True)
class PartitionedFile:
    """Rows of one type, sorted by their partition: of partitions from the `first` on.

    Before the rows stands at which byte each partition begins, and where the last ends, so that all is one file.
    """

    path: Path
    dtype: np.dtype[Any]
    first: int = 0

    def spread(self, rows: Rows, partition: NDArray[np.int64], partitions: int) -> PartitionedFile:
        """Write rows, given the partition of each; raises TypeError where they are of another type."""
        if rows.dtype != self.dtype:
            raise TypeError(f"{self.path.name} holds {self.dtype}, not {rows.dtype}")
        # Small numbers are sorted by their bytes, in one pass over the rows each.
        order = np.argsort(partition.astype(np.uint16) if partitions < 1 << 16 else partition, kind="stable")
        return self.fill([rows[order] if partitions > 1 else rows], np.bincount(partition, minlength=partitions))

    def fill(self, pieces: Iterable[Rows], sizes: NDArray[np.int64]) -> PartitionedFile:
        """Write rows that are in order, some at a time, given how many each partition has."""
        ends = np.cumsum(np.append(0, sizes)) * self.dtype.itemsize
        with whole_file(self.path) as file:
            (ends + ends.nbytes).tofile(file)
            for piece in pieces:
                file.write(piece.view(np.uint8).data)
        return self

    def load(self) -> Rows:
        """All rows, in the order of their partitions."""
        held = _mapped(self.path)
        return np.frombuffer(held, self.dtype, offset=int.from_bytes(held[:8], "little"))

    def of(self, partition: int) -> Rows:
        """The rows of one partition."""
        return self.cut(range(partition, partition + 1))[0]

    def cut(self, partitions: range) -> tuple[Rows, NDArray[np.int64]]:
        """The rows of some partitions, and where each begins among them, and the end of the last."""
        bounds = self.bounds(partitions)
        return self.between(bounds[0], bounds[-1]), (bounds - bounds[0]) // self.dtype.itemsize

    def bounds(self, partitions: range) -> NDArray[np.int64]:
        """At which byte each of some partitions begins, and where the last ends."""
        at = (8 * (n - self.first) for n in (partitions.start, partitions.stop + 1))
        return np.frombuffer(bytes_of(self.path, *at), np.int64)

    def between(self, start: int, stop: int) -> Rows:
        """The rows from one byte to before another."""
        return np.frombuffer(bytes_of(self.path, int(start), int(stop)), self.dtype)

    def merge(self, parts: Sequence[PartitionedFile], partitions: range) -> PartitionedFile:
        """Write the rows that other files have of some partitions, in the order of the files."""
        read = list(read_ahead(lambda part: part.cut(partitions), parts))
        pieces = (rows[at[n] : at[n + 1]] for n in range(len(partitions)) for rows, at in read)
        return self.fill(pieces, np.diff(np.sum([at for _, at in read], axis=0)))


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, and the files that hold its rows."""

    number: int
    files: Sequence[PartitionedFile]
    dtype: np.dtype[Any]

    def load(self) -> Rows:
        """All its rows, file by file."""
        return merged(list(self.each()), self.dtype)

    def each(self) -> Iterator[Rows]:
        """Those of each file."""
        return read_ahead(lambda file: file.of(self.number), self.files)


def gather(parts: Sequence[PartitionedFile], dtype: DTypeLike, partitions: int, executor: Executor) -> list[Partition]:
    """Say for each partition which files hold its rows; where they are very many, merge them first.

    A level leaves one of `MOST_PARTS` files, cut into as many shares of the partitions; what was merged goes.
    """
    kind = np.dtype(dtype)
    found: list[Partition] = []
    todo = [(range(partitions), tuple(parts))]
    while todo:
        many = [(some, files) for some, files in todo if min(len(some), len(files)) > MOST_PARTS]
        found += [Partition(n, files, kind) for some, files in todo if (some, files) not in many for n in some]
        jobs: list[tuple[PartitionedFile, Sequence[PartitionedFile], range]] = []
        todo = []
        for some, files in many:
            step = 2 * -(-len(some) // (2 * MOST_PARTS))  # even: of some rows two partitions belong together
            for share in (some[n : n + step] for n in range(0, len(some), step)):
                groups = [files[n : n + MOST_PARTS] for n in range(0, len(files), MOST_PARTS)]
                paths = [group[0].path.with_suffix(f".{share.start}.npy") for group in groups]
                made = tuple(PartitionedFile(path, kind, share.start) for path in paths)
                jobs += zip(made, groups, repeat(share), strict=False)
                todo.append((share, made))
        list(executor.map(PartitionedFile.merge, *zip(*jobs, strict=True)))
        remove_files([file.path for _, files in many for file in files])
    return sorted(found, key=lambda one: one.number)


def load_each(files: Iterable[ArrayFile]) -> Iterator[NDArray[Any]]:
    """The values of files, one after the other; those in a store are fetched several at once.

    Each that is held is an open file to the system, which allows a thousand perhaps: so hold few.
    """
    return read_ahead(ArrayFile.load, files)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the name `path` when it is whole."""
    with beside(place_for(path)) as temporary, temporary.open("xb") as file:
        yield file
    sent(path)


def _mapped(path: Path) -> mmap.mmap:
    with at_hand(path).open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def partitions_for(rows: int, bytes_a_row: int, budget: int = 64 << 20) -> int:
    """How many partitions keep one within `budget` bytes (sorting takes about three times that).

    >>> partitions_for(1000, 32), partitions_for(100_000_000, 32)
    (1, 48)
    """
    return max(1, -(-rows * bytes_a_row // budget))
