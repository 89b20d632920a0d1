"""The flow that lets a held-back version pass: in Prefect's form, what ``winnow approve`` is on the command line."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from winnow.base.addresses import Address
from winnow.build import next_version
from winnow.run.approval import order_to_approve
from winnow.run.summary import RunSummary
from winnow.server import flow_form as form
from winnow.server.tasks import run_stages
from winnow.storage.locations import open_dataset


@form.dataset_flow()
def approve(
    run_id: str,
    because: Annotated[str, Field(pattern=r"\S")],
    into: form.Into = "dataset",
    source: Address | None = None,
    wait_seconds: form.WaitSeconds = 0,
) -> RunSummary:
    """Publish a version that the gate held back, with your reason on record.

    The run is made again as it was called; what it finished is found in staging. Its version is held back again where
    the settings changed since, or an expectation fails that the run had met.

    Args:
        run_id: The run that waits for approval, as its state and its summary name it.
        because: Your reason; it stays on record in table runs.
        source: The source again, where its address held credentials; never type credentials here.
    """
    order = order_to_approve(open_dataset(into), run_id, because, source)
    return run_stages(replace(order, into=into, wait_seconds=wait_seconds), next_version)
