"""A folder of many kinds of file under ``[[read.sources]]``, and where each published row says it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.articles import article
from tests.conftest import write_jsonl
from tests.operate.dataset_runs import rows_of, run_stages, verify_versions

from winnow.base.recipe import Recipe
from winnow.publish.dataset import Dataset

LIMITS = {
    "max_reject_share": 1, "min_documents": 0, "max_count_drop": 1, "max_mean_length_change": 1,
    "max_reject_share_rise": 1, "max_rule_share_change": 1, "max_withdrawn_share": 1,
}  # fmt: skip
SOURCES: list[dict[str, Any]] = [
    {"name": "shop", "glob": "shop/*.csv", "text_field": "Beschreibung", "id_fields": "Nr", "title_field": "Name",
     "delimiter": ";", "charset": "cp1252", "ids": "source"},
    {"glob": "dump.*", "format": "jsonl", "text_field": ["summary", "doc.text"], "id_fields": "doc.key"},
    {"glob": ["*.csv", "*.dat"], "exclude": "*.old.csv", "format": "csv", "date_fields": "updated"},
]  # fmt: skip


def recipe(**read: Any) -> Recipe:
    return Recipe.model_validate({"read": read, "validate": LIMITS})


def write_folder(folder: Path) -> None:
    """Files of several kinds; each text is an article by its number."""
    (folder / "shop" / "2024").mkdir(parents=True)
    table = "Nr;Name;Beschreibung\n" + "".join(f'{n};Größe {n};"{article(n)}"\n' for n in (1, 2))
    (folder / "shop" / "a.csv").write_bytes(table.encode("cp1252"))
    nested = [{"doc": {"key": f"k{n}", "text": article(n), "by": "x"}, "summary": " "} for n in (3, 4)]
    write_jsonl(folder / "dump.2024", [*nested, {"doc": {"key": "k5"}, "summary": article(5)}])
    for name, first in (("a.csv", 10), ("b.csv", 20), ("c.dat", 30), ("c.old.csv", 40)):
        rows = "".join(f'{n},2024-01-0{n},"{article(first + n)}"\n' for n in (1, 2))
        (folder / name).write_text(f"id,updated,text\n{rows}")
    pq.write_table(pa.table({"id": [1, 2], "text": [article(51), article(52)]}), folder / "p.parquet")
    (folder / "notes.txt").write_text(article(60))
    (folder / "draft.txt").write_text(article(61))


EXPECTED = {
    ("shop#1", "shop/a.csv", 2): 1,
    ("shop#2", "shop/a.csv", 3): 2,
    ("k3", "dump.2024", 1): 3,
    ("k4", "dump.2024", 2): 4,
    ("k5", "dump.2024", 3): 5,
    ("a.csv#1", "a.csv", 2): 11,
    ("a.csv#2", "a.csv", 3): 12,
    ("b.csv#1", "b.csv", 2): 21,
    ("b.csv#2", "b.csv", 3): 22,
    ("c.dat#1", "c.dat", 2): 31,
    ("c.dat#2", "c.dat", 3): 32,
    ("c.old.csv#1", "c.old.csv", 2): 41,
    ("c.old.csv#2", "c.old.csv", 3): 42,
    ("p.parquet#1", "p.parquet", 1): 51,
    ("p.parquet#2", "p.parquet", 2): 52,
    ("notes.txt", "notes.txt", None): 60,
}


def published(dataset: Path) -> pd.DataFrame:
    return pd.read_parquet(dataset / "latest" / "documents")


def places(frame: pd.DataFrame) -> dict[tuple[str, str, int | None], str]:
    rows = frame[["source", "input", "row", "text"]].itertuples(index=False)
    return {(source, input_, None if pd.isna(row) else int(row)): text for source, input_, row, text in rows}


def test_each_row_says_which_file_and_row_it_came_from(tmp_path: Path) -> None:
    write_folder(tmp_path / "in")
    run_stages(tmp_path / "in", tmp_path / "d", recipe=recipe(sources=SOURCES, exclude="draft.*"))
    documents = published(tmp_path / "d")
    assert places(documents) == {place: article(n) for place, n in EXPECTED.items()}
    by_source = documents.set_index("source")
    assert by_source.title["shop#1"] == "Größe 1"
    assert str(by_source.collected_at["a.csv#2"]).startswith("2024-01-02")
    assert pd.isna(by_source.collected_at["c.old.csv#2"]), (
        "its entry leaves it out, and [read] knows no field 'updated'"
    )
    assert json.loads(by_source.metadata["k3"]) == {"summary": " ", "doc": '{"by":"x"}'}
    inputs = pd.read_parquet(tmp_path / "d" / "latest" / "inputs").set_index("path")
    assert inputs.skipped["draft.txt"] == "excluded by read.exclude"
    assert set(documents.input) == set(inputs.index[inputs.skipped.isna()])
    assert verify_versions(Dataset(tmp_path / "d")) == []


@pytest.mark.slow
def test_two_tables_that_number_their_rows_are_all_their_rows(tmp_path: Path) -> None:
    for name, first in (("a.csv", 10), ("b.csv", 20)):
        rows = "".join(f'{n},"{article(first + n)}"\n' for n in range(1, 6))
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text(f"id,text\n{rows}")
    run_stages(tmp_path / "in", tmp_path / "d", recipe=recipe())
    assert len(published(tmp_path / "d")) == 10


@pytest.mark.slow
def test_rows_that_move_within_their_file_say_so_and_are_not_cleaned_again(tmp_path: Path) -> None:
    records = [{"id": f"d{n}", "text": article(n)} for n in range(4)] + [{"id": "copy", "text": article(0) + " x"}]
    broken = {"id": "short", "text": "?!"}
    limits = Recipe.model_validate({"validate": {**LIMITS, "min_letter_share": 0.3}})
    for n, lines in enumerate(([*records, broken], [records[3], broken, {"id": "new", "text": article(9)}, *records])):
        write_jsonl(tmp_path / str(n) / "a.jsonl", lines)
        run_stages(tmp_path / str(n), tmp_path / "d", recipe=limits)
    first, now = (pd.read_parquet(tmp_path / "d" / v / "documents").set_index("source") for v in ("v1", "v2"))
    assert now.row.to_dict() == {"d3": 1, "new": 3, "d1": 5, "d2": 6, "copy": 8}
    assert pd.read_parquet(tmp_path / "d" / "v2" / "duplicates").row.tolist() == [4]
    waiting = pd.read_parquet(tmp_path / "d" / "v2" / "rejects")
    assert waiting[waiting.replayed_in.isna()].set_index("source").row.to_dict() == {"d3": 7, "short": 2}
    assert now.first_version.to_dict() == {**first.first_version, "new": 2}
    added = rows_of(tmp_path / "d")
    assert run_stages(tmp_path / "1", tmp_path / "d", recipe=limits, full=True)["version"] is None
    assert rows_of(tmp_path / "d") == added
    assert verify_versions(Dataset(tmp_path / "d")) == []


RENAMED: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "numbers are taken for unique in their file": ({"ids": "everywhere"}, {}),
    "another field names the records": ({}, {"id_fields": "key"}),
}


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), RENAMED.values(), ids=RENAMED)
def test_records_that_get_another_name_leave_no_copy_under_the_old_one(
    before: Mapping[str, Any], after: Mapping[str, Any], tmp_path: Path
) -> None:
    rows = [{"id": n, "key": f"k{n}", "text": article(n)} for n in range(4)] + [{"id": 9, "key": "k9", "text": "?!"}]
    write_jsonl(tmp_path / "in" / "a.jsonl", rows)
    run_stages(tmp_path / "in", tmp_path / "d", recipe=recipe(**before))
    run_stages(tmp_path / "in", tmp_path / "d", recipe=recipe(**after))
    run_stages(tmp_path / "in", tmp_path / "scratch", recipe=recipe(**after))
    for table in ("documents", "duplicates", "rejects"):
        kept, made = (pd.read_parquet(tmp_path / d / "latest" / table) for d in ("d", "scratch"))
        assert sorted(kept.source) == sorted(made.source), table


@pytest.mark.slow
def test_a_number_that_a_person_withdrew_stays_out_under_its_longer_name(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in" / "a.jsonl", [{"id": n, "text": article(n)} for n in range(3)])
    run_stages(tmp_path / "in", tmp_path / "d", recipe=recipe(ids="everywhere"))
    run_stages(tmp_path / "in", tmp_path / "d", recipe=recipe(ids="everywhere"), withdraw=("1",))
    run_stages(tmp_path / "in", tmp_path / "d", recipe=recipe())
    assert sorted(published(tmp_path / "d").source) == ["a.jsonl#0", "a.jsonl#2"]
