"""The flow that erases documents from every version, with a receipt that holds nothing of them."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from winnow.build import next_version
from winnow.run.erase_documents import erase_documents
from winnow.run.run_context import Run, RunOrder
from winnow.run.summary import RunSummary
from winnow.server import flow_form as form
from winnow.server.tasks import run_stages


@form.dataset_flow()
def erase(
    sources: Annotated[list[str], Field(min_length=1)],
    because: Annotated[str, Field(pattern=r"\S")],
    into: form.Into = "dataset",
    recipe: form.RecipeFile = None,
    workers: form.Workers = None,
    executor: form.ExecutorKind = "processes",
    address: form.Scheduler = None,
    wait_seconds: form.WaitSeconds = 0,
) -> RunSummary:
    """Erase documents from every version; copies they suppressed come back in the next one.

    A receipt with their doc_ids stays and keeps them out. No gate holds an erasure back. No input is read.

    Args:
        sources: doc_ids or sources; Prefect keeps what is typed here, so use doc_ids where a source tells too much.
        because: Your reason; it stays on record in the receipt and in table runs.
    """
    order = RunOrder(
        intake="nowhere", into=into, recipe=recipe, executor=executor, workers=workers, address=address,
        approve=f"erasure: {because.strip()}", wait_seconds=wait_seconds,
    )  # fmt: skip

    def stages(run: Run, shards: Executor) -> RunSummary:
        erased = erase_documents(run, sources, because.strip())
        return replace(next_version(run, shards), erased=erased)

    return run_stages(order, stages)
