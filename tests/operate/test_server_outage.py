"""A Prefect server that goes away in mid-run, and one that comes back.

What was found: stages run in the flow's own process, so the version is published whether the server answers or not.
What needs the server is the flow's last report. Prefect's client tries to give it for minutes, longer than its retries
suggest, so the command ends late where the server stays away; the dataset is free and right long before. A run after
that, with a server, finds nothing left to do.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.publish.dataset import Dataset
from tests.conftest import ROOT
from tests.operate.dataset_runs import assert_tidy, assert_whole, rows_of, two_batches

pytestmark = pytest.mark.slow
CLIENT_RETRIES = "5"


class Site:
    """A server of its own, and runs of the command on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
        self.environment = {
            **clean,
            "PREFECT_HOME": str(folder / "home"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_CLIENT_MAX_RETRIES": CLIENT_RETRIES,
            "PYTHONPATH": str(ROOT),
        }
        self.server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port)]
        log = (self.folder / "server.log").open("ab")
        self.server = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment, start_new_session=True)
        until(120, self.answers)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/health", timeout=2):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        """As a power cut would: the server and all it started."""
        if self.server is not None:
            os.killpg(self.server.pid, 9)
            self.server.wait(30)
            self.server = None

    def run(self, source: Path, into: Path) -> subprocess.Popen[str]:
        api = f"http://127.0.0.1:{self.port}/api"
        command = [sys.executable, "-m", "flows.cli", "run", str(source), "--into", str(into), "--workers", "1"]
        environment = {**self.environment, "PREFECT_API_URL": api}
        return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)


def until(seconds: float, condition: Callable[[], object]) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("site"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def example(site):
    """Two sources, and what they give when the server is there all the time."""
    first, second = two_batches(site.folder)
    for source in (first, second):
        child = site.run(source, site.folder / "undisturbed")
        output, _ = child.communicate(timeout=300)
        assert child.returncode == 0, output
    return first, second, rows_of(site.folder / "undisturbed")


def test_a_server_that_comes_back_costs_the_run_nothing(site, example):
    first, second, wanted = example
    into = site.folder / "back"
    assert site.run(first, into).wait(300) == 0
    child = site.run(second, into)
    until(120, (into / ".staging").exists)
    site.stop()
    time.sleep(2)
    site.start()
    output, _ = child.communicate(timeout=400)
    assert child.returncode == 0, output
    assert rows_of(into) == wanted
    assert_tidy(into)


def test_a_server_that_stays_away_harms_no_version_and_holds_no_dataset(site, example):
    first, second, wanted = example
    into = site.folder / "away"
    assert site.run(first, into).wait(300) == 0
    child = site.run(second, into)
    until(120, (into / ".staging").exists)
    site.stop()
    try:
        until(300, lambda: Dataset(into).latest_version() == 2 or child.poll() is not None)
        with Dataset(into).writing("looking", wait_seconds=60):
            assert_whole(into)
    finally:
        child.kill()  # it may still be trying to reach the server
        child.communicate()
    site.start()
    again = site.run(second, into)
    output, _ = again.communicate(timeout=300)
    assert again.returncode == 0, output
    assert rows_of(into) == wanted
    assert_tidy(into)
