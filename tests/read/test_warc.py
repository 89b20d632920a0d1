"""Web archives: which records are documents, how their bodies are packed, and what a broken one costs."""

from __future__ import annotations

import bz2
import gzip
import io
import re
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import brotli
import pyarrow as pa
import pytest
from backports import zstd
from tests.articles import article
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from winnow.base.recipe import ReadSettings
from winnow.base.records import LeftOut, RawDocument, Read, Reject
from winnow.read import hold, list_inputs, read_bytes, read_documents

DATE = datetime(2024, 3, 1, 10, 0, 5, tzinfo=UTC)
PAGE = "<html><head><title>Über uns</title></head><body><article>" + "<p>Zwölf Boxkämpfer jagen Viktor quer.</p>" * 3
SAID = "\n\n".join(["Zwölf Boxkämpfer jagen Viktor quer."] * 3)


def record(kind: str, body: bytes, uri: str = "http://e.org/a", of: str = "application/http", **headers: str) -> bytes:
    named = {
        "WARC-Type": kind, "WARC-Target-URI": uri, "WARC-Date": "2024-03-01T10:00:05Z",
        "WARC-Record-ID": "<urn:uuid:5d8f1b3e-0000-4000-8000-000000000000>", "Content-Type": of,
        "Content-Length": str(len(body)),
    }  # fmt: skip
    named.update({name.replace("_", "-"): value for name, value in headers.items()})
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
    return f"WARC/1.0\r\n{head}\r\n".encode() + body + b"\r\n\r\n"


def answer(body: bytes = PAGE.encode(), status: str = "200 OK", of: str = "text/html", **headers: str) -> bytes:
    named = {"Content-Type": of, **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def read(folder: Path, content: bytes, name: str = "a.warc", **changes: Any) -> list[Read]:
    (folder / name).write_bytes(content)
    settings = ReadSettings(**changes)
    found = list(read_documents(hold(list_inputs(folder / name).files[0]), settings))
    for result in found:
        if not isinstance(result, LeftOut) and result.content:
            again = list(read_bytes(result.source, name, result.content, settings, result.row))
            if isinstance(result, RawDocument):
                assert again == [result]
            elif result.expectation != "decompression_bomb":  # of a file; a record by itself is within bounds
                kinds = {
                    "truncated",
                    "damaged",
                    "malformed_record",
                    "not_a_record",
                }  # what follows a record is not kept with it
                (reject,) = again
                assert isinstance(reject, Reject) and reject.source == result.source
                assert reject.expectation == result.expectation or {reject.expectation, result.expectation} <= kinds
    return found


RECORDS = {
    "a page": (record("response", answer()), (SAID, "Über uns")),
    "plain text": (record("response", answer(b"words", of="text/plain; charset=utf-8")), ("words", None)),
    "a text of another program": (record("conversion", b"words", of="text/plain"), ("words", None)),
    "a resource": (record("resource", PAGE.encode(), of="text/html"), (SAID, "Über uns")),
    "a page without a type": (record("response", answer(of="")), (SAID, "Über uns")),
    "a text without a type": (record("response", answer(b"words", of="")), ("words", None)),
    "a type that the archiver found": (
        record("response", answer(of="text/plain"), WARC_Identified_Payload_Type="text/html"),
        (SAID, "Über uns"),
    ),
    "line ends of LF alone": (
        record("response", answer().replace(b"\r\n", b"\n")).replace(b"\r\n", b"\n"),
        (SAID, "Über uns"),
    ),
    "an image": (record("response", answer(b"\x89PNG\r\n\x1a\n\0\0", of="image/png")), None),
    "bytes without a type": (record("response", answer(b"\x89PNG\r\n\x1a\n\0\0", of="")), None),
    "a page that is not there": (record("response", answer(status="404 Not Found")), None),
    "a page that moved": (record("response", answer(b"", status="301 Moved")), None),
    "a request": (record("request", b"GET / HTTP/1.1\r\n\r\n"), None),
    "metadata": (record("metadata", b"fetchTimeMs: 5", of="application/warc-fields"), None),
    "a head of the archive": (record("warcinfo", b"software: x", of="application/warc-fields"), None),
    "an answer that was there before": (record("revisit", answer(b"")), None),
    "a record of a kind to come": (record("novelty", b"words", of="text/plain"), None),
    "an empty page": (record("response", answer(b" ")), "empty"),
    "a page that is none": (record("response", answer(bytes(999))), "binary"),
    "no HTTP": (record("response", b"words"), "malformed_record"),
    "an encoding that is broken": (
        record("response", answer(b"\x1f\x8b" * 99, Content_Encoding="gzip")),
        "damaged",
    ),
    "chunks that break off": (record("response", answer(b"ff\r\n<p>a", Transfer_Encoding="chunked")), "truncated"),
    "a body that is too large": (record("response", answer(b"a" * 1_100_000)), "too_large"),
    "no length": (record("response", answer(), Content_Length=""), "malformed_record"),
    "a length that is none": (record("response", answer(), Content_Length="many"), "malformed_record"),
    "a length that is too small": (record("response", answer(), Content_Length="20"), "malformed_record"),
    "a length that is too large": (record("response", answer(), Content_Length="900"), "malformed_record"),
    "a length without end": (record("response", answer(), Content_Length="9" * 17), "too_large"),
    "no record": (b"words\r\n\r\nmore words\r\n", "not_a_record"),
    "a head without end": (b"WARC/1.0\r\n" + b"a: b\r\n" * 20_000 + b"\r\n", "not_a_record"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(("middle", "expected"), RECORDS.values(), ids=RECORDS)
def test_a_record_is_a_document_a_reject_or_left_out(
    middle: bytes, expected: tuple[str, str | None] | str | None, packed: bool, tmp_path: Path
) -> None:
    first = record("response", answer(b"first", of="text/plain"), "http://e.org/1")
    last = record("response", answer(b"last", of="text/plain"), "http://e.org/3")
    pieces = [first, middle, last]
    content = b"".join(gzip.compress(p, mtime=0) for p in pieces) if packed else b"".join(pieces)
    found = read(tmp_path, content, "a.warc.gz" if packed else "a.warc", max_document_mb=1)
    documents = [r for r in found if isinstance(r, RawDocument)]
    assert [documents[0].text, documents[-1].text] == ["first", "last"]
    left_out = sum(r.records for r in found if isinstance(r, LeftOut))
    rejects = [r.expectation for r in found if isinstance(r, Reject)]
    if isinstance(expected, tuple):
        assert [(d.text, d.title) for d in documents[1:-1]] == [expected]
        assert (documents[1].source, documents[1].collected_at) == ("http://e.org/a", DATE)
        assert documents[1].metadata["warc_record_id"].startswith("<urn:uuid:5d8f1b3e")
    assert (len(documents), rejects, left_out) == {
        tuple: (3, [], 0), str: (2, [expected], 0), type(None): (2, [], 1)
    }[type(expected)]  # fmt: skip


def chunked(body: bytes) -> bytes:
    pieces = [body[at : at + 50] for at in range(0, len(body), 50)]
    return b"".join(b"%x;ext=1\r\n%s\r\n" % (len(p), p) for p in [*pieces, b""])


BODY = PAGE.encode()
ENCODINGS = {
    "none": (BODY, {}),
    "gzip": (gzip.compress(BODY), {"Content_Encoding": "gzip"}),
    "deflate": (zlib.compress(BODY), {"Content_Encoding": "deflate"}),
    "deflate without its head": (zlib.compress(BODY)[2:-4], {"Content_Encoding": "deflate"}),
    "brotli": (brotli.compress(BODY), {"Content_Encoding": "br"}),
    "zstd": (pa.compress(BODY, "zstd", asbytes=True), {"Content_Encoding": "zstd"}),
    "two of them": (brotli.compress(gzip.compress(BODY)), {"Content_Encoding": "gzip, br"}),
    "chunks": (chunked(BODY), {"Transfer_Encoding": "chunked"}),
    "gzip in chunks": (
        chunked(gzip.compress(BODY)),
        {"Content_Encoding": "gzip", "Transfer_Encoding": "chunked"},
    ),
    "taken off already": (BODY, {"Content_Encoding": "br", "Transfer_Encoding": "chunked"}),
    "one of them taken off": (gzip.compress(BODY), {"Content_Encoding": "gzip", "Transfer_Encoding": "chunked"}),
    "a charset": (PAGE.encode("cp1252"), {"of": "text/html; charset=ISO-8859-1"}),
    "a charset in quotes": (PAGE.encode("cp1252"), {"of": 'text/html;Charset="windows-1252"'}),
    "a wrong charset": (BODY, {"of": "text/html; charset=windows-1251"}),
}


@pytest.mark.parametrize(("body", "headers"), ENCODINGS.values(), ids=ENCODINGS)
def test_a_body_is_unpacked_and_decoded(body: bytes, headers: dict[str, str], tmp_path: Path) -> None:
    (document,) = read(tmp_path, record("response", answer(body, **headers)))
    assert isinstance(document, RawDocument)
    assert (document.text, document.title) == (SAID, "Über uns")


def archive(packed: bool) -> tuple[bytes, int]:
    """A file as warcio writes it, with six pages between requests and an archive's head."""
    sink = io.BytesIO()
    writer = WARCWriter(sink, gzip=packed)
    writer.write_record(writer.create_warcinfo_record("a.warc", {"software": "warcio"}))
    for n in range(6):
        uri, page = f"http://e.org/{n}", f"<html><title>{n}</title><body><article><p>{article(n)[:900]}".encode()
        head = StatusAndHeaders("200 OK", [("Content-Type", "text/html"), ("Content-Encoding", "gzip")], "HTTP/1.0")
        writer.write_record(
            writer.create_warc_record(uri, "response", io.BytesIO(gzip.compress(page)), http_headers=head)
        )
        ask = StatusAndHeaders("GET / HTTP/1.0", [("Host", "e.org")], is_http_request=True)
        writer.write_record(writer.create_warc_record(uri, "request", io.BytesIO(), http_headers=ask))
    return sink.getvalue(), 6


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_file_of_another_program_gives_its_pages_also_when_it_is_cut(packed: bool, tmp_path: Path) -> None:
    content, pages = archive(packed)
    name = "a.warc.gz" if packed else "a.warc"
    whole = read(tmp_path, content, name)
    assert [r.source for r in whole[:-1]] == [f"http://e.org/{n}" for n in range(pages)]
    assert whole[-1] == LeftOut(input=name, records=7)
    for place in range(1, 21):
        found = read(tmp_path, content[: len(content) * place // 21], name)
        documents = [r for r in found if isinstance(r, RawDocument)]
        rejects = [r for r in found if isinstance(r, Reject)]
        assert documents == whole[: len(documents)]
        assert abs(len(documents) - pages * place / 21) < 2
        assert [r.expectation for r in rejects] in (["truncated"], [])


def with_dictionary(records: list[bytes], packed: bool) -> bytes:
    """A frame a record, and before them the dictionary that they share, in a frame that others skip (IIPC)."""
    known = zstd.train_dict([record("response", b"words %d" % n) for n in range(999)], 4096)
    held = zstd.compress(known.dict_content) if packed else known.dict_content
    head = b"\x5d\x2a\x4d\x18" + len(held).to_bytes(4, "little") + held
    return head + b"".join(zstd.compress(r, zstd_dict=known) for r in records)


PACKED = {
    "d.warc.zst": lambda records: with_dictionary(records, packed=False),
    "e.warc.zst": lambda records: with_dictionary(records, packed=True),
    "a.wet.gz": lambda records: gzip.compress(b"".join(records)),
    "b.wet.gz": lambda records: b"".join(map(gzip.compress, records)),
    "a.warc.bz2": lambda records: bz2.compress(b"".join(records)),
    "a.warc.zst": lambda records: b"".join(pa.compress(r, "zstd", asbytes=True) for r in records),
    "b.warc.gz": b"".join,  # not packed at all
    "b.warc": lambda records: b"".join(map(gzip.compress, records)),  # packed, and not named so
}


@pytest.mark.parametrize("name", PACKED)
def test_an_archive_is_read_however_it_is_packed(name: str, tmp_path: Path) -> None:
    records = [record("conversion", b"words %d" % n, f"http://e.org/{n}", "text/plain") for n in range(3)]
    found = read(tmp_path, PACKED[name](records), name)
    assert [r.text for r in found if isinstance(r, RawDocument)] == ["words 0", "words 1", "words 2"]
    assert len(found) == 3


@pytest.mark.parametrize(
    "dictionary", [b"", b"\x37\xa4\x30\xec", b"\x37\xa4\x30\xec" + b"x" * 99, b"\x28\xb5\x2f\xfdxx"]
)
def test_an_archive_without_its_dictionary_is_one_reject(dictionary: bytes, tmp_path: Path) -> None:
    whole = with_dictionary([record("conversion", b"words", "http://e.org", "text/plain")], packed=False)
    frames = whole[8 + int.from_bytes(whole[4:8], "little") :]
    head = whole[:4] + len(dictionary).to_bytes(4, "little")
    (reject,) = read(tmp_path, head + dictionary + frames, "a.warc.zst")
    assert isinstance(reject, Reject)
    assert reject.expectation == "damaged"


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("damage", [b"\xff" * 9, b"", b"\x1f\x8b\x08\0" * 40, bytes(3000)])
def test_damage_in_the_middle_costs_the_records_it_stands_in(damage: bytes, packed: bool, tmp_path: Path) -> None:
    content, pages = archive(packed)
    middle = len(content) // 2
    found = read(tmp_path, content[: middle - 20] + damage + content[middle:], "a.warc.gz" if packed else "a.warc")
    documents = [r for r in found if isinstance(r, RawDocument)]
    rejects = [r for r in found if isinstance(r, Reject)]
    assert pages - 2 <= len(documents) <= pages
    assert len(rejects) <= 2
    assert documents[-1].source == "http://e.org/5"
    assert all(re.match(r"a\.warc(\.gz)?, record at byte \d+: ", r.reason) for r in rejects)


def test_an_archive_may_unpack_to_so_much_and_no_more(tmp_path: Path) -> None:
    bomb = record("response", answer(gzip.compress(b"a " * 450_000), of="text/plain", Content_Encoding="gzip"))
    small = {"max_document_mb": 1, "max_unpacked_mb": 4}
    found = read(tmp_path, bomb * 20, **small)
    assert [type(r) for r in found] == [RawDocument] * 4 + [Reject]
    assert found[-1].expectation == "decompression_bomb"
    (reject,) = read(tmp_path, gzip.compress(record("response", answer(b"a" * 3_000_000))), "a.warc.gz", **small)
    assert (reject.expectation, reject.content) == ("too_large", b"")
    (reject,) = read(
        tmp_path, record("response", answer(brotli.compress(bytes(2_000_000)), Content_Encoding="br")), **small
    )
    assert reject.expectation == "too_large"


def test_an_archive_without_records_says_so(tmp_path: Path) -> None:
    (reject,) = read(tmp_path, b"\r\n\r\n")
    assert (reject.expectation, reject.source) == ("empty", "a.warc")
