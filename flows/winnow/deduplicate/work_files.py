"""The work folder of one deduplication: what each file is called, what its rows are, and how they are exchanged.

Jobs hand each other files, never rows. A file is written under a temporary name and renamed, so that a killed worker
leaves no half file; it is not synced to disk, for a run can make it again. `winnow.base.files` finds and sends them,
for workers may share nothing but a store. Rows that another job wants by key are sorted by hash partition, with a
second file that says where each partition begins. Where a partition would be read from very many files, they are merged
first, many of them and a share of the partitions at a time, so that files and reads grow with the rows, not with the
files times the partitions.
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
import polars as pl
from numpy.typing import DTypeLike, NDArray

from winnow.base.disk import beside
from winnow.base.files import at_hand, bytes_of, place_for, remove_files, sent
from winnow.deduplicate.sorted_rows import Rows, merged

MOST_PARTS = 64
"""Files that a partition is read from, and shares into which merging cuts the partitions; also how many are merged."""

_SORTED_AT_A_TIME = 1 << 20  # values of a sorted file that are looked at for repeated ones

_HEAD = 1024  # bytes before the values of a file, so that where some of them lie is known without a look

NO_RANK = np.uint32(0xFFFFFFFF)
"""Stands for a document that takes no part, and for no document. A rank is a place in the total order of documents."""

ORDER = {
    "keys": np.uint64,  # doc_ids as numbers, sorted
    "ranks": np.uint32,  # rank of the document with the key at the same place
    "doc_keys": np.uint64,  # doc_ids as numbers, by rank
    "arrival": np.int32,  # this and the following by rank
    "site": np.int32,
    "n_shingles": np.int32,
    "exact_of": np.uint32,  # rank of the first document with the very same text; its own for that one
}
TEXT = np.dtype([("high", np.uint64), ("low", np.uint64)])
FACTS = np.dtype(
    [("key", np.uint64), ("arrival", np.int32), ("damage", np.int32), ("shorter", np.int64), ("collected_at", np.int64),
     ("site", np.uint64), ("n_shingles", np.int32), ("text", TEXT)]
)  # fmt: skip
SAME_TEXT = np.dtype([("text", TEXT), ("rank", np.uint32), ("first", np.uint32)])
KEYED = np.dtype([("key", np.uint64), ("rank", np.uint32)])
PLACE = np.dtype([("rank", np.uint32), ("start", np.int64), ("size", np.int64)])
TEMPLATE = np.dtype([("key", np.uint64), ("arrival", np.int32)])
COUNTED = np.dtype(
    [("first", np.uint32), ("later", np.uint32), ("of_first", np.int64), ("of_later", np.int64), ("both", np.int64)]
)
VERIFIED = np.dtype([("first", np.uint32), ("later", np.uint32), ("jaccard", np.float64), ("containment", np.float64)])
SIMILAR = np.dtype(
    [("rank", np.uint32), ("other", np.uint32), ("jaccard", np.float64), ("containment", np.float64),
     ("position", np.int32), ("share", np.float64)]
)  # fmt: skip
EVIDENCE = np.dtype([("row", np.int64), ("position", np.int32), ("share", np.float64)])
PASSAGE = np.dtype(
    [("high", np.uint64), ("low", np.uint64), ("rank", np.uint32), ("position", np.int32), ("part", np.int32),
     ("chars", np.int32), ("long", np.bool_), ("call", np.bool_), ("meaning", np.uint8), ("boilerplate", np.bool_)]
)  # fmt: skip
STANDING = np.dtype(
    [("rank", np.uint32), ("position", np.int32), ("low", np.uint64), ("meaning", np.uint8), ("firm", np.bool_),
     ("beside", np.uint64), ("among", np.uint64), ("section", np.uint64), ("windows", np.uint64, 3)]
)  # fmt: skip
REMOVED = np.dtype(
    [("rank", np.uint32), ("position", np.int32), ("part", np.int32), ("chars", np.int32), ("boilerplate", np.bool_),
     ("kept", np.uint32), ("kept_position", np.int32), ("meaning", np.uint8)]
)  # fmt: skip
CHARS = np.dtype([("rank", np.uint32), ("chars", np.int64)])
INNER_REPEATS = pl.Schema(
    {"rank": pl.UInt32(), "position": pl.Int32(), "part": pl.Int32(), "reason": pl.String(),
     "kept_position": pl.Int32(), "similarity": pl.Float32()}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file of index rows or passages that takes part; the documents `left_out` are passed over in it."""

    path: Path
    name: str  # stands in the names of work files made from it
    left_out: ArrayFile | None = None  # doc_ids as numbers, sorted


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

    def join(self, parts: Sequence[ArrayFile]) -> ArrayFile:
        """Write the values of other files, one after the other, and remove those."""
        arrays = [part.load() for part in parts]
        with whole_file(self.path) as file:
            file.write(self._head(sum(map(len, arrays))))
            for array in arrays:
                array.tofile(file)
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
        with at_hand(self.path).open("rb") as file:
            held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        size = 2 if held[6] == 1 else 4  # bytes that say how long the rest of the head is, by its version
        return np.frombuffer(held, self.dtype, offset=8 + size + int.from_bytes(held[8 : 8 + size], "little"))

    def some(self, start: int, stop: int) -> NDArray[Any]:
        """The values from one place to before another; of a file that stands in the store these alone are fetched."""
        size = self.dtype.itemsize
        return np.frombuffer(bytes_of(self.path, _HEAD + start * size, _HEAD + stop * size), self.dtype)


@dataclass(frozen=True, slots=True)
class PartitionedFile(ArrayFile):
    """Rows sorted by their partition, of `count` partitions from the `first` on."""

    first: int = 0

    @property
    def starts(self) -> ArrayFile:
        """Where each partition begins, and the end of the last."""
        return ArrayFile(self.path.with_suffix(".starts.npy"), np.dtype(np.int64))

    def spread(self, rows: Rows, partition: NDArray[np.int64], partitions: int) -> PartitionedFile:
        """Write rows, given the partition of each."""
        # Small numbers are sorted by their bytes, in one pass over the rows each.
        order = np.argsort(partition.astype(np.uint16) if partitions < 1 << 16 else partition, kind="stable")
        self.save(rows[order] if partitions > 1 else rows)
        self.starts.save(np.append(0, np.cumsum(np.bincount(partition, minlength=partitions))))
        return self

    def of(self, partition: int) -> Rows:
        """The rows of one partition."""
        start, stop = self.starts.some(partition - self.first, partition - self.first + 2).tolist()
        return self.some(start, stop)

    def merge(self, parts: Sequence[PartitionedFile], partitions: range) -> PartitionedFile:
        """Write the rows that other files have of some partitions, in the order of the files."""
        bounds = [part.starts.some(partitions.start - part.first, partitions.stop - part.first + 1) for part in parts]
        pieces = [part.some(int(b[0]), int(b[-1])) for part, b in zip(parts, bounds, strict=True)]
        inside = [b - b[0] for b in bounds]
        with whole_file(self.path) as file:
            file.write(self._head(sum(map(len, pieces))))
            for n in range(len(partitions)):
                for piece, at in zip(pieces, inside, strict=True):
                    file.write(piece[at[n] : at[n + 1]].tobytes())
        self.starts.save(np.sum(inside, axis=0))
        return self


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, and the files that hold its rows."""

    number: int
    files: Sequence[PartitionedFile]
    dtype: np.dtype[Any]

    def load(self) -> Rows:
        """All its rows, file by file."""
        return merged([file.of(self.number) for file in self.files], self.dtype)


def gather(parts: Sequence[PartitionedFile], dtype: DTypeLike, partitions: int, executor: Executor) -> list[Partition]:
    """Say for each partition which files hold its rows; where they are very many, merge them first.

    A level of merging leaves a 64th of the files, cut into as many shares of the partitions; what was merged goes.
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
            step = -(-len(some) // MOST_PARTS)
            for share in (some[n : n + step] for n in range(0, len(some), step)):
                groups = [files[n : n + MOST_PARTS] for n in range(0, len(files), MOST_PARTS)]
                paths = [group[0].path.with_suffix(f".{share.start}.npy") for group in groups]
                made = tuple(PartitionedFile(path, kind, share.start) for path in paths)
                jobs += zip(made, groups, repeat(share), strict=False)
                todo.append((share, made))
        list(executor.map(PartitionedFile.merge, *zip(*jobs, strict=True)))
        remove_files([path for _, files in many for file in files for path in (file.path, file.starts.path)])
    return sorted(found, key=lambda one: one.number)


@dataclass(frozen=True, slots=True)
class ShingleFiles:
    """Shingle sets end to end, 64-bit numbers without a header, and where each document's set lies."""

    sets: Path
    places: ArrayFile


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPart:
    """What is made of one part of the order."""

    by_key: PartitionedFile  # KEYED
    by_text: PartitionedFile  # SAME_TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexParts:
    """What is made of one index file."""

    bands: PartitionedFile
    samples: PartitionedFile  # of the shingles, as the sketches hold them
    sketches: ArrayFile  # end to end
    sketch_places: ArrayFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What is made of one partition of bands and samples."""

    pairs: ArrayFile  # the first document's rank << 32 | the later one's
    large_buckets: ArrayFile
    similar: ArrayFile  # pairs of which a good share may be alike, though too little for a copy


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageParts:
    """What is made of one file of passages."""

    passages: PartitionedFile  # those that may go for what another document has
    chars: ArrayFile  # characters of each document that do not go for what its own has


@dataclass(frozen=True, slots=True)
class WorkFiles:
    """Where each file of a deduplication stands in its folder, and what it holds."""

    folder: Path

    def _array(self, name: str, dtype: DTypeLike) -> ArrayFile:
        return ArrayFile(self.folder / f"{name}.npy", np.dtype(dtype))

    def order(self, fact: str) -> ArrayFile:
        """A fact of all documents (see ORDER)."""
        return self._array(f"order-{fact}", ORDER[fact])

    def order_part(self, fact: str, part: int) -> ArrayFile:
        """The same of a part of the order, or, where the facts are by doc_id, of a partition of them."""
        return self._array(f"order-{fact}-{part}", ORDER[fact])

    def facts(self, index: InputFile) -> PartitionedFile:
        """What documents are ordered by, in that order; a partition is a part of the order."""
        return PartitionedFile(self.folder / f"facts-{index.name}.npy", np.dtype(FACTS))

    def ranked(self, part: int) -> RankedPart:
        keys, texts = self.folder / f"ranked-{part}.npy", self.folder / f"texts-{part}.npy"
        return RankedPart(by_key=PartitionedFile(keys, KEYED), by_text=PartitionedFile(texts, SAME_TEXT))

    def same_texts(self, partition: int) -> ArrayFile:
        return self._array(f"same-texts-{partition}", SAME_TEXT)

    @property
    def sites(self) -> ArrayFile:
        """Hashes of all sites, sorted; a document's site is a place among them."""
        return self._array("sites", np.uint64)

    @property
    def left_out(self) -> ArrayFile:
        """The doc_ids of published documents that are replaced or withdrawn, as numbers, sorted."""
        return self._array("left-out", np.uint64)

    @property
    def inner_repeats(self) -> Path:
        """Arrow: what goes, by each document's index row, for repeats inside it (INNER_REPEATS)."""
        return self.folder / "inner-repeats.arrow"

    @property
    def meaningful_repeats(self) -> Path:
        """Arrow: what stays although it repeats inside its document, with its meaning as reason (INNER_REPEATS)."""
        return self.folder / "meaningful-repeats.arrow"

    def documents_in(self, passages: InputFile) -> ArrayFile:
        """Ranks of the documents with passages in a file."""
        return self._array(f"documents-in-{passages.name}", np.uint32)

    def index_parts(self, index: InputFile) -> IndexParts:
        bands, samples = (PartitionedFile(self.folder / f"{n}-{index.name}.npy", KEYED) for n in ("bands", "samples"))
        sketches = self._array(f"sketches-{index.name}", np.uint64)
        places = self._array(f"sketch-places-{index.name}", PLACE)
        return IndexParts(bands=bands, samples=samples, sketches=sketches, sketch_places=places)

    @property
    def sketches(self) -> ArrayFile:
        """The sketches of all documents end to end."""
        return self._array("sketches", np.uint64)

    @property
    def sketch_places(self) -> ArrayFile:
        """By rank."""
        return self._array("sketch-places", PLACE)

    def candidates(self, partition: int) -> Candidates:
        buckets = self._array(f"large-buckets-{partition}", KEYED)
        pairs, similar = (self._array(f"{n}-{partition}", np.uint64) for n in ("pairs", "similar-pairs"))
        return Candidates(pairs=pairs, large_buckets=buckets, similar=similar)

    def prints(self, passages: InputFile) -> PartitionedFile:
        """Which document has which passage."""
        return PartitionedFile(self.folder / f"prints-{passages.name}.npy", KEYED)

    def templates_in(self, partition: int) -> ArrayFile:
        """Passages that many documents have, sorted by key, with the arrival from which they are a template."""
        return self._array(f"templates-{partition}", TEMPLATE)

    @property
    def templates(self) -> ArrayFile:
        """Those of all partitions."""
        return self._array("templates", TEMPLATE)

    def wanted(self, label: str) -> ArrayFile:
        """By rank, whether a document's shingles are wanted."""
        return self._array(f"wanted-{label}", np.bool_)

    def shingles(self, label: str, inputs: Sequence[InputFile]) -> ShingleFiles:
        """Of documents whose passages lie in one file, or, given several, in more than one of them."""
        name = f"{label}-{inputs[0].name if len(inputs) == 1 else 'scattered'}"
        return ShingleFiles(self.folder / f"shingles-{name}.u64", self._array(f"shingle-places-{name}", PLACE))

    def candidate_pairs(self, label: str) -> ArrayFile:
        """All pairs of one kind, each once, as in `Candidates`."""
        return self._array(f"candidate-pairs-{label}", np.uint64)

    @property
    def chars(self) -> ArrayFile:
        """By rank, the characters of each document that do not go for what its own has."""
        return self._array("chars", np.int64)

    def to_verify(self, label: str) -> ArrayFile:
        """Pairs, as in `Candidates`."""
        return self._array(f"to-verify-{label}", np.uint64)

    def verified(self, label: str) -> ArrayFile:
        return self._array(f"verified-{label}", VERIFIED)

    def close(self, label: str) -> ArrayFile:
        """Pairs that are close, with all that a chain of pairs connects."""
        return self._array(f"close-{label}", VERIFIED)

    def chosen(self, label: str) -> ArrayFile:
        """Of those, the pairs of a document that is kept and one that is left out for it."""
        return self._array(f"chosen-{label}", VERIFIED)

    def counted(self, label: str) -> ArrayFile:
        """Pairs of kept documents, and how many shingles they have in common."""
        return self._array(f"counted-{label}", COUNTED)

    def compared(self, label: str) -> ArrayFile:
        """Pairs of kept documents, and how alike they are."""
        return self._array(f"compared-{label}", SIMILAR)

    def evidence(self, label: str) -> ArrayFile:
        """Which passages of listed pairs speak most."""
        return self._array(f"evidence-{label}", EVIDENCE)

    @property
    def copies(self) -> ArrayFile:
        """By rank, whether a document is left out as a copy."""
        return self._array("copies", np.bool_)

    def passage_parts(self, passages: InputFile) -> PassageParts:
        rows = PartitionedFile(self.folder / f"passages-{passages.name}.npy", PASSAGE)
        return PassageParts(passages=rows, chars=self._array(f"chars-{passages.name}", CHARS))

    def repeated_passages(self, partition: int) -> ArrayFile:
        """Passages that several documents have, sorted; the fingerprint tells them apart."""
        return self._array(f"repeated-passages-{partition}", PASSAGE)

    @property
    def repeated_places(self) -> ArrayFile:
        """Where all of those stand: rank << 32 | position, sorted."""
        return self._array("repeated-places", np.uint64)

    def standings(self, inputs: Sequence[InputFile]) -> PartitionedFile:
        """What speaks for those to stay, of documents whose passages lie in one file, or in several, given these."""
        name = inputs[0].name if len(inputs) == 1 else "scattered"
        return PartitionedFile(self.folder / f"standings-{name}.npy", STANDING)

    def removed_passages(self, partition: int) -> ArrayFile:
        """Passages that go for what another document has, or stay for their meaning although it has them."""
        return self._array(f"removed-passages-{partition}", REMOVED)

    @property
    def document_decisions(self) -> Path:
        """Parquet: winnow.base.staging.DOCUMENT_DECISIONS."""
        return self.folder / "document-decisions.parquet"

    @property
    def passage_decisions(self) -> Path:
        """Parquet: winnow.base.staging.PASSAGE_DECISIONS."""
        return self.folder / "passage-decisions.parquet"

    @property
    def similar_documents(self) -> Path:
        """Parquet: winnow.base.staging.SIMILAR_DOCUMENTS."""
        return self.folder / "similar-documents.parquet"


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the name `path` when it is whole."""
    with beside(place_for(path)) as temporary, temporary.open("xb") as file:
        yield file
    sent(path)


def partitions_for(rows: int, bytes_a_row: int, budget: int = 64 << 20) -> int:
    """How many partitions keep one within `budget` bytes (sorting takes about three times that).

    >>> partitions_for(1000, 32), partitions_for(100_000_000, 32)
    (1, 48)
    """
    return max(1, -(-rows * bytes_a_row // budget))
