"""Table ``inputs``: the input files that were read, so that unchanged ones are not read again."""

import pyarrow as pa

from schemas.fields import column, table

INPUTS = table(
    "One row per input file as it was last read.",
    column("path", pa.string(), "Path relative to the input root"),
    column("bytes", pa.int64(), "Size in bytes"),
    column("sha256", pa.string(), "SHA-256 (hex) of the file"),
    column("n_documents", pa.int64(), "Documents read from it"),
    column("n_rejects", pa.int64(), "Documents of it that went to quarantine while reading"),
    column("recipe_id", pa.string(), "Settings it was read under"),
    column("run_id", pa.string(), "Run that last read it"),
)
