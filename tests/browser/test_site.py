"""The built site in a browser: toggles, keys and taps, cues of wide tables, and what every page has.

`make test` runs this after it has built the site of tiny models. It takes Chromium from the system, and is skipped with
the line to type where there is none; ATTRIBOOK_BROWSER=required, as in CI, makes that an error.
"""

import functools
import http.server
import os
import shutil
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT
from playwright.sync_api import sync_playwright

SITE = ROOT / "_build" / "smoke" / "_build" / "html"
WIDTHS = (400, 768, 1280)
KINDS = (  # a page of each kind
    "book/intro.html", "book/reading.html", "notebooks/shared/one_prediction.html", "notebooks/noiser/table_1.html",
    "notebooks/rpi/audit_picking.html", "methods/occlusion.html", "claims/verdicts.html",
)  # fmt: skip
SERIOUS = {"serious", "critical"}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


def missing(text: str) -> None:
    """Skip, or fail where a browser is required."""
    if os.environ.get("ATTRIBOOK_BROWSER") == "required":
        pytest.fail(text)
    pytest.skip(text)


@pytest.fixture(scope="module")
def address():
    """The site on a port of this machine."""
    if not (SITE / "index.html").is_file():
        missing("needs the site of tiny models: attribook run --profile smoke --site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    """Chromium, without a window."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        missing("needs Chromium: apt install chromium")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser, address):
    """Open a page of the site; what goes wrong on it, and what it asks of other machines, is an error at the end."""
    wrong, opened = [], []

    def open_page(place, width=1280, **options):
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        page.on("pageerror", lambda error: wrong.append(f"{place}: {error}"))
        page.on("console", lambda told: wrong.append(f"{place}: {told.text}") if told.type == "error" else None)
        page.on("request", lambda asked: None if asked.url.startswith((address, "data:")) else wrong.append(asked.url))
        page.on("response", lambda told: wrong.append(f"{told.status} {told.url}") if told.status >= 400 else None)
        page.goto(address + place)
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        page.close()
    assert wrong == []


def pages():
    return sorted(path.relative_to(SITE).as_posix() for path in SITE.glob("**/*.html") if "_static" not in path.parts)


# -- every page ------------------------------------------------------------------------------------------------------


def test_every_page_has_a_title_a_description_and_one_heading(visit):
    lacking = {}
    for place in pages():
        text = (SITE / place).read_text(encoding="utf-8")
        if 'http-equiv="refresh"' in text or place in ("genindex.html", "search.html", "index.html"):
            continue
        article = text.partition('id="searchbox"')[2]  # behind what is printed alone
        found = [article.count("<h1"), "<title>" in text, 'name="description"' in text]
        if found != [1, True, True]:
            lacking[place] = found
    assert lacking == {}


@pytest.mark.parametrize("place", KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_serious_finding_of_axe(visit, place, scheme):
    page = visit(place, color_scheme=scheme)
    page.wait_for_load_state("networkidle")
    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    told = [(one["id"], one["nodes"][0]["target"]) for one in found if one["impact"] in SERIOUS]
    assert told == []


# -- toggles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["primary", "secondary"])
def test_toggles_show_and_hide_the_contents(visit, width, kind):
    page = visit("notebooks/noiser/table_1.html", width)
    buttons = [each for each in page.query_selector_all(f"button.{kind}-toggle") if each.is_visible()]
    sidebar = f"#pst-{kind}-sidebar"
    if not buttons:
        assert page.is_visible(sidebar), "where there is no button, the contents stand there"
        return
    before = page.is_visible(sidebar)
    buttons[0].click()
    page.wait_for_timeout(400)
    if before:
        assert not page.is_visible(sidebar)
        buttons[0].click()
        page.wait_for_timeout(400)
        assert page.is_visible(sidebar)
    else:
        modal = f"{sidebar}-modal"
        assert page.evaluate(f"document.querySelector('{modal}').open")
        assert page.is_visible(f"{modal} a")
        page.keyboard.press("Escape")
        assert not page.evaluate(f"document.querySelector('{modal}').open")


# -- heat maps and tables --------------------------------------------------------------------------------------------


def test_heat_maps_answer_to_keys_taps_and_hovering(visit):
    page = visit("notebooks/shared/one_prediction.html", 400, has_touch=True)
    cell = page.locator(".attribook-heat td[tabindex]").first
    spans = cell.locator("span[title]")
    cell.focus()
    told = cell.locator("output")
    assert told.text_content().endswith(spans.nth(0).get_attribute("title"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert told.text_content().endswith(spans.nth(2).get_attribute("title"))
    page.keyboard.press("End")
    assert told.text_content().endswith(spans.last.get_attribute("title"))
    spans.nth(1).tap()
    assert told.text_content().endswith(spans.nth(1).get_attribute("title")), "the title is what hovering shows"


def test_scores_of_a_heat_map_are_a_table_too(visit):
    page = visit("notebooks/shared/one_prediction.html")
    page.locator("details.attribook-scores summary").first.click()
    table = page.locator("details.attribook-scores table").first
    table.wait_for()  # the browser tells of an opened element a little later
    methods = page.locator("table.attribook-heat").first.locator("tr")
    assert table.locator("thead th").count() == methods.count() + 1
    assert table.locator("tbody tr").count() == methods.first.locator("span[title]").count()


@pytest.mark.parametrize("width", WIDTHS)
def test_no_table_is_cut_off_without_a_cue_and_keys_reach_it(visit, width):
    page = visit("notebooks/noiser/table_1.html", width)
    page.wait_for_timeout(300)
    cut = page.evaluate(
        "[...document.querySelectorAll('.attribook-scroll')].filter(box => box.scrollWidth > box.clientWidth + 1)"
        ".map(box => [box.classList.contains('attribook-more'), box.tabIndex, box.getAttribute('aria-label') !== ''])"
    )
    assert all(found == [True, 0, True] for found in cut)
    assert width > 400 or cut, "on a phone some tables are wide"
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page itself does not scroll sideways"


def test_the_ledger_filters_and_sorts(visit):
    page = visit("claims/ledger.html")
    shown = "document.querySelectorAll('.attribook-ledger tbody tr:not([hidden])').length"
    whole = page.evaluate(shown)
    page.select_option("form.attribook-filters select[name=paper]", "noiser")
    assert 0 < page.evaluate(shown) < whole
    page.locator(".attribook-ledger th", has_text="published").click()
    numbers = page.locator(".attribook-ledger tbody tr:not([hidden]) td:nth-child(6)").all_text_contents()[:20]
    values = [float(text) for text in numbers if text]
    assert values == sorted(values)
