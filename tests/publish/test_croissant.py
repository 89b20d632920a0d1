"""croissant.json is what MLCommons' own reader takes, and leads to the rows."""

import json

import pyarrow.parquet as pq
import pytest
from tests.publish.press import Press, sources

from winnow.base.recipe import PublishSettings
from winnow.publish.croissant import croissant


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
