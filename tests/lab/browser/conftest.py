"""A lab that runs, and a page of it in a real Chromium; a test fails where the page complains about anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chainrule.lab.app import endpoints
from chainrule.lab.server import running
from chainrule.lessons.export.sheet import BROWSER_FLAGS
from tests.helpers.pages import Open

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

CHROMIUM = Path("/usr/bin/chromium")
VIEWPORT: ViewportSize = {"width": 1280, "height": 900}
_IS_SHOWN = """hop => {
    const name = hop.slice(1).split("?")[0];
    return location.hash !== hop && document.querySelector(`main > .view-${name}`) !== null;
}"""
_TIDY = """() => {
    localStorage.clear();
    document.documentElement.dispatchEvent(new Event("theme"));
    for (const dialog of document.querySelectorAll("dialog")) dialog.close();
    for (const menu of document.querySelectorAll(":popover-open")) menu.hidePopover();
    document.querySelector("#notices button")?.click();
}"""
_SERIOUS = ("serious", "critical")


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests here as slow, but for some of each view that are marked as quick, and let them come last.

    Once a browser was started, asyncio.run cannot be called in the process any more.
    """
    for item in items:
        if _is_here(item) and item.get_closest_marker("quick") is None:
            item.add_marker(pytest.mark.slow)
    items.sort(key=_is_here)


def _is_here(item: pytest.Item) -> bool:
    return Path(__file__).parent in item.path.parents


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium, started once."""
    api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a lab, with its token; the lab has a progress file of its own."""
    endpoints()  # loaded before the first page waits for it
    with running(tmp_path_factory.mktemp("lab") / "progress.db", requests_a_second=1000) as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Open]:
    """Open pages of the lab: `open_page("#build", viewport=…, color_scheme=…)`; each has a browser's memory of its own.

    At the end of the test, nothing may have been complained about: no script that failed, no file that was missing,
    nothing that the Content-Security-Policy refused. `expected` names requests that are to be refused: parts of the
    address of what the browser's console complains about.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(view: str = "", expected: tuple[str, ...] = (), **options: Any) -> Page:
        context = browser.new_context(**{"viewport": VIEWPORT, **options})
        contexts.append(context)
        page = _watched(context, complaints, lambda where: any(part in where for part in expected))
        page.goto(f"{address}{view}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _watched(context: BrowserContext, complaints: list[str], is_expected: Callable[[str], bool]) -> Page:
    """Return a new page whose complaints go into a list."""

    def listen(message: ConsoleMessage) -> None:
        where = f"{message.text} {message.location.get('url', '')}"
        if message.type == "error" and not is_expected(where):
            complaints.append(where)

    page = context.new_page()
    page.set_default_timeout(15000)
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


@pytest.fixture(scope="session")
def _shared(browser: Browser, address: str) -> Iterator[tuple[Page, list[str], list[str]]]:
    """A page that is loaded once, what it has complained about, and about what it may."""
    complaints: list[str] = []
    expected: list[str] = []
    with browser.new_context(viewport=VIEWPORT) as context:
        page = _watched(context, complaints, lambda where: any(part in where for part in expected))
        page.goto(address)
        yield page, complaints, expected


@pytest.fixture
def visit(_shared: tuple[Page, list[str], list[str]]) -> Iterator[Open]:
    """Show views on a page that other tests have been on, which takes a quarter of the time that `open_page` does.

    The view is made anew, the state is what the address tells or else the default; only what can be undone is left.
    """
    page, complaints, expected = _shared
    complaints.clear()

    def visited(view: str, may_refuse: tuple[str, ...] = ()) -> Page:
        expected[:] = may_refuse
        other = "#read?s=e30" if view.startswith("#step") else "#step?s=e30"
        for hop in (other, view if "?" in view else f"{view}?s=e30"):
            page.evaluate("hash => { location.hash = hash; }", hop)
            page.wait_for_function(_IS_SHOWN, arg=hop)
        return page

    yield visited
    page.unroute_all()
    page.set_viewport_size(VIEWPORT)
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    page.evaluate(_TIDY)
    assert complaints == []


@pytest.fixture
def page(open_page: Open) -> Page:
    """A page of the lab, as whoever starts it first sees it."""
    return open_page()


@pytest.fixture
def serious_violations() -> Callable[..., list[str]]:
    """Return what axe-core finds serious in a page, by all of its rules or by one: which rule, and where."""
    pytest.importorskip("axe_playwright_python")
    script = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")

    def look(page: Page, rule: str | None = None) -> list[str]:
        if not page.evaluate("() => 'axe' in window"):
            page.evaluate(f"() => {{ {script} }}")  # not a script of the page's, so its policy does not refuse it
        rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] if rule is None else [rule]
        found = page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations']})", rules)
        return [
            f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"
            for one in found["violations"]
            if one["impact"] in _SERIOUS
            for node in one["nodes"]
        ]

    return look
