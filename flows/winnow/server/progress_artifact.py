"""How far a run is, as a bar in Prefect's pages: one artifact, brought up to date every few seconds.

It is told by a thread of its own, so that a slow server, or one that has gone away, holds no stage up.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from winnow.base.log import LOGGER

EVERY_SECONDS = 5.0  # each word costs the server a few milliseconds; a short run has no need of a bar


class _Latest(logging.Handler):
    """Keeps the last record that says how many shards of a stage are done."""

    def __init__(self) -> None:
        super().__init__()
        self.said: tuple[str, float] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        done, total = getattr(record, "done", None), getattr(record, "total", None)
        if done is not None and total:
            self.said = record.getMessage(), 100.0 * done / total


@contextmanager
def progress_told(key: str, every_seconds: float = EVERY_SECONDS) -> Iterator[None]:
    """Tell the server of the flow run that is current how far its stages are, while the block lasts."""
    latest, over = _Latest(), threading.Event()
    logger = logging.getLogger(LOGGER)
    logger.addHandler(latest)
    thread = threading.Thread(target=copy_context().run, args=(_tell, key, latest, over, every_seconds), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        logger.removeHandler(latest)


def _tell(key: str, latest: _Latest, over: threading.Event, every_seconds: float) -> None:
    artifact: UUID | None = None
    told = None
    while not over.wait(every_seconds):
        said = latest.said
        if said is None or said == told:
            continue
        words, percent = said
        try:
            if artifact is None:
                artifact = create_progress_artifact(percent, key=key, description=words)  # type: ignore[assignment]
            else:
                update_progress_artifact(artifact, progress=percent, description=words)
            told = said
        except Exception as error:
            logging.getLogger(LOGGER).debug("no bar in Prefect's pages: %s", error)
            return
