"""One writer per dataset on object storage: a lease that its holder renews, and that others take once it has run out.

The holder's clock writes when the lease ends and the taker's clock reads it, so clocks that are apart may let a lease
be taken early. That costs the slower of the two its work and nothing else: see `winnow.storage` for what keeps
versions safe.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

from winnow.base.errors import DatasetBusy, WinnowError
from winnow.base.object_store import Gone, Store, Taken
from winnow.publish.dataset import Writer
from winnow.storage.lock import this_process

NAME = ".lock.json"
SECONDS = 60.0
"""How long a lease lasts without being renewed: what a killed run costs the next one on another machine."""
_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """What the lease's object says. ``copy`` names the holder's working copy; ``expires`` is in seconds since 1970."""

    writer: Writer
    copy: str
    expires: float = 0

    def until(self, expires: float) -> bytes:
        return json.dumps({**asdict(self.writer), "copy": self.copy, "expires": expires}).encode()


class Lease:
    """A lease that is held; `check` before each write. ``overtook``: its last holder never let it go.

    ``settled``: whether the last holder left nothing half done; what it says when the lease ends is told to the next.
    """

    def __init__(
        self, store: Store, note: _Note, tag: str | None, seconds: float, overtook: bool = False, settled: bool = False
    ) -> None:
        self.overtook, self.settled = overtook, settled
        self._store, self._note, self._tag, self._seconds = store, note, tag, seconds
        self._until = time.monotonic() + seconds
        self._lost = False
        self._stop = threading.Event()
        self._beat = threading.Thread(target=self._renew_on, name="winnow-lease", daemon=True)
        self._beat.start()

    def check(self) -> None:
        """Raises DatasetBusy where the lease was taken by another or could not be renewed in time.

        A quarter of it must be left, so that the write that follows is done before another may take it.
        """
        if self._lost or time.monotonic() > self._until - self._seconds / 4:
            raise DatasetBusy(
                f"{self._store.address.shown}: this run lost its lease, for it could not renew it in time; nothing of "
                "the last version was touched. Run again"
            )

    def is_ours(self) -> bool:
        """Whether the store says that nobody has taken the lease since."""
        standing, *_ = _read(self._store)
        return standing is not None and (standing.writer, standing.copy) == (self._note.writer, self._note.copy)

    def _renew_on(self) -> None:
        while not self._stop.wait(self._seconds / 4):
            asked = time.monotonic()
            try:
                self._tag = self._store.swap(NAME, self._note.until(time.time() + self._seconds), self._tag).tag
                self._until = asked + self._seconds
            except (Taken, Gone):
                self._lost = True
                return
            except WinnowError:
                continue  # the store may be back before the lease ends

    def end(self) -> None:
        """Lets the lease go, if it is still ours."""
        self._stop.set()
        self._beat.join(timeout=self._seconds)
        if not self._lost:
            with suppress(Taken, Gone, WinnowError):
                self._store.swap(NAME, json.dumps({"run": None, "settled": self.settled}).encode(), self._tag)


@contextmanager
def hold(
    store: Store,
    run_id: str,
    copy_id: str,
    wait_seconds: float = 0,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Lease]:
    """Holds the dataset's lease as `run_id`; waits up to `wait_seconds` for another holder.

    `copy_id` names the working copy, whose file lock the caller holds: a lease of the same copy is one whose holder is
    dead, and is taken at once. Raises DatasetBusy naming the holder.
    """
    mine = _Note(writer=this_process(run_id), copy=copy_id)
    end = time.monotonic() + wait_seconds
    while True:
        standing, tag, settled = _read(store)
        if standing is None or standing.copy == copy_id or clock() >= standing.expires:
            with suppress(Taken):
                entry = store.swap(NAME, mine.until(time.time() + seconds), tag)
                lease = Lease(store, mine, entry.tag, seconds, standing is not None, settled)
                break
            standing, *_ = _read(store)  # another one was quicker
        if time.monotonic() >= end:
            raise DatasetBusy(f"{store.address.shown}: {_busy(standing, clock(), seconds)}")
        sleep(min(_POLL_SECONDS, max(0.05, end - time.monotonic())))
    try:
        yield lease
    except BaseException:
        lease.settled = False
        raise
    finally:
        lease.end()


def _busy(standing: _Note | None, now: float, seconds: float) -> str:
    if standing is None:
        return "another run is writing; wait and run again"
    left = max(0, round(standing.expires - now))
    if left > 2 * seconds:  # longer than any lease: its holder's clock is ahead of this one
        return (
            f"{standing.writer} is writing, or was: by this machine's clock its lease runs out in {left} s, so one of "
            f"the two clocks is wrong. Set it right, or remove {NAME} there if that run is dead"
        )
    return f"{standing.writer} is writing, and its lease runs out in {left} s unless it is renewed; wait and run again"


def holder(store: Store, clock: Callable[[], float] = time.time) -> Writer | None:
    """Returns who holds the lease, None where nobody does."""
    standing, *_ = _read(store)
    return None if standing is None or clock() >= standing.expires else standing.writer


def is_settled(store: Store) -> bool:
    """Whether nobody writes, and the last one who did left nothing half done."""
    return _read(store)[2]


def _read(store: Store) -> tuple[_Note | None, str | None, bool]:
    """Returns the lease that stands (None where nobody holds it), its object's tag (None without an object), and
    whether the last one who held it left nothing half done.
    """
    try:
        content, entry = store.read(NAME)
    except Gone:
        return None, None, False
    try:
        said = json.loads(content)
        if said["run"] is None:
            return None, entry.tag, said.get("settled") is True
        writer = Writer(run=str(said["run"]), pid=int(said.get("pid", 0)), host=str(said.get("host", "unknown")))
        note = _Note(writer=writer, copy=str(said.get("copy")), expires=float(said.get("expires", 0)))
        return note, entry.tag, False
    except (ValueError, KeyError, TypeError):
        return None, entry.tag, False  # no lease of ours: it holds nobody off
