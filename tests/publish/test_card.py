"""The card says what the manifest says, and nothing from outside can break out of its place."""

from dataclasses import replace

import pytest
import yaml
from tests.publish.press import Press, sources

from winnow.base.contracts import TABLES
from winnow.base.recipe import PublishSettings
from winnow.publish.card import card, fenced, markdown, size_category
from winnow.publish.manifest import Manifest

HOSTILE = 'x"\n---\nlicense: evil\n```\n</b><script>alert(1)</script> | `a` [x](javascript:1) # \x1b[31m \u202e'


@pytest.fixture
def manifest(press: Press) -> Manifest:
    published = press.publish(sources("a", "b"))
    assert published is not None
    return published


def head(text: str) -> dict[str, object]:
    found = yaml.safe_load(text.split("---\n")[1])
    assert isinstance(found, dict)
    return found


def test_the_head_is_what_hugging_face_reads(manifest: Manifest) -> None:
    settings = PublishSettings(name="News", licence="cc-by-4.0")
    found = head(card(manifest, settings, {"en": 1, "no": 1, "": 3}))
    assert found["license"] == "cc-by-4.0"
    assert found["language"] == ["en", "no"]
    assert found["size_categories"] == ["n<1K"]
    configs = found["configs"]
    assert isinstance(configs, list)
    assert [c["config_name"] for c in configs] == list(TABLES)
    assert [c["config_name"] for c in configs if c.get("default")] == ["documents"]


def test_every_column_stands_in_the_card_with_its_meaning(manifest: Manifest) -> None:
    text = card(manifest, PublishSettings(), {})
    for name, schema in TABLES.items():
        assert f"### Table {name}" in text
        for field in schema:
            assert f"| `{field.name}` |" in text
            assert markdown(field.metadata[b"description"].decode()) in text


def test_hostile_text_stays_in_its_place(manifest: Manifest) -> None:
    bad = replace(manifest, run_id=HOSTILE, recipe={HOSTILE: HOSTILE}, packages={HOSTILE: "1"}, note=HOSTILE)
    settings = PublishSettings(name=HOSTILE, licence=HOSTILE)
    text = card(bad, settings, {"en": 1, HOSTILE: 2})
    found = head(text)
    assert (found["pretty_name"], found["license"], found["language"]) == (HOSTILE, HOSTILE, ["en"])
    outside = text.replace(fenced("{\n"), "")
    lines = [line for line in outside.splitlines() if "script" in line and not line.startswith(("  ", "pretty", "lic"))]
    assert lines
    assert all("<script>" not in line.replace("\\<script\\>", "") or "`" in line for line in lines)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_fence_is_longer_than_any_in_the_text() -> None:
    assert fenced("a ```` b").startswith("`````\n")


@pytest.mark.parametrize(("rows", "name"), [(0, "n<1K"), (10**6, "1M<n<10M"), (10**13, "n>1T")])
def test_sizes_have_their_names(rows: int, name: str) -> None:
    assert size_category(rows) == name
