"""Commands that look: each says what the dataset says, as a table and as JSON."""

import json
import threading
import webbrowser
from pathlib import Path

import polars as pl
import pytest

from winnow.base.contracts import TABLES
from winnow.base.errors import UsageError
from winnow.base.records import doc_id_of
from winnow.base.terminal import Paint
from winnow.cli.documents import _print_group, grouped
from winnow.publish.compare.diff import DocumentChange, Reason
from winnow.publish.dataset import Dataset


def of(result):
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


@pytest.fixture
def data(history):
    return history / "dataset"


def test_versions_show_and_status_agree(winnow, data):
    listed = of(winnow("versions", "--into", data, "--json"))
    shown = of(winnow("show", "--into", data, "--json"))
    state = of(winnow("status", "--into", data, "--json"))
    assert [v["version"] for v in listed] == [1, 2] and listed[-1]["latest"]
    assert shown["tables"]["documents"]["rows"] == listed[-1]["documents"] == state["documents"] == 2
    assert (state["version"], state["held"], state["writer"], state["rejects_waiting"]) == (2, None, None, 1)
    for command in ("versions", "show", "status"):
        assert "v2" in winnow(command, "--into", data).stdout


def test_the_schema_is_that_of_the_tables(winnow):
    told = of(winnow("schema", "--json"))
    assert {t: [c["name"] for c in s["columns"]] for t, s in told.items()} == {t: s.names for t, s in TABLES.items()}
    assert "Identity of the document" in winnow("schema", "rejects").stdout
    assert isinstance(winnow("schema", "reject").exception, UsageError)


def test_diff_tells_the_change_and_its_words(winnow, data):
    told = of(winnow("diff", "--into", data, "--json"))
    assert (told["added"], told["withdrawn"], told["changed"]) == (0, 0, 1)
    assert "[-children-]{+fishermen+}" in winnow("diff", 1, 2, "--doc", "kites", "--into", data).stdout
    assert "~" in winnow("diff", "--into", data).stdout


def test_why_aligns_a_copy_with_what_was_kept(winnow, data):
    copies = of(winnow("why", "river", "--into", data, "--json")), of(winnow("why", "copy", "--into", data, "--json"))
    left_out = next(c for c in copies if not c["published"])
    assert left_out["copy_of"]["kept_source"] in ("river", "copy")
    assert left_out["copy_of"]["similarity"] > 0.8
    assert "One more sentence ends it." in winnow("why", left_out["source"], "--into", data).stdout


def test_similar_finds_a_duplicate_by_what_stands_in_both(winnow, data):
    told = of(winnow("similar", "river", "--into", data, "--json"))
    other = next(one for one in told["similar"] if one["source"] == "copy")
    assert told["doc_id"] == doc_id_of("river") and other["doc_id"] == doc_id_of("copy")
    assert other["containment"] == max(other["containment_5"], other["containment_3"]) > 0.8
    assert other["passages"][0]["share"] > 0.8
    shown = winnow("similar", "river", "--into", data).stdout
    assert (
        other["doc_id"] in shown
        and "removed as a duplicate of" in shown + winnow("similar", "copy", "--into", data).stdout
    )
    assert "kites" not in shown


@pytest.mark.parametrize("command", ["why", "explain", "similar"])
def test_a_document_is_followed_in_one_opening_of_the_dataset(winnow, data, monkeypatch, command):
    """On object storage each opening is a pull."""
    opened = []
    monkeypatch.setattr(
        "winnow.storage.locations.open_dataset", lambda into: opened.append(into) or Dataset(Path(into))
    )
    assert winnow(command, "kites", "--into", data).exit_code == 0
    assert opened == [str(data)]


@pytest.mark.parametrize("command", ["why", "explain", "similar"])
def test_a_document_that_is_not_there_is_answered_with_where_the_others_stand(winnow, data, command):
    said = str(winnow(command, "nobody", "--into", data).exception)
    assert said.startswith(f"{data}: no document has the doc_id or source 'nobody'; doc_ids are in ")
    there = said.rpartition(" ")[2]
    assert (there, (data / "v2/documents").is_dir()) == (f"{data}/v2/documents", True)


def test_explain_shows_the_repair(winnow, data):
    assert "entities" in winnow("explain", "kites", "--into", data).stdout


def test_explain_tells_the_story_of_a_duplicate_once(winnow, data):
    copies = (of(winnow("explain", name, "--into", data, "--json")) for name in ("river", "copy"))
    duplicate, kept = sorted(copies, key=lambda told: told["published"])
    assert (duplicate["copy_of"], kept["copy_of"]) == (kept["doc_id"], None)
    said = winnow("explain", duplicate["source"], "--into", data).stdout
    assert "removed whole" in said and said.count(kept["doc_id"]) == 1
    assert "removed as a duplicate" in said and "duplicate_document" not in said


def change_of(name: str, kind: str, *reasons: tuple[str, str]) -> DocumentChange:
    told = tuple(Reason(kind, detail) for kind, detail in reasons)
    return DocumentChange(doc_id=doc_id_of(name), source=name, kind=kind, reasons=told)


def test_diff_draws_a_page_with_documents_before_and_after(winnow, data, tmp_path):
    file = tmp_path / "changes.html"
    assert winnow("diff", 1, 2, "--page", file, "--into", data).stdout.strip() == str(file)
    page = file.read_text("utf-8")
    assert "<del>children</del>" in page
    assert "<ins>fishermen</ins>" in page
    assert "<script" not in page
    told = of(winnow("diff", 1, 2, "--doc", "kites", "--page", file, "--into", data, "--json"))
    assert told == {"page": str(file), "documents": 1}
    assert file.read_text("utf-8").count("<section") == 1


def test_diff_groups_what_changed_for_the_same_reasons(capsys):
    ids = {n: doc_id_of(str(n)) for n in range(3)}
    rule = "rule", "entities (version 2): 3 x made"
    copies = [
        change_of(f"c{n}", "withdrawn", ("duplicate", f"near copy of {ids[n]} (similarity 0.9{n})")) for n in range(3)
    ]
    edited = [change_of(f"e{n}", "changed", rule) for n in range(5)]
    groups = grouped([copies[0], *edited, *copies[1:], change_of("x", "added", rule)])
    assert [[change.source for change in group] for group in groups] == [
        ["e0", "e1", "e2", "e3", "e4"],
        ["c0", "c1", "c2"],
        ["x"],
    ]
    for group in groups:
        _print_group(group, Paint(False))
    said = capsys.readouterr().out
    assert said.count("entities (version 2): 3 x made") == 2 and "5 documents" in said and "and 2 more" in said
    assert f"near copy of {ids[0]} (similarity 0.90)  (and alike)" in said


def test_rejects_wait_with_their_reason(winnow, data):
    [row] = of(winnow("rejects", "--into", data, "--json"))
    assert (row["source"], row["expectation"], row["stage"]) == ("signs", "enough_letters", "validate")
    assert "letters or digits" in winnow("rejects", "--into", data).stdout
    assert "did you mean 'enough_letters'" in str(
        winnow("rejects", "--reason", "enough_leters", "--into", data).exception
    )


LEFT_OUT = {
    ".hidden": "hidden",
    "<b>map.PNG": "no reader for .png",
    "noted.dwg": "no reader for .dwg",
    "scan.png": "no reader for .png",
}


def test_what_was_not_read_is_on_record_in_the_table_the_report_and_the_card(data):
    rows = pl.read_parquet(data / "latest" / "inputs" / "*.parquet").filter(pl.col("skipped").is_not_null())
    assert dict(rows.select("path", "skipped").iter_rows()) == LEFT_OUT
    assert set(rows.filter(pl.col("path") != ".hidden")["bytes"]) == {7}
    report, card = ((data / "latest" / name).read_text() for name in ("report.html", "README.md"))
    shown = report.partition("Files that were not read")[2].partition("</table>")[0]
    assert "no reader for .png" in shown and "&lt;b&gt;map.PNG" in shown and '<td class="n">2</td>' in shown
    assert "| no reader for .png | 2 |" in card


def test_a_run_tells_what_it_did_not_read_a_line_a_kind(winnow, history):
    call = "run", history / "in", "--into", history / "dataset", "--recipe", history / "lenient.toml"
    notes = [line for line in winnow(*call).stdout.splitlines() if line.startswith("note: ")]
    assert notes == [
        "note: 2 files not read, no reader for .png: <b>map.PNG, scan.png",
        "note: 1 file not read, hidden: .hidden",
        "note: 1 file not read, no reader for .dwg: noted.dwg",
    ]
    [most, *_] = of(winnow(*call, "--json"))["not_read"]
    assert most == {"reason": "no reader for .png", "files": 2, "examples": ["<b>map.PNG", "scan.png"]}
    refused = winnow(*call, "--strict").exception
    assert (
        isinstance(refused, UsageError) and "3 files cannot be read" in str(refused) and "hidden:" not in str(refused)
    )


def test_a_dry_run_tells_what_would_be_read_how_and_what_not_and_does_nothing(winnow, history, tmp_path):
    (tmp_path / "new.csv").write_text("id,text\n1,a\n")
    (tmp_path / "scan.png").touch()
    before = sorted(p for p in history.rglob("*"))
    known = "run", history / "in", "--into", history / "dataset", "--recipe", history / "lenient.toml", "--dry-run"
    [file] = of(winnow(*known, "--json"))["files"]
    assert (file["path"], file["format"], file["state"]) == ("a.jsonl", "jsonl", "unchanged")
    assert "a run would have nothing to do" in winnow(*known).stdout
    [file] = of(winnow(*known[:4], "--dry-run", "--json"))["files"]
    assert file["state"] in ("under other settings", "unchanged")
    told = of(winnow("run", tmp_path, "--into", history / "dataset", "--dry-run", "--json"))
    assert [(f["path"], f["format"], f["state"]) for f in told["files"]] == [("new.csv", "csv", "new")]
    assert told["vanished"] == ["a.jsonl"] and told["not_read"][0]["reason"] == "no reader for .png"
    assert sorted(p for p in history.rglob("*")) == before


def test_a_sample_shows_records_as_read_and_repaired(winnow, history):
    call = "run", history / "in", "--into", history / "none", "--sample", 3
    shown = of(winnow(*call, "--json"))
    assert [one["source"] for one in shown] == ["river", "copy", "kites"]
    assert (shown[2]["before"][:29], shown[2]["after"][:22]) == (
        "The kites fly &amp;amp; fall ",
        "The kites fly & fall o",
    )
    assert "{+&+}" in winnow(*call).stdout
    assert not (history / "none").exists()


def test_the_gate_explains_itself(winnow, data):
    told = of(winnow("gate", "--into", data, "--json"))
    assert told["gate"]["passed"] and told["status"] == "published"
    said = winnow("gate", "--into", data).stdout
    assert "few_rejects" in said
    observed = [check["observed"] for check in told["gate"]["results"]]
    assert f"{observed.count('')} of {len(observed)} checks not judged, " in said


def test_the_report_is_opened_where_asked(winnow, data, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert winnow("report", "--open", "--into", data).exit_code == 0
    assert opened[0].startswith("file://") and opened[0].endswith("/v2/report.html")


def test_the_report_is_served_to_this_machine_alone_and_nothing_else_is(data):
    import http.client

    from winnow.cli.report_server import ReportServer

    def get(path, host="127.0.0.1"):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
        connection.request("GET", path, headers={"Host": f"{host}:{server.server_port}"})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location"), answer.read()

    with ReportServer(Dataset(data), None, 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        assert get("/")[:2] == (302, "/v2/report.html")
        assert get("/v1/report.html?x") == (200, None, (data / "v1" / "report.html").read_bytes())
        assert get("/index.html") == (200, None, (data / "index.html").read_bytes())
        refused = "/v3/report.html", "/v1/README.md", "/v1/../../in/a.jsonl", "/%2e%2e/in", "/v01/report.html"
        assert {path: get(path)[0] for path in refused} == dict.fromkeys(refused, 404)
        assert get("/v1/report.html", "evil.example")[0] == 404
        server.shutdown()


def test_verify_finds_a_flipped_byte_and_names_the_file(winnow, own):
    assert winnow("verify", "--into", own).exit_code == 0
    victim = next((own / "v2" / "edits").glob("*.parquet"))
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.unlink()
    victim.write_bytes(content)
    found = winnow("verify", 2, "--into", own)
    assert found.exit_code == 1 and f"v2/edits/{victim.name}" in found.stdout
