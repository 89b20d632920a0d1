"""What a run says while it works: a bar whose clock goes on, or log lines, as much of them as was asked for."""

from __future__ import annotations

import io
import json
import logging
import sys
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from winnow.base.errors import UsageError
from winnow.base.log import HumanLines
from winnow.base.terminal import Paint
from winnow.cli.log_options import LogOptions, log_options, takes_log_options
from winnow.cli.progress import progress_shown
from winnow.cli.progress_bar import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def record(message: str, level: int = logging.INFO, **extra: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "levelno": level, "levelname": logging.getLevelName(level), **extra})


def test_the_bar_tells_the_stage_its_rate_and_time_left_and_its_clock_never_stands_still():
    now = [100.0]
    screen = Terminal()
    console = Console(file=screen, force_terminal=True, width=120)
    bar = ProgressBar(console, HumanLines(Paint(False)), clock=lambda: now[0], redraw=False)

    def tail() -> str:
        [task] = bar._bars.tasks
        return f"{task.description}|{bar.tail(task)}"

    def after(seconds: float, message: str, **extra: object) -> str:
        now[0] += seconds
        bar.emit(record(message, **extra))
        return tail()

    assert tail() == "starting|0:00"
    assert after(5, "read: 0 of 4 shards", done=0, total=4) == "read|0 of 4 shards  0:05"
    assert after(4, "read: 1 of 4 shards", done=1, total=4) == "read|1 of 4 shards  4.0 s a shard  0:12 left  0:09"
    assert after(2, "read: 4 of 4 shards", done=4, total=4) == "read|4 of 4 shards  1.5 s a shard  0:11"
    now[0] += 10
    assert tail().endswith(" 0:21"), "after a stage is done, too"
    assert after(0, "deduplicate: comparing") == "deduplicate|0:21"
    assert after(3600, "a\x1b[2J: x") == "a\\x1b[2J|1:00:21"
    bar.emit(record("Prefect's home [red]cannot[/] be written", logging.WARNING))
    assert "warning: Prefect's home [red]cannot[/] be written" in screen.getvalue()


@pytest.mark.parametrize(
    ("options", "is_terminal", "said"),
    [
        (LogOptions(), False, '{"time'),
        (LogOptions(log_format="human"), False, "12:"),
        (LogOptions(log_format="json"), True, '{"time'),
        (LogOptions(quiet=True), True, ""),
        (LogOptions(verbose=True), False, "more"),
    ],
    ids=["a pipe", "human", "json", "quiet", "verbose"],
)
def test_the_log_is_as_asked_for(options, is_terminal, said, monkeypatch, tmp_path: Path):
    stream = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr("winnow.cli.progress.log_options", lambda: options)
    with progress_shown():
        logging.getLogger("winnow").debug("more")
        logging.getLogger("winnow").info("read: 1 of 1 shards", extra={"stage": "read"})
    lines = stream.getvalue().splitlines()
    assert len(lines) == (0 if options.quiet else 2 if options.verbose else 1)
    assert said == "12:" or said in stream.getvalue()
    assert (said == "12:") == (bool(lines) and not lines[0].startswith("{"))


def test_the_log_is_kept_in_a_file_whatever_the_terminal_shows(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr("winnow.cli.progress.log_options", lambda: LogOptions(quiet=True, log_file=tmp_path / "log"))
    for _ in range(2):
        with progress_shown():
            logging.getLogger("winnow").info("read", extra={"run_id": "r"})
    assert [json.loads(line)["run_id"] for line in (tmp_path / "log").read_text().splitlines()] == ["r", "r"]
    monkeypatch.setattr("winnow.cli.progress.log_options", lambda: LogOptions(log_file=tmp_path / "no" / "log"))
    with pytest.raises(UsageError, match="cannot be written"), progress_shown():
        pass


def test_a_command_takes_the_options_and_is_called_without_them_as_before():
    app = typer.Typer()
    seen: list[tuple[int, LogOptions]] = []

    @app.command()
    @takes_log_options
    def work(count: int = 1) -> None:
        seen.append((count, log_options()))

    assert CliRunner().invoke(app, ["--count", "2", "-q", "--log-file", "x"]).exit_code == 0
    work(3)
    assert seen == [(2, LogOptions(quiet=True, log_file=Path("x"))), (3, LogOptions())]
    for wrong in (["--log-format", "xml"], ["-q", "-v"]):
        assert isinstance(CliRunner().invoke(app, wrong).exception, UsageError)
