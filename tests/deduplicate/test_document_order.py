"""The order of documents is the same however it is cut into parts, and as plain sorting gives it."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.publish.press import write_rows

from winnow.base.doc_ids import DocIds
from winnow.base.errors import DatasetError
from winnow.base.records import doc_id_of
from winnow.base.staging import PREPARED_INDEX
from winnow.deduplicate.documents import document_order
from winnow.deduplicate.documents.document_order import load_order, rank_documents
from winnow.deduplicate.work_files import NO_RANK, InputFile, WorkFiles

Row = dict[str, Any]


def documents(count: int) -> list[Row]:
    rng = random.Random(count)
    return [
        {
            "doc_id": doc_id_of(str(n)), "arrival": rng.randint(1, 2), "damage": rng.randint(0, 1),
            "length": rng.randint(1, 3),
            "collected_at": rng.choice([None, datetime(2024, 1, rng.randint(1, 2), tzinfo=UTC)]),
            "site": rng.choice(["a.org", "b.org", ""]), "text_hash": bytes(15) + bytes([rng.randint(0, count)]),
            "n_shingles": n,
        }
        for n in range(count)
    ]  # fmt: skip


def in_order(rows: list[Row]) -> list[Row]:
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(
        rows, key=lambda r: (r["arrival"], r["damage"], -r["length"], r["collected_at"] or never, r["doc_id"])
    )


@pytest.mark.parametrize("bytes_a_part", [1 << 20, 500, 60])
def test_documents_are_ranked_in_parts_as_in_one(
    bytes_a_part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_order, "partitions_for", lambda rows, size: -(-rows * size // bytes_a_part))
    monkeypatch.setattr(document_order, "_SAMPLED", 2)
    rows, files = documents(60), WorkFiles(tmp_path)
    left_out = DocIds.of([row["doc_id"] for row in rows[40:44]])
    gone = files.left_out.save(left_out.keys)
    indexes = [
        InputFile(path=write_rows(tmp_path / f"{n}.parquet", rows[n * 20 : n * 20 + 20], PREPARED_INDEX), name=f"{n}")
        for n in range(2)
    ]
    published = write_rows(tmp_path / "published.parquet", rows[40:], PREPARED_INDEX)
    indexes.append(InputFile(path=published, name="published", left_out=gone))
    with ThreadPoolExecutor(2) as executor:
        assert rank_documents(indexes, files, executor) == 56
    order, expected = load_order(files), in_order([r for r in rows if r["doc_id"] not in left_out])
    ids = [row["doc_id"] for row in expected]
    assert order.doc_ids(order.exact_of[:0]).to_pylist() == []
    assert order.doc_ids(range(56)).to_pylist() == ids
    assert order.n_shingles.tolist() == [row["n_shingles"] for row in expected]
    texts = [row["text_hash"] for row in expected]
    assert order.exact_of.tolist() == [texts.index(text) for text in texts]
    sites = [row["site"] for row in expected]
    assert len({*zip(sites, order.site.tolist(), strict=True)}) == len({*sites}) == len({*order.site.tolist()})
    assert order.ranks_of(pa.array(ids), indexes[0]).tolist() == list(range(56))
    unknown = pa.array([rows[40]["doc_id"], doc_id_of("nobody"), ids[3]])
    assert order.ranks_of(unknown, indexes[2]).tolist() == [NO_RANK, NO_RANK, 3]


def test_a_document_that_is_given_twice_is_named(tmp_path: Path) -> None:
    rows = documents(3)
    indexes = [
        InputFile(path=write_rows(tmp_path / f"{n}.parquet", rows[n:], PREPARED_INDEX), name=f"{n}") for n in (0, 2)
    ]
    with ThreadPoolExecutor(1) as executor, pytest.raises(DatasetError, match=f"{rows[2]['doc_id']} is given twice"):
        rank_documents(indexes, WorkFiles(tmp_path), executor)


def test_no_documents_have_an_order_too(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        assert rank_documents([], WorkFiles(tmp_path), executor) == 0
    order = load_order(WorkFiles(tmp_path))
    assert order.ranks_of(pa.array([doc_id_of("x")]), InputFile(path=tmp_path, name="a")).tolist() == [NO_RANK]
