"""JSON files: where their records stand, what stands between them, and the same by any blocks."""

import pytest

from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument
from winnow.read import list_inputs, read_bytes, read_documents
from winnow.read.json_value import pieces_of

FILES = {
    "an array": (b'[{"id": "a", "text": "one"}, {"id": "b", "text": "t{w]o \\" {"}]', ["one", 't{w]o " {']),
    "an array with a mark": (b'\xef\xbb\xbf[\n{"text": "one"}\n]\n', ["one"]),
    "an array in an object": (b'{"at": {"page": 1}, "of": [{"text": "one"}, {"text": "two"}]}', ["one", "two"]),
    "one record": (b'{\n "text": "one",\n "tags": [{"a": 1}]\n}', ["one"]),
    "a record that has texts of its own": (b'{"title": "t", "parts": [{"text": "two"}], "text": "one"}', ["one"]),
    "records one after another": (b'{"text": "one"}{"text": "two"}\n{"text": "three"}', ["one", "two", "three"]),
    "numbers that JSON has not": (b'[{"text": "a", "n": NaN}, {"text": "b", "n": 99999999999999999999}]', ["a", "b"]),
    "another charset": ('[{"text": "Über die größeren Flüsse"}]'.encode("cp1252"), ["Über die größeren Flüsse"]),
    "UTF-16": ('[{"text": "größer"}]'.encode("utf-16"), ["größer"]),
}  # fmt: skip
BROKEN = {
    "cut off": (b'[{"text": "one"}, {"text": "tw', ["one"], ["not_json"]),
    "no objects": (b'[1, "two"]', [], ["not_json"]),
    "an array in an array": (b'[[1], {"text": "one"}]', ["one"], ["not_an_object"]),
    "words between": (b'[{"text": "one"} and {"text": "two"}]', ["one", "two"], ["not_json"]),
    "no text": (b'[{"body": "one"}, {"text": "two"}]', ["two"], ["no_text"]),
    "an empty array": (b"[]", [], ["empty"]),
    "brackets without end": (b"[" * 100_000, [], ["not_json"]),
    "a record that is too large": (b'[{"text": "one"}, {"text": "' + b"a" * 1_200_000 + b'"}]', ["one"], ["too_large"]),
}


def read(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    found = list(read_documents(list_inputs(tmp_path).files[0], ReadSettings(max_document_mb=1)))
    documents = [r for r in found if isinstance(r, RawDocument)]
    return documents, [r for r in found if not isinstance(r, RawDocument)]


@pytest.mark.parametrize("kind", FILES)
def test_each_record_is_a_document_and_is_read_again_from_what_it_keeps(tmp_path, kind):
    content, texts = FILES[kind]
    documents, rejects = read(tmp_path, content)
    assert ([d.text for d in documents], rejects) == (texts, [])
    for d in documents:
        (again,) = read_bytes(d.source, d.input, d.content or b"", ReadSettings(), d.row)
        assert (again.source, again.text, again.row) == (d.source, d.text, d.row)


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_record_is_a_reject_with_its_place(tmp_path, kind):
    content, texts, kinds = BROKEN[kind]
    documents, rejects = read(tmp_path, content)
    assert ([d.text for d in documents], [r.expectation for r in rejects]) == (texts, kinds)
    assert all(r.reason.startswith("a.json") for r in rejects)


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize("kind", ["an array", "records one after another", "an array with a mark", "one record"])
def test_the_blocks_that_it_comes_in_change_nothing(kind, size):
    content = FILES[kind][0].removeprefix(b"\xef\xbb\xbf")
    blocks = (content[at : at + size] for at in range(0, len(content), size))
    assert list(pieces_of(blocks, 1000, ("text",))) == list(pieces_of(iter([content]), 1000, ("text",)))


def test_an_array_in_lines_is_read_as_json_lines(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'[\n{"text": "one"},\n{"text": "two"}\n]\n')
    found = list(read_documents(list_inputs(tmp_path).files[0], ReadSettings()))
    assert [r.text for r in found if isinstance(r, RawDocument)] == ["one", "two"] and len(found) == 2
