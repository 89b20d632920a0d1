"""What every stage of one run needs to know, fixed when the run begins."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

from winnow.base.log import LOGGER
from winnow.base.recipe import Recipe
from winnow.publish.dataset import Dataset
from winnow.repair import rule_versions

Intake = Literal["source", "quarantine", "nowhere"]
"""Where a run's documents come from: the input, the rejects that wait, or none but those that are published."""

STAGE_VERSIONS = {"read": 1, "deduplicate": 1}
"""Raised when a stage makes other rows of the same text, as a rule's version is; part of the recipe's fingerprint."""


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of the flow. ``version`` is the number it will publish under if anything changed.

    ``reason`` names the kind of rejects that a replay reads again; ``withdraw`` the sources or doc_ids of documents
    that leave the dataset.
    """

    run_id: str
    started_at: datetime
    source: str
    dataset: Dataset
    recipe: Recipe
    recipe_id: str
    version: int
    full: bool = False
    mirror: bool = False
    approved: str | None = None
    intake: Intake = "source"
    reason: str | None = None
    withdraw: tuple[str, ...] = ()

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
    source: str,
    dataset: Dataset,
    recipe: Recipe,
    full: bool = False,
    mirror: bool = False,
    approved: str | None = None,
    intake: Intake = "source",
    reason: str | None = None,
    withdraw: Sequence[str] = (),
) -> Run:
    """A run that starts now; it will publish the dataset's next version."""
    started = datetime.now(UTC)
    return Run(
        run_id=new_run_id(started),
        started_at=started,
        source=source,
        dataset=dataset,
        recipe=recipe,
        recipe_id=recipe.recipe_id({**rule_versions(), **STAGE_VERSIONS}),
        version=dataset.next_version(),
        full=full,
        mirror=mirror,
        approved=approved,
        intake=intake,
        reason=reason,
        withdraw=tuple(withdraw),
    )


def new_run_id(now: datetime | None = None) -> str:
    """Sortable by time, unique besides: ``20260131T020304Z-1a2b3c4d``."""
    return f"{(now or datetime.now(UTC)):%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"
