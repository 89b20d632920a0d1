"""The flow that keeps a dataset small and quick."""

from __future__ import annotations

from winnow.run.maintenance import Upkeep, tidy_up
from winnow.run.recipe_file import load_recipe
from winnow.server import flow_form as form
from winnow.server.artifacts import tell_upkeep
from winnow.storage.locations import locate_dataset


@form.dataset_flow(hours=6)
def maintain(
    into: form.Into = "dataset",
    recipe: form.RecipeFile = None,
    dry_run: bool = False,
    wait_seconds: form.WaitSeconds = 0,
) -> Upkeep:
    """Join small files, prune, remove what nothing needs, clean staging.

    Published versions stay as they are, but for those that the recipe's maintain.keep_versions lets go.

    Args:
        dry_run: Say what would be done, and do nothing.
    """
    dataset = locate_dataset(into)
    done = tidy_up(dataset, load_recipe(recipe), dry_run, wait_seconds)
    tell_upkeep(dataset.name, done)
    return done
