"""What people type is understood, or refused with the place and what to do; nothing else can happen."""

from __future__ import annotations

import pickle
import time
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.formula import (
    Call,
    Derivative,
    Expression,
    FormulaError,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    latex,
    parse,
    text,
)
from chainrule.formula.tokens import FUNCTIONS
from chainrule.formula.tree import joined

NAMES = [
    Symbol("x"),
    Symbol("y"),
    *(Symbol(name, (i,)) for name in ("w", "z", "f", "δ") for i in (1, 2, 10)),
    Symbol("f", ("L",)),
    Symbol("w", (2, 13)),
]


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("x*w_2*(1-f_1^2)*2(f_2-y)", "x·w₂(1−f₁²)·2(f₂−y)"),
        ("x w2 (1-f1²)·δ2", "x·w₂(1−f₁²)·δ₂"),
        (r"\delta_1 = \delta_2 w_2\left(1-f_1^{2}\right)", "δ₁ = δ₂w₂(1−f₁²)"),
        ("∂L/∂w_1 = x d_1", "∂ℒ/∂w₁ = x·δ₁"),
        (r"\frac{\partial L}{\partial w_1} = x \cdot \delta_1", "∂ℒ/∂w₁ = x·δ₁"),
        ("d_2 delta_2 δ₂ d2", "δ₂δ₂δ₂δ₂"),
        ("tanh(z_1)", "tanh(z₁)"),
        ("w_{1} w_1 w1 w₁", "w₁w₁w₁w₁"),
        ("w_10 w_{2,13} w₂,₁₃ f_L", "w₁₀w₂,₁₃w₂,₁₃f_L"),
        ("x**2 - x^2 + x² - x^-1 + x⁻¹", "x²−x²+x²−x⁻¹+x⁻¹"),
        (r"\frac{1}{2}(y-f_2)^2", "(1/2)(y−f₂)²"),
        ("xw2f1y", "x·w₂f₁y"),
        ("-x^2", "−x²"),
        ("2*-x", "2(−x)"),
        ("x - -1", "x−(−1)"),
        ("tanh²(z_1) + tanh^2 z1", "tanh(z₁)²+tanh(z₁)²"),
        ("e^{-z_1} + e^-z1 + e", "exp(−z₁)+exp(−z₁)+exp(1)"),
        ("ln(x) + log x", "log(x)+log(x)"),
        ("e²", "exp(2)"),
        (r"\sqrt{x} + \tanh{z_1}", "sqrt(x)+tanh(z₁)"),
        (r"\frac{\partial \mathcal{L}}{\partial w_1} = x", "∂ℒ/∂w₁ = x"),
        ("max(0, z_1)", "max(0, z₁)"),
        ("2.50x + .5 + 1e-3", "2.5x+0.5+0.001"),
        ("[x + (y)]", "x+y"),
        ("+x", "x"),
    ],
)
def test_many_ways_of_writing_are_understood(typed: str, understood: str) -> None:
    assert repr(parse(typed, NAMES)) == understood


def test_both_sides_of_an_equation_are_known() -> None:
    parsed = parse("∂L/∂w_1 = x", NAMES)
    assert parsed.left == Derivative(Symbol("ℒ"), Symbol("w", (1,)))
    assert parsed.expression == Symbol("x")
    assert parse("δ_1 = x", NAMES).left == Symbol("δ", (1,))
    assert parse("x", NAMES).left is None


def test_there_is_a_warning_where_something_else_could_be_meant() -> None:
    assert "not as a function" in parse("x(1+x)", NAMES).warnings[0]
    assert parse("x·(1+x)", NAMES).warnings == ()
    assert parse("1/2x", NAMES).warnings == ("1/2 x is read as (1/2)·x",)
    assert parse("(1/2)x", NAMES).warnings == ()
    assert parse("1/2(x+y)", NAMES).warnings == ("1/2 x+y is read as (1/2)·x+y",)


@pytest.mark.parametrize(
    ("typed", "message", "begin"),
    [
        ("", "empty", 0),
        ("x+", "something must follow", 2),
        ("(x", "never closed", 0),
        ("x)", "never opened", 1),
        ("(x}", "stands where ) is missing", 2),
        ("0,5 x", "write a point, as in 0.5", 1),
        ("(0,5 - x)", "write a point, as in 0.5", 2),
        ("w_1 f'(z_1)", "write the slope out, as 1 - f_2^2", 4),
        ("x tanh′(z_1)", "write the slope out, as 1 - f_2^2", 2),
        (r"f_1^{\prime} x", "write the slope out, as 1 - f_2^2", 0),
        ("w_1 ∂f_1/∂z_1", "write the slope out, as 1 - f_2^2", 4),
        ("w_9", "did you mean w", 0),
        ("x + deltq_1", "did you mean δ₁", 4),
        ("2f", "f has an index, as in f₁", 1),
        ("q", "known are x, y", 0),
        ("x^y", "whole number from −64 to 64", 2),
        ("x^65", "whole number from −64 to 64", 2),
        ("x^2^2", "in brackets", 3),
        ("9**9**9**9", "in brackets", 4),
        ("tanh(z_1, z_2)", "takes one argument, but has 2", 0),
        ("max(x)", "takes 2 arguments, but has 1", 0),
        ("x = y = x", "one name on its left", 6),
        ("x + 1 = y", "one name on its left", 6),
        (r"\frac12", r"two parts in braces", 5),
        (r"\integral x", "not known", 0),
        ("1e999999", "at most 40 digits", 0),
        ("x" * 401, "at most 400 characters", 399),
        ("(" * 100, "at most 40 levels", 40),
        ("-" * 100 + "x", "at most 40 levels", 40),
        ("/".join(["x"] * 60), "at most 40 levels", 0),
        ("x" + "-x" * 199, "at most 300", 0),
        ("x\0", "U+0000", 1),
        ("x\u202ey", "U+202E", 1),
        ("__import__('os')", "means nothing", 0),
        ("().__class__", "something must follow", None),
        ("lambda: 0", "not known", 0),
        ("ℒ", "cannot stand here", 0),
    ],
)
def test_an_error_says_what_is_wrong_and_points_at_it(typed: str, message: str, begin: int | None) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(typed, NAMES)
    assert message in caught.value.message or begin is None
    assert begin is None or caught.value.begin == begin
    assert len(str(caught.value).splitlines()) == 1


def test_the_names_there_are_come_once_each() -> None:
    with pytest.raises(FormulaError, match=r"known are δ₁, x \(character 1\)"):
        parse("q", [Symbol("δ", (1,)), Symbol("x")])


def test_the_place_of_an_error_can_be_shown_and_errors_travel() -> None:
    with pytest.raises(FormulaError) as caught:
        parse("x + q_1", NAMES)
    assert caught.value.pointed().startswith("x + q_1\n    ^^^\nq_1 is not known")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


@pytest.mark.parametrize(
    "typed",
    [
        "1" + "/xx" * 133,
        "1" + "/1e-40x" * 49,
        "w_{\n\x00\u202e}",
        "9**9**9**9",
        "(" * 10_000 + ")" * 10_000,
        "x" * 2**20,
        "__import__('os')",
        "().__class__",
        "x\0",
        "1/0",
        "'",
        '"x"',
    ],
)
def test_hostile_input_is_answered_at_once(typed: str) -> None:
    begin = time.perf_counter()
    with suppress(FormulaError):
        parse(typed, NAMES)
    assert time.perf_counter() - begin < 0.1  # it takes less than a millisecond; a busy machine may take longer


@settings(max_examples=300)
@given(
    st.text(max_size=400)
    | st.binary(max_size=400).map(lambda typed: typed.decode("latin-1"))
    | st.text("xyw_12f()+-*/^{}\\ =.,e²₁δ", max_size=60)
)
def test_whatever_is_typed_is_read_or_refused(typed: str) -> None:
    try:
        parsed = parse(typed, NAMES)
    except FormulaError:
        return
    assert parse(text(parsed.expression), NAMES).expression == parsed.expression


def _numbers() -> st.SearchStrategy[Expression]:
    decimals = st.tuples(st.integers(0, 10**40 - 1), st.integers(0, 12)).map(lambda one: Fraction(one[0], 10 ** one[1]))
    return st.builds(Number, decimals | st.sampled_from([Fraction(10**30), Fraction(1, 10**30), Fraction(2**70)]))


def _larger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=4)
    whole = st.integers(0, 64).map(lambda n: Number(Fraction(n)))
    exponents = whole | whole.map(Negative)
    calls = st.sampled_from(sorted(FUNCTIONS)).flatmap(
        lambda name: st.tuples(*[inner] * FUNCTIONS[name]).map(lambda arguments: Call(name, arguments))
    )
    return (
        several.map(lambda terms: joined(Sum, *terms))
        | several.map(lambda factors: joined(Product, *factors))
        | st.builds(Quotient, inner, inner)
        | st.builds(Power, inner, exponents)
        | st.builds(Negative, inner)
        | calls
    )


TREES = st.recursive(st.sampled_from(NAMES) | _numbers(), _larger, max_leaves=12)


@settings(max_examples=300)
@given(TREES)
def test_what_is_printed_is_read_as_the_same_tree(tree: Expression) -> None:
    written = text(tree)
    if len(written) <= 400:
        assert parse(written, NAMES).expression == tree


@settings(max_examples=150)
@given(TREES)
def test_latex_is_read_too(tree: Expression) -> None:
    written = latex(tree)
    if len(written) <= 400 and not any(sign in written for sign in ("operatorname", "|", "sqrt", "[", "e^", "10^")):
        assert parse(written, NAMES).expression.symbols() == tree.symbols()


def test_declared_symbols_may_be_names() -> None:
    assert parse("f₁ x", ["f_1", "x"]) == parse("f_1 x", [Symbol("f", (1,)), Symbol("x")])
