"""What is wrong with an object in the store is found there, however sound the working copy is."""

import json

import pytest
from tests.storage.dying import FIRST, SECOND

from winnow.base.errors import DatasetError
from winnow.cli.keep import verify
from winnow.run.version_index import draw_index
from winnow.storage.lock import lock_dataset


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.fixture
def published(bucket):
    press = bucket.machine()
    press.publish(FIRST)
    press.publish(SECOND)
    with lock_dataset(press.dataset, "page"):
        draw_index(press.dataset)
    return press.dataset


def name_of(bucket, start: str, end: str) -> str:
    return min(n for n in bucket.store.entries() if n.startswith(start) and n.endswith(end))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("v1/documents/", ".parquet"),
        *(
            pytest.param(*ends, marks=pytest.mark.slow)
            for ends in (
                ("v2/", "README.md"),
                ("tables/documents/part-", ".parquet"),
                ("tables/edits/_delta_log/", "0.json"),
            )
        ),
    ],
)
def test_a_flipped_byte_is_found_and_named(bucket, published, start, end):
    name = name_of(bucket, start, end)
    assert published.remote.verify() == []
    bucket.store.put(name, flipped(bucket.store.read(name)[0]))
    problems = published.remote.verify()
    assert [p.place for p in problems] == [name]
    assert "was changed in the store" in problems[0].what
    assert published.remote.verify(1) == [p for p in problems if p.version == 1]


def test_the_command_says_it_and_fails(bucket, published, capsys):
    assert verify(into=bucket.url, as_json=True) == 0
    name = name_of(bucket, "v1/documents/", ".parquet")
    bucket.store.put(name, flipped(bucket.store.read(name)[0]))
    capsys.readouterr()
    assert verify(into=bucket.url, as_json=True) == 1
    assert [p["place"] for p in json.loads(capsys.readouterr().out)["problems"]] == [name]


def test_a_missing_object_and_a_stranger_are_found(bucket, published):
    gone = name_of(bucket, "v2/passages/", ".parquet")
    bucket.store.remove([gone])
    bucket.store.put("v2/passages/stranger.parquet", b"x")
    said = {p.place: p.what for p in published.remote.verify(2)}
    assert said == {gone: "is missing in the store", "v2/passages/stranger.parquet": "is not in the manifest"}


@pytest.mark.slow
def test_a_manifest_that_is_none_any_more_is_told_by_name_and_harms_no_working_copy(bucket, published):
    bucket.store.put("v2/manifest.json", b"{")
    with pytest.raises(DatasetError, match=rf"^{bucket.url}/v2/manifest.json: was changed in the store"):
        bucket.read()
    published.remote.pull()
    assert published.manifest(2).version == 2
    assert [p.place for p in published.remote.verify()] == ["v2/manifest.json"]


def test_a_manifest_that_names_files_outside_is_refused(bucket, published):
    manifest = json.loads(bucket.store.read("v2/manifest.json")[0])
    del manifest["sha256"]
    manifest["files"]["../../outside"] = "0" * 64
    bucket.store.put("v2/manifest.json", json.dumps(manifest).encode())
    with pytest.raises(DatasetError, match=r"v2/manifest.json: names a file outside: '../../outside'"):
        bucket.read()
    assert not (bucket.folder / "outside").exists()
