"""The temporary Prefect server: where one is started before Prefect is asked, whom it answers, how it fails."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from winnow.base.errors import DiskFull, ServerGone
from winnow.server.temporary_server import (
    TemporaryServer,
    give_prefect_a_home,
    may_name_a_server,
    places_without_room,
    prefect_api,
)

API = "http://127.0.0.1:9/api"


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and a home of Prefect without profiles."""
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_where_nothing_could_name_a_server_one_is_started_at_once(alone):
    (alone / "pyproject.toml").write_text('[project]\nname = "mine"\n')
    assert not may_name_a_server()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".env", f"PREFECT_API_URL={API}"),
        ("prefect.toml", f'[api]\nurl = "{API}"'),
        ("pyproject.toml", f'[tool.prefect.api]\nurl = "{API}"'),
        ("home/profiles.toml", f'active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "{API}"'),
    ],
)
def test_where_a_file_may_name_a_server_prefect_is_asked_first(alone, name, content):
    (alone / name).parent.mkdir(exist_ok=True)
    (alone / name).write_text(content)
    assert may_name_a_server()


@pytest.mark.parametrize("variable", ["PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"])
def test_where_the_environment_may_name_a_server_prefect_is_asked_first(alone, monkeypatch, variable):
    monkeypatch.setenv(variable, "something")
    assert may_name_a_server()


def test_prefect_has_the_last_word_and_the_server_that_was_started_ends(alone, monkeypatch):
    """Prefect knows of a server that the quick look has missed: the command goes there, and tells that it is away."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    started: list[TemporaryServer] = []

    def begin() -> TemporaryServer:
        started.append(TemporaryServer())
        return started[0]

    monkeypatch.setattr("winnow.server.temporary_server.TemporaryServer", begin)
    monkeypatch.setattr("winnow.server.outage.START_SECONDS", 0.1)
    with (
        temporary_settings({PREFECT_API_URL: API}),
        pytest.raises(ServerGone, match=r"127\.0\.0\.1:9"),
        prefect_api(),
    ):
        pass
    (server,) = started
    assert server.process.poll() is not None


@pytest.fixture
def own_exit(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What is to be done when the process ends."""
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr("winnow.server.temporary_server.atexit.register", lambda *words, **_: asked.append(words))
    return asked


@pytest.mark.parametrize("home", ["/proc/prefect", "file/prefect"])
def test_a_home_that_cannot_be_written_is_replaced_by_a_private_one(alone, monkeypatch, caplog, own_exit, home):
    (alone / "file").write_text("no folder")
    monkeypatch.setenv("PREFECT_HOME", home)
    give_prefect_a_home()
    private = Path(os.environ["PREFECT_HOME"])
    assert private.stat().st_mode & 0o077 == 0 and list(private.iterdir()) == []
    assert f"{home} cannot be written" in caplog.text
    assert own_exit == [(shutil.rmtree, str(private))]
    shutil.rmtree(private)


@pytest.fixture
def no_room() -> Iterator[Callable[[int], None]]:
    """What lets no file of this process grow beyond so many bytes, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_home_that_is_full_is_replaced_by_a_private_one(alone, no_room, own_exit):
    no_room(1000)
    give_prefect_a_home()
    assert own_exit == [(shutil.rmtree, os.environ["PREFECT_HOME"])]
    assert "No file may exceed 1000 bytes here" in places_without_room()
    shutil.rmtree(os.environ["PREFECT_HOME"])


def test_where_nothing_can_be_written_at_all_that_is_said(alone, no_room, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", None)
    no_room(0)
    with pytest.raises(DiskFull, match=f"{alone / 'home'}, .*: no temporary file can be written"):
        give_prefect_a_home()


def test_a_user_without_a_home_gets_a_private_one(alone, monkeypatch, own_exit):
    def no_home(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("PREFECT_HOME")
    monkeypatch.setattr(Path, "expanduser", no_home)
    give_prefect_a_home()
    assert Path(os.environ["PREFECT_HOME"]).is_dir()
    shutil.rmtree(os.environ["PREFECT_HOME"])


def test_a_home_that_can_be_written_stays_the_users(alone, own_exit):
    give_prefect_a_home()
    assert os.environ["PREFECT_HOME"] == str(alone / "home") and not own_exit


@pytest.fixture
def server(alone: Path) -> Iterator[TemporaryServer]:
    started = TemporaryServer()
    yield started
    started.stop()


def test_it_answers_who_knows_the_password_and_no_page_of_another_site(server):
    api = server.api()
    elsewhere = {"Origin": "https://elsewhere.example"}

    def ask(login: tuple[str, str] | None) -> httpx.Response:
        return httpx.post(f"{api}/flow_runs/filter", json={}, auth=login, headers=elsewhere, trust_env=False)

    user, _, password = server.login.partition(":")
    asked = [ask(None), ask((user, "guessed")), ask((user, password))]
    assert [answer.status_code for answer in asked] == [401, 401, 200]
    asked_first = httpx.options(
        f"{api}/flow_runs/filter", headers={**elsewhere, "Access-Control-Request-Method": "POST"}, trust_env=False
    )
    assert not [a.headers for a in [*asked, asked_first] if "access-control-allow-origin" in a.headers]
    command = Path(f"/proc/{server.process.pid}/cmdline").read_text()
    assert "winnow.server.temporary_server" in command and password not in command


def test_each_has_a_password_of_its_own(server, alone):
    other = TemporaryServer()
    other.stop()
    assert other.login != server.login


@pytest.mark.slow  # one that hangs says it too
def test_one_that_does_not_start_says_why(alone, monkeypatch):
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", f"sqlite+aiosqlite:////{alone}/no/such/folder/prefect.db")
    with pytest.raises(ServerGone, match="unable to open database file") as error:
        TemporaryServer().api()
    assert "exit code 3" in str(error.value) and "PREFECT_API_URL" in str(error.value)


def test_one_that_hangs_is_not_waited_for_for_ever(alone, monkeypatch):
    monkeypatch.setattr("winnow.server.temporary_server.START_SECONDS", 0.0)
    server = TemporaryServer()
    with pytest.raises(ServerGone, match="did not answer within 0 s"):
        server.api()
    assert server.process.poll() is not None
