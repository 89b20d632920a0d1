"""A replay on a damaged dataset publishes what it would have published, or says in one message what is in its way."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.articles import article
from tests.attack.damage import KINDS, PLACES, bring_back, link_again, remove
from tests.conftest import write_jsonl
from tests.operate.dataset_runs import rows_of, run_stages
from winnow.base.errors import WinnowError
from winnow.base.recipe import Recipe
from winnow.publish.dataset import Dataset
from winnow.publish.verify import verify

GATE = {"max_reject_share": 1, "max_reject_share_rise": 1}
STRICT, MENDED = (Recipe.model_validate({"validate": {"min_chars": least, **GATE}}) for least in (100, 1))


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of three versions with rejects that wait, of every one of them."""
    folder = tmp_path_factory.mktemp("waiting")
    for n, name in enumerate("abc"):
        records = [{"id": f"{name}{k}", "text": f"{article(10 * n + k)} &amp;amp; more"} for k in range(2)]
        write_jsonl(
            folder / "in" / f"{name}.jsonl", [*records, {"id": f"{name}-short", "text": f"Too short, said {name}."}]
        )
        run_stages(folder / "in", folder / "dataset", recipe=STRICT)
    return folder / "dataset"


def rows(dataset: Path) -> dict[str, list[str]]:
    """Rows of each table, without the name of the run that replayed a reject."""
    found = rows_of(dataset)
    return {**found, "rejects": [re.sub(r"replayed_in='[^']+'", "replayed", row) for row in found["rejects"]]}


def replay(dataset: Path) -> Any:
    return run_stages(dataset.parent / "nowhere", dataset, recipe=MENDED, replay=True)["version"]


@pytest.fixture(scope="module")
def replayed(waiting: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], dict[str, list[str]]]:
    @cache
    def after() -> dict[str, list[str]]:
        copy = shutil.copytree(waiting, tmp_path_factory.mktemp("replayed") / "dataset", symlinks=True)
        assert replay(copy) == 4
        return rows(copy)

    return after


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_a_replay_publishes_every_reject_or_says_what_is_in_its_way(
    waiting: Path, replayed: Callable[[], dict[str, list[str]]], tmp_path: Path, place: str, kind: str
) -> None:
    dataset = tmp_path / "dataset"
    link_again(shutil.copytree(waiting, dataset, symlinks=True))
    KINDS[kind](PLACES[place](dataset))
    found = verify(Dataset(dataset))
    try:
        number = replay(dataset)
    except WinnowError as error:
        assert found or place == "the lock", f"told only when it was too late: {error}"
        assert str(tmp_path) in str(error)
        if (dataset / ".lock").is_dir():
            remove(dataset / ".lock")
        bring_back(dataset, waiting)
        number = replay(dataset)
    assert number == 4
    assert rows(dataset) == replayed()
    assert [p for p in verify(Dataset(dataset)) if p.version in (None, 4)] == []
