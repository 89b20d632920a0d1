"""Files that were mutated at random, and hostile ones: rows or rejects, never an exception, all within bounds."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.formats import DOCUMENTS, FILES, warc_record
from winnow.base.recipe import ReadSettings
from winnow.base.records import INTERNAL_ERROR, LeftOut, RawDocument, Reject
from winnow.read import hold, list_inputs, read_bytes, read_documents

SETTINGS = ReadSettings(max_document_mb=1, max_unpacked_mb=4)
SLICES = st.tuples(st.floats(0, 1), st.floats(0, 0.2), st.binary(max_size=12))
"""Where in a file a piece begins, how long it is, and what stands there instead."""


def mutated(content: bytes, changes: list[tuple[float, float, bytes]]) -> bytes:
    for start, share, instead in changes:
        at = int(start * len(content))
        content = content[:at] + instead + content[at + int(share * len(content)) :]
    return content


def judge(name: str, changes: list[tuple[float, float, bytes]], tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(mutated(FILES[name], changes))
    found = list(read_documents(hold(list_inputs(tmp_path / name).files[0]), SETTINGS))
    for result in found:
        if isinstance(result, LeftOut):
            continue
        if isinstance(result, Reject):
            assert result.expectation != INTERNAL_ERROR, result.metadata["traceback"]
            assert result.reason.startswith(name)
        else:
            assert result.text.strip()
            assert "\r" not in result.text
        json.dumps([result.source, *result.metadata.items()], ensure_ascii=False).encode()
        kept = result.content or b""
        for again in read_bytes(result.source, name, kept, SETTINGS) if kept else ():
            assert not isinstance(again, Reject) or again.expectation != INTERNAL_ERROR, again.metadata
    if not changes:
        assert sum(isinstance(r, RawDocument) for r in found) == DOCUMENTS[name]
        assert not any(isinstance(r, Reject) for r in found)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_that_is_cut_at_any_of_twenty_places_gives_rows_or_rejects(name: str, tmp_path: Path) -> None:
    """`judge` lets no fault of ours pass; and no cut makes documents that the whole file does not have."""
    (tmp_path / name).write_bytes(FILES[name])
    whole = read_texts(tmp_path / name)
    for place in range(20):
        judge(name, [(place / 20, 1, b"")], tmp_path)
        (tmp_path / name).write_bytes(FILES[name][: int(place / 20 * len(FILES[name]))])
        texts = read_texts(tmp_path / name)
        assert len(texts) <= len(whole)
        assert sum(text not in whole for text in texts) <= 1, "but for the one that was cut"


def read_texts(path: Path) -> list[str]:
    found = read_documents(hold(list_inputs(path).files[0]), SETTINGS)
    return [r.text for r in found if isinstance(r, RawDocument)]


CONTAINERS = [n for n in FILES if n.split(".")[1] in "warc wet eml mbox docx odt rtf epub pdf srt vtt xml".split()]
MUTATED = given(changes=st.lists(SLICES, max_size=3))
EXAMPLES = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", sorted(FILES.keys() - CONTAINERS))
@EXAMPLES
@MUTATED
@example(changes=[])
@example(changes=[(0.5, 1, b"")])
@example(changes=[(0, 1, b"")])
@example(changes=[(0, 0, b'[["')])
@example(changes=[(0, 0, b'{"')])
def test_a_mutated_file_gives_rows_or_rejects(
    name: str, changes: list[tuple[float, float, bytes]], tmp_path: Path
) -> None:
    judge(name, changes, tmp_path)


@pytest.mark.parametrize("name", [n for n in CONTAINERS if n != "a.pdf"])  # which starts a process
@settings(EXAMPLES, max_examples=5)
@MUTATED
@example(changes=[])
@example(changes=[(0.5, 1, b"")])
@example(changes=[(0, 1, b"")])
def test_a_mutated_archive_message_or_document_gives_rows_or_rejects(
    name: str, changes: list[tuple[float, float, bytes]], tmp_path: Path
) -> None:
    judge(name, changes, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTAINERS)
@settings(EXAMPLES, max_examples=60)
@MUTATED
@example(changes=[])
def test_it_does_so_many_times(name: str, changes: list[tuple[float, float, bytes]], tmp_path: Path) -> None:
    judge(name, changes, tmp_path)


def nested(depth: int) -> bytes:
    return b'{"text": ' + b"[" * depth + b"]" * depth + b"}"


HOSTILE: dict[str, bytes | Callable[[], bytes]] = {  # what takes long to pack is packed where it is wanted
    "JSON nested without end.jsonl": nested(200_000),
    "a number of many digits.jsonl": b'{"text": "words", "n": ' + b"9" * 100_000 + b"}",
    "lone surrogates.jsonl": b'{"id": "\\ud800", "text": "words \\udfff and more"}',
    "a key that stands twice.jsonl": b'{"text": "one", "text": "two"}',
    "NaN.jsonl": b'{"text": "words", "n": NaN}',
    "zeros.jsonl": bytes(100_000),
    "a line without end.jsonl": b'{"text": "' + b"a" * 3_000_000,
    "columns without end.csv": b",".join(b"c%d" % n for n in range(50_000)) + b",text\n1,2\n",
    "a field without end.csv": b'id,text\n1,"' + b"a\n" * 900_000,
    "only quotes.csv": b"id,text\n" + b'"' * 100_000,
    "only delimiters.tsv": b"text\n" + b"\t" * 100_000,
    "tags without end.html": b"<div>" * 100_000,
    "attributes without end.html": b"<p " + b"a=1 " * 200_000 + b">words</p>",
    "entities without end.html": b"<p>" + b"&amp;" * 100_000,
    "elements without end.xml": b"<a>" * 100_000,
    "references without end.xml": b"<a>" + b"&" * 100_000 + b"&lt;" * 100_000 + b"</a>",
    "entities in entities.xml": b'<!DOCTYPE a [<!ENTITY a0 "lol">'
    + b"".join(b'<!ENTITY a%d "' % n + b"&a%d;" % (n - 1) * 10 + b'">' for n in range(1, 9))
    + b"]><a>&a8;</a>",
    "groups without end.rtf": b"{\\rtf1" + b"{" * 300_000,
    "times without end.srt": b"00:00:01,000 --> 00:00:02,000\n" * 30_000,
    "a mark and nothing.txt": b"\xff\xfe",
    "marks of two charsets.txt": b"\xff\xfe\xef\xbb\xbfwords",
    "a bomb of one line.jsonl.gz": lambda: gzip.compress(b"a" * 60_000_000),
    "a bomb of many lines.jsonl.bz2": lambda: bz2.compress((b'{"text": "' + b"a" * 110 + b'"}\n') * 45_000, 1),
    "a bomb in a bomb.txt.gz": lambda: gzip.compress(gzip.compress(b"a" * 60_000_000)),
    "xz that asks for memory.txt.xz": lambda: lzma.compress(b"a" * 1_000_000, preset=9),
    "lines between boundaries.eml": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(25)
    )
    + b"\n" * 60_000,
    "a header without end.eml": b"Subject: " + b"=?utf-8?q?a?= " * 20_000 + b"\n\nwords",
    "headers without end.eml": b"A: b\n" * 30_000 + b"\nwords",
    "messages without end.mbox": b"From a\nA: b\n\n" * 4_000,
    "a bomb a record.warc": 20
    * warc_record(
        "response",
        "application/http",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n\r\n"
        + gzip.compress(b"a" * 900_000),
        "http://e.org",
    ),
    "lengths without end.warc": b"WARC/1.0\r\nContent-Length: 99999999999\r\n\r\n" * 20_000,
    "heads without end.warc": b"WARC/1.0\r\n" * 20_000,
    "gzip heads without end.warc.gz": b"\x1f\x8b\x08" * 100_000,
    "members without end.warc.gz": gzip.compress(b"") * 100_000,
    "the head of a Parquet file.parquet": b"PAR1" + bytes(8) + b"PAR1",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_bounded_and_costs_no_other(name: str, tmp_path: Path) -> None:
    content = made() if callable(made := HOSTILE[name]) else made
    (tmp_path / name).write_bytes(content)
    (tmp_path / "sound.txt").write_text("Plain words stand here.")
    total = 0
    for file in list_inputs(tmp_path).files:
        found = list(read_documents(hold(file), SETTINGS))
        assert found or file.path == "columns without end.csv"
        for result in found:
            if isinstance(result, LeftOut):
                continue
            assert not isinstance(result, Reject) or result.expectation != INTERNAL_ERROR, result.metadata
            total += len(result.content or b"") + (0 if isinstance(result, Reject) else len(result.text))
    assert total <= 4 * (len(content) + 4_000_000)
