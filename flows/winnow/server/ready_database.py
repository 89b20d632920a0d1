"""A new database for the temporary server, copied from one that is migrated already.

Prefect makes an empty one and migrates it, which takes four to seven seconds of a processor. That is done once for a
version of Prefect and kept in the user's cache.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from winnow.base.environment import cache_folder


def make_ready() -> None:
    """Lays the database of Prefect's home, where it has none yet; one that is set up elsewhere is left to Prefect."""
    import prefect
    from prefect.settings import get_current_settings

    settings = get_current_settings()
    database = Path(settings.home) / "prefect.db"
    url = settings.server.database.connection_url
    if url and url.get_secret_value() == f"sqlite+aiosqlite:///{database}":
        # Without a cache that can be written, Prefect migrates each new database.
        with contextlib.suppress(OSError, RuntimeError, sqlite3.Error):
            lay_database(database, cache_folder(), prefect.__version__)


def lay_database(database: Path, cache: Path, version: str) -> None:
    """Copies the cache's database to `database` where that does not exist; makes the one of the cache first.

    Raises OSError or sqlite3.Error where the one or the other cannot be written.
    """
    if database.exists():
        return
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _one_at_a_time(cache / "prefect.lock"):
        if database.exists():
            return
        ready = _read_ready(cache, version)
        if ready is None:
            _migrate()
            _keep(database, cache, version)
            return
        beside = database.with_name(f".{database.name}.{os.getpid()}")
        beside.write_bytes(ready)
        beside.replace(database)


def _read_ready(cache: Path, version: str) -> bytes | None:
    """The kept database; its name holds its checksum, and a file that does not fit its name is removed."""
    for path in cache.glob(f"prefect-{version}-*.db"):
        content = path.read_bytes()
        if path.name == _name(version, content):
            return content
        path.unlink()
    return None


def _keep(database: Path, cache: Path, version: str) -> None:
    beside = cache / f".prefect.{os.getpid()}"
    beside.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(database)) as source:
            source.execute("VACUUM INTO ?", [str(beside)])
        beside.replace(cache / _name(version, beside.read_bytes()))
    finally:
        beside.unlink(missing_ok=True)


def _name(version: str, content: bytes) -> str:
    return f"prefect-{version}-{hashlib.sha256(content).hexdigest()[:32]}.db"


def _migrate() -> None:
    from prefect.server.database import provide_database_interface

    asyncio.run(provide_database_interface().create_db())


@contextlib.contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # the kernel lets it go with the process
        yield
