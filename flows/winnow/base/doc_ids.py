"""Sets of doc_ids that take 8 bytes each, and the ranges into which work on all documents is cut.

A doc_id is 16 hex digits of a hash: a 64-bit number, and spread evenly over all of them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from numpy.typing import DTypeLike, NDArray

from winnow.base.files import metadata_of, parquet_file, read_ahead

Keys: TypeAlias = NDArray[np.uint64]
Column: TypeAlias = pa.Array | pa.ChunkedArray
Range: TypeAlias = tuple[str, str]
"""doc_ids from the first to before the second."""

_DIGITS = 16
_DOC_ID = re.compile("[0-9a-f]{16}")
_BATCH = 1 << 16  # rows
_LARGE = 8 << 20  # bytes
_VALUES = np.full(256, 255, np.uint8)
_VALUES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16, dtype=np.uint8)


class Joined:
    """Arrays that come one after another, as one; each is let go when it is copied.

    Given a `folder`, what is large is a file without a name there that is mapped into memory, of which the system may
    take the pages back. Else it moves a large array that grows, so that this takes an eighth more than what it holds,
    not twice as much.
    """

    __slots__ = ("_filled", "_folder", "_values")

    def __init__(self, kind: DTypeLike, folder: Path | None = None) -> None:
        self._values = np.empty(0, kind)
        self._filled = 0
        self._folder = folder

    @classmethod
    def of(cls, kind: DTypeLike, pieces: Iterable[NDArray[Any]]) -> NDArray[Any]:
        joined = cls(kind)
        for piece in pieces:
            joined.add(piece)
        return joined.whole()

    def add(self, piece: NDArray[Any]) -> None:
        size = self._filled + len(piece)
        if size > len(self._values):
            self._grow(max(size, len(self._values) * 9 // 8))
        self._values[self._filled : size] = piece
        self._filled = size

    def _grow(self, size: int) -> None:
        if self._folder is None or size * self._values.itemsize < _LARGE:
            self._values.resize(size, refcheck=False)
        else:
            held, self._values = self._values, mapped(self._values.dtype, max(size, 2 * self._filled), self._folder)
            self._values[: self._filled] = held[: self._filled]

    def whole(self) -> NDArray[Any]:
        """All of them; no more can come."""
        if self._values.flags.owndata:
            self._values.resize(self._filled, refcheck=False)
        return self._values[: self._filled]


def mapped(kind: DTypeLike, size: int, folder: Path) -> NDArray[Any]:
    """An array of zeros that is a file without a name in a folder; the file goes with the array."""
    if not size:  # there is no mapping of nothing
        return np.zeros(0, kind)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder) as file:
        return np.asarray(np.memmap(file, kind, "w+", shape=(size,)))


class DocIds(Set[str]):
    """An immutable set of doc_ids: sorted numbers, and strings where it is iterated over."""

    __slots__ = ("keys",)

    def __init__(self, keys: Keys) -> None:
        """`keys` are sorted, and all different."""
        self.keys = keys

    @classmethod
    def of(cls, doc_ids: Iterable[str] | Column) -> DocIds:
        """The set of these doc_ids. Raises ValueError for one that is not 16 hex digits."""
        column = doc_ids if isinstance(doc_ids, Column) else pa.array(doc_ids, pa.string())
        return cls.of_keys(doc_keys(column))

    @classmethod
    def of_keys(cls, keys: Keys) -> DocIds:
        """The set of these numbers, which are sorted in place."""
        keys.sort()
        fresh = keys[1:] != keys[:-1]
        return cls(keys if fresh.all() else keys[np.append(True, fresh)])

    @classmethod
    def of_ranges(cls, sets: Iterable[DocIds]) -> DocIds:
        """All of several sets, each of a range that follows the one before."""
        return cls(Joined.of(np.uint64, (one.keys for one in sets)))

    @classmethod
    def of_batches(cls, batches: Iterable[Keys]) -> tuple[DocIds, int]:
        """The set of all keys in these arrays, and how many there are, repeated ones too."""
        keys = Joined.of(np.uint64, batches)
        return cls.of_keys(keys), len(keys)

    @classmethod
    def of_files(cls, files: Sequence[Path], among: DocIds | None = None) -> DocIds:
        """Those that stand in Parquet files; of them those `among` others, if any are given."""
        if among is None:
            return cls.of_batches(_batches(files))[0]

        def found_in(path: Path) -> Keys:
            return Joined.of(np.uint64, (keys[among.have(keys)] for keys in _batches([path])))

        return cls.of_batches(read_ahead(found_in, files if among else ()))[0]

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[str]:
        for at in range(0, len(self.keys), _BATCH):
            yield from as_doc_ids(self.keys[at : at + _BATCH]).to_pylist()

    def __contains__(self, doc_id: object) -> bool:
        return isinstance(doc_id, str) and bool(self.have(doc_keys(pa.array([doc_id])))[0])

    def __repr__(self) -> str:
        return f"DocIds({len(self)})"

    def __hash__(self) -> int:
        return hash(self.keys.tobytes())

    def __or__(self, other: Set[str]) -> DocIds:  # type: ignore[override]  # holds doc_ids alone
        more = as_set(other)
        if not len(self) or not len(more):
            return self if len(self) else more
        return DocIds.of_keys(np.concatenate((self.keys, more.keys)))

    def __and__(self, other: Set[str]) -> DocIds:
        return DocIds(self.keys[as_set(other).have(self.keys)])

    def __sub__(self, other: Set[str]) -> DocIds:
        less = as_set(other)
        return DocIds(self.keys[~less.have(self.keys)]) if len(less) and len(self) else self

    def have(self, keys: Keys) -> NDArray[np.bool_]:
        """Which of the keys are in the set."""
        found: NDArray[np.bool_] = np.zeros(len(keys), np.bool_)
        for start in range(0, len(keys) if len(self.keys) else 0, _BATCH):  # a search takes 24 bytes a key
            some = keys[start : start + _BATCH]
            at = np.minimum(np.searchsorted(self.keys, some), len(self.keys) - 1)
            found[start : start + _BATCH] = self.keys[at] == some
        return found

    def mask(self, column: Column) -> pa.BooleanArray:
        """Which doc_ids of a column are in the set; a null is not."""
        if not column.null_count:
            return pa.array(self.have(doc_keys(column)))
        return pc.and_(pa.array(self.have(doc_keys(column.fill_null("0" * _DIGITS)))), column.is_valid())

    def within(self, span: Range) -> DocIds:
        """Those of a range."""
        low, high = np.searchsorted(self.keys, [_bound(span[0]), _bound(span[1])]) if len(self) else (0, 0)
        return DocIds(self.keys[low : len(self.keys) if span[1] == _END else high])

    def column(self) -> pa.StringArray:
        """All of them, in order; 20 bytes each."""
        return as_doc_ids(self.keys)

    def tables(self, schema: pa.Schema) -> Iterator[pa.Table]:
        """All of them, in order, as pieces of a table with one column."""
        for at in range(0, len(self.keys), _BATCH):
            yield pa.table([as_doc_ids(self.keys[at : at + _BATCH])], schema=schema)


NO_DOCUMENTS = DocIds(np.empty(0, np.uint64))

_END = "g"  # sorts after all hex digits
EVERYTHING: Range = ("", _END)


def as_set(doc_ids: Set[str]) -> DocIds:
    """The same set, 8 bytes each."""
    return doc_ids if isinstance(doc_ids, DocIds) else DocIds.of(doc_ids)


def _bound(text: str) -> np.uint64:
    return np.uint64(int(text or "0", 16)) if text != _END else np.uint64(0)


def _batches(files: Sequence[Path]) -> Iterator[Keys]:
    for path in files:
        with parquet_file(path, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=_BATCH, columns=["doc_id"]):
                yield doc_keys(batch.column("doc_id"))


def doc_keys(doc_ids: Column) -> Keys:
    """doc_ids as numbers, which is what their 16 hex digits are. Raises ValueError for any that are not.

    >>> doc_keys(pa.array(["00000000000000ff"])).tolist()
    [255]
    """
    pieces = doc_ids.chunks if isinstance(doc_ids, pa.ChunkedArray) else [doc_ids]
    keys = [_keys(piece.cast(pa.large_string())) for piece in pieces]
    return keys[0] if len(keys) == 1 else np.concatenate([np.empty(0, np.uint64), *keys])


def _keys(texts: pa.LargeStringArray) -> Keys:
    _, offsets, data = texts.buffers()
    if not len(texts):
        return np.empty(0, np.uint64)
    bounds = np.frombuffer(offsets, np.int64, len(texts) + 1, 8 * texts.offset)
    digits = _VALUES[np.frombuffer(data or b"", np.uint8)[bounds[0] : bounds[-1]]]
    if (np.diff(bounds) != _DIGITS).any() or texts.null_count or (digits == 255).any():
        wrong = next(
            t for t in texts.to_pylist() if not (t and len(t) == _DIGITS and set(t) <= set("0123456789abcdef"))
        )
        raise ValueError(f"{wrong!r} is no doc_id: 16 hex digits")
    pairs = digits.reshape(-1, _DIGITS)
    numbers: Keys = np.ascontiguousarray(pairs[:, ::2] << 4 | pairs[:, 1::2]).view(">u8").reshape(-1).astype(np.uint64)
    return numbers


def as_doc_ids(keys: Keys) -> pa.StringArray:
    """Numbers as doc_ids.

    >>> as_doc_ids(np.array([255], np.uint64)).to_pylist()
    ['00000000000000ff']
    """
    text = keys.astype(">u8").tobytes().hex().encode()
    offsets = np.arange(len(keys) + 1, dtype=np.int32) * _DIGITS
    return pa.StringArray.from_buffers(len(keys), pa.py_buffer(offsets), pa.py_buffer(text))


def doc_id_ranges(count: int) -> list[Range]:
    """The space of doc_ids cut into equal ranges; hashes fill them evenly.

    >>> doc_id_ranges(1), doc_id_ranges(2)[0]
    ([('', 'g')], ('', '8000000000000000'))
    """
    inner = (f"{(i << 64) // count:016x}" for i in range(1, count))
    return list(pairwise(["", *inner, _END]))


def ranges_of(files: Iterable[Path], rows: int) -> list[Range]:
    """Ranges of doc_ids in which the Parquet files together have about so many rows each."""
    return doc_id_ranges(max(1, -(-sum(meta.num_rows for meta in metadata_of(files)) // rows)))


def files_by_range(files: Sequence[Path], ranges: Sequence[Range]) -> list[tuple[Path, ...]]:
    """For each of the ranges, which follow one another, the Parquet files that may hold rows of it.

    It is one at least, for its columns, where there are any.
    """
    if len(ranges) == 1:
        return [tuple(files)]
    starts = [low for low, _ in ranges]
    found: list[list[Path]] = [[] for _ in ranges]
    for path, meta in zip(files, metadata_of(files), strict=True):
        for least, most in bounds_in(meta):
            for n in range(max(bisect_right(starts, least) - 1, 0), bisect_right(starts, most)):
                if path not in found[n][-1:]:
                    found[n].append(path)
    return [tuple(some or files[:1]) for some in found]


def bounds_in(meta: pq.FileMetaData) -> Iterator[tuple[str, str]]:
    """The least and the greatest doc_id of each row group of a file."""
    at = next(n for n in range(meta.num_columns) if meta.schema.column(n).path == "doc_id")
    for n in range(meta.num_row_groups):
        known = meta.row_group(n).column(at).statistics
        yield (known.min, known.max) if known is not None and known.has_min_max else EVERYTHING


def in_range(span: Range) -> pads.Expression:
    """Rows of documents in a range of doc_ids."""
    return (pads.field("doc_id") >= span[0]) & (pads.field("doc_id") < span[1])


def unpacked_bytes(meta: pq.FileMetaData) -> int:
    """Bytes that the rows of a Parquet file take unpacked, as its row groups say."""
    return sum(meta.row_group(n).total_byte_size for n in range(meta.num_row_groups))
