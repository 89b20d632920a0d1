"""Table ``runs``: what each run read, did and published."""

import pyarrow as pa

from schemas.fields import TIMESTAMP, column, table

RUNS = table(
    "One row per run that published a version or was held back by the gate.",
    column("run_id", pa.string(), "Identity of the run"),
    column("version", pa.int32(), "Version the run published, or would have published if it was held back"),
    column("status", pa.string(), "published, held or approved"),
    column("started_at", TIMESTAMP, "When the run started"),
    column("finished_at", TIMESTAMP, "When the run finished"),
    column("recipe", pa.string(), "The settings of the run as JSON"),
    column("recipe_id", pa.string(), "Fingerprint of the settings and rule versions"),
    column("packages", pa.string(), "Versions of Python and of the packages that shape the rows, as JSON"),
    column("counts", pa.string(), "Documents, passages, edits and characters in and out per stage, as JSON"),
    column("gate", pa.string(), "Result of each dataset-level expectation, as JSON"),
    column(
        "table_versions",
        pa.string(),
        "Delta version of each table that makes up this dataset version, as JSON",
    ),
    column("note", pa.string(), "Why a held version was approved, or what a rollback went back to", True),
)
