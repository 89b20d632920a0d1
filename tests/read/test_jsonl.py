"""JSON lines: fields, identities, rejects by line, and parts of a file that add up to the whole."""

import bz2
import gzip
import json
import lzma
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject
from winnow.read import InputFile, InputFiles, Shard, list_inputs, plan_shards, read_bytes, read_documents, read_shard

SETTINGS = ReadSettings(ids="everywhere")


def read(tmp_path, content, name="a.jsonl", **changes):
    (tmp_path / name).write_bytes(content)
    return list(read_documents(list_inputs(tmp_path / name).files[0], SETTINGS.model_copy(update=changes)))


def test_fields_find_their_place(tmp_path):
    record = {"id": 7, "url": "http://a/b", "text": "Hi\r\nthere", "title": " A  title ",
              "date": "2024-01-02T03:04:05+01:00",
              "n": 1, "tags": ["x"], "none": None, "lang": "de"}  # fmt: skip
    line = json.dumps(record).encode()
    (document,) = read(tmp_path, line + b"\r\n")
    assert document.source == "http://a/b"
    assert document.text == "Hi\nthere"
    assert document.title == "A title"
    assert document.collected_at == datetime(2024, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert document.metadata == {"id": "7", "n": "1", "tags": '["x"]', "lang": "de"}
    assert (document.content, document.input, document.encoding) == (line, "a.jsonl", "utf-8")


def test_a_record_without_id_is_named_by_its_content_not_its_line(tmp_path):
    lines = [b'{"text": "one"}', b'{"text": "two"}']
    there = {d.source: d.text for d in read(tmp_path, b"\n".join(lines))}
    back = {d.source: d.text for d in read(tmp_path, b"\n".join(lines[::-1]))}
    assert there == back and len(there) == 2
    assert all(s.startswith("a.jsonl#") and len(s) == len("a.jsonl#") + 16 for s in there)


BAD_LINES = [
    (b"{not json", "not_json"), (b"[1, 2]", "not_an_object"), (b'{"id": "x"}', "no_text"),
    (b'{"text": null}', "no_text"),
    (b'{"text": 5}', "text_not_a_string"), (b'{"text": "  "}', "no_text"), (b"\0" * 50, "binary"),
    (b'{"text": "one", "n": 1, "text": "two"}', "malformed_record"),
    (b"[" * 100_000, "not_json"), (b'{"text": "x", "n": ' + b"1" * 5000 + b"}", "not_json"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "kind"), BAD_LINES, ids=[k + str(i) for i, (_, k) in enumerate(BAD_LINES)])
def test_a_bad_line_costs_one_reject_that_names_its_line(tmp_path, line, kind):
    first, reject, last = read(tmp_path, b'{"id": 1, "text": "a"}\n' + line + b'\n{"id": 2, "text": "b"}\n')
    assert isinstance(first, RawDocument) and isinstance(last, RawDocument) and isinstance(reject, Reject)
    assert (reject.stage, reject.expectation, reject.content) == ("read", kind, line)
    assert "a.jsonl, line 2 (byte 23)" in reject.reason
    assert reject.input == "a.jsonl"


@pytest.mark.parametrize(
    "line",
    [
        b'{"text": "a", "text": "a"}',
        b'{"text": "", "text": "a"}',
        b'{"text": "a", "kind": "text", "in": {"text": "b"}}',
    ],
)
def test_a_text_that_is_given_once_is_read_whatever_else_has_its_name(tmp_path, line):
    (document,) = read(tmp_path, line)
    assert (document.text, document.content) == ("a", line)


def test_lone_surrogates_become_replacement_characters_and_pairs_are_joined(tmp_path):
    (document,) = read(tmp_path, rb'{"id": "\ud800x", "text": "a\ud83d\ude00b\udc00", "m": "\ud801", "d": ["\ud802"]}')
    assert (document.source, document.text, document.metadata["m"]) == ("\ufffdx", "a😀b\ufffd", "\ufffd")
    for value in document.metadata.values():
        value.encode("utf-8")


def test_whole_numbers_beyond_64_bits_keep_their_digits(tmp_path):
    (document,) = read(tmp_path, b'{"id": 12345678901234567890123, "text": "a", "n": 99999999999999999999}')
    assert document.source == "12345678901234567890123" and document.metadata == {"n": "99999999999999999999"}


def test_a_line_that_is_not_utf8_is_decoded(tmp_path):
    (document,) = read(tmp_path, '{"id": "1", "text": "Größe und Straße, schöne Grüße"}'.encode("cp1252"))
    assert document.text == "Größe und Straße, schöne Grüße" and document.encoding == "cp1252"


def test_marks_and_utf16_are_understood(tmp_path):
    text = '{"id": "1", "text": "é"}\n{"id": "2", "text": "日"}\n'
    for codec in ("utf-8-sig", "utf-16", "utf-32"):
        assert [d.text for d in read(tmp_path, text.encode(codec))] == ["é", "日"]


@pytest.mark.parametrize("content", [b"", b"\n\n \n"])
def test_a_file_without_records_is_one_reject(tmp_path, content):
    (reject,) = read(tmp_path, content)
    assert (reject.expectation, reject.source) == ("empty", "a.jsonl")


def test_a_line_too_long_is_rejected_without_being_held(tmp_path):
    long = b'{"id": 1, "text": "' + b"x" * 3_000_000 + b'"}'
    first, second = read(tmp_path, long + b'\n{"id": 2, "text": "b"}', max_document_mb=1)
    assert (first.expectation, first.content, second.text) == ("too_large", b"", "b")


def _zstd(content: bytes) -> bytes:
    return pa.compress(content, codec="zstd", asbytes=True)


PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": _zstd}


@pytest.mark.parametrize("ending", PACKERS)
def test_packed_files_read_like_plain_ones(tmp_path, ending):
    content = b'{"id": 1, "text": "a"}\n{"id": 2, "text": "b"}\n'
    pack = PACKERS[ending]
    assert [d.text for d in read(tmp_path, pack(content[:23]) + pack(content[23:]), "a.jsonl" + ending)] == ["a", "b"]


@pytest.mark.parametrize("ending", PACKERS)
def test_what_stands_before_a_break_is_read(tmp_path, ending):
    import random

    noise = random.Random(1)
    lines = [json.dumps({"id": i, "text": noise.randbytes(200).hex()}).encode() for i in range(3000)]
    packed = PACKERS[ending](b"\n".join(lines))
    *documents, reject = read(tmp_path, packed[: len(packed) * 3 // 4], "a.jsonl" + ending)
    assert (reject.expectation, reject.source) == ("truncated", "a.jsonl" + ending)
    assert len(documents) > 1000 and [d.content for d in documents] == lines[: len(documents)]


def test_a_decompression_bomb_is_cut_off(tmp_path):
    bomb = gzip.compress(b'{"id": 1, "text": "a"}\n' * 500_000)
    *documents, reject = read(tmp_path, bomb, "a.jsonl.gz", max_unpacked_mb=2)
    assert reject.expectation == "decompression_bomb" and len(documents) < 2_000_000 / 23 + 1


def test_damage_in_a_packed_file_is_one_reject(tmp_path):
    (reject,) = read(tmp_path, b"\x1f\x8b no gzip at all", "a.jsonl.gz")
    assert reject.expectation == "damaged"


LINES = st.lists(
    st.sampled_from(
        [b'{"text":"a"}', b'{"id":1,"text":"b"}', b"", b"bad", b'{"id":"long","text":"' + b"x" * 60 + b'"}']
    )
)


@settings(deadline=None, max_examples=60)
@given(LINES, st.booleans(), st.integers(1, 50))
def test_rows_do_not_depend_on_where_a_file_is_cut(tmp_path_factory, lines, ends, part):
    content = b"\n".join(lines) + (b"\n" if ends else b"")
    path = tmp_path_factory.mktemp("cut") / "a.jsonl"
    path.write_bytes(content)
    file = InputFile("a.jsonl", str(path), len(content))

    def rows(results):  # a file without records is cut only by this test
        return [r for r in results if getattr(r, "expectation", "") != "empty"]

    whole = rows(read_documents(file, SETTINGS))
    alone = InputFiles.of([file])
    shards = [Shard(alone, s, min(s + part, len(content))) for s in range(0, len(content), part)]
    assert rows(r for shard in shards for r in read_shard(shard, SETTINGS)) == whole


def test_big_files_are_cut_and_small_ones_put_together(tmp_path):
    (tmp_path / "big.jsonl").write_bytes(b'{"id": 1, "text": "a"}\n' * 150_000)
    for i in range(5):
        (tmp_path / f"s{i}.txt").write_text("x")
    inputs = list_inputs(tmp_path).files
    shards = plan_shards(inputs, ReadSettings(shard_mb=1))
    assert len(shards) == 4 and sum(s.bytes for shard in shards for s in shard.spans) == sum(i.bytes for i in inputs)
    assert sum(1 for s in shards for _ in read_shard(s, SETTINGS)) == 150_005


def test_a_reject_reads_again_from_its_kept_bytes(tmp_path):
    (reject,) = read(tmp_path, b'{"id": "1", "body": "now it counts"}', "a.jsonl")
    (again,) = read_bytes(reject.source, reject.input, reject.content, SETTINGS, reject.row)
    assert (again.source, again.expectation, again.content) == (reject.source, "no_text", reject.content)
    (document,) = read_bytes(
        reject.source, reject.input, reject.content, SETTINGS.model_copy(update={"text_field": ("body",)})
    )
    assert (document.source, document.text, document.input) == ("1", "now it counts", "a.jsonl")


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\x1e"])
def test_a_mark_may_stand_before_each_record(tmp_path, mark):
    found = read(tmp_path, mark + b'{"text": "a"}\n' + mark + b'{"text": "b"}\n')
    assert [r.text for r in found] == ["a", "b"]


def test_strings_may_hold_raw_tabs_and_controls(tmp_path):
    (document,) = read(tmp_path, b'{"text": "a\tb\x0bc"}\n')
    assert document.text == "a\tb\x0bc"


@pytest.mark.parametrize("content", [b'{"text": "a"}{"text": "b"}\n', b'{\n "text": "a"\n}\n{\n "text": "b"\n}\n'])
def test_objects_that_are_no_lines_are_told_another_name_under_which_they_are_read(tmp_path, content):
    assert all("name the file .json" in r.reason for r in read(tmp_path, content))
    assert [r.text for r in read(tmp_path, content, "b.json")] == ["a", "b"]
