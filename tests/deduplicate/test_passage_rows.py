"""Of published passages the rows are read that matter, however they are looked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.publish.press import write_rows

from winnow.base.doc_ids import DocIds
from winnow.base.records import doc_id_of
from winnow.base.staging import PREPARED, PREPARED_INDEX
from winnow.deduplicate import passage_rows
from winnow.deduplicate.documents.document_order import load_order, rank_documents
from winnow.deduplicate.passage_rows import list_documents, shared_rows, wanted_rows, write_prints
from winnow.deduplicate.work_files import NO_RANK, InputFile, WorkFiles

DOCUMENTS, PASSAGES = 40, 3
LEFT_OUT = doc_id_of("7")


def written(folder: Path) -> tuple[InputFile, WorkFiles]:
    """A file of passages, every one of which the next document has too, and the order of their documents."""
    ids = sorted(doc_id_of(str(n)) for n in range(DOCUMENTS))
    rows = [
        {
            "doc_id": doc_id, "position": at, "part": 0, "kind": "paragraph", "text": f"passage {n + at}", "gap": "",
            "fingerprint": (n + at).to_bytes(16, "little"),
        }
        for n, doc_id in enumerate(ids)
        for at in range(PASSAGES)
    ]  # fmt: skip
    files = WorkFiles(folder / "work")
    files.folder.mkdir()
    gone = files.left_out.save(DocIds.of([LEFT_OUT]).keys)
    known = [{"doc_id": doc_id, "arrival": 1, "site": "", "text_hash": bytes(16)} for doc_id in ids]
    index = InputFile(path=write_rows(folder / "index.parquet", known, PREPARED_INDEX), name="index", left_out=gone)
    with ThreadPoolExecutor(1) as executor:
        assert rank_documents([index], files, executor) == DOCUMENTS - 1
    passages = write_rows(folder / "passages.parquet", rows, PREPARED)
    return InputFile(path=passages, name="passages", left_out=gone), files


@pytest.mark.parametrize("few", [0, 1 << 20])  # all pages are unpacked, or those of wanted documents alone
@pytest.mark.parametrize("wanted", [[], [0], [5, 11, 38], range(DOCUMENTS - 1)])
def test_rows_of_wanted_documents_are_the_same_however_many(
    few: int, wanted: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, files = written(tmp_path)
    list_documents(file, files)
    monkeypatch.setattr(passage_rows, "_FEW", few)
    order, marked = load_order(files), np.zeros(DOCUMENTS - 1, np.bool_)
    marked[list(wanted)] = True
    found = list(wanted_rows(file, order, marked, ["position", "text"]))
    ranks = [rank for some, _ in found for rank in some.tolist()]
    texts = [text for _, rows in found for text in rows.column("text").to_pylist()]
    assert sorted(set(ranks)) == list(wanted) and len(ranks) == PASSAGES * len(wanted)
    first = {doc_id: n for n, doc_id in enumerate(sorted(doc_id_of(str(n)) for n in range(DOCUMENTS)))}
    ids = order.doc_ids(np.array(ranks, np.int64)).to_pylist()
    assert texts == [f"passage {first[doc_id] + n % PASSAGES}" for n, doc_id in enumerate(ids)]
    assert LEFT_OUT not in ids and NO_RANK not in ranks


def test_rows_that_share_a_passage_with_new_documents_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, files = written(tmp_path)
    rows = [{"fingerprint": n.to_bytes(16, "little"), "text": "", "gap": "", "kind": "quote"} for n in (9, 9, 500)]
    rows = [{"doc_id": doc_id_of("new"), "position": at, "part": 0, **row} for at, row in enumerate(rows)]
    new = InputFile(path=write_rows(tmp_path / "new.parquet", rows, PREPARED), name="new")
    only = write_prints([new], files.new_prints)
    asked = InputFile(path=file.path, name="asked", only=only)
    assert shared_rows(asked).collect()["text"].to_list() == ["passage 9"] * PASSAGES
    monkeypatch.setattr(passage_rows, "_MOST_PRINTS", 2)
    assert write_prints([new], files.new_prints) == ()
