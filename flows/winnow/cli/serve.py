"""``winnow serve``: one process that runs a dataset's flows on a Prefect server.

Build, replay and maintain run when the recipe says; approve and withdraw when a person fills in their form.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from winnow.base.addresses import refuse_credentials
from winnow.base.errors import UsageError, WinnowError
from winnow.base.log import LOGGER
from winnow.base.recipe import Recipe, load_recipe
from winnow.base.telemetry import switch_off
from winnow.base.terminal import say
from winnow.server.outage import await_server, shown_api, without_password
from winnow.storage.locate import Place, inside

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

WAIT_SECONDS = (
    3600  # a scheduled run finds the dataset taken for as long as another flow takes; then it fails and says so
)


def serve_flows(source: str, into: Place, recipe: Path | None, workers: int | None, mirror: bool) -> int:
    """Serve the deployments until the process is stopped; schedules are paused then, and resumed at the next start.

    Raises UsageError where no server is named or none answers, and RecipeError for a wrong schedule.
    """
    settings = load_recipe(recipe)
    refuse_credentials(source, str(into))
    api = os.environ.get("PREFECT_API_URL")
    if not api:
        raise UsageError(
            "PREFECT_API_URL names no server; start one with `prefect server start` (it listens on 127.0.0.1 only), "
            "then: PREFECT_API_URL=http://127.0.0.1:4200/api winnow serve ..."
        )
    prepare_environment()
    await_server(api)
    import httpx
    from prefect import serve
    from prefect.exceptions import PrefectException

    served = deployments(source, into, recipe, settings, workers, mirror)
    say(f"serving {', '.join(f'{d.flow_name}/{d.name}' for d in served)} on {shown_api(api)}; stop with Ctrl-C")
    try:
        # One run at a time in this process: the flows of one dataset wait for one another anyway.
        serve(*served, limit=1, print_starting_message=False)
    except (httpx.HTTPError, PrefectException) as error:
        why = without_password(error, api)
        raise WinnowError(
            f"the Prefect server at {shown_api(api)} went away or forgot the deployments: {why}"
        ) from error
    return 0


def prepare_environment() -> None:
    """What the processes that run the flows inherit: no reports to anyone, and Winnow's log lines go to Prefect too."""
    switch_off()
    loggers = os.environ.get("PREFECT_LOGGING_EXTRA_LOGGERS", "")
    if LOGGER not in loggers.split(","):
        os.environ["PREFECT_LOGGING_EXTRA_LOGGERS"] = f"{loggers},{LOGGER}".strip(",")


def deployments(
    source: str, into: Place, recipe: Path | None, settings: Recipe, workers: int | None = None, mirror: bool = False
) -> list[RunnerDeployment]:
    """One deployment a flow, named after the dataset; a flow without a schedule runs when it is asked for.

    Paths are made absolute: runs start in folders of their own.
    """
    from prefect.types.entrypoint import EntrypointType

    from winnow.approve import approve
    from winnow.build import build
    from winnow.maintain import maintain
    from winnow.replay import replay
    from winnow.withdraw import withdraw

    name = deployment_name(into)
    own: dict[str, dict[str, Any]] = {
        "build": {"source": _absolute(source), "workers": workers, "mirror": mirror},
        "replay": {"workers": workers},
        "maintain": {},
        "approve": {},
        "withdraw": {"workers": workers},
    }
    common = {"into": _absolute(str(into)), "wait_seconds": WAIT_SECONDS}
    with_recipe = {**common, "recipe": str(recipe.resolve()) if recipe else None}
    made = [
        flow.to_deployment(
            name,
            parameters={**(common if flow is approve else with_recipe), **own[flow.name]},
            schedule=schedule_of(settings, flow.name),
            tags=["winnow", name],
            # The dataset's lock allows one writer; here a second run waits in line instead of failing.
            concurrency_limit=1,
            description=flow.description,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for flow in (build, replay, maintain, approve, withdraw)
    ]
    return cast("list[RunnerDeployment]", made)  # to_deployment is a coroutine only where a loop runs


def schedule_of(settings: Recipe, flow: str) -> Any:
    """The flow's schedule as Prefect knows it, None where the recipe has none.

    Raises UsageError for a cron line that Prefect cannot read.
    """
    from prefect.schedules import Cron

    cron = getattr(settings.schedule, flow, None)  # approve and withdraw are a person's to start
    if cron is None:
        return None
    try:
        return Cron(cron, timezone=settings.schedule.timezone)
    except ValueError as error:
        raise UsageError(f"schedule.{flow} = {cron!r}: is no cron line; five fields, as in '30 2 * * *'") from error


def deployment_name(into: Place) -> str:
    """Name of a dataset's deployments, from its folder.

    >>> deployment_name(Path("/data/My articles"))
    'my-articles'
    """
    return re.sub("[^a-z0-9]+", "-", Path(inside(into)).resolve().name.lower()).strip("-") or "dataset"


def _absolute(source: str) -> str:
    return source if "://" in source else str(Path(source).resolve())
