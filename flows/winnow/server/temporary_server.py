"""A Prefect server for one command, where the user has none: it listens on 127.0.0.1 and ends with the command.

Prefect can start such a server by itself; but that one stays for ever where the command is killed. This one reads its
standard input, which ends with the process that holds the other side, however that process ended. It answers to a
password that is made anew each time, and to pages of its own address alone.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from winnow.base.environment import (
    look_for_garbage_rarely,
    reach_loopback_directly,
    run_no_code_of_the_folder,
    switch_off,
)
from winnow.base.errors import DiskFull, ServerGone, limit_on_files
from winnow.base.log import LOGGER

START_SECONDS = 120.0  # a laden machine takes its time; a server that fails ends, and is not waited for
STOP_SECONDS = 5.0
LAST_LINES = 20  # of what a server said that did not start
ROOM = 1 << 20  # bytes: a new database of Prefect's

UNNEEDED = {
    "PREFECT_SERVER_UI_ENABLED": "false",  # nobody opens its pages: it ends with the command
    "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",  # types of blocks, for pages and for `prefect block`
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",  # what it says is kept, and shown only where it does not start
}
"""Parts of a server that one command does without."""


@contextmanager
def prefect_api(meanwhile: Callable[[], None] = lambda: None) -> Iterator[str]:
    """Yields the address of the server that runs report to: the one Prefect is set up for, or a temporary one.

    A temporary one takes seconds to start; `meanwhile` is called then, to import what is needed later. Raises
    ServerGone where the server does not answer.
    """
    begin_server()  # the import of Prefect takes seconds too
    server = _begun.pop() if _begun else None
    from prefect.settings import (
        PREFECT_API_AUTH_STRING,
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        get_current_settings,
        temporary_settings,
    )

    if api := get_current_settings().api.url:
        from winnow.server.outage import await_server

        if server:
            server.stop()
        await_server(api)
        yield api
        return
    server = server or TemporaryServer()
    logging.getLogger(LOGGER).info("starting Prefect")
    meanwhile()
    api = server.api()
    # Heartbeats tell a server that outlives a run of a run that died; and each flow waits up to a second for their end.
    own = {PREFECT_API_URL: api, PREFECT_API_AUTH_STRING: server.login, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    with temporary_settings(own):
        yield api


_begun: list[TemporaryServer] = []
"""A server that was begun for the flow to come."""


def begin_server() -> None:
    """Begins to start a temporary server beside other work, where Prefect's settings can name no other.

    One that no flow comes to use ends with this process.
    """
    give_prefect_a_home()
    if not _begun and not may_name_a_server():
        _begun.append(TemporaryServer())


def give_prefect_a_home() -> None:
    """Names a folder of this command alone as Prefect's home, where the user has none that can be written.

    Call it before Prefect is imported. The record of the run goes with the folder; the dataset has its own.
    """
    home = _home()
    try:
        if home is not None:
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=home, buffering=0) as probe:
                if probe.write(bytes(ROOM)) == ROOM:
                    return
    except OSError:
        pass
    try:
        private = tempfile.mkdtemp(prefix="winnow-prefect-")
    except OSError as error:
        raise DiskFull(
            f"{home or '~/.prefect'}, {os.environ.get('TMPDIR', '/tmp')}: no temporary file can be written, for the "
            "disk is full or they are read-only; nothing was changed. Free some space, or name a folder in TMPDIR"
        ) from error
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    os.environ["PREFECT_HOME"] = private
    logging.getLogger(LOGGER).warning(
        f"Prefect's home {home or '~/.prefect'} cannot be written, or is full, so Prefect keeps no record of this run; "
        "name a folder that can be in PREFECT_HOME"
    )


def places_without_room() -> str:
    """Sentences on folders that Prefect's database needs and that are full, with the remedy; a space ends each."""
    named = {"PREFECT_HOME": _home(), "TMPDIR": Path(os.environ.get("TMPDIR") or "/tmp")}
    full = {n: p for n, p in named.items() if p and p.is_dir() and shutil.disk_usage(p).free < ROOM}
    said = [f"{path} is full: free some space, or name another folder in {n}." for n, path in full.items()]
    return "".join(f"{sentence} " for sentence in (*said, limit_on_files()) if sentence)


def _home() -> Path | None:
    try:
        return Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    except RuntimeError:  # a user without a home, as in a container
        return None


def may_name_a_server() -> bool:
    """Whether Prefect may find the address of a server in its settings, told without the second its import takes.

    False is certain enough to start a temporary one meanwhile; the last word has Prefect.
    """
    home = _home() or Path()
    variables = "PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"
    files = home / "profiles.toml", Path(".env"), Path("prefect.toml")
    return any(map(os.environ.get, variables)) or any(f.exists() for f in files) or _in_project()


def _in_project() -> bool:
    try:
        return b"tool.prefect" in Path("pyproject.toml").read_bytes()
    except OSError:
        return False


class TemporaryServer:
    """Starts at once; ask for ``api`` when it is needed."""

    def __init__(self) -> None:
        self.login = f"winnow:{secrets.token_urlsafe(32)}"  # Prefect's basic authentication; never on a command line
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  (without a name; it ends with the last who holds it)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
            self._api = f"{origin}/api"
            handle = listening.fileno()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "winnow.server.temporary_server", str(handle)],
                stdin=subprocess.PIPE,
                stdout=self._said,  # the command's standard output is for its result alone
                stderr=self._said,
                pass_fds=[handle],
                env=_environment(origin, self.login),
                start_new_session=True,  # Ctrl-C in a terminal reaches the command, which still has to tell the server
            )
        atexit.register(self.stop)  # after Prefect has sent its last logs

    def api(self) -> str:
        """The address of its API, once it answers.

        Raises ServerGone, with what the server said last, where it does not start.
        """
        from winnow.server.outage import answers

        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            if answers(self._api):
                return self._api
            time.sleep(0.05)
        code = self.process.poll()
        self.stop()
        why = f"did not answer within {START_SECONDS:.0f} s" if code is None else f"ended with exit code {code}"
        raise ServerGone(
            f"Prefect's temporary server {why}. It said:\n{self._last_words()}\n{places_without_room()}"
            "Mend what it names, or start a server with `prefect server start` and name it in PREFECT_API_URL"
        )

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").replace(self.login, "***").splitlines()
        return "\n".join(f"  {line}" for line in lines[-LAST_LINES:]) or "  nothing"

    def stop(self) -> None:
        """Let it end; kill it where it does not."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _environment(origin: str, login: str) -> Mapping[str, str]:
    here = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    own = {"PREFECT_SERVER_API_AUTH_STRING": login, "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": origin}
    environment = {**os.environ, "PYTHONPATH": path, **UNNEEDED, **own}
    run_no_code_of_the_folder(environment)
    reach_loopback_directly(environment)
    return environment


def main(handle: int) -> None:
    """Serve on an inherited socket until standard input ends."""
    look_for_garbage_rarely()
    switch_off()
    servers: list[object] = []
    threading.Thread(target=_end_with_input, args=(servers,), daemon=True).start()
    import uvicorn
    from prefect.server.api.server import create_app

    from winnow.server.ready_database import make_ready

    make_ready()
    app = create_app(ephemeral=True, final=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    servers.append(server)
    server.run(sockets=[socket.socket(fileno=handle)])
    os._exit(0)  # to take all modules apart takes Python over a second, and the command waits


def _end_with_input(servers: list[object]) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    for server in servers:
        server.should_exit = True  # type: ignore[attr-defined]
    time.sleep(STOP_SECONDS - 1 if servers else 0)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
