"""A part of a version can be handed out: tables, languages, sources and dates chosen, in three forms."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.publish.press import START, Press, rows_of, write_part
from tests.s3_server import serve_s3

from winnow.base.errors import UsageError
from winnow.base.records import doc_id_of
from winnow.publish.dataset import Dataset
from winnow.publish.export import export_selection
from winnow.publish.selection import Choice, write_selection

DOCUMENTS = [
    {"source": "news/a", "language": "en", "collected_at": START, "title": "one: \u2028two", "text": "a\n---\nb"},
    {"source": "news/b", "language": "de", "collected_at": START + timedelta(days=1, hours=23)},
    {"source": "blog/../x", "language": None, "collected_at": None},
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("selection")
    press = Press(Dataset(folder / "dataset"), folder / "work")
    rows = [rows_of(d["source"]) for d in DOCUMENTS]
    documents = [{**r["documents"][0], **d} for r, d in zip(rows, DOCUMENTS, strict=True)]
    press.publish({d["source"]: "plain" for d in DOCUMENTS}, more={
        "documents": [write_part(folder / "documents.parquet", "documents", documents)]
    })  # fmt: skip
    return press.dataset


def lines(path: Path) -> list[dict[str, Any]]:
    with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as file:
        return [json.loads(line) for line in io.TextIOWrapper(file, "utf-8").read().split("\n") if line]


CHOICES = [
    ({}, {"news/a", "news/b", "blog/../x"}),
    ({"languages": ("en", "fr")}, {"news/a"}),
    ({"sources": ("news/*",)}, {"news/a", "news/b"}),
    ({"sources": ("NEWS/*", "blog/..?x")}, {"blog/../x"}),
    ({"sources": ("news",)}, set()),
    ({"since": date(2026, 1, 2)}, {"news/b"}),
    ({"until": date(2026, 1, 1)}, {"news/a"}),
    ({"until": date(2026, 1, 2), "languages": ("de",)}, {"news/b"}),
]


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
@pytest.mark.parametrize(("chosen", "wanted"), CHOICES)
def test_what_is_chosen_is_written_with_the_rows_of_its_documents_and_nothing_else(
    dataset, tmp_path, chosen, wanted, form
):
    choice = Choice(tables=("documents", "passages", "inputs"), format=form, **chosen)
    to = tmp_path / "out"
    done = write_selection(dataset, 1, choice, to)
    found = {t: pq.read_table(to / t).to_pylist() if form == "parquet" else lines(to / f"{t}.jsonl.zst")
             for t in choice.tables}  # fmt: skip
    assert {r["source"] for r in found["documents"]} == wanted
    assert {r["doc_id"] for r in found["passages"]} == set(map(doc_id_of, wanted))
    assert {t: len(rows) for t, rows in found.items()} == done.rows
    assert done.rows["inputs"] == len(DOCUMENTS)


def test_a_page_a_document_has_its_facts_above_its_text_and_a_name_that_leads_nowhere(dataset, tmp_path):
    write_selection(dataset, 1, Choice(format="markdown"), tmp_path / "out")
    pages = {p.name: p.read_text() for p in (tmp_path / "out" / "documents").rglob("*.md")}
    assert sorted(n[:-20] for n in pages) == ["blog-x", "news-a", "news-b"]
    page = pages[f"news-a-{doc_id_of('news/a')}.md"]
    front, text = page.split("\n---\n\n", 1)
    assert text == "a\n---\nb\n"
    values = dict(line.split(": ", 1) for line in front.splitlines()[1:])
    assert json.loads(values["title"]) == "one: \u2028two"
    assert json.loads(values["metadata"]) == {"k": "v"}
    assert "title" not in pages[f"blog-x-{doc_id_of('blog/../x')}.md"]


def test_an_export_says_what_was_chosen_and_lists_its_files(dataset, tmp_path):
    place, _ = export_selection(dataset, 1, Choice(languages=("en",), since=date(2026, 1, 1)), str(tmp_path / "out"))
    said = json.loads((Path(place) / "manifest.json").read_text())
    assert said["chosen"] == {"tables": ["documents"], "languages": ["en"], "since": "2026-01-01", "format": "parquet"}
    sums = {n: hashlib.sha256((Path(place) / n).read_bytes()).hexdigest() for n in said["files"]}
    assert sums == {n: f["sha256"] for n, f in said["files"].items()}
    assert "| documents | 1 |" in (Path(place) / "README.md").read_text()
    with pytest.raises(UsageError, match="exists"):
        export_selection(dataset, 1, Choice(), place)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"tables": ("texts",)}, "'texts' is no table; there are documents"),
        ({"format": "csv"}, "--format csv: is none of parquet, jsonl, markdown"),
        ({"format": "markdown", "tables": ("edits",)}, "documents and no other table"),
        ({"tables": ("rejects",), "languages": ("en",)}, "a reject has no language"),
    ],
)
def test_a_choice_that_cannot_be_followed_is_a_wrong_call(words, why):
    with pytest.raises(UsageError, match=why):
        Choice(**words)


@pytest.mark.slow
def test_what_is_chosen_goes_to_a_store_with_its_manifest_last(dataset, monkeypatch):
    pytest.importorskip("moto.server", reason="the local S3 server needs moto[server]")
    with serve_s3("copies") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        place, _ = export_selection(dataset, 1, Choice(format="jsonl", languages=("en",)), "s3://copies/a")
        assert place == "s3://copies/a"
        from winnow.base.object_store import Store, parse_address

        assert set(Store(parse_address(place)).entries()) == {"README.md", "documents.jsonl.zst", "manifest.json"}
        with pytest.raises(UsageError, match="stands there already"):
            export_selection(dataset, 1, Choice(), place)
