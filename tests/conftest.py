"""What tests of several rooms share: a real Prefect server for the session, and the real flow on small folders."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from winnow.base.environment import look_for_garbage_rarely, switch_off

switch_off()
look_for_garbage_rarely()  # as the command does; thousands of tests in memory make each look dear
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes would each compile all of the package anew
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "seeds"

Build = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One temporary Prefect server, with a database of its own, for all tests that run a flow."""
    from winnow.server.temporary_server import prefect_api

    with pytest.MonkeyPatch.context() as patch:
        for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"):
            patch.delenv(name, raising=False)
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        with prefect_api():
            yield


@pytest.fixture(scope="session")
def build(prefect_server: None) -> Build:
    """The flow itself; shards run inline unless a test asks for processes."""
    from winnow.build import build as flow

    def run(source: Path | str, into: Path, **options: Any) -> dict[str, Any]:
        return flow(source=str(source), into=str(into), **{"executor": "inline", **options}).as_dict()

    return run


@pytest.fixture(scope="session")
def seeds_dataset(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seeds, published once as v1; read it, do not run on it."""
    from winnow.build import build as flow

    into = tmp_path_factory.mktemp("seeds") / "dataset"
    flow(source=str(SEEDS), into=str(into), executor="inline")
    return into


def write_jsonl(path: Path, records: list[Mapping[str, Any]]) -> Path:
    """The records as one JSONL file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), encoding="utf-8")
    return path
