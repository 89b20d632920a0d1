"""What a document of any format keeps reads again as that document."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.formats import DOCUMENTS, FILES

from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument
from winnow.read import list_inputs, read_bytes, read_documents


@pytest.mark.parametrize("name", FILES)
def test_what_a_document_keeps_reads_as_that_document(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    found = list(read_documents(list_inputs(tmp_path).files[0], ReadSettings()))
    documents = [r for r in found if isinstance(r, RawDocument)]
    assert len(documents) == DOCUMENTS[name]
    for document in documents:
        kept = document.content if document.content is not None else document.text.encode()
        (again,) = read_bytes(document.source, name, kept, ReadSettings(), document.row)
        assert again == document
