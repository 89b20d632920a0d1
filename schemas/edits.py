"""Table ``edits``: the ledger of repairs, exact in both directions."""

import pyarrow as pa

from schemas.fields import column, table

EDITS = table(
    "One row per repair. Applied in order of seq to the decoded text they give the repaired text; undone backwards, the decoded text.",
    column("doc_id", pa.string(), "Document the edit belongs to"),
    column("seq", pa.int32(), "Order in which the edits are applied, from 0"),
    column("rule", pa.string(), "Name of the rule"),
    column("rule_version", pa.int32(), "Version of the rule; a changed rule gets a new one"),
    column("start", pa.int64(), "Offset (code points) in the text as it stood before this edit"),
    column("end", pa.int64(), "End offset (exclusive) in the text as it stood before this edit"),
    column("before", pa.string(), "The text that stood there"),
    column("after", pa.string(), "The text that stands there now, or would if applied is false"),
    column("confidence", pa.float32(), "How sure the rule is that this was damage, 0 to 1"),
    column("applied", pa.bool_(), "false: a suspicion, recorded and not made"),
)
