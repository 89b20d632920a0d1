"""Pairs that are alike and both kept are listed, with how much of the one stands in the other and where."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.deduplicate.corpus import Here, article, prepared

from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import doc_id_of
from winnow.base.staging import SIMILAR_DOCUMENTS
from winnow.deduplicate.documents.similar_pairs import MOST
from winnow.deduplicate.removals import find_removals

SOURCE = article(8)


def text(paragraphs: list[str]) -> str:
    return "\n\n".join(paragraphs)


def reworded(paragraphs: list[str]) -> list[str]:
    """Each sixth word another: of five in a row few stay, of three in a row half."""
    return [" ".join(f"other{n}" if n % 6 == 5 else w for n, w in enumerate(p.split())) for p in paragraphs]


OTHERS = {
    "unrelated": article(2),
    "a copy": [*SOURCE[:-1], SOURCE[-1].replace("river", "stream")],
    "half of it": [*SOURCE[:3], *article(3)[:3]],
    "reworded": reworded(SOURCE),
    "a passage of it": [*article(4), *article(5), SOURCE[0]],
}


def listed(folder: Path, documents: Mapping[str, str], settings: DeduplicateSettings, shards: int = 1) -> list[Any]:
    made = prepared(folder / "in", documents, settings, shards=shards)
    found = find_removals([m.index for m in made], [m.passages for m in made], folder / "work", settings, Here())
    rows = pq.read_table(found.similar_files[0])
    assert rows.schema.equals(SIMILAR_DOCUMENTS)
    names = {doc_id_of(name): name for name in documents}
    return [{**row, **{n: names[row[n]] for n in ("doc_id", "similar_doc_id")}} for row in rows.to_pylist()]


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("unrelated", 0, 0),
        ("a copy", 0, 0),
        ("half of it", 0.45, 0.55),
        ("reworded", 0.4, 0.6),
        ("a passage of it", 0, 0),
    ],
)
def test_of_documents_that_are_kept_those_are_listed_that_have_much_in_common(
    name: str, least: float, most: float, tmp_path: Path
) -> None:
    documents = {"the source": text(SOURCE), name: text(OTHERS[name])}
    rows = listed(tmp_path, documents, DeduplicateSettings(passages=False))
    assert len(rows) == bool(most)
    for row in rows:
        assert {row["doc_id"], row["similar_doc_id"]} == {"the source", name}
        assert least <= row["containment"] <= most
        assert row["similarity"] < DeduplicateSettings().document_threshold
        assert row["passage_share"] > 0.4


def test_the_passage_that_speaks_most_is_named(tmp_path: Path) -> None:
    theirs = [*article(3)[:2], *SOURCE[2:4], *article(6)[:1]]
    [row] = listed(tmp_path, {"first": text(SOURCE), "then": text(theirs)}, DeduplicateSettings(passages=False))
    assert row["position"] in (2, 3)  # of either of the two
    assert row["passage_share"] == 1


def test_the_one_that_is_more_of_the_other_is_named_first(tmp_path: Path) -> None:
    short = [*SOURCE[:2], *article(3)[:2]]
    documents = {"long": text([*SOURCE, *article(7)]), "short": text(short)}
    [row] = listed(tmp_path, documents, DeduplicateSettings(passages=False))
    assert (row["doc_id"], row["similar_doc_id"]) == ("short", "long")


def test_a_higher_threshold_lists_fewer(tmp_path: Path) -> None:
    documents = {"the source": text(SOURCE), "half of it": text(OTHERS["half of it"])}
    assert listed(tmp_path, documents, DeduplicateSettings(passages=False, similar_threshold=0.7)) == []


def test_of_many_the_closest_few_are_listed_however_they_lie_in_files(tmp_path: Path) -> None:
    documents = {f"{n}": text([*SOURCE[:3], *article(10 + n)[:3]]) for n in range(3 * MOST)}
    settings = DeduplicateSettings(passages=False)
    rows = listed(tmp_path / "once", documents, settings)
    of_each = [sum(row["doc_id"] == name for row in rows) for name in documents]
    assert max(of_each) == MOST
    items = list(documents.items())
    random.Random(1).shuffle(items)
    assert listed(tmp_path / "again", dict(items), settings, shards=4) == rows
