"""The facts of a version: a few numbers by which its own gate, and that of the next version, judge it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray

from winnow.base.doc_ids import DocIds, Joined, doc_keys
from winnow.base.records import INTERNAL_ERROR, OTHER_LANGUAGE, Json


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
    chars_by_fate: Mapping[str, int] = field(default_factory=dict)  # of repaired text: "kept", or why it was removed
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


class Rows(Protocol):
    """The rows of a table of a version, column by column and batch by batch."""

    def batches(self, columns: Sequence[str], filter: ds.Expression | None = None) -> Iterator[pa.RecordBatch]: ...


def gather_facts(*, documents: Rows, duplicates: Rows, rejects: Rows, passages: Rows, edits: Rows) -> Facts:
    """Read the facts off the rows that the tables of a version have of some documents, or of all.

    A reject counts while it waits, once for each content. How many documents were read, and which removals dangle, the
    rows of some do not tell.
    """
    published, n_published = _ids(documents)
    copies, n_copies = _ids(duplicates)
    # A mark that keeps a withdrawn document out is no document that was read and refused.
    waits = pc.field("replayed_in").is_null() & (pc.field("stage") != "withdraw")
    content = ["doc_id", "content_sha256"]
    faults = rejects.batches(["doc_id"], waits & (pc.field("expectation") == INTERNAL_ERROR))
    return Facts(
        n_read=0,
        n_published=n_published,
        n_duplicates=n_copies,
        n_rejected=_distinct_rows(rejects.batches(content, waits)),
        n_internal_errors=sum(batch.num_rows for batch in faults),
        n_other_languages=_distinct_rows(rejects.batches(content, waits & (pc.field("expectation") == OTHER_LANGUAGE))),
        n_repeated_ids=n_published - len(published) + n_copies - len(copies) + int(published.have(copies.keys).sum()),
        n_chars=sum(pc.sum(b["n_chars"]).as_py() or 0 for b in documents.batches(["n_chars"])),
        edits_by_rule=_tally(edits.batches(["rule"], pc.field("applied"))),
        removals_by_reason=_tally(passages.batches(["reason"], pc.field("status") == "removed")),
        chars_by_fate=_chars_by_fate(passages.batches(["status", "reason", "text", "gap"])),
        documents_by_language=_tally(documents.batches(["language"])),
    )


def add_facts(parts: Sequence[Facts]) -> Facts:
    """The facts of documents of which these are the facts, some at a time.

    >>> add_facts([Facts(n_read=0, n_published=n, edits_by_rule={"tags": n}) for n in (1, 2)]).edits_by_rule
    {'tags': 3}
    """
    counts = {f.name: sum(getattr(part, f.name) for part in parts) for f in fields(Facts) if f.type == "int"}

    def together(tally: str) -> dict[str, int]:
        return _sorted(sum((Counter(getattr(part, tally)) for part in parts), Counter()))

    return Facts(
        **counts,
        edits_by_rule=together("edits_by_rule"),
        removals_by_reason=together("removals_by_reason"),
        chars_by_fate=together("chars_by_fate"),
        documents_by_language=together("documents_by_language"),
    )


def kept_for_others(*tables: Rows) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The documents that removals point to, as numbers, and how many do; they may be any of the version."""
    columns = (batch.column(0).drop_null() for table in tables for batch in table.batches(["kept_doc_id"]))
    return np.unique(Joined.of(np.uint64, map(doc_keys, columns)), return_counts=True)


def count_dangling(documents: Rows, kept: NDArray[np.uint64], counts: NDArray[np.int64]) -> int:
    """How many removals point to a document that is not published; see `kept_for_others`."""
    return int(counts[~_ids(documents)[0].have(kept)].sum())


def residual_markup(rows: pa.Table) -> tuple[float, int]:
    """``residual_markup`` times ``n_chars``, and ``n_chars``, summed over repaired rows.

    >>> residual_markup(pa.table({"n_chars": [1, 3], "residual_markup": [1.0, 0.0]}))
    (1.0, 4)
    """
    damaged = pc.sum(pc.multiply(pc.cast(rows["n_chars"], pa.float64()), rows["residual_markup"])).as_py() or 0.0
    return damaged, pc.sum(rows["n_chars"]).as_py() or 0


def mean_residual_markup(sums: Iterable[tuple[float, int]]) -> float:
    """Mean of ``residual_markup`` weighted by ``n_chars``, given the sums over some rows each; 0 where there are none.

    >>> mean_residual_markup([(1.0, 4), (0.0, 0)])
    0.25
    """
    damaged = total = 0.0
    for of_some, n_chars in sums:
        damaged += of_some
        total += n_chars
    return damaged / total if total else 0.0


def _ids(rows: Rows) -> tuple[DocIds, int]:
    """The doc_ids of a table, and how many rows have one."""
    return DocIds.of_batches(doc_keys(batch.column(0)) for batch in rows.batches(["doc_id"]))


def _distinct_rows(batches: Iterable[pa.RecordBatch]) -> int:
    return len({row for batch in batches for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)})


def _tally(batches: Iterable[pa.RecordBatch]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for batch in batches:
        for entry in pc.value_counts(batch.column(0)).to_pylist():
            counts[entry["values"] if entry["values"] is not None else "unknown"] += entry["counts"]
    return _sorted(counts)


def _chars_by_fate(batches: Iterable[pa.RecordBatch]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for batch in batches:
        kept = pc.equal(batch["status"], "kept")
        fates = pc.if_else(kept, "kept", pc.fill_null(batch["reason"], "removed")).dictionary_encode()
        chars = pc.add(*(pc.cast(pc.utf8_length(batch[name]), pa.int64()) for name in ("text", "gap")))
        # Not grouped by Arrow, which leaves memory in each of its threads.
        sums = np.bincount(fates.indices, chars)
        counts.update(dict(zip(fates.dictionary.to_pylist(), map(int, sums), strict=True)))
    return _sorted(counts)


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
