"""A Prefect server of its own on a free port, for tests that start, stop and ask it."""

from __future__ import annotations

import json
import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import ROOT


class PrefectSite:
    """Where a server is to listen, and what its process and those of its users find in their environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        self.api = f"http://127.0.0.1:{port}/api"
        self.start_server = ("prefect", "server", "start", "--host", "127.0.0.1", "--port", port)
        own = {"PREFECT_HOME": str(folder / "home"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
        self.environment = {**clean, **own, "PYTHONPATH": str(ROOT)}

    def ask(self, path: str, body: object = None) -> Any:
        """The server's answer. Raises OSError while it is not up."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api + path, data, {"content-type": "application/json"})
        for _ in range(10):
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return json.loads(answer.read())
            except urllib.error.HTTPError as error:
                if error.code != 503:  # the server's database was busy; Prefect's own client asks again as well
                    raise
                time.sleep(1)
        raise AssertionError(f"{path}: the server stayed busy")

    def answers(self) -> bool:
        try:
            return bool(self.ask("/health"))
        except OSError:
            return False


def until(seconds: float, condition: Callable[[], Any], what: str) -> Any:
    """Wait for a condition and return what it found; an OSError says that the server is not up yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{what} did not happen within {seconds} s")
