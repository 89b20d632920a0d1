"""Log lines of Prefect about what is expected: a version that is held, a mistake in a recipe, a server that is away.

Each is one line; a traceback says nothing about them that the message does not say.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from winnow.base.errors import INTERNAL_ERROR, GateHeld, WinnowError
from winnow.server.outage import is_no_connection

_OF_RUNS = ("prefect.flow_runs", "prefect.task_runs")
"""Prefect's loggers that tell how a flow or a task ended."""


class OneLine(logging.Filter):
    """Lets an error that Winnow raises on purpose be told once, without its traceback.

    That a version is held is told by the state of its run.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, WinnowError) or error.exit_code == INTERNAL_ERROR:
            return True
        if isinstance(error, GateHeld) or getattr(error, "told", False):
            return False
        error.told = True  # type: ignore[attr-defined]
        shorten(record, str(error))
        return True


def shorten(record: logging.LogRecord, message: str) -> None:
    record.msg, record.args = "; ".join(filter(None, map(str.strip, message.split("\n")))), ()
    record.exc_info = record.exc_text = None


def tell_in_one_line() -> None:
    """For the process of a flow; called again it changes nothing.

    Where the process was started to run one flow, what Prefect says of a server that is away is one line too.
    """
    for name in _OF_RUNS:
        logger = logging.getLogger(name)
        if not any(isinstance(f, OneLine) for f in logger.filters):
            logger.addFilter(OneLine())
    logging.getLogger("EventsWorker").setLevel(logging.ERROR)  # that it still sends when a run ends is no news
    make = logging.getLogRecordFactory()
    if "PREFECT__FLOW_RUN_ID" in os.environ and not hasattr(make, "shortens"):
        logging.setLogRecordFactory(_shortening(make))


@contextmanager
def outage_in_one_line() -> Iterator[None]:
    """For the process that serves: while a server is away, each of Prefect's complaints is one line."""
    make = logging.getLogRecordFactory()
    logging.setLogRecordFactory(_shortening(make))
    try:
        yield
    finally:
        logging.setLogRecordFactory(make)


def _shortening(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    def shortened(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and is_no_connection(error):
            shorten(record, f"{record.getMessage()} ({type(error).__name__}: {error})")
        return record

    shortened.shortens = True  # type: ignore[attr-defined]
    return shortened
