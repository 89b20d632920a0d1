"""Commands that look: each says what the dataset says, as a table and as JSON."""

import json
import webbrowser
from pathlib import Path

import pytest

from winnow.base.contracts import TABLES
from winnow.base.errors import UsageError
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


@pytest.mark.parametrize("command", ["why", "explain"])
def test_a_document_is_followed_in_one_opening_of_the_dataset(winnow, data, monkeypatch, command):
    """On object storage each opening is a pull."""
    opened = []
    monkeypatch.setattr(
        "winnow.storage.locations.open_dataset", lambda into: opened.append(into) or Dataset(Path(into))
    )
    assert winnow(command, "kites", "--into", data).exit_code == 0
    assert opened == [str(data)]


@pytest.mark.parametrize("command", ["why", "explain"])
def test_a_document_that_is_not_there_is_answered_with_where_the_others_stand(winnow, data, command):
    said = str(winnow(command, "nobody", "--into", data).exception)
    assert said.startswith(f"{data}: no document has the doc_id or source 'nobody'; doc_ids are in ")
    there = said.rpartition(" ")[2]
    assert (there, (data / "v2/documents").is_dir()) == (f"{data}/v2/documents", True)


def test_explain_shows_the_repair(winnow, data):
    assert "entities" in winnow("explain", "kites", "--into", data).stdout


def test_rejects_wait_with_their_reason(winnow, data):
    [row] = of(winnow("rejects", "--into", data, "--json"))
    assert (row["source"], row["expectation"], row["stage"]) == ("signs", "enough_letters", "validate")
    assert "letters or digits" in winnow("rejects", "--into", data).stdout
    assert "did you mean 'enough_letters'" in str(
        winnow("rejects", "--reason", "enough_leters", "--into", data).exception
    )


def test_the_gate_explains_itself(winnow, data):
    told = of(winnow("gate", "--into", data, "--json"))
    assert told["gate"]["passed"] and told["status"] == "published"
    assert "few_rejects" in winnow("gate", "--into", data).stdout


def test_the_report_is_opened_where_asked(winnow, data, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert winnow("report", "--open", "--into", data).exit_code == 0
    assert opened[0].startswith("file://") and opened[0].endswith("/v2/report.html")


def test_verify_finds_a_flipped_byte_and_names_the_file(winnow, own):
    assert winnow("verify", "--into", own).exit_code == 0
    victim = next((own / "v2" / "edits").glob("*.parquet"))
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.unlink()
    victim.write_bytes(content)
    found = winnow("verify", 2, "--into", own)
    assert found.exit_code == 1 and f"v2/edits/{victim.name}" in found.stdout
