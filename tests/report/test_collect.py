import polars as pl
import pytest
from tests.report.conftest import CREATED
from tests.report.view_of import write_view

from winnow.report import collect as collecting
from winnow.report import examples
from winnow.report.collect import collect
from winnow.report.examples import files_of
from winnow.report.passage_sums import add_sums, sum_passages


def test_the_report_counts_what_the_tables_hold(seeds_view):
    report = collect(seeds_view, version=1, created_at=CREATED, run_id="run-1")
    documents = pl.read_parquet(seeds_view / "documents" / "*.parquet")
    edits = pl.read_parquet(seeds_view / "edits" / "*.parquet").filter("applied")
    assert report.n_published == len(documents) == len(report.documents)
    assert report.n_chars == documents["n_chars"].sum()
    assert sum(t.count for t in report.repairs) == len(edits)
    assert sum(n for _, _, n in report.lengths) == len(documents)
    assert sum(n for _, n in report.languages) == len(documents)
    assert sum(sum(row.by_length) for row in report.language_lengths) == len(documents)
    assert all(sum(row.by_length) == row.count for row in report.language_lengths)


def test_every_stream_that_flows_into_a_stage_flows_out_of_it(hostile_view):
    report = collect(hostile_view, version=3, created_at=CREATED, run_id="run-3")
    for links in (report.documents_flow, report.characters_flow):
        names = {link.source for link in links} & {link.target for link in links}
        assert names
        for name in names:
            inflow = sum(link.value for link in links if link.target == name)
            assert inflow == sum(link.value for link in links if link.source == name)


def test_samples_show_the_whole_change_from_decoded_to_repaired(seeds_view):
    report = collect(seeds_view, version=1, created_at=CREATED, run_id="run-1")
    assert len(report.samples) == 5
    for sample in report.samples:
        assert sample.cut >= 0 and sample.pieces
        assert all(p.rules or p.raw == p.clean for p in sample.pieces)


def test_examples_stand_in_the_text_as_it_was_at_that_moment(seeds_view):
    report = collect(seeds_view, version=1, created_at=CREATED, run_id="run-1")
    examples = [e for t in report.repairs for e in t.examples]
    assert examples
    assert all(e.before != e.after for e in examples)
    assert all(len(e.lead) <= 48 and len(e.tail) <= 48 for e in examples)


@pytest.mark.parametrize("at", [0, 1, 7, 40])
def test_sums_over_passages_are_those_of_the_files_they_stand_in(seeds_view, tmp_path, at):
    rows = pl.read_parquet(seeds_view / "passages" / "*.parquet")
    files = [tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "all.parquet"]
    for part, file in zip((rows[:at], rows[at:], rows), files, strict=True):
        part.write_parquet(file)
    *parts, whole = map(sum_passages, files)
    assert add_sums(parts) == add_sums([whole])
    lengths = rows["text"].str.len_chars() + rows["gap"].str.len_chars()
    assert sum(whole.chars.values()) == lengths.sum()
    assert whole.chars["kept"] < lengths.sum()
    assert set(whole.removals) == set(rows["reason"].drop_nulls())


def test_characters_that_are_known_are_not_counted_again(seeds_view):
    how = {"version": 1, "created_at": CREATED, "run_id": "run-1"}
    chars = add_sums(map(sum_passages, files_of(seeds_view, "passages"))).chars
    assert collect(seeds_view, **how, chars=chars) == collect(seeds_view, **how)
    more = collect(seeds_view, **how, chars={**chars, "repeat": chars.get("repeat", 0) + 1})
    assert more.characters_flow != collect(seeds_view, **how).characters_flow


def test_the_report_is_the_same_over_several_ranges_of_doc_ids(hostile_view, monkeypatch):
    how = {"version": 3, "created_at": CREATED, "run_id": "run-3"}
    whole = collect(hostile_view, **how)
    assert whole.clusters and any(tally.documents > 1 for tally in (*whole.repairs, *whole.removals))
    monkeypatch.setattr(examples, "HELD", 2)
    assert collect(hostile_view, **how) == whole


def test_medians_are_those_of_all_lengths(seeds_view):
    report = collect(seeds_view, version=1, created_at=CREATED, run_id="run-1")
    documents = pl.read_parquet(seeds_view / "documents" / "*.parquet")
    assert report.median_chars == int(documents["n_chars"].median())
    by_language = documents.group_by("language").agg(pl.col("n_chars").median().cast(int))
    assert {row.language: row.median_chars for row in report.language_lengths} == dict(by_language.iter_rows())


def test_a_dataset_without_rows_has_a_report(tmp_path):
    report = collect(write_view(tmp_path, []), version=1, created_at=CREATED, run_id="run-1")
    assert (report.n_published, report.lengths, report.repairs, report.samples) == (0, (), (), ())


def test_the_list_is_capped_and_the_count_is_not(seeds_view, monkeypatch):
    monkeypatch.setattr(collecting, "LIST_DOCUMENTS", 2)
    report = collect(seeds_view, version=1, created_at=CREATED, run_id="run-1")
    assert (len(report.documents), report.n_published) == (2, 5)
