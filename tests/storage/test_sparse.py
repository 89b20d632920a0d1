"""A dataset in the store that is larger than what a machine keeps of it: what is fetched, and what its disk holds."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from tests.articles import article
from tests.conftest import write_jsonl
from tests.operate.dataset_runs import rows_of, run_stages
from tests.publish.press import texts_of
from tests.storage.conftest import Bucket
from tests.storage.dying import FIRST, SECOND
from tests.storage.test_check import flipped, name_of
from tests.storage.test_push import assert_sound

from winnow.base.errors import DatasetDamaged
from winnow.base.files import at_hand
from winnow.base.pointers import is_pointer
from winnow.base.recipe import Recipe
from winnow.storage import remote
from winnow.storage.working_copy import tags_name


def kept(root: Path) -> int:
    """Bytes of rows that a working copy has on its disk, what is being written or fetched there included."""
    files = {}
    for top in ("tables", "v*", ".staging/views"):
        with suppress(FileNotFoundError):  # a file took its name just now, or a folder went
            for path in root.glob(f"{top}/**/*.parquet*"):
                stat = path.stat()
                if not is_pointer(path):
                    files[stat.st_ino] = stat.st_size
    return sum(files.values())


@contextmanager
def watched(root: Path) -> Iterator[list[int]]:
    """What `kept` gives again and again while the body runs."""
    seen, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(0.002):
            seen.append(kept(root))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


@pytest.mark.slow
def test_a_machine_that_may_keep_nothing_publishes_what_others_do(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = []
    for megabytes in ("0", "100"):
        monkeypatch.setenv("WINNOW_CACHE_MB", megabytes)
        machines.append(bucket.machine(f"keeps {megabytes}"))
        machines[-1].publish(FIRST if not machines[1:] else SECOND)
        assert (kept(machines[-1].dataset.root) == 0) == (megabytes == "0")
    assert set(texts_of(bucket.read())) == {"a", "b", "c", "d"}
    assert_sound(bucket.read())


def test_what_is_fetched_is_read_through_its_checksum(bucket: Bucket) -> None:
    bucket.machine().publish(FIRST)
    there = bucket.read()
    (file,) = there.files("documents")
    name = name_of(bucket, "tables/documents/part-", ".parquet")
    bucket.store.put(name, flipped(bucket.store.read(name)[0]))
    with pytest.raises(DatasetDamaged, match=rf"^{bucket.url}/{name}: was changed in the store"):
        at_hand(file)
    assert is_pointer(file)


@pytest.mark.slow
@pytest.mark.parametrize("note", ["", "{}", None])
def test_a_writer_without_the_note_of_tags_reads_every_object_through_its_checksum(
    bucket: Bucket, note: str | None
) -> None:
    bucket.machine().publish(FIRST)
    name = name_of(bucket, "tables/documents/part-", ".parquet")
    bucket.store.put(name, flipped(bucket.store.read(name)[0]))
    if note is None:
        bucket.store.remove([tags_name(1)])
    else:
        bucket.store.put(tags_name(1), note.encode())
    bucket.machine("other").publish(SECOND)
    assert set(texts_of(bucket.read())) == {"a", "b", "c", "d"}
    assert_sound(bucket.read())
    assert name in json.loads(bucket.store.read(tags_name(1))[0])["tags"]


class Meter:
    """A proxy before a server that counts the bytes of its answers."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server, self.bytes = server, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        try:
            while content := source.recv(1 << 16):
                self.bytes += len(content) if counts else 0
                target.sendall(content)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self) -> None:
        self._listener.close()


@contextmanager
def metered(environment: dict[str, str], patch: pytest.MonkeyPatch) -> Iterator[Meter]:
    place = urlsplit(environment["AWS_ENDPOINT_URL"])
    meter = Meter((str(place.hostname), int(place.port or 0)))
    patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{meter.port}")
    yield meter
    meter.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bound", "machine", "share"),
    [
        (1 << 30, "own", 0.3),  # the listing
        (1 << 30, "other", 1.6),  # each file of the tables once, and the manifests
        (1 << 17, "other", 20),  # columns of small files, as often as they are asked for
    ],
)
def test_a_run_that_adds_a_hundredth_gives_the_rows_of_a_run_on_disk_and_keeps_within_the_bound(
    bucket: Bucket,
    s3_environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bound: int,
    machine: str,
    share: float,
) -> None:
    source = tmp_path / "source"
    recipe = Recipe.model_validate({"read": {"shard_mb": 1}, "publish": {"file_mb": 1}})
    monkeypatch.setenv("WINNOW_CACHE_MB", str(bound / 1e6))
    write_jsonl(source / "a.jsonl", [{"id": f"a{n}", "text": article(n, 60)} for n in range(150)])
    run_stages(source, tmp_path / "local", recipe=recipe)
    with metered(s3_environment, monkeypatch) as meter:
        own = bucket.machine("own").dataset
        with watched(own.root) as first:
            run_stages(source, own, recipe=recipe)
        write_jsonl(source / "b.jsonl", [{"id": f"b{n}", "text": article(5000 + n, 60)} for n in range(2)])
        run_stages(source, tmp_path / "local", recipe=recipe)
        dataset = bucket.machine(machine).dataset
        size = sum(e.size for n, e in bucket.store.entries().items() if n.startswith("tables/"))

        before = meter.bytes
        with watched(dataset.root) as second:
            run_stages(source, dataset, recipe=recipe)
        fetched, left = meter.bytes - before, kept(dataset.root)
        assert rows_of(dataset.root, 2) == rows_of(tmp_path / "local", 2)
    print(f"fetched {fetched / size:.2f} of the tables; most on disk {max(first)}, {max(second)} of {size}")
    listed = [f for t in dataset.manifest(2).tables.values() for f in t.files]
    unsent = sum(f.bytes for f in listed if f.delta_path is None)  # the view's own, of tables without rows
    assert left <= bound
    assert max(first) <= bound + unsent
    assert max(second) <= bound + unsent
    assert fetched < share * size


def test_a_disk_without_room_keeps_nothing_whatever_the_bound(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = {}
    for machine, free in (("full", 0), ("roomy", 1 << 40)):
        monkeypatch.setattr(remote, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        lines = [{"id": f"{machine}{n}", "text": article(n + (free > 0) * 100, 60)} for n in range(40)]
        write_jsonl(tmp_path / "source" / f"{machine}.jsonl", lines)
        dataset = bucket.machine(machine).dataset
        run_stages(tmp_path / "source", dataset)
        stored = sum(e.size for n, e in bucket.store.entries().items() if n.startswith("tables/"))
        shares[machine] = kept(dataset.root) / stored
    assert shares["full"] < 0.1
    assert shares["roomy"] > 0.3  # what this machine wrote
