"""Shingle sets by rank, where documents are compared.

On one machine, or over a shared disk, each set is read where it was written. Workers that share nothing but a store
would ask for each one: there, unless they are few, each file of sets is read once, in order, and what a job needs of it
goes to that job with the rest of its sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from winnow.base.files import bytes_of, done_with, is_exchanged, read_ahead
from winnow.deduplicate.array_files import ArrayFile, Partition, PartitionedFile
from winnow.deduplicate.documents.shingles import Hashes
from winnow.deduplicate.passages.utf8_texts import Offsets
from winnow.deduplicate.sorted_rows import Rows, distinct_values, merged, ranges, run_starts
from winnow.deduplicate.work_files import (
    NO_RANK,
    NOWHERE,
    PLACE,
    PLACED,
    SIZED,
    WANTED,
    ShingleFile,
    ShingleSets,
)

SET_BYTES = 64 << 20  # shingle sets held at a time


@dataclass(frozen=True, slots=True)
class Brought:
    """The sets of a kind that one job needs, in some files that `send_sets` wrote.

    Whose they are is in each the partition of that number, they are the next one.
    """

    files: Sequence[PartitionedFile]
    number: int

    def pieces(self) -> list[_Piece]:
        """What each file has of them."""
        return list(read_ahead(self._piece, self.files))

    def _piece(self, file: PartitionedFile) -> _Piece:
        start, middle, stop = file.bounds(range(self.number, self.number + 2)).tolist()
        return _Piece(file.between(start, middle).view(SIZED), file, middle, stop)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Whose sets a file has for a job (SIZED), and between which bytes these stand, end to end in the same order."""

    sizes: Rows
    file: PartitionedFile
    start: int
    stop: int

    def sets(self) -> Hashes:
        return self.file.between(self.start, self.stop)


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows of a file."""

    file: ArrayFile
    start: int
    stop: int

    def load(self) -> NDArray[Any]:
        return self.file.some(self.start, self.stop)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose sets a job needs: the documents that rows name in the fields `by`; both of each pair where they are pairs.

    The job is the one with that number, or, for each row, that of the file in which the document of its `rank` is.
    """

    rows: Slice | ArrayFile | PartitionedFile
    job: int | None = None
    by: tuple[str, ...] = ()

    def wanted(self, sets: ShingleSets) -> Rows:
        """Each document once a job (WANTED)."""
        rows, fields = self.rows.load(), self.by
        if rows.dtype == np.uint64:
            rows, fields = rows.view([("later", np.uint32), ("first", np.uint32)]), ("first", "later")
        jobs = sets.file_of(rows["rank"]) if self.job is None else np.full(len(rows), self.job)
        ranks = np.concatenate([rows[name] for name in fields]) if fields else rows
        both = distinct_values(np.tile(jobs, max(len(fields), 1)).astype(np.uint64) << np.uint64(32) | ranks)
        found = np.empty(len(both), WANTED)
        found["job"], found["rank"] = both >> np.uint64(32), both & np.uint64(0xFFFFFFFF)
        return found


def list_wanted(asked: Sequence[Asked], out: PartitionedFile, sets: ShingleSets) -> PartitionedFile:
    """Write which documents' sets some jobs need (WANTED), by the file that has them."""
    rows = merged([one.wanted(sets) for one in asked], WANTED)
    rows = rows[sets.has(rows["rank"])]
    return out.spread(rows, sets.file_of(rows["rank"]), len(sets.parts))


def send_sets(
    parts: Sequence[tuple[ShingleFile, Partition] | None], out: PartitionedFile, jobs: int
) -> PartitionedFile | None:
    """Write what jobs need of files of sets, one of each kind and what is wanted of it (WANTED), kind by kind.

    That is of each job whose they are (SIZED), then these, in two partitions. Where none is needed, nothing is written.
    """
    kinds = [_Sent.of(*part) if part else None for part in parts]
    sizes = [kind.sizes(jobs) if kind else np.zeros(2 * jobs, np.int64) for kind in kinds]
    if not any(some.any() for some in sizes):
        return None
    return out.fill(chain.from_iterable(kind.pieces() for kind in kinds if kind), np.concatenate(sizes))


@dataclass(frozen=True, slots=True)
class _Sent:
    """Sets of a file that jobs need: which job, whose they are (SIZED) and where they lie (PLACED), sorted by job."""

    part: ShingleFile
    jobs: NDArray[np.uint32]
    sized: Rows
    places: Rows

    @classmethod
    def of(cls, part: ShingleFile, wanted: Partition) -> _Sent:
        rows = wanted.load()
        rows = rows[np.argsort(rows["job"], kind="stable")]
        places = part.places() if len(rows) else np.empty(0, PLACED)
        places = places[np.argsort(places["rank"])]
        places = places[np.searchsorted(places["rank"], rows["rank"])]
        sized = np.empty(len(rows), SIZED)
        sized["rank"], sized["size"] = rows["rank"], places["size"]
        return cls(part, rows["job"], sized, places)

    def sizes(self, jobs: int) -> NDArray[np.int64]:
        """Of each job, how many sets there are, and how many shingles these have."""
        counts = (np.bincount(self.jobs, weights, jobs) for weights in (None, self.sized["size"]))
        return np.stack(list(counts), axis=1).astype(np.int64).ravel()

    def pieces(self) -> Iterator[Hashes]:
        hashes = self.part.sets() if self.sized["size"].any() else np.empty(0, np.uint64)
        held = 8 * np.cumsum(self.sized["size"], dtype=np.int64) // SET_BYTES
        for start, stop in pairwise(np.flatnonzero(np.append(run_starts(self.jobs), True)).tolist()):
            yield self.sized[start:stop].view(np.uint64)
            for some in np.split(self.places[start:stop], np.flatnonzero(run_starts(held[start:stop]))[1:]):
                yield hashes[ranges(some["start"], some["start"] + some["size"])]
        done_with(self.part.path)  # the next kind's file may take its room


class ShingleStore:
    """Reads shingle sets by rank; close it."""

    def __init__(self, sets: ShingleSets | Brought) -> None:
        self._sets = sets
        self._files: dict[int, FileIO] = {}  # those that were asked for
        self._ranks: NDArray[np.uint32] | None = None  # of what was brought together, sorted
        self._pieces: list[_Piece] = []
        self._hashes: Hashes | None = None
        if isinstance(sets, Brought):
            self._pieces = sets.pieces()
            rows = merged([piece.sizes for piece in self._pieces], SIZED)
            order = np.argsort(rows["rank"])
            places = np.empty(len(rows) + 1, PLACE)
            places["size"], places[-1] = np.append(rows["size"][order], 0), (NOWHERE, 0)
            ends = np.cumsum(rows["size"], dtype=np.int64)
            places["start"][:-1] = (ends - rows["size"])[order]
            self._places, self._ranks = places, np.append(rows["rank"][order], NO_RANK)
        else:
            self._places = sets.places.load()

    def _at(self, ranks: NDArray[np.uint32]) -> Rows:
        """Where the sets of documents are (PLACE)."""
        if self._ranks is None:
            return self._places[ranks]
        at = np.searchsorted(self._ranks, ranks)
        found: Rows = self._places[np.where(self._ranks[at] == ranks, at, len(self._ranks) - 1)]
        return found

    def has(self, ranks: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which documents have a set here."""
        here: NDArray[np.bool_] = self._at(ranks)["start"] != NOWHERE
        return here

    def sizes(self, ranks: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Number of shingles of each document."""
        return self._at(ranks)["size"].astype(np.int64)

    def read(self, ranks: NDArray[np.uint32]) -> tuple[Hashes, Offsets, Offsets]:
        """The sets of documents (each given once), some of them end to end, and where each starts and ends."""
        places = self._at(ranks)
        if isinstance(self._sets, Brought):
            if self._hashes is None and len(ranks):
                self._hashes = merged(list(read_ahead(_Piece.sets, self._pieces)), np.uint64)
            starts = np.maximum(places["start"], 0)
            return np.empty(0, np.uint64) if self._hashes is None else self._hashes, starts, starts + places["size"]
        lie = np.argsort(places["start"], kind="stable")
        start, size = places["start"][lie], places["size"][lie].astype(np.int64)
        ends = np.cumsum(size)
        file = self._sets.file_at(start)
        sets = np.empty(int(ends[-1]) if len(ends) else 0, np.uint64)
        # Sets that lie side by side come in one read: where each starts, less what came before it, is the same there.
        bounds = np.append(np.flatnonzero(run_starts(file, start - ends + size)), len(ranks)).tolist()
        for one, stop in pairwise(bounds):
            piece = sets[int(ends[one] - size[one]) : int(ends[stop - 1])]
            if len(piece):
                self._fill(piece, int(file[one]), int(start[one]))
        back = np.argsort(lie)
        return sets, (ends - size)[back], ends[back]

    def _fill(self, piece: Hashes, number: int, start: int) -> None:
        """Fill in what stands in a file. Raises OSError where the file ends before that."""
        assert isinstance(self._sets, ShingleSets)
        path, at = self._sets.parts[number].path, 8 * (start - self._sets.starts[number])
        if is_exchanged(path):
            piece[:] = np.frombuffer(bytes_of(path, at, at + piece.nbytes), np.uint64)
            return
        if number not in self._files:
            self._files[number] = FileIO(path)
        self._files[number].seek(at)
        if self._files[number].readinto(piece.data.cast("B")) != piece.nbytes:
            raise OSError(f"{path}: ends before it should")

    def each(self, ranks: NDArray[np.uint32]) -> Iterator[tuple[int, Hashes]]:
        """Documents, given sorted by rank, and the set of each; in any order."""
        if isinstance(self._sets, Brought):
            among = np.append(ranks, NO_RANK)
            for one in self._pieces:
                sizes, piece = one.sizes, one.sets()
                ends = np.cumsum(sizes["size"], dtype=np.int64)
                here = among[np.searchsorted(among, sizes["rank"])] == sizes["rank"]
                columns = (values[here].tolist() for values in (sizes["rank"], sizes["size"], ends))
                for rank, size, end in zip(*columns, strict=True):
                    yield rank, piece[end - size : end]
            return
        for some in np.array_split(ranks, -(-8 * int(self.sizes(ranks).sum()) // SET_BYTES) or 1):
            sets, starts, ends = self.read(some)
            yield from ((r, sets[a:b]) for r, a, b in zip(some.tolist(), starts.tolist(), ends.tolist(), strict=True))

    def close(self) -> None:
        for file in self._files.values():
            file.close()
