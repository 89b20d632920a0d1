"""What every command that writes does first: undo damage and what a killed run left, and say so."""

from __future__ import annotations

import logging

from winnow.base.log import LOGGER
from winnow.publish.dataset import Dataset
from winnow.publish.manifest import Manifest
from winnow.publish.recover import recover
from winnow.publish.version import Extras
from winnow.run.release import report_of


def recover_dataset(dataset: Dataset, to_go_back: bool = False) -> tuple[str, ...]:
    """Bring a dataset back to its last published version; what damage was undone, one line each.

    Call it as the dataset's only writer. Raises DatasetDamaged where the last version cannot be restored; not
    `to_go_back` to an older one.
    """

    def page_of(manifest: Manifest) -> Extras:
        name = manifest.recipe.get("publish", {}).get("name", "")
        return report_of(manifest.run_id, name)

    done = recover(dataset, page_of, to_go_back)
    for line in done.mended:
        logging.getLogger(LOGGER).warning(f"damage undone: {line}", extra={"stage": "recover"})
    return tuple(f"damage undone: {line}" for line in done.mended)
