"""The new files of a table, written by workers of a cluster: the same rows, in the same order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.publish.press import SETTINGS, Press

from winnow import read_version
from winnow.base.errors import DatasetError
from winnow.publish.dataset import Dataset
from winnow.run.executor import InlineExecutor, open_executor

SOURCES = {f"{n}.txt": f"word{n}" for n in range(12)}
SMALL = SETTINGS.model_copy(update={"file_mb": 0})  # a file for each part


def in_three(press: Press, backwards: bool = False) -> dict[str, list[Path]]:
    """The rows of all sources, in three files a table."""
    made = {}
    for name, [path] in press.parts(SOURCES, 1).items():
        rows = pq.read_table(path)
        third = -(-rows.num_rows // 3)
        parts = [path.with_name(f"{name}-{n}.parquet") for n in range(3)]
        for n, part in enumerate(reversed(parts) if backwards else parts):
            pq.write_table(rows.slice(n * third, third), part)
        made[name] = parts
    return made


class DyingWorkers(InlineExecutor):
    """Each call is made twice: the first worker died when it had written some bytes."""

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], **_: Any) -> Iterator[Any]:  # type: ignore[override]
        for args in zip(*iterables, strict=False):
            args[1].parent.mkdir(parents=True, exist_ok=True)
            args[1].write_bytes(b"PAR1 and some of it")
            yield fn(*args)


@pytest.mark.parametrize("kind", ["dask", "dying"])
def test_workers_write_the_same_rows_and_a_file_for_each_share(kind: str, tmp_path: Path) -> None:
    if kind == "dask":
        pytest.importorskip("distributed")
    alone, helped = (Press(Dataset(tmp_path / name), tmp_path / f"{name}-work") for name in ("alone", "helped"))
    assert alone.publish({}, more=in_three(alone), run_id="r", settings=SMALL)
    with DyingWorkers() if kind == "dying" else open_executor("dask", 2) as executor:
        manifest = helped.publish({}, more=in_three(helped), run_id="r", settings=SMALL, executor=executor)
    assert manifest
    for name in ("documents", "passages", "edits", "index", "inputs"):
        found, wanted = (read_version(press.dataset.root, table=name) for press in (helped, alone))
        assert found.equals(wanted), name
        assert found.num_rows >= len(SOURCES)
        assert len(manifest.tables[name].files) == 3
        keys = [read_version(helped.dataset.root, table=name)[c] for c in ("doc_id", "path") if c in found.column_names]
        assert pc.all(pc.less_equal(keys[0][:-1], keys[0][1:])).as_py()


def test_shares_that_are_not_in_order_are_refused(tmp_path: Path) -> None:
    press = Press(Dataset(tmp_path / "dataset"), tmp_path / "work")
    parts = in_three(press, backwards=True)
    with pytest.raises(DatasetError, match="not sorted by"):
        press.publish({}, more=parts, settings=SMALL, executor=InlineExecutor())
    assert press.dataset.latest_version() is None
