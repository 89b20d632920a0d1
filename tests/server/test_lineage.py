"""Lineage events are those of the standard, and no run waits for or fails with the place that they go to."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from openlineage.client import event_v2, facet_v2
from tests.conftest import write_jsonl

from winnow.base.errors import RecipeError
from winnow.run.recipe_file import load_recipe
from winnow.server.lineage import PATIENCE, _Sender

KITES = "The kites fly over the sea, and the children on the beach run after them all day."
FACETS = {
    "schema": facet_v2.schema_dataset.SchemaDatasetFacet,
    "version": facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet,
    "documentation": facet_v2.documentation_dataset.DocumentationDatasetFacet,
    "inputStatistics": facet_v2.input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
    "outputStatistics": facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    "errorMessage": facet_v2.error_message_run.ErrorMessageRunFacet,
}


def read_as_others_do(event: dict) -> event_v2.RunEvent:
    """The event in the classes of the standard's own client, which know every field and refuse others."""
    for place in ([event["run"]["facets"]], *_facets(event["inputs"]), *_facets(event["outputs"])):
        for facet in place:
            for name, content in facet.items():
                assert {"_producer", "_schemaURL"} <= set(content)
                if name in FACETS:
                    made = FACETS[name](**{k: v for k, v in content.items() if not k.startswith("_")})
                    assert made._get_schema().rpartition("/")[2] == content["_schemaURL"].rpartition("/")[2]
                else:
                    assert name.startswith("winnow_")
    run, job = event_v2.Run(**event["run"]), event_v2.Job(**event["job"])
    inputs = [event_v2.InputDataset(**one) for one in event["inputs"]]
    outputs = [event_v2.OutputDataset(**one) for one in event["outputs"]]
    return event_v2.RunEvent(
        eventType=event_v2.RunState(event["eventType"]), eventTime=event["eventTime"], run=run, job=job,
        producer=event["producer"], inputs=inputs, outputs=outputs,
    )  # fmt: skip


def _facets(datasets: list[dict]) -> list[list[dict]]:
    return [[d.get(kind, {}) for kind in ("facets", "inputFacets", "outputFacets")] for d in datasets]


def test_a_run_tells_what_it_read_and_wrote_and_a_held_one_that_it_failed(build, tmp_path):
    write_jsonl(tmp_path / "in" / "a.jsonl", [{"id": "kites", "text": KITES}])
    told, recipe = tmp_path / "lineage.jsonl", tmp_path / "recipe.toml"
    recipe.write_text(f'[publish]\nname = "Kites"\n[lineage]\nto = "{told}"\n')
    done = build(tmp_path / "in", tmp_path / "dataset", recipe=str(recipe))
    write_jsonl(
        tmp_path / "in" / "a.jsonl", [{"id": "kites", "text": KITES}, {"id": "signs", "text": "#### ---- ****"}]
    )
    with pytest.raises(Exception, match="the gate held v2 back"):
        build(tmp_path / "in", tmp_path / "dataset", recipe=str(recipe))

    events = [json.loads(line) for line in told.read_text().splitlines()]
    start, complete, again, fail = map(read_as_others_do, events)
    assert [e["eventType"] for e in events] == ["START", "COMPLETE", "START", "FAIL"]
    assert start.run.runId == complete.run.runId != again.run.runId == fail.run.runId
    assert complete.job.name == "Kites.build"
    assert complete.inputs[0].name == str(tmp_path / "in")
    assert events[1]["inputs"][0]["inputFacets"]["inputStatistics"]["rowCount"] == 1
    documents = next(o for o in events[1]["outputs"] if o["name"].endswith("/documents"))
    assert documents["facets"]["version"]["datasetVersion"] == "1"
    assert documents["outputFacets"]["outputStatistics"]["rowCount"] == 1
    assert "text" in [f["name"] for f in documents["facets"]["schema"]["fields"]]
    facets = events[1]["run"]["facets"]
    assert facets["winnow_run"]["runId"] == done["run_id"]
    assert facets["winnow_gate"]["results"] and facets["winnow_recipe"]["recipe"]["publish"]["name"] == "Kites"
    assert "few_rejects" in events[3]["run"]["facets"]["errorMessage"]["message"]


@pytest.fixture
def endpoint():
    """An HTTP endpoint that keeps what it gets; `kept` and the address."""
    kept = []

    class Keeps(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.append((self.headers.get("authorization"), json.loads(body)))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Keeps)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kept, f"http://127.0.0.1:{server.server_port}/api/v1/lineage"
    server.shutdown()


def test_an_endpoint_gets_events_in_their_order_with_the_key_of_the_environment(endpoint, monkeypatch):
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "secret")
    kept, address = endpoint
    sender = _Sender(address)
    for number in range(3):
        sender.send({"number": number})
    sender.close()
    assert kept == [("Bearer secret", {"number": n}) for n in range(3)]


@pytest.mark.parametrize("kind", ["nobody listens", "never answers", "no such folder"])
def test_no_run_waits_for_or_fails_with_the_place_that_events_go_to(kind, caplog, tmp_path):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        if kind == "never answers":
            held.listen()
        place = (
            tmp_path / "none" / "x.jsonl" if kind == "no such folder" else f"http://127.0.0.1:{held.getsockname()[1]}"
        )
        began = time.monotonic()
        sender = _Sender(str(place))
        sender.send({"number": 1})
        sender.close()
        assert time.monotonic() - began < PATIENCE + 3
    assert str(place) in caplog.text


def test_an_address_with_a_password_is_refused_where_the_recipe_is_read(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('[lineage]\nto = "https://user:secret@collector/api"\n')
    with pytest.raises(RecipeError, match=r"recipe.toml:2: lineage.to .*holds credentials") as told:
        load_recipe(recipe)
    assert "secret" not in str(told.value)
