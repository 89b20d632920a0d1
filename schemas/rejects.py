"""Table ``rejects``: the quarantine."""

import pyarrow as pa

from schemas.fields import METADATA, column, table

REJECTS = table(
    "One row per document that could not be read or failed an expectation, with its content, so that it can be replayed.",
    column("doc_id", pa.string(), "Identity of the document, from its source"),
    column("source", pa.string(), "Where it came from"),
    column(
        "stage",
        pa.string(),
        "read, repair or validate; withdraw for a document that a person took out, without its content",
    ),
    column("reason", pa.string(), "What was wrong and what to do about it, one sentence"),
    column("expectation", pa.string(), "Name of the failed expectation, or of the kind of read error"),
    column("content", pa.binary(), "The document's bytes as they were read"),
    column("content_sha256", pa.string(), "SHA-256 (hex) of content"),
    column("input", pa.string(), "Input file that held it, relative to the input root"),
    column("metadata", METADATA, "All other fields of the record, values as text"),
    column("recipe_id", pa.string(), "Settings it was rejected under"),
    column("run_id", pa.string(), "Run that rejected it"),
    column("replayed_in", pa.string(), "Run in which a replay let it pass; null while it waits", True),
)
