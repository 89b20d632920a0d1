"""The contracts of a Winnow dataset: one Arrow schema a table, every column described in its field metadata.

Needs pyarrow and nothing of Winnow's own code, so that anyone may import it:

>>> from schemas import TABLES
>>> TABLES["documents"].field("doc_id").metadata[b"description"].decode()[:24]
'First 16 hex digits of S'
"""

from schemas.documents import DOCUMENTS
from schemas.duplicates import DUPLICATES
from schemas.edits import EDITS
from schemas.fields import describe
from schemas.index import INDEX
from schemas.inputs import INPUTS
from schemas.passages import PASSAGES
from schemas.rejects import REJECTS
from schemas.runs import RUNS
from schemas.suites import suite, suite_names

TABLES = {
    "documents": DOCUMENTS,
    "passages": PASSAGES,
    "edits": EDITS,
    "duplicates": DUPLICATES,
    "rejects": REJECTS,
    "runs": RUNS,
    "index": INDEX,
    "inputs": INPUTS,
}
"""Every table of a dataset, by the name of its folder."""

SORT_KEYS: dict[str, tuple[str, ...]] = {
    "documents": ("doc_id",),
    "passages": ("doc_id", "position", "part"),
    "edits": ("doc_id", "seq"),
    "duplicates": ("doc_id",),
    "rejects": ("doc_id", "content_sha256", "stage", "reason"),
    "runs": ("started_at", "run_id"),
    "index": ("doc_id",),
    "inputs": ("path",),
}
"""The order of the rows that one version adds to a table."""

__all__ = ["SORT_KEYS", "TABLES", "describe", "suite", "suite_names"]
