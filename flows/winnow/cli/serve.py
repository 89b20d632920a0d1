"""``winnow serve``: one process that runs a dataset's flows on a Prefect server.

Build, replay and maintain run when the recipe says; approve and withdraw when a person fills in their form.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from winnow.base.errors import ServerGone, UsageError
from winnow.cli.interruption import prefect_ends_gracefully
from winnow.cli.options import DATASET, IntoOption, MirrorOption, RecipeOption, StrictOption, WorkersOption

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Schedule

    from winnow.base.recipe import Recipe

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
) -> int:
    """Run build, replay and maintain on the recipe's schedule, until stopped

    Needs a Prefect server: prefect server start, and its address in PREFECT_API_URL.
    """
    from winnow.base.addresses import refuse_credentials
    from winnow.base.log import LOGGER
    from winnow.base.terminal import say
    from winnow.run.recipe_file import load_recipe
    from winnow.server.outage import await_server, shown_api, without_password

    settings = load_recipe(recipe)
    refuse_credentials(source, into)
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

    served = deployments(source, into, recipe, settings, workers, mirror, strict)
    say(f"serving {', '.join(f'{d.flow_name}/{d.name}' for d in served)} on {shown_api(api)}; stop with Ctrl-C")
    warnings.filterwarnings("ignore", "coroutine 'Runner.astop' was never awaited")  # Prefect's, on SIGTERM
    try:
        with prefect_ends_gracefully("; schedules are paused, and resumed at the next start"):
            # One run at a time in this process: the flows of one dataset wait for one another anyway.
            serve(*served, limit=1, print_starting_message=False)
    except (httpx.HTTPError, PrefectException) as error:
        why = without_password(error, api)
        raise ServerGone(
            f"the Prefect server at {shown_api(api)} went away or forgot the deployments: {why}"
        ) from error
    return 0


def deployments(
    source: str,
    into: str,
    recipe: str | None,
    settings: Recipe,
    workers: int | None = None,
    mirror: bool = False,
    strict: bool = False,
) -> list[RunnerDeployment]:
    """Returns one deployment a flow, named after the dataset; a flow without a schedule runs when it is asked for.

    Paths are made absolute: runs start in folders of their own. Raises UsageError for a wrong schedule.
    """
    from prefect.types.entrypoint import EntrypointType

    from winnow.approve import approve
    from winnow.build import build
    from winnow.maintain import maintain
    from winnow.replay import replay
    from winnow.server.artifacts import slug
    from winnow.withdraw import withdraw

    name = slug(into)
    common = {"into": _absolute(into), "wait_seconds": WAIT_SECONDS}
    upkeep = {**common, "recipe": _absolute(recipe) if recipe else None}
    making = {**upkeep, "workers": workers}
    when = settings.schedule
    served = (
        (build, {**making, "source": _absolute(source), "mirror": mirror, "strict": strict}, when.build),
        (replay, making, when.replay),
        (maintain, upkeep, when.maintain),
        (approve, common, None),  # this and the next are a person's to start
        (withdraw, making, None),
    )
    made = [
        flow.to_deployment(
            name,
            parameters=parameters,
            schedule=_schedule(cron, when.timezone, flow.name) if cron else None,
            tags=["winnow", name],
            # The dataset's lock allows one writer; here a second run waits in line instead of failing.
            concurrency_limit=1,
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
