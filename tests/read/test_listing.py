"""Listings as columns: what goes in comes out, also through a worker's door, and big ones are small."""

from __future__ import annotations

import pickle
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest

from winnow.base.recipe import ReadSettings
from winnow.read import InputFile, InputFiles, Skipped, SkippedFiles, hold, list_inputs, plan_shards
from winnow.read.listing import SLICE, Held

FILES = [
    InputFile("a.txt", "/in/a.txt", 3),
    InputFile("caf%E9.txt", "/in/caf\udce9.txt", 0, fault="cannot be read: gone"),
    InputFile("b c.txt", "s3://bucket/in/b%20c.txt", 9, Held("ab" * 32, 1 << 20, b"12345678" * 2, b"\0" * 16)),
    InputFile("empty.txt", "/elsewhere/x", 0, Held("cd" * 32, 1 << 20, b"")),
]


def test_files_come_out_as_they_went_in() -> None:
    files = InputFiles.of(iter(FILES))
    assert list(files) == FILES
    assert [files[n] for n in range(-4, 4)] == FILES * 2
    assert list(files[1:3]) == FILES[1:3]
    assert list(files[3:1]) == []
    assert list(files.at(["b c.txt", "none"])) == FILES[2:3]
    assert [f.path for f in files.by_path()] == sorted(f.path for f in FILES)
    again = InputFiles.of([*reversed(FILES), InputFile("a.txt", "/in/other", 4), InputFile("z", "/z", 1)])
    first = sorted([*FILES, again[-1]], key=lambda f: f.path)
    assert list(again.by_path()) == first, "of a name the first stays"
    assert list(InputFiles.of(())) == []
    with pytest.raises(IndexError):
        files[4]


def test_a_worker_is_told_of_its_own_files_alone() -> None:
    many = InputFiles.of(InputFile(f"{n}.txt", f"/in/{n}.txt", n) for n in range(2 * SLICE + 5))
    assert [f.bytes for f in many] == list(range(2 * SLICE + 5))
    part = pickle.dumps(many[SLICE - 1 : SLICE + 1])
    assert len(part) < 4000
    assert [f.path for f in pickle.loads(part)] == [f"{SLICE - 1}.txt", f"{SLICE}.txt"]
    assert list(pickle.loads(pickle.dumps(InputFiles.of(FILES)))) == FILES


def test_what_is_skipped_keeps_its_reason() -> None:
    skipped = [Skipped(".a", "hidden"), Skipped("b.exe", "no reader for .exe", 7, meant=False)]
    assert list(SkippedFiles.of(skipped)) == skipped


def test_files_of_many_shards_are_read_once_each() -> None:
    sizes = [10, 3_000_000, 1, 1_500_000, 0, 1]
    files = InputFiles.of(InputFile(f"{n}.jsonl", f"/{n}.jsonl", size) for n, size in enumerate(sizes))
    shards = plan_shards(files, ReadSettings(shard_mb=1.2))
    spans = [(s.file.path, s.start, s.end) for shard in shards for s in shard.spans]
    assert spans == [
        ("0.jsonl", 0, 10), ("1.jsonl", 0, 1_000_000), ("1.jsonl", 1_000_000, 2_000_000),
        ("1.jsonl", 2_000_000, 3_000_000), ("2.jsonl", 0, 1), ("3.jsonl", 0, 750_000),
        ("3.jsonl", 750_000, 1_500_000), ("4.jsonl", 0, 0), ("5.jsonl", 0, 1),
    ]  # fmt: skip
    assert len(shards) == 5


@pytest.mark.parametrize(
    ("total_mb", "shards", "largest_mb"), [(1, 1, 1), (3, 2, 1.5), (20, 10, 2), (100, 16, 6.25), (1000, 63, 15.88)]
)
def test_little_input_gives_every_worker_its_shards(total_mb: int, shards: int, largest_mb: float) -> None:
    planned = plan_shards(InputFiles.of([InputFile("a.jsonl", "/a.jsonl", total_mb * 1_000_000)]), ReadSettings())
    assert len(planned) == shards
    assert max(s.bytes for shard in planned for s in shard.spans) <= largest_mb * 1_000_000


def test_a_listing_holds_no_object_for_each_name() -> None:
    names, path = 30_000, "part-00/article-%07d.txt"
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    files = InputFiles.of(InputFile(path % n, "/data/in/" + path % n, n) for n in range(names))
    held = tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes() - before
    tracemalloc.stop()
    assert held / names < 150
    assert len(files) == names


def test_links_among_many_files_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / ".kept").write_text("k")
    (tmp_path / "b.txt").symlink_to(tmp_path / "a.txt")
    (tmp_path / "c.txt").symlink_to(tmp_path / ".kept")
    (tmp_path / "d.txt").symlink_to(tmp_path / "gone")
    listing = list_inputs(tmp_path)
    assert [f.path for f in listing.files] == ["a.txt", "c.txt", "d.txt"]
    assert {s.path for s in listing.skipped} == {".kept", "b.txt"}
    assert hold(listing.files[2]).fault
