"""Build: a network is put together, by keyboard, and the drawing follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from chainrule.lab.data import Data, ready
from tests.helpers.pages import link, told

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CLASSES = {
    "scene": {
        "inputs": 2,
        "x": [0.5, -0.3],
        "y": [1],
        "layers": [
            {"units": 6, "activation": "relu", "bias": True},
            {"units": 3, "activation": "softmax", "bias": True},
        ],
        "loss": "cross_entropy",
    }
}
LARGEST = {
    "scene": {
        "inputs": 12,
        "x": [0.5] * 12,
        "y": [0.8] * 12,
        "layers": [{"units": 12, "activation": "tanh", "bias": True}] * 8,
    }
}


@pytest.fixture
def build(visit: Callable[..., Page]) -> Callable[..., Page]:
    """Show Build, with what differs from the defaults."""

    def shown(state: Any = None, **options: Any) -> Page:
        page = visit(link("build", state or {}), **options)
        page.wait_for_selector("[data-name=add]")
        return page

    return shown


def scene(page: Page) -> Any:
    """Return what of the scene differs from the default, as the page's address has it."""
    state = told(page)
    return state["scene"] if state else {}


def key(page: Page, name: str) -> Locator:
    return page.locator(f"[data-name='{name}']")


def drop(page: Page, name: str, text: str) -> None:
    """Drop a file on the page."""
    page.evaluate(
        """([name, text]) => {
            const data = new DataTransfer();
            data.items.add(new File([text], name));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
        }""",
        [name, text],
    )


def wait_for_layers(page: Page, count: int) -> None:
    page.wait_for_function("count => document.querySelectorAll('.build-layers li').length === count + 1", arg=count)


def weight(page: Page, layer: int, row: int = 0, column: int = 0) -> str:
    return key(page, f"weights.{layer - 1}.{row}.{column}").input_value()


def wait_for_drawing(page: Page, text: str) -> None:
    page.wait_for_function("text => document.querySelector('.view svg').textContent.includes(text)", arg=text)


@pytest.mark.quick
def test_the_chain_stands_there_with_its_numbers(build: Callable[..., Page]) -> None:
    page = build()
    assert [weight(page, layer) for layer in (1, 2, 3)] == ["1.5941", "1.6849", "−0.67711"]
    wait_for_drawing(page, "1.594")


@pytest.mark.quick
def test_a_weight_is_typed_and_its_slider_and_the_drawing_follow(build: Callable[..., Page]) -> None:
    page = build()
    box = key(page, "weights.1.0.0")
    box.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("-1,25")
    assert key(page, "weights.1.0.0.slider").input_value() == "-1.25"
    wait_for_drawing(page, "−1.25")
    page.keyboard.press("Enter")
    assert [matrix[0][0] for matrix in scene(page)["weights"]] == [1.5941173918518872, -1.25, -0.6771058704364568]


def test_a_weight_is_slid_and_its_field_follows(build: Callable[..., Page]) -> None:
    page = build()
    slider = key(page, "weights.0.0.0.slider")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert key(page, "weights.0.0.0").input_value() == slider.input_value()
    wait_for_drawing(page, f"+{slider.input_value()}")


def test_arrow_keys_change_a_number(build: Callable[..., Page]) -> None:
    page = build()
    box = key(page, "x.0")
    box.focus()
    for one in ("ArrowUp", "ArrowUp", "PageDown"):
        page.keyboard.press(one)
    assert box.input_value() == "0.42"
    assert scene(page) == {"x": [0.42]}


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("x.0", "a half", "Only a number from −1000000 to 1000000."),
        ("layer.0.units", "13", "Only a whole number from 1 to 12."),
    ],
)
def test_what_is_no_number_that_fits_changes_nothing_and_it_is_said_what_fits(
    build: Callable[..., Page], name: str, typed: str, said: str
) -> None:
    page = build()
    box = key(page, name)
    before = box.input_value()
    box.fill(typed)
    assert box.get_attribute("aria-invalid") == "true"
    box.press("Tab")
    assert box.input_value() == before
    assert box.get_attribute("aria-invalid") == "false"
    page.get_by_role("status").get_by_text(said).wait_for()
    assert page.locator(f"#{box.get_attribute('aria-describedby')}").inner_text() == said
    assert scene(page) == {}
    box.fill("1")
    assert page.get_by_text(said).count() == 0


def test_of_a_number_that_is_typed_no_digit_is_hidden(build: Callable[..., Page]) -> None:
    box = key(build(), "weights.0.0.0")
    box.fill("-0.0123456")
    box.press("Tab")
    assert box.input_value() == "−0.0123456"
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth + 1")


def test_layers_come_and_go_and_the_others_keep_their_weights(build: Callable[..., Page]) -> None:
    page = build()
    key(page, "add").focus()
    page.keyboard.press("Enter")
    wait_for_layers(page, 4)
    assert page.evaluate("document.activeElement.dataset.name") == "add"
    assert [weight(page, 1), weight(page, 2), weight(page, 4)] == ["1.5941", "1.6849", "−0.67711"]
    key(page, "layer.0.remove").focus()
    page.keyboard.press("Enter")
    wait_for_layers(page, 3)
    assert [weight(page, 1), weight(page, 3)] == ["1.6849", "−0.67711"]
    page.keyboard.press("Control+z")
    wait_for_layers(page, 4)
    assert weight(page, 1) == "1.5941"


def test_the_number_of_layers_is_typed(build: Callable[..., Page]) -> None:
    page = build()
    key(page, "layers").fill("8")
    key(page, "layers").press("Enter")
    wait_for_layers(page, 8)
    assert key(page, "add").get_attribute("aria-disabled") == "true"
    assert weight(page, 8) == "−0.67711"


def test_the_number_of_layers_is_slid_and_weights_that_went_come_back(build: Callable[..., Page]) -> None:
    page = build()
    slider = key(page, "layers.slider")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 2 / 7 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 2, middle)
    wait_for_layers(page, 1)
    page.mouse.move(box["x"] + box["width"] - 2, middle)
    wait_for_layers(page, 8)
    assert [weight(page, layer) for layer in (1, 2, 8)] == ["1.5941", "1.6849", "−0.67711"]
    page.mouse.up()
    page.wait_for_function("() => location.hash.includes('s=')")
    page.get_by_role("button", name="Undo").click()
    wait_for_layers(page, 3)
    assert scene(page) == {}


def test_units_inputs_and_biases(build: Callable[..., Page]) -> None:
    page = build()
    for _ in range(2):
        page.get_by_role("button", name="Units of Layer 1: one more").focus()
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Inputs: one more").press("Enter")
    key(page, "layer.0.bias").press("Space")
    key(page, "biases.0.2").wait_for()
    assert weight(page, 1) == "1.59"
    assert page.get_by_role("textbox", name="w₁,₂,₃: weight of layer 1, from input 2 to unit 3").count() == 1
    changed = scene(page)
    assert changed["inputs"] == 2
    assert changed["layers"][0] == {"units": 3, "activation": "tanh", "bias": True}


def test_a_loss_brings_its_output_along_and_says_so(build: Callable[..., Page]) -> None:
    page = build()
    key(page, "loss").select_option("cross_entropy")
    page.get_by_text("needs an output with softmax").wait_for()
    assert key(page, "layer.2.activation").input_value() == "softmax"
    assert key(page, "layer.2.units").input_value() == "2"
    assert key(page, "y.0.slider").get_attribute("max") == "1"
    key(page, "layer.2.activation").select_option("tanh")
    page.get_by_text("so the loss is the squared error now").wait_for()
    assert key(page, "loss").input_value() == "squared_error"


def test_data_bring_a_network_that_fits_and_their_first_row(build: Callable[..., Page]) -> None:
    ready(Data(name="iris"))  # loads libraries, for which the page would wait
    page = build()
    page.get_by_role("radio", name="Iris").press("Space")
    wait_for_layers(page, 3)
    key(page, "x.3").wait_for()
    assert [key(page, f"layer.{place}.units").input_value() for place in range(3)] == ["4", "2", "3"]
    assert key(page, "loss").input_value() == "cross_entropy"
    assert len(scene(page)["x"]) == 4
    assert page.evaluate("document.activeElement.value") == "iris"
    page.get_by_role("radio", name="Penguins").press("Space")
    key(page, "x.7").wait_for()
    page.keyboard.press("Control+z")
    key(page, "x.7").wait_for(state="detached")
    assert page.get_by_role("radio", name="Iris").is_checked()

    # Their pictures have the colours of the theme.
    pictures = "JSON.stringify([...document.querySelectorAll('.choose canvas')].map(one => one.toDataURL()))"
    light = page.evaluate(pictures)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => {pictures} !== light", arg=light)


def test_an_own_table_is_dropped_on_the_page(build: Callable[..., Page]) -> None:
    page = build(may_refuse=("/api/data",))
    good = "size,weight,c\n" + "".join(f"{k / 8},{k % 3},{k / 4 + k % 3}\n" for k in range(30))
    drop(page, "own.csv", good)
    page.get_by_role("textbox", name="Input x₂ weight").wait_for()
    assert page.locator(".own").get_by_text("own.csv").is_visible()
    assert key(page, "layer.2.activation").input_value() == "identity"
    before = told(page)
    drop(page, "bad.csv", "a,b\n1,2,3\n")
    page.get_by_role("alert").get_by_text("bad.csv is not taken: the table, row 1 (line 2): 3 fields").wait_for()
    assert page.locator(".own").get_by_text("own.csv").is_visible()
    assert told(page) == before
    drop(page, "text.csv", good.replace("\n0.5,", "\nn/a,"))
    said = (
        "Column 'size' is read as categories, since row 5 holds 'n/a': write a number there, or leave the field empty."
    )
    page.locator(".notes").get_by_text(said).wait_for()
    page.locator("#live").get_by_text(f"text.csv is loaded. The network is now 23–4–2–1. {said}").wait_for()
    assert page.get_by_role("alert").count() == 0


def test_what_cannot_be_done_is_told_and_taken_back(build: Callable[..., Page]) -> None:
    page = build(may_refuse=("/api/fit",))
    page.route("**/api/fit", lambda route: route.fulfill(status=422, json={"error": {"message": "this cannot be"}}))
    key(page, "loss").select_option("huber")
    page.get_by_role("alert").get_by_text("this cannot be").wait_for()
    assert key(page, "loss").input_value() == "squared_error"


def test_one_activation_for_all_layers(build: Callable[..., Page]) -> None:
    page = build()
    key(page, "activation").select_option("relu")
    page.wait_for_function("() => document.querySelector('[data-name=\"layer.2.activation\"]').value === 'relu'")
    assert page.get_by_text("f = max(z, 0)").count() == 1
    assert [weight(page, layer) for layer in (1, 2, 3)] == ["1.5941", "1.6849", "−0.67711"]


def test_other_weights_are_drawn(build: Callable[..., Page]) -> None:
    page = build()
    key(page, "draw").press("Enter")
    page.wait_for_function("() => document.querySelector('[data-name=\"weights.0.0.0\"]').value !== '1.5941'")
    assert scene(page) == {"seed": 1}
    page.keyboard.press("Control+z")
    page.wait_for_function("() => document.querySelector('[data-name=\"weights.0.0.0\"]').value === '1.5941'")
    assert key(page, "seed").input_value() == "0"


def test_many_weights_are_a_table(build: Callable[..., Page]) -> None:
    page = build(CLASSES)
    assert page.locator(".build-matrix").count() == 2
    key(page, "weights.0.1.5").fill("0.125")
    key(page, "weights.0.1.5").press("Enter")
    assert scene(page)["weights"][0][1][5] == 0.125


def test_the_largest_network(build: Callable[..., Page]) -> None:
    page = build(LARGEST)
    wait_for_layers(page, 8)
    assert page.locator(".build-matrix").count() == 1
    page.locator("summary", has_text="Layer 8").press("Enter")
    key(page, "weights.7.11.11").fill("0.5")
    key(page, "weights.7.11.11").press("Enter")
    assert scene(page)["weights"][7][11][11] == 0.5
    assert page.get_by_role("button", name="Units of Layer 1: one more").get_attribute("aria-disabled") == "true"


def test_nothing_is_seriously_inaccessible(
    build: Callable[..., Page], serious_violations: Callable[..., list[str]]
) -> None:
    page = build(CLASSES)
    assert serious_violations(page) == []
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert serious_violations(page, "color-contrast") == []
