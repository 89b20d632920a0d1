"""What a run would do with its input, told without doing it: which files it reads, how a few records come out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from winnow.base.records import RawDocument, Reject
from winnow.read import InputFile, Skipped, read_documents, type_name
from winnow.repair import Repaired, repair
from winnow.run.intake import plan_source
from winnow.run.run_context import Run
from winnow.run.work_plan import known_inputs

State = Literal["new", "changed", "under other settings", "unchanged", "unreadable"]
"""Why a file is read, or that it needs not be or cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """A file of the input: the format that its ending names, and whether a run has to read it."""

    path: str
    format: str
    bytes: int
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The files of a source.

    ``vanished`` are those of the last version that it no longer holds, ``idle`` the entries of ``read.sources`` that no
    file belongs to.
    """

    files: tuple[PlannedFile, ...]
    skipped: tuple[Skipped, ...]
    vanished: tuple[str, ...]
    idle: tuple[str, ...]


def plan_run(run: Run) -> Plan:
    listing, inputs = plan_source(run)
    known, changed = known_inputs(run.dataset), {i.path for i in inputs.changed}

    def state(file: InputFile) -> State:
        if file.fault or not file.sha256:
            return "unreadable"
        if file.path not in changed:
            return "unchanged"
        if file.path not in known:
            return "new"
        return "under other settings" if known[file.path] == file.sha256 else "changed"

    files = tuple(
        PlannedFile(path=f.path, format=type_name(f.path, run.recipe.read), bytes=f.bytes, state=state(f))
        for f in listing.files
    )
    return Plan(
        files=files, skipped=listing.skipped, vanished=inputs.vanished, idle=tuple(s.called for s in listing.idle)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """A record of the input as it is read, and repaired; ``repaired`` is None for one that is rejected."""

    record: RawDocument | Reject
    repaired: Repaired | None


def sample(run: Run, count: int) -> Iterator[Sampled]:
    """The first records of files spread evenly over the source, `count` in all where there are so many."""
    files = plan_source(run)[0].files
    chosen = [files[n * len(files) // min(count, len(files))] for n in range(min(count, len(files)))]
    for number, file in enumerate(chosen):
        share = count // len(chosen) + (number < count % len(chosen))
        records = (r for r in read_documents(file, run.recipe.read) if isinstance(r, RawDocument | Reject))
        for record in islice(records, share):
            done = repair(record.text, run.recipe.repair) if isinstance(record, RawDocument) else None
            yield Sampled(record=record, repaired=done)
