"""Files on the web and in buckets: listed, read from where reading stands, asked for again when a server falters."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs
from tests.s3_server import serve_s3

from winnow.base.errors import EmptyInput, UsageError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Read, Reject
from winnow.read import hold, list_inputs, read_documents, remote_files

BIG = bytes(range(256)) * 20_000


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": ["1", "2"], "text": ["one", "two"]}), sink)
    return sink.getvalue()


FILES = {
    "/x/a.txt": "Zwölf words.".encode(),
    "/x/b%20c.txt": b"words of b",
    "/x/no-ending": b"words",
    "/x/a.parquet": parquet(),
    "/big": BIG,
    "/empty.txt": b"",
}


class Web(ThreadingHTTPServer):
    """Serves FILES as servers do: with ranges or without, with lengths or without, and with faults for a while."""

    ranges = lengths = True
    region = ""
    faults: list[str]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.faults, self.asked, self.signed = [], list[str](), list[str]()
        self.files = dict(FILES)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def azure_page(self, query: dict[str, list[str]]) -> bytes:
        """Two names a page, so that pages are followed."""
        prefix = unquote(query.get("prefix", [""])[0])
        names = sorted(p.removeprefix("/articles/") for p in self.files)
        names = [n for n in names if n.startswith(prefix)]
        start = int(query.get("marker", ["0"])[0] or 0)
        blobs = "".join(
            f"<Blob><Name>{name}</Name><Properties><Last-Modified>Fri, 01 Mar 2024 10:00:05 GMT</Last-Modified>"
            f"<Etag>1</Etag><Content-Length>{len(self.files['/articles/' + name])}</Content-Length>"
            "<Content-Type>text/plain</Content-Type></Properties></Blob>"
            for name in names[start : start + 2]
        )
        after = str(start + 2) if start + 2 < len(names) else ""
        return (
            f"<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{after}</NextMarker></EnumerationResults>".encode()
        )

    def s3_page(self, query: dict[str, list[str]]) -> bytes:
        """One name a page."""
        names = sorted(p.removeprefix("/articles/") for p in self.files)
        names = [n for n in names if n.startswith(query.get("prefix", [""])[0])]
        start = int(query.get("continuation-token", ["0"])[0])
        found = "".join(
            f"<Contents><Key>{name}</Key><LastModified>2024-03-01T10:00:05.000Z</LastModified><ETag>1</ETag>"
            f"<Size>{len(self.files['/articles/' + name])}</Size></Contents>"
            for name in names[start : start + 1]
        )
        more = f"<NextContinuationToken>{start + 1}</NextContinuationToken>" if start + 1 < len(names) else ""
        is_cut = str(bool(more)).lower()
        return f"<ListBucketResult><IsTruncated>{is_cut}</IsTruncated>{found}{more}</ListBucketResult>".encode()


class _Answer(BaseHTTPRequestHandler):
    server: Web

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        web, path = self.server, urlsplit(self.path).path
        web.asked.append(f"{self.command} {path} {self.headers.get('Range') or ''}".strip())
        fault = web.faults.pop() if web.faults else ""
        self.server.signed.append(self.headers.get("Authorization") or "")
        if "list-type=2" in self.path:
            return self._say(200, web.s3_page(parse_qs(urlsplit(self.path).query)))
        if "comp=list" in self.path:
            return self._say(200, web.azure_page(parse_qs(urlsplit(self.path).query)))
        content = web.files.get(path)
        if fault.isdecimal() or content is None:
            return self._say(int(fault or 404), b"")
        start = int((re.findall(r"bytes=(\d+)-", self.headers.get("Range") or "") or ["0"])[0])
        if start and start >= len(content) and web.ranges:
            return self._say(416, b"")
        if web.ranges and start:
            return self._say(206, content[start:], f"bytes {start}-{len(content) - 1}/{len(content)}")
        return self._say(200, content, cut=fault == "cut")

    def _say(self, status: int, body: bytes, content_range: str = "", cut: bool = False) -> None:
        self.send_response(status)
        if self.server.lengths:
            self.send_header("Content-Length", str(len(body)))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.send_header("Last-Modified", "Fri, 01 Mar 2024 10:00:05 GMT")
        self.send_header("ETag", '"1"')
        if self.server.region:
            self.send_header("x-amz-bucket-region", self.server.region)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: len(body) // 2] if cut else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(remote_files, "_WAIT", 0.01)
    with Web() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def read(root: str | Path) -> list[Read]:
    return [r for f in list_inputs(root).files for r in read_documents(hold(f), ReadSettings())]


def texts(root: str | Path) -> dict[str, str]:
    return {r.source: r.text for r in read(root) if isinstance(r, RawDocument)}


def test_a_file_on_the_web_is_a_source(web: Web) -> None:
    assert texts(f"{web.url}/x/b%20c.txt?v=1") == {"b c.txt": "words of b"}
    assert texts(f"{web.url}/x/a.parquet") == {"a.parquet#1": "one", "a.parquet#2": "two"}
    with pytest.raises(EmptyInput):
        list_inputs(f"{web.url}/x/no-ending")


LISTS = {
    "whole addresses": ("# files\n{url}/x/a.txt\r\n\n{url}/x/b%20c.txt\n{url}/x/a.txt\n", ["x/a.txt", "x/b c.txt"]),
    "places on its host": ("x/a.txt\n/x/no-ending\nx/.hidden.txt", ["x/a.txt"]),
    "no end of line": ("x/a.txt", ["x/a.txt"]),
}


@pytest.mark.parametrize(("lines", "names"), LISTS.values(), ids=LISTS)
def test_a_list_on_the_web_is_the_files_it_names(lines: str, names: list[str], web: Web) -> None:
    web.files["/l/all.paths.gz"] = gzip.compress(lines.format(url=web.url).encode())
    host = web.url.removeprefix("http://")
    assert list(texts(f"{web.url}/l/all.paths.gz")) == [f"{host}/{name}" for name in names]


STRANGE = "http://127.0.0.1:99999/a.txt\nhttp://127.0.0.1:1/ü.txt\nhttp://127.0.0.1 x/a.txt\n"


def test_a_list_on_disk_names_whole_addresses(web: Web, tmp_path: Path) -> None:
    (tmp_path / "a.urls").write_text(f"{web.url}/x/a.txt\n{web.url}/gone.txt\n{STRANGE}")
    found = read(tmp_path / "a.urls")
    assert [r.text for r in found if isinstance(r, RawDocument)] == ["Zwölf words."]
    rejects = [r for r in found if isinstance(r, Reject)]
    assert [r.expectation for r in rejects] == ["unreadable"] * 4
    assert sum("404" in r.reason for r in rejects) == 1


REFUSED = {
    "a file of this machine": "file:///etc/passwd",
    "a place on this disk": "a.txt",
    "a bucket": "s3://bucket/a.txt",
    "a password": "http://user:word@e.org/a.txt",
    "a token": "http://e.org/a.txt?token=x",
    "no host": "http:///a.txt",
    "a line without end": "http://e.org/" + "a" * 20_000,
    "brackets": "http://[e.org/a.txt",
}


@pytest.mark.parametrize("line", REFUSED.values(), ids=REFUSED)
def test_a_list_may_not_name(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.urls").write_text(f"http://e.org/a.txt\n{line}\n")
    with pytest.raises(UsageError, match="the list") as error:
        list_inputs(tmp_path / "a.urls")
    assert "word" not in str(error.value)


@pytest.mark.parametrize("address", ["http://[e.org/a.txt", "http://[e.org/a.urls", "gs://[e/a", "https://"])
def test_what_is_no_address_is_a_wrong_call(address: str) -> None:
    with pytest.raises(UsageError):
        list_inputs(address)


def test_a_list_on_the_web_may_not_name_files_of_this_machine(web: Web) -> None:
    web.files["/a.paths"] = b"file:///etc/passwd\n"
    with pytest.raises(UsageError, match="line 1"):
        list_inputs(f"{web.url}/a.paths")
    with pytest.raises(UsageError, match="404"):
        list_inputs(f"{web.url}/none.paths")


SERVERS = {
    "ranges": (True, True, []),
    "no ranges": (False, True, []),
    "faults at first": (True, True, ["503", "cut", "500"]),
    "answers that are cut": (True, True, ["cut"]),
}


@pytest.mark.parametrize(("ranges", "lengths", "faults"), SERVERS.values(), ids=SERVERS)
def test_a_stream_seeks_and_goes_on_whatever_its_server_does(
    ranges: bool, lengths: bool, faults: list[str], web: Web
) -> None:
    web.ranges, web.lengths, web.faults = ranges, lengths, list(faults)
    with remote_files.open_remote(f"{web.url}/big") as stream:
        assert stream.read(10) == BIG[:10]
        assert stream.read() == BIG[10:]
        for at in (3_000_000, 17, len(BIG), len(BIG) - 5):
            assert stream.seek(at) == at
            assert stream.read(100) == BIG[at : at + 100]
        assert stream.seek(-3, io.SEEK_END) == len(BIG) - 3
        assert stream.read() == BIG[-3:]
    with remote_files.open_remote(f"{web.url}/empty.txt") as stream:
        assert stream.read() == b""


def test_a_server_that_does_not_say_how_long_a_file_is_is_read_to_its_end(web: Web) -> None:
    web.lengths = False
    assert texts(f"{web.url}/x/a.txt") == {"a.txt": "Zwölf words."}


def test_a_server_that_stays_away_costs_one_reject(web: Web) -> None:
    web.faults = ["500"] * 20
    (reject,) = read(f"{web.url}/x/a.txt")
    assert isinstance(reject, Reject)
    assert reject.expectation == "unreadable"
    assert "500" in reject.reason


@pytest.fixture
def s3(web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Web]:
    """A bucket, and an environment that says nothing of stores."""
    pytest.importorskip("obstore")
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    web.files = {"/articles/in/a%20b.txt": b"words of a", "/articles/in/sub": b"", "/articles/in/sub/b.txt": BIG}
    remote_files._store.cache_clear()
    yield web
    remote_files._store.cache_clear()


def options(web: Web) -> str:
    return f"?endpoint_override={web.url.removeprefix('http://')}&scheme=http&region=eu-west-3"


def test_a_bucket_of_s3_is_listed_and_read_as_its_address_says(s3: Web) -> None:
    s3.files["/articles/in/.hidden.txt"] = b"no"
    listing = list_inputs(f"s3://articles/in/{options(s3)}")
    assert [(f.path, f.bytes) for f in listing.files] == [("a%20b.txt", 10), ("sub/b.txt", len(BIG))]
    assert {s.path for s in listing.skipped} == {".hidden.txt"}
    with remote_files.open_remote(listing.files[1].address) as stream:
        assert stream.seek(1_000_000) == 1_000_000
        assert stream.read(5) == BIG[1_000_000:1_000_005]
        assert stream.seek(-2, io.SEEK_END) == len(BIG) - 2
        assert stream.read() == BIG[-2:]
    assert not any(s3.signed), "there are no keys"


KEYS = {
    "keys of the environment": {"AWS_ACCESS_KEY_ID": "key-of-us", "AWS_SECRET_ACCESS_KEY": "word"},
    "a profile": {"AWS_PROFILE": "other"},
}


@pytest.mark.parametrize("environment", KEYS.values(), ids=KEYS)
def test_a_bucket_is_asked_with(
    environment: dict[str, str], s3: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "credentials").write_text("[other]\naws_access_key_id = key-of-us\naws_secret_access_key = a%b\n")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert len(list_inputs(f"s3://articles/in{options(s3)}").files) == 2
    assert all("key-of-us/" in signed and "/eu-west-3/s3/" in signed for signed in s3.signed)
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    remote_files._store.cache_clear()
    s3.signed.clear()
    assert len(list_inputs(f"s3://articles/in{options(s3)}").files) == 2
    assert not any(s3.signed)


def test_a_bucket_is_asked_in_its_own_region(s3: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_files, "_OF_AWS", s3.url)
    s3.files["/articles"] = b""
    s3.region = "ap-south-1"
    assert remote_files._home_of("articles") == "ap-south-1"
    del s3.files["/articles"]
    assert remote_files._home_of("articles") == "ap-south-1", "a store says it also where it refuses"
    monkeypatch.setattr(remote_files, "_OF_AWS", "http://127.0.0.1:1")
    assert remote_files._home_of("articles") is None


def test_an_address_of_s3_that_says_what_nobody_knows_is_refused(s3: Web) -> None:
    for address in ("s3://articles/in?endpont=x", "s3://key:word@articles/in", "s3:///in"):
        with pytest.raises(UsageError) as told:
            list_inputs(address)
        assert "word" not in str(told.value)
    with pytest.raises(UsageError, match="nothing there"):
        list_inputs(f"s3://articles/none.txt{options(s3)}")


@pytest.mark.slow
def test_a_bucket_of_google_is_listed_and_read(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("obstore")
    remote_files._store.cache_clear()
    with serve_s3("google") as environment:  # whose lists and files have the same form
        system = fs.S3FileSystem(
            endpoint_override=environment["AWS_ENDPOINT_URL"], access_key="test-key", secret_key="test-secret"
        )
        for name in ("in/a b.txt", "in/sub/b.txt", "in/.c.txt", "into.txt"):
            with system.open_output_stream(f"google/{name}") as file:
                file.write(name.encode())
        account = {"gcs_base_url": environment["AWS_ENDPOINT_URL"], "disable_oauth": True}
        account |= dict.fromkeys(("client_email", "private_key", "private_key_id"), "")
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(account))
        monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
        assert texts("gs://google/in/") == {"a b.txt": "in/a b.txt", "sub/b.txt": "in/sub/b.txt"}
        assert texts("gs://google/into.txt") == {"into.txt": "into.txt"}
        with pytest.raises(UsageError, match="nothing there"):
            list_inputs("gs://google/none")
    remote_files._store.cache_clear()


def test_a_container_of_azure_is_listed_and_read(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("obstore")
    remote_files._store.cache_clear()
    for name, value in {
        "AZURE_STORAGE_ACCOUNT_NAME": "account", "AZURE_STORAGE_ACCOUNT_KEY": "a2V5", "AZURE_ALLOW_HTTP": "true",
        "AZURE_STORAGE_ENDPOINT": web.url,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    web.files = {f"/articles/in/{n}.txt": f"words {n}".encode() for n in range(5)}
    assert texts("az://articles/in") == {f"{n}.txt": f"words {n}" for n in range(5)}
    assert sum("comp=list" in asked or asked.startswith("GET /articles ") for asked in web.asked) <= 6
    remote_files._store.cache_clear()
