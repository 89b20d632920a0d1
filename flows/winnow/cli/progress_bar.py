"""The bar that a run shows on a terminal: clock, stage, how far it is, how fast, and how long it still takes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.text import Text

from winnow.base.terminal import visible


class ProgressBar(logging.Handler):
    """Draws the log records of a run on one line; warnings stand above it, and stay."""

    def __init__(
        self,
        console: Console,
        formatter: logging.Formatter | None,
        clock: Callable[[], float] = time.monotonic,
        redraw: bool = True,
    ) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._clock, self._began, self._stage_began = clock, clock(), clock()
        self._stage = ""
        columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(20), _Tail(self.tail)
        self._bars = Progress(*columns, console=console, transient=True, auto_refresh=redraw)
        self._task: TaskID = self._bars.add_task("starting", total=None)

    def tail(self, task: Task) -> Text:
        """What stands behind the bar: shards done, rate, time left in this stage, and how long the run takes so far."""
        parts = []
        if task.total:
            parts.append(f"{task.completed:.0f} of {task.total:.0f} shards")
            seconds = self._clock() - self._stage_began
            if task.completed and seconds > 0:
                rate = task.completed / seconds
                parts.append(f"{rate:.1f} shards/s" if rate >= 1 else f"{1 / rate:.1f} s a shard")
                if task.completed < task.total:
                    parts.append(f"{_clock_face((task.total - task.completed) / rate)} left")
        return Text("  ".join([*parts, _clock_face(self._clock() - self._began)]))

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self._bars.console.print(Text.from_ansi(self.format(record)))
            return
        stage = visible(record.getMessage().split(":")[0])
        if stage != self._stage:
            self._stage, self._stage_began = stage, self._clock()
        done, total = getattr(record, "done", None), getattr(record, "total", None)
        self._bars.update(self._task, description=stage, completed=done or 0)
        self._bars.tasks[0].total = total  # an update would keep the last stage's where this one tells none

    def stop(self) -> None:
        self._bars.stop()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


class _Tail(ProgressColumn):
    def __init__(self, said: Callable[[Task], Text]) -> None:
        super().__init__()
        self._said = said

    def render(self, task: Task) -> Text:
        return self._said(task)


def _clock_face(seconds: float) -> str:
    """
    >>> _clock_face(5), _clock_face(3725)
    ('0:05', '1:02:05')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
