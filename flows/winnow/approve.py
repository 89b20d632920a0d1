"""The flow that lets a held-back version pass: in Prefect's form, what ``winnow approve`` is on the command line."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from winnow.base.addresses import Address
from winnow.build import next_version
from winnow.run.approval import order_to_approve
from winnow.run.summary import RunSummary
from winnow.server.tasks import dataset_flow, run_stages
from winnow.storage.locations import open_dataset


@dataset_flow("approve", "Publish a version that the gate held back, with your reason on record.")
def approve(
    run_id: str,
    because: Annotated[str, Field(pattern=r"\S")],
    into: Address = "dataset",
    source: Address | None = None,
    wait_seconds: Annotated[float, Field(ge=0)] = 0,
) -> RunSummary:
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
    order = order_to_approve(open_dataset(into), run_id, because, source)
    summary: RunSummary = run_stages(replace(order, into=into, wait_seconds=wait_seconds), next_version)
    return summary
