"""Log lines, for people on a terminal and JSON elsewhere. No record spans several lines or forges one."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from winnow.base.errors import UsageError
from winnow.base.records import Json
from winnow.base.terminal import Paint, colours_for, visible

LOGGER = "winnow"
FIELDS = ("run_id", "stage", "shard", "done", "total", "seconds", "counts")
"""What a record may carry besides its message, through ``extra=``."""


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, message, and those of FIELDS that the record carries."""

    def format(self, record: logging.LogRecord) -> str:
        line: Json = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        # ASCII escapes keep control and bidirectional characters of hostile names out of the log.
        return json.dumps(line, default=str)


class HumanLines(logging.Formatter):
    """Time of day, level where it matters, message; control characters as escapes."""

    def __init__(self, paint: Paint) -> None:
        super().__init__()
        self._paint = paint

    def format(self, record: logging.LogRecord) -> str:
        clock = self._paint.dim(datetime.fromtimestamp(record.created).strftime("%H:%M:%S"))
        level = "" if record.levelno < logging.WARNING else self._paint.yellow(f"{record.levelname.lower()}: ")
        line = f"{clock} {level}{visible(record.getMessage())}"
        if record.exc_info:
            line += "\n" + "\n".join(visible(row) for row in self.formatException(record.exc_info).split("\n"))
        return line


def default_to_info() -> None:
    """Set level INFO where nobody has set one, as in the processes that a Prefect server starts."""
    logger = logging.getLogger(LOGGER)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)


def set_up_logging(
    stream: TextIO | None = None,
    *,
    human: bool | None = None,
    level: int = logging.INFO,
    file: Path | None = None,
) -> logging.Logger:
    """Send Winnow's records of `level` and above to `stream` (standard error), and all of them to `file`, as JSON.

    Where nobody says whether people read the stream (`human`), it is for people where it is a terminal, else JSON.
    Raises UsageError for a file that cannot be written.
    """
    stream = stream or sys.stderr
    handler: logging.Handler = logging.StreamHandler(stream)
    for_people = stream.isatty() if human is None else human
    handler.setFormatter(HumanLines(Paint(colours_for(stream))) if for_people else JsonLines())
    handler.setLevel(level)
    logger = logging.getLogger(LOGGER)
    logger.handlers[:] = [handler]
    logger.setLevel(min(level, logging.INFO))
    if file is not None:
        try:
            kept = logging.FileHandler(file, encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"{file}: cannot be written: {error.strerror}; name a file in a folder that exists"
            ) from error
        kept.setFormatter(JsonLines())
        logger.addHandler(kept)
    logger.propagate = False
    return logger
