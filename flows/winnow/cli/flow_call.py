"""Running a flow from the command line: its server, an interruption, and a server that goes away."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from winnow.base.errors import INTERNAL_ERROR, GateHeld, ServerGone, WinnowError
from winnow.base.terminal import say
from winnow.cli.interruption import ends_when_told
from winnow.cli.log_options import log_options
from winnow.cli.progress import print_summary, progress_shown
from winnow.run.summary import RunSummary
from winnow.run.worker_pool import begin_loading
from winnow.server.outage import (
    RunResult,
    Watch,
    grace_seconds,
    is_refused,
    is_unreachable,
    shown_api,
    without_password,
)
from winnow.server.temporary_server import places_without_room, prefect_api


def run_flow(flow: Callable[[], RunSummary], into: str, as_json: bool) -> int:
    """Runs a flow that may publish a version, on the server that Prefect is set up for or a temporary one.

    `flow` imports the flow and calls it: that takes a second, in which the server starts. Where the server goes away
    for good, the run is finished all the same, and says so at its end. Raises ServerGone where it could not begin.
    """
    for variable in ("PREFECT_LOGGING_LEVEL", "PREFECT_SERVER_LOGGING_LEVEL"):
        # The command prints errors itself.
        os.environ.setdefault(variable, "INFO" if log_options().verbose else "CRITICAL")
    grace_seconds()  # a wrong value is refused before the work, not after it
    # What a run leaves half done the next one finds.
    remark = "; the last version stays as it is, and the next run goes on from here"
    begin_loading()
    with progress_shown() as end_progress, ends_when_told(remark) as interruption, prefect_api(_import_flows) as api:

        def give_up(result: RunResult) -> None:
            """Prints the result of the run and ends the process: its main thread waits for the server."""
            end_progress()
            code = INTERNAL_ERROR
            try:
                code = _print_without_server(api, result, into, as_json)
            finally:
                os._exit(code)

        summary = _watched(flow, Watch(api, interruption.come_first, give_up))
    print_summary(summary, into, as_json)
    return exit_code_of(summary)


def _import_flows() -> None:
    import winnow.build  # noqa: F401
    from winnow.validate.expectations import load_great_expectations

    load_great_expectations()


def _watched(flow: Callable[[], RunSummary], watch: Watch) -> RunSummary:
    """Returns the flow's summary, also where only the report to the server failed."""
    with watch.beside():
        try:
            return flow()
        except Exception as error:
            if error is watch.result or isinstance(error, WinnowError):
                raise
            if watch.result is None and (is_unreachable(error) or is_refused(error)):
                raise ServerGone(
                    f"the Prefect server at {shown_api(watch.api)} went away before the run could begin: "
                    f"{without_password(error, watch.api)}; nothing was changed. {places_without_room()}"
                    "Start it, or name one that works in PREFECT_API_URL, and run again"
                ) from error
            if watch.result is None:
                raise
            if isinstance(watch.result, BaseException):
                raise watch.result from error
            say(_unheard(watch.api))
            return watch.result


def _print_without_server(api: str, result: RunResult, into: str, as_json: bool) -> int:
    """Prints the result of a run that no server took; returns the exit code that the command would have had."""
    code = INTERNAL_ERROR
    if isinstance(result, RunSummary):
        print_summary(result, into, as_json)
        sys.stdout.flush()
        code = exit_code_of(result)
    elif isinstance(result, WinnowError):
        say(f"winnow: {result}")
        code = result.exit_code
    else:
        traceback.print_exception(result)
    say(_unheard(api))
    return code


def exit_code_of(summary: RunSummary) -> int:
    return GateHeld.exit_code if summary.held else 0


def _unheard(api: str) -> str:
    return (
        f"winnow: the Prefect server at {shown_api(api)} went away and was not told; the dataset is as said here, and "
        "the server's pages may show this run as running for ever"
    )
