"""Deployments: what Prefect's form shows, and a schedule that fires on a real server."""

import json
import subprocess
import sys
import time
import urllib.error
from datetime import datetime
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from tests.conftest import ROOT, SEEDS
from tests.server.prefect_site import PrefectSite, until

from winnow.base.errors import ServerGone, UsageError
from winnow.base.recipe import Recipe
from winnow.cli.serve import Events, RecipeWatch, deployments, serve
from winnow.publish.dataset import Dataset
from winnow.run.approval import past_runs, run_awaiting_approval

CRON = Recipe.model_validate({"schedule": {"build": "30 2 * * *", "timezone": "Europe/Berlin"}})


def test_the_form_of_every_deployment_says_what_each_parameter_means(prefect_server, tmp_path):
    made = {
        d.flow_name: d
        for d in deployments(str(SEEDS), str(tmp_path / "My data"), None, CRON, workers=2, executor="dask")
    }
    assert [made[name].parameters.get("executor") for name in ("build", "replay", "withdraw")] == ["dask"] * 3
    assert set(made) == {"build", "replay", "maintain", "approve", "withdraw", "erase"}
    for deployment in made.values():
        properties = deployment._parameter_openapi_schema.properties
        assert [n for n, p in properties.items() if not p.get("description")] == []
        assert deployment.name == "my-data" and deployment.concurrency_limit is None
        assert deployment.tags == ["winnow", "my-data"] and deployment.description
        assert [n for n, p in properties.items() if not {"type", "anyOf", "enum", "$ref"} & set(p)] == []
        assert deployment.parameters["into"] == str((tmp_path / "My data").resolve())
    [schedule] = made["build"].schedules
    assert (schedule.schedule.cron, schedule.schedule.timezone) == ("30 2 * * *", "Europe/Berlin")
    assert not made["maintain"].schedules
    assert made["build"].entrypoint == "winnow.build.build"
    assert made["approve"]._parameter_openapi_schema.required == ["run_id", "because"]


def test_on_object_storage_too_a_held_run_names_the_deployment_that_approves_it(prefect_server, tmp_path):
    from winnow.server.artifacts import how_to_approve

    remote = SimpleNamespace(shown="s3://bucket/My news")
    run = SimpleNamespace(dataset=Dataset(tmp_path / "bucket-my-news-1a2b3c", remote), run_id="r")
    served = {f"{d.flow_name}/{d.name}" for d in deployments("s3://in", "s3://bucket/My news?region=x", None, CRON)}
    assert "approve/my-news" in served
    assert "deployment approve/my-news, with run_id r" in how_to_approve(run)


def test_a_stage_is_tried_again_later_and_later_and_no_run_lasts_for_ever(prefect_server):
    from winnow import build, erase, maintain, replay, withdraw

    stages = (build.read, build.repair, build.check, build.deduplicate, build.validate, build.publish)
    assert {(s.retries, tuple(s.retry_delay_seconds)) for s in stages} == {(2, (2, 20))}
    assert [s.name for s in stages] == ["read", "repair", "check", "deduplicate", "validate", "publish"]
    for flow in (build.build, replay.replay, maintain.maintain, withdraw.withdraw, erase.erase):
        assert flow.timeout_seconds and flow.description and flow.on_failure_hooks and flow.on_crashed_hooks


def test_the_project_file_names_flows_and_parameters_that_exist(prefect_server):
    from prefect.flows import load_flow_from_entrypoint

    for entry in project_deployments():
        path, name = entry["entrypoint"].split(":")
        flow = load_flow_from_entrypoint(f"{ROOT / path}:{name}", use_placeholder_flow=False)
        assert flow.name == name and entry["description"] == flow.description
        assert set(entry["parameters"]) <= set(flow.parameters.properties)


def project_deployments() -> list[dict[str, Any]]:
    return yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]


def test_a_changed_recipe_changes_the_schedules_and_a_mistake_in_it_is_told_once(tmp_path, capsys):
    path = tmp_path / "r.toml"
    path.write_text("[schedule]\nbuild = '0 1 * * *'\n")
    applied = []

    def wanted(settings: Recipe) -> list[SimpleNamespace]:
        return [SimpleNamespace(apply=lambda: applied.append(settings.schedule.build))]

    watch = RecipeWatch(path, wanted, Events())
    watch.look()
    assert applied == []
    for text, lines in (
        ("[schedule]\nbuild = '0 1 * *'\n", [f"winnow: {path}:2: schedule.build = '0 1 * *' is no cron line"]),
        ("[schedule]\nbuild = '0 2 * * *'\n", [f"winnow: {path} changed; its schedules are in effect"]),
    ):
        path.write_text(text)
        watch.look()
        watch.look()
        said = capsys.readouterr().err.splitlines()
        assert [line.startswith(start) for line, start in zip(said, lines, strict=True)] == [True]
    assert applied == ["0 2 * * *"]


def test_events_are_json_where_a_program_asks_for_them(tmp_path):
    path, stream = tmp_path / "winnow.toml", StringIO()
    path.touch()
    watch = RecipeWatch(path, lambda settings: [], Events(stream))
    for text in ("[schedule]\nbuild = 'x'\n", "[schedule]\nbuild = '0 2 * * *'\n"):
        path.write_text(text)
        watch.look()
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["event"] for event in told] == ["recipe_mistake", "recipe_changed"]
    assert all(datetime.fromisoformat(event["time"]).tzinfo and event["message"] for event in told)


def test_serving_without_a_server_is_a_wrong_call(monkeypatch, tmp_path):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(UsageError, match="prefect server start"):
        serve(str(SEEDS), str(tmp_path))
    monkeypatch.setattr("winnow.server.outage.START_SECONDS", 0.1)
    monkeypatch.setenv("PREFECT_API_URL", "http://user:word@127.0.0.1:9/api")
    with pytest.raises(ServerGone, match=r"no Prefect server answers at http://127\.0\.0\.1:9/api"):
        serve(str(SEEDS), str(tmp_path))


class Site(PrefectSite):
    """A Prefect server and what is served on it, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str, **more: str) -> None:
        log = (self.folder / f"{len(self.started)}.log").open("wb")
        call = [sys.executable, "-m", *words]
        self.started.append(
            subprocess.Popen(call, stdout=log, stderr=log, cwd=self.folder, env={**self.environment, **more})
        )

    def serve(self, source: Path, into: Path, recipe: str) -> None:
        path = self.folder / f"{into.name}.toml"
        path.write_text(recipe)
        options = ["--into", str(into), "--recipe", str(path), "--workers", "1"]
        self.start("winnow.cli.main", "serve", str(source), *options, PREFECT_API_URL=self.api)

    def stop(self) -> None:
        for process in reversed(self.started):
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()

    def deployment(self, name: str) -> dict[str, object]:
        """As the server knows it, once it does."""
        return until(60, lambda: self.ask(f"/deployments/name/{name}"), f"deployment {name}")

    def run(self, name: str, **parameters: object) -> str:
        """Ask for a run as Prefect's form does; its id."""
        path = f"/deployments/{self.deployment(name)['id']}/create_flow_run"
        return self.ask(path, {"parameters": parameters, "state": {"type": "SCHEDULED"}})["id"]

    def ended(self, run: str) -> dict[str, object]:
        def state() -> dict[str, object] | None:
            found = self.ask(f"/flow_runs/{run}")["state"]
            return found if found["type"] in ("COMPLETED", "FAILED", "CRASHED") else None

        return until(180, state, "the end of a run")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("site"))
    try:
        made.start(*made.start_server)
        until(90, lambda: made.ask("/health"), "the server's start")
        yield made
    finally:
        made.stop()


LOAD = """
import json, sys
from prefect.flows import load_flow_from_entrypoint
for entrypoint in sys.argv[1:]:
    flow = load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
    print(json.dumps({"name": flow.name, "properties": sorted(flow.parameters.properties)}))
"""


@pytest.mark.slow
def test_the_project_file_deploys_all_flows_and_a_worker_can_load_them(site):
    # As a user has it: in the repository's root, with the package on the path only because pip installed it.
    environment = {k: v for k, v in site.environment.items() if k != "PYTHONPATH"} | {"PREFECT_API_URL": site.api}

    def call(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    before = (ROOT / "prefect.yaml").read_bytes()
    call("-m", "prefect", "work-pool", "create", "winnow", "--type", "process")
    call("-m", "prefect", "--no-prompt", "deploy", "--all")
    assert (ROOT / "prefect.yaml").read_bytes() == before
    entries = project_deployments()
    loaded = [json.loads(line) for line in call("-c", LOAD, *(e["entrypoint"] for e in entries)).splitlines()]
    assert {flow["name"] for flow in loaded} == {"build", "replay", "approve", "withdraw", "erase", "maintain"}
    required = {"approve": ["run_id", "because"], "withdraw": ["sources"], "erase": ["sources", "because"]}
    for entry, flow in zip(entries, loaded, strict=True):
        made = site.deployment(f"{flow['name']}/dataset")
        assert (made["entrypoint"], made["parameters"]) == (entry["entrypoint"], entry["parameters"])
        assert (made["work_pool_name"], made["tags"], made["paused"]) == ("winnow", ["winnow"], False)
        form = made["parameter_openapi_schema"]
        assert sorted(form["properties"]) == flow["properties"]
        assert form.get("required", []) == required.get(flow["name"], [])
        assert [n for n, p in form["properties"].items() if not p.get("description")] == []
        assert [s["active"] for s in made["schedules"]] == [False] * len(entry.get("schedules", ()))


@pytest.mark.slow
def test_a_served_schedule_fires_and_shows_its_artifacts(site, tmp_path: Path):
    into = tmp_path / "dataset"
    site.serve(SEEDS, into, '[schedule]\nbuild = "* * * * *"\n')
    until(240, lambda: Dataset(into).latest_version(), "the first scheduled version")

    def finished() -> list[dict[str, object]]:
        runs = site.ask("/flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}})
        return [r for r in runs if r["auto_scheduled"]]

    run = until(60, finished, "the end of the run")[0]
    assert "winnow" in run["tags"]
    artifacts = site.ask("/artifacts/filter", {"limit": 50})
    assert {a["key"] for a in artifacts} >= {"dataset-summary", "dataset-gate", "dataset-report"}

    def lines() -> bool:
        return "published v1" in {line["message"] for line in site.ask("/logs/filter", {"limit": 200})}

    until(30, lines, "Winnow's own lines beside the run")
    site.started[-1].terminate()
    assert Dataset(into).latest_version() == 1


@pytest.mark.slow
@pytest.mark.parametrize(("number", "word", "code"), [(2, "interrupted", 130), (15, "terminated", 143)])
def test_what_serves_is_told_to_end_and_leaves_no_schedule_running(site, tmp_path: Path, number, word, code):
    into = tmp_path / f"ended-{word}"
    site.serve(SEEDS, into, "[schedule]\nbuild = '0 0 1 1 *'\n")
    process, log = site.started[-1], site.folder / f"{len(site.started) - 1}.log"

    def fires() -> list[bool]:
        return [schedule["active"] for schedule in site.deployment(f"build/{into.name}")["schedules"]]

    until(90, lambda: "serving build/" in log.read_text() and fires() == [True], "serving")
    site.deployment(f"erase/{into.name}")  # the last of them
    time.sleep(8)  # then Prefect's loop begins
    process.send_signal(number)
    assert process.wait(60) == code
    assert log.read_text().splitlines()[-1] == f"winnow: {word}; schedules are paused, and resumed at the next start"
    assert site.deployment(f"build/{into.name}")["paused"], log.read_text()


@pytest.mark.slow
def test_a_held_version_is_approved_in_prefects_own_form(site, tmp_path: Path):
    into = tmp_path / "held"
    site.serve(SEEDS, into, "[validate]\nmin_documents = 1000\n")
    state = site.ended(site.run("build/held"))
    assert (state["type"], state["name"]) == ("FAILED", "HeldBack")
    run = run_awaiting_approval(Dataset(into))
    assert f"deployment approve/held, with run_id {run.run_id}" in state["message"]

    form = site.deployment("approve/held")
    assert not form["concurrency_limit"] and not form["global_concurrency_limit"]
    assert form["tags"] == ["winnow", "held"]
    fields = form["parameter_openapi_schema"]
    assert fields["required"] == ["run_id", "because"]
    assert all(f["description"] for f in fields["properties"].values())
    named = {"run_id": run.run_id}
    for wrong in (named, {**named, "because": " "}, {**named, "because": "b", "source": "s3://key:word@bucket/a"}):
        with pytest.raises(urllib.error.HTTPError, match=r"409|422"):
            site.run("approve/held", **wrong)

    state = site.ended(site.run("approve/held", run_id=run.run_id, because="few are wanted"))
    assert state["type"] == "COMPLETED", state["message"]
    assert Dataset(into).latest_version() == 1
    last = past_runs(Dataset(into))[-1]
    assert (last.status, last.note) == ("approved", "few are wanted")

    def told() -> set[str] | None:
        among = {"filter": {"event": {"prefix": ["winnow."]}}, "limit": 50}
        found = {e["event"] for e in site.ask("/events/filter", among)["events"]}
        return found if {"winnow.version.held", "winnow.version.published"} <= found else None

    assert until(30, told, "the events")
