"""The promises of the design, each on the real flow: what a version says must hold whatever way it was made."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pandas as pd
import pytest

from tests.articles import NOTICE, article, damaged_batch
from tests.conftest import write_jsonl
from winnow.base.records import Edit
from winnow.repair import repair, replay, undo

TABLES = ("documents", "passages", "edits", "duplicates", "rejects", "index")
PER_RUN = ["run_id"]


def rows_of(dataset: Path, drop: tuple[str, ...] = ()) -> dict[str, str]:
    """A fingerprint of the rows of each table of the latest version, without what names the run."""
    prints = {}
    for table in TABLES:
        frame = pd.read_parquet(dataset / "latest" / table)
        frame = frame.drop(columns=[c for c in (*PER_RUN, *drop) if c in frame])
        prints[table] = "\n".join(sorted(map(repr, frame.astype(object).itertuples(index=False))))
    return prints


@pytest.fixture(scope="module")
def records():
    return damaged_batch()


@pytest.fixture(scope="module")
def published(build, tmp_path_factory, records):
    """A dataset of the records; to be read only."""
    folder = tmp_path_factory.mktemp("published")
    source = write_jsonl(folder / "in" / "a.jsonl", records).parent
    return build(source, folder / "dataset"), folder / "dataset", records


def test_nothing_is_lost_between_input_and_version(published):
    summary, dataset, records = published
    documents = pd.read_parquet(dataset / "latest/documents")
    duplicates = pd.read_parquet(dataset / "latest/duplicates")
    assert len(documents) + len(duplicates) + summary["documents"]["rejected"] == len(records)
    assert len(duplicates) >= 4  # the near copies and the exact one


def test_the_dataset_alone_gives_every_decoded_text_back(published):
    _, dataset, records = published
    passages = pd.read_parquet(dataset / "latest/passages").sort_values(["doc_id", "position", "part"])
    edits = pd.read_parquet(dataset / "latest/edits").sort_values(["doc_id", "seq"])
    ledgers = {d: [Edit(**r) for r in g.drop(columns="doc_id").to_dict("records")] for d, g in edits.groupby("doc_id")}
    repaired = (passages.text + passages.gap).groupby(passages.doc_id).sum()
    decoded = {hashlib.sha256(r["id"].encode()).hexdigest()[:16]: r["text"] for r in records}
    assert set(repaired.index) == set(decoded)
    for doc_id, text in repaired.items():
        assert undo(text, ledgers.get(doc_id, [])) == decoded[doc_id]
        assert replay(decoded[doc_id], ledgers.get(doc_id, [])) == text


def test_published_text_is_the_kept_passages_in_order(published):
    _, dataset, _ = published
    documents = pd.read_parquet(dataset / "latest/documents").set_index("doc_id")
    passages = pd.read_parquet(dataset / "latest/passages").sort_values(["doc_id", "position", "part"])
    for doc_id, group in passages[passages.status == "kept"].groupby("doc_id"):
        assert "".join(documents.text[doc_id].split()) == "".join("".join(group.text).split())


@pytest.mark.parametrize("seed", range(12))
def test_text_without_damage_comes_out_unchanged(seed):
    text = article(seed)
    assert repair(text).text == text


@pytest.mark.parametrize("record", damaged_batch(), ids=lambda r: r["id"])
def test_repairing_twice_changes_nothing_more(record):
    once = repair(record["text"]).text
    assert repair(once).text == once


def test_rows_do_not_depend_on_order_files_shards_or_workers(build, tmp_path, records, published):
    _, reference, _ = published
    shuffled = random.Random(7).sample(records, len(records))
    one = write_jsonl(tmp_path / "b" / "a.jsonl", shuffled).parent
    build(one, tmp_path / "shuffled")
    where = ("input", "row")
    assert rows_of(tmp_path / "shuffled", where) == rows_of(reference, where)

    recipe = tmp_path / "small.toml"
    recipe.write_text("[read]\nshard_mb = 0.01\n")
    two = tmp_path / "c"
    for number in range(3):
        write_jsonl(two / f"{number}.jsonl", shuffled[number::3])
    build(two, tmp_path / "split", recipe=str(recipe), executor="processes", workers=2)
    assert rows_of(tmp_path / "split", where) == rows_of(reference, where)


@pytest.mark.slow
def test_runs_that_add_give_what_a_full_rebuild_gives(build, tmp_path, records):
    source, dataset = tmp_path / "in", tmp_path / "dataset"
    for number in range(3):
        write_jsonl(source / f"{number}.jsonl", records[number::3])
        build(source, dataset)
    added = rows_of(dataset)
    arrivals = pd.read_parquet(dataset / "latest/index", columns=["doc_id", "arrival"])
    assert build(source, dataset, full=True)["version"] is None  # every row came out as it was

    assert set(arrivals.arrival) == {1, 2, 3}
    assert rows_of(dataset) == added


@pytest.mark.slow
def test_a_full_run_makes_again_only_what_comes_out_otherwise(build, tmp_path, records):
    source, dataset = tmp_path / "in", tmp_path / "dataset"
    write_jsonl(source / "a.jsonl", records)
    build(source, dataset)
    write_jsonl(source / "b.jsonl", [{"id": "new", "text": article(77)}])
    summary = build(source, dataset, full=True)
    assert summary["version"] == 2
    documents = pd.read_parquet(dataset / "latest/documents").set_index("source")
    assert documents.index[documents.run_id == summary["run_id"]].tolist() == ["new"]


@pytest.mark.slow
def test_a_copy_that_arrives_later_changes_no_published_text(build, tmp_path):
    source, dataset = tmp_path / "in", tmp_path / "dataset"
    write_jsonl(source / "1.jsonl", [{"id": "late-name", "text": article(1)}])
    build(source, dataset)
    before = pd.read_parquet(dataset / "latest/documents").text.tolist()
    write_jsonl(source / "2.jsonl", [{"id": "a-first-name", "text": article(1) + "\n\n" + article(2, 1)}])
    summary = build(source, dataset)
    assert summary["documents"]["duplicates"] == 1
    assert pd.read_parquet(dataset / "latest/documents").text.tolist() == before


def test_withdrawing_the_kept_document_brings_its_copy_back(build, tmp_path):
    source, dataset = tmp_path / "in", tmp_path / "dataset"
    write_jsonl(source / "1.jsonl", [{"id": "original", "text": article(1)}])
    write_jsonl(source / "2.jsonl", [{"id": "copy", "text": article(1).replace("house", "home", 1)}])
    build(source, dataset)
    first = pd.read_parquet(dataset / "latest/documents").source.tolist()
    assert len(first) == 1
    kept_file = "1.jsonl" if first == ["original"] else "2.jsonl"
    (source / kept_file).unlink()
    build(source, dataset, mirror=True)
    assert pd.read_parquet(dataset / "latest/documents").source.tolist() == [
        "copy" if first == ["original"] else "original"
    ]
    assert len(pd.read_parquet(dataset / "latest/duplicates")) == 0


@pytest.mark.slow
def test_a_passage_comes_back_when_the_document_that_held_it_goes(build, tmp_path):
    source, dataset = tmp_path / "in", tmp_path / "dataset"
    write_jsonl(source / "1.jsonl", [{"id": "one", "text": article(1) + "\n\n" + NOTICE}])
    build(source, dataset)
    write_jsonl(source / "2.jsonl", [{"id": "two", "text": article(2) + "\n\n" + NOTICE}])
    build(source, dataset)
    texts = pd.read_parquet(dataset / "latest/documents").set_index("source").text
    assert NOTICE in texts["one"]
    assert NOTICE not in texts["two"]
    (source / "1.jsonl").unlink()
    build(source, dataset, mirror=True)
    assert NOTICE in pd.read_parquet(dataset / "latest/documents").set_index("source").text["two"]
    assert NOTICE not in pd.read_parquet(dataset / "v2/documents").set_index("source").text["two"]


@pytest.mark.slow
def test_a_changed_document_is_cleaned_again_and_the_others_are_not(build, tmp_path):
    source, dataset = tmp_path / "in", tmp_path / "dataset"
    rows = [{"id": f"d{n}", "text": article(n)} for n in range(3)]
    write_jsonl(source / "a.jsonl", rows)
    build(source, dataset)
    rows[1] = {"id": "d1", "text": article(9) + " &amp;amp; more"}
    write_jsonl(source / "a.jsonl", rows)
    summary = build(source, dataset)
    documents = pd.read_parquet(dataset / "latest/documents").set_index("source")
    assert documents.text["d1"].endswith(" & more")
    assert documents.first_version.tolist() == [1, 1, 1]
    assert (documents.run_id == summary["run_id"]).to_dict() == {"d0": False, "d1": True, "d2": False}
