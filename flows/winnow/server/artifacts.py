"""What Prefect's own pages show of a run: artifacts, events, and a notification where the recipe names a block.

A server that does not take it costs a warning, never a run.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from functools import wraps
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.events import emit_event

from winnow.base.addresses import redacted
from winnow.base.errors import GateHeld, RecipeError
from winnow.base.log import LOGGER
from winnow.base.recipe import Recipe
from winnow.base.terminal import visible
from winnow.publish.card import markdown
from winnow.publish.dataset import Dataset
from winnow.run.approval import held_rejects, run_awaiting_approval
from winnow.run.maintenance import Upkeep
from winnow.run.recipe_file import load_recipe
from winnow.run.rejects import RejectKind, kinds_of_rejects
from winnow.run.run_context import Run
from winnow.run.summary import RunSummary
from winnow.validate.gate import GateResult


def _warn_on_failure(tell: Callable[..., None]) -> Callable[..., None]:
    @wraps(tell)
    def warned(*args: Any, **kwargs: Any) -> None:
        try:
            tell(*args, **kwargs)
        except Exception as error:
            # Whatever the server or a notification service says, the version stands where it stands.
            message = f"Prefect was not told ({tell.__name__}): {type(error).__name__}: {error}"
            logging.getLogger(LOGGER).warning(message)

    return warned


def slug(dataset: str) -> str:
    """Returns what deployments and artifacts call a dataset, made from the last part of its folder or address.

    >>> slug("/data/My Articles_1"), slug("s3://bucket/news/2024?region=eu-west-1")
    ('my-articles-1', '2024')
    """
    return re.sub("[^a-z0-9]+", "-", Path(redacted(dataset)).resolve().name.lower()).strip("-") or "dataset"


@_warn_on_failure
def tell_done(run: Run, summary: RunSummary) -> None:
    """Summary, rejects, gate and report of a run that published; of one that had not to, the summary."""
    key = slug(run.dataset.name)
    create_markdown_artifact(summary_text(summary), f"{key}-summary", f"Run {run.run_id}")
    if summary.not_read:
        rows = [{"reason": n.reason, "files": n.files, "for example": ", ".join(n.examples)} for n in summary.not_read]
        create_table_artifact(rows, f"{key}-not-read", f"Files that run {run.run_id} did not read")
    if summary.version is None:
        return
    if summary.rejects:
        _tell_rejects(run, key, kinds_of_rejects(run.dataset))
    _tell_gate(run, key, summary.gate)
    page = run.dataset.view(summary.version) / "report.html"
    if page.is_file():
        create_markdown_artifact(report_text(run.dataset, summary.version), f"{key}-report", f"v{summary.version}")
    event(run, "published", {"version": summary.version, "documents": summary.documents.shown()})
    name = f"{run.recipe.publish.name} v{summary.version}"
    notify(run.recipe, f"{name} published", summary_text(summary))


@_warn_on_failure
def tell_held(run: Run, error: GateHeld) -> None:
    """Why the gate holds a version back, and how to let it pass."""
    key = slug(run.dataset.name)
    waiting = run_awaiting_approval(run.dataset)
    text = f"# v{run.version} is held back\n\n{code_block(str(error))}\n\n{how_to_approve(run)}\n"
    create_markdown_artifact(text, f"{key}-summary", f"Run {run.run_id}")
    _tell_rejects(run, key, kinds_of_rejects(run.dataset, held_rejects(run.dataset)))
    if waiting is not None and waiting.gate is not None:
        _tell_gate(run, key, waiting.gate)
        failed = [o.expectation for o in waiting.gate.held_by]
        event(run, "held", {"version": run.version, "expectations": failed})


def _tell_rejects(run: Run, key: str, kinds: Sequence[RejectKind]) -> None:
    rows = [{"reason": k.reason, "documents": k.count, "for example": ", ".join(k.examples)} for k in kinds]
    if rows:
        create_table_artifact(rows, f"{key}-rejects", f"Rejects that wait after run {run.run_id}")


def code_block(text: str) -> str:
    return "\n".join(f"    {visible(line)}" for line in text.split("\n"))


def how_to_approve(run: Run) -> str:
    """Where a person lets it pass without leaving Prefect's pages."""
    name = f"approve/{slug(run.dataset.name)}"
    return f"here, where winnow serve runs: deployment {name}, with run_id {run.run_id} and your reason"


@_warn_on_failure
def tell_upkeep(dataset: str, done: Upkeep) -> None:
    """What maintenance did."""
    create_markdown_artifact("\n".join(f"* {line}" for line in done.lines()), f"{slug(dataset)}-upkeep")


def tell_failed(flow: Any, flow_run: Any, state: Any) -> None:
    """A flow's hook: tell the recipe's notification block that a run failed or was held back."""
    _tell_failed(flow_run.parameters.get("recipe"), flow_run.name, state.name, state.message)


@_warn_on_failure
def _tell_failed(recipe: str | None, name: str, state: str, message: str | None) -> None:
    try:
        settings = load_recipe(recipe)
    except RecipeError:  # why the run failed, most likely; what cannot be read names nobody to tell
        return
    notify(settings, f"{name}: {state}", message or "no message")


def report_text(dataset: Dataset, version: int) -> str:
    """Where the report of a version lies, and how to open it; browsers refuse to follow a link to a file from here."""
    path = dataset.view(version) / "report.html"
    place = f"{dataset.name.rstrip('/')}/v{version}/report.html" if dataset.remote else str(path.resolve())
    return (
        f"# Report of v{version}\n\nOpen this file in a browser:\n\n    {visible(place)}\n\n"
        f"or let Winnow serve it, on the machine that has the dataset:\n\n"
        f"    {report_command(dataset.name, version)} --serve\n"
    )


def report_command(dataset: str, version: int) -> str:
    place = dataset if "://" in dataset else str(Path(dataset).resolve())
    return f"winnow report {version} --into {shlex.quote(visible(place))}"


def gate_rows(gate: GateResult) -> list[dict[str, str]]:
    """The gate's table, the checks that failed first; four short columns, for a page cuts what is wide."""
    return [
        {
            "status": check.verdict,
            "check": check.expectation.replace("_", " "),
            "observed": check.observed or "nothing to compare with",
            "limit": check.limit,
        }
        for check in gate.worst_first
    ]


def _tell_gate(run: Run, key: str, gate: GateResult | None) -> None:
    if gate is not None and gate.results:
        create_table_artifact(gate_rows(gate), f"{key}-gate", f"What run {run.run_id} had to meet: {gate.in_words}")


def event(run: Run, what: str, payload: Mapping[str, Any]) -> None:
    """An event that automations can act on: ``winnow.version.published`` or ``winnow.version.held``.

    Only where a server was named: on a temporary one nobody listens.
    """
    if os.environ.get("PREFECT_API_URL"):
        resource = {
            "prefect.resource.id": f"winnow.dataset.{slug(run.dataset.name)}",
            "prefect.resource.name": run.recipe.publish.name,
        }
        emit_event(f"winnow.version.{what}", resource, payload={"run_id": run.run_id, **payload})


def notify(recipe: Recipe, subject: str, body: str) -> None:
    """Send a message through the notification block that the recipe names; its secrets stay in the block."""
    if recipe.schedule.notify is None:
        return
    from prefect.blocks.core import Block

    block: Any = Block.load(recipe.schedule.notify)
    block.notify(body, subject=subject)


def summary_text(summary: RunSummary) -> str:
    """A run's summary as Markdown; names from outside do nothing in it.

    >>> from winnow.run.summary import DocumentCounts
    >>> counts = DocumentCounts(read=0, unchanged=5, published=5, duplicates=0, rejected=0)
    >>> print(summary_text(RunSummary(run_id="r", version=None, latest=2, documents=counts)))
    Nothing changed: 5 documents are as they were; the last version is v2.
    """
    if summary.held is not None:
        return f"# v{summary.held.version} is still held back\n\n{code_block(summary.held.text)}"
    if summary.version is None:
        latest = f"v{summary.latest}" if summary.latest else "none yet"
        same = f"{summary.documents.unchanged:,} documents are as they were"
        return "\n".join([f"Nothing changed: {same}; the last version is {latest}.", *_notes(summary)])
    lines = [f"# v{summary.version}", "", "| documents | |", "| --- | ---: |"]
    lines += [f"| {name} | {count:,} |" for name, count in summary.documents.shown().items()]
    tallies = (
        ("repairs by rule", summary.repairs),
        ("removals by reason", summary.removals),
        ("rejects", summary.rejects),
    )
    for title, counts in tallies:
        if counts:
            lines += ["", f"| {title} | |", "| --- | ---: |"]
            ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            lines += [f"| {markdown(name)} | {count:,} |" for name, count in ranked]
    lines += _notes(summary)
    lines.append(f"\nRun `{summary.run_id}`, {summary.seconds:.1f} s.")
    return "\n".join(lines)


def _notes(summary: RunSummary) -> list[str]:
    return [f"\nNote: {markdown(note)}" for note in (*summary.warnings, *map(str, summary.not_read))]


EVERY_SECONDS = 5.0  # each word costs the server a few milliseconds; a short run has no need of a bar


class _Latest(logging.Handler):
    """Keeps the last record that says how many shards of a stage are done."""

    def __init__(self) -> None:
        super().__init__()
        self.said: tuple[str, float] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        done, total = getattr(record, "done", None), getattr(record, "total", None)
        if done is not None and total:
            self.said = record.getMessage(), 100.0 * done / total


@contextmanager
def progress_bar(key: str, every_seconds: float = EVERY_SECONDS) -> Iterator[None]:
    """Show in Prefect's pages how far the stages of the current flow run are, while the block lasts.

    A thread of its own tells the server, so that a slow one, or one that has gone away, holds no stage up.
    """
    latest, over = _Latest(), threading.Event()
    logger = logging.getLogger(LOGGER)
    logger.addHandler(latest)
    thread = threading.Thread(target=copy_context().run, args=(_tell, key, latest, over, every_seconds), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        logger.removeHandler(latest)


def _tell(key: str, latest: _Latest, over: threading.Event, every_seconds: float) -> None:
    artifact: UUID | None = None
    shown = None
    while not over.wait(every_seconds):
        said = latest.said
        if said is None or said == shown:
            continue
        words, percent = said
        try:
            if artifact is None:
                artifact = create_progress_artifact(percent, key=key, description=words)  # type: ignore[assignment]
            else:
                update_progress_artifact(artifact, progress=percent, description=words)
            shown = said
        except Exception as error:
            logging.getLogger(LOGGER).debug("no bar in Prefect's pages: %s", error)
            return
