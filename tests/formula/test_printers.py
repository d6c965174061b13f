"""One tree as text, LaTeX, MathML, Python and SymPy: each shown by examples, and held to what it computes."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import InputError
from chainrule.formula import (
    Call,
    Derivative,
    Expression,
    FormulaError,
    Power,
    Symbol,
    evaluate,
    expression,
    latex,
    mathml,
    python,
    text,
    to_sympy,
)
from chainrule.formula.functions import product_of
from chainrule.formula.mathml import Style, equation

X, Y, LOSS = Symbol("x"), Symbol("y"), Symbol("ℒ")
W1, W2, F1, F2, D2 = Symbol("w", (1,)), Symbol("w", (2,)), Symbol("f", (1,)), Symbol("f", (2,)), Symbol("δ", (2,))
UNROLLED = X * (1 - F1**2) * (1 - F2**2) * W2 * 2 * (F2 - Y)
MATRICES = {name: Symbol(name, (1,), matrix=True) for name in ("f", "W", "δ")}
BACK = (MATRICES["δ"] @ MATRICES["W"].T) * (1 - MATRICES["f"] ** 2)


@pytest.mark.parametrize(
    ("tree", "as_text", "as_latex", "as_python"),
    [
        (
            UNROLLED,
            "x(1−f₁²)(1−f₂²)·w₂·2(f₂−y)",
            r"x \left(1 - f_{1}^{2}\right) \left(1 - f_{2}^{2}\right) \cdot w_{2} \cdot 2 \left(f_{2} - y\right)",
            "x * (1 - f1**2) * (1 - f2**2) * w2 * 2 * (f2 - y)",
        ),
        (W2 * D2, "w₂δ₂", r"w_{2} \delta_{2}", "w2 * delta2"),
        (Symbol("w", (2, 13)), "w₂,₁₃", "w_{2,13}", "w2_13"),
        (Symbol("f", ("L",)), "f_L", "f_{L}", "fL"),
        (X / (1 + Call("exp", (-Y,))), "x/(1+exp(−y))", r"\frac{x}{1 + e^{-y}}", "x / (1 + np.exp(-y))"),
        (-(X - Y) * 2, "−(x−y)·2", r"-\left(x - y\right) \cdot 2", "-(x - y) * 2"),
        (Derivative(LOSS, W1), "∂ℒ/∂w₁", r"\frac{\partial \mathcal{L}}{\partial w_{1}}", "dloss_dw1"),
        (
            Call("step", (X,)) * Call("abs", (Y,)),
            "step(x)·abs(y)",
            r"\left[x > 0\right] \left|y\right|",
            "np.where(x > 0, 1.0, 0.0) * np.abs(y)",
        ),
        (
            Derivative(LOSS, W1) * W1,
            "∂ℒ/∂w₁·w₁",
            r"\frac{\partial \mathcal{L}}{\partial w_{1}} w_{1}",
            "dloss_dw1 * w1",
        ),
        (expression(0.5) * Call("tanh", (X,)), "0.5·tanh(x)", r"0.5 \tanh\left(x\right)", "0.5 * np.tanh(x)"),
        (expression(1e-30) * X, "1e-30x", r"1\cdot 10^{-30} x", "1e-30 * x"),
        (
            BACK,
            "(δ₁W₁ᵀ)⊙(1−f₁²)",
            r"\left(\boldsymbol{\delta}_{1} \mathbf{W}_{1}^{\top}\right) \odot \left(1 - \mathbf{f}_{1}^{2}\right)",
            "(delta1 @ W1.T) * (1 - f1**2)",
        ),
    ],
)
def test_each_form_of_a_formula(tree: Expression, as_text: str, as_latex: str, as_python: str) -> None:
    assert text(tree) == as_text
    assert latex(tree) == as_latex
    assert python(tree) == as_python


def test_a_sign_leaves_no_factor_1_behind() -> None:
    assert text(product_of([-expression(1), X, W1])) == "−x·w₁"
    assert text(product_of([-expression(1), 2, X])) == "−2x"


def test_no_two_numbers_run_into_each_other() -> None:
    tree = expression(0.5) * Power(expression(0.3), expression(2))
    assert text(tree) == "0.5·0.3²"
    assert "·" in mathml(tree)
    assert latex(Power(expression(1e-30), expression(2))).startswith(r"\left(")
    assert latex(Call("exp", (X,)) ** 2) == r"\left(e^{x}\right)^{2}"
    assert mathml(Call("exp", (X,)) ** 2).count(">(<") == 1


def test_a_notebook_shows_latex() -> None:
    assert X._repr_latex_() == "$x$"


def test_every_token_of_mathml_has_an_id_of_its_own_and_symbols_say_which_they_are() -> None:
    root = ElementTree.fromstring(mathml(UNROLLED, prefix="a"))
    tokens = [element for element in root.iter() if element.tag in ("mi", "mn", "mo")]
    ids = [element.get("id") for element in tokens]
    assert len(ids) == len(set(ids)) > 20
    assert all(one is not None and one.startswith("a") for one in ids)
    named = [element.get("data-symbol") for element in root.iter() if element.get("data-symbol")]
    assert named == ["x", "f_1", "f_2", "w_2", "f_2", "y"]
    assert "".join("".join(root.itertext()).split("\u2062")) == "x(1−f12)(1−f22)·w2·2(f2−y)"


def test_mathml_has_an_element_for_every_kind_of_expression() -> None:
    kinds: dict[str, list[Expression]] = {
        "mfrac": [X / Y, Derivative(LOSS, W1)],
        "msup": [X**2, BACK, Call("exp", (X,))],
        "msqrt": [Call("sqrt", (X,))],
        "mrow": [
            -X,
            Call("abs", (X,)),
            Call("step", (X,)),
            Call("max", (X, Y)),
            Call("greater", (X, Y)),
            Call("row_sum", (X,)),
        ],
    }
    for tag, trees in kinds.items():
        for tree in trees:
            assert ElementTree.fromstring(mathml(tree)).find(f".//{tag}") is not None, tree
    assert mathml(X, display=True).startswith('<math display="block">')


def test_an_index_that_is_a_difference_is_written_as_one() -> None:
    before = ElementTree.fromstring(mathml(Symbol("f", ("i−1",))))
    assert [(one.tag, one.text) for one in before.iter() if one.text] == [
        ("mi", "f"), ("mi", "i"), ("mo", "−"), ("mn", "1"),
    ]  # fmt: skip


def _right(formula: str) -> ElementTree.Element:
    return ElementTree.fromstring(formula)[2]


def _shown(element: ElementTree.Element) -> str:
    return "".join(element.itertext()).replace("\u2062", "")


def _named(element: ElementTree.Element) -> list[str]:
    return [name for inner in element.iter() if (name := inner.get("data-symbol"))]


def test_numbers_stand_in_the_place_of_symbols_and_say_of_which() -> None:
    back = D2 * W2 * (1 - F1**2)
    numbers = {D2: expression(-0.5), W2: expression(3), F1: expression(-0.25)}
    symbols, substituted = _right(equation(X, back)), _right(equation(X, back, numbers=numbers))
    assert _shown(symbols) == "δ2w2(1−f12)"
    assert _shown(substituted) == "(−0.5)·3(1−(−0.25)2)"
    assert _named(substituted) == _named(symbols) == ["delta_2", "w_2", "f_1"]


def test_a_number_far_from_1_is_written_with_a_power_of_ten() -> None:
    right = _right(equation(X, W1 * W2 - W1**2, numbers={W1: expression(1.5e-9), W2: expression(2)}))
    assert _shown(right) == "1.5·10−9·2−(1.5·10−9)2"
    assert _named(right) == ["w_1", "w_2", "w_1"]


def test_a_derivative_is_named_as_a_whole() -> None:
    step = W1 - Symbol("η") * Derivative(LOSS, W1)
    numbers = {W1: expression(1), Symbol("η"): expression(0.1), Derivative(LOSS, W1): expression(-2)}
    for formula in (equation(W1, step, "←"), equation(W1, step, "←", numbers=numbers)):
        assert _named(_right(formula)) == ["w_1", "eta", "gradient w_1"]
    assert _shown(_right(equation(W1, step, "←", numbers=numbers))) == "1−0.1·(−2)"


def test_parts_of_a_formula_may_have_names_of_their_own() -> None:
    logistic = F1 * (1 - F1)
    marks = {1 - F2**2: "slope_2", logistic: "slope_1", 2 * (F2 - Y): "loss_slope"}
    right = _right(equation(X, X * logistic * (1 - F2**2) * W2 * (2 * (F2 - Y)), style=Style(None, marks=marks)))
    assert [name for name in _named(right) if "slope" in name] == ["slope_1", "slope_2", "loss_slope"]
    assert _shown(right) == "xf1(1−f1)(1−f22)·w2·2(f2−y)"
    assert not [element for element in right.iter() if element.get("id")]
    assert _shown(_right(equation(X, logistic, style=Style(marks=marks)))) == "f1(1−f1)"


@pytest.mark.parametrize(
    ("tree", "as_text", "as_latex", "as_mathml"),
    [
        (
            X * (1 - F1**2) * W2,
            "x(1−(a⁽¹⁾)²)·w⁽²⁾",
            r"x \left(1 - \left(a^{(1)}\right)^{2}\right) \cdot w^{(2)}",
            "x(1−(a(1))2)·w(2)",
        ),
        (Symbol("w", (2, 1, 13)), "w⁽²⁾₁,₁₃", "w^{(2)}_{1,13}", "w1,13(2)"),
        (Symbol("f", ("L",)), "a⁽ᴸ⁾", "a^{(L)}", "a(L)"),
        (Derivative(LOSS, W1), "∂ℒ/∂w⁽¹⁾", r"\frac{\partial \mathcal{L}}{\partial w^{(1)}}", "∂ℒ∂w(1)"),
        (
            MATRICES["δ"] @ MATRICES["W"].T,
            "δ⁽¹⁾(W⁽¹⁾)ᵀ",
            r"\boldsymbol{\delta}^{(1)} \left(\mathbf{W}^{(1)}\right)^{\top}",
            "δ(1)(W(1))⊤",
        ),
        (Symbol("x", (2,)) + Symbol("η"), "x₂+η", r"x_{2} + \eta", "x2+η"),
    ],
)
def test_layers_may_stand_above_the_letters(tree: Expression, as_text: str, as_latex: str, as_mathml: str) -> None:
    assert text(tree, notation="superscript") == as_text
    assert latex(tree, notation="superscript") == as_latex
    assert _shown(ElementTree.fromstring(mathml(tree, notation="superscript"))) == as_mathml


SYMBOLS = [X, Y, W1, W2, F1, D2]
VALUES: dict[Symbol, Any] = {symbol: 0.3 + 0.17 * place for place, symbol in enumerate(SYMBOLS)}


def _larger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    pairs = st.tuples(inner, inner)
    calls = st.sampled_from(["tanh", "sin", "cos", "exp", "abs", "sign", "step"])
    return (
        pairs.map(lambda one: one[0] + one[1])
        | pairs.map(lambda one: one[0] - one[1])
        | pairs.map(lambda one: one[0] * one[1])
        | pairs.map(lambda one: one[0] / (2 + one[1] ** 2))
        | st.builds(lambda one, power: one**power, inner, st.integers(0, 3))
        | st.builds(lambda name, one: Call(name, (Call("sin", (one,)),)), calls, inner)
        | pairs.map(lambda one: Call("max", one))
        | inner.map(lambda one: -one)
    )


TREES = st.recursive(st.sampled_from(SYMBOLS) | st.integers(0, 3).map(expression), _larger, max_leaves=10)


@settings(max_examples=100)
@given(TREES)
def test_the_printed_python_computes_what_the_tree_does(tree: Expression) -> None:
    import scipy

    names: dict[str, Any] = {python(symbol): value for symbol, value in VALUES.items()}
    theirs = eval(python(tree), {"np": np, "scipy": scipy}, names)  # noqa: S307 - of our own making
    np.testing.assert_allclose(theirs, evaluate(tree, VALUES), rtol=1e-12, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(TREES)
def test_sympy_computes_what_the_tree_does(tree: Expression) -> None:
    numbers = {to_sympy(symbol): value for symbol, value in VALUES.items()}
    np.testing.assert_allclose(
        float(to_sympy(tree).evalf(30, subs=numbers)), evaluate(tree, VALUES), rtol=1e-9, atol=1e-9
    )


def test_matrices_are_evaluated_as_arrays() -> None:
    random = np.random.default_rng(0)
    f, w, delta = random.normal(size=(2, 3)), random.normal(size=(3, 4)), random.normal(size=(2, 4))
    values: dict[Symbol, Any] = {MATRICES["f"]: f, MATRICES["W"]: w, MATRICES["δ"]: delta}
    np.testing.assert_allclose(evaluate(BACK, values), (delta @ w.T) * (1 - f**2))
    np.testing.assert_allclose(evaluate(Call("row_sum", (MATRICES["f"],)), values), f.sum(axis=1, keepdims=True))
    with pytest.raises(TypeError, match="only formulae of numbers"):
        to_sympy(BACK)


def test_formulae_and_symbols_may_be_strings() -> None:
    assert evaluate("x w_2 (1 - f_1^2)", {"x": 2.0, "w_2": 0.25, "f_1": 0.5}) == 0.375
    assert evaluate(Symbol("x") * Symbol("w", (2, 1, 3)), {"x": 2.0, "w_{2,1,3}": 0.25}) == 0.5
    assert evaluate("delta_1^2", {Symbol("δ", (1,)): 3.0}) == 9.0


def test_a_symbol_without_a_value_is_named() -> None:
    with pytest.raises(InputError, match="w₁ has no value"):
        evaluate(W1 * X, {X: 1.0})
    with pytest.raises(InputError, match="∂ℒ/∂w₁"):
        evaluate(Derivative(LOSS, W1), {})


def test_printers_read_strings() -> None:
    """In the symbols that they show, however these are written."""
    assert text("1 - f_1^2") == text("1 - f₁^2") == "1−f₁²"
    assert latex("delta_2 w_{2,13}") == r"\delta_{2} w_{2,13}"
    assert python("f₁ x") == "f1 * x"
    assert mathml("f_1") == mathml(Symbol("f", (1,)))
    assert str(to_sympy("f₁ + x")) == "f1 + x"
    with pytest.raises(FormulaError):
        latex("f_1 +")
