"""The facts of a version: a few numbers by which its own gate, and that of the next version, judge it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from winnow.base.records import INTERNAL_ERROR, OTHER_LANGUAGE, Json

INTERNAL_ERRORS = [INTERNAL_ERROR, "repair_failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Counts of a whole dataset version as it would be published. Plain numbers, kept as JSON in ``runs``."""

    n_read: int  # documents known: read now or in an earlier run, and not withdrawn
    n_published: int
    n_duplicates: int = 0
    n_vanished: int = 0  # documents that left because a mirrored source no longer holds them
    n_rejected: int = 0
    n_internal_errors: int = 0  # of the rejects, those that are faults of Winnow
    n_other_languages: int = 0  # of the rejects, those in a language that the recipe does not name
    n_repeated_ids: int = 0  # doc_ids that stand more than once among published and duplicates
    n_dangling: int = 0  # removals whose kept document is not published
    n_broken_rows: int = 0  # rows that break the suite of their table
    n_chars: int = 0  # characters of published text
    mean_residual_markup: float = 0.0  # over the characters of the documents that this run repaired
    edits_by_rule: Mapping[str, int] = field(default_factory=dict)
    removals_by_reason: Mapping[str, int] = field(default_factory=dict)
    documents_by_language: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_lost(self) -> int:
        return self.n_read - self.n_published - self.n_duplicates - self.n_rejected

    @property
    def reject_share(self) -> float:
        """Share of what was meant to be read; documents in other languages were not."""
        meant = self.n_read - self.n_other_languages
        return (self.n_rejected - self.n_other_languages) / meant if meant else 0.0

    @property
    def mean_chars(self) -> float:
        return self.n_chars / self.n_published if self.n_published else 0.0

    def rule_shares(self) -> dict[str, float]:
        """Share of all repairs that each rule made.

        >>> Facts(n_read=1, n_published=1, edits_by_rule={"tags": 3, "entities": 1}).rule_shares()
        {'tags': 0.75, 'entities': 0.25}
        """
        total = sum(self.edits_by_rule.values())
        return {rule: n / total for rule, n in self.edits_by_rule.items()} if total else {}

    def as_dict(self) -> Json:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Facts:
        """The inverse of `as_dict`; keys of a newer Winnow are left out, missing ones have defaults.

        >>> Facts.from_dict(Facts(n_read=3, n_published=2, n_rejected=1).as_dict() | {"n_new": 1}).n_lost
        0
        """
        return cls(**{f.name: data[f.name] for f in fields(cls) if f.name in data})


def gather_facts(
    *,
    documents: ds.Dataset,
    duplicates: ds.Dataset,
    rejects: ds.Dataset,
    passages: ds.Dataset,
    edits: ds.Dataset,
    n_read: int,
    n_vanished: int,
    mean_residual_markup: float,
) -> Facts:
    """Read the facts off the tables of a version, column by column and batch by batch.

    Memory: 8 bytes for each doc_id and one batch. A reject counts while it waits, once for each content.
    """
    published = _ids(documents.scanner(columns=["doc_id"]).to_batches())
    copies = _ids(duplicates.scanner(columns=["doc_id"]).to_batches())
    settled = np.concatenate([published, copies])
    # A mark that keeps a withdrawn document out is no document that was read and refused.
    waits = pc.field("replayed_in").is_null() & (pc.field("stage") != "withdraw")
    waiting = rejects.scanner(columns=["doc_id", "content_sha256"], filter=waits)
    foreign = rejects.scanner(
        columns=["doc_id", "content_sha256"], filter=waits & (pc.field("expectation") == OTHER_LANGUAGE)
    )
    faults = rejects.scanner(columns=["doc_id"], filter=waits & pc.field("expectation").isin(INTERNAL_ERRORS))
    links = [_ids(t.scanner(columns=["kept_doc_id"]).to_batches(), "kept_doc_id") for t in (duplicates, passages)]
    return Facts(
        n_read=n_read,
        n_vanished=n_vanished,
        n_published=len(published),
        n_duplicates=len(copies),
        n_rejected=_distinct_rows(waiting.to_batches()),
        n_internal_errors=sum(batch.num_rows for batch in faults.to_batches()),
        n_other_languages=_distinct_rows(foreign.to_batches()),
        n_repeated_ids=len(settled) - len(np.unique(settled)),
        n_dangling=int(np.isin(np.concatenate(links), published, invert=True).sum()),
        n_chars=sum(pc.sum(b["n_chars"]).as_py() or 0 for b in documents.scanner(columns=["n_chars"]).to_batches()),
        mean_residual_markup=mean_residual_markup,
        edits_by_rule=_tally(edits.scanner(columns=["rule"], filter=pc.field("applied")).to_batches()),
        removals_by_reason=_tally(
            passages.scanner(columns=["reason"], filter=pc.field("status") == "removed").to_batches()
        ),
        documents_by_language=_tally(documents.scanner(columns=["language"]).to_batches()),
    )


def mean_residual_markup(batches: Iterable[pa.RecordBatch | pa.Table]) -> float:
    """Mean of ``residual_markup`` weighted by ``n_chars`` over repaired rows; 0 where there are none.

    >>> mean_residual_markup([pa.table({"n_chars": [1, 3], "residual_markup": [1.0, 0.0]})])
    0.25
    """
    damaged = total = 0.0
    for batch in batches:
        damaged += pc.sum(pc.multiply(pc.cast(batch["n_chars"], pa.float64()), batch["residual_markup"])).as_py() or 0
        total += pc.sum(batch["n_chars"]).as_py() or 0
    return damaged / total if total else 0.0


def _ids(batches: Iterable[pa.RecordBatch], column: str = "doc_id") -> np.ndarray:
    """doc_ids as 64-bit numbers, which is what their 16 hex digits are; nulls are left out."""
    parts = [np.empty(0, np.uint64)]
    for batch in batches:
        ids = batch[column].drop_null()
        if len(ids):
            text = "".join(ids.to_pylist())
            parts.append(np.frombuffer(bytes.fromhex(text), dtype=">u8").astype(np.uint64))
    return np.concatenate(parts)


def _distinct_rows(batches: Iterable[pa.RecordBatch]) -> int:
    return len({row for batch in batches for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)})


def _tally(batches: Iterable[pa.RecordBatch]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for batch in batches:
        for entry in pc.value_counts(batch.column(0)).to_pylist():
            counts[entry["values"] if entry["values"] is not None else "unknown"] += entry["counts"]
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
