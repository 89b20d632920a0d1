"""What people judged of a version is kept with it, and gives each rule a precision with bounds."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from tests.publish.press import Press, sources

from winnow.base.errors import UsageError
from winnow.base.records import doc_id_of
from winnow.publish.reviews import Verdict, keep_verdicts, kept_verdicts, precision_of, read_verdicts
from winnow.publish.verify import verify


def verdict(source: str, said: str, **more: object) -> Verdict:
    usual = {"version": 1, "run_id": "run-1", "kind": "repair", "rule": "entities", "doc_id": doc_id_of(source),
             "at": "0", "verdict": said}  # fmt: skip
    return Verdict(**{**usual, **more})


def test_a_later_verdict_counts_and_what_is_unsure_counts_for_nothing(press: Press) -> None:
    press.publish(sources("a", "b", "c"), run_id="run-1")
    dataset = press.dataset
    removal = {"kind": "removal", "rule": "boilerplate", "at": "2.0"}
    keep_verdicts(dataset, [verdict("a", "wrong"), verdict("b", "right"), verdict("c", "unsure")])
    keep_verdicts(dataset, [verdict("a", "right"), verdict("a", "unsure", **removal)])
    found = precision_of(kept_verdicts(dataset, 1))
    assert [(p.rule, p.right, p.wrong, p.unsure, p.precision) for p in found] == [
        ("entities", 2, 0, 1, 1.0), ("boilerplate", 0, 0, 1, None)
    ]  # fmt: skip
    assert found[0].low == pytest.approx(0.3424, abs=1e-4) and found[0].high == 1.0
    assert verify(dataset) == []


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"run_id": "other"}, "was made by run run-1, not by other"),
        ({"at": "7"}, "has no repair entities at 7 of"),
        ({"rule": "tags"}, "has no repair tags at 0"),
        ({"kind": "removal"}, "has no removal entities"),
    ],
)
def test_a_verdict_on_what_the_version_does_not_have_is_a_wrong_call(press: Press, more: dict, why: str) -> None:
    press.publish(sources("a"), run_id="run-1")
    with pytest.raises(UsageError, match=why):
        keep_verdicts(press.dataset, [verdict("a", "right", **more)])
    assert kept_verdicts(press.dataset, 1) == []


@pytest.mark.parametrize(
    ("line", "why"),
    [("no json", "line 2 is no verdict"), ('{"version": 1}', "line 2 is no verdict"),
     (json.dumps(asdict(verdict("a", "perhaps"))), "line 2 is no verdict"),
     (json.dumps(asdict(verdict("a", "right", version=2))), "several versions")],
)  # fmt: skip
def test_a_file_that_is_no_review_is_named_with_its_line(tmp_path, line, why):
    path = tmp_path / "review.jsonl"
    path.write_text(json.dumps(asdict(verdict("a", "right"))) + f"\n{line}\n")
    with pytest.raises(UsageError, match=why):
        read_verdicts(path)
