"""How a command ends is told by its exit code, and a command that writes waits for another one where it is asked to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import LENIENT, RIVER, Winnow
from tests.conftest import Build, write_jsonl

from winnow.base import errors
from winnow.cli import main as command
from winnow.cli.options import opened
from winnow.publish.dataset import Dataset
from winnow.server import tasks
from winnow.storage.lock import current_writer, lock_dataset

ENDS = [
    (errors.GateHeld("x"), 1),
    (errors.RecipeError("x"), 2),
    (errors.ServerGone("x"), 3),
    (errors.DatasetBusy("x"), 4),
    (errors.NoSuchVersion("x"), 2),
    (errors.DatasetDamaged("x"), 5),
    (errors.DiskFull("x"), 5),
    (errors.ContractBroken("x"), 70),
    (KeyboardInterrupt(), 130),
    (command.Terminated(), 143),
]


@pytest.mark.parametrize(("error", "code"), ENDS, ids=lambda value: type(value).__name__)
def test_each_way_to_end_has_its_code(monkeypatch, capsys, error, code):
    assert ended_with(monkeypatch, error) == code
    said = capsys.readouterr().err
    assert said == ("winnow: x\n" if str(error) else "")


def test_what_nobody_foresaw_is_an_internal_error_with_its_traceback(monkeypatch, capsys):
    assert ended_with(monkeypatch, ValueError("odd")) == 70
    said = capsys.readouterr().err
    assert "ValueError: odd" in said and "please report it" in said.splitlines()[-1]


def test_a_file_that_cannot_be_used_is_named_without_a_traceback(monkeypatch, capsys):
    assert ended_with(monkeypatch, PermissionError(13, "Permission denied", "x/y")) == 5
    assert capsys.readouterr().err.startswith("winnow: x/y: permission denied; ")


def test_damage_that_a_command_stumbles_over_is_named_with_the_remedy(own, monkeypatch, capsys):
    next((own / "v2" / "documents").iterdir()).unlink()

    def look() -> None:
        opened(str(own))
        raise ValueError("odd")

    assert ended_with(monkeypatch, look) == 5
    said = capsys.readouterr().err
    assert "v2/documents/" in said and "is missing" in said and "winnow verify" in said and "odd" not in said


def ended_with(monkeypatch: pytest.MonkeyPatch, does: BaseException | Callable[[], None]) -> object:
    def fail() -> None:
        if isinstance(does, BaseException):
            opened("no dataset")
            raise does
        does()

    monkeypatch.setattr(command, "app", fail)
    monkeypatch.setattr(command, "switch_off", lambda: None)
    monkeypatch.setattr(command, "run_no_code_of_the_folder", lambda: None)
    with pytest.raises(SystemExit) as end:
        command.main()
    return end.value.code


@pytest.fixture
def busy(own: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Another run writes to `own`, until the event is set."""
    monkeypatch.chdir(own.parent)
    Path("lenient.toml").write_text(LENIENT)
    done, begun = threading.Event(), threading.Event()

    def write() -> None:
        with lock_dataset(Dataset(own), "other-run"):
            begun.set()
            done.wait(60)

    thread = threading.Thread(target=write)
    thread.start()
    assert begun.wait(10)
    yield done
    done.set()
    thread.join()


WRITERS = [
    ("prune", "--keep", 1),
    ("maintain",),
    ("rollback", 1),
    ("verify", "--mend"),
    ("withdraw", "kites", "--recipe", "lenient.toml"),
    ("replay",),
]


@pytest.mark.parametrize(
    "words",
    [WRITERS[0], *(pytest.param(words, marks=pytest.mark.slow) for words in WRITERS[1:])],
    ids=lambda words: words[0],
)
def test_a_command_that_writes_waits_for_another_run_where_it_is_asked_to(winnow: Winnow, own, busy, in_process, words):
    refused = winnow(*words, "--into", own)
    assert isinstance(refused.exception, errors.DatasetBusy)
    assert "run other-run (process" in str(refused.exception)
    threading.Timer(0.5, busy.set).start()
    began = time.monotonic()
    done = winnow(*words, "--into", own, "--wait", 60)
    assert done.exit_code == 0, done.output
    assert time.monotonic() - began > 0.4


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flows run on the server of the tests, their shards in this process."""
    from contextlib import contextmanager

    from winnow.run.executor import InlineExecutor

    @contextmanager
    def inline(*_: object) -> Iterator[InlineExecutor]:
        yield InlineExecutor()

    @contextmanager
    def no_server(meanwhile: object) -> Iterator[str]:
        yield "http://127.0.0.1:9/api"

    monkeypatch.setattr("winnow.server.tasks.open_executor", inline)
    monkeypatch.setattr("winnow.cli.flow_call.prefect_api", no_server)


def test_the_run_that_writes_is_named_as_it_is_published(build: Build, tmp_path, monkeypatch):
    writers = []

    def recover(dataset: Dataset) -> tuple[str, ...]:
        writers.append(current_writer(dataset))
        return ()

    monkeypatch.setattr(tasks, "recover_dataset", recover)
    write_jsonl(tmp_path / "in" / "a.jsonl", [{"id": "river", "text": RIVER}])
    build(tmp_path / "in", tmp_path / "dataset")
    assert [w.run for w in writers] == [Dataset(tmp_path / "dataset").manifest(1).run_id]
