"""A derivation as text, Markdown and HTML."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

import chainrule as cr

NET = cr.chain(2)
DERIVATION = cr.derive(NET, NET.pack([0.5, -1.0]), x=0.5, y=0.8)


def test_text_has_words_symbols_numbers_and_the_result_of_each_step() -> None:
    lines = DERIVATION.to_text().splitlines()
    assert lines[0] == "The gradient of 1-1-1, tanh, squared error"
    begin = next(k for k, line in enumerate(lines) if line.startswith("7. "))
    assert lines[begin] == (
        "7. z₁ acts on the loss only through z₂: so δ₁ is δ₂, times the weight ∂z₂/∂f₁, times the slope f′(z₁) of the "
        "activation."
    )
    assert lines[begin + 1] == "   δ₁ = δ₂w₂(1−f₁²)"
    assert lines[begin + 2].startswith("      ≈ (−")
    assert lines[begin + 3].startswith("      ≈ 1.")
    assert "   w₁ ← w₁−η·∂ℒ/∂w₁" in lines
    assert repr(DERIVATION) == DERIVATION.to_text()


def test_the_words_say_what_the_partial_derivative_holds_fixed() -> None:
    words = DERIVATION.step("gradient w_1").words
    assert words.startswith("w₁ acts on the loss only through z₁, and ∂z₁/∂w₁ is x. The ∂ holds the input, the target")
    assert words.endswith("but not z₁ and what comes after it, which change with w₁.")


def test_the_words_name_the_unit_that_is_meant() -> None:
    derivation = cr.derive(cr.Network(2, [cr.Dense(2, "tanh"), cr.Dense(2, "softmax")], "cross_entropy"))
    assert derivation.step("z_{1,2}").words.startswith(
        "The weighted input of unit 2 of layer 1: the input times the weights"
    )
    assert "only through the weighted inputs of layer 2" in derivation.step("delta_{1,2}").words
    assert (
        "w₂,₁,₂ acts on the loss only through z₂,₂, and ∂z₂,₂/∂w₂,₁,₂ is f₁,₁."
        in derivation.step("gradient w_{2,1,2}").words
    )
    assert "∂z₁,₂/∂b₁,₂ is 1." in derivation.step("gradient b_{1,2}").words


def test_in_matrices_the_words_speak_of_all_at_once() -> None:
    derivation = cr.derive(cr.Network(2, [cr.Dense(2, "tanh"), cr.Dense(1)]), matrices=True)
    assert "δ₂ goes back through the weights" in derivation.step("delta_1").words
    assert derivation.step("gradient W_1").words.startswith("In W₁, a weight acts on the loss only through a z₁")


def test_markdown_has_its_formulae_in_latex() -> None:
    written = DERIVATION.to_markdown()
    assert r"$$\delta_{1} = \delta_{2} w_{2} \left(1 - f_{1}^{2}\right) \approx " in written
    assert r"w_{1} \leftarrow w_{1} - \eta \frac{\partial \mathcal{L}}{\partial w_{1}}" in written


def test_html_is_well_formed_and_every_id_is_used_once() -> None:
    root = ElementTree.fromstring(DERIVATION.to_html())
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert len(root.findall("ol/li")) == len(DERIVATION.steps)
    assert root.find("svg") is not None


def test_ids_of_several_derivations_in_a_notebook_differ() -> None:
    both = ElementTree.fromstring(f"<div>{DERIVATION._repr_html_()}{DERIVATION._repr_html_()}</div>")
    ids = [element.get("id") for element in both.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


def test_a_notebook_without_html_shows_aligned_latex() -> None:
    shown = DERIVATION._repr_latex_()
    assert shown.startswith("$$\\begin{aligned}\nz_{1} &= x w_{1} \\\\")


def test_matrices_are_shown_by_their_first_numbers() -> None:
    net = cr.Network(9, [cr.Dense(9, "tanh"), cr.Dense(1)])
    written = cr.derive(net, net.initial(), [[0.1] * 9], [0.5]).to_text()
    assert " …; " in written
    assert "z₁ = xW₁+b₁" in written


def test_layers_may_stand_above_the_letters_in_every_form() -> None:
    books = cr.derive(NET, NET.pack([0.5, -1.0]), x=0.5, y=0.8, notation="superscript")
    assert "   δ⁽¹⁾ = δ⁽²⁾w⁽²⁾(1−(a⁽¹⁾)²)" in books.to_text().splitlines()
    assert "so δ⁽¹⁾ is δ⁽²⁾, times the weight ∂z⁽²⁾/∂a⁽¹⁾" in books.step("delta_1").words
    assert r"$$\delta^{(1)} = \delta^{(2)} w^{(2)}" in books.to_markdown()
    assert "<msup" in books.to_html()
    assert ">a⁽²⁾<" in books.to_svg()
    assert books.gradient("w_1") == DERIVATION.gradient("w_1")
    with pytest.raises(cr.InputError, match="notation must be 'lecture' or 'superscript'"):
        cr.derive(NET, notation="books")  # type: ignore[arg-type]


def test_the_title_says_that_dropout_is_left_out() -> None:
    net = cr.Network(1, [cr.Dense(1, "tanh", dropout=0.5), cr.Dense(1)])
    derivation = cr.derive(net)
    for written in (derivation.to_text(), derivation.to_markdown(), derivation.to_html()):
        assert "squared error, without dropout (layer 1)" in written
    assert "dropout" not in cr.derive(cr.chain(2)).to_text()
