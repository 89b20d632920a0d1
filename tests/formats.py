"""A small sound file in each format that is read, with the documents it holds."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma

import pyarrow as pa
import pyarrow.parquet as pq

from tests.articles import article
from tests.office_files import docx_file, epub_file, odt_file, pdf_file

RECORDS = [{"id": f"d{n}", "text": article(n)[:400], "date": "2024-01-01", "n": n} for n in range(6)]


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(RECORDS), sink, row_group_size=2)
    return sink.getvalue()


LINES = "\n".join(json.dumps(r) for r in RECORDS).encode()
TABLE = ("id,text,n\n" + "\n".join(f'{r["id"]},"{r["text"]}",{r["n"]}' for r in RECORDS)).encode()
PAGE = (
    "<html><head><title>A page</title></head><body><article>" + "".join(f"<p>{r['text']}</p>" for r in RECORDS)
).encode()


def warc_record(kind: str, of: str, body: bytes, uri: str) -> bytes:
    head = f"WARC-Type: {kind}\r\nWARC-Target-URI: {uri}\r\nWARC-Date: 2024-03-01T10:00:05Z\r\nContent-Type: {of}\r\n"
    return f"WARC/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body + b"\r\n\r\n"


def warc(site: str) -> list[bytes]:
    """A head, and an answer and its request for each of the records."""
    records = [warc_record("warcinfo", "application/warc-fields", b"software: x", "")]
    for n, row in enumerate(RECORDS):
        body = b"<html><title>T</title><body><article><p>" + str(row["text"]).encode()
        packed = gzip.compress(body, mtime=0) if n % 2 else body
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: {'gzip' if n % 2 else 'identity'}"
        records.append(warc_record("response", "application/http", head.encode() + b"\r\n\r\n" + packed, f"{site}/{n}"))
        records.append(warc_record("request", "application/http", b"GET / HTTP/1.1\r\n\r\n", f"{site}/{n}"))
    return records


def message(row: dict[str, object]) -> bytes:
    head = (
        f"From: a@e.org\nMessage-ID: <{row['id']}@e.org>\nSubject: {row['id']}\nDate: Fri, 1 Mar 2024 12:00:05 +0200\n"
    )
    kind = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n"
    file = "\n--b\nContent-Type: image/png\nContent-Disposition: attachment; filename=a.png\n\niVBORw0=\n--b--\n"
    return (head + kind + str(row["text"]) + file).encode()


SUBTITLES = b"".join(
    b"%d\n00:0%d:00,000 --> 00:0%d:09,000\n%s\n\n" % (n, n, n, str(row["text"]).encode())
    for n, row in enumerate(RECORDS, 1)
)
MAILBOX = b"".join(b"From a@e.org Fri Mar  1 12:00:05 2024\n" + message(row) + b"\n" for row in RECORDS)
FILES = {
    "a.txt": RECORDS[0]["text"].encode("utf-8"),
    "b.txt": (RECORDS[0]["text"] + " Über größere Flüsse führen Brücken.").encode("cp1252"),
    "a.jsonl": LINES,
    "a.json": b"[" + b",\n".join(LINES.splitlines()) + b"]",
    "a.csv": TABLE,
    "a.tsv": TABLE.replace(b",", b"\t"),
    "b.csv": TABLE.decode().encode("utf-16"),
    "a.html": PAGE,
    "a.parquet": parquet(),
    "a.pdf": pdf_file(),
    "a.docx": docx_file(),
    "a.odt": odt_file(),
    "a.rtf": rb"{\rtf1\ansi\ansicpg1252 Caf\'e9\par " + b"\\par ".join(str(r["text"]).encode() for r in RECORDS) + b"}",
    "a.epub": epub_file(),
    "a.srt": SUBTITLES,
    "a.vtt": b"WEBVTT\n\n" + SUBTITLES.replace(b",000", b".000"),
    "a.xml": b"<doc><title>A title</title>"
    + b"".join(b"<p>%s</p>" % str(r["text"]).encode() for r in RECORDS)
    + b"</doc>",
    "a.eml": message(RECORDS[0]),
    "a.mbox": MAILBOX,
    "a.warc": b"".join(warc("http://e.org")),
    "a.warc.gz": b"".join(gzip.compress(record, mtime=0) for record in warc("http://packed.org")),
    "a.wet": b"".join(
        warc_record("conversion", "text/plain", str(r["text"]).encode(), f"http://text.org/{r['id']}") for r in RECORDS
    ),
    "a.jsonl.gz": gzip.compress(LINES, mtime=0),
    "a.jsonl.bz2": bz2.compress(LINES),
    "a.csv.xz": lzma.compress(TABLE),
    "a.txt.zst": pa.compress(LINES, "zstd", asbytes=True),
}

ONE_DOCUMENT = set("a.txt b.txt a.html a.txt.zst a.eml a.pdf a.docx a.odt a.rtf a.epub a.srt a.vtt a.xml".split())
DOCUMENTS = {name: 1 if name in ONE_DOCUMENT else len(RECORDS) for name in FILES}
