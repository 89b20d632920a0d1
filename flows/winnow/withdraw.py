"""The flow that takes documents out: they leave in the next version, and the copies they suppressed come back."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from winnow.base.addresses import Address
from winnow.build import next_version
from winnow.run.executor import Kind
from winnow.run.run_context import RunOrder
from winnow.run.summary import RunSummary
from winnow.server.tasks import dataset_flow, run_stages


@dataset_flow("withdraw", "Take documents out of the next version; copies they suppressed come back.")
def withdraw(
    sources: Annotated[list[str], Field(min_length=1)],
    into: Address = "dataset",
    recipe: str | None = None,
    workers: Annotated[int | None, Field(ge=1)] = None,
    executor: Kind = "processes",
    address: Address | None = None,
    approve: str | None = None,
    approved_run: str | None = None,
    wait_seconds: Annotated[float, Field(ge=0)] = 0,
) -> RunSummary:
    """Publish a version without these documents; returns the summary of the run.

    A mark among the rejects, without content, keeps them out when they are read again. No input is read.

    Args:
        sources: Sources or doc_ids of the documents that leave.
        into: The dataset's folder, or s3://BUCKET/PREFIX.
        recipe: Settings, a TOML file; defaults if empty.
        workers: Worker processes; all cores if empty.
        executor: Where shards run: processes on this machine, a Dask cluster, or inline.
        address: Dask scheduler, tcp://host:port; a local cluster if empty.
        approve: Why a version that the gate holds back goes out.
        approved_run: The held run that this approval is for.
        wait_seconds: How long to wait for another run to finish.
    """
    order = RunOrder(
        intake="nowhere", withdraw=tuple(sources), into=into, recipe=recipe, executor=executor,
        workers=workers, address=address, approve=approve, approved_run=approved_run, wait_seconds=wait_seconds,
    )  # fmt: skip
    summary: RunSummary = run_stages(order, next_version)
    return summary
