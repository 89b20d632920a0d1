"""The flow that reads rejects again: after a rule or a setting was mended, only those rows run through the stages."""

from __future__ import annotations

from winnow.build import next_version
from winnow.run.run_context import RunOrder
from winnow.run.summary import RunSummary
from winnow.server import flow_form as form
from winnow.server.tasks import run_stages


@form.dataset_flow()
def replay(
    into: form.Into = "dataset",
    recipe: form.RecipeFile = None,
    reason: str | None = None,
    workers: form.Workers = None,
    executor: form.ExecutorKind = "processes",
    address: form.Scheduler = None,
    approve: form.Approval = None,
    wait_seconds: form.WaitSeconds = 0,
) -> RunSummary:
    """Read rejects again from their kept bytes; publish those that pass.

    Rejects that fail as before stay as they are, and where all of them do, nothing is published.

    Args:
        reason: Only rejects of this kind; all that wait if empty.
    """
    order = RunOrder(
        intake="quarantine", reason=reason, into=into, recipe=recipe, executor=executor,
        workers=workers, address=address, approve=approve, wait_seconds=wait_seconds,
    )  # fmt: skip
    return run_stages(order, next_version)
