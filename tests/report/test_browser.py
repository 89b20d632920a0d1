"""The page in a real Chromium: skipped, with a word, where there is none."""

import json
import shutil
from urllib.parse import urlsplit

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium with its driver here: apt-get install chromium chromium-driver"
)
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def visit(browser, tmp_path):
    def go(page, width=1280, scheme="light", media="screen"):
        path = tmp_path / "report.html"
        path.write_bytes(page)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        # Smooth scrolling would move what the driver is about to click.
        wishes = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
        for kind in ("browser", "performance"):
            browser.get_log(kind)
        browser.get(path.as_uri())
        return browser

    return go


def requested(browser):
    """Schemes of everything the page asked for, the page itself apart."""
    events = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
    urls = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return [u for u in urls if urlsplit(u).scheme not in ("file", "data")]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_loads_without_an_error_or_a_request_and_fits_the_screen(visit, seeds_page, width, scheme):
    page = visit(seeds_page, width, scheme)
    assert page.get_log("browser") == []
    assert requested(page) == []
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    assert page.execute_script("return document.querySelectorAll('.chart svg').length") == 3
    # Text stands out from its ground by at least the 4.5 to 1 that WCAG asks for.
    assert page.execute_script(CONTRAST) >= 4.5


CONTRAST = """
const light = (css) => {
  const c = document.createElement('canvas').getContext('2d');
  c.fillStyle = css;
  c.fillRect(0, 0, 1, 1);
  return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3).map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
};
const style = getComputedStyle(document.documentElement);
const value = (name) => light(style.getPropertyValue(name));
const ratio = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
const inks = ['--ink', '--soft', '--faint', '--accent', '--bad', '--good'];
return Math.min(...inks.map(n => ratio(value(n), value('--paper'))));
"""


def test_hostile_text_is_shown_and_does_nothing(visit, hostile_page):
    page = visit(hostile_page)
    assert page.get_log("browser") == []
    assert requested(page) == []
    for button in page.find_elements("css selector", "#documents-list button"):
        page.execute_script("arguments[0].click()", button)
    page.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert "owned" not in page.title.replace("document.title='owned'", "")
    assert page.execute_script("return document.querySelectorAll('img, iframe, object').length") == 0
    assert page.execute_script("return getComputedStyle(document.body).display") == "block"
    assert "<script>document.title='owned'</script>" in page.find_element("id", "raw").text
    assert "[U+202E]" in page.find_element("tag name", "h1").text
    assert page.get_log("browser") == []


def test_the_search_finds_by_title_source_and_language(visit, seeds_page):
    page = visit(seeds_page)
    box, rows = (
        page.find_element("id", "search"),
        lambda: page.find_elements("css selector", "#documents-list tbody tr"),
    )
    assert len(rows()) == 5
    box.send_keys("003_")
    assert len(rows()) == 1
    assert page.find_element("id", "found").text == "1 of 5"
    box.clear()
    box.send_keys("no such document")
    assert rows() == []


def test_a_document_opens_side_by_side_and_closes_again(visit, seeds_page):
    page = visit(seeds_page)
    page.find_element("id", "search").send_keys("001_")
    page.find_element("css selector", "#documents-list button").click()
    assert page.find_element("id", "reader").is_displayed()
    raw, clean = (page.find_element("id", side).text for side in ("raw", "clean"))
    assert raw and clean and raw != clean
    assert page.find_elements("css selector", "#raw .was")
    page.find_element("id", "close").click()
    assert not page.find_element("id", "reader").is_displayed()


def test_the_theme_can_be_chosen_against_the_system(visit, seeds_page):
    page = visit(seeds_page, scheme="dark")
    ground = "return getComputedStyle(document.body).backgroundColor"
    dark = page.execute_script(ground)
    page.find_element("id", "theme").click()
    assert page.execute_script(ground) != dark
    page.find_element("id", "theme").click()
    assert page.execute_script(ground) == dark
    page.find_element("id", "theme").click()


def test_print_is_dark_on_white_and_shows_every_example(visit, seeds_page):
    page = visit(seeds_page, scheme="dark", media="print")
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert page.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.execute_script("return [...document.querySelectorAll('details.tally')].every(d => d.open)")
    assert page.execute_script("return getComputedStyle(document.querySelector('nav')).display") == "none"
