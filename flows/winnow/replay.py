"""The flow that reads rejects again: after a rule or a setting was mended, only those rows run through the stages."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from winnow.base.addresses import Address
from winnow.build import next_version
from winnow.run.executor import Kind
from winnow.run.run_context import RunOrder
from winnow.run.summary import RunSummary
from winnow.server.tasks import dataset_flow, run_stages


@dataset_flow("replay", "Read rejects again from their kept bytes; publish those that pass.")
def replay(
    into: Address = "dataset",
    recipe: str | None = None,
    reason: str | None = None,
    workers: Annotated[int | None, Field(ge=1)] = None,
    executor: Kind = "processes",
    address: Address | None = None,
    approve: str | None = None,
    approved_run: str | None = None,
    wait_seconds: Annotated[float, Field(ge=0)] = 0,
) -> RunSummary:
    """Publish the rejects that pass now, marked in table ``rejects``; returns the summary of the run.

    Rejects that fail as before stay as they are, and where all of them do, nothing is published.

    Args:
        into: The dataset's folder, or s3://BUCKET/PREFIX.
        recipe: Settings, a TOML file; defaults if empty.
        reason: Only rejects of this kind; all that wait if empty.
        workers: Worker processes; all cores if empty.
        executor: Where shards run: processes on this machine, a Dask cluster, or inline.
        address: Dask scheduler, tcp://host:port; a local cluster if empty.
        approve: Why a version that the gate holds back goes out.
        approved_run: The held run that this approval is for.
        wait_seconds: How long to wait for another run to finish.
    """
    order = RunOrder(
        intake="quarantine", reason=reason, into=into, recipe=recipe, executor=executor,
        workers=workers, address=address, approve=approve, approved_run=approved_run, wait_seconds=wait_seconds,
    )  # fmt: skip
    summary: RunSummary = run_stages(order, next_version)
    return summary
