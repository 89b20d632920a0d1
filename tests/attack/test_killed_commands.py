"""kill -9 at the points where each writing command changes names in the dataset's folder.

What was published before stays whole, and the command, given again, ends where one ends that nobody disturbed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.conftest import LENIENT, RECORDS
from tests.conftest import ROOT, write_jsonl
from tests.operate.dataset_runs import assert_tidy, assert_whole, rows_of
from winnow.publish.dataset import Dataset
from winnow.run.approval import run_awaiting_approval

SECONDS = 180
POINTS = 8  # of each command, evenly over all that it has

COMMANDS = ("run", "replay", "approve", "withdraw", "erase", "rollback", "prune", "maintain")


def rows(into: Path) -> dict[str, list[str]]:
    """Rows of the last version, without the name of the run that replayed a reject."""
    return {t: [re.sub("replayed_in='[^']+'", "", r) for r in found] for t, found in rows_of(into).items()}


@dataclass
class Start:
    """Datasets to copy and to run on, the words of each command, and the server that they share."""

    folder: Path
    environment: dict[str, str]
    held_run: str = ""
    undisturbed: dict[str, tuple[int, dict[str, list[str]]]] = field(default_factory=dict)

    def words(self, command: str, into: Path) -> list[str]:
        mended, lenient = (str(self.folder / f"{n}.toml") for n in ("mended", "lenient"))
        return {
            "run": ["run", str(self.folder / "later"), "--recipe", lenient, "--full"],
            "replay": ["replay", "--recipe", mended],
            "approve": ["approve", self.held_run, "--because", "signs are wanted"],
            "withdraw": ["withdraw", "kites", "--recipe", lenient],
            "erase": ["erase", "kites", "signs", "--because", "asked", "--recipe", lenient],
            "rollback": ["rollback", "1"],
            "prune": ["prune", "--keep", "1"],
            "maintain": ["maintain"],
        }[command] + ["--into", str(into)]

    def call(self, words: list[str], root: Path | str = "-", kill_at: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.attack.dying_command", str(kill_at), str(root), *words]
        return subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    def copy(self, command: str, place: Path) -> Path:
        source = "held" if command == "approve" else "dataset"
        shutil.rmtree(place, ignore_errors=True)
        return Path(shutil.copytree(self.folder / source, place, symlinks=True))

    def end_of(self, command: str) -> tuple[int, dict[str, list[str]]]:
        """How many changes the command makes, and the rows it ends with."""
        if command not in self.undisturbed:
            into = self.copy(command, self.folder / f"undisturbed-{command}")
            done = self.call(self.words(command, into), into)
            assert done.returncode == 0, done.stderr + done.stdout
            found = re.search(r"changes: (\d+)", done.stdout)
            assert found
            self.undisturbed[command] = int(found[1]), rows(into)
        return self.undisturbed[command]


@pytest.fixture(scope="module")
def start(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    from prefect.settings import PREFECT_API_URL

    folder = tmp_path_factory.mktemp("killed")
    made = Start(folder, {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": str(PREFECT_API_URL.value())})
    (folder / "lenient.toml").write_text(LENIENT)
    (folder / "mended.toml").write_text(LENIENT + "min_letter_share = 0.0\n")
    write_jsonl(folder / "in" / "a.jsonl", RECORDS)
    changed = {**RECORDS[2], "text": str(RECORDS[2]["text"]).replace("children", "fishermen")}
    write_jsonl(folder / "later" / "a.jsonl", [*RECORDS[:2], changed, RECORDS[3]])
    write_jsonl(folder / "signs" / "a.jsonl", [*RECORDS, *({**RECORDS[3], "id": f"signs-{n}"} for n in range(5))])
    into = folder / "dataset"
    for source in ("in", "later", "in"):
        done = made.call(["run", str(folder / source), "--recipe", str(folder / "lenient.toml"), "--into", str(into)])
        assert done.returncode == 0, done.stderr
    shutil.copytree(into, folder / "held", symlinks=True)
    done = made.call(["run", str(folder / "signs"), "--into", str(folder / "held")])
    assert done.returncode == 1, done.stderr
    made.held_run = run_awaiting_approval(Dataset(folder / "held")).run_id
    yield made


@pytest.mark.slow
@pytest.mark.parametrize("point", range(POINTS))
@pytest.mark.parametrize("command", COMMANDS)
def test_a_killed_command_costs_its_own_work_and_nothing_else(
    start: Start, tmp_path: Path, command: str, point: int
) -> None:
    changes, wanted = start.end_of(command)
    assert changes > 2
    into = start.copy(command, tmp_path / "dataset")
    words = start.words(command, into)
    done = start.call(words, into, kill_at=1 + round(point * (changes - 1) / (POINTS - 1)))
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    assert_whole(into)
    again = start.call(words)
    if command == "approve" and "is not waiting" in again.stderr:  # its version stands; the link may lag behind
        assert Dataset(into).latest_version() == 4
        again = start.call(start.words("maintain", into))
    assert again.returncode == 0, again.stderr + again.stdout
    assert rows(into) == wanted
    assert [p for p in (into / ".staging").rglob("*") if p.is_file()] == []
    shutil.rmtree(into / ".staging", ignore_errors=True)  # rollback and prune leave its empty folders
    assert_tidy(into)
