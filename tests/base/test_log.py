"""Log lines: one record, one line, whatever stands in a name or a text; nothing in it acts on a terminal."""

import io
import json
import logging
import sys

import pyarrow.parquet as pq
import pytest

from winnow.base.log import FIELDS, HumanLines, JsonLines, default_to_info, set_up_logging
from winnow.base.terminal import Paint, say, visible
from winnow.cli.documents import explain, why
from winnow.cli.look import rejects, show

HOSTILE = [
    "a\nforged line", "a\r\x1b[2K\x1b[1Agone", "\x1b]0;title\x07", "\x9b31m", "‮evil‬.txt", "⁦x⁩", "a\u2028b\u2029c",
    "a\x00b", "a\x08\x08b", "\ud800", "zero\u200bwidth", "tag\U000e0041", "\x7f",
]  # fmt: skip


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("winnow", logging.INFO, __file__, 1, message, (), None)
    made.__dict__.update(extra)
    return made


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("formatter", [JsonLines(), HumanLines(Paint(False))], ids=["json", "human"])
def test_nothing_hostile_reaches_a_log(formatter, text):
    line = formatter.format(record(text))
    assert "\n" not in line
    assert all(c.isprintable() and (c.isascii() or visible(c) == c) for c in line)
    line.encode("utf-8")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_json_line_gives_the_text_back(text):
    assert json.loads(JsonLines().format(record(text)))["message"] == text


def test_a_json_line_carries_run_stage_and_shard():
    line = json.loads(JsonLines().format(record("m", run_id="r", stage="read", shard=3, secret="no")))
    assert (line["run_id"], line["stage"], line["shard"]) == ("r", "read", 3)
    assert set(line) <= {"time", "level", "message", *FIELDS}


def test_a_traceback_stays_within_its_record():
    try:
        raise ValueError("a\n\x1b[31mforged")
    except ValueError:
        made = record("failed")
        made.exc_info = sys.exc_info()
    assert "\x1b" not in HumanLines(Paint(False)).format(made)
    assert JsonLines().format(made).count("\n") == 0


@pytest.mark.parametrize("text", [t for t in HOSTILE if t != "\ud800"])
def test_an_error_line_is_harmless(text, capsys):
    say(f"winnow: {text}")
    shown = capsys.readouterr().err
    assert all(c == "\n" or visible(c) == c for c in shown)


def test_lines_are_json_where_nobody_looks():
    stream = io.StringIO()
    logger = set_up_logging(stream)
    logger.info("x", extra={"run_id": "r"})
    assert json.loads(stream.getvalue())["run_id"] == "r"


def test_a_level_that_was_set_stays(monkeypatch):
    logger = logging.getLogger("winnow")
    before = logger.level
    try:
        logger.setLevel(logging.ERROR)
        default_to_info()
        assert logger.level == logging.ERROR
    finally:
        logger.setLevel(before)


@pytest.mark.slow
def test_hostile_names_and_texts_print_harmlessly_from_a_dataset(prefect_server, tmp_path, capsys):
    from winnow.build import build

    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a\x1b[31m\nforged\u202e.txt").write_text("Text with \x1b[2J controls &amp;amp; \x07 bells, and words.")
    (folder / "b\x1b]0;x\x07.jsonl").write_text("not\x1b[31m json\n")
    recipe = tmp_path / "r.toml"
    recipe.write_text("[validate]\nmax_reject_share = 0.9\n")
    into = str(tmp_path / "dataset")
    build(source=str(folder), into=into, recipe=str(recipe), executor="inline")
    [source] = pq.read_table(tmp_path / "dataset" / "latest" / "documents")["source"].to_pylist()
    capsys.readouterr()
    rejects(settled=True, limit=0, into=into)
    explain(source, into)
    why(source, into)
    show(1, into)
    shown = capsys.readouterr().out
    assert "forged" in shown and "not_json" in shown
    assert {c for c in shown if c != "\n" and visible(c) != c} == set()
