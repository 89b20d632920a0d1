"""The flow: read > repair > check > deduplicate > validate > publish.

One Prefect task a stage. Inside a stage, shards are mapped over an executor; between stages only paths and counts
travel, never a table.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Annotated

from pydantic import Field

from winnow.base.addresses import Address
from winnow.run.executor import Kind, end_workers
from winnow.run.release import may_pass, nothing_changed, raise_held_back, tidy_staging
from winnow.run.run_context import Run, RunOrder
from winnow.run.summary import RunSummary
from winnow.server.tasks import check, dataset_flow, deduplicate, publish, read, repair, run_stages, validate
from winnow.storage.locations import refuse_dataset_in_source


@dataset_flow("build", "Damaged, repetitive text in, a new version of a Parquet dataset out.")
def build(
    source: Address = "seeds",
    into: Address = "dataset",
    recipe: str | None = None,
    workers: Annotated[int | None, Field(ge=1)] = None,
    full: bool = False,
    mirror: bool = False,
    executor: Kind = "processes",
    address: Address | None = None,
    approve: str | None = None,
    approved_run: str | None = None,
    wait_seconds: Annotated[float, Field(ge=0)] = 0,
) -> RunSummary:
    """Build the next version of a dataset; returns the summary of the run.

    A run that changes nothing publishes nothing. Raises GateHeld where a dataset-level expectation fails.

    Args:
        source: Folder, file or s3:// address to read.
        into: The dataset's folder, or s3://BUCKET/PREFIX.
        recipe: Settings, a TOML file; defaults if empty.
        workers: Worker processes; all cores if empty.
        full: Read and clean everything again.
        mirror: Withdraw documents that left the source.
        executor: Where shards run: processes on this machine, a Dask cluster, or inline.
        address: Dask scheduler, tcp://host:port; a local cluster if empty.
        approve: Why a version that the gate holds back goes out.
        approved_run: The held run that this approval is for.
        wait_seconds: How long to wait for another run to finish.
    """
    refuse_dataset_in_source(source, into)
    order = RunOrder(
        source=source, into=into, recipe=recipe, full=full, mirror=mirror, executor=executor,
        workers=workers, address=address, approve=approve, approved_run=approved_run, wait_seconds=wait_seconds,
    )  # fmt: skip
    summary: RunSummary = run_stages(order, next_version)
    return summary


def next_version(run: Run, shards: Executor) -> RunSummary:
    """The stages in order. Replay and withdraw run them too; their documents come from elsewhere than the source.

    Raises GateHeld where the gate holds the version back and no person's approval covers why.
    """
    documents = read(run, shards)
    if documents.nothing_to_do:
        tidy_staging(run)
        return nothing_changed(run, documents)
    repaired = repair(run, shards, documents)
    end_workers(shards)  # what they loaded for repair (word lists) is not needed again
    checked = check(run, documents, repaired)
    rows = deduplicate(run, shards, documents, repaired, checked)
    end_workers(shards)
    judged = validate(run, rows)
    if not may_pass(run, judged.gate):
        raise_held_back(run, documents, repaired, rows, judged)
    return publish(run, documents, repaired, rows, judged)
