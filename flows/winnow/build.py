"""The flow: read > repair > check > deduplicate > validate > publish.

One Prefect task a stage. Inside a stage, shards are mapped over an executor; between stages only paths and counts
travel, never a table.
"""

from __future__ import annotations

from concurrent.futures import Executor

from winnow.run.executor import end_workers
from winnow.run.release import may_pass, nothing_changed, raise_held_back, still_held, tidy_staging
from winnow.run.run_context import Run, RunOrder
from winnow.run.summary import RunSummary
from winnow.server import flow_form as form
from winnow.server.tasks import check, deduplicate, publish, read, repair, run_stages, validate


@form.dataset_flow()
def build(
    source: form.Source = "seeds",
    into: form.Into = "dataset",
    recipe: form.RecipeFile = None,
    workers: form.Workers = None,
    full: bool = False,
    mirror: bool = False,
    strict: bool = False,
    executor: form.ExecutorKind = "processes",
    address: form.Scheduler = None,
    approve: form.Approval = None,
    wait_seconds: form.WaitSeconds = 0,
) -> RunSummary:
    """Damaged, repetitive text in, a new version of a Parquet dataset out.

    A run that changes nothing publishes nothing. Raises GateHeld where a dataset-level expectation fails.

    Args:
        full: Read and clean everything again.
        mirror: Withdraw documents that left the source.
        strict: Refuse a source with files that cannot be read.
    """
    order = RunOrder(
        source=source, into=into, recipe=recipe, full=full, mirror=mirror, strict=strict,
        executor=executor, workers=workers, address=address, approve=approve, wait_seconds=wait_seconds,
    )  # fmt: skip
    return run_stages(order, next_version)


def next_version(run: Run, shards: Executor) -> RunSummary:
    """The stages in order. Replay and withdraw run them too; their documents come from elsewhere than the source.

    Raises GateHeld where the gate holds the version back and no person's approval covers why.
    """
    if same := still_held(run):
        return same
    documents = read(run, shards)
    if documents.nothing_to_do:
        tidy_staging(run)
        return nothing_changed(run, documents)
    repaired = repair(run, shards, documents)
    end_workers(shards)  # what they loaded for repair (word lists) is not needed again
    checked = check(run, shards, documents, repaired)
    end_workers(shards)
    changes = deduplicate(run, shards, documents, repaired, checked)
    end_workers(shards)
    judged = validate(run, shards, changes)
    end_workers(shards, last=True)
    if not may_pass(run, judged.gate):
        raise_held_back(run, documents, repaired, changes, judged)
    return publish(run, shards, documents, repaired, changes, judged)
