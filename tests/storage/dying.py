"""A run in a process of its own that stops for good, or for a while, between two steps of its push."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.publish.press import sources
from tests.storage.conftest import Bucket

from winnow.base.errors import DatasetBusy

FIRST = sources("a", "b", "c")
SECOND = sources("b", "d", word="new")
THIRD = sources("e")


def signalled_at(step: str, nth: int, way: int) -> Callable[[str], None]:
    """What is told of each step, and gives this process the signal `way` at the `nth` time that it is `step`."""
    passed = 0

    def at(name: str) -> None:
        nonlocal passed
        passed += name == step
        if name == step and passed == nth:
            os.kill(os.getpid(), way)

    return at


def publish_until(
    url: str, folder: Path, environment: dict[str, str], machine: str, step: str, nth: int, way: int, watch: bool = True
) -> None:
    """Publish SECOND, and get the signal `way` at the `nth` time that the push stands at `step`.

    Without `watch` the lease is never looked at, as by a process that was stopped just after it looked. Exit code 3:
    told that another run came first.
    """
    os.environ.update(environment)
    at = signalled_at(step, nth, way)
    if not watch:
        from winnow.storage.lease import Lease

        Lease.check = lambda self: None  # type: ignore[method-assign]
    press = Bucket(url, folder).machine(machine, at, lease_seconds=1.0)
    try:
        press.publish(SECOND, run_id="dying", checkpoint=at)
    except DatasetBusy:
        os._exit(3)
    assert way != signal.SIGKILL, f"never came to {step}"
