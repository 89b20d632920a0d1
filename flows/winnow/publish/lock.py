"""One writer per dataset. The kernel lets the lock go when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from winnow.base.errors import DatasetBusy

_POLL_SECONDS = 0.2  # flock has no timeout; five tries a second are not noticed


@contextmanager
def hold(
    path: Path,
    run_id: str,
    wait_seconds: float = 0,
    name: str = "",
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold the lock file `path` as `run_id`; wait up to `wait_seconds` for another holder to finish.

    Raises DatasetBusy naming the holder, and what it holds as `name`. Readers need no lock: what they see is never
    changed in place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        end = monotonic() + wait_seconds
        while not _try(handle):
            if monotonic() >= end:
                raise DatasetBusy(
                    f"{name or path.parent}: {_holder(handle)} is writing; wait for it to finish and run again"
                )
            sleep(_POLL_SECONDS)
        note = json.dumps({"run": run_id, "pid": os.getpid(), "host": socket.gethostname()}).encode()
        os.ftruncate(handle, 0)
        # On a full disk the lock holds all the same; a second writer is only told less.
        with suppress(OSError):
            os.pwrite(handle, note, 0)
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)  # lets the lock go


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(handle: int) -> str:
    try:
        note = json.loads(os.pread(handle, 4096, 0))
        return f"run {note['run']} (process {note['pid']} on {note['host']})"
    except (ValueError, KeyError, TypeError):
        return "another run"  # it has the lock and has not written its name yet


def holder(path: Path) -> dict[str, Any] | None:
    """Returns who holds the lock file `path`, as it says: run, pid and host. None where nobody does.

    The lock itself is not touched: a look at it must not make a run that starts just now find it taken.
    """
    try:
        note = json.loads(path.read_bytes())
        found: dict[str, Any] = {"run": str(note["run"]), "pid": int(note["pid"]), "host": str(note["host"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if found["host"] == socket.gethostname():
        try:
            os.kill(found["pid"], 0)
        except ProcessLookupError:
            return None  # it was killed; the kernel has let its lock go
        except PermissionError:
            pass  # it is another user's
    return found
