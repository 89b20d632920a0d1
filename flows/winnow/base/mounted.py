"""Mounts: folders that stand for an address on the store, and what this process has of their files."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from winnow.base.disk import beside, hash_of, link_or_copy
from winnow.base.errors import DatasetDamaged
from winnow.base.object_store import Address, Entry, Gone, Store
from winnow.base.pointers import Pointer, is_pointer, read_pointer

STAGING, TABLES = ".staging", "tables"
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


class Mounted:
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
        self.writes = False  # whether this process is the dataset's writer
        self.fetched: dict[str, str] = {}  # SHA-256 of files that no manifest names, as they came
        self.sent: dict[str, Entry] = {}  # files of tables that it wrote, which nothing in the store names yet

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

    def size_and_end(self, name: str) -> tuple[int, bytes]:
        """Returns an object's size and, where one request gives both, its last bytes, which a reader of Parquet wants.

        Objects of staging are written anew, so that nothing is remembered of them. Raises Gone.
        """
        if not name.startswith(STAGING) or not name.endswith(".parquet"):  # others may be empty, and have no end
            return self.entry(name).size, b""
        end, entry = self.store.read(name, _END)
        return entry.size, end

    def know(self, stored: Mapping[str, Entry]) -> None:
        self._stored.update(stored)

    def look_again(self, room: int, writes: bool = False, stored: Mapping[str, Entry] = {}) -> None:
        """Lets go what was known of the store; `room` (bytes) is what may be kept here from now on.

        Small files are kept as they are read. Who `writes` keeps large ones too, for they are read again and again, and
        sends files of tables as they are written. Of what is `stored` nobody need ask for the size.
        """
        self._stored = dict(stored)
        self._ends.clear()
        self.sent.clear()
        self.fetched.clear()
        self.room, self.writes = room, writes

    def take_room(self, size: int) -> bool:
        """Takes room for so many bytes, where there is as much."""
        with self._lock:
            taken = size <= self.room
            self.give_room(-size if taken else 0)
            return taken

    def give_room(self, size: int) -> None:
        """Gives room back; takes it, there or not, where `size` is less than none."""
        with self._lock:
            self.room += size

    def sends(self, name: str) -> bool:
        """Whether a new file goes to the store as it is written: a table's, which no reader knows before its commit.

        Those that a worker writes for the writer too.
        """
        return (self.writes or self.mount.exchanges) and name.startswith(f"{TABLES}/")

    def note_sent(self, name: str, entry: Entry) -> None:
        self.sent[name] = self._stored[name] = entry

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

    def fetch(self, name: str, room: int = 0) -> Path:
        """Returns the file, from the store where it is not here; `room` was taken for it.

        Raises Gone, or DatasetDamaged for other bytes.
        """
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
                    room -= 0 if name.startswith(STAGING) else size
            self._use(name, size)
        self.give_room(room)
        return path

    def is_twin(self, name: str, pointer: Pointer) -> bool:
        """Whether the file that a pointer names is a file here too: both are had by one."""
        return pointer.name != name and self.place(pointer.name).is_file() and self.object_of(name) == pointer.name

    def fetch_to(self, name: str, target: Path, sha256: str | None) -> int:
        """Writes a file's bytes to `target`; returns their number. Raises Gone, or DatasetDamaged for other bytes."""
        there = self.object_of(name)
        try:
            size = self.store.fetch(there, target, self._make_room).size
        except Gone:  # since it was seen
            if there == name:
                raise
            size = self.store.fetch(name, target, self._make_room).size
        found = hash_of(target)
        if sha256 is None and not name.startswith(STAGING):
            self.fetched[name] = found
        elif sha256 not in (None, found):
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

    def may_keep(self, name: str, size: int) -> bool:
        """Whether a file of which some is wanted is better fetched whole; room for it is then taken.

        What a job is at leaves room for others.
        """
        if self._bound is None:
            return (self.writes or size <= _SMALL) and not name.startswith(STAGING) and self.take_room(size)
        if size > _SMALL:
            return False
        with self._lock:
            wanted = self._jobs.get(threading.get_ident(), set())
            fits = sum(self._used.get(known, 0) for known in wanted) + size <= self._bound // 4
            if fits:  # which counts before it is here, for others of the job may ask at the same time
                self._use(name, size)
            return fits

    def forget(self, name: str) -> None:
        with self._lock:
            self._used.pop(name, None)
            self.place(name).unlink(missing_ok=True)

    @contextmanager
    def job(self) -> Iterator[None]:
        wanted = self._jobs[threading.get_ident()] = set()
        try:
            yield
        finally:
            with self._lock:
                for thread in [t for t, of in self._jobs.items() if of is wanted]:
                    del self._jobs[thread]
            self._make_room(0)

    def take_part(self, thread: int) -> None:
        """Lets this thread ask for files of the job of another one, which stay as long as that is not done."""
        with self._lock:
            if thread in self._jobs:
                self._jobs[threading.get_ident()] = self._jobs[thread]

    def done_with(self, name: str) -> None:
        """Lets a file go that the job of this thread has asked for, where room is wanted before that is done."""
        with self._lock:
            self._jobs.get(threading.get_ident(), set()).discard(name)

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
