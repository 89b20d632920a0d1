"""From rows to a version: validate, hold back or publish, and summarize the run."""

from __future__ import annotations

import platform
import resource
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

import polars as pl

from winnow.base.contracts import TABLES
from winnow.base.errors import GateHeld
from winnow.base.files import remove_folder, scan_parquet
from winnow.base.terminal import visible
from winnow.publish.dataset import Dataset
from winnow.publish.erasure import erased_ids
from winnow.publish.manifest import Manifest
from winnow.publish.reviews import kept_verdicts, precision_of
from winnow.publish.version import Extras, Publication, RunRecord, publish_version, record_run
from winnow.report.collect import collect
from winnow.report.page import render
from winnow.report.passage_sums import PassageSums, sum_passages
from winnow.run.approval import (
    covers,
    held_from,
    held_rejects,
    remember_order,
    remember_rejects,
    run_awaiting_approval,
    run_to_approve,
)
from winnow.run.executor import each_range, is_cluster
from winnow.run.intake import Documents, Repaired, input_of
from winnow.run.previous_version import whole_version
from winnow.run.rejects import kinds_of_rejects
from winnow.run.run_context import Run
from winnow.run.site_table import site_loss
from winnow.run.summary import DocumentCounts, RunSummary, StillHeld, not_read
from winnow.run.table_changes import TableChanges
from winnow.run.table_checks import check_tables
from winnow.run.version_index import draw_index
from winnow.validate.facts import Facts
from winnow.validate.gate import GateResult, Reviewed, check_dataset

SHAPING_PACKAGES = (
    "winnow-text", "ftfy", "wordfreq", "chardet", "resiliparse", "google-re2", "numpy", "polars",
    "pyarrow", "deltalake", "great-expectations", "prefect",
)  # fmt: skip
"""Packages whose versions may shape rows or files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the gate says of the next version, and the facts it judged by."""

    gate: GateResult
    facts: Facts


def validate(run: Run, executor: Executor, changes: TableChanges) -> Judged:
    """Check the new rows against their suites, and the version as a whole against the gate."""
    settings = run.recipe.validate_
    tables = check_tables(changes.parts, settings, executor)
    facts, previous = changes.facts, previous_facts(run)
    loss = site_loss(run.dataset, changes.parts, changes.replaced, settings)
    reviewed = _reviewed(run) if settings.min_review_precision else None
    result = check_dataset(facts, previous, settings, tables, changes.vanished_files, loss, reviewed)
    facts = replace(facts, n_broken_rows=sum(t.n_failed for t in tables))
    for check in result.held_by:
        run.log(f"gate: {check.sentence}", "validate")
    return Judged(gate=result, facts=facts)


def _reviewed(run: Run) -> Reviewed | None:
    """What people found of the last version, by its worst rule; None before the first."""
    number = run.dataset.latest_version()
    if number is None:
        return None
    judged = [p for p in precision_of(kept_verdicts(run.dataset, number)) if p.low is not None]
    if not judged:
        return Reviewed(low=0.0, sentence=f"v{number} has no review")
    worst = min(judged, key=lambda p: (p.low or 0.0, p.rule))
    low, n = worst.low or 0.0, worst.right + worst.wrong
    said = f"{worst.rule} was right {worst.right} times of {n} in the review of v{number}"
    return Reviewed(low=low, sentence=f"{said}, likely {low:.2f} of all at least")


def previous_facts(run: Run) -> Facts | None:
    """The facts of the last published version."""
    manifest = run.dataset.latest_manifest()
    return Facts.from_dict(manifest.counts["facts"]) if manifest and "facts" in manifest.counts else None


def publish(
    run: Run, executor: Executor, documents: Documents, repaired: Repaired, changes: TableChanges, judged: Judged
) -> RunSummary:
    """Publish the version; nothing that a reader could see changes before it is whole.

    The machines of a cluster write its files, and read them for the report; of one machine, this process has both
    cores for that.
    """
    status = "published" if judged.gate.passed else "approved"
    record = _record(run, documents, repaired, changes, judged, status, run.order.approve)
    publication = _publication(run, record, executor if is_cluster(executor) else None)
    manifest = publish_version(publication, changes.parts, changes.replaced)
    remove_folder(run.dataset.staging)
    if manifest is None:
        return nothing_changed(run, documents)
    draw_index(run.dataset)
    run.log(f"published v{manifest.version}", "publish")
    return _summary(run, documents, manifest, judged, changes)


def tidy_staging(run: Run) -> None:
    """Remove what killed runs left, where this one found nothing to do; not while a version waits to be approved."""
    if run_awaiting_approval(run.dataset) is None:
        remove_folder(run.dataset.staging)


def may_pass(run: Run, gate: GateResult) -> bool:
    """Whether the version may go out: the gate passes, or a person approved what fails.

    An approval lets through what the person has seen; anything new or worse holds the version back again. Raises
    UsageError where the run that was approved does not wait any more.
    """
    order = run.order
    seen = run_to_approve(run.dataset, order.approved_run) if order.approved_run else None
    return gate.passed or (order.approve is not None and (seen is None or covers(seen, run.recipe_id, gate)))


def raise_held_back(
    run: Run, documents: Documents, repaired: Repaired, changes: TableChanges, judged: Judged
) -> NoReturn:
    """Records the run as held and raises GateHeld; its shards stay in staging, so an approval costs little."""
    record = _record(run, documents, repaired, changes, judged, "held", None)
    record_run(_publication(run, record))
    remember_order(run.dataset, run.run_id, run.order, documents.made_from)
    rejects = whole_version(run.dataset, changes.parts, changes.replaced, "rejects")
    remember_rejects(run.dataset, run.run_id, rejects.batches(TABLES["rejects"].names))
    kinds = kinds_of_rejects(run.dataset, held_rejects(run.dataset))
    counts = ", ".join(f"{kind.count} {kind.reason}" for kind in kinds)
    listed = f"rejects: {counts}; see them: winnow rejects --into {run.dataset.name}\n" if kinds else ""
    listed += "".join(f"  {kind.reason}: {', '.join(map(visible, kind.examples))}\n" for kind in kinds)
    listed += "".join(f"note: {kind}\n" for kind in not_read(documents.skipped))
    if run.order.approved_run:
        listed += f"run {run.order.approved_run} was approved, but there this did not fail, or by less\n"
    raise GateHeld(
        f"the gate held v{run.version} back; the last version stays as it is\n{_reasons(judged.gate)}\n{listed}"
        f"{_way_on(run.dataset, run.run_id)}"
    )


def _reasons(gate: GateResult) -> str:
    return "\n".join(f"  {o.expectation}: {o.sentence}" for o in gate.held_by)


def _way_on(dataset: Dataset, run_id: str) -> str:
    return (
        f"mend the input or the limits in the recipe, or let it pass: "
        f"winnow approve {run_id} --because REASON --into {dataset.name}"
    )


def still_held(run: Run) -> RunSummary | None:
    """The summary of a run that would only make again what the gate holds back; None where anything changed since.

    A person's approval is no such run.
    """
    known = held_from(run.dataset) if run.order.intake == "source" and run.order.approve is None else None
    if known is None or known[1] != input_of(run):
        return None
    held = known[0]
    reasons = f"{_reasons(held.gate)}\n" if held.gate else ""
    text = (
        f"v{held.version} is still held back, and nothing has changed since run {held.run_id}\n{reasons}"
        f"{_way_on(run.dataset, held.run_id)}"
    )
    run.log(f"v{held.version} is still held back; nothing has changed since run {held.run_id}", "read")
    return replace(
        _without_change(run, unchanged=0), held=StillHeld(run_id=held.run_id, version=held.version, text=text)
    )


def nothing_changed(run: Run, documents: Documents) -> RunSummary:
    """The summary of a run that published nothing because nothing was new."""
    return replace(_without_change(run, documents.counts.unchanged), not_read=not_read(documents.skipped))


def _without_change(run: Run, unchanged: int) -> RunSummary:
    facts = previous_facts(run)
    return RunSummary(
        run_id=run.run_id,
        version=None,
        latest=run.dataset.latest_version(),
        documents=DocumentCounts(
            read=0,
            unchanged=unchanged,
            published=facts.n_published if facts else 0,
            duplicates=facts.n_duplicates if facts else 0,
            rejected=facts.n_rejected if facts else 0,
        ),
        warnings=run.mended,
        seconds=(now() - run.started_at).total_seconds(),
    )


def _summary(run: Run, documents: Documents, manifest: Manifest, judged: Judged, changes: TableChanges) -> RunSummary:
    published = scan_parquet(run.dataset.files("documents")).select("doc_id", "n_edits")
    most = published.select(pl.col("n_edits").max()).collect(engine="streaming").item()
    best = (
        published.filter(pl.col("n_edits").eq_missing(most)).select(pl.col("doc_id").min()).collect(engine="streaming")
    )
    facts = judged.facts
    return RunSummary(
        run_id=run.run_id,
        version=manifest.version,
        latest=manifest.version,
        documents=DocumentCounts(
            read=documents.counts.documents + documents.counts.rejects,
            unchanged=documents.counts.unchanged,
            published=facts.n_published,
            duplicates=facts.n_duplicates,
            rejected=facts.n_rejected,
            withdrawn=changes.withdrawn,
        ),
        repairs=dict(facts.edits_by_rule),
        removals=dict(facts.removals_by_reason),
        rejects=changes.rejects,
        not_read=not_read(documents.skipped),
        warnings=(*run.mended, *_named_otherwise_than_erased(run, manifest)),
        seconds=(now() - run.started_at).total_seconds(),
        example=best.item(),
        gate=judged.gate,
    )


def _named_otherwise_than_erased(run: Run, manifest: Manifest) -> tuple[str, ...]:
    """A note where settings name documents otherwise than those did under which some were erased.

    A receipt knows documents by their names alone: a hash of a text would be a trace of it.
    """
    if manifest.previous is None or not erased_ids(run.dataset):
        return ()
    if _naming(run.dataset.manifest(manifest.previous).recipe) == _naming(manifest.recipe):
        return ()
    note = (
        "settings of [read] name documents otherwise than before, and what was erased stays out by its name alone; "
        "look for it in this version, and erase it again where it came back"
    )
    return (note,)


def _naming(recipe: Mapping[str, Any]) -> object:
    """The settings that a document's name depends on."""
    read = recipe.get("read", {})
    names = ("name", "glob", "format", "ids", "id_fields")
    return read.get("ids"), read.get("id_fields"), [[s.get(n) for n in names] for s in read.get("sources", ())]


def _record(
    run: Run,
    documents: Documents,
    repaired: Repaired,
    changes: TableChanges,
    judged: Judged,
    status: str,
    note: str | None,
) -> RunRecord:
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return RunRecord(
        run_id=run.run_id,
        started_at=run.started_at,
        recipe=run.recipe.model_dump(mode="json", by_alias=True),
        recipe_id=run.recipe_id,
        packages=packages(),
        counts={
            "read": asdict(documents.counts),
            "repair": asdict(repaired.counts),
            "withdrawn": changes.withdrawn,
            "decided_by": changes.decided_by,
            "facts": judged.facts.as_dict(),
            "peak_memory_mb": round(peak / 1024),
        },
        gate=judged.gate.as_dict(),
        status=status,
        note=note,
    )


def _publication(run: Run, record: RunRecord, executor: Executor | None = None) -> Publication:
    settings = run.recipe.publish
    sums = (lambda manifest: _sums_of(run.dataset, manifest, executor)) if executor else None
    extras = report_of(run.run_id, settings.name, sums)
    return Publication(dataset=run.dataset, run=record, settings=settings, clock=now, extras=extras, executor=executor)


def _sums_of(dataset: Dataset, manifest: Manifest, executor: Executor) -> list[PassageSums]:
    """What workers read off the passages of a version whose view is not there yet for them, but its table is."""
    names = [file.delta_path for file in manifest.tables["passages"].files]
    files = [dataset.table("passages") / name for name in names if name]
    return list(each_range(executor, sum_passages, files, _chars_of(manifest) is None))


def _chars_of(manifest: Manifest) -> Mapping[str, int] | None:
    """The characters of a version by their fate, where its run counted them and nothing was erased since."""
    told = {} if manifest.erased else manifest.counts.get("facts") or {}
    return Facts.from_dict(told).chars_by_fate if "chars_by_fate" in told else None


def packages() -> dict[str, str]:
    """Versions of Python and of the packages that shape the rows."""
    found = {"python": platform.python_version()}
    for name in SHAPING_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def now() -> datetime:
    return datetime.now(UTC)


def report_of(run_id: str, name: str, sums: Callable[[Manifest], Sequence[PassageSums]] | None = None) -> Extras:
    """What else lies in a view: the page that shows what happened. `sums` gives those over its passages."""

    def extras(folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
        data = collect(
            folder,
            version=manifest.version,
            created_at=manifest.created_at,
            run_id=run_id,
            name=name,
            previous=manifest.previous,
            passages=sums(manifest) if sums else (),
            chars=_chars_of(manifest),
        )
        return {"report.html": render(data)}

    return extras
