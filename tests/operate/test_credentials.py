"""A password is taken from the environment alone, and stands nowhere after a run: not on disk, not in what is said."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.conftest import SEEDS
from tests.operate.dataset_runs import environment

from winnow.base.addresses import refuse_credentials
from winnow.base.errors import UsageError
from winnow.cli.make import run
from winnow.cli.serve import serve

CANARY = "kanarienvogel7"
HELD = "[validate]\nmin_documents = 1000\n"


@pytest.mark.parametrize(
    "call",
    [
        {"source": f"s3://key:{CANARY}@bucket/a"},
        {"source": f"s3://bucket/a?session_token={CANARY}"},
        {"source": f"ftp://user:{CANARY}@host/a"},
        {"into": f"s3://key:{CANARY}@bucket/dataset"},
        {"address": f"tcp://user:{CANARY}@127.0.0.1:8786"},
    ],
    ids=lambda call: next(iter(call)),
)
def test_an_address_with_a_password_is_a_wrong_call_that_does_not_repeat_it(call, tmp_path):
    given = {"source": str(SEEDS), "into": str(tmp_path / "dataset"), **call}
    with pytest.raises(UsageError, match="put them in the environment") as told:
        run(**given, workers=1)
    assert CANARY not in str(told.value)
    assert list(tmp_path.iterdir()) == []


def test_nor_is_one_served(tmp_path):
    with pytest.raises(UsageError, match="put them in the environment") as told:
        serve(f"s3://key:{CANARY}@bucket/a", str(tmp_path))
    assert CANARY not in str(told.value)


@pytest.mark.parametrize("place", ["s3://bucket/a?endpoint_override=x&region=y", "C:/a:b@c", "tcp://host:8786"])
def test_an_address_without_a_password_is_taken(place):
    refuse_credentials(place, None)


def everything_in(folder: Path) -> dict[str, str]:
    """All files as texts: Parquet unpacked, databases read out, and every name."""
    found = {}
    for path in (p for p in folder.rglob("*") if p.is_file()):
        text = f"{path}\n" + path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".parquet":
            text += repr(pq.read_table(path).to_pydict())
        found[str(path)] = text
    for path in folder.rglob("*.db"):
        with sqlite3.connect(path) as database:
            found[f"{path}: dump"] = "\n".join(database.iterdump())
    return found


@pytest.mark.slow
def test_a_password_from_the_environment_stands_nowhere_after_a_run(tmp_path):
    """A real store, the real command: one run that is held back, and one that publishes."""
    pytest.importorskip("moto.server")
    from moto.server import ThreadedMotoServer
    from pyarrow import fs

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        system = fs.S3FileSystem(
            endpoint_override=f"{host}:{port}", scheme="http", access_key="key", secret_key=CANARY, region="us-east-1",
            allow_bucket_creation=True,
        )  # fmt: skip
        system.create_dir("news")
        for seed in SEEDS.iterdir():
            with system.open_output_stream(f"news/{seed.name}") as out:
                out.write(seed.read_bytes())
        own = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": CANARY, "AWS_DEFAULT_REGION": "us-east-1"}
        own |= {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "PREFECT_HOME": str(tmp_path / "home")}
        clean = {k: v for k, v in environment().items() if k != "PREFECT_API_URL"}
        (tmp_path / "held.toml").write_text(HELD)
        said = ""
        for options, code in ((["--recipe", "held.toml"], 1), ([], 0)):
            command = [
                sys.executable,
                "-m",
                "winnow.cli.main",
                "run",
                "s3://news",
                "--into",
                "dataset",
                "--workers",
                "1",
            ]
            done = subprocess.run(
                [*command, *options], cwd=tmp_path, env={**clean, **own}, capture_output=True, text=True, timeout=300
            )
            said += done.stdout + done.stderr
            assert done.returncode == code, said
            held = tmp_path / "dataset" / ".staging" / "held.json"
            assert code == 0 or json.loads(held.read_bytes())["order"]["source"] == "s3://news"
            there = everything_in(tmp_path)
            assert [name for name, text in there.items() if CANARY in text] == []
    finally:
        server.stop()
    assert CANARY not in said
    assert any("s3://news" in text for name, text in there.items() if name.endswith("dump")), "Prefect's own records"
