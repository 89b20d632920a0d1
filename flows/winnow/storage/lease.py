"""One writer per dataset on object storage: a lease that its holder renews, and that others take once it has run out.

The holder's clock writes when the lease ends and the taker's clock reads it, so clocks that are apart may let a lease
be taken early. That costs the slower of the two its work and nothing else: see `winnow.storage` for what keeps
versions safe.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from winnow.base.errors import DatasetBusy, WinnowError
from winnow.storage.store import Gone, Store, Taken

NAME = ".lock.json"
SECONDS = 60.0
"""How long a lease lasts without being renewed: what a killed run costs the next one on another machine."""
_POLL_SECONDS = 1.0


class Lease:
    """A lease that is held; `check` before each write. ``overtook``: its last holder never let it go."""

    def __init__(
        self, store: Store, note: dict[str, Any], tag: str | None, seconds: float, overtook: bool = False
    ) -> None:
        self.overtook = overtook
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

    def _renew_on(self) -> None:
        while not self._stop.wait(self._seconds / 4):
            asked = time.monotonic()
            try:
                self._tag = self._store.swap(NAME, _note_until(self._note, self._seconds), self._tag).tag
                self._until = asked + self._seconds
            except (Taken, Gone):
                self._lost = True
                return
            except WinnowError:
                continue  # the store may be back before the lease ends

    def end(self) -> None:
        """Let the lease go, if it is still ours."""
        self._stop.set()
        self._beat.join(timeout=self._seconds)
        if not self._lost:
            with suppress(Taken, Gone, WinnowError):
                self._store.swap(NAME, json.dumps({"run": None}).encode(), self._tag)


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
    """Hold the dataset's lease as `run_id`; wait up to `wait_seconds` for another holder.

    `copy_id` names the working copy, whose file lock the caller holds: a lease of the same copy is one whose holder is
    dead, and is taken at once. Raises DatasetBusy naming the holder.
    """
    note = {"run": run_id, "pid": os.getpid(), "host": socket.gethostname(), "copy": copy_id}
    end = time.monotonic() + wait_seconds
    while True:
        held, tag = _standing(store)
        if held is None or held.get("copy") == copy_id or clock() >= float(held.get("expires", 0)):
            with suppress(Taken):
                mine = store.swap(NAME, _note_until(note, seconds), tag)
                lease = Lease(store, note, mine.tag, seconds, overtook=held is not None)
                break
            held, _ = _standing(store)  # another one was quicker
        if time.monotonic() >= end:
            raise DatasetBusy(f"{store.address.shown}: {_said(held or {}, clock())} is writing; wait and run again")
        sleep(min(_POLL_SECONDS, max(0.05, end - time.monotonic())))
    try:
        yield lease
    finally:
        lease.end()


def holder(store: Store, clock: Callable[[], float] = time.time) -> dict[str, Any] | None:
    """Who holds the lease (run, pid, host), None where nobody does."""
    held, _ = _standing(store)
    if held is None or clock() >= float(held.get("expires", 0)):
        return None
    return {"run": str(held.get("run")), "pid": int(held.get("pid", 0)), "host": str(held.get("host"))}


def _standing(store: Store) -> tuple[dict[str, Any] | None, str | None]:
    """The lease object: its note (None where nobody holds it) and its tag (None where there is no object)."""
    try:
        content, entry = store.read(NAME)
    except Gone:
        return None, None
    try:
        note = json.loads(content)
        return (note if note["run"] is not None else None), entry.tag
    except (ValueError, KeyError, TypeError):
        return None, entry.tag  # no lease of ours: it holds nobody off


def _note_until(note: dict[str, Any], seconds: float) -> bytes:
    return json.dumps({**note, "expires": time.time() + seconds}).encode()


def _said(held: dict[str, Any], now: float) -> str:
    left = max(0, round(float(held.get("expires", now)) - now))
    return (
        f"run {held.get('run')} (process {held.get('pid')} on {held.get('host')}; its lease runs out in {left} s "
        "unless it is renewed)"
    )
