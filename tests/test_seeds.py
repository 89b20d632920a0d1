"""The five sample articles, from files to a version, as an analyst finds them."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest

GOLDEN = Path(__file__).parent / "golden" / "published"
SOURCES = sorted(p.name for p in (Path(__file__).resolve().parent.parent / "seeds").iterdir())


@pytest.fixture(scope="module")
def documents(seeds_dataset):
    return pd.read_parquet(seeds_dataset / "latest" / "documents").set_index("source")


@pytest.mark.parametrize("source", SOURCES)
def test_the_published_text_reads_as_a_careful_editor_left_it(documents, source):
    assert documents.text[source] == (GOLDEN / source).read_text(encoding="utf-8").removesuffix("\n")


def test_each_article_has_its_title_and_the_one_without_has_none(documents):
    titles = {s: None if pd.isna(t) else t for s, t in documents.title.items()}
    assert titles == {
        "000_cda226ecab3d2099.txt": "The Human Cost of Repressive Cooperation: A Closer Look at US-El Salvador Relations",
        "001_07561b9500e66933.txt": "El Salvador and the U.S. Forge Stronger Ties Through Gang Intelligence Collaboration",
        "002_ebc127a021434049.txt": None,
        "003_53c01c1d9494d047.txt": "US Organizations Demand Justice for Central American Migrants in the United States",
        "004_c0646d57ce43cc24.txt": "El Salvador and the United States: A Collaborative Approach to Gang Intelligence",
    }


def test_no_article_is_taken_for_a_copy_of_another(seeds_dataset, documents):
    assert len(documents) == 5
    assert len(pd.read_parquet(seeds_dataset / "latest" / "duplicates")) == 0
    assert len(pd.read_parquet(seeds_dataset / "latest" / "rejects")) == 0


def test_every_removal_has_a_reason_and_each_repeat_points_to_what_was_kept(seeds_dataset):
    passages = pd.read_parquet(seeds_dataset / "latest" / "passages")
    removed = passages[passages.status == "removed"]
    assert sorted(removed.reason) == ["promo", "promo", "promo", "repeat", "repeat"]
    kept = passages[passages.status == "kept"].set_index(["doc_id", "position"]).text
    for row in removed[removed.reason == "repeat"].itertuples():
        assert kept[row.kept_doc_id, row.kept_position] == row.text


def test_a_quote_repeated_inside_a_paragraph_stays(documents):
    text = documents.text["004_c0646d57ce43cc24.txt"]
    assert '"We raise our hands and say, Look, this guy… it’s not random," he remarked' in text
    assert text.count("We raise our hands and say") == 2


def test_pandas_duckdb_and_polars_give_the_same_five_rows(seeds_dataset):
    columns = ["doc_id", "source", "title", "text", "n_chars"]
    by_pandas = pd.read_parquet(seeds_dataset / "latest/documents", columns=columns)
    by_duckdb = duckdb.sql(f"from '{seeds_dataset}/v1/documents/*.parquet' select {', '.join(columns)}").fetchall()
    by_delta = pl.read_delta(str(seeds_dataset / "tables/documents")).select(columns).rows()
    rows = [tuple(None if v != v else v for v in row) for row in by_pandas.itertuples(index=False)]
    assert len(rows) == 5
    assert sorted(by_duckdb) == sorted(by_delta) == sorted(rows)


def test_a_second_run_on_unchanged_input_does_no_work_and_publishes_nothing(build, seeds_dataset):
    before = sorted(p.name for p in seeds_dataset.iterdir())
    summary = build(Path(__file__).resolve().parent.parent / "seeds", seeds_dataset)
    assert summary["version"] is None
    assert summary["documents"]["unchanged"] == 5
    assert sorted(p.name for p in seeds_dataset.iterdir()) == before


def test_explain_tells_a_document_s_edits_from_the_dataset_alone(seeds_dataset):
    call = [
        sys.executable,
        "-m",
        "winnow.cli.main",
        "explain",
        "001_07561b9500e66933.txt",
        "--into",
        str(seeds_dataset),
    ]
    told = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    assert "[-&amp;amp;amp;amp;amp;amp;amp;amp;a-]{+&+}" in told
    assert "ADVERTISEMENT" in told
