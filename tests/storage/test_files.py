"""A folder that stands for an address: one process writes, another that shares no disk with it reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads
import pytest
from tests.deduplicate.corpus import Here
from tests.storage.conftest import Bucket

from winnow.base import files, mounted
from winnow.base.contracts import TABLES
from winnow.base.doc_ids import EVERYTHING
from winnow.base.mounted import Mount
from winnow.base.object_store import Store, parse_address
from winnow.base.staging import once, write_file, write_parquet
from winnow.deduplicate.array_files import PartitionedFile, whole_file
from winnow.deduplicate.documents.comparison import Comparison
from winnow.deduplicate.documents.shingle_store import Asked, ShingleStore
from winnow.deduplicate.work_files import KEYED, PLACED, InputFile, ShingleFile, ShingleSets, WorkFiles, lay_out
from winnow.publish.tables import table_update
from winnow.publish.tables.row_files import read_rows
from winnow.run import sorted_runs

SCHEMA = pa.schema([("doc_id", pa.string()), ("text", pa.string())])
ROWS = pa.table({"doc_id": [f"{n:016x}" for n in range(4000)], "text": [f"text {n}" for n in range(4000)]}, SCHEMA)


@dataclass(frozen=True)
class Machines:
    """Machines that know a folder by one name, and have nothing in common but the store."""

    mount: Mount
    disks: Path

    def use(self, name: str, bound: int | None = None) -> Path:
        """What follows happens on this machine; returns its disk."""
        files._MOUNTED.clear()  # the fixture puts it back
        files.mount(self.mount, self.disks / name, bound)
        return self.disks / name

    def path(self, *parts: str) -> Path:
        return self.mount.root.joinpath(".staging", *parts)


@pytest.fixture
def machines(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machines:
    monkeypatch.setattr(files, "_MOUNTED", {})
    mount = Mount(root=Path("/nobody/has/this"), address=parse_address(bucket.url), exchanges=True)
    return Machines(mount, tmp_path / "disks")


def test_what_one_machine_writes_another_one_reads_in_every_way(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounted, "_SMALL", 1000)  # so that the rows that are asked for travel alone
    names = "rows.parquet", "more.parquet", "note", "keyed.npy"
    parquet, other, note, array = (machines.path("work-1", name) for name in names)
    keyed = np.zeros(1000, KEYED)
    keyed["rank"] = np.arange(1000)
    machines.use("one")
    write_parquet(parquet, [ROWS], SCHEMA, 500)
    write_file(note, b"whole")
    PartitionedFile(array, np.dtype(KEYED)).spread(keyed, np.arange(1000) % 3, 3)
    disk = machines.use("two")
    among = pads.field("doc_id") == f"{7:016x}"
    assert files.arrow_dataset([parquet], SCHEMA).to_table(filter=among)["text"].to_pylist() == ["text 7"]
    assert files.parquet_file(parquet).metadata.num_rows == 4000
    scanned = files.scan_parquet([parquet]).filter(pl.col("doc_id") == f"{8:016x}").collect()
    assert scanned["text"].to_list() == ["text 8"]
    assert PartitionedFile(array, np.dtype(KEYED)).of(1)["rank"].tolist() == list(range(1, 1000, 3))
    assert not (disk / ".staging" / "work-1" / "rows.parquet").exists()
    assert files.at_hand(note).read_bytes() == b"whole"
    assert files.at_hand(parquet).is_relative_to(disk)
    assert files.scan_parquet([parquet]).collect().height == 4000  # which is here now
    machines.use("one")
    write_parquet(other, [ROWS], SCHEMA)
    machines.use("two")
    both = [parquet, other]  # one here, one in the store
    assert files.arrow_dataset(both, SCHEMA).to_table(filter=among)["text"].to_pylist() == ["text 7", "text 7"]
    assert files.scan_parquet(both).collect().height == 8000
    assert not machines.mount.root.exists()


@pytest.mark.parametrize("rows", [1, 4000])
def test_rows_of_a_file_of_staging_cost_one_question_beside_them(
    rows: int, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounted, "_SMALL", 100)
    path = machines.path("work-1", "rows.parquet")
    ends: list[str] = []
    read_end = Store.read  # which goes on to the server

    def read(store: Store, name: str, last: int) -> tuple[bytes, files.Entry]:
        ends.append(name)
        return read_end(store, name, last)

    monkeypatch.setattr(Store, "entry", lambda _, name: pytest.fail(f"asked for the size of {name}"))
    monkeypatch.setattr(Store, "read", read)
    machines.use("two")
    for made in (ROWS.slice(0, rows), ROWS.slice(rows // 2, 1), ROWS):  # written anew, shorter and longer
        machines.use("one")
        write_parquet(path, [made], SCHEMA, 500)
        machines.use("two")
        ends.clear()
        source = files.arrow_dataset([path], SCHEMA)
        for text in (made["text"][0].as_py(), made["text"][-1].as_py()):
            assert source.to_table(filter=pads.field("text") == text)["text"].to_pylist() == [text]
        assert source.to_table().equals(made)
        assert ends == [".staging/work-1/rows.parquet"]


def test_a_row_group_of_runs_is_fetched_once_to_merge_them_and_what_a_range_needs_of_a_file_in_one_piece(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounted, "_SMALL", 100)
    monkeypatch.setattr(sorted_runs, "RANGE_BYTES", 30_000)
    monkeypatch.setattr(sorted_runs, "GROUP_BYTES", 10_000)
    rows = pa.table({"doc_id": [f"{n << 52:016x}" for n in range(4000)], "text": ROWS["text"]}, SCHEMA)
    paths = [machines.path("work-1", f"{n}.parquet") for n in range(4)]
    machines.use("one")
    for n, path in enumerate(paths):
        write_parquet(
            path, [rows.filter(pa.array([n == i % 3 for i in range(4000)]))], SCHEMA, 250
        )  # the last is empty
    machines.use("two")
    fetched: list[str] = []
    read_range = Store.read_range  # which goes on to the server

    def read(store: Store, name: str, start: int, end: int) -> bytes:
        fetched.append(name)
        return read_range(store, name, start, end)

    monkeypatch.setattr(Store, "read_range", read)
    merged = sorted_runs.merge_runs([((EVERYTHING, path),) for path in paths], machines.path("work-1", "all"), SCHEMA)
    assert sorted(fetched) == sorted(f".staging/work-1/{n}.parquet" for n in range(3) for _ in range(6))
    assert len(merged) > 1
    machines.use("three")
    assert pa.concat_tables([files.parquet_file(path).read() for _, path in merged]).equals(rows)
    for first, end in ((0, 4000), (7, 3001), (3998, 3999)):
        span = (f"{first << 52:016x}", f"{end << 52:016x}")
        for some in (paths, list(sorted_runs.files_of([merged], span))):
            fetched.clear()
            found = sorted_runs.rows_of_range(some, SCHEMA, span).sort_by("doc_id")
            assert found.equals(rows.slice(first, end - first))
            assert len(fetched) == len(set(fetched))


@pytest.mark.parametrize("ahead", [False, True])
def test_what_is_read_ahead_stays_until_the_job_is_done(ahead: bool, machines: Machines) -> None:
    paths = [machines.path("work-1", f"{n}") for n in range(40)]
    machines.use("one")
    for path in paths:
        write_file(path, path.name.encode())
    disk = machines.use("two", bound=5)
    with files.job(machines.mount):
        found = list((files.read_ahead if ahead else map)(files.at_hand, paths))
        assert [path.read_text() for path in found] == [path.name for path in paths]
    assert sum(path.stat().st_size for path in disk.rglob("*") if path.is_file()) <= 5


def test_shingle_sets_are_read_once_and_travel_to_the_jobs_that_ask_for_them(machines: Machines) -> None:
    work = WorkFiles(machines.path("work-1"))
    inputs = [InputFile(path=work.folder, name=f"{n}") for n in range(3)]
    parts = [ShingleFile(work.shingles("five", [one]), 2000, 200) for one in inputs[:2]]
    hashes = np.arange(4000, dtype=np.uint64)
    machines.use("one")
    for part, ranks in zip(parts, (np.arange(0, 400, 2), np.arange(1, 400, 2)), strict=True):
        places = np.zeros(200, PLACED)
        places["rank"], places["start"], places["size"] = ranks, np.arange(0, 2000, 10), 10
        places["size"][-1] = 0  # a document may have nothing to say
        with whole_file(part.path) as file:
            file.write((hashes[:2000] + np.uint64(2000 * ranks[0])).tobytes() + places.tobytes())
    starts = lay_out(parts, work.shingle_places("five"), 401)
    sets = ShingleSets(tuple(parts), tuple(starts), work.shingle_places("five"))
    machines.use("two")
    asked = [np.array(ranks, np.uint32) for ranks in ([7, 8, 399, 20], [], [8, 400])]
    lists = [Asked(work.documents_in(inputs[n]).save(ranks), n) for n, ranks in enumerate(asked)]
    everyone = Comparison(files=work, executor=Here(), passages=[], scattered=np.zeros(401, np.bool_))
    brought = [*everyone.brought("five", sets, lists, 3), *everyone.brought("few", sets, lists, 3, pairs=4)]
    assert brought[3:] == [sets] * 3  # of which only those that are wanted are fetched
    disk = machines.use("three")
    for one, ranks in zip(brought, asked * 2, strict=True):
        store = ShingleStore(one)
        found, starts, ends = store.read(ranks)
        of = {r: found[a:b].tolist() for r, a, b in zip(ranks.tolist(), starts, ends, strict=True)}
        expected = {r: [2000 * (r % 2) + 10 * (r // 2) + n for n in range(10)] if r < 399 else [] for r in of}
        assert of == expected
        assert store.has(ranks).tolist() == [rank < 400 for rank in ranks]
        each = {r: values.tolist() for r, values in store.each(np.sort(ranks)) if r < 400}
        assert each == {r: values for r, values in expected.items() if r < 400}
        store.close()
    assert not list((disk / ".staging" / "work-1").glob("*.u64"))


def test_work_that_was_done_is_known_to_another_machine_until_it_is_removed(machines: Machines) -> None:
    done, output = machines.path("shards", "a.json"), machines.path("shards", "a.parquet")
    asked: list[str] = []

    def work() -> files.Entry:
        asked.append("work")
        write_file(output, b"12")
        return files.Entry(2, "tag")

    for machine in ("one", "two", "three"):
        machines.use(machine)
        assert once(done, files.Entry, [output], work) == files.Entry(2, "tag")
    assert asked == ["work"]
    assert files.files_in(machines.path("shards")) == [done, output]
    files.remove_files([output])
    assert not files.is_there(output)
    once(done, files.Entry, [output], work)
    assert asked == ["work", "work"]
    files.remove_folder(machines.path())
    machines.use("four")
    assert not files.is_there(done)
    assert files.at_hand(done) == done


def test_a_cache_stays_within_its_bound_but_for_what_a_job_is_at(machines: Machines) -> None:
    paths = [machines.path("work-1", f"{n}") for n in range(6)]
    machines.use("one")
    for path in paths:
        write_file(path, bytes(100))
    disk = machines.use("two", bound=250)

    def held() -> list[str]:
        return sorted(path.name for path in disk.rglob("*") if path.is_file())

    for path in paths[:3]:
        files.at_hand(path)
    assert held() == ["1", "2"]
    with files.job(machines.mount):
        for path in paths[1:5]:
            files.at_hand(path)
        assert held() == ["1", "2", "3", "4"]
    assert held() == ["3", "4"]
    with files.job(machines.mount):
        for path in paths[1:5]:
            files.at_hand(path)
            files.done_with(path)
        assert held() == ["3", "4"]
    write_file(machines.path("work-1", "made"), bytes(100))
    assert held() == ["4", "made"]
    assert len(files.files_in(machines.path("work-1"))) == 7


def test_a_mount_that_exchanges_nothing_is_only_read(machines: Machines) -> None:
    done, output = machines.path("shards", "a.json"), machines.path("shards", "a.parquet")
    machines.use("one")
    write_file(output, b"12")
    own = replace(machines.mount, root=machines.disks / "two", exchanges=False)
    files._MOUNTED.clear()
    files.mount(own)
    here = [own.root / path.relative_to(machines.mount.root) for path in (done, output)]
    assert files.at_hand(here[1]).read_bytes() == b"12"
    for content in (b"34", b"56"):
        assert once(here[0], files.Entry, here[1:], lambda: write_file(here[1], b"34") or files.Entry(2, "tag"))
        assert files.files_in(here[0].parent) == here
        assert here[1].read_bytes() == b"34"
        here[1].write_bytes(content)
    files.remove_files(here[:1])
    files.remove_folder(own.root / ".staging")
    assert not own.root.joinpath(".staging").exists()
    machines.use("three")
    assert files.at_hand(output).read_bytes() == b"12"


def test_a_cache_knows_nothing_in_another_session(machines: Machines, bucket: Bucket) -> None:
    """An erasure writes files of a version anew, under their names."""
    page = machines.mount.root / "v1" / "documents" / "part.parquet"
    disk = machines.use("one")
    for content in (b"before", b"after!"):
        bucket.store.put("v1/documents/part.parquet", content)
        session = replace(machines.mount, session=content.decode())
        files.mount(session, disk / session.session)
        assert files.at_hand(page).read_bytes() == content
    assert not (disk / "before").exists()


def test_what_is_not_exchanged_stays_on_its_machine(machines: Machines, bucket: Bucket) -> None:
    disk = machines.use("one")
    write_file(machines.path("held.json"), b"{}")
    write_file(machines.mount.root / "v1" / "manifest.json", b"{}")
    assert (disk / ".staging" / "held.json").is_file()
    assert bucket.store.entries() == {}


@pytest.mark.parametrize("n", [1, 4000])
def test_a_worker_sends_what_it_writes_and_the_writer_takes_it_over(
    n: int, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_MOUNTED", {})
    root = tmp_path / "planner"
    mount = Mount(root=root, address=parse_address(bucket.url), exchanges=True)
    part, path = root / ".staging/work-1/part.parquet", root / "tables/inputs/new.parquet"
    schema = table_update.storable(TABLES["inputs"])
    blanks = [{f.name: None if f.nullable else "" if f.type == pa.string() else 0 for f in schema}]
    rows = [{**blanks[0], "path": f"{number:05}"} for number in range(n)]
    files.mount(mount, tmp_path / "worker", 1 << 20)
    write_parquet(part, [pa.Table.from_pylist(rows, schema=schema)], schema)
    done = table_update._write_share([part], path, "inputs", schema, schema, True)
    assert done
    file, entry = done
    assert not list((tmp_path / "worker" / "tables").rglob("*.parquet"))
    assert not root.exists()
    files._MOUNTED.clear()
    files.mount(mount)
    files.mounted_at(root).look_again(0, writes=True)
    files.take_over(path, file.bytes, file.sha256, entry)
    assert files.mounted_at(root).sent == {"tables/inputs/new.parquet": entry}
    assert path.stat().st_size == file.bytes
    assert sum(batch.num_rows for batch in read_rows([path], schema)) == n == file.rows
    assert files.at_hand(path).read_bytes()[:4] == b"PAR1"


def test_a_worker_that_works_in_the_writers_folder_leaves_its_file_there(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_MOUNTED", {})
    files.mount(Mount(root=tmp_path, address=parse_address(bucket.url)))
    part, path = tmp_path / "part.parquet", tmp_path / "tables/inputs/new.parquet"
    schema = table_update.storable(TABLES["inputs"])
    blank = {f.name: None if f.nullable else "" if f.type == pa.string() else 0 for f in schema}
    write_parquet(part, [pa.Table.from_pylist([blank], schema=schema)], schema)
    done = table_update._write_share([part], path, "inputs", schema, schema, True)
    assert done
    file, entry = done
    assert entry is None
    assert path.stat().st_size == file.bytes
    assert bucket.store.entries() == {}
    files.take_over(path, file.bytes, file.sha256, entry)
    assert files.mounted_at(tmp_path).sent == {}
