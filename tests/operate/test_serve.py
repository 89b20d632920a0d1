"""Deployments: what Prefect's form shows, and a schedule that fires on a real server."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

from flows.errors import UsageError
from flows.publish.dataset import Dataset
from flows.recipe import Recipe
from flows.serve import deployments, refuse_credentials, serve_flows
from tests.conftest import ROOT, SEEDS

CRON = Recipe.model_validate({"schedule": {"build": "30 2 * * *", "timezone": "Europe/Berlin"}})


def test_the_form_of_every_deployment_says_what_each_parameter_means(prefect_server, tmp_path):
    made = {d.flow_name: d for d in deployments(str(SEEDS), tmp_path / "My data", None, CRON, workers=2)}
    assert set(made) == {"build", "replay", "maintain"}
    for deployment in made.values():
        properties = deployment._parameter_openapi_schema.properties
        assert [n for n, p in properties.items() if not p.get("description")] == []
        assert deployment.name == "my-data" and deployment.concurrency_limit == 1
        assert deployment.parameters["into"] == str((tmp_path / "My data").resolve())
    [schedule] = made["build"].schedules
    assert (schedule.schedule.cron, schedule.schedule.timezone) == ("30 2 * * *", "Europe/Berlin")
    assert not made["maintain"].schedules
    assert made["build"].entrypoint == "flows.build.build"


def test_the_project_file_names_flows_and_parameters_that_exist(prefect_server):
    from prefect.flows import load_flow_from_entrypoint

    for entry in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]:
        path, name = entry["entrypoint"].split(":")
        flow = load_flow_from_entrypoint(f"{ROOT / path}:{name}")
        assert flow.name == name and entry["description"] == flow.description
        assert set(entry["parameters"]) <= set(flow.parameters.properties)


def test_serving_without_a_server_is_a_wrong_call(monkeypatch, tmp_path):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(UsageError, match="prefect server start"):
        serve_flows(str(SEEDS), tmp_path, None, None, False)
    monkeypatch.setattr("flows.outage.START_SECONDS", 0.1)
    monkeypatch.setenv("PREFECT_API_URL", "http://user:word@127.0.0.1:9/api")
    with pytest.raises(UsageError, match=r"no Prefect server answers at http://127\.0\.0\.1:9/api"):
        serve_flows(str(SEEDS), tmp_path, None, None, False)


def test_a_password_in_an_address_never_reaches_the_server():
    with pytest.raises(UsageError, match="put it in the environment"):
        refuse_credentials("s3://key:secret@bucket/a")


def ask(api: str, path: str, body: object = None) -> object:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(api + path, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def until(seconds: float, condition, what: str):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except OSError:
            pass  # the server is not up yet
        time.sleep(1)
    raise AssertionError(f"{what} did not happen within {seconds} s")


@pytest.mark.slow
def test_a_served_schedule_fires_and_shows_its_artifacts(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    api = f"http://127.0.0.1:{port}/api"
    own = {"PREFECT_HOME": str(tmp_path / "home"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    environment = {**clean, **own, "PYTHONPATH": str(ROOT)}
    (tmp_path / "recipe.toml").write_text('[schedule]\nbuild = "* * * * *"\n')
    into = tmp_path / "dataset"
    started = []

    def start(*words: str, **more: str) -> None:
        log = (tmp_path / f"{len(started)}.log").open("wb")
        started.append(subprocess.Popen(words, stdout=log, stderr=log, cwd=tmp_path, env={**environment, **more}))

    try:
        start(sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
        until(90, lambda: ask(api, "/health"), "the server's start")
        options = ["--into", str(into), "--recipe", "recipe.toml", "--workers", "1"]
        start(sys.executable, "-m", "flows.cli", "serve", str(SEEDS), *options, PREFECT_API_URL=api)
        until(240, lambda: Dataset(into).latest_version(), "the first scheduled version")

        def finished() -> list[dict[str, object]]:
            runs = ask(api, "/flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}})
            assert isinstance(runs, list)
            return [r for r in runs if r["auto_scheduled"]]

        run = until(60, finished, "the end of the run")[0]
        assert "winnow" in run["tags"]
        artifacts = ask(api, "/artifacts/filter", {"limit": 50})
        assert {a["key"] for a in artifacts} >= {"dataset-summary", "dataset-gate", "dataset-report"}
        logs = ask(api, "/logs/filter", {"limit": 200})
        assert "published v1" in {line["message"] for line in logs}, "Winnow's own lines stand beside the run"
    finally:
        for process in reversed(started):
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
    assert Dataset(into).latest_version() == 1
