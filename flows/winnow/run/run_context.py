"""What a run is asked for, and what every stage of it needs to know: fixed when the run begins."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

from winnow.base.log import LOGGER
from winnow.base.recipe import Recipe
from winnow.publish.dataset import Dataset
from winnow.repair import repair_versions
from winnow.run.executor import Kind

Intake = Literal["source", "quarantine", "nowhere"]
"""Where a run's documents come from: the input, the rejects that wait, or none but those that are published."""

STAGE_VERSIONS = {"read": 6, "deduplicate": 8}
"""Raised when a stage makes other rows of the same text, as a rule's version is; part of the recipe's fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """What a run is asked for: where it reads and writes, what it takes in, and where its shards run.

    ``reason`` names the kind of rejects that a replay reads again; ``withdraw`` the sources or doc_ids of documents
    that leave the dataset. ``approve`` is a person's reason to publish what the gate holds back, ``approved_run`` the
    held run that the person looked at. ``strict`` refuses a source with files that no reader knows.
    """

    into: str = "dataset"
    source: str = ""
    intake: Intake = "source"
    recipe: str | None = None
    full: bool = False
    mirror: bool = False
    strict: bool = False
    reason: str | None = None
    withdraw: tuple[str, ...] = ()
    executor: Kind = "processes"
    workers: int | None = None
    address: str | None = None
    wait_seconds: float = 0
    approve: str | None = None
    approved_run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of the flow. ``version`` is the number it publishes under if anything changed.

    ``mended`` says what damage of the dataset was undone before it began.
    """

    run_id: str
    started_at: datetime
    order: RunOrder
    dataset: Dataset
    recipe: Recipe
    recipe_id: str
    version: int
    mended: tuple[str, ...] = ()

    @property
    def staging(self) -> Path:
        """Shard files; kept by content, so that the next run finds what this one finished."""
        return self.dataset.staging / "shards"

    @property
    def work(self) -> Path:
        """Files of this run alone; `recover` removes them where the run was killed."""
        return self.dataset.work(self.run_id)

    def log(self, message: str, stage: str, **extra: object) -> None:
        """A record that names the run and the stage."""
        logging.getLogger(LOGGER).info(message, extra={"run_id": self.run_id, "stage": stage, **extra})

    def progress(self, stage: str) -> Callable[[int, int], None]:
        """A callback that reports shards done."""

        def report(done: int, total: int) -> None:
            # Results come in the order of the shards, so the last one done has this number.
            self.log(f"{stage}: {done} of {total} shards", stage, shard=done, done=done, total=total)

        return report


def begin(
    dataset: Dataset, recipe: Recipe, order: RunOrder, mended: tuple[str, ...] = (), run_id: str | None = None
) -> Run:
    """A run that starts now; it publishes the dataset's next version. `run_id` is the one that its lock names."""
    started = datetime.now(UTC)
    return Run(
        run_id=run_id or new_run_id(started),
        started_at=started,
        order=order,
        dataset=dataset,
        recipe=recipe,
        recipe_id=recipe.recipe_id({**repair_versions(recipe.repair), **STAGE_VERSIONS}),
        version=dataset.next_version(),
        mended=mended,
    )


def new_run_id(now: datetime | None = None) -> str:
    """Sortable by time, unique besides: ``20260131T020304Z-1a2b3c4d``."""
    return f"{(now or datetime.now(UTC)):%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"
