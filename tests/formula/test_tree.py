"""Expressions are built by Python's operators, and keep terms and factors in the order in which they are written."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from chainrule.errors import InputError
from chainrule.formula import (
    Call,
    Expression,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    evaluate,
    expression,
    substituted,
)
from chainrule.formula.functions import exp, table, tanh

x, y = Symbol("x"), Symbol("y")
w, f = Symbol("w", (2,)), Symbol("f", (1,))
two = Number(Fraction(2))


def test_operators_build_the_tree_that_is_written() -> None:
    assert 2 * (f - y) == Product((two, Sum((f, Negative(y)))))
    assert x * w * f == Product((x, w, f))
    assert x * (w * f) == Product((x, w, f))
    assert x - (y - f) == Sum((x, Negative(Sum((y, Negative(f))))))
    assert (1 - f**2) / x == Quotient(Sum((Number(Fraction(1)), Negative(Power(f, two)))), x)


def test_what_adds_nothing_or_multiplies_by_one_is_left_out() -> None:
    assert 1.0 * x + 0.0 == x
    assert 0.0 * x + 1.0 == expression(1)
    assert (x / 1) ** 1 == x
    assert 0 - (-x) == x


def test_numbers_are_what_their_decimals_say() -> None:
    assert expression(0.1) == Number(Fraction(1, 10))
    assert expression(np.float64(-2.5)) == Negative(Number(Fraction(5, 2)))
    assert expression(Fraction(1, 3)) == Quotient(Number(Fraction(1)), Number(Fraction(3)))
    assert np.float64(2.0) * x == 2 * x
    for nothing in (float("nan"), float("inf"), "2"):
        with pytest.raises(InputError, match="finite numbers"):
            expression(nothing)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        x + "2"  # type: ignore[operator]


def test_an_expression_is_neither_true_nor_false_and_no_sequence() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(x > 0)
    with pytest.raises(TypeError):
        list(x)  # type: ignore[call-overload]


def test_an_expression_never_changes() -> None:
    with pytest.raises(AttributeError):
        x.name = "z"  # type: ignore[misc]
    assert len({x, Symbol("x"), y}) == 2


def test_matrices_have_a_product_a_transpose_and_a_product_of_entries() -> None:
    f, w, delta = (Symbol(name, (1,), matrix=True) for name in ("f", "W", "δ"))
    assert repr((delta @ w.T) * (1 - f**2)) == "(δ₁W₁ᵀ)⊙(1−f₁²)"
    assert repr(2 * f) == "2f₁"


def test_a_table_applies_operators_and_functions_to_its_entries() -> None:
    row, column = table([[x, y]]), table([[w], [f]])
    assert repr((row @ column).item()) == "x·w₂+y·f₁"
    assert repr(tanh(row)[0, 1]) == "tanh(y)"
    assert repr((x + row)[0, 1]) == "x+y"


def test_the_functions_write_some_results_shorter() -> None:
    assert exp(expression(0)) == expression(1)
    assert exp(x - Call("log", (y,))) == Quotient(Call("exp", (x,)), y)


def test_symbols_are_replaced_wherever_they_stand() -> None:
    assert substituted(x * (1 - f**2), {f: x + y}) == Product((x, 1 - Power(x + y, two)))
    parts: set[Expression] = set((x * w).walk())
    assert parts == {x * w, x, w}


def test_names_and_strings_are_substituted() -> None:
    x, f = Symbol("x"), Symbol("f", (1,))
    assert substituted("x + 1", {"x": "f_1^2"}) == f**2 + 1
    assert substituted(x * f, {"f₁": 2}) == substituted(x * f, {f: expression(2)})
    with pytest.raises(InputError, match="values: 'f₁' and 'f_1' are the same symbol"):
        substituted(f, {"f₁": 1, "f_1": 2})


def test_values_have_names_however_these_are_written() -> None:
    weights = Symbol("W", (1,), matrix=True)
    assert (
        evaluate("f_1", {"f₁": 1.0}) == evaluate("f₁", {"f_1": 1.0}) == evaluate(Symbol("f", (1,)), {"f1": 1.0}) == 1.0
    )
    assert evaluate("delta_1 ε", {"δ₁": 2.0, "epsilon": 3.0}) == 6.0
    np.testing.assert_array_equal(evaluate(weights @ weights, {"W_1": np.eye(2)}), np.eye(2))
