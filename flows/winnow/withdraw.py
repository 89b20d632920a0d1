"""The flow that takes documents out: they leave in the next version, and the copies they suppressed come back."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from winnow.build import next_version
from winnow.run.run_context import RunOrder
from winnow.run.summary import RunSummary
from winnow.server import flow_form as form
from winnow.server.tasks import run_stages


@form.dataset_flow()
def withdraw(
    sources: Annotated[list[str], Field(min_length=1)],
    into: form.Into = "dataset",
    recipe: form.RecipeFile = None,
    workers: form.Workers = None,
    executor: form.ExecutorKind = "processes",
    address: form.Scheduler = None,
    approve: form.Approval = None,
    wait_seconds: form.WaitSeconds = 0,
) -> RunSummary:
    """Take documents out of the next version; copies they suppressed come back.

    A mark among the rejects, without content, keeps them out when they are read again. No input is read.

    Args:
        sources: Sources or doc_ids of the documents that leave.
    """
    order = RunOrder(
        intake="nowhere", withdraw=tuple(sources), into=into, recipe=recipe, executor=executor,
        workers=workers, address=address, approve=approve, wait_seconds=wait_seconds,
    )  # fmt: skip
    return run_stages(order, next_version)
