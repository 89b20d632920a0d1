"""The flow: read > repair > check > deduplicate > validate > publish.

One Prefect task a stage. Inside a stage, shards are mapped over an executor; between stages only paths and counts
travel, never a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

from pydantic import Field

from winnow.base.telemetry import switch_off

switch_off()

from prefect import Task, flow, task  # noqa: E402  (telemetry must be off before Prefect reads its settings)
from prefect.cache_policies import NO_CACHE  # noqa: E402
from prefect.states import Failed  # noqa: E402

from winnow.base.addresses import Address  # noqa: E402
from winnow.base.errors import GateHeld  # noqa: E402
from winnow.base.log import show_info  # noqa: E402
from winnow.base.recipe import load_recipe  # noqa: E402
from winnow.publish.recover import recover  # noqa: E402
from winnow.run import stages  # noqa: E402
from winnow.run.approval import PastRun, covers, remember_call, run_to_approve, without_credentials  # noqa: E402
from winnow.run.executor import Kind, open_executor, release  # noqa: E402
from winnow.run.run_context import Run, begin, new_run_id  # noqa: E402
from winnow.server import artifacts  # noqa: E402
from winnow.server.outage import work_is_over  # noqa: E402
from winnow.storage.locate import describe_dataset, refuse_dataset_in_source  # noqa: E402

P = ParamSpec("P")
R = TypeVar("R")


def stage(function: Callable[P, R]) -> Task[P, R]:
    """A stage as a task.

    Retries are for storage that fails for a moment; a stage finds its finished shards again and only does the rest.
    """
    wrap = task(
        name=function.__name__,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=2,
        retry_delay_seconds=[2, 20],
        retry_condition_fn=stages.worth_retrying,
    )
    return wrap(function)


read = stage(stages.read)
repair = stage(stages.repair)
check = stage(stages.check)
deduplicate = stage(stages.deduplicate)
validate = stage(stages.validate)
publish = stage(stages.publish)

LONGEST_SECONDS = 24 * 3600
"""A run that takes longer hangs, or should be cut into several; without an end it would hold the dataset for ever."""


@flow(
    name="build", description="Damaged, repetitive text in, a new version of a Parquet dataset out.",
    timeout_seconds=LONGEST_SECONDS, on_failure=[artifacts.tell_failed], on_crashed=[artifacts.tell_failed],
)  # fmt: skip
def build(
    source: Address = "seeds",
    into: Address = "dataset",
    recipe: str | None = None,
    workers: Annotated[int | None, Field(ge=1)] = None,
    full: bool = False,
    mirror: bool = False,
    executor: Kind = "processes",
    address: Address | None = None,
    approve: str | None = None,
    approved_run: str | None = None,
    wait_seconds: Annotated[float, Field(ge=0)] = 0,
) -> dict[str, Any]:
    """Build the next version of a dataset; returns the summary of the run as plain data.

    A run that changes nothing publishes nothing. Raises GateHeld where a dataset-level expectation fails.

    Args:
        source: Folder, file or s3:// address to read.
        into: The dataset's folder, or s3://BUCKET/PREFIX.
        recipe: Settings, a TOML file; defaults if empty.
        workers: Worker processes; all cores if empty.
        full: Read and clean everything again.
        mirror: Withdraw documents that left the source.
        executor: Where shards run: processes on this machine, a Dask cluster, or inline.
        address: Dask scheduler, tcp://host:port; a local cluster if empty.
        approve: Why a version that the gate holds back goes out.
        approved_run: The held run that this approval is for.
        wait_seconds: How long to wait for another run to finish.
    """
    refuse_dataset_in_source(source, into)
    intent: dict[str, Any] = {"source": source, "full": full, "mirror": mirror, "approved": approve}
    call = {"source": source, "full": full, "mirror": mirror}
    order = Order("build", call, intent, into, recipe, executor, workers, address, wait_seconds, approved_run)
    summary: dict[str, Any] = next_version(order)
    return summary


@dataclass(frozen=True, slots=True)
class Order:
    """What a flow was asked for.

    `intent` is given to `winnow.run.run_context.begin`; `call` has what only this flow takes, and is kept while a
    version is held back, so that it can be approved (an approval names its run in `approved_run`).
    """

    flow_name: str
    call: Mapping[str, Any]
    intent: Mapping[str, Any]
    into: str
    recipe: str | None
    executor: Kind
    workers: int | None
    address: str | None
    wait_seconds: float
    approved_run: str | None


def next_version(order: Order) -> Any:
    """What build, replay and withdraw have in common: be the only writer, run the stages, say what came of it.

    Returns the summary, or a failed state named HeldBack.
    """
    show_info()
    try:
        run, came_of_it = _be_the_only_writer(order)
    except Exception as error:
        work_is_over(error)
        raise
    work_is_over(came_of_it)
    # From here on only Prefect is told; the dataset is free for the next run.
    if isinstance(came_of_it, GateHeld):
        artifacts.tell_held(run, came_of_it)
        message = f"{came_of_it}\n{artifacts.how_to_approve(run)}"
        return Failed(name="HeldBack", message=message, data=came_of_it)
    artifacts.tell_done(run, came_of_it)
    return came_of_it


def _be_the_only_writer(order: Order) -> tuple[Run, dict[str, Any] | GateHeld]:
    """The run, and its summary or the reason why the gate holds its version back."""
    settings = load_recipe(Path(order.recipe) if order.recipe else None)
    dataset = describe_dataset(order.into)
    with (
        dataset.writing(new_run_id(), order.wait_seconds),
        open_executor(order.executor, order.workers, order.address) as shards,
    ):
        recover(dataset)
        held = run_to_approve(dataset, order.approved_run) if order.approved_run else None
        run = begin(dataset=dataset, recipe=settings, **order.intent)
        try:
            with artifacts.progress_told(f"{artifacts.slug(dataset.name)}-progress"):
                return run, _stage_by_stage(run, shards, held)
        except GateHeld as error:
            where = {"executor": order.executor, "workers": order.workers, "address": order.address}
            again = {**order.call, "recipe": order.recipe, **where}
            remember_call(dataset, run.run_id, order.flow_name, without_credentials(again))
            return run, error


def _stage_by_stage(run: Run, shards: Executor, held: PastRun | None) -> dict[str, Any]:
    documents = read(run, shards)
    if documents.nothing_to_do:
        stages.tidy_staging(run)
        return stages.nothing_changed(run, documents)
    repaired = repair(run, shards, documents)
    release(shards)
    checked = check(run, documents, repaired)
    rows = deduplicate(run, shards, documents, repaired, checked)
    release(shards)
    judged = validate(run, documents, checked, rows)
    gate = judged[0]
    # An approval lets through what a person has seen; anything new holds the version back again.
    approved = run.approved is not None and (held is None or covers(held, run.recipe_id, gate))
    if not gate.passed and not approved:
        raise GateHeld(stages.held_back(run, documents, repaired, rows, judged))
    return publish(run, documents, repaired, rows, judged)
