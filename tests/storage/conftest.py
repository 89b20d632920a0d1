"""A dataset under an address of its own for each test, on a real local S3 server, and machines that use it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from tests.publish.press import Press
from tests.s3_server import serve_s3

from winnow.base import object_store
from winnow.base.disk import Checkpoint, no_checkpoint
from winnow.base.object_store import Store, parse_address
from winnow.publish.dataset import Dataset
from winnow.storage.locations import locate_dataset, open_dataset

_NUMBERS = count()


@pytest.fixture(scope="session")
def s3_fetched() -> list[str]:
    """The paths of objects that were read from the server, one a request."""
    return []


@pytest.fixture(scope="session")
def s3_environment(s3_fetched: list[str]) -> Iterator[dict[str, str]]:
    """What the environment says of the server."""
    pytest.importorskip("moto.server", reason="the local S3 server needs moto[server]")
    with serve_s3("datasets", fetched=s3_fetched) as environment:
        yield environment


@dataclass(frozen=True)
class Bucket:
    """One dataset's address; machines differ in their cache folder, and share nothing else."""

    url: str
    folder: Path
    paths: list[str] = field(default_factory=list)

    def machine(self, name: str = "one", checkpoint: Checkpoint = no_checkpoint, lease_seconds: float = 60) -> Press:
        """A machine that publishes; its dataset is not pulled yet."""
        os.environ["WINNOW_CACHE"] = str(self.folder / name)  # the fixture puts it back
        dataset = locate_dataset(self.url, checkpoint)
        dataset.remote.lease_seconds = lease_seconds  # type: ignore[union-attr]
        # Run ids come from the ticks: no two machines have one in common.
        return Press(dataset, self.folder / f"work {name}", ticks=1000 * next(_NUMBERS))

    def read(self, name: str = "reader") -> Dataset:
        """The dataset as a machine reads it now."""
        os.environ["WINNOW_CACHE"] = str(self.folder / name)
        return open_dataset(self.url)

    @contextmanager
    def fetched(self) -> Iterator[list[str]]:
        """What the body reads of this dataset: names of objects, sorted, one a request; lists are not counted."""
        names: list[str] = []
        start, prefix = len(self.paths), "/" + self.url.removeprefix("s3://") + "/"
        yield names
        names += sorted(path.partition(prefix)[2] for path in self.paths[start:])

    @property
    def store(self) -> Store:
        return Store(parse_address(self.url))


@pytest.fixture
def bucket(
    s3_environment: dict[str, str], s3_fetched: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Bucket:
    for name, value in {**s3_environment, "WINNOW_CACHE": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(object_store, "_PAGE", 20)  # as where there are too many objects for one answer of the store
    return Bucket(f"s3://datasets/test {next(_NUMBERS)}/articles", tmp_path, s3_fetched)
