"""Clusters of copies and pairs that are alike, as the report shows them."""

from __future__ import annotations

import polars as pl
import pytest

from winnow.report import copies
from winnow.report.copies import clusters_of, pairs_alike
from winnow.report.report_data import Alike, Copy

DOCUMENTS = pl.LazyFrame({"doc_id": ["a", "b"], "source": ["of a", "of b"], "title": ["Title of a", None]})
DUPLICATES = pl.LazyFrame(
    {
        "doc_id": ["c", "d", "e", "f"],
        "source": ["of c", "of d", "of e", "of f"],
        "kept_doc_id": ["a", "b", "b", "b"],
        "similarity": [1.0, 0.5, 0.9, 0.6],
        "kind": ["exact", "near", "near", "near"],
    }
)


def test_the_largest_clusters_come_first_each_with_the_copies_that_are_least_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copies, "COPIES", 2)
    first, second = clusters_of(DOCUMENTS, DUPLICATES)
    assert (first.source, first.title, first.count) == ("of b", "", 3)
    assert first.copies == (
        Copy(source="of d", similarity=0.5, kind="near"),
        Copy(source="of f", similarity=0.6, kind="near"),
    )
    assert (second.source, second.title, second.count) == ("of a", "Title of a", 1)


def test_the_closest_pairs_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    similar = pl.LazyFrame(
        {"doc_id": ["a", "b"], "similar_doc_id": ["b", "a"], "similarity": [0.2, 0.3], "containment": [0.5, 0.75]}
    )
    monkeypatch.setattr(copies, "PAIRS", 1)
    assert pairs_alike(DOCUMENTS, similar) == (Alike(source="of b", other="of a", similarity=0.3, containment=0.75),)


def test_without_copies_there_is_nothing_to_show() -> None:
    assert clusters_of(DOCUMENTS, DUPLICATES.clear()) == ()
    none = {"doc_id": pl.String, "similar_doc_id": pl.String, "similarity": pl.Float32, "containment": pl.Float32}
    assert pairs_alike(DOCUMENTS, pl.LazyFrame(schema=none)) == ()
