"""What every command that writes does first: undo damage and what a killed run left, and say so."""

from __future__ import annotations

import logging

from winnow.base.log import LOGGER
from winnow.publish.dataset import Dataset
from winnow.publish.erasure import erase, take_back_exchanged, unfinished
from winnow.publish.manifest import Manifest
from winnow.publish.recover import recover
from winnow.publish.version import Extras
from winnow.run.release import report_of


def recover_dataset(dataset: Dataset, to_go_back: bool = False) -> tuple[str, ...]:
    """Bring a dataset back to its last published version and finish erasures; what was done, one line each.

    Call it as the dataset's only writer. Raises DatasetDamaged where the last version cannot be restored; not
    `to_go_back` to an older one.
    """
    settled = dataset.is_settled
    take_back_exchanged(dataset)
    log = logging.getLogger(LOGGER)
    recovered = recover(dataset, page_of, to_go_back)
    if left := len(recovered.removed):
        log.info(f"removed what a killed run left: {left} files or folders", extra={"stage": "recover"})
    said = [f"damage undone: {line}" for line in recovered.mended]
    for order in unfinished(dataset, settled):
        erase(dataset, order, page_of)
        said.append(f"erasure {order.run_id}: was not finished, or undone in part; every version is without it now")
    for line in said:
        log.warning(line, extra={"stage": "recover"})
    return tuple(said)


def page_of(manifest: Manifest) -> Extras:
    """Returns what draws the report of a version again."""
    name = manifest.recipe.get("publish", {}).get("name", "")
    return report_of(manifest.run_id, name)
