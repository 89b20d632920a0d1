"""A Prefect server that goes away in mid-run, and one that comes back.

Stages run in the flow's own process, so the version is published whether the server answers or not. What needs the
server is the flow's first word and its last report; the command gives up on that within a minute of the end of its
work, and says so.
"""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.operate.dataset_runs import assert_tidy, assert_whole, rows_of
from tests.server.prefect_site import PrefectSite, until

from winnow.publish.dataset import Dataset
from winnow.storage.lock import lock_dataset

pytestmark = pytest.mark.slow
GRACE_SECONDS = 6


class Site(PrefectSite):
    """A server of its own, and runs of the command on it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", *self.start_server]
        log = (self.folder / "server.log").open("ab")
        self.server = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment, start_new_session=True)
        until(120, self.answers, "the server's start")

    def last_run(self) -> dict[str, object]:
        return self.ask("/flow_runs/filter", {"limit": 1, "sort": "START_TIME_DESC"})[0]

    def stop(self) -> None:
        """As a power cut would: the server and all it started."""
        if self.server is not None:
            os.killpg(self.server.pid, 9)
            self.server.wait(30)
            self.server = None

    def run(self, source: Path, into: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
        words = ["winnow", "run", str(source), "--into", str(into), "--executor", "inline", *options]
        environment = {**self.environment, "PREFECT_API_URL": self.api, **variables}
        return subprocess.Popen(
            [sys.executable, "-m", *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("site"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def begun(site, history, tmp_path):
    """A dataset with one version, and a run of the next in its midst."""

    def begin(*options: str, **variables: str) -> tuple[Path, subprocess.Popen[str]]:
        if not site.answers():
            site.start()
        into = history.copy_to(tmp_path / "dataset")
        child = site.run(history.source, into, *options, **variables)
        until(120, lambda: (into / ".staging").exists() or child.poll() is not None, "a run in its midst")
        return into, child

    return begin


def test_a_server_that_comes_back_costs_the_run_nothing(site, history, begun):
    into, child = begun()
    site.stop()
    until(120, lambda: Dataset(into).latest_version() == 2, "version 2")
    site.start()
    output, _ = child.communicate(timeout=200)
    assert child.returncode == 0, output
    assert "went away" not in output
    assert rows_of(into) == history.rows
    assert_tidy(into)
    assert site.last_run()["state_type"] == "COMPLETED"


def test_a_server_that_stays_away_costs_its_report_and_no_more(site, history, begun):
    into, child = begun("--json", WINNOW_SERVER_GRACE_SECONDS=str(GRACE_SECONDS))
    site.stop()
    until(120, lambda: Dataset(into).latest_version() == 2, "version 2")
    with lock_dataset(Dataset(into), "looking", wait_seconds=GRACE_SECONDS):
        assert_whole(into)
    output, _ = child.communicate(timeout=GRACE_SECONDS + 30)
    assert child.returncode == 0, output
    assert '"version": 2' in output
    assert "went away and was not told" in output
    assert rows_of(into) == history.rows
    assert_tidy(into)


def test_a_version_held_back_without_a_server_is_told_by_the_exit_code(site, begun, tmp_path):
    recipe = tmp_path / "strict.toml"
    recipe.write_text("[validate]\nmin_documents = 1000\n")
    into, child = begun("--recipe", str(recipe), WINNOW_SERVER_GRACE_SECONDS=str(GRACE_SECONDS))
    site.stop()
    output, _ = child.communicate(timeout=150)
    assert child.returncode == 1, output
    assert "winnow approve" in output and "was not told" in output
    assert Dataset(into).latest_version() == 1
    assert_whole(into)


def test_a_server_that_is_not_there_has_its_exit_code_and_nothing_changes(site, history, tmp_path):
    site.stop()
    into = history.copy_to(tmp_path / "dataset")
    child = site.run(history.source, into)
    output, _ = child.communicate(timeout=120)
    assert child.returncode == 3, output
    assert f"no Prefect server answers at {site.api}" in output
    assert_tidy(into)


class Shy(http.server.BaseHTTPRequestHandler):
    """Says that it is well, and hangs up on everything else: a server that dies after the first look at it."""

    def do_GET(self) -> None:
        if self.path.endswith("/health"):
            self.send_response(200)
            self.send_header("content-length", "4")
            self.end_headers()
            self.wfile.write(b"true")

    def do_POST(self) -> None: ...

    def log_message(self, *_: object) -> None: ...


def test_a_server_that_dies_before_the_run_begins_has_its_own_exit_code(history, tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site = Site(tmp_path)
    site.api = f"http://127.0.0.1:{server.server_port}/api"
    into = history.copy_to(tmp_path / "dataset")
    try:
        child = site.run(history.source, into, PREFECT_CLIENT_MAX_RETRIES="1")
        output, _ = child.communicate(timeout=150)
    finally:
        server.shutdown()
    assert child.returncode == 3, output
    assert "went away before the run could begin" in output
    assert_tidy(into)
