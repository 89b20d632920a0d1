"""What Prefect is told stays on the side: it shows hostile names harmlessly, and its failures cost no run."""

import http.server
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from winnow.base.recipe import Recipe
from winnow.publish.dataset import Dataset
from winnow.run.summary import DocumentCounts, NotRead, RunSummary
from winnow.server import artifacts
from winnow.validate.gate import GateCheck, GateResult

SUMMARY = RunSummary(
    run_id="r", version=3, latest=3, seconds=1.0,
    documents=DocumentCounts(read=5, unchanged=0, published=4, duplicates=0, rejected=1),
    repairs={"tags": 2}, rejects={"not_json": 1}, warnings=("a log was mended",),
    not_read=(NotRead(reason="hidden", files=1, examples=("a<script>alert(1)</script>|x\n# heading.txt",)),),
)  # fmt: skip


@contextmanager
def webhook() -> Iterator[tuple[str, list[bytes]]]:
    """A real HTTP server that keeps what it is sent."""
    received: list[bytes] = []

    class Keep(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Keep)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()


def test_the_gates_table_tells_what_failed_what_passed_and_what_was_not_judged_in_four_named_columns():
    checks = [
        GateCheck(expectation=name, passed=passed, observed=observed, limit="at most 1", sentence="in words")
        for name, passed, observed in (("kept", True, "0"), ("count_drop", True, ""), ("few_rejects", False, "2"))
    ]
    rows = artifacts.gate_rows(GateResult(passed=False, results=tuple(checks)))
    assert [list(row.values()) for row in rows] == [
        ["failed", "few rejects", "2", "at most 1"],
        ["not judged", "count drop", "nothing to compare with", "at most 1"],
        ["passed", "kept", "0", "at most 1"],
    ]
    assert list(rows[0]) == ["status", "check", "observed", "limit"]


def test_the_report_is_named_by_its_path_and_the_command_that_serves_it(tmp_path):
    said = artifacts.report_text(Dataset(tmp_path / "two words"), 3)
    assert f"    {tmp_path}/two words/v3/report.html\n" in said
    assert f"    winnow report 3 --into '{tmp_path}/two words' --serve\n" in said
    assert "file://" not in said


def test_the_summary_shows_names_as_text():
    shown = artifacts.summary_text(SUMMARY)
    assert "<script>" not in shown.replace("\\<", "")
    assert "\n# heading" not in shown
    assert "| not_json | 1 |" in shown.replace("\\", "")


def test_a_notification_goes_through_the_block_that_the_recipe_names(prefect_server):
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    with webhook() as (address, received):
        block = CustomWebhookNotificationBlock(
            name="team", url=f"http://{address}/", json_data={"subject": "{{subject}}", "body": "{{body}}"}
        )
        block.save("data-team", overwrite=True)
        slug = CustomWebhookNotificationBlock.get_block_type_slug()
        recipe = Recipe.model_validate({"schedule": {"notify": f"{slug}/data-team"}})
        artifacts.notify(recipe, "articles v3 published", "4 documents")
    assert b"articles v3 published" in received[0] and b"4 documents" in received[0]


def test_a_block_that_is_not_there_costs_a_warning_and_no_run(prefect_server, tmp_path, caplog):
    recipe = tmp_path / "r.toml"
    recipe.write_text('[schedule]\nnotify = "slack-webhook/nobody"\n')

    class Run:
        parameters = {"recipe": str(recipe)}  # noqa: RUF012
        name = "odd-owl"

    class State:
        name, message = "HeldBack", "too few"

    artifacts.tell_failed(None, Run(), State())
    assert "Prefect was not told" in caplog.text


def test_a_bar_in_prefects_pages_says_how_far_a_run_is(prefect_server):
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    @flow
    def work() -> None:
        logger = logging.getLogger("winnow")
        with artifacts.progress_bar("bar-progress", every_seconds=0.05):
            for done in (1, 4):
                logger.warning("repair: %s of 4 shards", done, extra={"done": done, "total": 4})
                wanted = f"repair: {done} of 4 shards", 25.0 * done
                end = time.monotonic() + 30
                while told() != wanted and time.monotonic() < end:
                    time.sleep(0.05)
                assert told() == wanted

    def told() -> tuple[str, float] | None:
        with get_client(sync_client=True) as client:
            found = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["bar-progress"])))
        assert all(a.flow_run_id for a in found)
        return (found[0].description, found[0].data) if found else None

    work()
