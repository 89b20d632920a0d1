"""A reader in a loop never sees half a version, and a second writer never gets in between."""

import multiprocessing
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.publish.press import SETTINGS, START, Press, sources

from winnow.base.errors import DatasetBusy
from winnow.publish.dataset import Dataset
from winnow.publish.housekeeping import compact, prune, vacuum
from winnow.storage.lock import lock_dataset


def _read_on(root: Path, stop: Path, told: Path) -> None:
    """Read `latest` until told to stop; write down every version's set of words that was seen."""
    seen: set[tuple[str, ...]] = set()
    misses = reads = 0
    while not stop.exists():
        try:
            rows = pq.read_table(root / "latest" / "documents", columns=["text"])
        except (FileNotFoundError, pa.ArrowInvalid):  # `latest` moved on between listing and opening: read again
            misses += 1
            continue
        reads += 1
        seen.add((*sorted({t.split()[1] for t in rows["text"].to_pylist()}), str(rows.num_rows)))
    told.write_text(repr((reads, misses, sorted(seen))))


@pytest.mark.slow
def test_a_reader_of_latest_sees_whole_versions_only(press: Press, tmp_path: Path) -> None:
    press.publish(sources("a", "b", "c", word="word0"))
    stop, told = tmp_path / "stop", tmp_path / "told"
    reader = multiprocessing.get_context("spawn").Process(target=_read_on, args=(press.dataset.root, stop, told))
    reader.start()
    time.sleep(1)
    for n in range(1, 9):
        # All documents change at once, so a mixture of two versions would show two words.
        press.publish(sources("a", "b", "c", word=f"word{n}"))
        if n == 4:
            compact(press.dataset, "compact", SETTINGS, START)
            prune(press.dataset, 2)
            vacuum(press.dataset)
    stop.touch()
    reader.join(30)
    reads, _, seen = eval(told.read_text())
    assert reads > 10
    assert len(seen) > 1
    assert all(len(words) == 2 and words[1] == "3" for words in seen)


def _publish(root: Path, name: str, told: Path) -> None:
    press = Press(Dataset(root), root.parent / f"work {name}")
    done = 0
    for n in range(4):
        try:
            press.publish(sources(f"{name}{n}"), run_id=f"{name}-{n}", checkpoint=lambda step: time.sleep(0.005))
            done += 1
        except DatasetBusy as error:
            assert "is writing" in str(error)
    told.write_text(str(done))


@pytest.mark.slow
def test_two_writers_at_once_lose_nothing_and_one_is_told_to_wait(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path / "dataset")
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_publish, args=(dataset.root, name, tmp_path / f"told {name}")) for name in ("x", "y")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    done = sum(int((tmp_path / f"told {n}").read_text()) for n in ("x", "y"))
    assert dataset.latest_version() == done > 0
    assert dataset.published()[-1].tables["documents"].rows == done


def test_a_writer_may_wait_for_the_other(press: Press) -> None:
    with lock_dataset(press.dataset, "first"), pytest.raises(DatasetBusy, match="first"):
        press.publish(sources("a"))
    press.publish(sources("a"))
