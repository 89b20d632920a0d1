"""A folder of records that a test may change, and the flows on it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import write_jsonl

from winnow.publish.dataset import Dataset

RIVER = " ".join(f"Sentence {n} tells of the river and of mill {n * 7} beside it." for n in range(20))
GOOD = [
    {"id": "river", "text": RIVER},
    {"id": "kites", "text": "The kites fly over the sea, and the children on the beach run after them all day."},
]
SIGNS = {"id": "signs", "text": "#### ---- !!!! ???? //// ==== ++++ **** %%%% ____ ::::"}


@dataclass
class Place:
    """Input, recipes and dataset of one test; shards run inline."""

    folder: Path

    @property
    def dataset(self) -> Dataset:
        return Dataset(self.folder / "dataset")

    def write(self, records: Sequence[dict[str, Any]], more: str = "") -> None:
        path = write_jsonl(self.folder / "in" / "a.jsonl", list(records))
        with path.open("a") as file:
            file.write(more)

    def recipe(self, text: str) -> str:
        path = self.folder / "recipe.toml"
        path.write_text(text)
        return str(path)

    def call(self, **more: Any) -> dict[str, Any]:
        return {"into": str(self.dataset.root), "executor": "inline", **more}

    def build(self, **more: Any) -> dict[str, Any]:
        from winnow.build import build

        return build(**self.call(source=str(self.folder / "in"), **more)).as_dict()


@dataclass(frozen=True)
class History:
    """A dataset with one version (copy it, do not run on it), the source of the next, and the rows of that one.

    ``seconds`` is how long the run to it takes in a process of its own.
    """

    dataset: Path
    source: Path
    rows: dict[str, list[str]]
    seconds: float

    def copy_to(self, place: Path) -> Path:
        """A copy to run on; what stood there goes."""
        shutil.rmtree(place, ignore_errors=True)
        return Path(shutil.copytree(self.dataset, place, symlinks=True))


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Two batches of articles: the first published, the second published elsewhere, undisturbed."""
    from tests.operate.dataset_runs import assert_tidy, in_child, rows_of, run_quickly, two_batches

    folder = tmp_path_factory.mktemp("history")
    first, second = two_batches(folder)
    seconds = 0.0
    for source, into in ((first, folder / "v1"), (second, folder / "v2")):
        if source == second:
            shutil.copytree(folder / "v1", into, symlinks=True)
        began = time.monotonic()
        child = in_child(run_quickly, source, into)
        child.join(300)
        assert child.exitcode == 0
        seconds = time.monotonic() - began
    assert_tidy(folder / "v2")
    return History(folder / "v1", second, rows_of(folder / "v2"), seconds)


@pytest.fixture
def place(prefect_server: None, tmp_path: Path) -> Place:
    return Place(tmp_path)
