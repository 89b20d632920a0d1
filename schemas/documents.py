"""Table ``documents``: one row per published document."""

import pyarrow as pa

from schemas.fields import METADATA, TIMESTAMP, column, table

DOCUMENT_COLUMNS = (
    column(
        "doc_id",
        pa.string(),
        "First 16 hex digits of SHA-256 of the source; stays the same when content or rules change",
    ),
    column(
        "source",
        pa.string(),
        "Where the document came from: path relative to the input root, or the URL or id of its record",
    ),
    column(
        "title",
        pa.string(),
        "Title the record carries, else the first heading that reads as one; null where there is none",
        True,
    ),
    column("text", pa.string(), "The cleaned text: kept passages in the order of the article"),
    column(
        "language",
        pa.string(),
        "Guessed language of the text, ISO 639 code; null where the text is too short to tell",
        True,
    ),
    column(
        "language_confidence",
        pa.float32(),
        "How sure the guess is, 0 to 1; null where there is no guess",
        True,
    ),
    column("n_chars", pa.int64(), "Length of text in Unicode code points"),
    column("n_words", pa.int64(), "Number of words in text (runs of letters and digits)"),
    column("n_passages", pa.int32(), "Passages kept in text"),
    column("n_edits", pa.int32(), "Repairs made (edits with applied = true)"),
    column("n_removed", pa.int32(), "Passages left out of text on purpose"),
    column("encoding", pa.string(), "Character encoding the bytes were decoded with"),
    column("content_sha256", pa.string(), "SHA-256 (hex) of the content as it was read, before decoding"),
    column("collected_at", TIMESTAMP, "When the document was collected, where its record says so", True),
    column("metadata", METADATA, "All other fields of the record, values as text"),
    column("first_version", pa.int32(), "Dataset version in which the document was first seen"),
    column("recipe_id", pa.string(), "Fingerprint of the settings and rule versions that made this row"),
    column("run_id", pa.string(), "Run that last wrote this row"),
)

DOCUMENTS = table("One row per published document.", *DOCUMENT_COLUMNS)
