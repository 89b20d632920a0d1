"""A Prefect server that goes away while a command runs.

The stages need no server: a run does its work and publishes whether one answers or not. What needs it is the first
word and the last: Prefect's client tries for a minute to give each, and gives a dozen of them at the end of a run. So a
command that has done its work waits for `GRACE_SECONDS` (or WINNOW_SERVER_GRACE_SECONDS) while the server is away, then
prints the result of the run and ends. A server that is back by then hears all of it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from winnow.base.errors import ServerGone, UsageError
from winnow.run.summary import RunSummary

GRACE_SECONDS = 60.0
PATIENCE = 5  # times the grace, after which a server that answers and takes no report is waited for no longer
LOOK_SECONDS = 1.0
START_SECONDS = 10.0  # a server that is just being started anew is waited for

RunResult = RunSummary | BaseException
"""How a run ended: its summary, or why there is none."""

_watch: ContextVar[Watch | None] = ContextVar("winnow_watch", default=None)


def work_begins() -> None:
    """Called by a flow before its work, when Prefect has been told of it."""
    if (watch := _watch.get()) is not None:
        watch.at_work()


def work_is_over(result: RunResult) -> None:
    """Called by a flow when its work is done and only Prefect has still to be told."""
    if (watch := _watch.get()) is not None:
        watch.begin(result)


class Watch:
    """Waits beside a flow; where its report finds no server, it calls `give_up` with the result of the run.

    It calls `at_work` inside the flow, before its work.
    """

    def __init__(self, api: str, at_work: Callable[[], None], give_up: Callable[[RunResult], None]) -> None:
        self.api = api
        self.result: RunResult | None = None
        self.at_work = at_work
        self._give_up = give_up
        self._reported = threading.Event()

    @contextmanager
    def beside(self) -> Iterator[Watch]:
        """Listen to the flow that is called in this block."""
        token = _watch.set(self)
        try:
            yield self
        finally:
            _watch.reset(token)
            self._reported.set()

    def begin(self, result: RunResult) -> None:
        self.result = result
        threading.Thread(target=self._wait, args=(result, grace_seconds()), daemon=True).start()

    def _wait(self, result: RunResult, grace: float) -> None:
        began = time.monotonic()
        while not self._reported.wait(LOOK_SECONDS):
            waited = time.monotonic() - began
            if waited > grace * PATIENCE or (waited > grace and not answers(self.api)):
                self._give_up(result)
                return


def grace_seconds() -> float:
    """How long a server may be away at the end of a run.

    Raises UsageError for a value that is no number of seconds.
    """
    said = os.environ.get("WINNOW_SERVER_GRACE_SECONDS")
    try:
        seconds = float(said) if said else GRACE_SECONDS
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise UsageError(f"WINNOW_SERVER_GRACE_SECONDS={said!r}: give a number of seconds, 0 or more")
    return seconds


def answers(api: str) -> bool:
    """Whether a Prefect server answers there, be it with a refusal."""
    import httpx

    try:
        return bool(_health(api).status_code < 500)
    except httpx.HTTPError:
        return False


def is_unreachable(error: Exception) -> bool:
    """Whether that is how Prefect's client says that no server answers.

    >>> is_unreachable(RuntimeError("Failed to reach API at http://127.0.0.1:4200/api/")), is_unreachable(ValueError())
    (True, False)
    """
    import httpx

    return isinstance(error, httpx.HTTPError) or (isinstance(error, RuntimeError) and "reach API" in str(error))


def is_refused(error: Exception) -> bool:
    """Whether Prefect's client could not do with a server what it wanted, as with one whose disk is full.

    >>> from prefect.exceptions import ObjectNotFound
    >>> is_refused(ObjectNotFound(KeyError())), is_refused(KeyError())
    (True, False)
    """
    return type(error).__module__.startswith("prefect.")


def is_no_connection(error: BaseException) -> bool:
    """Whether an error, or one of a group, says that a server is away, as Prefect's services do in their several ways.

    >>> is_no_connection(ExceptionGroup("", [ConnectionRefusedError()])), is_no_connection(KeyError())
    (True, False)
    """
    if isinstance(error, BaseExceptionGroup):
        return any(map(is_no_connection, error.exceptions))
    return isinstance(error, OSError) or (
        (isinstance(error, Exception) and (is_unreachable(error) or "Service exceeded error threshold" in str(error)))
        or type(error).__module__.startswith("websockets.")
        or type(error).__name__ == "NoEventLoopError"  # what Prefect's observer stumbles over when it gives up
    )


def await_server(api: str) -> None:
    """Raise ServerGone where no Prefect server answers within `START_SECONDS`."""
    import httpx

    end = time.monotonic() + START_SECONDS
    while True:
        try:
            _health(api).raise_for_status()
            return
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if time.monotonic() > end or isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
                why = without_password(error, api)
                raise ServerGone(
                    f"no Prefect server answers at {shown_api(api)}: {why}; start it, or unset PREFECT_API_URL for a "
                    "temporary one"
                ) from error
        time.sleep(0.5)


def _health(api: str) -> Any:
    import httpx
    from prefect.settings import get_current_settings

    settings = get_current_settings().api
    key = settings.key.get_secret_value() if settings.key else None
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    verify = not settings.tls_insecure_skip_verify
    return httpx.get(f"{api.rstrip('/')}/health", timeout=5, headers=headers, verify=verify)


def without_password(error: Exception, api: str) -> str:
    """What an error says, or its cause, with the server's address as it may be shown."""
    said = error.__cause__ if error.__cause__ and str(error) in ("", "None") else error
    return str(said).replace(api.rstrip("/"), shown_api(api).rstrip("/"))


def shown_api(api: str) -> str:
    """A server's address without user and password.

    >>> shown_api("https://user:word@prefect.example/api")
    'https://prefect.example/api'
    """
    parts = urlsplit(api)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
