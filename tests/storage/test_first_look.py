"""What a machine fetches that has nothing of a dataset yet: what it reads, and nothing of versions that it does not."""

from __future__ import annotations

import pytest
from tests.publish.press import sources, texts_of
from tests.publish.test_recover import rows_of_all_tables
from tests.run.test_erasure import GONE, erase_all
from tests.storage.conftest import Bucket
from tests.storage.test_check import flipped, name_of
from tests.storage.test_push import assert_sound, names_in

from winnow.base.errors import DatasetDamaged
from winnow.base.files import at_hand
from winnow.base.pointers import MOST_BYTES, is_pointer
from winnow.cli.report_server import ReportServer
from winnow.publish.dataset import versions
from winnow.publish.housekeeping import prune
from winnow.publish.manifest import MANIFEST
from winnow.publish.recover import Recovered, recover
from winnow.publish.tables import delta
from winnow.publish.tables.delta import LOG, open_table
from winnow.storage.lease import NAME, is_settled
from winnow.storage.locations import open_dataset
from winnow.storage.lock import lock_dataset
from winnow.storage.working_copy import LATEST, tags_name


def said(*versions: int) -> list[str]:
    """What a reader asks for to know of versions: their notes of tags and their manifests."""
    return [*map(tags_name, versions), *(f"v{number}/{MANIFEST}" for number in versions)]


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
    assert names == sorted([LATEST, *said(4)])
    assert seen.version_numbers() == [1, 2, 3, 4]
    with bucket.fetched() as names:
        assert seen.manifest(2).version == 2
        assert seen.manifest(2).version == 2
    assert names == said(2)
    with bucket.fetched() as names:
        assert [line.version for line in versions(bucket.read("new"))] == [1, 2, 3, 4]
    assert names == sorted([LATEST, tags_name(4), *said(1, 3)])
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
    assert names == [*said(1), "v1/report.html"]


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
    assert [n for n in names if n.endswith(MANIFEST)] == []
    commits = [n for n in names if f"/{LOG}/" in n]
    assert pages == []
    last = {n.rpartition("/")[0]: n for n in sorted(before) if ".checkpoint." in n}
    assert [n for n in commits if n < last.get(n.rpartition("/")[0], "")] == []
    assert len(commits) == len({*commits})
    assert before - names_in(bucket) == set()
    assert rows_of_all_tables(bucket.read("third")) == rows_of_all_tables(bucket.read("one"))
    assert_sound(bucket.read("third"))


@pytest.mark.slow
def test_a_run_that_finds_nothing_on_a_new_machine_reads_no_log_and_no_older_version(bucket):
    publish(bucket, 3)
    machine = bucket.machine("other").dataset
    with bucket.fetched() as names, lock_dataset(machine, "looks"):
        assert recover(machine) == Recovered()
    assert names == sorted([NAME, LATEST, *said(3)])
    log = name_of(bucket, "tables/edits/_delta_log/", "3.json")
    bucket.store.put(log, b"{" * 100)
    assert is_settled(bucket.store)
    machine = bucket.machine("third").dataset
    with lock_dataset(machine, "mends"):
        assert [line.partition(":")[0] for line in recover(machine).mended] == [f"tables/edits/{LOG}"]
    assert_sound(bucket.read("third"))


@pytest.mark.slow
def test_a_run_after_one_that_failed_looks_at_all_versions(bucket):
    publish(bucket, 2)
    one = bucket.machine("one").dataset
    with pytest.raises(ZeroDivisionError), lock_dataset(one, "fails"):
        raise ZeroDivisionError
    assert not is_settled(bucket.store)
    machine = bucket.machine("other").dataset
    with bucket.fetched() as names, lock_dataset(machine, "looks"):
        assert recover(machine) == Recovered()
    assert {n for n in names if n.endswith(MANIFEST)} == {f"v1/{MANIFEST}", f"v2/{MANIFEST}"}
    assert is_settled(bucket.store)


@pytest.mark.slow
def test_a_version_is_laid_out_for_a_reader_while_a_run_of_the_machine_writes_and_comes_not_back_once_removed(bucket):
    publish(bucket, 3)
    dataset = bucket.machine("other").dataset
    with lock_dataset(dataset, "prunes"):
        recover(dataset)
        reader = open_dataset(bucket.url)
        assert reader.manifest(1).version == 1
        assert not is_pointer(dataset.manifest_path(1))
        assert prune(dataset, 1).names == ("v1", "v2")
        assert reader.version_numbers() == [3]
    assert not any(n.startswith(("v1/", "v2/", ".tags/v1", ".tags/v2")) for n in bucket.store.entries())
    assert bucket.read("third").version_numbers() == [3]
    assert_sound(bucket.read("third"))


@pytest.mark.slow
def test_a_machine_that_looks_while_documents_are_erased_looks_again(bucket):
    press = bucket.machine()
    press.publish({**sources("a", "b"), GONE[0]: "quince"})
    press.publish(sources("c"))
    reader = bucket.read("reader")
    reader.manifest(1)
    erase_all(press.dataset)
    bucket.store.put(NAME, b'{"run": "erases", "copy": "x", "expires": 0}')  # as of one that was killed
    assert bucket.read("reader").remote.copy.state().erasing
    bucket.store.put(NAME, b'{"run": null, "settled": true}')
    seen = bucket.read("reader")
    assert not seen.remote.copy.state().erasing
    assert set(texts_of(seen, 1)) == {"a", "b"}


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
