"""A command that is told to end says so, and ends with the exit code of the signal."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.articles import article
from tests.conftest import write_jsonl
from tests.server.prefect_site import until

SIGNALS = [(signal.SIGINT, "interrupted", 130), (signal.SIGTERM, "terminated", 143)]


def begin(*words: object, **variables: str) -> subprocess.Popen[str]:
    """The command in a process of its own, on a temporary server if it needs one."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    return subprocess.Popen(
        [sys.executable, "-m", "winnow", *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**own, **variables},
    )


@pytest.mark.parametrize(("number", "word", "code"), SIGNALS)
def test_a_filter_that_waits_for_its_input(number, word, code):
    child = begin("clean", "--jsonl")
    child.stdin.write('{"text": "a caf\\u00c3\\u00a9"}\n')
    child.stdin.flush()
    assert "café" in child.stdout.readline()
    child.send_signal(number)
    _, errors = child.communicate(timeout=30)
    assert (child.returncode, errors) == (code, f"winnow: {word}\n")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "word", "code"), SIGNALS)
def test_a_run_in_its_midst(tmp_path: Path, number, word, code):
    source, into, home = tmp_path / "in", tmp_path / "dataset", tmp_path / "home"
    write_jsonl(source / "a.jsonl", [{"id": str(n), "text": article(n)} for n in range(2000)])
    child = begin("run", source, "--into", into, "--executor", "inline", PREFECT_HOME=str(home))
    until(120, lambda: (into / ".staging").exists() or child.poll() is not None, "a run in its midst")
    child.send_signal(number)
    output, errors = child.communicate(timeout=60)
    assert child.returncode == code, errors
    assert errors.splitlines()[-1] == (
        f"winnow: {word}; the last version stays as it is, and the next run goes on from here"
    )
    assert output == ""
    assert not (into / "latest").exists()
    with sqlite3.connect(home / "prefect.db") as record:
        assert record.execute("select state_type from flow_run").fetchall() == [("CRASHED",)]
