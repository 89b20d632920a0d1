"""What a machine fetches that has nothing of a dataset yet: what it reads, and nothing of versions that it does not."""

from __future__ import annotations

import pytest
from tests.publish.press import sources, texts_of
from tests.publish.test_recover import rows_of_all_tables
from tests.run.test_erasure import GONE, erase_all
from tests.storage.conftest import Bucket
from tests.storage.test_check import flipped
from tests.storage.test_push import assert_sound, names_in

from winnow.base.errors import DatasetDamaged
from winnow.base.files import at_hand
from winnow.base.pointers import MOST_BYTES, is_pointer
from winnow.cli.report_server import ReportServer
from winnow.publish.dataset import versions
from winnow.publish.manifest import MANIFEST
from winnow.publish.tables import delta
from winnow.publish.tables.delta import LOG, open_table
from winnow.storage.working_copy import LATEST, TAGS

SAID = [TAGS, LATEST]  # what the store says of itself


@pytest.fixture(autouse=True)
def _a_checkpoint_every_three_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(delta._CONFIGURATION, "delta.checkpointInterval", "3")


def publish(bucket: Bucket, count: int = 4) -> None:
    press = bucket.machine()
    for number in range(count):
        press.publish(sources(f"a{number}", f"b{number}"))


@pytest.mark.slow
def test_a_first_look_fetches_the_last_manifest_however_many_versions_there_are(bucket):
    publish(bucket, 4)
    with bucket.fetched() as names:
        seen = bucket.read("new")
        assert seen.manifest().version == 4
    assert names == [*SAID, f"v4/{MANIFEST}"]
    assert seen.version_numbers() == [1, 2, 3, 4]
    with bucket.fetched() as names:
        assert seen.manifest(2).version == 2
        assert seen.manifest(2).version == 2
    assert names == [f"v2/{MANIFEST}"]
    with bucket.fetched() as names:
        assert [line.version for line in versions(bucket.read("new"))] == [1, 2, 3, 4]
    assert names == sorted([*SAID, f"v1/{MANIFEST}", f"v3/{MANIFEST}"])
    assert_sound(seen)


def test_a_page_is_fetched_when_it_is_opened_and_read_through_its_checksum(bucket):
    publish(bucket, 2)
    seen = bucket.read("new")
    seen.manifest(1)
    page = seen.view(1) / "README.md"
    assert is_pointer(page)
    with bucket.fetched() as names:
        assert b"# Test" in at_hand(page).read_bytes()
    assert names == ["v1/README.md"]
    bucket.store.put("v1/croissant.json", flipped(bucket.store.read("v1/croissant.json")[0]))
    with pytest.raises(DatasetDamaged, match=f"^{bucket.url}/v1/croissant.json: was changed in the store"):
        at_hand(page.with_name("croissant.json"))


@pytest.mark.slow
def test_reports_that_are_served_come_from_the_store(bucket, tmp_path):
    press = bucket.machine()
    for number in (1, 2):
        press.publish(sources(f"a{number}"), extras=lambda folder, manifest: {"report.html": b"x" * MOST_BYTES})
    seen = bucket.read("new")
    with ReportServer(seen, None, 0) as server, bucket.fetched() as names:
        assert server.page("/v1/report.html") == b"x" * MOST_BYTES
        assert server.page("/v3/report.html") is None
    assert names == [f"v1/{MANIFEST}", "v1/report.html"]


@pytest.mark.slow
def test_a_table_is_opened_from_its_last_checkpoint(bucket):
    publish(bucket, 3)
    seen = bucket.read("new")
    with bucket.fetched() as names:
        assert open_table(seen.table("edits")).version() == 3
    log = f"tables/edits/{LOG}"
    assert names == [f"{log}/{2:020d}.checkpoint.parquet", f"{log}/{3:020d}.json"]
    with bucket.fetched() as names:
        assert open_table(seen.table("edits"), 1).version() == 1
    assert names == [f"{log}/{n:020d}.json" for n in (0, 1)]


@pytest.mark.slow
def test_a_run_on_a_new_machine_fetches_no_page_of_any_version_and_no_commit_before_a_checkpoint(bucket):
    publish(bucket, 4)
    before = names_in(bucket)
    bucket.read("other")  # as a reader, it has no more than the numbers of old versions
    with bucket.fetched() as names:
        bucket.machine("other").publish(sources("c"))
    pages = [n for n in names if n.startswith("v") and not n.endswith((MANIFEST, ".parquet"))]
    commits = [n for n in names if f"/{LOG}/" in n]
    assert pages == []
    last = {n.rpartition("/")[0]: n for n in sorted(before) if ".checkpoint." in n}
    assert [n for n in commits if n < last.get(n.rpartition("/")[0], "")] == []
    assert len(commits) == len({*commits})
    assert before - names_in(bucket) == set()
    assert rows_of_all_tables(bucket.read("third")) == rows_of_all_tables(bucket.read("one"))
    assert_sound(bucket.read("third"))


@pytest.mark.slow
def test_a_machine_that_may_keep_nothing_keeps_no_page_either(bucket, monkeypatch):
    monkeypatch.setenv("WINNOW_CACHE_MB", "0")
    publish(bucket, 2)
    seen = bucket.read("one")
    for name in seen.manifest(2).files:
        at_hand(seen.view(2) / name)
    root = bucket.read("one").root
    files = [p for top in ("tables", "v1", "v2") for p in (root / top).rglob("*") if p.is_file()]
    kept = [p.name for p in files if p.stat().st_size > MOST_BYTES and not is_pointer(p)]
    assert set(kept) == {MANIFEST}


@pytest.mark.slow
def test_a_version_that_is_erased_from_after_a_look_is_laid_out_as_it_stands_then(bucket):
    press = bucket.machine()
    press.publish({**sources("a", "b"), GONE[0]: "quince"})
    press.publish(sources("c"))
    seen = bucket.read("reader")
    erase_all(press.dataset)
    assert set(texts_of(seen, 1)) == {"a", "b"}
    assert seen.remote.verify(1) == []
