"""A version can be handed out as a folder or as one file."""

import gzip
import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.publish.press import Press, first_file, sources

from winnow.base.errors import DatasetError, UsageError
from winnow.publish.dataset import Dataset
from winnow.publish.export import export


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Press:
    """A dataset of two versions; read it, do not publish more."""
    folder = tmp_path_factory.mktemp("two")
    press = Press(Dataset(folder / "dataset"), folder / "work")
    press.publish(sources("a", "b"))
    press.publish(sources("b", word="new"))
    return press


def test_a_folder_gets_the_whole_view_on_its_own_feet(two: Press, tmp_path: Path) -> None:
    to = export(two.dataset, 1, tmp_path / "out" / "handed")
    assert (to / "README.md").is_file()
    assert pd.read_parquet(to / "documents")["source"].nunique() == 2
    own = first_file(two.dataset, 1, "documents")
    assert not (to / "documents" / own.name).samefile(own)


def test_a_parquet_file_gets_the_documents_in_order(two: Press, tmp_path: Path) -> None:
    to = export(two.dataset, 2, tmp_path / "out.parquet")
    assert pq.read_table(to).equals(pq.read_table(two.dataset.view(2) / "documents"))


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_lines_of_json_get_the_documents_in_order(two: Press, tmp_path: Path, name: str) -> None:
    to = export(two.dataset, 2, tmp_path / name)
    text = gzip.decompress(to.read_bytes()) if name.endswith("gz") else to.read_bytes()
    rows = [json.loads(line) for line in text.splitlines()]
    assert [r["text"] for r in rows] == pq.read_table(two.dataset.view(2) / "documents")["text"].to_pylist()
    assert rows[0]["metadata"] == {"k": "v"}
    assert rows[0]["collected_at"] == "2026-01-01T00:00:00+00:00"


def test_the_same_version_gives_the_same_bytes(two: Press, tmp_path: Path) -> None:
    one, other = (export(two.dataset, 2, tmp_path / f"{n}.jsonl.gz") for n in "ab")
    assert one.read_bytes() == other.read_bytes()


def test_nothing_is_overwritten_and_no_half_file_is_left(two: Press, tmp_path: Path) -> None:
    (tmp_path / "taken.parquet").write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists"):
        export(two.dataset, 1, tmp_path / "taken.parquet")
    with pytest.raises(UsageError, match="cannot tell the form"):
        export(two.dataset, 1, tmp_path / "out.csv")
    with pytest.raises(DatasetError, match="published: 1, 2"):
        export(two.dataset, 5, tmp_path / "out.parquet")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["taken.parquet"]
