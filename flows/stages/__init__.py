"""What each task of the flow does with a run's files. Plain functions: Prefect wraps them in `flows.build`."""

from flows.stages.intake import Checked, Documents, Repaired, check, read, repair, unchanged, worth_retrying
from flows.stages.release import held_back, nothing_changed, publish, tidy_staging, validate
from flows.stages.rows import Rows, deduplicate

__all__ = [
    "Checked",
    "Documents",
    "Repaired",
    "Rows",
    "check",
    "deduplicate",
    "held_back",
    "nothing_changed",
    "publish",
    "read",
    "repair",
    "tidy_staging",
    "unchanged",
    "validate",
    "worth_retrying",
]
