"""How files are read that an entry of ``[[read.sources]]`` is about: for each kind of file, what it gives."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.formats import MAILBOX, PAGE, warc

from winnow.base.errors import RecipeError
from winnow.base.recipe import FormatName, ReadSettings
from winnow.base.records import LeftOut, RawDocument
from winnow.read import InputFiles, hold, list_inputs, plan_shards, read_bytes, read_shard
from winnow.read.formats import FORMATS
from winnow.read.sources import fits
from winnow.run.recipe_file import load_recipe

Found = tuple[str, int | None, str]
"""Source and row of a document with its text, or of a reject with its reason."""


def parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    content: bytes
    source: Mapping[str, Any]
    found: list[Found]
    read: Mapping[str, Any] = field(default_factory=dict)


CYRILLIC = "Съешь же ещё этих мягких французских булок"
CASES = {
    "CSV in another dialect": Case(
        name="a.csv",
        content="Nr:Wörter\n1:größer, ja\n".encode("cp1252"),
        source={"text_field": "Wörter", "id_fields": "Nr", "delimiter": ":", "charset": "cp1252", "ids": "everywhere"},
        found=[("1", 2, "größer, ja")],
    ),
    "a charset that detection would not take for it": Case(
        name="a.csv",
        content="id,text\nx,Grün\n".encode("cp850"),
        source={"charset": "cp850"},
        found=[("x", 2, "Grün")],
    ),
    "UTF-8 is UTF-8 whatever the charset": Case(
        name="a.txt", content="Grün".encode(), source={"charset": "cp1252"}, found=[("a.txt", None, "Grün")]
    ),
    "a charset that is nothing like ASCII": Case(
        name="a.jsonl",
        content='{"id": "x", "text": "Grün"}\n{"id": "y", "text": "Blau"}\n'.encode("cp500"),
        source={"charset": "cp500"},
        found=[("x", 1, "Grün"), ("y", 2, "Blau")],
    ),
    "JSON lines in a charset": Case(
        name="a.jsonl",
        content=json.dumps({"id": "x", "text": CYRILLIC}, ensure_ascii=False).encode("cp866"),
        source={"charset": "cp866"},
        found=[("x", 1, CYRILLIC)],
    ),
    "the first of several fields that has a text": Case(
        name="a.jsonl",
        content=b'{"id": "x", "summary": " ", "doc": {"text": "b"}}\n{"id": "y", "summary": "a", "doc": {}}\n',
        source={"text_field": ["summary", "doc.text"]},
        found=[("x", 1, "b"), ("y", 2, "a")],
    ),
    "a field whose name has a dot": Case(
        name="a.csv", content=b"id,doc.text\nx,a\n", source={"text_field": "doc.text"}, found=[("x", 2, "a")]
    ),
    "a field of a struct in Parquet": Case(
        name="a.parquet",
        content=parquet([{"key": {"nr": "x"}, "doc": {"text": "a"}}, {"key": {"nr": "y"}, "doc": {"text": None}}]),
        source={"text_field": "doc.text", "id_fields": "key.nr"},
        found=[("x", 1, "a"), ("y", 2, "a.parquet, row 2: has no text: 'doc.text' is null or empty;")],
    ),
    "CSV under another ending, packed": Case(
        name="a.dat.gz",
        content=gzip.compress(b"id,text\nx,a\n"),
        source={"format": "csv"},
        found=[("x", 2, "a")],
    ),
    "a file without an ending": Case(
        name="dump", content=b'{"id": "x", "text": "a"}', source={"format": "jsonl"}, found=[("x", 1, "a")]
    ),
    "a page under another ending": Case(
        name="a.php", content=PAGE, source={"format": "html"}, found=[("a.php", None, "One teacher ")]
    ),
    "a mailbox without an ending": Case(
        name="inbox", content=MAILBOX[: MAILBOX.index(b"From a", 9)], source={"format": "mbox"},
        found=[("d0@e.org", 1, "")],
    ),
    "an archive": Case(
        name="a.arc", content=b"".join(warc("http://e.org")[:4]), source={"format": "warc"},
        found=[("http://e.org/0", 2, ""), ("http://e.org/1", 4, "")],
    ),
    "numbers that are unique in their source": Case(
        name="a.csv", content=b"id,text\n1,a\n", source={"name": "shop", "ids": "source"}, found=[("shop#1", 2, "a")]
    ),
    "names that are unique in their file": Case(
        name="a.csv", content=b"id,text\nx,a\n", source={"ids": "file"}, found=[("a.csv#x", 2, "a")]
    ),
    "an id field that is not among the columns": Case(
        name="a.csv",
        content=b"id,text\nx,a\n",
        source={"id_fields": "ids"},
        found=[("a.csv", None, "a.csv: has no column 'ids' (its columns: 'id', 'text'); did you mean 'id'? name it")],
    ),
    "a text field that is not among the columns": Case(
        name="a.parquet",
        content=parquet([{"id": "x", "body": "a"}]),
        source={"text_field": ["bodies", "words"]},
        found=[("a.parquet", None, "a.parquet: has no column 'bodies' or 'words' (its columns: 'id', 'body'); did ")],
    ),
    "what [read] says about columns is asked of no table": Case(
        name="a.csv", content=b"id,text\nx,a\n", read={"title_field": "headline"}, source={}, found=[("x", 2, "a")]
    ),
    "an entry for other files": Case(
        name="a.csv", content=b"id,text\nx,a\n", source={"glob": "b.csv", "text_field": "z"}, found=[("x", 2, "a")]
    ),
    "an entry that leaves the file out": Case(
        name="a.csv", content=b"id,text\nx,a\n", source={"exclude": "a.*", "text_field": "z"}, found=[("x", 2, "a")]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_file_is_read_as_its_entry_says(case: Case, tmp_path: Path) -> None:
    (tmp_path / case.name).write_bytes(case.content)
    settings = ReadSettings.model_validate({**case.read, "sources": [{"glob": "*", **case.source}]})
    files = InputFiles.of(hold(file) for file in list_inputs(tmp_path, settings=settings).files)
    results = [r for shard in plan_shards(files, settings) for r in read_shard(shard, settings)]
    found = [r for r in results if not isinstance(r, LeftOut)]
    assert [(r.source, r.row) for r in found] == [(source, row) for source, row, _ in case.found]
    for result, (_, _, text) in zip(found, case.found, strict=True):
        kept = result.content
        if isinstance(result, RawDocument):
            assert result.text.startswith(text)
            kept = result.text.encode() if kept is None else kept
        else:
            assert result.reason.startswith(text)
        assert kept is not None
        read_again = read_bytes(result.source, case.name, kept, settings, result.row)
        again = [r for r in read_again if not isinstance(r, LeftOut)]
        assert [(r.source, r.row, r.input) for r in again] == [(result.source, result.row, case.name)]


FIT = {
    "*.csv": ("a.csv", "b/a.csv"),
    "b/*.csv": ("b/a.csv",),
    "**/b/*.csv": ("b/a.csv", "x/b/a.csv"),
    "b/**": ("b/a.csv", "b/c/d.txt"),
    "a.?sv": ("a.csv", "b/a.tsv"),
    "a.[ct]sv": ("a.csv", "a.tsv"),
    "a.[!c]sv": ("a.tsv",),
    "a(1)+.csv": ("a(1)+.csv",),
    "/a.csv": ("a.csv",),
}
MISFIT = {
    "*.csv": ("a.csv.gz", "a.CSV"),
    "b/*.csv": ("a.csv", "x/b/a.csv", "b/c/a.csv"),
    "b/**": ("b", "xb/a"),
    "a.?sv": ("a./sv", "a.sv"),
    "a.[!c]sv": ("a.csv",),
    "/a.csv": ("b/a.csv",),
}


def test_globs_fit_the_paths_they_are_meant_for() -> None:
    assert {(g, p) for g, paths in FIT.items() for p in paths if not fits(g).fullmatch(p)} == set()
    assert {(g, p) for g, paths in MISFIT.items() for p in paths if fits(g).fullmatch(p)} == set()


def test_the_recipe_leaves_files_out_with_a_reason(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "drafts/c.csv", "d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    settings = ReadSettings(include=("*.csv",), exclude=("drafts/**",), sources=({"glob": "*.csv"}, {"glob": "z/*"}))  # type: ignore[arg-type]
    listing = list_inputs(tmp_path, settings=settings)
    assert [f.path for f in listing.files] == ["a.csv", "b.csv"]
    assert {s.path: (s.reason, s.meant) for s in listing.skipped} == {
        "d.txt": ("not among read.include", True),
        "drafts/c.csv": ("excluded by read.exclude", True),
    }
    assert [entry.called for entry in listing.idle] == ["z/*"]


def test_every_format_can_be_named() -> None:
    assert get_args(FormatName) == tuple(f.name for f in FORMATS)


WRONG = {
    'glob = "*.csv"\ntext_feld = "x"': "5: read.sources[2].text_feld is no setting; did you mean 'text_field'?",
    'glob = "*.csv"\nformat = "jsnl"': "5: read.sources[2].format = 'jsnl': input should be",
    'glob = "*.csv"\ncharset = "windos-1252"': "did you mean 'windows_1252'?",
    'text_field = "x"': "3: read.sources[2] has no glob; add one",
    'glob = "*"\nformat = "parquet"\ndelimiter = ";"': "delimiter is for csv, tsv, and format is 'parquet'",
    'glob = "*"\nids = "source"': 'ids = "source" needs a name',
    'glob = "*"\ndelimiter = ";;"': "5: read.sources[2].delimiter = ';;'",
}


@pytest.mark.parametrize(("entry", "said"), WRONG.items())
def test_a_mistake_in_an_entry_is_told_with_its_line(entry: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "w.toml"
    path.write_text(f'[[read.sources]]\nglob = "a"\n[[read.sources]]\n{entry}\n')
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert said in str(caught.value)
