"""Every kind of damage to every place of a dataset is undone, or said in one clear message with a way back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.attack.damage import KINDS, PLACES, bring_back, link_again, remove
from tests.publish.press import SETTINGS, Press, sources
from winnow.base.contracts import TABLES
from winnow.base.errors import WinnowError
from winnow.base.files import at_hand
from winnow.publish.dataset import Dataset
from winnow.publish.housekeeping import compact, prune, vacuum
from winnow.publish.recover import recover
from winnow.publish.verify import verify
from winnow.publish.version import rollback
from winnow.storage.lock import lock_dataset

Rows = dict[str, list[str]]

PER_RUN = ["run_id", "first_version"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of three versions: rows added, one document changed, one withdrawn."""
    folder = tmp_path_factory.mktemp("sound")
    press = Press(Dataset(folder / "dataset"), folder / "work")
    press.publish(sources("a", "b", "c", "d"))
    press.publish(sources("e", "b", word="other"))
    press.publish(sources("f"), withdrawn=["c"])
    return folder / "dataset"


def rows(dataset: Dataset, version: int) -> Rows:
    """Rows of each table of a version as texts, without what names the run."""
    found = {}
    dataset.lay_out([version])
    for name in TABLES:
        if name != "runs":
            for file in (dataset.view(version) / name).iterdir():
                at_hand(file)
            table = pq.read_table(dataset.view(version) / name, partitioning=None)
            found[name] = sorted(
                map(repr, table.drop_columns([c for c in PER_RUN if c in table.column_names]).to_pylist())
            )
    return found


def later(folder: Path) -> Press:
    press = Press(Dataset(folder / "dataset"), folder / "later")
    press.ticks = 100
    return press


def next_run(press: Press) -> None:
    press.publish(sources("g"))


def prune_to_two(press: Press) -> None:
    with lock_dataset(press.dataset, "prune"):
        recover(press.dataset)
        prune(press.dataset, 2)
        vacuum(press.dataset)


def join_files(press: Press) -> None:
    with lock_dataset(press.dataset, "compact"):
        recover(press.dataset)
        compact(press.dataset, "compact", SETTINGS, press.clock() + timedelta(days=1))
        vacuum(press.dataset)


def go_back(press: Press, to: int = 1) -> None:
    with lock_dataset(press.dataset, "rollback"):
        recover(press.dataset, to_go_back=True)
        rollback(press.publication(press.run("rollback")), to)


def only_mend(press: Press) -> None:
    with lock_dataset(press.dataset, "mend"):
        recover(press.dataset)


ACTIONS: dict[str, Callable[[Press], None]] = {
    "a run": next_run,
    "prune": prune_to_two,
    "maintain": join_files,
    "rollback": go_back,
    "verify --mend": only_mend,
}


@pytest.fixture(scope="module")
def undamaged(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[int, Rows]]:
    """Rows by version after an action on a dataset that nothing happened to."""

    @cache
    def after(action: str) -> dict[int, Rows]:
        folder = tmp_path_factory.mktemp("undamaged")
        shutil.copytree(sound, folder / "dataset", symlinks=True)
        press = later(folder)
        ACTIONS[action](press)
        return {n: rows(press.dataset, n) for n in press.dataset.version_numbers()}

    return after


def cases() -> Iterator[object]:
    """A run meets some of the damage in the default tests; the rest is for the slow ones."""
    for place in PLACES:
        for kind in KINDS:
            for action in ACTIONS:
                quick = action == "a run" and (place, kind) in BRIEF
                yield pytest.param(place, kind, action, marks=() if quick else pytest.mark.slow)


BRIEF = (
    ("the last entry of a log", "removed"),
    ("the manifest", "removed"),
    ("the link latest", "removed"),
    ("the lock", "one byte flipped"),
    ("a file of table index", "removed"),
    ("a file of table index", "one byte flipped"),
)


@pytest.mark.parametrize(("place", "kind", "action"), cases())
def test_damage_is_undone_or_told(
    sound: Path, undamaged: Callable[[str], dict[int, Rows]], tmp_path: Path, place: str, kind: str, action: str
) -> None:
    link_again(shutil.copytree(sound, tmp_path / "dataset", symlinks=True))
    KINDS[kind](PLACES[place](tmp_path / "dataset"))
    press = later(tmp_path)
    found = verify(press.dataset)
    wanted = undamaged(action)
    try:
        ACTIONS[action](press)
    except WinnowError as error:
        assert found or place == "the lock", f"told only when it was too late: {error}"
        assert str(tmp_path) in str(error)
        _walk_back(press, sound, undamaged)
        return
    number = max(wanted)
    assert press.dataset.latest_version() == number
    assert rows(press.dataset, number) == wanted[number]
    assert [p for p in verify(press.dataset) if p.version in (None, number)] == []


def _walk_back(press: Press, sound: Path, undamaged: Callable[[str], dict[int, Rows]]) -> None:
    """The ways that the message names lead back: an older version that is whole, or what was lost brought back."""
    dataset = press.dataset
    if dataset.lock_path.is_dir():
        remove(dataset.lock_path)
    else:
        for number in reversed([n for n in dataset.version_numbers() if not verify(dataset, n)]):
            if number != dataset.last_number():
                go_back(press, number)
                assert dataset.latest_version() == 4, "the number of a lost version is not used again"
                assert rows(dataset, 4) == undamaged("a run")[number]
                return
        bring_back(dataset.root, sound)
    next_run(press)
    assert rows(dataset, 4) == undamaged("a run")[4]
