"""The flow that reads rejects again: after a rule or a setting was mended, only those rows run through the stages."""

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
    name="replay", description="Read rejects again from their kept bytes; publish those that pass.",
    timeout_seconds=LONGEST_SECONDS, on_failure=[artifacts.tell_failed], on_crashed=[artifacts.tell_failed],
)  # fmt: skip
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
) -> dict[str, Any]:
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
    intent = {"source": "", "intake": "quarantine", "reason": reason, "approved": approve}
    call = {"reason": reason}
    order = Order("replay", call, intent, into, recipe, executor, workers, address, wait_seconds, approved_run)
    summary: dict[str, Any] = next_version(order)
    return summary
