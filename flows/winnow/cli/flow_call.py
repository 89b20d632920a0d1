"""Running a flow from the command line: its server, its interruption, and what is said where the server goes away."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from winnow.base.addresses import refuse_credentials
from winnow.base.errors import ServerGone, WinnowError
from winnow.base.log import LOGGER
from winnow.base.terminal import say
from winnow.cli.progress import print_summary, progress_shown
from winnow.server.outage import (
    Outcome,
    Watch,
    await_server,
    grace_seconds,
    is_unreachable,
    shown_api,
    without_password,
)
from winnow.server.temporary_server import TemporaryServer, may_name_a_server
from winnow.storage.locate import Place
from winnow.validate.judge import load_great_expectations

# Prefect is quiet: errors are ours to tell.
_PREFECT = {"PREFECT_LOGGING_LEVEL": "CRITICAL", "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL"}


def run_flow(name: str, parameters: Mapping[str, Any], into: Place, as_json: bool) -> int:
    """Run a flow that may publish a version, on the server that Prefect is set up for or a temporary one.

    Where the server goes away for good the run is done all the same, and ends by saying so; raises ServerGone where it
    could not begin.
    """
    for variable, value in _PREFECT.items():
        os.environ.setdefault(variable, value)
    refuse_credentials(*(parameters.get(name) for name in ("source", "into", "address")))
    grace_seconds()  # a wrong value is told before the work, not after it
    with progress_shown() as end_progress, ends_when_interrupted(), prefect_api() as api:
        flow: Any = getattr(import_module(f"winnow.{name}"), name)

        def give_up(outcome: Outcome) -> None:
            """Say what came of the run and end the process: its main thread waits for the server."""
            end_progress()
            code = 1
            try:
                code = _tell_without_server(api, outcome, into, as_json)
            finally:
                os._exit(code)

        watch = Watch(api, give_up)
        summary = _watched(flow, parameters, watch)
    print_summary(summary, into, as_json)
    return 0


def _watched(flow: Any, parameters: Mapping[str, Any], watch: Watch) -> Mapping[str, Any]:
    """What the flow returns; its summary also where only the report to the server failed."""
    with watch.beside():
        try:
            summary: Mapping[str, Any] = flow(**parameters)
            return summary
        except Exception as error:
            if error is watch.outcome or isinstance(error, WinnowError):
                raise
            if watch.outcome is None and is_unreachable(error):
                raise ServerGone(
                    f"the Prefect server at {shown_api(watch.api)} went away before the run could begin: "
                    f"{without_password(error, watch.api)}; "
                    "nothing was changed. Start it and run again"
                ) from error
            if watch.outcome is None:
                raise
            if isinstance(watch.outcome, BaseException):
                raise watch.outcome from error
            say(_unheard(watch.api))
            return watch.outcome


def _tell_without_server(api: str, outcome: Outcome, into: Place, as_json: bool) -> int:
    """Print what came of a run that no server took; returns the exit code that the command would have had."""
    if isinstance(outcome, Mapping):
        print_summary(outcome, into, as_json)
        sys.stdout.flush()
        say(_unheard(api))
        return 0
    if isinstance(outcome, WinnowError):
        say(f"winnow: {outcome}")
        say(_unheard(api))
        return outcome.exit_code
    traceback.print_exception(outcome)
    say(_unheard(api))
    return 1


def _unheard(api: str) -> str:
    return (
        f"winnow: the Prefect server at {shown_api(api)} went away and was not told; the dataset is as said here, and "
        "the server's pages may show this run as running for ever"
    )


@contextmanager
def prefect_api() -> Iterator[str]:
    """The address of the server that runs are told to: the one Prefect is set up for, or a temporary one.

    Raises UsageError where that server does not answer.
    """
    server = None if may_name_a_server() else _begin_server()  # it takes seconds, and so does the import of Prefect
    from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings

    if api := get_current_settings().api.url:
        if server:
            server.stop()
        await_server(api)
        yield api
        return
    server = server or _begin_server()
    import_module("winnow.build")
    load_great_expectations()  # not needed yet; but there is time until the server answers
    api = server.api()
    with temporary_settings({PREFECT_API_URL: api}):
        yield api


def _begin_server() -> TemporaryServer:
    logging.getLogger(LOGGER).info("starting Prefect")
    return TemporaryServer()


@contextmanager
def ends_when_interrupted(grace_seconds: float = 5) -> Iterator[None]:
    """Ctrl-C ends the command within seconds.

    The flow tells its server that it ends, and would try for a minute where that does not answer. What a run leaves
    half done the next one finds, so it may end at any point.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupted(number: int, frame: object) -> None:
        end = threading.Timer(grace_seconds, os._exit, (130,))
        end.daemon = True
        end.start()
        say("winnow: interrupted; the last version stays as it is, and the next run goes on from here")
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
