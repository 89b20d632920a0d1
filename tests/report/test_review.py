"""The review page: a fair sample of each rule, texts that stay texts, and a file of verdicts from a real browser."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from tests.report.hostile import ALL
from tests.report.test_browser import CHROMIUM, DRIVER, FLAGS, requested

from winnow.report.review import render_review, sample_items

needs_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium with its driver here: apt-get install chromium chromium-driver"
)


def page_of(view, **how):
    items = sample_items(view, how.pop("size", 60), how.pop("rule", None), "run-3")
    return render_review(items, name=ALL, version=3, run_id="run-3"), items


def test_each_rule_and_reason_has_its_share_and_the_same_run_gives_the_same_page(hostile_view):
    page, items = page_of(hostile_view)
    counts = Counter((i.kind, i.rule) for i in items)
    assert {kind for kind, _ in counts} == {"repair", "removal"}
    assert max(counts.values()) <= 60 // len(counts)
    assert len({(i.kind, i.rule, i.doc_id, i.at) for i in items}) == len(items)
    assert page_of(hostile_view)[0] == page
    [rule] = {i.rule for i in sample_items(hostile_view, 5, "entities", "run-3")}
    assert rule == "entities"
    assert sample_items(hostile_view, 5, "no such rule", "run-3") == []


def test_what_was_removed_stands_beside_what_was_kept(hostile_view):
    removals = [i for i in page_of(hostile_view)[1] if i.kind == "removal"]
    assert all(i.before for i in removals)
    assert any(i.after for i in removals) and any(i.note.startswith("kept in") for i in removals)


def test_white_space_that_a_repair_changed_is_seen(hostile_view):
    sides = [side for i in page_of(hostile_view)[1] if i.kind == "repair" for side in (i.before, i.after) if side]
    assert all(side.strip() for side in sides)
    assert any("↵" in side or "·" in side for side in sides)


def test_no_text_of_a_dataset_can_end_the_data_of_the_page(hostile_view):
    page = page_of(hostile_view)[0].decode()
    assert page.count("<script") == page.count("</script") == 2
    start = page.index('id="data">') + len('id="data">')
    data = page[start : page.index("</script", start)]
    assert not set("<>&") & set(data)
    assert len(json.loads(data)["items"]) > 3


@pytest.fixture
def browser(tmp_path):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(tmp_path / "saved")})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.mark.slow
@needs_browser
def test_a_person_marks_with_the_keyboard_and_saves_lines_without_text(browser, hostile_view, tmp_path):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.support.ui import WebDriverWait

    page, items = page_of(hostile_view)
    (tmp_path / "review.html").write_bytes(page)
    (tmp_path / "saved").mkdir()
    browser.get_log("performance")  # of the browser's own first page
    browser.get((tmp_path / "review.html").as_uri())
    assert browser.get_log("browser") == []
    widths = "return ['.text, .pair', '#card'].map(n => document.querySelector(n).getBoundingClientRect().width)"
    text, card = browser.execute_script(widths)
    assert text > 0.9 * card, "what is judged has the whole card"
    for item in items:  # the card shows each text as text
        card = browser.execute_script("return document.getElementById('card').textContent")
        assert all(text in card for text in (item.source, item.before, item.after))
        ActionChains(browser).send_keys("\ue014").perform()
    ActionChains(browser).send_keys("\ue012" * len(items)).send_keys("rwu").perform()
    assert "3 marked, not saved" in browser.find_element("id", "progress").text
    ActionChains(browser).send_keys("s").perform()
    saved = tmp_path / "saved" / "review-v3.jsonl"
    WebDriverWait(browser, 20).until(lambda _: saved.exists())
    lines = [json.loads(line) for line in saved.read_text().splitlines()]
    assert [line["verdict"] for line in lines] == ["right", "wrong", "unsure"]
    assert set(lines[0]) == {"version", "run_id", "kind", "rule", "doc_id", "at", "verdict"}
    assert [(line["doc_id"], line["at"]) for line in lines] == [(i.doc_id, i.at) for i in items[:3]]
    assert [u for u in requested(browser) if not u.startswith("blob:")] == []
