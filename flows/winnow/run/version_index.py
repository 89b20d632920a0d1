"""Draws ``index.html`` at the root of a dataset anew: a page over its versions, made from their manifests.

What the page that stands there says of versions before the last is taken from it, so that not all manifests are read,
or fetched from a store, each time. Versions change by an erasure alone, which removes the page.
"""

from __future__ import annotations

import logging

from winnow.base.disk import remove_any
from winnow.base.errors import DatasetError
from winnow.base.files import at_hand
from winnow.base.log import LOGGER
from winnow.base.staging import write_file
from winnow.publish.dataset import Dataset, Problem
from winnow.report.collect import point_of
from winnow.report.index_page import MOST_VERSIONS, VersionLine, lines_of, render_index


def draw_index(dataset: Dataset) -> None:
    """Draws the page anew. It says nothing that the versions do not, so a failure is told and harms nothing."""
    numbers = dataset.version_numbers()
    drawn = {line.version: line for line in _drawn(dataset) if line.version != numbers[-1]}
    found = (drawn.get(n) or _line(dataset, n) for n in numbers[-MOST_VERSIONS:])
    lines = [line for line in found if line]
    if not lines:
        return
    try:
        write_file(dataset.index_page, render_index(_name(dataset, lines[-1]), lines, len(numbers)))
    except OSError as error:
        logging.getLogger(LOGGER).warning(f"{dataset.index_page}: not drawn: {error}", extra={"stage": "publish"})


def index_fault(dataset: Dataset) -> Problem | None:
    """What is wrong with the page: it is missing, or says something else than the versions; None where nothing is."""
    lines = [line for n in dataset.version_numbers()[-MOST_VERSIONS:] if (line := _line(dataset, n))]
    if not lines or _drawn(dataset) == lines:
        return None
    there = dataset.index_page.is_file()
    return Problem(None, dataset.index_page.name, "says something else than the versions" if there else "is missing")


def mend_index(dataset: Dataset) -> tuple[str, ...]:
    """Draws the page anew from the manifests where something is wrong with it; returns what was done."""
    fault = index_fault(dataset)
    if fault is None:
        return ()
    remove_any(dataset.index_page)
    draw_index(dataset)
    return (f"{fault.place}: {fault.what}; drawn anew",)


def _drawn(dataset: Dataset) -> list[VersionLine]:
    try:
        return lines_of(at_hand(dataset.index_page).read_bytes())
    except OSError:
        return []


def _name(dataset: Dataset, latest: VersionLine) -> str:
    return str(dataset.manifest(latest.version).recipe.get("publish", {}).get("name", "dataset"))


def _line(dataset: Dataset, number: int) -> VersionLine | None:
    try:
        manifest = dataset.manifest(number)
    except DatasetError:  # nobody can read it; `verify` says so
        return None
    has_report = (dataset.view(number) / "report.html").is_file()
    facts = manifest.counts.get("facts") or {}
    return VersionLine(
        version=number,
        created_at=manifest.created_at,
        n_published=manifest.rows("documents"),
        n_duplicates=manifest.rows("duplicates"),
        n_rejected=int(facts.get("n_rejected") or 0),
        n_erased=sum(e.documents for e in manifest.erased),
        note=manifest.note,
        report=f"v{number}/report.html" if has_report else None,
        point=point_of(number, manifest.counts),
    )
