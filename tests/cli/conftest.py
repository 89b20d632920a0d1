"""A small dataset with a history, made once: two versions, a reject that waits, files that no reader knows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import write_jsonl
from typer.testing import CliRunner, Result

from winnow.base.errors import WinnowError
from winnow.cli.main import app

LENIENT = "[validate]\nmax_reject_share = 0.9\n"
RIVER = " ".join(f"Sentence {n} tells of the river and of mill {n * 7} beside it." for n in range(20))
RECORDS = [
    {"id": "river", "text": RIVER},
    {"id": "copy", "text": RIVER + " One more sentence ends it."},
    {"id": "kites", "text": "The kites fly &amp;amp; fall over the sea, and the children on the beach run after them."},
    {"id": "signs", "text": "#### ---- !!!! ???? //// ==== ++++ **** %%%% ____ ::::"},
]

Winnow = Callable[..., Result]


@pytest.fixture(scope="session")
def history(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``in/``, ``lenient.toml`` and ``dataset/`` of two versions. Copy it before you write."""
    from winnow.build import build

    folder = tmp_path_factory.mktemp("history")
    (folder / "lenient.toml").write_text(LENIENT)
    recipe = str(folder / "lenient.toml")
    call = {"source": str(folder / "in"), "into": str(folder / "dataset"), "recipe": recipe, "executor": "inline"}
    write_jsonl(folder / "in" / "a.jsonl", RECORDS)
    for name in ("scan.png", "<b>map.PNG", "noted.dwg", ".hidden"):
        (folder / "in" / name).write_bytes(b"no text")
    build(**call)
    changed = {**RECORDS[2], "text": RECORDS[2]["text"].replace("children", "fishermen")}
    write_jsonl(folder / "in" / "a.jsonl", [*RECORDS[:2], changed, RECORDS[3]])
    build(**call)
    return folder


@pytest.fixture
def own(history: Path, tmp_path: Path) -> Path:
    """The dataset of `history` for a test that writes."""
    into = tmp_path / "dataset"
    shutil.copytree(history / "dataset", into, symlinks=True)
    return into


@pytest.fixture
def winnow() -> Iterator[Winnow]:
    """The command as a person calls it; what it raises on purpose becomes its exit code, as in `winnow.cli.main`."""
    runner = CliRunner()

    def call(*words: object) -> Result:
        result = runner.invoke(app, [str(w) for w in words])
        if result.exception and not isinstance(result.exception, SystemExit | WinnowError):
            raise result.exception
        return result

    yield call
