"""Log lines: for people on a terminal, JSON elsewhere; one record never spans or forges lines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from winnow.base.terminal import Paint, colours_for, visible

LOGGER = "winnow"
FIELDS = ("run_id", "stage", "shard", "done", "total", "seconds", "counts")
"""What a record may carry besides its message, through ``extra=``."""


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, message, and those of FIELDS that the record carries."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
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


def show_info() -> None:
    """Let progress through where nobody has set a level, as in the processes that a Prefect server starts."""
    logger = logging.getLogger(LOGGER)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)


def set_up(stream: TextIO | None = None, level: int = logging.INFO, json_lines: bool | None = None) -> logging.Logger:
    """Send Winnow's records to `stream` (standard error), as JSON where it is no terminal or where asked."""
    stream = stream or sys.stderr
    as_json = not stream.isatty() if json_lines is None else json_lines
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if as_json else HumanLines(Paint(colours_for(stream))))
    logger = logging.getLogger(LOGGER)
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
    return logger
