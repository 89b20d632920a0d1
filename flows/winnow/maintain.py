"""The flow that keeps a dataset small and quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from winnow.base.telemetry import switch_off

switch_off()

from prefect import flow  # noqa: E402  (telemetry must be off before Prefect reads its settings)

from winnow.base.addresses import Address  # noqa: E402
from winnow.base.recipe import load_recipe  # noqa: E402
from winnow.run.maintenance import tidy_up  # noqa: E402
from winnow.server import artifacts  # noqa: E402
from winnow.storage.locate import describe_dataset  # noqa: E402


@flow(
    name="maintain", description="Join small files, prune, remove what nothing needs, clean staging.",
    timeout_seconds=6 * 3600, on_failure=[artifacts.tell_failed], on_crashed=[artifacts.tell_failed],
)  # fmt: skip
def maintain(
    into: Address = "dataset",
    recipe: str | None = None,
    dry_run: bool = False,
    wait_seconds: Annotated[float, Field(ge=0)] = 0,
) -> dict[str, Any]:
    """Tidy a dataset up; returns what was done, or would be, as plain data.

    Published versions stay as they are, but for those that the recipe's maintain.keep_versions lets go.

    Args:
        into: The dataset's folder, or s3://BUCKET/PREFIX.
        recipe: Settings, a TOML file; defaults if empty.
        dry_run: Say what would be done, and do nothing.
        wait_seconds: How long to wait for another run to finish.
    """
    dataset = describe_dataset(into)
    done = tidy_up(dataset, load_recipe(Path(recipe) if recipe else None), dry_run, wait_seconds)
    artifacts.tell_upkeep(dataset.name, done)
    return done
