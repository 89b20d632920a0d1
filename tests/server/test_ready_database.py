"""The migrated database that new homes of Prefect begin with: made once, whole, and only where there is none."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path

import pytest

from winnow.server import ready_database
from winnow.server.ready_database import lay_database, make_ready
from winnow.server.temporary_server import TemporaryServer

VERSION = "9.9.9"


@pytest.fixture
def migrations(tmp_path, monkeypatch):
    """How often a database was migrated; a small one stands for Prefect's."""
    made: list[Path] = []

    def migrate() -> None:
        path = tmp_path / f"home{len(made)}" / "prefect.db"
        made.append(path)
        make(path)

    monkeypatch.setattr(ready_database, "_migrate", migrate)
    return made


def make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE flow_run (id)")
        database.commit()


def tables(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return [name for (name,) in database.execute("SELECT name FROM sqlite_master")]


def lay(tmp_path: Path, home: str, version: str = VERSION) -> Path:
    database = tmp_path / home / "prefect.db"
    database.parent.mkdir(exist_ok=True)
    lay_database(database, tmp_path / "cache", version)
    return database


def kept(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").glob("*.db"))


def test_it_is_made_once_for_a_version_of_prefect(tmp_path, migrations):
    for home in ("home0", "other", "third"):
        assert tables(lay(tmp_path, home)) == ["flow_run"]
    assert len(migrations) == 1 and len(kept(tmp_path)) == 1
    lay(tmp_path, "home1", "10.0.0")
    assert len(migrations) == 2 and len(kept(tmp_path)) == 2
    assert sorted(p.name for p in (tmp_path / "cache").iterdir() if not p.name.endswith(".db")) == ["prefect.lock"]


def test_a_database_that_exists_stays(tmp_path, migrations):
    own = tmp_path / "home" / "prefect.db"
    own.parent.mkdir()
    own.write_bytes(b"the user's own")
    lay(tmp_path, "home")
    assert own.read_bytes() == b"the user's own" and not migrations


@pytest.mark.parametrize("damage", [lambda b: b[:4096], lambda b: b"", lambda b: b[:99] + bytes([b[99] ^ 1]) + b[100:]])
def test_a_damaged_one_is_made_anew(tmp_path, migrations, damage):
    lay(tmp_path, "home0")
    (whole,) = kept(tmp_path)
    whole.write_bytes(damage(whole.read_bytes()))
    assert tables(lay(tmp_path, "home1")) == ["flow_run"]
    assert len(migrations) == 2
    assert tables(lay(tmp_path, "third")) == ["flow_run"]
    assert len(migrations) == 2 and len(kept(tmp_path)) == 1


def test_two_that_begin_at_once_make_it_once(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(ready_database, "_migrate", lambda: (made.append(1), make(tmp_path / "home" / "prefect.db")))
    both = [threading.Thread(target=lay, args=(tmp_path, "home")) for _ in range(4)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert made == [1] and len(kept(tmp_path)) == 1


@pytest.mark.slow
def test_the_temporary_server_makes_it_and_the_next_home_begins_with_it(tmp_path, monkeypatch):
    import prefect

    for name in ("PREFECT_API_DATABASE_CONNECTION_URL", "PREFECT_SERVER_DATABASE_CONNECTION_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    server = TemporaryServer()
    server.api()
    server.stop()
    migrated = tables(tmp_path / "home" / "prefect.db")
    assert "flow_run" in migrated
    monkeypatch.setattr(ready_database, "_migrate", lambda: pytest.fail("it is there already"))
    assert sorted(tables(lay(tmp_path, "next", prefect.__version__))) == sorted(migrated)


def test_a_cache_that_cannot_be_written_leaves_it_to_prefect(tmp_path, monkeypatch):
    from prefect.settings import PREFECT_HOME, temporary_settings

    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(ready_database, "_migrate", lambda: pytest.fail("not without a place to keep it"))
    with temporary_settings({PREFECT_HOME: str(tmp_path / "home")}):
        make_ready()
    assert not (tmp_path / "home" / "prefect.db").exists()
