"""The view Step, as people use it: by keyboard, with what belongs together lit, and every number chainrule's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias
from unicodedata import normalize

import pytest

import chainrule as cr
from chainrule.lab.figures import figure
from tests.helpers.pages import Open, link, tab_to

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Begin: TypeAlias = Callable[..., "Page"]
MATCHES = "one.matches(wanted)"

TANH, IDENTITY = ({"units": 1, "activation": name, "bias": True} for name in ("tanh", "identity"))
SMALL = {
    "scene": {
        "inputs": 2,
        "layers": [{**TANH, "units": 4}, {**TANH, "units": 3}, IDENTITY],
        "x": [0.5, -0.2],
        "y": [0.8],
    }
}
LARGE = {
    "scene": {
        "inputs": 64,
        "layers": [{**TANH, "units": 12}] * 8,
        "x": [0.1] * 64,
        "y": [0.3] * 12,
    }
}
LONG_CHAIN = {"scene": {"layers": [{"units": 1, "activation": "logistic", "bias": False}] * 8}, "show": {"log": True}}


def step_of(state: dict[str, Any] | None = None) -> str:
    """Return the address of the view Step with a state, or without one as a newcomer sees it."""
    return link("step", state) if state else "#step?s="


@pytest.fixture(scope="module")
def shared(browser: Browser, address: str) -> Iterator[tuple[Page, list[str]]]:
    """One page for most tests, as to open one takes longer than to test it; and what it has complained about."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(15000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{address}#teach")
    yield page, complaints
    context.close()


@pytest.fixture
def begun(shared: tuple[Page, list[str]]) -> Iterator[Begin]:
    """Begin the view anew: `begun(state, width=…)` has its first step. Nothing may be complained about."""
    page, complaints = shared

    def begin(state: dict[str, Any] | None = None, width: int = 1280) -> Page:
        page.set_viewport_size({"width": width, "height": 900})
        go_to = "hash => { location.hash = hash }"
        page.evaluate(go_to, "#teach")  # another view, so that nothing stays of the one before
        page.locator(".view-teach").wait_for()
        page.evaluate(go_to, step_of(state))
        page.locator(".net-title:not(:empty)").wait_for()
        return page

    yield begin
    assert complaints == []


def go(page: Page, title: str) -> None:
    """Go to a step by its button; by its key, as the strip of buttons may be moving under the mouse."""
    page.locator(".net-chip", has_text=title).and_(page.get_by_text(title, exact=True)).press("Enter")


def title(page: Page) -> str:
    """Return what the step finds."""
    return page.locator(".net-title").inner_text()


def result(page: Page) -> str:
    """Return what it comes to."""
    return page.locator(".net-value-result").inner_text()


def linked(page: Page, inside: str) -> set[str]:
    """Return what is lit in a part of the page: the symbols, or the keys of the drawing."""
    script = "all => all.map(one => one.dataset.symbol ?? one.dataset.key)"
    return set(page.locator(f"{inside} .is-linked").evaluate_all(script))


@pytest.mark.quick
def test_the_whole_way_is_gone_by_keyboard(begun: Begin) -> None:
    page = begun()
    net = cr.chain(3)
    params = net.initial(0)
    trace = cr.backprop(net, params, [[0.5]], [0.8])
    forward = [value.item() for layer in (1, 2, 3) for value in (trace.z[layer], trace.f[layer])]
    errors = [trace.delta[layer].item() for layer in (3, 2, 1)]
    gradient = [one.item() for one in trace.gradient.weights]
    updated = [w.item() - 0.1 * g for w, g in zip(params.weights, gradient, strict=True)]

    tab_to(page, ".net-chip", MATCHES)
    found = [(title(page), result(page))]
    for _ in range(15):
        page.keyboard.press("ArrowRight")
        found.append((title(page), result(page)))

    names = ["z₁", "f₁", "z₂", "f₂", "z₃", "f₃", "ℒ", "δ₃", "δ₂", "δ₁"]
    names += ["∂ℒ/∂w₁", "∂ℒ/∂w₂", "∂ℒ/∂w₃", "new w₁", "new w₂", "new w₃"]
    numbers = [*forward, float(trace.loss), *errors, *gradient, *updated]
    assert found == list(zip(names, map(figure, numbers), strict=True))

    page.keyboard.press("ArrowRight")  # and on, to the next sample
    page.locator(".step-learnt").wait_for()
    after = cr.backprop(net, net.pack([[[w]] for w in updated]), [[0.5]], [0.8])
    assert title(page) == "z₁"
    learnt = f"{figure(float(trace.loss))} → {figure(float(after.loss))}"
    assert page.locator(".step-learnt").inner_text().endswith(learnt)
    page.keyboard.press("End")
    assert title(page) == "new w₃"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")  # there is nothing before
    assert title(page) == "z₁"


def test_an_update_is_applied_and_the_next_sample_taken(begun: Begin) -> None:
    page = begun(SMALL)
    inputs = page.locator(".net-input .net-f")
    first, weights = inputs.all_text_contents(), page.locator(".net-label .net-weight").all_text_contents()
    page.locator(".net-chip[aria-current]").press("End")
    page.get_by_role("button", name="Apply the update").click()
    page.locator(".net-title", has_text="z₁,₁").wait_for()
    assert inputs.all_text_contents() == first
    assert page.locator(".net-label .net-weight").all_text_contents() != weights
    page.locator(".net-chip[aria-current]").press("End")
    page.keyboard.press("ArrowRight")
    page.locator(".net-title", has_text="z₁,₁").wait_for()
    assert inputs.all_text_contents() != first  # a row of the circles on the page
    assert page.locator(".step-learnt").inner_text().count("→") == 2
    page.get_by_role("button", name="Undo").click()
    page.locator(f".net-input .net-f:text-is('{first[0]}')").wait_for()


def test_what_comes_late_does_not_change_another_scene(begun: Begin) -> None:
    page = begun()
    held: list[Any] = []
    page.route("**/api/data", lambda route: held.append(route))
    begun(SMALL)
    page.locator(".net-chip[aria-current]").press("End")
    page.get_by_role("button", name="take the next sample").click()
    page.get_by_label("Learning rate").fill("0.5")
    page.locator(".net-value-numbers", has_text="0.5").wait_for()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_event("requestfinished"):
        held[0].continue_()
    page.unroute("**/api/data")
    page.evaluate("new Promise(done => setTimeout(done, 100))")
    assert not any("/api/" in one for one in asked)  # no other network is to be shown
    assert page.locator(".step-learnt").is_hidden()


def test_columns_of_a_table_are_called_by_their_names(begun: Begin) -> None:
    layers = [{**TANH, "units": 2}, {**IDENTITY, "units": 3, "activation": "softmax"}]
    scene = {"inputs": 4, "layers": layers, "loss": "cross_entropy", "x": [5.1, 3.5, 1.4, 0.2], "y": [1, 0, 0]}
    page = begun({"scene": scene, "data": {"name": "iris"}})
    page.get_by_label(re.compile("^x₃ = 1.4: what comes in, petal_length")).wait_for()
    page.locator(".net-as-table summary").click()
    page.get_by_role("rowheader", name="y₂ versicolor").wait_for()


def test_what_is_wrong_with_the_data_is_told_where_they_are_needed(open_page: Open) -> None:
    page = open_page(link("step", {"data": {"name": "own"}}), expected=("/api/data",))
    page.wait_for_load_state("networkidle")
    assert page.locator("#notices").inner_text() == ""
    page.locator(".net-chip[aria-current]").press("End")
    page.keyboard.press("ArrowRight")
    page.get_by_role("alert").get_by_text("the own table is missing").wait_for()


def test_the_drawing_updates_a_weight_when_the_rows_do(begun: Begin) -> None:
    page = begun({"scene": {"x": [-0.0604], "weights": [[[-12.35]], [[-0.00877]], [[-0.0604]]]}})
    go(page, "new w₂")
    of_w2 = page.locator("[data-of='w2.1.1']")
    assert of_w2.locator(".net-name").first.text_content() == "w₂ −0.00877 →"
    assert of_w2.locator(".net-weight").text_content() == result(page) == "−0.01488"
    assert page.locator("[data-of='w3.1.1'] .net-name").first.text_content() == "w₃"
    numbers = [7.3672e-6, -0.000421, 0.0421, -12.345, 12345.6, 1.2e9, 0.015625, 0.00099996, 0.0]
    shown = page.evaluate(
        "async all => { const { shown } = await import('./network.js'); return all.map(one => shown(one)); }", numbers
    )
    assert shown == [figure(one) for one in numbers]
    wide = "texts => texts.map(one => one.getBBox().width / one.parentNode.querySelector('.net-body').getBBox().width)"
    assert max(page.locator(".net-svg .net-f").evaluate_all(wide)) < 1  # numbers stay in their circles and boxes


def test_arrows_move_only_where_motion_is_wanted(begun: Begin) -> None:
    page = begun()
    moves = "arrow => getComputedStyle(arrow).animationName"
    assert page.locator(".net-arrow").evaluate(moves) == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert page.locator(".net-arrow").evaluate(moves) == "net-flow"
    page.emulate_media(reduced_motion="reduce")


def test_space_plays_and_a_step_can_be_scrubbed_to(begun: Begin) -> None:
    page = begun()
    page.locator(".net-scrubber").fill("6")
    assert title(page) == "ℒ"
    assert page.locator(".net-scrubber").get_attribute("aria-valuetext") == "ℒ"
    page.locator(".net-scrubber").press(" ")
    page.get_by_role("button", name="Pause").wait_for()
    page.locator(".net-title", has_text="δ₃").wait_for()
    page.get_by_role("button", name="Pause").click()
    assert page.get_by_role("button", name="Play").is_visible()


def test_a_factor_lights_what_belongs_to_it_and_the_other_way_round(begun: Begin) -> None:
    page = begun()
    go(page, "δ₂")
    page.locator(".net-label .net-weight").last.hover()
    assert linked(page, ".net-factors") == {"w_3"}
    page.locator(".net-value-symbols [data-symbol=w_3]").first.hover()
    assert linked(page, ".net-svg") == {"w3.1.1"}
    assert linked(page, ".net-value-numbers") == linked(page, ".net-factors") == {"w_3"}
    page.locator(".net-value-numbers [data-symbol=delta_3]").first.hover()
    assert linked(page, ".net-svg") == {"u3.1"}
    page.locator(".net-factors [data-symbol=slope_2]").focus()
    assert linked(page, ".net-svg") == {"u2.1"}
    assert linked(page, ".net-value-symbols") == {"slope_2"}

    tab_to_drawing = page.locator('.net-svg [tabindex="0"]')
    tab_to_drawing.focus()
    while page.evaluate("document.activeElement.dataset.key") != "w3.1.1":
        page.keyboard.press("ArrowDown")
    assert linked(page, ".net-value-symbols") == linked(page, ".net-factors") == {"w_3"}
    assert page.locator(".net-readout").inner_text().startswith("w₃ = −0.677106: the weight of f₂ in z₃")
    page.keyboard.press("ArrowRight")
    assert title(page) == "δ₁"  # ← and → step from wherever the focus is


def test_what_is_computed_is_accented_and_what_it_uses_is_lit(begun: Begin) -> None:
    page = begun(SMALL)
    go(page, "δ₁,₂")
    keys = "all => all.map(one => one.dataset.key)"
    assert page.locator(".net-svg .is-now").evaluate_all(keys) == ["u1.2"]
    used = set(page.locator(".net-svg .is-used").evaluate_all(keys))
    assert used == {"w2.2.1", "w2.2.2", "w2.2.3", "u2.1", "u2.2", "u2.3"}
    assert page.locator(".net-arrow").count() == 3
    assert page.locator("[data-key='u1.2'] .net-delta").text_content() == "δ −1.38"
    assert page.locator("[data-key='u1.3'] .net-delta").text_content() == ""  # its step has not come


def test_a_difference_quotient_stands_beside_every_gradient(begun: Begin) -> None:
    page = begun()
    for name in ("∂ℒ/∂w₁", "∂ℒ/∂w₂", "∂ℒ/∂w₃"):
        go(page, name)
        check = page.locator(".net-value-check", has_text="they agree")
        check.wait_for()
        formula, quotient = (float(one.replace("−", "-")) for one in check.locator(".net-number").all_inner_texts())
        assert formula == pytest.approx(quotient, rel=1e-6)
    page.locator(".net-chip", has_text="new w₁").click()
    assert title(page) == "new w₁"
    assert page.locator(".net-value-check").is_hidden()


def test_at_a_kink_there_is_no_quotient(begun: Begin) -> None:
    layers = [{"units": 1, "activation": name, "bias": False} for name in ("relu", "identity")]
    page = begun({"scene": {"layers": layers, "x": [1.0], "weights": [[[0.0]], [[1.0]]], "biases": [None, None]}})
    go(page, "∂ℒ/∂w₁")
    page.locator(".net-value-check", has_text="a kink, or too large a number, lies between").wait_for()
    go(page, "∂ℒ/∂w₂")
    page.locator(".net-value-check", has_text="they agree").wait_for()
    relu = {"units": 12, "activation": "relu", "bias": True}
    page = begun({"scene": {"inputs": 64, "layers": [relu] * 4, "x": [0.0] * 64, "y": [1.0] * 12}})
    go(page, "∂ℒ/∂b₁")  # every bias of a unit whose z is 0
    page.locator(".net-value-check", has_text="all 12 quotients, so they say nothing").wait_for()


def test_a_sign_is_foreseen_then_shown(begun: Begin) -> None:
    page = begun({"show": {"predict": True}})
    page.locator(".net-chip[aria-current]").focus()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    assert title(page) == "δ₃"
    assert page.locator(".net-question").inner_text() == "Before you see it: which sign will δ₃ have?"
    assert page.locator(".net-predict .hint").inner_text().startswith("Is the output too large")
    assert page.locator(".net-value-result").is_hidden()
    assert page.locator("[data-key='u3.1'] .net-delta").text_content() == ""
    tab_to(page, ".net-guess", MATCHES)
    page.keyboard.press("Enter")  # negative
    assert page.locator(".net-verdict").inner_text() == "✓ Right. δ₃ = −1.953 is negative. 1 of 1 foreseen"
    assert result(page) == "−1.953"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("1")  # the first answer, without going to its button
    assert page.locator(".net-verdict").inner_text().startswith("✗ Not this time. δ₂ = 0.4629 is positive.")
    page.keyboard.press("ArrowRight")
    assert "will δ₁ be larger or smaller than δ₂" in page.locator(".net-question").inner_text()
    page.keyboard.press("ArrowRight")  # no guess: it is shown, and the next → goes on
    assert page.locator(".net-verdict").inner_text().startswith("δ₁ = 0.4377 is smaller in size than δ₂ = 0.4629.")
    assert title(page) == "δ₁"
    page.keyboard.press("ArrowRight")
    assert page.locator(".net-predict .hint").inner_text().startswith("It has the signs of δ and of what comes in")


def test_formulae_turn_with_the_switches(begun: Begin) -> None:
    page = begun()
    go(page, "δ₃")
    written = normalize("NFKC", page.locator(".net-value-symbols").inner_text())
    assert "".join(written.split()).replace("\u2062", "") == "δ3=2(f3−y)(1−f32)"
    page.get_by_label("−2(y − f)").check()
    page.locator(".net-value-symbols", has_text="−2").wait_for()
    assert title(page) == "δ₃"
    assert result(page) == "−1.953"
    page.get_by_label("a⁽²⁾, w⁽²⁾").check()
    page.locator(".net-title", has_text="δ⁽³⁾").wait_for()
    assert page.locator("[data-key='u3.1'] .net-name").text_content() == "a⁽³⁾"


def test_a_gradient_that_vanishes_is_seen(begun: Begin) -> None:
    page = begun(LONG_CHAIN)
    page.locator(".net-chip[aria-current]").press("End")
    length = "bars => bars.map(bar => Number(bar.getAttribute('width')))"
    widths = page.locator(".net-unit .net-bar").evaluate_all(length)
    assert len(widths) == 8
    assert widths == sorted(widths)
    assert widths[0] < 0.2 * widths[-1]
    assert page.locator(".net-unit .net-bar").first.is_visible()
    page.get_by_role("switch", name="Size bars").click()
    assert page.locator(".net-unit .net-bar").first.is_hidden()


def test_the_drawing_is_there_as_a_table(begun: Begin) -> None:
    page = begun(SMALL)
    page.get_by_text("The drawing as a table").click()
    go(page, "f₁,₁")
    units, parameters = page.locator(".net-tables table").all()
    for name, z, f in (("f₁,₁", "0.540048", "0.493024"), ("f₁,₂", "0.47114", "not yet")):
        assert units.get_by_role("row", name=name).get_by_role("cell").all_inner_texts() == [z, f, "not yet"]
    assert parameters.get_by_role("row").count() == 1 + 31
    page.locator(".net-chip[aria-current]").press("End")
    assert "not yet" not in page.locator(".net-tables").inner_text()


def test_a_step_is_announced_once(begun: Begin) -> None:
    page = begun()
    page.evaluate(
        "window.heard = []; new MutationObserver(() => { const text = document.getElementById('live').textContent;"
        "if (text) window.heard.push(text) }).observe(document.getElementById('live'), {childList: true})"
    )
    for key in ("ArrowRight", "ArrowRight"):
        page.locator(".net-chip[aria-current]").press(key)
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.heard") == ["f 1 = 0.6624", "z 2 = 1.116"]


def test_it_can_be_read_on_a_telephone(begun: Begin) -> None:
    for state in (None, SMALL, LARGE, LONG_CHAIN):
        page = begun(state, width=320)
        page.locator(".net-chip[aria-current]").press("End")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        script = "texts => Math.min(...texts.map(text => parseFloat(getComputedStyle(text).fontSize)))"
        assert page.locator(".net-svg text").evaluate_all(script) >= 11
        scroller = page.locator(".net-scroller.has-before")  # faded where there is more
        assert scroller.get_attribute("tabindex") == "0"  # to be scrolled by keyboard


def test_nothing_that_is_written_lies_over_another(begun: Begin) -> None:
    for state, width in ((LONG_CHAIN, 1280), (LONG_CHAIN, 2560), ({**SMALL, "show": {"log": True}}, 320)):
        page = begun(state, width)
        page.locator(".net-chip[aria-current]").press("End")
        found = page.locator(".net-svg").evaluate(
            """drawing => {
                const all = [...drawing.querySelectorAll("text, .net-bar")];
                const seen = all.map((one) => [one, one.getBoundingClientRect()]).filter(([, box]) => box.width);
                const meet = ([, one], [, other]) =>
                    Math.min(one.right, other.right) - Math.max(one.left, other.left) > 0.5 &&
                    Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 5; // px of air in a line
                const after = (one, at) => seen.slice(at + 1).filter((other) => meet(one, other));
                const pairs = seen.flatMap((one, at) => after(one, at).map((other) => [one[0], other[0]]));
                return pairs.map((pair) => pair.map(({ textContent }) => textContent || "bar"));
            }"""
        )
        assert found == []


def test_steps_ask_the_lab_nothing_and_take_no_time(begun: Begin) -> None:
    page = begun(LARGE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator(".net-chip[aria-current]").focus()
    spent = page.evaluate(
        """async () => {
            const spent = [];
            for (let step = 0; step < 12; step += 1) {
                const begin = performance.now();
                const pressed = new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true });
                document.activeElement.dispatchEvent(pressed);
                spent.push(performance.now() - begin);
                await new Promise((done) => requestAnimationFrame(done));
            }
            return spent.sort((one, other) => one - other)[6];
        }"""
    )
    assert title(page) == "z₇"
    assert asked == []
    assert spent < 200  # ms; 10 where nothing else runs


def test_nothing_is_in_the_way_of_anybody(begun: Begin, serious_violations: Callable[[Page], list[str]]) -> None:
    page = begun({"show": {"log": True, "predict": True}})
    page.get_by_text("The drawing as a table").click()
    go(page, "δ₃")
    assert serious_violations(page) == []
    page.keyboard.press("1")
    go(page, "new w₃")
    page.emulate_media(color_scheme="dark")
    page.locator(":root[data-theme=dark]").wait_for()
    assert serious_violations(page) == []
    page.emulate_media(color_scheme="light")
