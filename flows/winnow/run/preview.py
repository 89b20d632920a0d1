"""What a run would do with its input, told without doing it: which files it reads, how a few records come out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, get_args

import polars as pl

from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject
from winnow.read import InputFiles, SkippedFiles, read_documents, type_name
from winnow.repair import Repaired, repair
from winnow.run.intake import plan_source
from winnow.run.run_context import Run
from winnow.run.work_plan import input_frame, known_inputs

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
class PlannedFiles:
    """Files and their states, as columns; each is an object only while it is looked at."""

    listed: InputFiles
    states: pl.Series
    settings: ReadSettings

    def __iter__(self) -> Iterator[PlannedFile]:
        for file, state in zip(self.listed, self.states, strict=True):
            kind = type_name(file.path, self.settings)
            yield PlannedFile(path=file.path, format=kind, bytes=file.bytes, state=state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The files of a source.

    ``vanished`` are those of the last version that it no longer holds, ``idle`` the entries of ``read.sources`` that no
    file belongs to.
    """

    files: PlannedFiles
    skipped: SkippedFiles
    vanished: pl.Series
    idle: tuple[str, ...]


def plan_run(run: Run) -> Plan:
    listing, inputs = plan_source(run)
    known = known_inputs(run.dataset).select("path", known="sha256")
    files = input_frame(listing.files).join(known, on="path", how="left", maintain_order="left")
    states = files.select(
        pl.when(pl.col("sha256") == "").then(pl.lit("unreadable"))
        .when(pl.col("path").is_in(inputs.unchanged.implode())).then(pl.lit("unchanged"))
        .when(pl.col("known").is_null()).then(pl.lit("new"))
        .when(pl.col("known") == pl.col("sha256")).then(pl.lit("under other settings"))
        .otherwise(pl.lit("changed")).cast(pl.Enum(get_args(State)))
    ).to_series()  # fmt: skip
    return Plan(
        files=PlannedFiles(listed=listing.files, states=states, settings=run.recipe.read),
        skipped=listing.skipped,
        vanished=inputs.vanished,
        idle=tuple(s.called for s in listing.idle),
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
