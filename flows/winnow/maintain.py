"""The flow that keeps a dataset small and quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from winnow.base.addresses import Address
from winnow.base.recipe import load_recipe
from winnow.run.maintenance import Upkeep, tidy_up
from winnow.server.artifacts import tell_upkeep
from winnow.server.tasks import dataset_flow
from winnow.storage.locations import locate_dataset


@dataset_flow("maintain", "Join small files, prune, remove what nothing needs, clean staging.", hours=6)
def maintain(
    into: Address = "dataset",
    recipe: str | None = None,
    dry_run: bool = False,
    wait_seconds: Annotated[float, Field(ge=0)] = 0,
) -> Upkeep:
    """Tidy a dataset up; returns what was done, or would be.

    Published versions stay as they are, but for those that the recipe's maintain.keep_versions lets go.

    Args:
        into: The dataset's folder, or s3://BUCKET/PREFIX.
        recipe: Settings, a TOML file; defaults if empty.
        dry_run: Say what would be done, and do nothing.
        wait_seconds: How long to wait for another run to finish.
    """
    dataset = locate_dataset(into)
    done = tidy_up(dataset, load_recipe(Path(recipe) if recipe else None), dry_run, wait_seconds)
    tell_upkeep(dataset.name, done)
    return done
