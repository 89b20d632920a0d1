"""Input files that change between the hash of the plan and the reading: what is read is what is recorded."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.articles import article
from tests.conftest import write_jsonl
from tests.operate.dataset_runs import run_stages

from winnow.base.errors import InputChanged
from winnow.base.recipe import ReadSettings
from winnow.read import InputFiles, Span, hold, list_inputs, plan_shards, read_documents, read_shard
from winnow.run import intake

WHOLE = article(55)
LINES = [{"id": f"d{n}", "text": article(n)} for n in range(40)]


def write_parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(LINES), path, row_group_size=5)


FILES: dict[str, Callable[[Path], object]] = {
    "a.txt": lambda path: path.write_text(WHOLE),
    "a.html": lambda path: path.write_text(f"<html><body><p>{WHOLE}</p></body></html>"),
    "a.jsonl": lambda path: write_jsonl(path, LINES),
    "a.jsonl.gz": lambda path: path.write_bytes(gzip.compress(b'{"id": "a", "text": "some words"}\n' * 1000)),
    "a.csv": lambda path: path.write_text("id,text\n" + "\n".join(f"{n},words of row {n}" for n in range(999))),
    "a.parquet": write_parquet,
}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


CHANGES: dict[str, Callable[[Path], object]] = {
    "is cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "is emptied": lambda path: path.write_bytes(b""),
    "goes": Path.unlink,
    "has another byte": flip,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_changed_since_it_was_hashed_is_not_read(
    name: str, change: Callable[[Path], object], tmp_path: Path
) -> None:
    FILES[name](tmp_path / name)
    file = hold(list_inputs(tmp_path).files[0])
    assert file.sha256 == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    before = list(read_documents(file, ReadSettings()))
    assert before == list(read_documents(list_inputs(tmp_path).files[0], ReadSettings()))
    change(tmp_path / name)
    with pytest.raises(InputChanged, match=name):
        list(read_documents(file, ReadSettings()))


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_a_file_that_grew_is_read_up_to_what_was_hashed(name: str, tmp_path: Path) -> None:
    FILES[name](tmp_path / name)
    file = hold(list_inputs(tmp_path).files[0])
    before = list(read_documents(file, ReadSettings()))
    with (tmp_path / name).open("a") as stream:
        stream.write('{"id": "new", "text": "a line that was added"}\n')
    assert list(read_documents(file, ReadSettings())) == before


def test_parts_of_a_big_file_are_proved_each_by_itself(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"id": f"d{n}", "text": article(n)} for n in range(3000)])
    file = hold(list_inputs(tmp_path).files[0])
    shards = plan_shards(InputFiles.of([file]), ReadSettings(shard_mb=1))
    assert len(shards) > 3
    read = [r for shard in shards for r in read_shard(shard, ReadSettings())]
    assert [r.row for r in read] == list(range(1, 3001))
    with (tmp_path / "a.jsonl").open("r+b") as stream:
        stream.seek(file.bytes - 100)
        stream.write(b"#")
    assert list(read_shard(shards[0], ReadSettings())) == read[: len(list(read_shard(shards[0], ReadSettings())))]
    with pytest.raises(InputChanged):
        list(read_shard(shards[-1], ReadSettings()))


def change_before_reading(monkeypatch: pytest.MonkeyPatch, change: Callable[[int], None]) -> None:
    """Calls `change` with the number of the attempt, each time when the files are hashed and not yet read."""
    plan, attempts = intake.plan_shards, iter(range(99))

    def planned(inputs: tuple[Span, ...], settings: ReadSettings) -> object:
        change(next(attempts))
        return plan(inputs, settings)

    monkeypatch.setattr(intake, "plan_shards", planned)


def published(dataset: Path) -> dict[str, str]:
    frame = pd.read_parquet(dataset / "latest" / "documents")
    return dict(zip(frame["source"], frame["text"], strict=True))


def test_a_file_that_changes_once_is_published_as_it_is_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "in"
    write_jsonl(source / "a.jsonl", LINES[:3])
    (source / "z.txt").write_text(article(66))
    change_before_reading(monkeypatch, lambda attempt: (source / "z.txt").write_text(WHOLE) and None)
    run_stages(source, tmp_path / "dataset")
    assert published(tmp_path / "dataset")["z.txt"] == WHOLE
    inputs = pd.read_parquet(tmp_path / "dataset" / "latest" / "inputs").set_index("path")
    assert inputs.loc["z.txt", "sha256"] == hashlib.sha256(WHOLE.encode()).hexdigest()


@pytest.mark.slow
def test_a_file_that_never_stands_still_is_a_reject_until_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, dataset = tmp_path / "in", tmp_path / "dataset"
    write_jsonl(source / "a.jsonl", LINES[:6])
    (source / "z.txt").write_text(article(66))

    def grow(attempt: int) -> None:
        (source / "z.txt").write_text(f"{attempt} {WHOLE}")

    with monkeypatch.context() as patch:
        change_before_reading(patch, grow)
        run_stages(source, dataset)
    assert len(published(dataset)) == 6
    rejects = pd.read_parquet(dataset / "latest" / "rejects").set_index("source")
    assert rejects.loc["z.txt", "expectation"] == "unreadable"
    assert "changes while it is read" in rejects.loc["z.txt", "reason"]
    run_stages(source, dataset)
    assert published(dataset)["z.txt"].endswith(WHOLE)
    assert pd.read_parquet(dataset / "latest" / "rejects").empty
