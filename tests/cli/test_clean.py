"""The filter: text in, repaired text out; a line that is no record is answered in its place."""

import gzip
import json

import pytest
from typer.testing import CliRunner

from winnow.base.errors import UsageError
from winnow.cli.main import app

PROSE = "This paragraph is long enough to be no coincidence when it stands twice in one article about rivers."


def clean(text: str, *options: str):
    return CliRunner().invoke(app, ["clean", *options], input=text)


def test_text_is_repaired_from_standard_input():
    assert clean("a &amp;amp; b\r\n").stdout == "a & b\n"


def test_of_a_page_the_main_text_is_cleaned(tmp_path):
    body = f"<p>{PROSE} Fish &amp;amp; chips, caf\xe9.</p><p>{PROSE.replace('rivers', 'mills')}</p>"
    page = f"<html><head><title>x</title></head><body><nav><a>Home</a></nav><article>{body}</article></body></html>"
    (tmp_path / "a.HTML").write_bytes(page.encode("cp1252"))
    (tmp_path / "b.htm.gz").write_bytes(gzip.compress(page.encode("utf-8")))
    (tmp_path / "empty.html").touch()
    for name in ("a.HTML", "b.htm.gz"):
        said = CliRunner().invoke(app, ["clean", str(tmp_path / name)]).stdout
        assert "Fish & chips, café." in said and "<" not in said and "Home" not in said
    refused = CliRunner().invoke(app, ["clean", str(tmp_path / "empty.html")]).exception
    assert isinstance(refused, UsageError) and "is an empty file" in str(refused)


def test_each_file_is_an_object_where_a_program_asks_for_it(tmp_path):
    (tmp_path / "a.txt").write_text("a &amp;amp; b")
    (tmp_path / "b.txt").write_text("c\nd")
    said = CliRunner().invoke(app, ["clean", "--json", *(str(tmp_path / n) for n in ("a.txt", "b.txt"))]).stdout
    first, second = map(json.loads, said.splitlines())
    assert (first["name"], first["text"]) == (str(tmp_path / "a.txt"), "a & b")
    assert [e["rule"] for e in first["edits"]] == ["entities"]
    assert (second["text"], second["edits"]) == ("c\nd", [])


def test_repeats_go_only_where_asked():
    text = f"{PROSE}\n\nSomething else stands here.\n\n{PROSE}\n"
    assert clean(text).stdout.count(PROSE) == 2
    assert clean(text, "--passages").stdout.count(PROSE) == 1


def test_each_record_has_its_answer_and_a_bad_line_says_what_is_wrong():
    lines = ['{"id": 1, "text": "x &amp;amp; y", "site": "s"}', "no json", '{"id": 2}', '{"id": 3, "text": "\\ud800"}']
    done = clean("\n".join(lines), "--jsonl")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers[0] == {"id": 1, "text": "x & y", "site": "s"}
    assert [a["error"].split(":")[0] for a in answers[1:3]] == ["-, line 2", "-, line 3"]
    assert answers[3]["text"] == "\ufffd"
    assert done.exit_code == 1


def test_a_line_beyond_the_limit_is_one_error_and_the_lines_after_it_keep_their_numbers(monkeypatch):
    monkeypatch.setattr("winnow.cli.make.MAX_LINE", 1 << 20)
    lines = ['{"text": "a"}', json.dumps({"text": "x" * (3 << 20)}), "no json", '{"text": "b &amp;amp; c"}']
    answers = [json.loads(line) for line in clean("\n".join(lines), "--jsonl").stdout.splitlines()]
    assert [a.get("text", "").strip() for a in answers] == ["a", "", "", "b & c"]
    assert answers[1]["error"] == "-, line 2: is longer than 1 MB; split its text into several records"
    assert answers[2]["error"].startswith("-, line 3: is no JSON object")


@pytest.mark.parametrize("options", [["--explain"], ["--explain", "--jsonl"]])
def test_explain_names_the_rule(options):
    text = "x &amp;amp; y" if len(options) == 1 else '{"id": 1, "text": "x &amp;amp; y"}'
    assert "entities" in clean(text, *options).stdout
