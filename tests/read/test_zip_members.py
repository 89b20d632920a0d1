"""Files in ZIP archives are read like those in a folder; what an archive says of itself is bounded."""

from __future__ import annotations

import json
import os
import warnings
import zipfile
from pathlib import Path

import pytest

from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject
from winnow.read import hold, list_inputs, plan_shards, read_documents, read_shard

LINES = "\n".join(json.dumps({"id": f"r{n}", "text": f"words {n}"}) for n in range(4))
SETTINGS = ReadSettings(max_unpacked_mb=70)


def packed(place: Path, *files: tuple[str, str | bytes]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # about a name that stands twice
        for name, content in files:
            archive.writestr(name, content)
    return place


def read(root: Path) -> list[RawDocument | Reject]:
    found = [r for file in list_inputs(root, settings=SETTINGS).files for r in read_documents(hold(file), SETTINGS)]
    return [r for r in found if isinstance(r, RawDocument | Reject)]


def test_each_file_is_read_by_its_ending_and_named_by_archive_and_path(tmp_path: Path) -> None:
    packed(tmp_path / "a.ZIP", ("x.txt", "text"), ("sub/y.jsonl", LINES), ("/z.md", "more"), ("./w.txt", "last"))
    found = read(tmp_path)
    assert [(r.source, r.input) for r in found if isinstance(r, RawDocument)] == [
        *((f"r{n}", "a.ZIP/sub/y.jsonl") for n in range(4)),
        *((f"a.ZIP/{name}",) * 2 for name in ("w.txt", "x.txt", "z.md")),
    ]
    assert read(tmp_path / "a.ZIP") == found


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    files = [("x.txt", "old"), ("x.txt", "new"), ("../up.txt", "u"), (".h/x.txt", "h"), ("in.zip", "z"), ("p.png", "p")]
    packed(tmp_path / "a.zip", *files)
    (tmp_path / "link.zip").symlink_to(tmp_path / "a.zip")
    assert [r.text for r in read(tmp_path) if isinstance(r, RawDocument)] == ["new"]
    assert {s.path: (s.reason, s.meant) for s in list_inputs(tmp_path).skipped} == {
        "a.zip/../up.txt": ("hidden", True),
        "a.zip/.h/x.txt": ("hidden", True),
        "a.zip/in.zip": ("no reader for .zip", False),
        "a.zip/p.png": ("no reader for .png", False),
        "a.zip/x.txt": ("an older file of a name that its archive has again", False),
        "link.zip": ("a link to a file that is read under its own name", True),
    }


def test_the_recipe_chooses_among_files_by_their_path_and_leaves_archives_out(tmp_path: Path) -> None:
    packed(tmp_path / "a.zip", ("x.txt", "text"), ("y.md", "more"))
    packed(tmp_path / "b.zip", ("x.txt", "text"))
    settings = ReadSettings(include=("*.txt",), exclude=("b.zip",))
    assert [f.path for f in list_inputs(tmp_path, settings=settings).files] == ["a.zip/x.txt"]


def broken(content: bytes, at: int, mask: int) -> bytes:
    return content[:at] + bytes([content[at] ^ mask]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("cut", "is no whole ZIP archive"),
        ("none", "is no whole ZIP archive"),
        ("bomb", "unpacks to more than 64000000 bytes"),
        ("long directory", "names too many files"),
    ],
)
def test_an_archive_that_cannot_be_read_is_one_reject_and_the_rest_is_read(what: str, why: str, tmp_path: Path) -> None:
    place = packed(tmp_path / "a.zip", ("x.txt", b"a" * (70_000_000 if what == "bomb" else 10)))
    content = place.read_bytes()
    end = content.rindex(b"PK\x05\x06")
    long = bytes(20 << 20) + content[end : end + 12] + (20 << 20).to_bytes(4, "little") + bytes(6)
    changed = {"cut": content[:-30], "none": b"words", "bomb": content, "long directory": long}
    place.write_bytes(changed[what])
    (tmp_path / "b.txt").write_text("words")
    reject, document = read(tmp_path)
    assert isinstance(reject, Reject)
    assert (reject.source, reject.expectation) == ("a.zip", "unreadable")
    assert reject.reason.startswith(f"a.zip: {why}")
    assert isinstance(document, RawDocument)


def test_a_pipe_and_a_dead_link_are_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.zip")
    (tmp_path / "b.zip").symlink_to(tmp_path / "nowhere.zip")
    (tmp_path / "c.zip").mkdir()
    (tmp_path / "c.zip" / "d.txt").write_text("words")
    pipe, dead, document = read(tmp_path)
    assert isinstance(pipe, Reject) and "a pipe" in pipe.reason and pipe.expectation == "unreadable"
    assert isinstance(dead, Reject) and "dead link" in dead.reason and dead.expectation == "unreadable"
    assert document.source == "c.zip/d.txt"


@pytest.mark.parametrize(("what", "why"), [("data", "is broken in its archive"), ("locked", "is encrypted")])
def test_a_file_that_is_broken_or_encrypted_costs_itself_alone(what: str, why: str, tmp_path: Path) -> None:
    place = packed(tmp_path / "a.zip", ("x.txt", b"some words"), ("y.txt", b"other words"))
    content = place.read_bytes()
    head = content.index(b"PK\x01\x02")
    changed = broken(content, 36, 0xFF) if what == "data" else broken(broken(content, head + 8, 1), 6, 1)
    place.write_bytes(changed)
    reject, document = read(tmp_path)
    assert isinstance(reject, Reject)
    assert reject.reason.startswith(f"a.zip/x.txt: {why}")
    assert isinstance(document, RawDocument)


def test_a_file_of_lines_is_one_span_and_read_by_any_worker(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"id": str(n), "text": "words " * 400}) + "\n" for n in range(2_000))
    settings = ReadSettings(shard_mb=1)
    files = list_inputs(packed(tmp_path / "a.zip", ("x.jsonl", lines))).files
    (shard,) = plan_shards(files, settings)
    assert sum(isinstance(r, RawDocument) for r in read_shard(shard, settings)) == 2_000
