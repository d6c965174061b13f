"""The view Train: a network learns while one watches, reads its charts, pauses and goes on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from chainrule.lab import jobs
from tests.helpers.pages import Open, tab_to

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


@pytest.fixture
def train(open_page: Open) -> Page:
    """The view, with circles and a network that fits them."""
    page = open_page("#train", reduced_motion="no-preference")
    ready(page)
    return page


def ready(page: Page) -> None:
    page.wait_for_selector("[data-key=start]:enabled", timeout=20_000)


def figure(page: Page, key: str) -> float:
    """Return a number of those that tell how far the run is."""
    return float(page.locator(f"dd[data-key='{key}']").inner_text().replace("\u202f", ""))


def wait_for_epoch(page: Page, at_least: int) -> None:
    """Wait until a run has come so far."""
    digits = (
        "(wanted) => Number(document.querySelector('dd[data-key=epoch]').textContent.replace(/\\D/g, '')) >= wanted"
    )
    page.wait_for_function(digits, arg=at_least, timeout=20_000)


def says(page: Page, selector: str, text: str) -> None:
    """Wait until something says this."""
    is_there = "([selector, text]) => document.querySelector(selector).textContent.includes(text)"
    page.wait_for_function(is_there, arg=[selector, text], timeout=20_000)


def is_soon_idle() -> bool:
    end = time.monotonic() + 1.0
    while jobs.running() and time.monotonic() < end:
        time.sleep(0.01)
    return jobs.running() == 0


def chart(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=re.compile(f"^{name}"))


def said(chart: Locator) -> str:
    """Return what is said of the place that is read."""
    return chart.get_attribute("aria-valuetext") or ""


@pytest.mark.quick
def test_by_keyboard_alone_a_network_learns_is_paused_read_and_goes_on(train: Page) -> None:
    page = train
    tab_to(page, "start", "one.dataset.key === wanted")
    page.keyboard.press("Enter")
    wait_for_epoch(page, 5)
    first = figure(page, "loss")
    assert page.locator("[data-key=start]").inner_text() == "Pause"
    assert jobs.running() == 1
    wait_for_epoch(page, 25)
    page.keyboard.press("Enter")
    assert is_soon_idle()
    epoch, loss = figure(page, "epoch"), figure(page, "loss")
    assert loss < first
    assert page.locator(".status").inner_text() == f"Paused after epoch {epoch:g}."

    page.locator("summary").first.focus()  # of the picture; the curves come next
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    reading = chart(page, "Loss")
    assert reading.evaluate("one => one === document.activeElement")
    page.keyboard.press("End")
    assert said(reading).startswith(f"epoch {epoch:g} · training {loss:g} · held out 0.")
    page.keyboard.press("ArrowLeft")
    assert said(reading).startswith(f"epoch {epoch - 1:g} · training ")
    page.keyboard.press("Home")
    assert reading.get_attribute("aria-valuenow") == "0"

    page.locator("[data-key=step]").focus()
    for further in (1, 2):
        page.keyboard.press("Enter")
        says(page, ".status", f"Epoch {epoch + further:g}: loss 0.")
        assert figure(page, "epoch") == epoch + further
    assert is_soon_idle()


def test_the_charts_can_be_pointed_at_and_opened_as_tables(train: Page) -> None:
    page = train
    page.locator("input[value='100']").check()
    page.locator("[data-key=epochs]").fill("300")
    page.locator("[data-key=start]").click()
    says(page, ".status", "Ended")
    assert page.locator(".status").inner_text() == "Ended after epoch 300: all epochs done."
    for name in ("Loss", "Error δ by layer", "Gradient by layer", "Saturated units"):
        place = chart(page, name)
        place.scroll_into_view_if_needed()
        box = place.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        section = page.locator("section.chart", has=place)
        assert re.match(r"epoch\s\d+ · (training|layer\s1)\s\d", section.locator(".reading").inner_text())
        section.locator("summary").click()
        rows = section.locator("tbody tr")
        rows.nth(1).wait_for()
        assert rows.last.locator("th").inner_text() == "300"
    picture = page.locator("canvas.plane")
    assert "accuracy" in (picture.get_attribute("aria-label") or "")
    is_painted = """canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size > 100;
    }"""
    assert picture.evaluate(is_painted)


def test_the_trained_weights_are_those_of_every_view_and_can_be_undone(train: Page) -> None:
    page = train
    page.locator("[data-key=patience]").fill("99")
    page.locator("[data-key=step]").click()
    says(page, ".status", "Epoch 1:")
    assert '"weights"' in state(page)
    page.locator("[data-key=optimizer]").select_option("adam")
    for key in ("Undo", "Redo"):
        page.get_by_role("button", name=key).click()
    with page.expect_request("**/api/train") as asked:
        page.locator("[data-key=start]").click()
    sent: Any = asked.value.post_data_json
    assert sent["training"]["best"]["epoch"] == 1
    assert sent["training"]["memory"] is None  # which was that of another optimiser
    says(page, ".status", "Training until epoch 1\u202f000, for at most 60 seconds.")
    wait_for_epoch(page, 20)
    for steps, status, epoch in ((1, "Ready to go on from epoch 1.", "1"), (2, "Ready to start.", "0")):
        for _ in range(steps):
            page.get_by_role("button", name="Undo").click()
        says(page, ".status", status)
        says(page, "dd[data-key=epoch]", epoch)
    assert '"weights"' not in state(page)


def state(page: Page) -> str:
    """Return what the address says, as the page wrote it."""
    return str(page.evaluate("atob((location.hash.split('?s=')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))"))


def test_leaving_the_view_leaves_no_job_and_whoever_comes_back_goes_on(train: Page) -> None:
    train.locator("[data-key=start]").click()
    wait_for_epoch(train, 25)
    leave = """() => {
        const shown = document.querySelector("dd[data-key=epoch]").textContent;
        document.querySelector("nav a[href^='#practise']").click();
        return Number(shown);
    }"""
    shown = train.evaluate(leave)
    train.wait_for_selector(".view-practise")
    assert is_soon_idle()
    train.get_by_role("link", name="Train").click()
    ready(train)
    epoch = figure(train, "epoch")
    assert epoch >= shown  # or a later one that had come and was not drawn yet
    says(train, ".status", f"Ready to go on from epoch {epoch:g}.")
    assert said(chart(train, "Loss")).startswith(f"epoch {epoch:g} · training 0.")
    assert train.locator("[data-key=start]").inner_text() == "Go on"


def test_a_page_that_is_closed_leaves_no_job(train: Page) -> None:
    train.locator("input[value='full']").check()
    train.reload()
    ready(train)
    assert train.locator("input[value='full']").is_checked()
    assert train.get_by_role("alert").all_inner_texts() == []
    train.locator("[data-key=seconds]").fill("600")
    train.locator("[data-key=epochs]").fill("1000000")
    train.locator("[data-key=start]").click()
    wait_for_epoch(train, 1000)
    train.close()
    assert is_soon_idle()


def test_a_table_makes_the_network_follow_and_shows_what_was_taken_for_what(train: Page) -> None:
    page = train
    page.locator("input[value=penguins]").check()
    says(page, ".chips", "3 softmax")
    page.locator("[data-key=start]").click()
    wait_for_epoch(page, 8)
    rows = page.locator(".confusion tbody tr")
    assert [rows.nth(k).locator("th").inner_text() for k in range(3)] == ["Adelie", "Chinstrap", "Gentoo"]


def test_an_own_table_can_be_chosen_and_dropped_and_what_is_wrong_is_said(open_page: Open) -> None:
    page = open_page("#train", expected=("/api/data",))
    ready(page)
    good = "size,kind\n" + "".join(f"{k},{'big' if k > 9 else 'small'}\n" for k in range(20))
    chosen: Any = {"name": "sizes.csv", "mimeType": "text/csv", "buffer": good.encode()}
    page.locator("input[type=file][accept*=csv]").set_input_files(chosen)
    says(page, ".own", "sizes.csv")
    says(page, ".chips", "1 input")
    drop = """text => {
        const data = new DataTransfer();
        data.items.add(new File([text], "bad.csv", { type: "text/csv" }));
        document.querySelector(".own").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
    }"""
    page.evaluate(drop, "size,kind\n1,big\n2\n")
    says(page, ".settings [role=alert]", "the table, row 2 (line 3): 1 fields, but the header has 2")
    assert "sizes.csv" in page.locator(".own").inner_text()
    assert page.locator("[data-key=start]").is_enabled()


def test_a_run_that_diverges_says_what_to_try(train: Page) -> None:
    page = train
    page.locator("input[value=regression]").check()
    ready(page)
    says(page, ".chips", "identity")
    page.locator("[data-key=learning_rate]").fill("1000000")
    page.locator("[data-key=start]").click()
    page.wait_for_selector("#notices [role=alert]")
    assert "Try a smaller learning rate, or clip the gradient" in page.locator("#notices").inner_text()
    says(page, ".status", "Ended after epoch 0: it diverged. The charts have only what was before it.")
    assert page.locator(".mark circle").count() == 11  # training and held out, and of three layers in three charts
    page.locator("[data-key=learning_rate]").fill("0.1")
    page.locator("[data-key=clip_norm]").fill("1")
    page.locator("[data-key=start]").click()
    wait_for_epoch(page, 5)


def test_a_lab_that_is_gone_is_told(visit: Open) -> None:
    page = visit("#train", ("/api/train",))
    ready(page)
    page.locator("[data-key=step]").click()
    says(page, ".status", "Epoch 1:")
    page.route("**/api/train", lambda route: route.fulfill(body=""))
    page.locator("[data-key=step]").click()
    says(page, ".status", "Stopped after epoch 1: no more came from the lab.")
    page.locator("[data-key=reset]").click()
    page.locator("[data-key=step]").click()
    says(page, ".status", "Stopped after epoch 0: no more came from the lab.")
    page.route("**/api/train", lambda route: route.abort())
    page.locator("[data-key=start]").click()
    page.wait_for_selector("#notices [role=alert]")
    says(page, ".status", "Stopped after epoch 0: no more came from the lab.")
    assert page.locator("[data-key=start]").inner_text() == "Start"


def test_nothing_serious_is_wrong_for_those_who_cannot_see_it(
    open_page: Open, serious_violations: Callable[[Page], list[str]]
) -> None:
    page = open_page("#train", color_scheme="light", reduced_motion="reduce", viewport={"width": 320, "height": 640})
    ready(page)
    page.locator("[data-key=step]").click()
    says(page, ".status", "Epoch 1:")
    page.locator("summary").first.click()
    assert serious_violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert serious_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320
