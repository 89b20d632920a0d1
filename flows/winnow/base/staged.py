"""What stages hand to one another through files in the staging folder. Not part of a published dataset."""

import pyarrow as pa

from winnow.base.contracts import TABLES, column, table

EDITS, INDEX, PASSAGES, REJECTS = (TABLES[name] for name in ("edits", "index", "passages", "rejects"))

_DOCUMENT = {f.name: f for f in TABLES["documents"]}
_IDENTITY = [
    _DOCUMENT[n] for n in ("doc_id", "source", "title", "encoding", "content_sha256", "collected_at", "metadata")
]
_INPUT = column("input", pa.string(), "Input file that held the document, relative to the input root")

RAW = table(
    "Read: one row per decoded document.",
    *_IDENTITY,
    _INPUT,
    column("text", pa.string(), "The decoded text, line ends as LF"),
    column("content", pa.binary(), "The bytes as read, where they are not simply text in UTF-8", True),
)

REJECTED = table(
    "Read, repair: one row per document that goes to quarantine.",
    *(REJECTS.field(n) for n in ("doc_id", "source", "stage", "reason", "expectation", "content", "metadata", "input")),
)

REPAIRED = table(
    "Repaired: one row per document, sorted by doc_id, with its ledger and measures.",
    *_IDENTITY,
    _INPUT,
    column("text", pa.string(), "The repaired text"),
    _DOCUMENT["language"],
    _DOCUMENT["language_confidence"],
    column("n_chars", pa.int64(), "Length of the repaired text in code points"),
    column("n_words", pa.int64(), "Words of the repaired text"),
    column("n_edits", pa.int32(), "Repairs made"),
    column(
        "letter_share",
        pa.float32(),
        "Share of the characters other than white space that are letters or digits",
    ),
    column("residual_markup", pa.float32(), "Share of the characters that still stand in damaged tags or entities"),
    column(
        "edits",
        pa.list_(pa.field("item", pa.struct([EDITS.field(n) for n in EDITS.names if n != "doc_id"]), nullable=False)),
        "The ledger, in order",
    ),
)

PREPARED = table(
    "Prepared for comparison: one row per passage, sorted by doc_id, position, part.",
    *(PASSAGES.field(n) for n in ("doc_id", "position", "part", "kind", "text", "gap", "fingerprint")),
)

PREPARED_INDEX = INDEX
"""One row per document, as in table ``index``."""

DOCUMENT_DECISIONS = table(
    "Deduplicate: one row per document that is left out as a copy.",
    *(column(n, t, d, n == "containment") for n, t, d in (
        ("doc_id", pa.string(), "The document left out"),
        ("kept_doc_id", pa.string(), "The document kept"),
        ("similarity", pa.float32(), "Exact Jaccard of the shingle sets"),
        ("containment", pa.float32(), "Share of its shingles found in the kept one"),
        ("kind", pa.string(), "exact, near or contained"),
    )),
)  # fmt: skip

PASSAGE_DECISIONS = table(
    "Deduplicate: one row per passage that is removed, sorted by doc_id, position, part.",
    *(PASSAGES.field(n) for n in ("doc_id", "position", "part")),
    column("reason", pa.string(), "Why it is removed"),
    *(PASSAGES.field(n) for n in ("kept_doc_id", "kept_position", "similarity")),
)
