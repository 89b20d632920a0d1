"""Table ``passages``: every passage of every document that was not rejected, kept or removed."""

import pyarrow as pa

from schemas.fields import column, table

PASSAGES = table(
    "One row per passage, kept or removed. In order, text + gap of a document's rows give its repaired text.",
    column("doc_id", pa.string(), "Document the passage belongs to"),
    column("position", pa.int32(), "Number of the block in the repaired text, from 0"),
    column(
        "part",
        pa.int32(),
        "0 for a whole block; pieces of a block that was cut at sentence ends count from 0",
    ),
    column("kind", pa.string(), "heading, paragraph, list_item, table_row, quote or code"),
    column("text", pa.string(), "The passage, removed or not"),
    column("gap", pa.string(), "White space between this passage and the next in the repaired text"),
    column(
        "fingerprint",
        pa.binary(),  # Delta knows no fixed-size binary; always 16 bytes
        "128-bit hash (16 bytes) of the normalised passage (case, spaces, punctuation folded)",
    ),
    column("status", pa.string(), "kept or removed"),
    column(
        "reason",
        pa.string(),
        "Why it was removed: repeat, near_repeat, boilerplate, promo, duplicate_document; null if kept",
        True,
    ),
    column(
        "kept_doc_id",
        pa.string(),
        "Document that holds the copy which was kept; null where nothing was kept",
        True,
    ),
    column("kept_position", pa.int32(), "Position of the kept copy in that document", True),
    column("similarity", pa.float32(), "Verified similarity with the kept copy, 0 to 1", True),
)
