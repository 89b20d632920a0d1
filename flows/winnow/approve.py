"""The flow that lets a held-back version pass: in Prefect's form, what ``winnow approve`` is on the command line."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from winnow.base.telemetry import switch_off

switch_off()

from prefect import flow  # noqa: E402  (telemetry must be off before Prefect reads its settings)

from winnow.base.addresses import Address  # noqa: E402
from winnow.build import LONGEST_SECONDS, build  # noqa: E402
from winnow.replay import replay  # noqa: E402
from winnow.run.approval import approved_call  # noqa: E402
from winnow.server import artifacts  # noqa: E402
from winnow.storage.locate import open_dataset  # noqa: E402
from winnow.withdraw import withdraw  # noqa: E402

MAKERS: dict[str, Any] = {flow.name: flow for flow in (build, replay, withdraw)}
"""The flows whose versions the gate can hold back, by the name that a held run is remembered under."""


@flow(
    name="approve", description="Publish a version that the gate held back, with your reason on record.",
    timeout_seconds=LONGEST_SECONDS, on_failure=[artifacts.tell_failed], on_crashed=[artifacts.tell_failed],
)  # fmt: skip
def approve(
    run_id: str,
    because: Annotated[str, Field(pattern=r"\S")],
    into: Address = "dataset",
    source: Address | None = None,
    wait_seconds: Annotated[float, Field(ge=0)] = 0,
) -> dict[str, Any]:
    """Make a held run again as it was called, and publish it; returns the summary of the run.

    What that run finished is found in staging. It is held back again where the settings changed since, or an
    expectation fails that the held run had met.

    Args:
        run_id: The held run, as its state and its summary name it.
        because: Your reason; it stays on record in table runs.
        into: The dataset's folder, or s3://BUCKET/PREFIX.
        source: The source again, where its address held credentials; never type credentials here.
        wait_seconds: How long to wait for another run to finish.
    """
    name, parameters = approved_call(open_dataset(into), run_id, because, source)
    # The body alone: its stages are this run's tasks, and a version held back again is this run's state.
    summary: dict[str, Any] = MAKERS[name].fn(**{**parameters, "into": into, "wait_seconds": wait_seconds})
    return summary
