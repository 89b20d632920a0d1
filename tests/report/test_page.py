import json
import re
from dataclasses import replace
from html import unescape

import pytest
from tests.report.conftest import CREATED
from tests.report.hostile import ALL, HOSTILE
from tests.report.view_of import write_view

from winnow.report.collect import collect
from winnow.report.page import SCRIPTS, embedded, render
from winnow.report.report_data import Listed, Piece, Sample


def test_nothing_on_the_page_is_loaded_from_anywhere(seeds_page):
    page = seeds_page.decode()
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert not re.search(r"<(?:link|img|iframe|script|source|object)[^>]+(?:src|href)=\"(?!data:,)", own)
    assert "@import" not in own and "url(" not in own
    assert "default-src 'none'" in unescape(page)


def test_hostile_text_opens_no_element(hostile_page):
    page = hostile_page.decode()
    assert page.count("<script") == page.count("</script>") == len(SCRIPTS) + 1
    assert "<img" not in page
    assert "\u202e" not in page and "\u2028" not in page and "\x00" not in page


@pytest.mark.parametrize("text", [*HOSTILE, ALL])
def test_embedded_data_reads_back_as_it_was(text):
    held = embedded({"text": text})
    assert not set("<>&\u2028\u2029") & set(held)
    assert json.loads(held) == {"text": text}


def test_the_same_version_gives_the_same_page(seeds_view, seeds_page):
    assert render(collect(seeds_view, version=1, created_at=CREATED, run_id="run-1", name="Seeds")) == seeds_page


def test_a_rollback_and_its_reason_stand_at_the_head_of_the_page(seeds_view):
    report = collect(seeds_view, version=1, created_at=CREATED, run_id="run-1")
    page = render(replace(report, gate={}, note="rollback to version 2: <b>wrong</b> feed")).decode()
    assert "Note: <bdi>rollback to version 2: &lt;b&gt;wrong&lt;/b&gt; feed</bdi>" in page
    assert "Note: <bdi>" not in render(replace(report, gate={}, note=None)).decode()


def test_a_dataset_without_rows_has_a_page(tmp_path):
    page = render(collect(write_view(tmp_path, []), version=1, created_at=CREATED, run_id="run-1"))
    assert b"No document needed a repair" in page


def test_the_page_of_a_large_version_stays_small(seeds_view):
    report = collect(seeds_view, version=1, created_at=CREATED, run_id="run-1")
    listed = tuple(Listed(f"{n:016x}", "T" * 160, "s" * 240, "en", n, n, n) for n in range(4000))
    samples = tuple(Sample(f"{n:016x}", (Piece("r" * 6000, "c" * 6000, ("tags",)),)) for n in range(24))
    page = render(replace(report, documents=listed, samples=samples, n_published=1_000_000))
    assert len(page) < 3_000_000
    assert b"The 4,000 documents with most repairs and removals of 1,000,000" in page
