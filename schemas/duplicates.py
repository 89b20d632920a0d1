"""Table ``duplicates``: documents left out because another published document says the same."""

import pyarrow as pa

from schemas.documents import DOCUMENT_COLUMNS
from schemas.fields import column, table

_OWN = {"doc_id", "source", "run_id"}

DUPLICATES = table(
    "One row per document left out as a copy. Its passages stand in table passages, so it can be brought back.",
    column("doc_id", pa.string(), "The document that was left out"),
    column("source", pa.string(), "Where it came from"),
    column("kept_doc_id", pa.string(), "The published document it is a copy of"),
    column("similarity", pa.float32(), "Exact Jaccard similarity of the two documents' word 5-gram sets, 0 to 1"),
    column("containment", pa.float32(), "Share of this document's word 5-grams found in the kept one, 0 to 1"),
    column("kind", pa.string(), "exact, near or contained"),
    column("run_id", pa.string(), "Run that last wrote this row"),
    *(f for f in DOCUMENT_COLUMNS if f.name not in _OWN),
)
