"""The door to a dataset's files: where a folder stands for an address on the store, they come from there and go there.

Without a mount a file is where its path says. With one, a path under the mount's root names an object as well: what
this process does not have is fetched when it is wanted, and what it writes for other processes is sent when it is
whole. Paths of jobs are those of the process that plans: a worker keeps its own files in a folder of its own, whatever
the path says.

| to | call |
| --- | --- |
| read a file whole | `at_hand(path)`, a path on this machine; several: `bring` |
| read some of its rows, or of its bytes | `parquet_file`, `arrow_dataset`, `scan_parquet`; `opened`, `bytes_of` |
| write it | write to `place_for(path)` under another name, rename, then `sent(path)`; a table's: `NewFile` |
| ask for it, remove it | `is_there`, `store_tag`, `files_in`, `remove_files`, `remove_folder` |
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from pyarrow.fs import LocalFileSystem

from winnow.base.disk import beside
from winnow.base.mounted import Mount, Mounted
from winnow.base.object_reader import ObjectReader
from winnow.base.object_store import Entry, Gone, ObjectWriter
from winnow.base.pointers import Pointer, is_pointer, lay_pointer, read_pointer

if TYPE_CHECKING:
    import polars as pl

Item = TypeVar("Item")
Made = TypeVar("Made")
READ_AHEAD = 16
"""Pieces of files in the store that are fetched at once, and held."""

_BUFFER = 64 << 10  # bytes that are fetched at least of an object that is read bit by bit
_PARALLEL = 8  # transfers at once

_MOUNTED: dict[Path, Mounted] = {}


def mount(mount: Mount, folder: Path | None = None, bound_bytes: int | None = None) -> None:
    """Lets this process find files of a mount; again, it changes nothing.

    `folder` holds them here: the root itself where it is None, and nothing is ever removed there but by name. A cache
    of before goes.
    """
    known = _MOUNTED.get(mount.root)
    if known and known.folder == mount.root == (folder or mount.root) and known.mount.address == mount.address:
        known.mount = mount  # what may be kept in the root stays the same
    elif known is None or known.mount != mount or (folder and known.folder != folder):
        if known and known.folder != known.mount.root:
            shutil.rmtree(known.folder, ignore_errors=True)
        _MOUNTED[mount.root] = Mounted(mount, folder or mount.root, bound_bytes)


def mounted_at(root: Path) -> Mounted:
    """Returns what this process has of the mount with that root."""
    return _MOUNTED[root]


def mounts() -> list[Mount]:
    """Returns the mounts of this process whose files stand where the paths say, for processes on this machine."""
    return [m.mount for m in _MOUNTED.values() if m.folder == m.mount.root]


@contextmanager
def job(mount: Mount) -> Iterator[None]:
    """A job over files of a mount: those that it asks for stay in this process's folder until it is done."""
    with mounted_at(mount.root).job():
        yield


def _of(path: Path) -> tuple[Mounted, str] | None:
    """The mount over a path, and the name of its object."""
    for root, mounted in _MOUNTED.items():
        if path.is_relative_to(root):
            return mounted, mounted.mount.name_of(path)
    return None


def _exchange_of(path: Path) -> tuple[Mounted, str] | None:
    """The same for what is exchanged."""
    found = _of(path)
    return found if found and found[0].mount.is_exchanged(path) else None


def at_hand(path: Path) -> Path:
    """Returns a file on this machine with the content of `path`; `path` itself where it is nowhere."""
    if not (found := _of(path)):
        return path
    try:
        return found[0].fetch(found[1])
    except Gone:
        return path


def is_mounted(path: Path) -> bool:
    """Whether a path stands for an object, so that a file may have to be fetched."""
    return _of(path) is not None


def bring(paths: Iterable[Path]) -> None:
    """Fetches files that are wanted whole under their own paths, several at once."""
    in_parallel(at_hand, [path for path in paths if is_pointer(path)])


def in_parallel(call: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    """Returns what `call` gives for each item; several run at once, for they wait for the network, not for a core."""
    if not items:
        return []
    with ThreadPoolExecutor(_PARALLEL) as pool:
        return list(pool.map(call, items))


def read_ahead(read: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """Yields what is read of each item, in order; where files are in the store, the next ones are read meanwhile.

    Few are held. What they fetch stays as long as what the job of this thread does.
    """
    if not any(mounted.mount.exchanges for mounted in _MOUNTED.values()):
        yield from map(read, items)
        return
    coming: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(READ_AHEAD, initializer=_take_part, initargs=(threading.get_ident(),)) as threads:
        for item in items:
            coming.append(threads.submit(read, item))
            if len(coming) == READ_AHEAD:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def done_with(path: Path) -> None:
    """Says that the job of this thread wants no more of a file that it asked for, so that room can be made of it."""
    if found := _of(path):
        found[0].done_with(found[1])


def _take_part(thread: int) -> None:
    for mounted in _MOUNTED.values():
        mounted.take_part(thread)


def place_for(path: Path) -> Path:
    """Returns where this process writes a file."""
    if not (found := _of(path)):
        return path
    place = found[0].place(found[1])
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def sent(path: Path) -> None:
    """Sends what stands at `place_for(path)` to the store, where other processes wait for it."""
    if found := _exchange_of(path):
        found[0].send(found[1])


def known_sha256(path: Path) -> str | None:
    """Returns the SHA-256 (hex) of a file that only the store has; None for any other."""
    if not (found := _of(path)) or not (pointer := read_pointer(path)):
        return None
    return pointer.sha256 or found[0].store.sha256(found[0].object_of(found[1]))


def is_exchanged(path: Path) -> bool:
    """Whether other processes have a file only by way of the store."""
    return _exchange_of(path) is not None


def is_there(path: Path) -> bool:
    """Whether there is such a file, here or, where it is exchanged, in the store."""
    try:
        return store_tag(path) is not None or path.is_file()
    except FileNotFoundError:
        return False


def store_tag(path: Path) -> str | None:
    """Returns what changes with the content of a file that is exchanged; None for any other.

    Raises FileNotFoundError.
    """
    if not (found := _exchange_of(path)):
        return None
    try:
        entry = found[0].store.entry(found[1])
    except Gone as error:
        raise FileNotFoundError(str(path)) from error
    return f"{entry.size} {entry.tag}"


def remove_files(paths: Sequence[Path]) -> None:
    """Removes files of one folder, here and where they were sent."""
    found = _exchange_of(paths[0]) if paths else None
    for path in paths:
        if found:
            found[0].forget(found[0].mount.name_of(path))
        else:
            path.unlink(missing_ok=True)
    if found:
        found[0].store.remove([found[0].mount.name_of(path) for path in paths])


def files_in(folder: Path) -> list[Path]:
    """Returns the files of a folder in staging, and of its folders, sorted."""
    if found := _exchange_of(folder):
        return sorted(found[0].mount.root / name for name in found[0].store.entries(found[1]))
    return sorted(path for path in folder.rglob("*") if path.is_file())


def remove_folder(folder: Path) -> None:
    """Removes a folder here, and what of it was sent."""
    if found := _exchange_of(folder):
        mounted, name = found
        names = [n for n in mounted.store.entries(name) if mounted.mount.is_exchanged(mounted.mount.root / n)]
        for gone in names:
            mounted.forget(gone)
        mounted.store.remove(names)
        folder = mounted.place(name)
    shutil.rmtree(folder, ignore_errors=True)


def near(path: Path) -> Path | None:
    """Returns a file on this machine with the content of `path`, None where that is a large one that is not here yet.

    For those who want some of it; see `opened`.
    """
    source = _source(path)
    return source if isinstance(source, Path) else None


def copy_whole(source: str | Path, target: str | Path) -> None:
    """Copies a file, here or in the store. Raises DatasetDamaged where the store has other bytes."""
    path = Path(source)
    if (found := _of(path)) and (pointer := read_pointer(path)):
        found[0].fetch_to(found[1], Path(target), pointer.sha256)
    else:
        shutil.copyfile(path, target)


def opened(path: Path) -> io.BufferedReader:
    """Opens a file of which some bytes are wanted; close it."""
    source = _source(path)
    return source.open("rb") if isinstance(source, Path) else io.BufferedReader(source, _BUFFER)


def bytes_of(path: Path, start: int, stop: int) -> bytes:
    """Returns some bytes of a file; of one that is not here these alone are fetched, in one request."""
    found = _of(path)
    if found and not found[0].is_here(found[1]):
        return found[0].store.read_range(found[0].object_of(found[1]), start, stop)
    with (found[0].place(found[1]) if found else path).open("rb") as file:
        file.seek(start)
        return file.read(stop - start)


def parquet_file(path: Path, **how: Any) -> pq.ParquetFile:
    """Opens a Parquet file of which some rows or columns are wanted.

    Of one on this machine no more than a row group is held at a time: Arrow would fetch all wanted columns whole.
    """
    source = _source(path)
    return pq.ParquetFile(source, **{"pre_buffer": not isinstance(source, Path), **how})


def metadata_of(files: Iterable[Path]) -> Iterator[pq.FileMetaData]:
    """Yields what the ends of Parquet files say of their rows."""
    return read_ahead(_metadata, files)


def _metadata(path: Path) -> pq.FileMetaData:
    with parquet_file(path) as file:
        return file.metadata


def parquet_piece(piece: io.RawIOBase, metadata: pq.FileMetaData) -> pq.ParquetFile:
    """Opens a piece of a Parquet file, which is read as if it were all of it, given what the file's end says."""
    return pq.ParquetFile(pa.PythonFile(piece, "r"), metadata=metadata, pre_buffer=False)


def arrow_dataset(files: Sequence[Path], schema: pa.Schema | None = None) -> pads.Dataset:
    """Returns Parquet files as one dataset, of which some rows or columns are wanted."""
    sources = [_source(path) for path in files]
    if all(isinstance(source, Path) for source in sources):
        # By default all wanted columns of a file are held to its last row group, which suits a distant store.
        kind = pads.ParquetFileFormat(pre_buffer=False)
        return pads.dataset([str(source) for source in sources], schema=schema, format=kind)
    kind = pads.ParquetFileFormat()
    fragments = [
        kind.make_fragment(str(source), LocalFileSystem())
        if isinstance(source, Path)
        else kind.make_fragment(pa.PythonFile(source, "r"))
        for source in sources
    ]
    return pads.FileSystemDataset(fragments, schema or fragments[0].physical_schema, kind)


def scan_parquet(files: Sequence[Path], **how: Any) -> pl.LazyFrame:
    """Returns Parquet files as one frame of polars, of which some rows or columns are wanted."""
    import polars as pl

    frames = []
    for mounted, paths in _by_mount(files):
        if mounted is None:
            frames.append(pl.scan_parquet(paths, glob=False, **how))
        else:
            frames.append(pl.scan_parquet(paths, glob=False, storage_options=mounted.store.polars_options(), **how))
    return frames[0] if len(frames) == 1 else pl.concat(frames)


def scan_folder(folder: Path, **how: Any) -> pl.LazyFrame:
    """Returns the Parquet files that stand in a folder, in the order of their names, as `scan_parquet` does."""
    return scan_parquet(sorted(folder.glob("*.parquet")), **how)


def _by_mount(files: Sequence[Path]) -> Iterator[tuple[Mounted | None, list[str]]]:
    """Groups neighbours that are read in one way: from this machine (None), or from the store by their addresses."""
    group: tuple[Mounted | None, list[str]] | None = None
    for path in files:
        found, place = _of(path), near(path)
        mounted = found[0] if found and place is None else None
        if group is None or group[0] is not mounted:
            if group:
                yield group
            group = (mounted, [])
        group[1].append(
            f"{mounted.mount.address.shown}/{mounted.object_of(found[1])}" if found and mounted else str(place)
        )
    if group:
        yield group


def _source(path: Path) -> Path | ObjectReader:
    """The file on this machine, or a reader of its object where that is large and not here."""
    if not (found := _of(path)):
        return path
    mounted, name = found
    if not mounted.is_here(name):
        try:
            there = mounted.object_of(name)
            size, end = mounted.size_and_end(there)
            if mounted.may_keep(there, size):
                return mounted.fetch(name, room=size)
        except Gone:
            return path
        return ObjectReader(mounted, there, name, size, end)
    return at_hand(path)


class NewFile:
    """A new binary file, hashed as it is written; as much of a file as pyarrow asks for.

    A writer's file of a table goes to the store meanwhile, where nothing names it yet. It is kept here too as long as
    there is room; else a pointer takes its place.
    """

    def __init__(self, path: Path) -> None:
        self._hash = hashlib.sha256()
        self._file = place_for(path).open("xb")  # takes the name, also where it keeps nothing
        found = _of(path)
        self._sent = found if found and found[0].sends(found[1]) else None
        self._object = ObjectWriter(self._sent[0].store, self._sent[1]) if self._sent else None
        self._is_kept = True
        self.size = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        if self._object:
            self._object.write(data)
        self._is_kept = self._is_kept and self._has_room(len(data))
        if self._is_kept:
            self._file.write(data)
        self.size += len(data)
        return len(data)

    def _has_room(self, size: int) -> bool:
        if not self._sent or self._sent[0].take_room(size):
            return True
        self._sent[0].give_room(self.size)
        self._file.truncate(0)
        return False

    def finish(self) -> str:
        """Closes the file when its bytes are on disk, or in the store; returns their SHA-256 (hex)."""
        sha256 = self._hash.hexdigest()
        if self._is_kept:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()
        if self._sent and self._object:
            mounted, name = self._sent
            mounted.note_sent(name, self._object.close())
            if not self._is_kept:
                _leave_pointer(mounted, name, self.size, sha256)
        return sha256

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self.closed = True

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


def _leave_pointer(mounted: Mounted, name: str, size: int, sha256: str) -> None:
    """Lets a pointer stand for a file that was sent; one that is smaller than a pointer is fetched."""
    path = mounted.place(name)
    if not lay_pointer(path, size, Pointer(name=name, sha256=sha256)):
        with beside(path) as temporary:
            mounted.fetch_to(name, temporary, sha256)


def in_shares(sizes: Mapping[Path, int], least: int) -> Iterator[list[Path]]:
    """Files in order, as many together as have at least that size by what is said of each; the last ones as they are.

    >>> sizes = {Path("a"): 3, Path("b"): 1, Path("c"): 5, Path("d"): 1}
    >>> [[path.name for path in some] for some in in_shares(sizes, 4)]
    [['a', 'b'], ['c'], ['d']]
    """
    held: list[Path] = []
    size = 0
    for path, its_size in sizes.items():
        held.append(path)
        size += its_size
        if size >= least:
            yield held
            held, size = [], 0
    if held:
        yield held


def make_way(path: Path) -> None:
    """Removes what a worker that died left of a file of a table that it wrote."""
    place_for(path).unlink(missing_ok=True)


def hand_over(path: Path) -> Entry | None:
    """Returns how the store has a file of a table that this worker wrote; None where the writer sees it itself."""
    if not (found := _of(path)):
        return None
    mounted, name = found
    entry = mounted.sent.pop(name, None)
    if entry:
        mounted.forget(name)
    return entry


def take_over(path: Path, size: int, sha256: str, entry: Entry | None) -> None:
    """Lets the writer have a file of a table that a worker wrote, and handed over."""
    if entry and (found := _of(path)):
        mounted, name = found
        mounted.note_sent(name, entry)
        path.parent.mkdir(parents=True, exist_ok=True)
        _leave_pointer(mounted, name, size, sha256)
