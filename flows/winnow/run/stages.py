"""What each task of the flow does with a run's files. Plain functions: Prefect wraps them in `winnow.build`."""

from winnow.run.intake import Checked, Documents, Repaired, check, read, repair, unchanged, worth_retrying
from winnow.run.release import held_back, nothing_changed, publish, tidy_staging, validate
from winnow.run.table_changes import Rows, deduplicate

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
