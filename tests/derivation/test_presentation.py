"""A derivation as text, Markdown and HTML."""

from __future__ import annotations

from xml.etree import ElementTree

import chainrule as cr

NET = cr.chain(2)
DERIVATION = cr.derive(NET, NET.pack([0.5, -1.0]), x=0.5, y=0.8)


def test_text_has_words_symbols_numbers_and_the_result_of_each_step() -> None:
    lines = DERIVATION.to_text().splitlines()
    assert lines[0] == "The gradient of 1-1-1, tanh, squared error"
    begin = next(k for k, line in enumerate(lines) if line.startswith("7. "))
    assert lines[begin].startswith("7. z₁ acts on the loss only through z₂: so δ₁ is δ₂, times")
    assert lines[begin + 1] == "   δ₁ = δ₂w₂(1−f₁²)"
    assert lines[begin + 2].startswith("      = (−")
    assert lines[begin + 3].startswith("      = 1.")
    assert "   w₁ ← w₁−η·∂ℒ/∂w₁" in lines
    assert repr(DERIVATION) == DERIVATION.to_text()


def test_the_words_say_what_the_partial_derivative_holds_fixed() -> None:
    assert "holds the input, the target and all other parameters fixed" in DERIVATION.step("gradient w_1").words


def test_markdown_has_its_formulae_in_latex() -> None:
    written = DERIVATION.to_markdown()
    assert r"$$\delta_{1} = \delta_{2} w_{2} \left(1 - f_{1}^{2}\right) = " in written
    assert r"w_{1} \leftarrow w_{1} - \eta \frac{\partial \mathcal{L}}{\partial w_{1}}" in written


def test_html_is_well_formed_and_every_id_is_used_once() -> None:
    root = ElementTree.fromstring(DERIVATION.to_html())
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert len(root.findall("ol/li")) == len(DERIVATION.steps)
    assert root.find("svg") is not None
    assert DERIVATION._repr_html_() == DERIVATION.to_html()


def test_a_notebook_without_html_shows_aligned_latex() -> None:
    shown = DERIVATION._repr_latex_()
    assert shown.startswith("$$\\begin{aligned}\nz_{1} &= x w_{1} \\\\")


def test_matrices_are_shown_by_their_first_numbers() -> None:
    net = cr.Network(9, [cr.Dense(9, "tanh"), cr.Dense(1)])
    written = cr.derive(net, net.initial(), [[0.1] * 9], [0.5]).to_text()
    assert " …; " in written
    assert "z₁ = xW₁+b₁" in written
