"""What is erased is gone, byte for byte, from every version, table, log and page; and nothing else is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.articles import article
from tests.conftest import write_jsonl
from tests.operate.dataset_runs import RECIPE, in_child, run_stages
from tests.publish.press import SETTINGS, START, Press, sources, texts_of, write_part

from winnow.base.contracts import TABLES
from winnow.base.errors import DatasetDamaged, UsageError
from winnow.base.records import doc_id_of
from winnow.publish.dataset import Dataset
from winnow.publish.erasure import Receipt, erase, erased_ids, found_in, receipts, unfinished
from winnow.publish.housekeeping import compact, vacuum
from winnow.publish.verify import verify
from winnow.publish.version import record_run, rollback
from winnow.run.erase_documents import documents_named
from winnow.run.recovery import page_of, recover_dataset
from winnow.storage.lock import lock_dataset

GONE = ("mulberry", "lantern")
"""Sources that are erased; their texts hold them."""
WORDS = (*GONE, "quince", "persimmon")
"""All that was ever known of them; a word each of the texts of one version."""
ORDER = Receipt(run_id="erasure-1", erased_at=START, reason="asked", doc_ids=tuple(sorted(map(doc_id_of, GONE))))


def everything_in(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a dataset with its bytes, and the values of Parquet files besides, for those are packed."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            name = path.relative_to(root).as_posix()
            yield name, name.encode() + path.read_bytes()
            if path.read_bytes()[:4] == b"PAR1":
                with pq.ParquetFile(path) as file:
                    yield f"{name} unpacked", repr(file.read().to_pydict()).encode() + repr(file.metadata).encode()


def traces(root: Path, *words: str) -> list[str]:
    """Where a word stands, as text or as the bytes of its characters in JSON."""
    return [f"{w}: {n}" for n, content in everything_in(root) for w in words or WORDS if w.encode() in content]


def reject(source: str, content: bytes, **more: Any) -> dict[str, Any]:
    return {
        "doc_id": doc_id_of(source), "source": source, "stage": "validate", "reason": f"{source}: too short",
        "expectation": "long_enough", "content": content, "content_sha256": hashlib.sha256(content).hexdigest(),
        "input": "in.jsonl", "metadata": json.dumps({"title": content.decode()}), "recipe_id": "r", "run_id": "run",
        "replayed_in": None, **more,
    }  # fmt: skip


def gate_that_names(source: str) -> dict[str, Any]:
    """A gate with all the places in which it quotes documents."""
    table = {
        "table": "documents", "expectation": "titled", "description": "", "n_rows": 9, "n_failed": 2,
        "examples": [f"{doc_id_of(source)}: title is {source} quince", "0123456789abcdef: title is none"],
    }  # fmt: skip
    sentences = (f"a.org lost 90 %, for example b, {source}, c", f"2 files are gone: {source}, d")
    check = {"expectation": "loss", "passed": True, "observed": "1", "limit": "2"}
    return {"passed": True, "results": [{**check, "sentence": s} for s in sentences], "tables": [table]}


def grown(folder: Path) -> Press:
    """Three versions, files that no version has, a held run, and staging, with the documents in all of them."""
    press = Press(Dataset(folder / "dataset"), folder / "work")
    rejects = [reject("lantern", b"lantern persimmon"), reject("other", b"stays")]
    more = {"rejects": [write_part(folder / "work" / "rejects.parquet", "rejects", rejects)]}
    press.publish({**sources("a", "b"), "mulberry": "quince"}, more=more)
    run = replace(press.run("told"), gate=gate_that_names("mulberry"))
    press.publish(sources("c"), run=run)
    press.publish({"mulberry": "persimmon", "d": "plain"})
    with lock_dataset(press.dataset, "upkeep"):
        compact(press.dataset, "upkeep", SETTINGS, press.clock())
        record_run(press.publication(replace(press.run("held"), status="held", gate=gate_that_names("lantern"))))
    staging = press.dataset.staging
    for name in ("shards/0.parquet", "held-held.rejects.parquet", "held.json"):
        (staging / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).write_text("mulberry quince")
    (press.dataset.root / "gx").mkdir()
    (press.dataset.root / "gx" / "result.json").write_text("lantern")
    return press


def erase_all(dataset: Dataset, order: Receipt = ORDER) -> Receipt:
    with lock_dataset(dataset, order.run_id):
        recover_dataset(dataset)
        return erase(dataset, order, page_of)


def rows_in(dataset: Dataset, version: int) -> dict[str, list[dict[str, Any]]]:
    return {
        t: [r for f in dataset.files(t, version) for r in pq.read_table(f, partitioning=None).to_pylist()]
        for t in TABLES
    }


def others(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The rows that an erasure leaves, without the gate's words."""
    gone = {"doc_id": set(map(doc_id_of, GONE)), "path": set(GONE)}
    return {
        t: [{k: v for k, v in r.items() if k != "gate"} for r in of
            if not any(r.get(key) in values for key, values in gone.items())]
        for t, of in rows.items()
    }  # fmt: skip


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a dataset to copy."""
    folder = tmp_path_factory.mktemp("erasure")
    grown(folder)
    assert len({t.split(":")[0] for t in traces(folder / "dataset")}) == len(WORDS)
    return folder / "dataset"


@pytest.fixture(scope="module")
def erased(before: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The same after the erasure; look at it only."""
    dataset = Dataset(Path(shutil.copytree(before, tmp_path_factory.mktemp("erased") / "dataset", symlinks=True)))
    erase_all(dataset)
    return dataset


@pytest.fixture
def dataset(before: Path, tmp_path: Path) -> Dataset:
    return Dataset(Path(shutil.copytree(before, tmp_path / "dataset", symlinks=True)))


def test_no_byte_of_what_is_erased_is_left_and_no_other_row_changes(erased, before):
    assert traces(erased.root) == []
    assert verify(erased) == []
    for number in (1, 2, 3):
        assert rows_in(erased, number) == rows_in(erased, number) | others(rows_in(Dataset(before), number)) | {
            "runs": rows_in(erased, number)["runs"]
        }
        assert erased.manifest(number).erased[0].documents == 2
    [done] = receipts(erased)
    assert {v.version: v.documents for v in done.versions} == {1: 2, 2: 2, 3: 2}
    assert done.versions[0].rows == {"documents": 1, "passages": 3, "edits": 1, "rejects": 1, "index": 1, "inputs": 1}
    same = {n: e for n, e in erased.manifest(2).tables.items() if n in ("duplicates", "sources")}
    assert same == {n: e for n, e in Dataset(before).manifest(2).tables.items() if n in same}
    assert list(erased.staging.rglob("*")) == []


def test_each_version_is_in_the_history_of_the_tables_as_its_manifest_says(erased):
    for manifest in erased.published():
        for name in ("documents", "passages", "rejects"):
            entry = manifest.tables[name]
            then = DeltaTable(str(erased.table(name)), version=entry.delta_version)
            assert {Path(p).name for p in then.file_uris()} == {f.delta_path for f in entry.files if f.delta_path}
            assert pq.ParquetDataset(erased.view(manifest.version) / name).read().num_rows == entry.rows
    assert {r["run_id"] for r in DeltaTable(str(erased.table("runs"))).to_pyarrow_table().to_pylist()} >= {"held"}


def test_the_receipt_holds_hashes_counts_and_sums_and_fits_what_stands(erased):
    [receipt] = receipts(erased)
    assert (receipt.reason, receipt.doc_ids) == ("asked", ORDER.doc_ids)
    for version in receipt.versions:
        view = erased.view(version.version)
        listed = {**version.files, "manifest.json": version.manifest_sha256}
        assert {n: hashlib.sha256((view / n).read_bytes()).hexdigest() for n in listed} == listed


def test_pairs_with_what_is_erased_go_whichever_of_the_two_it_is(tmp_path):
    press = Press(Dataset(tmp_path / "dataset"), tmp_path / "work")
    pairs = [("a", "b"), ("a", "mulberry"), ("mulberry", "b")]
    rows = [{"doc_id": doc_id_of(one), "similar_doc_id": doc_id_of(other)} for one, other in pairs]
    press.publish(
        sources("a", "b", "mulberry"), more={"similar": [write_part(tmp_path / "s.parquet", "similar", rows)]}
    )
    assert found_in(press.dataset, ORDER.doc_ids)[1].rows["similar"] == 2
    erase_all(press.dataset)
    left = [(row["doc_id"], row["similar_doc_id"]) for row in rows_in(press.dataset, 1)["similar"]]
    assert left == [(doc_id_of("a"), doc_id_of("b"))]
    assert verify(press.dataset) == []


@pytest.mark.slow
def test_a_run_that_names_documents_otherwise_says_that_what_was_erased_may_be_back(tmp_path):
    rows = [{"id": name, "url": f"https://a.org/{name}", "text": article(n)} for n, name in enumerate("abc")]
    write_jsonl(tmp_path / "in" / "in.jsonl", rows)
    into = tmp_path / "dataset"

    def made(field: str) -> tuple[str, ...]:
        read = RECIPE.read.model_copy(update={"id_fields": (field,)})
        return run_stages(tmp_path / "in", into, recipe=RECIPE.model_copy(update={"read": read}))["warnings"]

    made("id")
    erase_all(Dataset(into), replace(ORDER, doc_ids=(doc_id_of("a"),)))
    write_jsonl(tmp_path / "in" / "more.jsonl", [{"id": "d", "url": "https://a.org/d", "text": article(9)}])
    assert made("id") == []
    [note] = made("url")
    assert "what was erased stays out by its name alone" in note
    assert "https://a.org/a" in texts_of(Dataset(into))


@pytest.mark.slow
def test_what_is_erased_stays_out_also_after_a_rollback_a_repair_and_a_vacuum(dataset, tmp_path):
    erase_all(dataset)
    press = Press(dataset, tmp_path / "work", ticks=500)
    with lock_dataset(dataset, "back"):
        recover_dataset(dataset, to_go_back=True)
        rollback(press.publication(), 1)
        vacuum(dataset)
    for lost in (dataset.view(4), dataset.table("documents") / "_delta_log"):
        shutil.rmtree(lost)
        with lock_dataset(dataset, "mend"):
            recover_dataset(dataset)
    assert set(texts_of(dataset)) == {"a", "b"}
    assert traces(dataset.root) == []
    assert verify(dataset) == []
    assert erased_ids(dataset) == frozenset(ORDER.doc_ids)


@pytest.mark.slow
def test_a_version_that_comes_back_from_a_backup_is_told_and_erased_from_again(dataset, before):
    erase_all(dataset)
    shutil.rmtree(dataset.view(2))
    shutil.copytree(before / "v2", dataset.view(2))
    assert any("were erased" in p.what for p in verify(dataset))
    with lock_dataset(dataset, "next"):
        [said] = [line for line in recover_dataset(dataset) if "erasure" in line]
    assert "was not finished, or undone in part" in said
    assert traces(dataset.root) == []
    assert (verify(dataset), unfinished(dataset)) == ([], [])
    assert receipts(dataset)[0].versions[1].documents == 2


def test_an_erasure_of_what_nobody_holds_is_a_wrong_call(before):
    dataset = Dataset(before)
    with pytest.raises(UsageError, match="no version has a document with the source or doc_id 'nobody'; nothing"):
        documents_named(dataset, ["nobody", "mulberry"])
    with pytest.raises(UsageError, match="name the documents to erase"):
        documents_named(dataset, [])
    assert documents_named(dataset, ["mulberry", doc_id_of("lantern")]) == ORDER.doc_ids
    assert {n: v.documents for n, v in found_in(dataset, ORDER.doc_ids).items()} == {1: 2, 2: 2, 3: 2}


@pytest.mark.slow
def test_a_second_erasure_finds_the_first_and_takes_the_rest(dataset):
    erase_all(dataset, replace(ORDER, run_id="first", doc_ids=(doc_id_of("mulberry"),)))
    assert traces(dataset.root, "mulberry") == []
    assert documents_named(dataset, ["mulberry"]) == (doc_id_of("mulberry"),)
    done = erase_all(dataset)
    assert [v.documents for v in done.versions] == [1, 1, 1]
    assert (traces(dataset.root), verify(dataset)) == ([], [])
    assert [[e.documents for e in m.erased] for m in dataset.published()] == [[1, 1]] * 3


def test_a_damaged_receipt_is_named_before_anything_is_read_in_again(tmp_path):
    dataset = Dataset(tmp_path / "dataset")
    path = dataset.erasures / "erasure-1.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(ORDER.to_json().replace(b"asked", b"told"))
    with pytest.raises(DatasetDamaged, match="is no receipt of an erasure"):
        erased_ids(dataset)
    assert any("is no receipt" in p.what for p in verify(dataset))


def erase_until(root: Path, number: int) -> None:
    """Erases, and kills itself before the `number`-th change of a name in the dataset's folder."""
    done = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal done
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if not (writes or event in {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "ctypes.call"}):
            return
        done += 1
        if done == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    erase_all(Dataset(root))
    (root.parent / "changes").write_text(str(done))


@pytest.fixture(scope="module")
def changes(before: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many changes an undisturbed erasure makes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(before, folder / "dataset", symlinks=True)
    child = in_child(erase_until, folder / "dataset", 0)
    child.join(60)
    return int((folder / "changes").read_text())


POINTS = 40


@pytest.mark.slow
@pytest.mark.parametrize("point", range(POINTS))
def test_an_erasure_killed_at_any_point_is_ended_by_the_next_run(dataset, before, changes, point):
    assert changes > 2 * POINTS
    assert_is_ended(dataset, before, kill_at=1 + round(point * (changes - 1) / (POINTS - 1)))


@pytest.mark.slow
def test_an_erasure_killed_among_its_versions_is_ended_by_the_next_run(dataset, before):
    assert_is_ended(dataset, before, kill_at=60)


def assert_is_ended(dataset: Dataset, before: Path, kill_at: int) -> None:
    """Kills an erasure; every version is whole then, and after the next writer without the documents."""
    child = in_child(erase_until, dataset.root, kill_at)
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    for number in (1, 2, 3):  # as before, or as after
        assert verify(dataset, number) == []
        now, then = rows_in(dataset, number), rows_in(Dataset(before), number)
        assert len(now["documents"]) in (len(then["documents"]), len(others(then)["documents"]))
    begun = (dataset.staging / "erasure" / "order.json").exists() or (dataset.erasures).exists()
    with lock_dataset(dataset, "next"):
        recover_dataset(dataset)
    if begun:
        assert traces(dataset.root) == []
    erase_all(dataset)
    assert traces(dataset.root) == []
    assert (verify(dataset), unfinished(dataset)) == ([], [])
    assert [v.documents for v in receipts(dataset)[0].versions] == [2, 2, 2]
    for number in (1, 2, 3):
        assert rows_in(dataset, number) | {"runs": []} == others(rows_in(Dataset(before), number)) | {"runs": []}
