"""Columns may come; nothing may be lost."""

from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.publish.load import read_everywhere
from tests.publish.press import Press, first_file, sources, texts_of

from winnow.base import contracts
from winnow.base.contracts import column
from winnow.base.errors import SchemaConflict
from winnow.publish.compare.diff import diff
from winnow.publish.recover import recover
from winnow.publish.verify import verify
from winnow.publish.version import rollback
from winnow.storage.lock import lock_dataset

MOOD = column("mood", pa.string(), "How the text feels", True)


def declare(monkeypatch: pytest.MonkeyPatch, table: str, schema: pa.Schema) -> None:
    monkeypatch.setitem(contracts.TABLES, table, schema.with_metadata(contracts.TABLES[table].metadata))


DOCUMENTS = contracts.TABLES["documents"]
WITH_MOOD = DOCUMENTS.insert(3, MOOD)


def test_a_new_column_appears_in_the_next_version_with_nulls_before(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    press.publish(sources("a", "b"))
    press.publish(sources("c"))
    declare(monkeypatch, "documents", WITH_MOOD)
    press.publish(sources("d", "a", word="new"))
    for version, has in ((1, False), (2, False), (3, True)):
        view = press.dataset.view(version)
        assert ("mood" in pd.read_parquet(view / "documents").columns) is has
        assert any(c.name == "mood" for c in press.dataset.manifest(version).tables["documents"].columns) is has
        read_everywhere(press.dataset, press.dataset.manifest(version))
    assert pd.read_parquet(press.dataset.latest / "documents")["mood"].isna().all()
    first = pq.read_schema(first_file(press.dataset, 3, "documents"))
    assert first.names == WITH_MOOD.names
    assert "`mood`" in (press.dataset.latest / "README.md").read_text()
    assert "`mood`" not in (press.dataset.view(2) / "README.md").read_text()
    delta = {f.name: f for f in DeltaTable(str(press.dataset.table("documents"))).schema().fields}
    assert delta["mood"].metadata["description"] == "How the text feels"
    assert verify(press.dataset) == []
    assert diff(press.dataset, 2, 3).changed == 1


def test_a_new_column_is_invisible_in_the_change_feed_of_old_rows(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    press.publish(sources("a", "b"))
    before = press.dataset.manifest(1).tables["documents"].delta_version
    declare(monkeypatch, "documents", WITH_MOOD)
    press.publish(sources("c"))
    feed = DeltaTable(str(press.dataset.table("documents"))).load_cdf(starting_version=before + 1)
    assert pl.DataFrame(feed).select("source", "_change_type").rows() == [("c", "insert")]


def test_values_of_a_new_column_are_published(press: Press, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    press.publish(sources("a"))
    declare(monkeypatch, "documents", WITH_MOOD)
    table = pq.read_table(press.parts(sources("b"), 2)["documents"][0])
    moody = table.set_column(3, MOOD, pa.array(["calm"]))
    pq.write_table(moody, tmp_path / "moody.parquet")
    press.publish(sources("b"), more={"documents": [tmp_path / "moody.parquet"]})
    found = pd.read_parquet(press.dataset.latest / "documents").set_index("source")["mood"]
    assert found["b"] == "calm"
    assert pd.isna(found["a"])


def test_a_rollback_over_a_new_column_keeps_the_column_empty(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    press.publish(sources("a", "b"))
    before = texts_of(press.dataset)
    declare(monkeypatch, "documents", WITH_MOOD)
    press.publish(sources("b", word="new"))
    manifest = rollback(press.publication(press.run("back")), 1)
    assert texts_of(press.dataset) == before
    assert "mood" in pd.read_parquet(press.dataset.latest / "documents").columns
    read_everywhere(press.dataset, manifest)
    assert verify(press.dataset) == []


@pytest.mark.slow
def test_a_run_killed_while_a_column_comes_is_undone(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    press.publish(sources("a"))
    declare(monkeypatch, "documents", WITH_MOOD)

    class Killed(BaseException):
        pass

    def kill(name: str) -> None:
        if name == "passages: committed":
            raise Killed

    with pytest.raises(Killed):
        press.publish(sources("b"), checkpoint=kill)
    with lock_dataset(press.dataset, "next"):
        recover(press.dataset)
    read_everywhere(press.dataset, press.dataset.manifest(1))
    manifest = press.publish(sources("b"))
    assert manifest is not None
    read_everywhere(press.dataset, manifest)
    assert verify(press.dataset) == []


TITLE, N_CHARS = map(DOCUMENTS.get_field_index, ("title", "n_chars"))
REFUSED = {
    "dropped": (DOCUMENTS.remove(TITLE), "column title is in the dataset and no longer in schemas/"),
    "retyped": (
        DOCUMENTS.set(N_CHARS, DOCUMENTS.field(N_CHARS).with_type(pa.string())),
        "column n_chars is int64 in the dataset and string in schemas/",
    ),
    "added and required": (
        DOCUMENTS.append(column("mood", pa.string(), "How the text feels")),
        "column mood is new and may not be null",
    ),
    "forbidden to be null": (
        DOCUMENTS.set(TITLE, DOCUMENTS.field(TITLE).with_nullable(False)),
        "column title may be null in the dataset",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_change_that_loses_something_is_refused_before_anything_is_written(
    press: Press, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    press.publish(sources("a"))
    schema, said = REFUSED[case]
    before = DeltaTable(str(press.dataset.table("documents"))).version()
    declare(monkeypatch, "documents", schema)
    with pytest.raises(SchemaConflict, match=said):
        press.publish({}, withdrawn=["a"])
    assert DeltaTable(str(press.dataset.table("documents"))).version() == before
    read_everywhere(press.dataset, press.dataset.manifest(1))


def test_a_column_that_may_be_null_from_now_on_and_a_new_description_are_taken_over(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    press.publish(sources("a"))
    loose = column("encoding", pa.string(), "What the bytes were", True)
    at = DOCUMENTS.get_field_index("encoding")
    declare(monkeypatch, "documents", DOCUMENTS.set(at, loose))
    manifest = press.publish(sources("b"))
    assert manifest is not None
    field = DeltaTable(str(press.dataset.table("documents"))).schema().fields[at]
    assert (field.nullable, field.metadata["description"]) == (True, "What the bytes were")
    read_everywhere(press.dataset, manifest)
