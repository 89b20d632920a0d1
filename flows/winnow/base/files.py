"""The door to a dataset's files: where a folder stands for an address on the store, they come from there and go there.

Without a mount a file is where its path says. With one, a path under the mount's root names an object as well: what
this process does not have is fetched when it is wanted, and what it writes for other processes is sent when it is
whole. Paths of jobs are those of the process that plans: a worker keeps its own files in a folder of its own, whatever
the path says.

| to | call |
| --- | --- |
| read a file whole | `at_hand(path)`, a path on this machine |
| read some of its rows, or of its bytes | `parquet_file`, `arrow_dataset`, `scan_parquet`; `opened`, `bytes_of` |
| write it | write to `place_for(path)` under another name, rename, then `sent(path)` |
| ask for it, remove it | `is_there`, `store_tag`, `files_in`, `remove_files`, `remove_folder` |
"""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from pyarrow.fs import LocalFileSystem

from winnow.base.disk import beside, hash_of, link_or_copy
from winnow.base.errors import DatasetDamaged
from winnow.base.object_store import Address, Entry, Gone, Store
from winnow.base.pointers import Pointer, is_pointer, read_pointer

if TYPE_CHECKING:
    import polars as pl

STAGING = ".staging"
EXCHANGED = "shards", "work-"
"""Folders in staging whose files one process writes and another reads, by how their names begin."""

_SMALL = 4 << 20  # bytes; of a larger file only the rows that are asked for are fetched
_END, _ENDS = 64 << 10, 512  # bytes that pyarrow reads of a file first, and of how many objects they are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A folder, and the address that it stands for. It travels with jobs, and holds no credentials.

    ``exchanges``: what is written for other processes goes through the store; without it, objects are only read.
    ``session``: a cache of one holds nothing for another, in which objects of the same names may be others.
    """

    root: Path
    address: Address
    exchanges: bool = False
    session: str = ""

    def name_of(self, path: Path) -> str:
        """Returns the name of a file's object."""
        return path.relative_to(self.root).as_posix()

    def is_exchanged(self, path: Path) -> bool:
        """Whether other processes wait for what is written there, in a folder of staging; or, of all staging, in it."""
        parts = path.relative_to(self.root).parts
        return self.exchanges and parts[:1] == (STAGING,) and (not parts[1:] or parts[1].startswith(EXCHANGED))


class _Mounted:
    """A mount in this process: the folder that holds its files here, and what of them may be removed again.

    With a `bound` (bytes) the folder is a cache: everything in it is in the store too, and what was not used for the
    longest time goes first. A file that a running job has asked for stays until the job is done.
    """

    def __init__(self, mount: Mount, folder: Path, bound: int | None) -> None:
        self.mount, self.folder, self._bound = mount, folder, bound
        self._lock = threading.RLock()
        self._used: dict[str, int] = {}  # bytes by name, what was used last stands last
        self._jobs: dict[int, set[str]] = {}  # by thread, the files that its job has asked for
        self._stored: dict[str, Entry] = {}  # objects that were seen; what a pointer names never changes
        self._ends: dict[str, bytes] = {}  # of objects, as each opening reads its file's end
        self.room = 0  # bytes that may still be kept where nothing is removed
        self.whole = False  # whether large files are kept too

    @cached_property
    def store(self) -> Store:
        return Store(self.mount.address)

    def place(self, name: str) -> Path:
        return self.folder / name

    def is_here(self, name: str) -> bool:
        path = self.place(name)
        return path.is_file() and not is_pointer(path)

    def object_of(self, name: str) -> str:
        """Returns the object that has a file's bytes: the one that its pointer names, or that of its own name."""
        pointer = read_pointer(self.place(name))
        if pointer is None or pointer.name == name:
            return name
        try:
            self.entry(pointer.name)
            return pointer.name
        except Gone:
            return name

    def entry(self, name: str) -> Entry:
        """Returns size and tag of an object. Raises Gone."""
        known = self._stored.get(name)
        if known is None:
            known = self.store.entry(name)
            if not name.startswith(STAGING):
                self._stored[name] = known
        return known

    def look_again(self, room: int, whole: bool) -> None:
        """Lets go what was known of the store; `room` is what may be kept here from now on."""
        self._stored.clear()
        self._ends.clear()
        self.room, self.whole = room, whole

    def read_range(self, name: str, start: int, end: int, size: int) -> bytes:
        """Returns bytes of an object; the ends of the last files of tables and views are kept in memory."""
        low = max(0, size - _END)
        if start < low or name.startswith(STAGING):
            return self.store.read_range(name, start, end)
        if (known := self._ends.get(name)) is None:
            if len(self._ends) >= _ENDS:
                self._ends.clear()
            known = self._ends[name] = self.store.read_range(name, low, size)
        return known[start - low : end - low]

    def fetch(self, name: str) -> Path:
        """Returns the file, from the store where it is not here. Raises Gone, or DatasetDamaged for other bytes."""
        path = self.place(name)
        self._use(name)
        if not self.is_here(name):
            pointer = read_pointer(path)
            with beside(path) as temporary:  # another thread may do the same
                if pointer and self.is_twin(name, pointer):
                    link_or_copy(self.fetch(pointer.name), temporary)
                    size = temporary.stat().st_size
                else:
                    size = self.fetch_to(name, temporary, pointer.sha256 if pointer else None)
                    self.room -= size
            self._use(name, size)
        return path

    def is_twin(self, name: str, pointer: Pointer) -> bool:
        """Whether the file that a pointer names is a file here too: both are had by one."""
        return pointer.name != name and self.place(pointer.name).is_file() and self.object_of(name) == pointer.name

    def fetch_to(self, name: str, target: Path, sha256: str | None) -> int:
        """Writes a file's bytes to `target`; returns their number. Raises Gone, or DatasetDamaged for other bytes."""
        size = self.store.fetch(self.object_of(name), target, self._make_room).size
        if sha256 not in (None, hash_of(target)):
            shown = self.mount.address.shown
            raise DatasetDamaged(f"{shown}/{name}: was changed in the store; winnow verify --mend --into {shown}")
        return size

    def send(self, name: str) -> Entry:
        path = self.place(name)
        entry = self.store.put(name, path)
        with self._lock:
            self._used[name] = entry.size
        self._make_room(0)
        return entry

    def may_keep(self, size: int) -> bool:
        """Whether a file of which some is wanted is better fetched whole: what a job is at leaves room for others."""
        if self._bound is None:
            return size <= self.room and (self.whole or size <= _SMALL)
        if size > _SMALL:
            return False
        with self._lock:
            wanted = self._jobs.get(threading.get_ident(), set())
            return sum(self._used.get(name, 0) for name in wanted) + size <= self._bound // 4

    def forget(self, name: str) -> None:
        with self._lock:
            self._used.pop(name, None)
            self.place(name).unlink(missing_ok=True)

    @contextmanager
    def job(self) -> Iterator[None]:
        thread = threading.get_ident()
        self._jobs[thread] = set()
        try:
            yield
        finally:
            del self._jobs[thread]
            self._make_room(0)

    def _use(self, name: str, size: int | None = None) -> None:
        if self._bound is None:
            return
        with self._lock:
            known = self._used.pop(name, size)
            if known is not None:
                self._used[name] = known if size is None else size
            self._jobs.get(threading.get_ident(), set()).add(name)

    def _make_room(self, size: int) -> None:
        if self._bound is None:
            return
        with self._lock:
            taken = sum(self._used.values()) + size
            wanted: set[str] = set().union(*self._jobs.values())
            for name in [n for n in self._used if n not in wanted]:
                if taken <= self._bound:
                    return
                taken -= self._used[name]
                self.forget(name)


_MOUNTED: dict[Path, _Mounted] = {}


def mount(mount: Mount, folder: Path | None = None, bound_bytes: int | None = None) -> None:
    """Lets this process find files of a mount; again, it changes nothing.

    `folder` holds them here: the root itself where it is None, and nothing is ever removed there but by name. A cache
    of before goes.
    """
    known = _MOUNTED.get(mount.root)
    if known is None or known.mount != mount or (folder and known.folder != folder):
        if known and known.folder != known.mount.root:
            shutil.rmtree(known.folder, ignore_errors=True)
        _MOUNTED[mount.root] = _Mounted(mount, folder or mount.root, bound_bytes)


def mounts() -> list[Mount]:
    """Returns the mounts of this process whose files stand where the paths say, for processes on this machine."""
    return [m.mount for m in _MOUNTED.values() if m.folder == m.mount.root]


@contextmanager
def job(mount: Mount) -> Iterator[None]:
    """A job over files of a mount: those that it asks for stay in this process's folder until it is done."""
    with _MOUNTED[mount.root].job():
        yield


def _of(path: Path) -> tuple[_Mounted, str] | None:
    """The mount over a path, and the name of its object."""
    for root, mounted in _MOUNTED.items():
        if path.is_relative_to(root):
            return mounted, mounted.mount.name_of(path)
    return None


def _exchange_of(path: Path) -> tuple[_Mounted, str] | None:
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


def keep_room(mount: Mount, room: int, whole: bool = False) -> None:
    """Says how many bytes of files may still be kept in the root of a mount; what was known of its objects is let go.

    Small files are kept as they are read; with `whole` large ones too, for who reads them again and again.
    """
    _MOUNTED[mount.root].look_again(room, whole)


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
    return source.open("rb") if isinstance(source, Path) else io.BufferedReader(source, _SMALL >> 6)


def bytes_of(path: Path, start: int, stop: int) -> bytes:
    """Returns some bytes of a file; of one that is not here these alone are fetched, in one request."""
    found = _of(path)
    if found and not found[0].is_here(found[1]):
        return found[0].store.read_range(found[0].object_of(found[1]), start, stop)
    with (found[0].place(found[1]) if found else path).open("rb") as file:
        file.seek(start)
        return file.read(stop - start)


def parquet_file(path: Path, **how: Any) -> pq.ParquetFile:
    """Opens a Parquet file of which some rows or columns are wanted."""
    return pq.ParquetFile(_source(path), **how)


def arrow_dataset(files: Sequence[Path], schema: pa.Schema | None = None) -> pads.Dataset:
    """Returns Parquet files as one dataset, of which some rows or columns are wanted."""
    sources = [_source(path) for path in files]
    if all(isinstance(source, Path) for source in sources):
        return pads.dataset([str(source) for source in sources], schema=schema)
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


def _by_mount(files: Sequence[Path]) -> Iterator[tuple[_Mounted | None, list[str]]]:
    """Groups neighbours that are read in one way: from this machine (None), or from the store by their addresses."""
    group: tuple[_Mounted | None, list[str]] | None = None
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


def _source(path: Path) -> Path | _ObjectReader:
    """The file on this machine, or a reader of its object where that is large and not here."""
    if not (found := _of(path)):
        return path
    mounted, name = found
    if not mounted.is_here(name):
        try:
            there = mounted.object_of(name)
            size = mounted.entry(there).size
        except Gone:
            return path
        if not mounted.may_keep(size):
            return _ObjectReader(mounted, there, size)
    return at_hand(path)


class _ObjectReader(io.RawIOBase):
    """An object as a file to read in: each read is a request for these bytes alone."""

    def __init__(self, mounted: _Mounted, name: str, size: int) -> None:
        self._mounted, self._name, self._size, self._at = mounted, name, size, 0

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        content = self._mounted.read_range(self._name, self._at, end, self._size)
        buffer[: len(content)] = content
        self._at = end
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def size(self) -> int:
        return self._size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
