"""What a version says of itself to other tools is what their own readers take, and leads to the rows."""

import importlib.util
import json
import shutil
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.publish.press import Press, sources

from winnow.base.recipe import PublishSettings
from winnow.publish.croissant import croissant
from winnow.publish.loaders import data_package, duckdb_views
from winnow.publish.manifest import Manifest


def test_the_reader_of_the_standard_finds_the_rows(press: Press) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="the standard's own reader is part of the test extra")
    press.publish(sources("a", "b"))
    view = press.dataset.view(1)
    found = mlcroissant.Dataset(jsonld=str(view / "croissant.json"))
    wanted = pq.read_table(view / "documents").to_pylist()
    for row, record in zip(wanted, found.records("documents"), strict=True):
        assert record["documents/text"].decode() == row["text"]
        assert record["documents/n_words"] == row["n_words"]
    assert {r.name for r in found.metadata.record_sets} == {p.name for p in view.iterdir() if p.is_dir()}


def test_name_and_licence_are_those_of_the_recipe_and_hostile_text_stays_in_its_string(press: Press) -> None:
    manifest = press.publish(sources("a"))
    assert manifest is not None
    hostile = 'News"}],"@id":"http://evil/'
    said = json.loads(croissant(manifest, PublishSettings(name=hostile, licence="CC-BY-4.0")))
    assert (said["name"], said["license"], said["version"]) == (hostile, "CC-BY-4.0", "1.0.0")
    assert "license" not in json.loads(croissant(manifest, PublishSettings()))


def test_a_data_package_lists_every_file_and_column(press: Press) -> None:
    frictionless = pytest.importorskip("frictionless", reason="a reader of the standard is part of the test extra")
    press.publish(sources("a", "b"))
    view = press.dataset.view(1)
    found = frictionless.Package(str(view / "datapackage.json"))
    assert [str(error) for error in frictionless.Package.metadata_validate(found.to_descriptor())] == []
    for resource in found.resources:
        files = [resource.path, *resource.extrapaths] if resource.extrapaths else [resource.path]
        assert all((view / file).is_file() for file in files)
        assert [f.name for f in resource.schema.fields] == pq.read_schema(view / files[0]).names
    said = json.loads(data_package(press.dataset.manifest(1), PublishSettings(name="Ünser Text!", licence="cc-by-4.0")))
    assert (said["name"], said["title"], said["licenses"]) == ("nser-text", "Ünser Text!", [{"name": "CC-BY-4.0"}])


def test_duckdb_shows_what_columns_mean(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb", reason="part of the test extra")
    press.publish(sources("a", "b"))
    view = press.dataset.view(1)
    monkeypatch.chdir(view)
    with duckdb.connect() as database:
        database.execute((view / "duckdb.sql").read_text("utf-8"))
        rows = database.execute("SELECT doc_id, text FROM documents ORDER BY doc_id").fetchall()
        comments = dict(
            database.execute("SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'edits'").fetchall()
        )
    assert rows == [(r["doc_id"], r["text"]) for r in pq.read_table(view / "documents").sort_by("doc_id").to_pylist()]
    assert comments == {column.name: column.description for column in press.dataset.manifest(1).tables["edits"].columns}
    assert "'it''s'" in duckdb_views(_described(press.dataset.manifest(1), "it's"))


def _described(manifest: Manifest, text: str) -> Manifest:
    return replace(manifest, tables={"edits": replace(manifest.tables["edits"], description=text)})


def test_delta_has_the_same_words_as_comments_and_every_parquet_file_says_where_it_is_from(press: Press) -> None:
    manifest = press.publish(sources("a", "b"))
    assert manifest is not None
    for name, table in manifest.tables.items():
        stored = pa.schema(DeltaTable(str(press.dataset.table(name))).schema())
        comments = {f.name: (f.metadata or {}).get(b"comment", b"").decode() for f in stored}
        assert comments == {column.name: column.description for column in table.columns}
        for file in table.files:
            said = pq.read_metadata(press.dataset.view(1) / file.name).metadata
            if file.delta_path:
                assert said[b"winnow.run"].decode() == manifest.run_id
                assert said[b"winnow.recipe"].decode() == manifest.recipe_id
                assert {b"winnow.dataset", b"winnow.licence", b"winnow.version"} <= said.keys()


@pytest.mark.slow
def test_spark_and_datasets_read_every_table_where_they_are_installed(press: Press) -> None:
    press.publish(sources("a", "b"))
    manifest, view = press.dataset.manifest(1), press.dataset.view(1)
    tried = 0
    if importlib.util.find_spec("pyspark") and shutil.which("java"):
        from pyspark.sql import SparkSession

        with SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate() as spark:
            found = {name: spark.read.parquet(str(view / name)).count() for name in manifest.tables}
        assert found == {name: table.rows for name, table in manifest.tables.items()}
        tried += 1
    if importlib.util.find_spec("datasets"):
        from datasets import load_dataset

        for name, table in manifest.tables.items():
            if table.rows:
                assert load_dataset(str(view), name, split="train").num_rows == table.rows
        tried += 1
    if not tried:
        pytest.skip("neither pyspark with Java nor datasets is installed")
