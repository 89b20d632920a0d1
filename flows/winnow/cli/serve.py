"""``winnow serve``: one process that runs a dataset's flows on a Prefect server.

Build, replay and maintain run when the recipe says; approve, withdraw and erase when a person fills in their form.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO, cast

import typer

from winnow.base.errors import RecipeError, ServerGone, UsageError
from winnow.cli.interruption import prefect_ends_gracefully
from winnow.cli.options import (
    DATASET,
    AddressOption,
    ExecutorOption,
    IntoOption,
    JsonOption,
    MirrorOption,
    RecipeOption,
    StrictOption,
    WorkersOption,
    executor_kind,
)

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Schedule

    from winnow.base.recipe import Recipe
    from winnow.run.executor import Kind

app = typer.Typer()

WAIT_SECONDS = 3600  # a scheduled run waits that long for another flow of the dataset; then it fails and says so


@app.command(
    rich_help_panel="keep",
    epilog="Example: PREFECT_API_URL=http://127.0.0.1:4200/api winnow serve articles/ --recipe winnow.toml",
)
def serve(
    source: Annotated[str, typer.Argument(help="Folder, file or s3:// address to read.")],
    into: IntoOption = DATASET,
    recipe: RecipeOption = None,
    workers: WorkersOption = None,
    mirror: MirrorOption = False,
    strict: StrictOption = False,
    executor: ExecutorOption = "processes",
    address: AddressOption = None,
    as_json: JsonOption = False,
) -> int:
    """Run build, replay and maintain on the recipe's schedule, until stopped

    Needs a Prefect server: prefect server start, and its address in PREFECT_API_URL.
    """
    from winnow.base.addresses import refuse_credentials
    from winnow.base.log import LOGGER
    from winnow.run.recipe_file import load_recipe
    from winnow.server.outage import (
        LOOK_SECONDS,
        START_SECONDS,
        answers,
        await_server,
        is_no_connection,
        shown_api,
        without_password,
    )

    settings = load_recipe(recipe)
    refuse_credentials(source, into, address)
    kind = executor_kind(executor)
    api = os.environ.get("PREFECT_API_URL")
    if not api:
        raise UsageError(
            "PREFECT_API_URL names no server; start one with `prefect server start` (it listens on 127.0.0.1 only), "
            "then: PREFECT_API_URL=http://127.0.0.1:4200/api winnow serve ..."
        )
    # The processes that run the flows inherit this, and Winnow's log lines go to Prefect too.
    loggers = os.environ.get("PREFECT_LOGGING_EXTRA_LOGGERS", "")
    if LOGGER not in loggers.split(","):
        os.environ["PREFECT_LOGGING_EXTRA_LOGGERS"] = f"{loggers},{LOGGER}".strip(",")
    await_server(api)
    import httpx
    from prefect import serve
    from prefect.exceptions import PrefectException

    def wanted(settings: Recipe) -> list[RunnerDeployment]:
        return deployments(
            source, into, recipe, settings, workers, mirror=mirror, strict=strict, executor=kind, address=address
        )

    served = wanted(settings)
    events = Events(sys.stdout if as_json else None)
    names = [f"{d.flow_name}/{d.name}" for d in served]
    events.tell("serving", f"serving {', '.join(names)} on {shown_api(api)}; stop with Ctrl-C", deployments=names)
    if recipe:
        RecipeWatch(Path(recipe), wanted, events).start()
    warnings.filterwarnings("ignore", "coroutine 'Runner.astop' was never awaited")  # Prefect's, on SIGTERM
    try:
        # What Prefect prints is no result of a command, and tells each outage in a hundred lines.
        with prefect_ends_gracefully("; schedules are paused, and resumed at the next start"), quiet():
            while True:
                began = time.monotonic()
                try:
                    # One run at a time in this process: the flows of one dataset wait for one another anyway.
                    serve(*wanted(load_recipe_or(recipe, settings)), limit=1, print_starting_message=False)
                    break
                except (Exception, BaseExceptionGroup) as error:
                    lost = isinstance(error, PrefectException) or is_no_connection(error)
                    if not lost or (answers(api) and time.monotonic() - began < START_SECONDS):
                        raise
                    server = f"winnow: the Prefect server at {shown_api(api)}"
                    events.tell("server_away", f"{server} is away; serving goes on when it is back")
                    while not answers(api):
                        time.sleep(LOOK_SECONDS)
                    events.tell("server_back", f"{server} is back; serving goes on")
    except (httpx.HTTPError, PrefectException) as error:
        raise ServerGone(
            f"the Prefect server at {shown_api(api)} does not take the deployments: {without_password(error, api)}"
        ) from error
    return 0


def load_recipe_or(path: str | None, known: Recipe) -> Recipe:
    """The recipe as it is now, or as it was `known` where it has a mistake now, which the watch over it tells."""
    from winnow.run.recipe_file import load_recipe

    try:
        return load_recipe(path)
    except RecipeError:
        return known


@contextmanager
def quiet() -> Iterator[None]:
    from winnow.server.one_line import outage_in_one_line

    with Path(os.devnull).open("w") as nothing, redirect_stdout(nothing), outage_in_one_line():
        yield


@dataclass(frozen=True, slots=True)
class Events:
    """Tells what happens while it serves: a line for people on standard error, or a JSON object a line on `stream`."""

    stream: TextIO | None = None

    def tell(self, event: str, message: str, **facts: object) -> None:
        from winnow.base.terminal import say

        if self.stream is None:
            say(message)
            return
        time_ = datetime.now(UTC).isoformat(timespec="milliseconds")
        print(json.dumps({"time": time_, "event": event, "message": message, **facts}), file=self.stream, flush=True)


class RecipeWatch(threading.Thread):
    """Looks at the recipe every few seconds; a change of its schedules takes effect, a mistake in it is told once.

    The other settings each run reads for itself.
    """

    def __init__(
        self, path: Path, wanted: Callable[[Recipe], list[RunnerDeployment]], events: Events, every: float = 5.0
    ) -> None:
        super().__init__(daemon=True)
        self._path, self._wanted, self._events, self._every = path, wanted, events, every
        self._seen = self._content()

    def run(self) -> None:
        while True:
            time.sleep(self._every)
            self.look()

    def look(self) -> None:
        from winnow.run.recipe_file import load_recipe

        content = self._content()
        if content == self._seen:
            return
        try:
            for deployment in self._wanted(load_recipe(self._path)):
                deployment.apply()
            self._events.tell("recipe_changed", f"winnow: {self._path} changed; its schedules are in effect")
        except RecipeError as error:
            mistakes = "; ".join(str(error).split("\n"))
            why = f"winnow: {mistakes}; schedules stay as they are, and runs fail until it is mended"
            self._events.tell("recipe_mistake", why)
        except Exception:  # the server is away, which is told elsewhere; the next look tries again
            return
        self._seen = content

    def _content(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except OSError:
            return None


def deployments(
    source: str,
    into: str,
    recipe: str | None,
    settings: Recipe,
    workers: int | None = None,
    *,
    mirror: bool = False,
    strict: bool = False,
    executor: Kind = "processes",
    address: str | None = None,
) -> list[RunnerDeployment]:
    """Returns one deployment a flow, named after the dataset; a flow without a schedule runs when it is asked for.

    Paths are made absolute: runs start in folders of their own. Raises UsageError for a wrong schedule.
    """
    from prefect.types.entrypoint import EntrypointType

    from winnow.approve import approve
    from winnow.build import build
    from winnow.erase import erase
    from winnow.maintain import maintain
    from winnow.replay import replay
    from winnow.server.artifacts import slug
    from winnow.withdraw import withdraw

    name = slug(into)
    common = {"into": _absolute(into), "wait_seconds": WAIT_SECONDS}
    upkeep = {**common, "recipe": _absolute(recipe) if recipe else None}
    placed = {"workers": workers, "executor": executor, "address": address}
    making = {**upkeep, **placed}
    when = settings.schedule
    served = (
        (build, {**making, "source": _absolute(source), "mirror": mirror, "strict": strict}, when.build),
        (replay, making, when.replay),
        (maintain, upkeep, when.maintain),
        (approve, common, None),  # this and the next two are a person's to start
        (withdraw, making, None),
        (erase, making, None),
    )
    made = [
        flow.to_deployment(
            name,
            parameters=parameters,
            schedule=_schedule(cron, when.timezone, flow.name) if cron else None,
            tags=["winnow", name],
            # None, also where an earlier one set it: the dataset's lock lets one run write and others wait. A slot of
            # Prefect's is never given back where the server ends while a run holds it, and nothing would run again.
            concurrency_limit=None,
            description=flow.description,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for flow, parameters, cron in served
    ]
    return cast("list[RunnerDeployment]", made)  # to_deployment is a coroutine only where a loop runs


def _schedule(cron: str, timezone: str, flow: str) -> Schedule:
    from prefect.schedules import Cron

    try:
        return Cron(cron, timezone=timezone)
    except ValueError as error:
        raise UsageError(f"schedule.{flow} = {cron!r}: is no cron line; five fields, as in '30 2 * * *'") from error


def _absolute(place: str) -> str:
    return place if "://" in place else str(Path(place).resolve())
