"""CHECK constraints of the Delta tables. Every writer must keep them, also one that is not ours."""

from __future__ import annotations

from functools import cache

import polars as pl
import pyarrow as pa

from winnow.base.errors import DatasetError

_SHARE = "{0} IS NULL OR {0} >= 0 AND {0} <= 1"

CONSTRAINTS: dict[str, dict[str, str]] = {
    "documents": {
        "language_confidence": _SHARE.format("language_confidence"),
        "counts": "n_chars >= 0 AND n_words >= 0 AND n_passages >= 0 AND n_edits >= 0 AND n_removed >= 0",
        "first_version": "first_version >= 1",
    },
    "passages": {
        "position": "position >= 0 AND part >= 0",
        "reason": "status = 'removed' AND reason IS NOT NULL OR status = 'kept' AND reason IS NULL",
        "similarity": _SHARE.format("similarity"),
    },
    "edits": {
        "span": "start >= 0 AND start <= end",
        "confidence": "confidence >= 0 AND confidence <= 1",
        "seq": "seq >= 0",
    },
    "duplicates": {
        "kind": "kind = 'exact' OR kind = 'near' OR kind = 'contained'",
        "similarity": _SHARE.format("similarity"),
        "containment": _SHARE.format("containment"),
        "other": "doc_id <> kept_doc_id",
    },
    "rejects": {"stage": "stage = 'read' OR stage = 'repair' OR stage = 'validate' OR stage = 'withdraw'"},
    "inputs": {"counts": "bytes >= 0 AND n_documents >= 0 AND n_rejects >= 0"},
    "index": {"arrival": "arrival >= 1"},
    "runs": {"status": "status = 'published' OR status = 'held' OR status = 'approved'"},
}
"""Name and SQL of each constraint, by table: plain comparisons, which Delta, DataFusion and Polars read
alike."""


@cache
def _expressions(table: str) -> tuple[tuple[str, str, pl.Expr, tuple[str, ...]], ...]:
    found = []
    for name, sql in CONSTRAINTS.get(table, {}).items():
        expression = pl.sql_expr(sql)
        found.append((name, sql, expression, tuple(expression.meta.root_names())))
    return tuple(found)


def check(table: str, rows: pa.Table) -> None:
    """Raise DatasetError naming the constraint and a row that breaks it.

    As in SQL, a row for which a constraint is null breaks it no less than one for which it is false.
    """
    for field in rows.schema:
        if not field.nullable and rows.column(field.name).null_count:
            raise DatasetError(f"table {table}: column {field.name} holds null, which its schema forbids")
    for name, sql, expression, columns in _expressions(table):
        frame = pl.from_arrow(rows.select(list(dict.fromkeys(columns))))
        assert isinstance(frame, pl.DataFrame)
        broken = frame.select(expression.fill_null(False).not_().arg_true().first()).item()
        if broken is not None:
            row = {c: frame[int(broken), c] for c in frame.columns}
            raise DatasetError(f"table {table}: row {row} breaks the constraint {name}: {sql}")
