"""The page with documents before and after shows what differs, as text, within bounds."""

from __future__ import annotations

import pytest

from winnow.report.changes_page import AROUND, LONGEST, ChangedDocument, Stretch, render_changes, shortened

LONG = "x" * (3 * AROUND)


@pytest.mark.parametrize(
    ("spans", "sizes"),
    [
        ([], []),
        ([Stretch("same", LONG), Stretch("gone", LONG)], [2 * AROUND + 3, len(LONG)]),
        ([Stretch("come", "y" * (LONGEST + 9)), Stretch("gone", "z")], [LONGEST + 1]),
    ],
)
def test_long_stretches_are_shortened(spans: list[Stretch], sizes: list[int]) -> None:
    assert [len(span.text) for span in shortened(spans)] == sizes


@pytest.mark.parametrize(("kind", "version"), [("added", 1), ("withdrawn", 2)])
def test_a_document_that_one_version_lacks_is_told_to_be_missing_there(kind: str, version: int) -> None:
    one = ChangedDocument(doc_id="d", source="s", kind=kind, reasons=(), spans=())
    assert f"It is not in version {version}." in render_changes(1, 2, [one], 1).decode()


def test_texts_are_escaped_and_what_is_not_shown_is_told() -> None:
    one = ChangedDocument(
        doc_id="d", source="<s>", kind="changed", reasons=("rule, <r>",), spans=(Stretch("gone", "<b>\u202e"),)
    )
    page = render_changes(1, 2, [one], 3).decode()
    assert "3 documents differ; 1 of them are shown." in page
    assert "<del>&lt;b&gt;[U+202E]</del>" in page
    assert "&lt;s&gt;" in page
    assert "&lt;r&gt;" in page
