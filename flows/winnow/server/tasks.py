"""Stages as Prefect tasks, and how one run of them publishes the next version."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from winnow.base.errors import GateHeld, WinnowError, is_full_disk
from winnow.base.log import default_to_info
from winnow.publish.dataset import Dataset
from winnow.run import intake, release, table_changes
from winnow.run.approval import run_to_approve
from winnow.run.cluster import Shared
from winnow.run.executor import open_executor
from winnow.run.recipe_file import load_recipe
from winnow.run.recovery import recover_dataset
from winnow.run.run_context import Run, RunOrder, begin, new_run_id
from winnow.run.summary import RunSummary
from winnow.server import artifacts
from winnow.server.lineage import told_in_lineage
from winnow.server.outage import work_begins, work_is_over
from winnow.storage.locations import locate_dataset, refuse_dataset_in_source
from winnow.storage.lock import lock_dataset

P = ParamSpec("P")
R = TypeVar("R")
Stages: TypeAlias = Callable[[Run, Executor], RunSummary]


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
deduplicate = stage(table_changes.deduplicate)
validate = stage(release.validate)
publish = stage(release.publish)


def run_stages(order: RunOrder, stages: Stages) -> RunSummary:
    """Runs `stages` as the dataset's only writer, and tells Prefect how that ended.

    Returns the summary; where the gate holds the version back, a failed state named HeldBack, which Prefect takes for
    the flow's own. By then the dataset is free for the next run.
    """
    default_to_info()
    work_begins()
    try:
        run, ended = _as_only_writer(order, stages)
    except Exception as error:
        work_is_over(error)
        raise
    work_is_over(ended)
    if isinstance(ended, GateHeld):
        artifacts.tell_held(run, ended)
        message = f"{ended}\n{artifacts.how_to_approve(run)}"
        return Failed(name="HeldBack", message=message, data=ended)  # type: ignore[return-value]
    artifacts.tell_done(run, ended)
    if ended.held:
        return Completed(name="StillHeld", message=ended.held.text, data=ended)  # type: ignore[return-value]
    return ended


def _shared(order: RunOrder, dataset: Dataset) -> Shared:
    source = Path(order.source).absolute()
    return Shared(
        staging=dataset.staging,
        source=source if order.source and source.exists() else None,
        mount=dataset.remote.mount if dataset.remote else None,
    )


def _as_only_writer(order: RunOrder, stages: Stages) -> tuple[Run, RunSummary | GateHeld]:
    """The run, and its summary or why the gate holds its version back."""
    if order.intake == "source":
        refuse_dataset_in_source(order.source, order.into)
    recipe = load_recipe(order.recipe)
    dataset = locate_dataset(order.into)
    run_id = new_run_id()
    with told_in_lineage(recipe, order, dataset, run_id) as tell:
        with (
            lock_dataset(dataset, run_id, order.wait_seconds),
            open_executor(order.executor, order.workers, order.address, _shared(order, dataset)) as shards,
        ):
            mended = recover_dataset(dataset)
            if order.approved_run:
                run_to_approve(dataset, order.approved_run)
            run = begin(dataset, recipe, order, mended, run_id)
            ended: RunSummary | GateHeld
            try:
                with artifacts.progress_bar(f"{artifacts.slug(dataset.name)}-progress"):
                    ended = stages(run, shards)
            except GateHeld as error:
                ended = error
        tell(run, ended)
    return run, ended
