import json
from datetime import UTC, datetime

from winnow.validate.expectations import Failure
from winnow.validate.reject_rows import quarantine, reject_failures

RAW = {
    "doc_id": "a" * 16, "source": "a.txt", "title": "T", "encoding": "cp1252", "content_sha256": "x",
    "collected_at": datetime(2020, 1, 2, tzinfo=UTC), "metadata": [("site", "x")], "input": "in.jsonl", "row": 3,
    "text": "caf\u00e9", "content": b"caf\xe9",
}  # fmt: skip
FAILURES = [
    Failure("a" * 16, "length_in_limits", "is short"),
    Failure("a" * 16, "enough_letters", "has no words"),
]


def test_a_document_that_fails_twice_is_one_reject_that_tells_both():
    [row] = reject_failures([RAW, {**RAW, "doc_id": "b" * 16}], FAILURES).to_pylist()
    assert row["expectation"] == "length_in_limits"
    assert row["reason"] == "Is short; also has no words"


def test_the_bytes_as_read_are_kept_and_text_that_was_utf8_is_written_as_such():
    assert reject_failures([RAW], FAILURES).to_pylist()[0]["content"] == b"caf\xe9"
    assert reject_failures([{**RAW, "content": None}], FAILURES).to_pylist()[0]["content"] == "café".encode()


def test_a_replay_finds_title_and_date_again():
    [row] = quarantine(reject_failures([RAW], FAILURES), "recipe", "run").to_pylist()
    assert json.loads(row["metadata"]) == {"site": "x", "title": "T", "collected_at": "2020-01-02T00:00:00+00:00"}


def test_rejects_are_in_order_and_each_stands_once():
    staged = reject_failures([RAW, RAW], FAILURES)
    rows = quarantine(staged, "recipe", "run")
    assert rows.num_rows == 1
    assert rows["replayed_in"].null_count == 1
    assert quarantine(staged.slice(0, 0), "recipe", "run").num_rows == 0
