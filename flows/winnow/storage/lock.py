"""One writer per dataset. The kernel lets the lock go when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict
from pathlib import Path

from winnow.base.errors import DatasetBusy, DatasetError, UsageError, is_full_disk, translate_full_disk
from winnow.publish.dataset import Dataset, Writer

_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
_POLL_SECONDS = 0.2  # flock has no timeout; five tries a second are not noticed


@contextmanager
def lock_dataset(dataset: Dataset, run_id: str, wait_seconds: float = 0) -> Iterator[None]:
    """Makes the body the dataset's only writer; one on object storage is pulled before the body and pushed after it.

    Raises DatasetBusy naming the holder when it is still taken after `wait_seconds`, and DiskFull for whatever the body
    raises because no room is left. Readers need no lock: what they see is never changed in place. Raises UsageError
    for a folder whose name the Delta library misreads: of ``%20`` it makes a space, and looks elsewhere.
    """
    if escape := _ESCAPE.search(str(dataset.root.absolute())):
        raise UsageError(
            f"{dataset.root.absolute()}: no dataset can be written to a folder with {escape[0]} in its path, which the "
            "Delta library takes for another sign; rename the folder, or choose another"
        )
    remote = dataset.remote
    at_the_store = remote.writing(dataset.root, run_id, wait_seconds) if remote else nullcontext()
    with (
        translate_full_disk(dataset.root),
        lock_file(dataset.lock_path, run_id, wait_seconds, dataset.name),
        at_the_store,
    ):
        yield


def current_writer(dataset: Dataset) -> Writer | None:
    """Returns who writes to the dataset, None where nobody does.

    The lock itself is not touched: a look at it must not make a run that starts just now find it taken.
    """
    if dataset.remote:
        return dataset.remote.writer()
    writer = read_writer(dataset.lock_path)
    if writer and writer.host == socket.gethostname():
        try:
            os.kill(writer.pid, 0)
        except ProcessLookupError:
            return None  # it was killed; the kernel has let its lock go
        except PermissionError:
            pass  # it is another user's
    return writer


@contextmanager
def lock_file(
    path: Path,
    run_id: str,
    wait_seconds: float = 0,
    name: str = "",
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Holds the lock file `path` as `run_id`; waits up to `wait_seconds` for another holder to finish.

    Raises DatasetBusy naming the holder, and what it holds as `name`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except IsADirectoryError as error:
        raise DatasetError(f"{path}: is a folder where the lock's file must be; remove it and run again") from error
    except OSError as error:
        if is_full_disk(error):
            raise
        raise DatasetError(f"{path}: cannot be written: {error.strerror}; a run needs to write there") from error
    try:
        end = monotonic() + wait_seconds
        while not _try(handle):
            if monotonic() >= end:
                # One that has the lock may not have written its name yet.
                holder = read_writer(path) or "another run"
                raise DatasetBusy(f"{name or path.parent}: {holder} is writing; wait for it to finish and run again")
            sleep(_POLL_SECONDS)
        os.ftruncate(handle, 0)
        # On a full disk the lock holds all the same; a second writer is only told less.
        with suppress(OSError):
            os.pwrite(handle, json.dumps(asdict(this_process(run_id))).encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)  # lets the lock go


def this_process(run_id: str) -> Writer:
    """Returns what a lock says while this process holds it."""
    return Writer(run=run_id, pid=os.getpid(), host=socket.gethostname())


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read_writer(path: Path) -> Writer | None:
    """Returns whom a lock file names, None where it names nobody."""
    try:
        said = json.loads(path.read_bytes())
        return Writer(run=str(said["run"]), pid=int(said["pid"]), host=str(said["host"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
