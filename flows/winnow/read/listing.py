"""What is under an input root, as columns: a listing of a million names holds no object for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, overload

import pyarrow as pa
import pyarrow.compute as pc

from winnow.base.recipe import SourceSettings

SLICE = 8192  # rows that are objects at a time; more are no faster


@dataclass(frozen=True, slots=True)
class Held:
    """The bytes of a file at one time: SHA-256 (hex) of all, and XXH3 (64 bits) of each block, 8 bytes each.

    ``lines`` are the line ends before each block, 8 bytes each; nothing for a file of one block.
    """

    sha256: str
    block_bytes: int
    blocks: bytes
    lines: bytes = b""

    def lines_before(self, block: int) -> int:
        """Line ends before a block."""
        return int.from_bytes(self.lines[8 * block : 8 * block + 8], "little")


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read.

    ``path`` is relative to the input root, with ``/``, and valid Unicode: it becomes the source of documents.
    ``address`` is where to open it: an absolute path (undecodable bytes as surrogates) or a URL. ``bytes`` is its size.
    ``held`` tells what it holds, ``fault`` why it cannot be read, once that was looked at.
    """

    path: str
    address: str
    bytes: int
    held: Held | None = None
    fault: str = ""

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of what it holds; empty for a file that cannot be read."""
        return self.held.sha256 if self.held else ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something under the root that is not read, and why, in a few words.

    ``meant`` is False for what nobody chose to leave out: no reader knows it, or it cannot be entered.
    """

    path: str
    reason: str
    bytes: int = 0
    meant: bool = True


Row = TypeVar("Row")
Self = TypeVar("Self", bound="_Columns[Any]")


class _Columns(Sequence[Row]):
    """Rows as an Arrow table; each is an object only while it is looked at."""

    schema: ClassVar[pa.Schema]

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    @classmethod
    def of(cls: type[Self], rows: Iterable[Any]) -> Self:
        """The rows in their order; they may come from a generator."""
        gathered = Gathered[Any](cls)
        for row in rows:
            gathered.add(row)
        return cls(gathered.table())

    @classmethod
    def batch(cls, rows: Sequence[Row]) -> pa.RecordBatch:
        raise NotImplementedError

    @classmethod
    def rows(cls, batch: pa.RecordBatch) -> Iterator[Row]:
        raise NotImplementedError

    @property
    def paths(self) -> pa.ChunkedArray:
        return self.table["path"]

    def where(self: Self, wanted: Any) -> Self:
        """The rows that a column of booleans names."""
        return type(self)(self.table.filter(wanted))

    def at(self: Self, paths: Iterable[str]) -> Self:
        """The rows of these paths."""
        return self.where(pc.is_in(self.paths, pa.array(sorted(paths), pa.large_string())))

    def by_path(self: Self) -> Self:
        """The rows in the order of their paths; of those with the same path the first alone."""
        table = self.table.unify_dictionaries()
        table = table.take(pc.sort_indices(table["path"]))  # a stable sort
        paths = table["path"].combine_chunks()
        if len(paths) < 2:
            return type(self)(table)
        is_new = pc.not_equal(paths.slice(1), paths.slice(0, len(paths) - 1))
        return type(self)(table.filter(pa.chunked_array([pa.array([True]), is_new])))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __iter__(self) -> Iterator[Row]:
        for batch in self.table.to_batches(max_chunksize=SLICE):
            yield from self.rows(batch)

    @overload
    def __getitem__(self, which: int) -> Row: ...
    @overload
    def __getitem__(self: Self, which: slice) -> Self: ...
    def __getitem__(self, which: int | slice) -> Any:
        if isinstance(which, slice):
            start, stop, _ = which.indices(len(self))
            return type(self)(self.table.slice(start, max(0, stop - start)))
        return next(iter(self[range(len(self))[which] :]))

    def __reduce__(self) -> tuple[Any, ...]:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.schema) as stream:  # pickle would take along what a slice is a part of
            stream.write_table(self.table)
        return _columns_of, (type(self), sink.getvalue().to_pybytes())


def _columns_of(kind: type[Self], stored: bytes) -> Self:
    return kind(pa.ipc.open_stream(stored).read_all())


class Gathered(Generic[Row]):
    """Columns as they grow, row by row."""

    def __init__(self, kind: type[_Columns[Row]]) -> None:
        self._kind = kind
        self._rows: list[Row] = []
        self._batches: list[pa.RecordBatch] = []

    def add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) >= SLICE:
            self._flush()

    def table(self) -> pa.Table:
        self._flush()
        return pa.Table.from_batches(self._batches, self._kind.schema)

    def _flush(self) -> None:
        if self._rows:
            self._batches.append(self._kind.batch(self._rows))
            self._rows.clear()


class InputFiles(_Columns[InputFile]):
    """Input files. Of an address that ends with the path only what stands before it is kept, once for all of them.

    >>> files = InputFiles.of([InputFile("a.txt", "/in/a.txt", 3), InputFile("b c.txt", "file:///in/b%20c.txt", 4)])
    >>> [f.address for f in files], files[-1].bytes, len(files[1:])
    (['/in/a.txt', 'file:///in/b%20c.txt'], 4, 1)
    """

    schema = pa.schema({
        "path": pa.large_string(), "root": pa.dictionary(pa.int32(), pa.large_binary()), "address": pa.large_binary(),
        "bytes": pa.int64(), "sha256": pa.binary(), "block_bytes": pa.int64(), "blocks": pa.binary(),
        "lines": pa.binary(), "fault": pa.string(),
    })  # fmt: skip

    @classmethod
    def batch(cls, rows: Sequence[InputFile]) -> pa.RecordBatch:
        ends = [f.address.endswith(f.path) for f in rows]
        roots = [_bytes(f.address[: -len(f.path)] if short else "") for f, short in zip(rows, ends, strict=True)]
        held = [f.held for f in rows]
        columns: dict[str, Any] = {
            "path": [f.path for f in rows],
            "root": pa.array(roots, pa.large_binary()).dictionary_encode(),
            "address": [None if short else _bytes(f.address) for f, short in zip(rows, ends, strict=True)],
            "bytes": [f.bytes for f in rows],
            "sha256": [h and bytes.fromhex(h.sha256) for h in held],
            "block_bytes": [h and h.block_bytes for h in held],
            "blocks": [h and h.blocks for h in held],
            "lines": [h and h.lines for h in held],
            "fault": [f.fault for f in rows],
        }
        return pa.RecordBatch.from_pydict(columns, schema=cls.schema)

    @classmethod
    def rows(cls, batch: pa.RecordBatch) -> Iterator[InputFile]:
        columns = (batch[name].to_pylist() for name in cls.schema.names)
        for path, root, address, size, sha256, block_bytes, blocks, lines, fault in zip(*columns, strict=True):
            held = None if sha256 is None else Held(sha256.hex(), block_bytes, blocks, lines)
            where = _text(root) + path if address is None else _text(address)
            yield InputFile(path, where, size, held, fault)

    @property
    def total_bytes(self) -> int:
        return pc.sum(self.table["bytes"]).as_py() or 0

    def addresses_among(self, wanted: Iterable[str]) -> set[str]:
        """Those of some addresses at which one of the files stands."""
        asked = set(wanted)
        return {f.address for f in self if f.address in asked} if asked else set()


def _bytes(address: str) -> bytes:
    return address.encode("utf-8", "surrogateescape")


def _text(address: bytes) -> str:
    return address.decode("utf-8", "surrogateescape")


class SkippedFiles(_Columns[Skipped]):
    """What is not read."""

    schema = pa.schema({
        "path": pa.large_string(), "reason": pa.dictionary(pa.int32(), pa.string()), "bytes": pa.int64(),
        "meant": pa.bool_(),
    })  # fmt: skip

    @classmethod
    def batch(cls, rows: Sequence[Skipped]) -> pa.RecordBatch:
        columns: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in cls.schema.names}
        columns["reason"] = pa.array(columns["reason"], pa.string()).dictionary_encode()
        return pa.RecordBatch.from_pydict(columns, schema=cls.schema)

    @classmethod
    def rows(cls, batch: pa.RecordBatch) -> Iterator[Skipped]:
        columns = (batch[name].to_pylist() for name in cls.schema.names)
        return (Skipped(*row) for row in zip(*columns, strict=True))


@dataclass(frozen=True, slots=True)
class Listing:
    """What is under an input root, sorted by path; ``idle`` are entries of ``read.sources`` that no file belongs to."""

    files: InputFiles
    skipped: SkippedFiles
    idle: tuple[SourceSettings, ...] = ()
