"""A dataset that stands on S3, from run to run and from machine to machine, with a real local server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow.dataset as pads
import pytest
from deltalake import DeltaTable
from pyarrow import fs
from tests.articles import damaged_batch
from tests.conftest import ROOT, write_jsonl
from tests.operate.conftest import SIGNS
from tests.operate.dataset_runs import assert_tidy, in_child, rows_of, run_stages, two_batches
from tests.s3_server import serve_s3
from typer.testing import CliRunner

from winnow.base.errors import DatasetBusy
from winnow.base.files import at_hand
from winnow.base.object_store import Store, parse_address
from winnow.cli.main import app
from winnow.publish.verify import verify
from winnow.repair.engine.ledger import undo
from winnow.storage.locations import open_dataset

pytest.importorskip("moto.server", reason="the local S3 server needs moto[server]")
URL = "s3://datasets/articles"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The server's environment, with a cache for this machine."""
    with serve_s3("datasets") as found, pytest.MonkeyPatch.context() as patch:
        found["WINNOW_CACHE"] = str(tmp_path_factory.mktemp("cache"))
        for name, value in found.items():
            patch.setenv(name, value)
        yield found


@pytest.fixture(scope="module")
def published(tmp_path_factory, environment):
    """Two batches run into a folder and into S3; the folder of both."""
    folder = tmp_path_factory.mktemp("runs")
    for source in two_batches(folder):
        run_stages(source, folder / "local")
        run_stages(source, URL)
    return folder


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """Another machine: an empty cache."""
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path / "cache"))


def objects() -> dict[str, str]:
    return {n: e.tag for n, e in Store(parse_address(URL)).entries().items() if n != ".lock.json"}


def test_the_rows_are_those_of_a_dataset_in_a_folder(published, elsewhere):
    dataset = open_dataset(URL)
    assert dataset.version_numbers() == [1, 2]
    dataset.lay_out((1, 2))
    for version in (1, 2):
        assert rows_of(dataset.root, version) == rows_of(published / "local", version)
    assert_tidy(dataset.root)
    assert dataset.remote.verify() == []
    page = at_hand(dataset.index_page).read_text("utf-8")
    assert all(f'href="v{version}/report.html"' in page for version in (1, 2)), "reports lead there"


def test_an_unchanged_run_uploads_nothing_from_whichever_machine(published, elsewhere):
    before = objects()
    assert run_stages(published / "second", URL)["version"] is None
    assert objects() == before


def test_others_read_it_from_the_server_without_winnow(published, environment):
    wanted = sorted(pd.read_parquet(published / "local/v1/documents").text)
    endpoint = environment["AWS_ENDPOINT_URL"]
    options = {"key": "test-key", "secret": "test-secret"}
    system = fs.S3FileSystem(endpoint_override=endpoint, access_key=options["key"], secret_key=options["secret"])
    assert (
        sorted(pads.dataset("datasets/articles/v1/documents", filesystem=system).to_table()["text"].to_pylist())
        == wanted
    )
    assert sorted(pd.read_parquet("datasets/articles/v1/documents", filesystem=system).text) == wanted
    delta = DeltaTable(f"{URL}/tables/documents", storage_options={"AWS_ALLOW_HTTP": "true"})
    plain = pl.read_parquet(f"{URL}/v1/documents/*.parquet", storage_options={"aws_allow_http": "true"})
    assert sorted(plain["text"].to_list()) == wanted
    now = sorted(pd.read_parquet(published / "local/latest/documents").text)
    assert sorted(delta.to_pyarrow_table()["text"].to_pylist()) == now


def write_slowly(source: Path, url: str, environment: dict[str, str], mark: Path, on: Path) -> None:
    """A run that waits with the dataset in its hands until `on` is there; exit code 3 where another one has it."""
    os.environ.update(environment)

    def at(step: str) -> None:
        if step == "read":
            mark.touch()
            while not on.exists():
                time.sleep(0.05)

    try:
        run_stages(source, url, at=at)
    except DatasetBusy:
        os._exit(3)


@pytest.mark.slow
def test_two_runs_at_once_publish_one_after_the_other(published, environment, elsewhere, tmp_path):
    url, mark, on = "s3://datasets/two at once", tmp_path / "mark", tmp_path / "on"
    on_machine = [{**environment, "WINNOW_CACHE": str(tmp_path / name)} for name in ("a", "b")]
    first = in_child(write_slowly, published / "first", url, on_machine[0], mark, on)
    while not mark.exists():
        assert first.is_alive()
        first.join(0.05)
    second = in_child(write_slowly, published / "second", url, on_machine[1], mark, on)
    second.join(60)
    assert second.exitcode == 3
    with pytest.raises(DatasetBusy, match=rf"^{url}: run 2\w+-\w+ \(process {first.pid} on .+\) is writing"):
        run_stages(published / "second", url)
    on.touch()
    run_stages(published / "second", url, wait_seconds=60)
    first.join(60)
    assert first.exitcode == 0
    dataset = open_dataset(url)
    dataset.lay_out((1, 2))
    for version in (1, 2):
        assert rows_of(dataset.root, version) == rows_of(published / "local", version)
    assert_tidy(dataset.root)
    assert dataset.remote.verify() == []


def winnow(*words: object, environment: dict[str, str], cache: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "winnow", *map(str, words)]
    own = {**os.environ, **environment, "PYTHONPATH": str(ROOT), "WINNOW_CACHE": str(cache)}
    return subprocess.run(command, capture_output=True, text=True, env=own, timeout=300, check=False)


@pytest.mark.parametrize(
    "words", [["versions"], ["show", 1], ["status"], ["diff", 1, 2], ["rejects"], ["gate"], ["verify", 2]]
)
def test_commands_that_look_take_the_address(published, elsewhere, words):
    done = CliRunner().invoke(app, [*map(str, words), "--into", URL, "--json"])
    assert done.exit_code == 0, done.output
    json.loads(done.output)


def test_a_version_is_handed_out_from_the_store(published, elsewhere, tmp_path):
    assert CliRunner().invoke(app, ["export", "1", "--to", str(tmp_path / "out"), "--into", URL]).exit_code == 0
    assert len(pd.read_parquet(tmp_path / "out/documents")) > 0
    assert f"in {URL}/v2" in CliRunner().invoke(app, ["show", "--into", URL]).output


def test_an_address_with_credentials_is_refused_without_repeating_them(environment, tmp_path):
    words = ("run", "seeds", "--into", "s3://key:secret@datasets/x")
    done = winnow(*words, environment=environment, cache=tmp_path)
    assert done.returncode == 2
    assert "holds no credentials" in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.slow
def test_everything_that_writes_goes_through_the_address_from_two_machines(environment, tmp_path):
    """The whole command line: a held version approved elsewhere, rollback, withdraw, prune, maintain, replay."""
    url = "s3://datasets/everything"
    source, records = tmp_path / "in", damaged_batch(18)
    write_jsonl(source / "a.jsonl", records[:9])

    def on(machine: str, *words: object, code: int = 0) -> str:
        done = winnow(*words, "--into", url, environment=environment, cache=tmp_path / machine)
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout + done.stderr

    assert f"Published v1 in {url}/v1" in on("one", "run", source)
    assert "Nothing changed" in on("two", "run", source)
    write_jsonl(source / "signs.jsonl", [{**SIGNS, "id": f"signs-{n}"} for n in range(9)])
    held = on("one", "run", source, code=1)
    run_id = re.search(rf"winnow approve (\S+) --because REASON --into {url}", held)[1]
    assert run_id in on("two", "gate", code=1)
    assert f"Published v2 in {url}/v2" in on("two", "approve", run_id, "--because", "seen")
    assert "v3" in on("one", "rollback", 1)
    assert "v4" in on("two", "withdraw", records[0]["id"])
    on("one", "replay")
    on("two", "maintain")
    on("one", "prune", "--keep", 1)
    assert "Sound" in on("three", "verify")
    dataset = open_dataset(url)
    assert len(dataset.version_numbers()) == 1
    assert verify(dataset, undo=undo) == []
