"""Every version loads in every tool, and goes on doing so."""

import random
from collections import Counter
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.publish.load import read_everywhere
from tests.publish.press import Press, first_file, sources, texts_of

from winnow.base.contracts import TABLES
from winnow.publish.dataset import Dataset
from winnow.publish.tables.row_files import write_rows
from winnow.publish.verify import verify


def test_every_version_of_four_runs_loads_in_every_tool(press: Press) -> None:
    texts: dict[int, dict[str, str]] = {}
    for n in range(1, 5):
        manifest = press.publish(sources(f"doc {n}", f"doc {n // 2}", "same", word=f"word{n}"))
        assert manifest is not None
        assert manifest.version == n
        texts[n] = texts_of(press.dataset)
    for manifest in press.dataset.published():
        read_everywhere(press.dataset, manifest)
        assert texts_of(press.dataset, manifest.version) == texts[manifest.version]
    assert texts[3]["same"] == "same word3 0\nsame word3 1"
    assert press.dataset.latest.readlink() == Path("v4")


def test_an_empty_table_reads_as_no_rows_with_all_columns(press: Press) -> None:
    press.publish(sources("a"))
    assert list(pd.read_parquet(press.dataset.latest / "rejects").columns) == TABLES["rejects"].names
    assert pl.read_parquet(press.dataset.latest / "duplicates" / "*.parquet").height == 0


def test_a_view_holds_nothing_but_parquet_in_its_tables(press: Press) -> None:
    press.publish(sources("a"), extras=lambda folder, manifest: {"report.html": b"<p>"})
    view = press.dataset.view(1)
    files = {"README.md", "croissant.json", "datapackage.json", "duckdb.sql", "manifest.json", "report.html"}
    assert {p.name for p in view.iterdir()} == {*TABLES, *files}
    assert {p.suffix for t in TABLES for p in (view / t).iterdir()} == {".parquet"}


def test_files_of_a_view_are_links_to_the_files_of_the_tables(press: Press) -> None:
    manifest = press.publish(sources("a"))
    assert manifest is not None
    (file,) = manifest.tables["documents"].files
    assert file.delta_path is not None
    assert (press.dataset.view(1) / file.name).samefile(press.dataset.table("documents") / file.delta_path)


def test_files_are_copied_where_they_cannot_be_linked(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    manifest = press.publish(sources("a"))
    assert manifest is not None
    read_everywhere(press.dataset, manifest)


def test_descriptions_are_in_the_files_and_in_the_delta_schema(press: Press) -> None:
    press.publish(sources("a"))
    field = pq.read_schema(first_file(press.dataset, 1, "documents")).field("doc_id")
    assert field.metadata[b"description"].startswith(b"First 16 hex digits")
    delta = DeltaTable(str(press.dataset.table("documents"))).schema().fields[0]
    assert delta.metadata["description"].startswith("First 16 hex digits")


def test_files_are_zstd_with_statistics_page_index_and_a_bloom_filter(press: Press) -> None:
    press.publish(sources("a", "b"))
    path = first_file(press.dataset, 1, "documents")
    column = pq.read_metadata(path).row_group(0).column(0)
    assert (column.compression, column.is_stats_set, column.has_offset_index) == ("ZSTD", True, True)
    with duckdb.connect() as connection:
        offsets = connection.execute(
            "SELECT path_in_schema FROM parquet_metadata(?) WHERE bloom_filter_offset IS NOT NULL",
            [str(path)],
        ).fetchall()
    assert offsets == [("doc_id",)]


def test_a_run_that_changes_nothing_publishes_nothing(press: Press) -> None:
    press.publish(sources("a"))
    before = {n: DeltaTable(str(press.dataset.table(n))).version() for n in TABLES}
    assert press.publish({}, withdrawn=["never seen"]) is None
    assert press.dataset.version_numbers() == [1]
    assert {n: DeltaTable(str(press.dataset.table(n))).version() for n in TABLES} == before


def test_a_publication_opens_each_table_to_recover_and_to_plan_and_no_more(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    press.publish(sources("a", "b"))
    opened: Counter[str] = Counter()
    begin = DeltaTable.__init__

    def noted(table: DeltaTable, uri: str, *how: object, **more: object) -> None:
        opened[Path(uri).name] += 1
        begin(table, uri, *how, **more)

    monkeypatch.setattr(DeltaTable, "__init__", noted)
    press.publish(sources("b", word="new"))
    assert opened == dict.fromkeys(TABLES, 2)
    assert verify(press.dataset) == []


def test_the_change_feed_names_exactly_the_rows_that_changed(press: Press) -> None:
    press.publish(sources("a", "b", "c"))
    press.publish(sources("b", word="new"), withdrawn=["c"])
    manifests = press.dataset.published()
    first = manifests[0].tables["documents"].delta_version + 1
    feed = DeltaTable(str(press.dataset.table("documents"))).load_cdf(starting_version=first)
    frame = pl.DataFrame(feed).select("source", "_change_type").sort("source", "_change_type")
    assert frame.rows() == [("b", "delete"), ("b", "insert"), ("c", "delete")]


def test_untouched_files_are_shared_between_versions(press: Press) -> None:
    press.publish(sources("a", "b"))
    press.publish(sources("c"))
    a, b = press.dataset.published()
    one, other = (m.tables["documents"].files[0] for m in (a, b))
    assert (one.sha256, one.delta_path) == (other.sha256, other.delta_path)
    assert (press.dataset.view(1) / one.name).samefile(press.dataset.view(2) / other.name)


def test_a_dataset_may_stand_in_a_folder_with_an_awkward_name(tmp_path: Path) -> None:
    press = Press(Dataset(tmp_path / "it's 100% a «dataset» #1"), tmp_path / "work")
    press.publish(sources("a", "b"))
    press.publish(sources("b", "c", word="new"))
    for manifest in press.dataset.published():
        read_everywhere(press.dataset, manifest, delta=False)
    assert texts_of(press.dataset)["b"] == "b new 0\nb new 1"


def test_a_file_without_a_few_rows_keeps_most_of_its_bytes(tmp_path: Path) -> None:
    """So a store that knows chunks by their content is sent little of a file that was written anew."""
    rng = random.Random(1)
    texts = {f"{n:016x}": rng.randbytes(1500).hex() for n in range(2000)}
    table = pa.table({"doc_id": [*texts], "text": [*texts.values()]})
    whole, less = (
        write_rows([part], part.schema, iter([tmp_path / name]), "doc_id", 1 << 30)[0].path.read_bytes()
        for name, part in (("whole", table), ("less", pa.concat_tables([table.slice(0, 7), table.slice(8)])))
    )
    pieces = [less[at : at + 64] for at in range(0, len(less), 4096)]
    assert sum(piece in whole for piece in pieces) / len(pieces) > 0.8
