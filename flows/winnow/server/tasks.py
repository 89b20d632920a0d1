"""What the flows have in common: stages as Prefect tasks, and how one run publishes the next version."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias, TypeVar

from prefect import Flow, Task, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Failed

from winnow.base.errors import GateHeld, WinnowError, is_full_disk
from winnow.base.log import show_info
from winnow.base.recipe import load_recipe
from winnow.publish.recover import recover
from winnow.run import intake, release
from winnow.run import table_changes as rows
from winnow.run.approval import remember_order, run_to_approve
from winnow.run.executor import open_executor
from winnow.run.run_context import Run, RunOrder, begin, new_run_id
from winnow.run.summary import RunSummary
from winnow.server import artifacts
from winnow.server.outage import work_is_over
from winnow.storage.locations import locate_dataset
from winnow.storage.lock import lock_dataset

P = ParamSpec("P")
R = TypeVar("R")
Stages: TypeAlias = Callable[[Run, Executor], RunSummary]

HOUR = 3600


def dataset_flow(name: str, description: str, hours: float = 24) -> Callable[[Callable[P, R]], Flow[P, R]]:
    """A Prefect flow that works on a dataset; it tells the recipe's notification block where it fails.

    A run that takes longer than `hours` hangs, or should be cut into several; without an end it would hold the dataset
    for ever.
    """
    return flow(
        name=name,
        description=description,
        timeout_seconds=hours * HOUR,
        on_failure=[artifacts.tell_failed],
        on_crashed=[artifacts.tell_failed],
    )


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
        retry_condition_fn=worth_retrying,
    )
    return wrap(function)


def worth_retrying(task: Any, run: Any, state: Any) -> bool:
    """Retry what storage or a server may do better next time; never what Winnow refuses on purpose, nor a full disk."""
    try:
        state.result()
    except (WinnowError, ValueError, TypeError, KeyError, AttributeError):
        return False
    except Exception as error:
        return not is_full_disk(error)
    return False


read = stage(intake.read)
repair = stage(intake.repair)
check = stage(intake.check)
deduplicate = stage(rows.deduplicate)
validate = stage(release.validate)
publish = stage(release.publish)


def run_stages(order: RunOrder, stages: Stages) -> Any:
    """Run `stages` as the dataset's only writer, and tell Prefect how that ended.

    Returns the summary, or a failed state named HeldBack where the gate holds the version back. From then on only
    Prefect has to hear of it; the dataset is free for the next run.
    """
    show_info()
    try:
        run, ended = _as_only_writer(order, stages)
    except Exception as error:
        work_is_over(error)
        raise
    work_is_over(ended)
    if isinstance(ended, GateHeld):
        artifacts.tell_held(run, ended)
        return Failed(name="HeldBack", message=f"{ended}\n{artifacts.how_to_approve(run)}", data=ended)
    artifacts.tell_done(run, ended)
    return ended


def _as_only_writer(order: RunOrder, stages: Stages) -> tuple[Run, RunSummary | GateHeld]:
    """The run, and its summary or why the gate holds its version back."""
    recipe = load_recipe(Path(order.recipe) if order.recipe else None)
    dataset = locate_dataset(order.into)
    with (
        lock_dataset(dataset, new_run_id(), order.wait_seconds),
        open_executor(order.executor, order.workers, order.address) as shards,
    ):
        recover(dataset)
        if order.approved_run:
            run_to_approve(dataset, order.approved_run)
        run = begin(dataset, recipe, order)
        try:
            with artifacts.progress_bar(f"{artifacts.slug(dataset.name)}-progress"):
                return run, stages(run, shards)
        except GateHeld as error:
            remember_order(dataset, run.run_id, order)
            return run, error
