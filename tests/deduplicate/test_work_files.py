from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from winnow.deduplicate import array_files
from winnow.deduplicate.array_files import ArrayFile, PartitionedFile, gather
from winnow.deduplicate.work_files import CHARS, KEYED, InputFile, WorkFiles
from winnow.run.executor import InlineExecutor


def paths_in(made: object) -> list[Path]:
    """The files that a method of WorkFiles names."""
    if isinstance(made, Path):
        return [made]
    return [path for name in getattr(made, "__slots__", ()) for path in paths_in(getattr(made, name))]


def test_no_two_work_files_share_a_name(tmp_path: Path) -> None:
    files = WorkFiles(tmp_path)
    one = InputFile(path=tmp_path, name="new-0")
    given = {
        "fact": "arrival",
        "label": "near",
        "partition": 0,
        "part": 0,
        "index": one,
        "passages": one,
        "inputs": [one],
        "span": 0,
        "name": "copies",
        "dtype": KEYED,
    }
    paths: list[Path] = []
    for name in (n for n in dir(WorkFiles) if not n.startswith("_") and n != "folder"):
        made = getattr(files, name)
        if callable(made):
            made = made(*(given[name] for name in signature(made).parameters))
        paths += paths_in(made)
    assert len(paths) == len(set(paths)) >= 20
    assert {path.parent for path in paths} == {tmp_path}


def test_a_file_takes_no_rows_of_another_type(tmp_path: Path) -> None:
    file = ArrayFile(tmp_path / "chars.npy", CHARS)
    with pytest.raises(TypeError, match=r"chars\.npy holds .*chars.*, not uint32"):
        file.save(np.zeros(3, np.uint32))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sizes", [[], [0], [1], [7, 0, 5], [3, 3, 3]])
def test_values_of_several_arrays_are_sorted_in_a_file_each_once(
    sizes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_files, "_SORTED_AT_A_TIME", 2)
    rng = np.random.default_rng(len(sizes))
    parts = [rng.integers(0, 4, size).astype(np.uint64) for size in sizes]
    file = WorkFiles(tmp_path).candidate_pairs("copies")
    found = file.distinct(iter(parts), sum(sizes) + 2)  # with room for more
    assert found.tolist() == sorted({value for part in parts for value in part.tolist()})


@pytest.mark.parametrize("partitions", [1, 3])
def test_each_row_is_read_back_in_its_partition(partitions: int, tmp_path: Path) -> None:
    rows = np.zeros(50, KEYED)
    rows["key"] = np.arange(50)
    of = np.arange(50) * 7 % 5 % partitions
    file = PartitionedFile(tmp_path / "bands.npy", KEYED).spread(rows, of, partitions)
    assert [file.of(n).tolist() for n in range(partitions)] == [rows[of == n].tolist() for n in range(partitions)]


def exchanged(folder: Path, files: int, partitions: int) -> list[list[object]]:
    """The rows of each partition, gathered from so many files, which have 10 rows each."""
    rng = np.random.default_rng(files)
    parts = []
    folder.mkdir()
    for n in range(files):
        rows = np.zeros(10, KEYED)
        rows["key"], rows["rank"] = rng.integers(0, partitions, 10), n
        file = PartitionedFile(folder / f"bands-new-{n}.npy", KEYED)
        parts.append(file.spread(rows, rows["key"].astype(np.int64), partitions))
    return [one.load().tolist() for one in gather(parts, KEYED, partitions, InlineExecutor())]


@pytest.mark.parametrize("files", [1, 5, 23])
@pytest.mark.parametrize("partitions", [1, 23])
def test_merging_the_files_of_an_exchange_changes_no_row_and_no_order(
    files: int, partitions: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = exchanged(tmp_path / "plain", files, partitions)
    monkeypatch.setattr(array_files, "MOST_PARTS", 4)
    assert exchanged(tmp_path / "merged", files, partitions) == plain
    assert sum(map(len, plain)) == 10 * files


def test_reads_and_files_of_an_exchange_grow_with_the_rows_and_not_with_files_times_partitions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = {"reads": 0, "files": 0}
    read, whole = array_files.bytes_of, array_files.whole_file

    def counted(kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def count(*args: Any) -> Any:
            done[kind] += 1
            return call(*args)

        return count

    monkeypatch.setattr(array_files, "bytes_of", counted("reads", read))
    monkeypatch.setattr(array_files, "whole_file", counted("files", whole))
    monkeypatch.setattr(array_files, "MOST_PARTS", 4)
    found = []
    for size in (32, 64):
        done.update(reads=0, files=0)
        exchanged(tmp_path / f"{size}", size, size)
        found.append(dict(done))
    small, large = found
    assert large["reads"] < 2 * 32 * 32 * 2  # what two reads of each of 32 files for each partition of 32 would be
    assert large["reads"] <= 2.5 * small["reads"] and large["files"] <= 2.5 * small["files"]
