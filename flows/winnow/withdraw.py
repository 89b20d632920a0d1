"""The flow that takes documents out: they leave in the next version, and the copies they suppressed come back."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from winnow.base.telemetry import switch_off

switch_off()

from prefect import flow  # noqa: E402  (telemetry must be off before Prefect reads its settings)

from winnow.base.addresses import Address  # noqa: E402
from winnow.build import LONGEST_SECONDS, Order, next_version  # noqa: E402
from winnow.run.executor import Kind  # noqa: E402
from winnow.server import artifacts  # noqa: E402


@flow(
    name="withdraw", description="Take documents out of the next version; copies they suppressed come back.",
    timeout_seconds=LONGEST_SECONDS, on_failure=[artifacts.tell_failed], on_crashed=[artifacts.tell_failed],
)  # fmt: skip
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
) -> dict[str, Any]:
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
    intent = {"source": "", "intake": "nowhere", "withdraw": tuple(sources), "approved": approve}
    call = {"sources": sources}
    order = Order("withdraw", call, intent, into, recipe, executor, workers, address, wait_seconds, approved_run)
    summary: dict[str, Any] = next_version(order)
    return summary
