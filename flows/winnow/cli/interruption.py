"""Ctrl-C and SIGTERM: each ends the command within seconds, with a message and its exit code, 130 or 143."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from winnow.base.terminal import say

GRACE_SECONDS = 5.0
WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Terminated(BaseException):
    """SIGTERM has told the command to end, as KeyboardInterrupt does for Ctrl-C."""


class Interruption:
    """What a command does when it is told to end; `remark` says what that leaves behind."""

    def __init__(self, remark: str) -> None:
        self._remark = remark
        self._begun = False

    def begin(self, number: int) -> None:
        """Says so, and ends the process after `GRACE_SECONDS` where it has not ended by then.

        A flow tells its server that it ends, and would try for a minute where that does not answer.
        """
        if self._begun:
            return
        self._begun = True
        end = threading.Timer(GRACE_SECONDS, os._exit, (128 + number,))
        end.daemon = True
        end.start()
        say(f"winnow: {WORDS[signal.Signals(number)]}{self._remark}")

    def handle(self, number: int, frame: FrameType | None) -> None:
        self.begin(number)
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    def come_first(self) -> None:
        """Begins before Prefect, which handles SIGTERM inside a flow: it tells its server, and raises only then."""
        prefects = signal.getsignal(signal.SIGTERM)
        if _in_main_thread() and callable(prefects) and prefects != self.handle:

            def begin_and_handle(number: int, frame: FrameType | None) -> None:
                self.begin(number)
                prefects(number, frame)

            signal.signal(signal.SIGTERM, begin_and_handle)


@contextmanager
def ends_when_told(remark: str = "") -> Iterator[Interruption]:
    """Lets Ctrl-C and SIGTERM end what runs in this block, which may end at any point."""
    interruption = Interruption(remark)
    if not _in_main_thread():
        yield interruption
        return
    before = {number: signal.signal(number, interruption.handle) for number in WORDS}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def prefect_ends_gracefully(remark: str) -> Iterator[None]:
    """Leaves Ctrl-C and SIGTERM to Prefect, which ends in order what it serves; then says so and ends the command.

    asyncio ends gracefully where Python's own handler of Ctrl-C is in place, and on no other.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except SystemExit:  # Prefect's end on SIGTERM
        say(f"winnow: {WORDS[signal.SIGTERM]}{remark}")
        raise Terminated from None
    say(f"winnow: {WORDS[signal.SIGINT]}{remark}")  # Prefect serves until then
    raise KeyboardInterrupt


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
