"""The page over all versions says what their manifests say, links to their reports, and stays small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.publish.press import Press, sources

from winnow.publish.dataset import Dataset
from winnow.publish.housekeeping import prune
from winnow.report import index_page
from winnow.run import version_index
from winnow.run.version_index import draw_index, index_fault, mend_index


@pytest.fixture
def press(tmp_path: Path) -> Press:
    return Press(Dataset(tmp_path / "dataset"), tmp_path / "work")


def drawn(press: Press) -> str:
    draw_index(press.dataset)
    return press.dataset.index_page.read_text("utf-8")


def test_without_a_version_there_is_no_page(tmp_path: Path) -> None:
    draw_index(Dataset(tmp_path))
    assert not Dataset(tmp_path).index_page.exists()


def test_each_version_has_a_row_with_its_numbers_and_a_link_to_its_report_if_it_has_one(press: Press) -> None:
    press.publish(sources("a", "b"), extras=lambda folder, manifest: {"report.html": b"<p>"})
    press.publish(sources("c"))
    page = drawn(press)
    assert 'href="v1/report.html">v1</a>' in page
    assert 'href="v2/' not in page
    assert "<td>v2</td>" in page
    assert '<td class="n">3</td>' in page
    assert page.index("v2</td>") < page.index(">v1</a>")


def test_notes_are_shown_as_text(press: Press) -> None:
    press.publish(sources("a"), run=replace(press.run(), note="<b>rollback</b> to version 1"))
    page = drawn(press)
    assert "&lt;b&gt;rollback&lt;/b&gt; to version 1" in page
    assert "script-src &#39;none&#39;" in page
    assert "<script" not in page


def test_only_the_latest_versions_are_shown(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(3):
        press.publish(sources(f"{n}"))
    monkeypatch.setattr(version_index, "MOST_VERSIONS", 2)
    page = drawn(press)
    assert "The last 2 of 3." in page
    assert "<td>v1</td>" not in page
    prune(press.dataset, 2, False)
    assert "The newest first." in drawn(press)


def test_what_a_page_says_of_older_versions_is_taken_from_it(press: Press) -> None:
    press.publish(sources("a"), run=replace(press.run(), note='<b>"first"</b> & last'))
    press.publish(sources("b"))
    page = drawn(press)
    press.publish(sources("c"))
    press.dataset.manifest_path(1).unlink()
    lines = index_page.lines_of(drawn(press).encode())
    assert [line.version for line in lines] == [1, 2, 3]
    assert lines[:2] == index_page.lines_of(page.encode())
    assert lines[0].note == '<b>"first"</b> & last'


@pytest.mark.parametrize("data", [b"", b'lines="[1]"', b'data-lines="[[1]]"', b'data-lines="[1', b'data-lines="\xff"'])
def test_a_page_that_says_nothing_of_versions_is_drawn_from_their_manifests(press: Press, data: bytes) -> None:
    press.publish(sources("a"))
    press.publish(sources("b"))
    press.dataset.index_page.write_bytes(data)
    assert "<td>v1</td>" in drawn(press)


def test_a_page_that_is_gone_or_says_something_else_is_told_and_drawn_anew(press: Press) -> None:
    press.publish(sources("a"))
    press.publish(sources("b"))
    page = drawn(press)
    assert index_fault(press.dataset) is None
    place = press.dataset.index_page
    for damage in (place.unlink, lambda: place.write_text(page.replace("2026", "2027"))):
        damage()
        fault = index_fault(press.dataset)
        assert fault and mend_index(press.dataset) == (f"index.html: {fault.what}; drawn anew",)
        assert (place.read_text("utf-8"), index_fault(press.dataset)) == (page, None)


def test_a_version_that_cannot_be_read_is_left_out(press: Press) -> None:
    press.publish(sources("a"))
    press.publish(sources("b"))
    press.dataset.manifest_path(1).write_text("{")
    assert "<td>v1</td>" not in drawn(press)


def test_a_page_that_cannot_be_written_is_told_and_harms_nothing(
    press: Press, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError("no space left")

    press.publish(sources("a"))
    monkeypatch.setattr(version_index, "write_file", full)
    draw_index(press.dataset)
    assert "index.html: not drawn: no space left" in caplog.text


@pytest.mark.parametrize(
    ("values", "paths"),
    [((), []), ((None,), []), ((1.0,), ["M4.0 4.0 h.01"]), ((0.0, 0.0), ["M4.0 56.0 L296.0 56.0"])],
)
def test_a_chart_is_drawn_of(values: tuple[Any, ...], paths: list[str]) -> None:
    assert [stroke.path for stroke in index_page.strokes(values)] == paths
