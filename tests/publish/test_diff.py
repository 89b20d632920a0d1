"""A diff tells every difference that the tables hold, and why."""

from typing import Any

import pytest
from tests.publish.press import Press, rows_of, sources, write_part

from winnow.base.errors import DatasetError
from winnow.base.records import doc_id_of
from winnow.publish.compare.changed_rows import changed_rows, rows_of_version
from winnow.publish.compare.diff import DocumentChange, diff, diff_document, passage_changes, rule_changes
from winnow.publish.compare.word_diff import diff_words


def by_source(found: tuple[DocumentChange, ...]) -> dict[str, DocumentChange]:
    return {c.source: c for c in found}


def duplicate_of(source: str, kept: str) -> dict[str, Any]:
    own = rows_of(source)["documents"][0]
    more = {"kept_doc_id": doc_id_of(kept), "similarity": 0.8, "containment": 0.9, "kind": "near"}
    return {**own, **more}


def reject_of(source: str, reason: str = "too short") -> dict[str, Any]:
    return {
        "doc_id": doc_id_of(source),
        "source": source,
        "stage": "validate",
        "reason": reason,
        "expectation": "n_chars",
        "content": b"x",
        "content_sha256": "0" * 64,
        "input": source,
        "metadata": "{}",
        "recipe_id": "r" * 16,
        "run_id": "run",
        "replayed_in": None,
    }


def test_documents_added_withdrawn_and_changed_are_told_with_their_reasons(press: Press) -> None:
    press.publish(sources("kept", "gone", "copy", "bad", "fresh"))
    more = {
        "duplicates": [write_part(press.work / "d.parquet", "duplicates", [duplicate_of("copy", "kept")])],
        "rejects": [write_part(press.work / "r.parquet", "rejects", [reject_of("bad")])],
    }
    press.publish({"new": "plain", "fresh": "other"}, withdrawn=["gone", "copy", "bad"], more=more, removed=2)
    told = diff(press.dataset, 1, 2)
    assert (told.added, told.withdrawn, told.changed, told.unpublished) == (1, 3, 1, 0)
    assert told.tables["documents"] == (4, 2)
    assert told.tables["duplicates"] == (0, 1)
    found = by_source(told.documents)
    assert {s: (c.kind, c.reasons[0].kind) for s, c in found.items()} == {
        "new": ("added", "new"),
        "gone": ("withdrawn", "gone"),
        "copy": ("withdrawn", "duplicate"),
        "bad": ("withdrawn", "reject"),
        "fresh": ("changed", "input"),
    }
    assert doc_id_of("kept") in found["copy"].reasons[0].detail
    assert "too short" in found["bad"].reasons[0].detail
    back = by_source(diff(press.dataset, 2, 1).documents)
    assert (back["copy"].kind, back["copy"].reasons[0].kind) == ("added", "returned")


def test_a_removal_is_told_passage_by_passage(press: Press) -> None:
    press.publish(sources("a", "b"), removed=0)
    press.publish(sources("a"), removed=2)
    (change,) = diff(press.dataset, 1, 2).documents
    assert [(p.kind, p.position, p.reason) for p in change.passages] == [
        ("removed", 1, "boilerplate"),
        ("removed", 2, "boilerplate"),
    ]
    assert ("removal", "2 x removed: boilerplate") in [(r.kind, r.detail) for r in change.reasons]
    (back,) = diff(press.dataset, 2, 1).documents
    assert {p.kind for p in back.passages} == {"restored"}


def test_a_document_written_again_as_it_was_is_no_change(press: Press) -> None:
    press.publish(sources("a", "b"))
    press.publish(sources("a"))
    told = diff(press.dataset, 1, 2)
    # first_version is the only thing that differs here: the maker of these rows takes the version for it
    assert [(r.kind, r.detail) for r in told.documents[0].reasons] == [("field", "documents.first_version")]
    assert told.tables["passages"] == (0, 0)
    assert told.tables["edits"] == (0, 0)


def test_every_differing_row_belongs_to_a_document_that_is_told_with_a_reason(press: Press) -> None:
    press.publish(sources("a", "b", "c", "d"))
    press.publish({"b": "new", "e": "plain"}, withdrawn=["c"], removed=2)
    press.publish({"b": "newer", "c": "back"}, removed=0)
    for a, b in ((1, 2), (2, 3), (1, 3), (3, 1)):
        told = {c.doc_id: c for c in diff(press.dataset, a, b).documents}
        held = changed_rows(rows_of_version(press.dataset, a), rows_of_version(press.dataset, b))
        assert {i for d in held.values() for i in d.doc_ids} == set(told)
        assert all(c.reasons for c in told.values())


def test_one_document_is_told_word_by_word(press: Press) -> None:
    press.publish(sources("a", "b"))
    press.publish(sources("a", word="new"))
    change, spans = diff_document(press.dataset, 1, 2, doc_id_of("a"))
    assert change is not None
    assert [(s.kind, s.text) for s in spans][:3] == [("same", "a "), ("gone", "plain"), ("come", "new")]
    assert diff_document(press.dataset, 1, 2, doc_id_of("b"))[0] is None
    with pytest.raises(DatasetError, match="no document ffff"):
        diff_document(press.dataset, 1, 2, "ffff")


def edit(rule: str, before: str, after: str, version: int = 1, applied: bool = True) -> dict[str, Any]:
    return {"rule": rule, "rule_version": version, "before": before, "after": after, "applied": applied}


def passage(position: int, text: str, status: str = "kept") -> dict[str, Any]:
    reason = None if status == "kept" else "repeat"
    return {"position": position, "text": text, "status": status, "reason": reason, "kept_doc_id": None}


def test_a_rewritten_passage_names_the_rule_that_rewrote_it() -> None:
    rules = rule_changes([], [edit("entities", "&amp;", "&"), edit("mojibake", "Ã©", "é")])
    found = passage_changes(
        [passage(0, "same"), passage(1, "AT&amp;T"), passage(2, "x")],
        [passage(0, "same"), passage(1, "AT&T"), passage(2, "x")],
        rules,
    )
    assert [(p.kind, p.before, p.after, p.rules) for p in found] == [("rewritten", "AT&amp;T", "AT&T", ("entities",))]
    assert rules[0].text == "entities (version 1): 1 x made"


def test_a_new_version_of_a_rule_is_told_as_made_and_unmade() -> None:
    told = rule_changes([edit("tags", "<b>", "")], [edit("tags", "<b>", "", version=2)])
    assert [r.text for r in told] == ["tags (version 1): 1 x unmade", "tags (version 2): 1 x made"]


def test_long_and_repetitive_texts_are_compared_in_time_that_does_not_explode() -> None:
    assert diff_words("a " * 100_000, "b " * 100_000)[0].kind == "gone"
    lines = [f"line {n}\n" for n in range(20_000)]
    spans = diff_words("".join(lines), "".join(lines[::2]))
    assert "".join(s.text for s in spans if s.kind != "gone") == "".join(lines[::2])
