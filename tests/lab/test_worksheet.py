"""A sheet of the network on the screen has its numbers, and asks for each that follows from them."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

import chainrule as cr
from chainrule.errors import InputError
from chainrule.lab.scene import Layer, Scene
from chainrule.lab.teaching import ByHand, sheet
from chainrule.lab.worksheet import MAX_STEPS, problems
from chainrule.lessons import NumberAnswer, Problem

CHAIN = Scene(weights=(((0.5,),), ((-0.3,),), ((1.2,),)), sign="y-f")


def keys(some: list[Problem]) -> list[float]:
    return [one.answer.key for one in some if isinstance(one.answer, NumberAnswer)]


def test_every_number_of_a_pass_is_asked_for() -> None:
    net = cr.chain(3)
    params = net.pack([0.5, -0.3, 1.2])
    trace = cr.backprop(net, params, 0.5, 0.8)
    slope = trace.gradient.vector
    forward = [number.item() for pair in zip(trace.z[1:], trace.f[1:], strict=True) for number in pair]
    back = [trace.delta[i].item() for i in (3, 2, 1)]
    wanted = [*forward, trace.loss, *back, *slope, *(params.vector - 0.1 * slope)]
    assert keys(problems(CHAIN)) == pytest.approx(wanted)


def test_the_first_says_what_is_given_and_the_others_what_to_work_out() -> None:
    first, second, *_, last = problems(CHAIN)
    network, given, asked = map(str, first.prompt)
    assert network.startswith("A network has 1 input; layer 1 has 1 unit with tanh, without bias; layer 2 has ")
    assert given == "Let x = 0.5, y = 0.8, w₁ = 0.5, w₂ = −0.3, w₃ = 1.2 and η = 0.1."
    assert asked == "Work out z₁."
    assert list(map(str, second.prompt)) == ["Work out f₁."]
    assert str(last.prompt[0]) == "What does one step of gradient descent make of w₃?"
    assert str(second.solution[0]).endswith("f₁ = tanh(z₁) ≈ tanh(0.25) ≈ 0.2449")


def test_networks_of_several_units_and_with_biases() -> None:
    scene = Scene(inputs=2, layers=(Layer(2, "tanh", True), Layer(1, "identity", True)), x=(0.5, -1.0))
    some = problems(scene)
    assert [one.title for one in some] == [
        *["Weighted input"] * 2, *["Activation"] * 2, "Weighted input", "Activation", "Loss",
        *["Error"] * 3, *["Gradient"] * 9, *["Update"] * 9,
    ]  # fmt: skip
    softmax = Scene(layers=(Layer(3, "softmax"),), loss="cross_entropy", y=(1,))
    assert len(keys(problems(softmax))) == 3 + 3 + 1 + 3 + 3 + 3


def test_what_a_sheet_has_no_room_for() -> None:
    with pytest.raises(InputError, match=f"a sheet has room for {MAX_STEPS} numbers, and this network has"):
        problems(Scene(layers=(Layer(4), Layer(4), Layer(1))))
    with pytest.raises(InputError, match="in matrices, for which a sheet has no room"):
        problems(Scene(layers=(Layer(12), Layer(12), Layer(1))))
    with pytest.raises(InputError, match="not finite"):
        problems(Scene(layers=(Layer(1, "exponential"),), weights=(((1e6,),),)))


@pytest.mark.parametrize("solutions", [False, True])
def test_it_is_a_page_to_print(solutions: bool) -> None:
    page = sheet(None, ByHand(CHAIN, solutions))  # type: ignore[arg-type]
    assert page.name == f"the-network-on-the-screen{'-solutions' * solutions}.html"
    assert page.content.count(b'class="problem"') == 16
    assert page.content.count(b'class="solution"') == 16 * solutions


def test_it_is_written_as_the_page_writes_it() -> None:
    scene = replace(CHAIN, notation="superscript")
    shown = sheet(None, ByHand(scene, solutions=True)).content.decode()  # type: ignore[arg-type]
    assert "msup" in shown
    assert not re.search(r"<msub[^>]*><mi[^>]*>[zfwδ]<", shown)
    assert "so δ⁽²⁾ is δ⁽³⁾" in shown
