"""Compaction, vacuum, prune and rollback leave every version as it was."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.attack.damage import flip, remove
from tests.publish.load import read_everywhere
from tests.publish.press import SETTINGS, START, Press, copied, sources, texts_of

from winnow.base.contracts import TABLES
from winnow.base.errors import DatasetError, UsageError
from winnow.publish.dataset import Dataset, versions
from winnow.publish.housekeeping import compact, prune, vacuum
from winnow.publish.recover import recover
from winnow.publish.tables.delta import active_files, open_table
from winnow.publish.verify import verify
from winnow.publish.version import rollback
from winnow.storage.lock import lock_dataset


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Press:
    folder = tmp_path_factory.mktemp("three")
    press = Press(Dataset(folder / "dataset"), folder / "work")
    press.publish(sources("a", "b"))
    press.publish(sources("b", "c", word="new"))
    press.publish(sources("d"), withdrawn=["b"])
    return press


@pytest.fixture
def three(once: Press, tmp_path: Path) -> Press:
    """Three versions: b is changed by the second and withdrawn by the third."""
    return copied(once, tmp_path)


@pytest.fixture(scope="module")
def joined(once: Press, tmp_path_factory: pytest.TempPathFactory) -> Press:
    """The same, compacted, and without what no version needs."""
    press = copied(once, tmp_path_factory.mktemp("joined"))
    compact(press.dataset, "c", SETTINGS, START)
    vacuum(press.dataset)
    return press


def texts_of_all(press: Press) -> dict[int, dict[str, str]]:
    return {n: texts_of(press.dataset, n) for n in press.dataset.version_numbers()}


def read_all(press: Press, delta: bool = True) -> None:
    for manifest in press.dataset.published():
        read_everywhere(press.dataset, manifest, delta and manifest.version == press.dataset.latest_version())


def test_compaction_joins_files_and_changes_no_row(three: Press) -> None:
    before = texts_of_all(three)
    plan = {c.table: c for c in compact(three.dataset, "c", SETTINGS, START, dry_run=True)}
    done = {c.table: c for c in compact(three.dataset, "c", SETTINGS, START)}
    assert done == plan
    assert (done["documents"].before, done["documents"].after) == (3, 1)
    read_all(three)
    assert texts_of_all(three) == before
    manifest = three.publish(sources("e"))
    assert manifest is not None
    read_all(three)
    assert list(texts_of(three.dataset)) == [*before[3], "e"]
    assert len(manifest.tables["documents"].files) == 2


def test_compaction_is_invisible_in_the_change_feed(three: Press) -> None:
    table = DeltaTable(str(three.dataset.table("documents")))
    compact(three.dataset, "c", SETTINGS, START)
    feed = pl.DataFrame(
        DeltaTable(table.table_uri).load_cdf(starting_version=table.version() + 1, allow_out_of_range=True)
    )
    assert feed.height == 0


def test_recovery_keeps_a_compaction(three: Press) -> None:
    compact(three.dataset, "c", SETTINGS, START)
    with lock_dataset(three.dataset, "next"):
        assert recover(three.dataset).restored == ()


@pytest.mark.parametrize("damage", [remove, flip])
@pytest.mark.parametrize("table", ["documents", "runs"])
def test_a_joined_file_that_is_lost_or_changed_is_found_and_the_next_version_is_not_built_on_it(
    once: Press, joined: Press, tmp_path: Path, table: str, damage: Callable[[Path], None]
) -> None:
    before, press = texts_of_all(once), copied(joined, tmp_path)
    dataset = press.dataset
    (file,) = active_files(open_table(dataset.table(table)), table)
    damage(dataset.table(table) / file.name)
    assert [p.place for p in verify(dataset)] == [f"tables/{table}/{file.name}"]
    with lock_dataset(dataset, "next"):
        (said,) = recover(dataset).mended
    assert said.startswith(f"tables/{table}/{file.name}: ")
    assert verify(dataset) == []
    press.publish(sources("e"))
    assert texts_of_all(press) == {**before, 4: {**before[3], "e": texts_of(dataset)["e"]}}
    assert (verify(dataset), len(pq.read_table(dataset.view(4) / "runs"))) == ([], 4)


def test_vacuum_removes_only_what_no_version_needs(three: Press) -> None:
    before = texts_of_all(three)
    foreign = three.dataset.table("documents") / "part-00009-00000-00000000-00.parquet"
    foreign.write_bytes(b"left by a killed run")
    assert f"documents/{foreign.name}" in vacuum(three.dataset, dry_run=True).names
    assert foreign.exists()
    freed = vacuum(three.dataset)
    assert f"documents/{foreign.name}" in freed.names
    assert not foreign.exists()
    read_all(three)
    assert texts_of_all(three) == before
    three.publish(sources("e"))
    read_all(three)


def test_a_vacuum_by_others_with_no_retention_leaves_the_views_whole(three: Press) -> None:
    before = texts_of_all(three)
    for name in TABLES:
        DeltaTable(str(three.dataset.table(name))).vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)
    read_all(three, delta=False)
    assert texts_of_all(three) == before
    assert [v.documents for v in versions(three.dataset)] == [2, 3, 3]


def test_prune_removes_the_oldest_views_and_vacuum_then_their_files(three: Press) -> None:
    before = texts_of_all(three)
    assert prune(three.dataset, 2, dry_run=True).names == ("v1",)
    assert prune(three.dataset, 2).names == ("v1",)
    assert three.dataset.version_numbers() == [2, 3]
    vacuum(three.dataset)
    read_all(three)
    assert texts_of_all(three) == {n: before[n] for n in (2, 3)}
    assert prune(three.dataset, 1).names == ("v2",)
    vacuum(three.dataset)
    read_all(three)
    three.publish(sources("e"))
    assert three.dataset.version_numbers() == [3, 4]
    read_all(three)


def test_prune_never_removes_the_last_version(three: Press) -> None:
    with pytest.raises(UsageError, match="keep at least 1"):
        prune(three.dataset, 0)
    assert prune(three.dataset, 9).names == ()


@pytest.mark.parametrize("vacuumed", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_rollback_publishes_a_version_equal_to_the_old_one(three: Press, vacuumed: bool) -> None:
    before = texts_of(three.dataset, 1)
    if vacuumed:
        for name in TABLES:
            table = DeltaTable(str(three.dataset.table(name)))
            table.vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)
    manifest = rollback(three.publication(three.run("back")), 1)
    assert (manifest.version, manifest.note) == (4, "rollback to version 1")
    assert texts_of(three.dataset) == before
    old = three.dataset.manifest(1)
    for name in set(TABLES) - {"runs"}:
        assert [f.sha256 for f in manifest.tables[name].files] == [f.sha256 for f in old.tables[name].files]
    read_everywhere(three.dataset, manifest)
    three.publish(sources("e"))
    assert set(texts_of(three.dataset)) == {"a", "b", "e"}
    assert three.dataset.latest.readlink() == Path("v5")


def test_a_rollback_to_what_is_not_there_says_what_is(three: Press) -> None:
    with pytest.raises(DatasetError, match="published: 1, 2, 3"):
        rollback(three.publication(), 7)
    with pytest.raises(UsageError, match="is the latest"):
        rollback(three.publication(), 3)


def test_versions_are_listed_with_their_counts(three: Press) -> None:
    lines = versions(three.dataset)
    assert [(v.version, v.documents, v.edits, v.latest) for v in lines] == [
        (1, 2, 2, False),
        (2, 3, 3, False),
        (3, 3, 3, True),
    ]
    assert lines[0].new_bytes == lines[0].bytes
    assert lines[2].new_bytes < lines[2].bytes
