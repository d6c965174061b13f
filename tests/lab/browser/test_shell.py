"""The page's frame: views, the address, undo, sharing, themes, notices."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import pytest

import chainrule.lab
from chainrule.lab.data import Data
from chainrule.lab.scene import Layer, Scene
from chainrule.lab.server import running
from chainrule.lab.training import Training
from tests.helpers.pages import Open, link, told

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

VIEWS = ("build", "step", "train", "practise", "teach", "read")
STATIC = Path(chainrule.lab.__file__).with_name("static")
CHAIN_OF_TWO = {"scene": {"layers": [msgspec.to_builtins(Layer()) for _ in range(2)]}}


def wait_for_hash(page: Page, pattern: str) -> None:
    page.wait_for_function("pattern => new RegExp(pattern).test(location.hash)", arg=pattern)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


@pytest.mark.quick
def test_a_newcomer_sees_step(page: Page) -> None:
    page.wait_for_selector(".view-step")
    assert page.title() == "Step · chainrule lab"
    assert page.locator("nav a[aria-current]").inner_text() == "Step"
    assert "token" not in page.url
    press(page, "Tab", "Enter")  # the first key skips to the content
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.evaluate("location.hash") == "#step"


def test_a_newcomer_sees_the_first_error_and_goes_on_by_the_arrow_keys(page: Page) -> None:
    title = page.locator(".net-title")
    title.get_by_text("δ₃", exact=True).wait_for()
    assert page.evaluate("document.activeElement === document.body")
    press(page, "ArrowRight")
    assert title.inner_text() == "δ₂"
    press(page, "ArrowLeft", "ArrowLeft")
    assert title.inner_text() == "ℒ"
    page.set_viewport_size({"width": 800, "height": 500})  # at which browsers report what is no failure
    page.wait_for_timeout(200)
    assert page.get_by_role("alert").count() == 0
    for view in ("build", "step"):  # who comes back begins at the beginning
        page.evaluate("view => { location.hash = view }", view)
        page.wait_for_selector(f".view-{view}")
    title.get_by_text("z₁", exact=True).wait_for()


def test_weights_that_are_drawn_anew_have_learnt_nothing(visit: Open) -> None:
    page = visit(link("build", {"training": {"start_epoch": 90}}))
    page.locator("[data-name=draw]").click()
    page.wait_for_function("location.hash.includes('?s=')")
    page.locator("[data-name=draw]").click()
    assert "start_epoch" not in told(page).get("training", {})


def test_the_defaults_are_those_of_the_lab(visit: Open) -> None:
    page = visit("#step")
    told_by_page = page.evaluate("import('/state.js').then(module => module.DEFAULTS)")
    assert msgspec.convert(told_by_page["scene"], Scene) == Scene()
    assert set(told_by_page["scene"]) == set(Scene.__struct_fields__)
    assert msgspec.convert(told_by_page["data"], Data) == Data()
    assert msgspec.convert(told_by_page["training"], Training) == Training()


@pytest.mark.quick
def test_all_views_by_keyboard_on_a_narrow_screen(visit: Open) -> None:
    page = visit("#read")
    page.set_viewport_size({"width": 320, "height": 640})
    for view in VIEWS:
        page.locator(f"nav a[href^='#{view}']").focus()
        page.keyboard.press("Enter")
        page.wait_for_function("view => document.querySelector(`.view-${view}`)?.textContent.length > 100", arg=view)
        assert page.evaluate("location.hash") == f"#{view}"
        assert page.locator("nav a[aria-current]").inner_text().lower() == view
        assert page.evaluate("document.activeElement.id") == "main"
        assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.go_back()
    page.wait_for_selector(".view-teach")


BROKEN = ["#build?s=%%%", "#build?s=bm8ganNvbg", link("build", [1]), link("build", None)]
NOT_OF_THIS_FORM: list[tuple[dict[str, Any], str]] = [
    ({"colours": {}}, "colours"),
    ({"__proto__": {"x": [1]}, "constructor": {"length": 2}}, "__proto__, constructor"),
    ({"scene": {"colour": "red"}, "view": 3}, "scene.colour, view"),
    ({"scene": {"x": "0.5"}, "train": None}, "scene.x, train"),
    ({"scene": {"x": ["0.5"]}}, "scene"),
    ({"scene": {"loss": "sqared_error"}}, "scene"),
    ({"training": {"batch_size": "many", "patience": "x"}, "data": 3}, "training.batch_size, training.patience, data"),
    ({"teach": {"title": ["x"], "entries": {}}}, "teach.title, teach.entries"),
]


def test_a_broken_link_is_told_and_gives_the_chain_and_of_any_other_as_much_as_fits(visit: Open) -> None:
    page = visit("#build", ("/api/fit",))
    notice = page.get_by_role("alert")
    seen = {"show": {"log": True}}
    links: list[tuple[str, str, Any]] = [(broken, "The link is broken", {}) for broken in BROKEN]
    links += [(link("build", {**state, **seen}), f"left out: {names}.", seen) for state, names in NOT_OF_THIS_FORM]
    for address, said, kept in links:
        page.evaluate("hash => { location.hash = hash; }", address)
        notice.get_by_text(said).wait_for()
        assert told(page) == kept
        notice.get_by_role("button").focus()
        page.keyboard.press("Enter")
        assert notice.count() == 0


def test_a_link_that_nearly_fits_is_mended(visit: Open) -> None:
    page = visit(link("read", {"scene": {"loss": "cross_entropy"}}))
    assert told(page)["scene"]["layers"][-1] == {"units": 2, "activation": "softmax", "bias": False}


def test_a_view_that_is_none_is_told(visit: Open) -> None:
    page = visit("#read")
    page.evaluate("location.hash = '#stop'")
    page.get_by_role("alert").get_by_text("There is no view called “stop”").wait_for()
    page.wait_for_selector(".view-step")
    assert page.title() == "Step · chainrule lab"


@pytest.mark.quick
def test_a_link_and_a_reload_show_the_same(visit: Open) -> None:
    page = visit(link("read", CHAIN_OF_TWO))
    page.reload()
    page.wait_for_selector(".view-read", state="attached")
    assert told(page) == CHAIN_OF_TWO
    page.locator("nav a").first.click()
    page.wait_for_selector(".view-build", state="attached")
    assert told(page) == CHAIN_OF_TWO


def test_undo_and_redo_by_keyboard_and_by_buttons(open_page: Open) -> None:
    page = open_page("#build")
    x = page.locator("[data-name='x.0.slider']")
    x.focus()
    press(page, "ArrowRight", "ArrowRight")
    wait_for_hash(page, "s=")
    assert told(page) == {"scene": {"x": [0.52]}}
    press(page, "Control+z")
    assert told(page) == {"scene": {"x": [0.51]}}
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    assert told(page) == {}
    page.get_by_text("Undone.").wait_for(state="attached")
    assert page.get_by_role("button", name="Undo").get_attribute("aria-disabled") == "true"
    press(page, "Control+Shift+Z", "Control+y")
    assert told(page) == {"scene": {"x": [0.52]}}
    page.wait_for_function("() => document.querySelector('[data-name=\"x.0\"]').value === '0.52'")
    page.go_back()
    page.wait_for_function("() => document.querySelector('[data-name=\"x.0\"]').value === '0.51'")


def test_a_text_that_is_typed_has_an_undo_of_its_own(visit: Open) -> None:
    page = visit("#build")
    page.locator("[data-name='x.0.slider']").press("ArrowRight")
    box = page.locator("[data-name='y.0']")
    box.focus()
    press(page, "End", "5", "Control+z")
    assert box.input_value() == "0.8"
    assert told(page)["scene"]["x"] == [0.51]


def test_sliding_is_one_step_for_undo(visit: Open) -> None:
    page = visit("#build")
    slider = page.locator("[data-name='x.0.slider']")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.6, middle)
    page.mouse.down()
    for part in (0.7, 0.8, 0.9):
        page.mouse.move(box["x"] + box["width"] * part, middle)
    page.mouse.up()
    wait_for_hash(page, "s=")
    press(page, "Control+z")
    assert told(page) == {}


def test_the_link_is_copied(visit: Open) -> None:
    page = visit(link("read", CHAIN_OF_TWO))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Share").focus()
    press(page, "Enter", "Tab", "Enter")
    page.get_by_text("The link is copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert page.evaluate("document.activeElement.textContent") == "Share"


def test_a_menu_closes_by_escape(visit: Open) -> None:
    page = visit("#step")
    share = page.get_by_role("button", name="Share")
    share.focus()
    press(page, "Enter", "Tab")
    assert page.evaluate("document.activeElement.textContent") == "Copy the link"
    page.keyboard.press("Escape")
    assert page.get_by_text("Copy the link").is_hidden()
    assert page.evaluate("document.activeElement.textContent") == "Share"


def test_the_same_in_python(visit: Open) -> None:
    page = visit("#read")
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Show it as Python").click()
    dialog = page.get_by_role("dialog")
    assert "import chainrule" in dialog.locator("pre").inner_text()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")


def test_a_network_is_saved_and_opened_again(visit: Open, tmp_path: Path) -> None:
    page = visit(link("read", CHAIN_OF_TWO))
    page.get_by_role("button", name="Share").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the network").click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Start again").click()
    assert told(page) == {}
    page.locator("input[type=file]").first.set_input_files(file)
    wait_for_hash(page, "s=")
    assert len(told(page)["scene"]["layers"]) == 2
    assert len(told(page)["scene"]["weights"]) == 2


def test_the_theme_is_the_systems_until_another_is_chosen(visit: Open) -> None:
    page = visit("#read")
    theme = "document.documentElement.dataset.theme"
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"() => {theme} === '{scheme}'")
    page.get_by_role("button", name="Theme").click()
    page.get_by_label("Dark").focus()
    other = page.context.new_page()
    other.goto(page.url)
    page.keyboard.press("Space")
    assert page.evaluate(theme) == "dark"
    other.wait_for_function(f"() => {theme} === 'dark'")
    other.close()
    page.reload()
    assert page.evaluate(theme) == "dark"


def test_a_lab_that_was_stopped_and_started_anew_is_told_and_nothing_is_lost(browser: Browser, tmp_path: Path) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        with running(tmp_path / "progress.db") as address:
            page.goto(f"{address}{link('read', CHAIN_OF_TWO)}")
            page.wait_for_selector(".view-read h1")
        notice = page.get_by_role("alert")
        try_again = notice.get_by_role("button", name="Try again")
        page.locator("nav a").first.click()
        notice.get_by_text("The lab does not answer").wait_for()
        with running(tmp_path / "progress.db", port=urlsplit(address).port or 0) as anew:
            page.locator("nav a").first.click()  # a view that could not be had can be asked for again by its link, too
            notice.get_by_text("the lab was started anew").wait_for()
            context.new_page().goto(anew)
            try_again.focus()
            page.keyboard.press("Enter")
            page.locator("[data-name='x.0']").wait_for()
            assert notice.count() == 0
            assert told(page) == CHAIN_OF_TWO


def test_menus_and_notices_have_no_serious_violation(
    open_page: Open, serious_violations: Callable[..., list[str]]
) -> None:
    page = open_page("#read?s=broken", reduced_motion="reduce")
    page.get_by_role("alert").wait_for()
    page.get_by_role("button", name="Share").click()
    assert serious_violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.get_by_role("button", name="Theme").click()
    assert serious_violations(page, "color-contrast") == []


@pytest.mark.quick
def test_everything_the_page_needs_is_small_and_comes_from_here() -> None:
    files = [file for file in STATIC.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files if file.suffix in (".js", ".css", ".svg")) <= 250 * 1024
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert re.findall(r"https?://(?!www\.w3\.org/)\S+", text) == [], file.name
        assert "style=" not in text or file.suffix == ".css", file.name
