from inspect import signature
from pathlib import Path

import numpy as np
import pytest

from winnow.deduplicate.work_files import CHARS, KEYED, ArrayFile, InputFile, PartitionedFile, WorkFiles


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


@pytest.mark.parametrize("partitions", [1, 3])
def test_each_row_is_read_back_in_its_partition(partitions: int, tmp_path: Path) -> None:
    rows = np.zeros(50, KEYED)
    rows["key"] = np.arange(50)
    of = np.arange(50) * 7 % 5 % partitions
    file = PartitionedFile(tmp_path / "bands.npy", KEYED).spread(rows, of, partitions)
    assert [file.of(n).tolist() for n in range(partitions)] == [rows[of == n].tolist() for n in range(partitions)]
