"""Verification finds what is wrong, and names the file."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.publish.press import Press, copied, first_file, rows_of, sources, write_part

from winnow.base.errors import DatasetError, LedgerError
from winnow.base.records import Edit, doc_id_of
from winnow.publish.dataset import Dataset
from winnow.publish.tables import delta
from winnow.publish.tables.delta import LOG
from winnow.publish.verify import verify


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Press:
    folder = tmp_path_factory.mktemp("two")
    press = Press(Dataset(folder / "dataset"), folder / "work")
    press.publish(sources("a", "b"), extras=lambda folder, manifest: {"report.html": b"<p>"})
    press.publish(sources("b", "c", word="new"))
    return press


@pytest.fixture
def two(once: Press, tmp_path: Path) -> Press:
    return copied(once, tmp_path)


def places(dataset: Dataset, version: int | None = None) -> list[tuple[str, str]]:
    return [(p.place, p.what) for p in verify(dataset, version)]


def flip(path: Path, at: int = -1) -> None:
    """Change one byte of a file."""
    content = bytearray(path.read_bytes())
    content[at if at >= 0 else len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def unlink_from_table(path: Path) -> None:
    """Give a view's file an inode of its own, as a copy has."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def rewrite_manifest(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(path.read_text())
    change(data)
    data.pop("sha256", None)
    path.write_text(json.dumps(data))


def test_a_sound_dataset_has_no_problems(two: Press) -> None:
    assert verify(two.dataset) == []
    assert verify(two.dataset, 1) == []


def test_a_flipped_byte_is_found_and_its_file_named(two: Press) -> None:
    path = first_file(two.dataset, 2, "passages")
    unlink_from_table(path)
    flip(path)
    (found,) = verify(two.dataset)
    assert (found.version, found.place) == (2, f"v2/passages/{path.name}")
    assert "was changed" in found.what
    assert verify(two.dataset, 1) == []


def test_a_flipped_byte_in_a_file_that_versions_share_is_found_in_each(press: Press) -> None:
    press.publish(sources("a"))
    press.publish(sources("b"))
    path = first_file(press.dataset, 1, "documents")
    flip(path)
    assert [p for p, _ in places(press.dataset)] == [
        f"v1/documents/{path.name}",
        f"v2/documents/{first_file(press.dataset, 2, 'documents').name}",
    ]


@pytest.mark.parametrize("name", ["README.md", "report.html"])
def test_a_changed_page_is_found(two: Press, name: str) -> None:
    flip(two.dataset.view(1) / name)
    assert [p for p, _ in places(two.dataset)] == [f"v1/{name}"]


def test_a_missing_file_and_a_strange_one_are_found(two: Press) -> None:
    path = first_file(two.dataset, 1, "edits")
    path.rename(path.with_name("part-00007.parquet"))
    assert [(p, w) for p, w in places(two.dataset, 1) if "Parquet" not in w] == [
        (f"v1/edits/{path.name}", "is missing"),
        ("v1/edits/part-00007.parquet", "is not in the manifest"),
    ]


def test_a_manifest_that_does_not_fit_is_found(two: Press) -> None:
    def lie(data: dict[str, Any]) -> None:
        data["tables"]["documents"]["files"][0]["rows"] += 1
        data["tables"]["edits"]["columns"][0]["type"] = "int64"

    rewrite_manifest(two.dataset.manifest_path(1), lie)
    found = dict(places(two.dataset, 1))
    assert "the manifest says 3" in found[f"v1/documents/{first_file(two.dataset, 1, 'documents').name}"]
    assert "column doc_id is string" in found[f"v1/edits/{first_file(two.dataset, 1, 'edits').name}"]


def test_a_damaged_manifest_is_found(two: Press) -> None:
    two.dataset.manifest_path(1).write_text("{")
    assert [p for p, _ in places(two.dataset)] == ["v1/manifest.json"]


def test_a_latest_that_points_elsewhere_is_found(two: Press) -> None:
    two.dataset.latest.unlink()
    assert places(two.dataset) == [("latest", "is missing; it should point to v2")]
    two.dataset.latest.symlink_to("v1")
    assert places(two.dataset) == [("latest", "points to v1, not to v2")]


def test_a_table_file_that_is_gone_or_differs_from_the_view_is_found(two: Press) -> None:
    entry = two.dataset.manifest(2).tables["documents"].files[0]
    path = two.dataset.table("documents") / str(entry.delta_path)
    unlink_from_table(path)
    assert places(two.dataset) == []
    flip(path)
    assert [p for p, _ in places(two.dataset)] == [f"v2/{entry.name}"]
    path.unlink()
    assert places(two.dataset) == [(f"tables/documents/{entry.delta_path}", "is missing")]


def test_a_commit_before_the_last_checkpoint_that_was_damaged_is_found_and_the_log_written_anew(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(delta._CONFIGURATION, "delta.checkpointInterval", "3")
    for number in range(3):
        press.publish(sources(f"a{number}"))
    log = press.dataset.table("documents") / LOG
    assert (log / f"{2:020d}.checkpoint.parquet").is_file()
    (log / f"{1:020d}.json").write_bytes(b'{"add"')
    assert [(p.place, p.what) for p in verify(press.dataset)] == [
        (f"tables/documents/{LOG}", f"holds no commit in {1:020d}.json")
    ]
    press.publish(sources("b"))
    assert verify(press.dataset) == []


def test_a_version_that_there_is_not_is_refused(two: Press) -> None:
    with pytest.raises(DatasetError, match="published: 1, 2"):
        verify(two.dataset, 9)


def broken(change: Callable[[dict[str, list[dict[str, Any]]]], None], press: Press) -> list[str]:
    """What verification says of a version published from rows that were changed first."""
    rows = rows_of("a")
    change(rows)
    more = {n: [write_part(press.work / "x" / f"{n}.parquet", n, r)] for n, r in rows.items()}
    press.publish(sources("a"), more=more)
    return [p.what for p in verify(press.dataset)]


LOSSES: dict[str, tuple[Callable[[dict[str, list[dict[str, Any]]]], None], str]] = {
    "a passage left out of its text": (
        lambda rows: rows["documents"][0].update(text="a plain 0"),
        "its text lacks the kept passage 'a plain 1'",
    ),
    "a passage lost": (lambda rows: rows["passages"].pop(2), "has 2 and 0"),
    "an edit lost": (lambda rows: rows["edits"].clear(), "says 1 edits, has 0"),
    "a gap in the ledger": (lambda rows: rows["edits"][0].update(seq=1), "not numbered from 0"),
    "a document that index does not know": (lambda rows: rows["index"].clear(), "is not in index"),
    "passages of no document": (
        lambda rows: rows["documents"].clear(),
        "neither in documents nor in duplicates",
    ),
    "a document twice": (
        lambda rows: rows["documents"].append(dict(rows["documents"][0])),
        "stands there 2 times",
    ),
}


@pytest.mark.parametrize("case", LOSSES)
def test_a_loss_is_found(press: Press, case: str) -> None:
    change, said = LOSSES[case]
    assert any(said in what for what in broken(change, press))


@pytest.mark.parametrize(
    "change, said",
    [
        ({}, None),
        ({"n_published": 3}, "documents has 2 rows, the run counted 3"),
        ({"n_duplicates": 1}, "duplicates has 0 rows, the run counted 1"),
        ({"n_read": 5}, "5 documents were read, 2 published, copies or rejected"),
    ],
)
def test_what_the_run_counted_is_what_the_tables_hold(press: Press, change: dict[str, int], said: str | None) -> None:
    press.publish(sources("a", "b"))
    path = press.dataset.manifest_path(1)
    manifest = json.loads(path.read_text())
    manifest["counts"]["facts"] = {"n_read": 2, "n_published": 2, "n_duplicates": 0, "n_rejected": 0, **change}
    del manifest["sha256"]
    path.write_text(json.dumps(manifest))
    found = [p.what for p in verify(press.dataset, 1)]
    assert (said in found) if said else found == []


def test_a_ledger_that_does_not_fit_is_found_where_its_inverse_is_given(two: Press) -> None:
    seen: list[tuple[str, int]] = []

    def undo(text: str, edits: Sequence[Edit]) -> str:
        seen.append((text, len(edits)))
        if text.startswith("c "):
            raise LedgerError("edit 0 expects 'x'")
        return text

    found = verify(two.dataset, 2, undo)
    assert [p.what for p in found] == [f"{doc_id_of('c')}: edit 0 expects 'x'"]
    assert sorted(seen) == [
        (f"{s} {w} 0\n{s} {w} 1\n{s} {w} 2", 1) for s, w in (("a", "plain"), ("b", "new"), ("c", "new"))
    ]


def test_rows_that_break_a_constraint_or_the_order_are_never_written(press: Press) -> None:
    bad = rows_of("a")["edits"]
    bad[0]["start"] = 5
    with pytest.raises(DatasetError, match="breaks the constraint span: start >= 0 AND start <= end"):
        press.publish(sources("a"), more={"edits": [write_part(press.work / "e.parquet", "edits", bad)]})
    both = rows_of("a")["documents"] + rows_of("b")["documents"]
    path = write_part(press.work / "unsorted.parquet", "documents", both)
    pq.write_table(pq.read_table(path).sort_by([("doc_id", "descending")]), path)
    with pytest.raises(DatasetError, match="not sorted by doc_id"):
        press.publish(sources("a", "b"), more={"documents": [path]})
    assert press.dataset.version_numbers() == []
    press.publish(sources("a"))
    assert verify(press.dataset) == []
