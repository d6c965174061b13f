"""Equality holds on the network's definitions, whatever the form, and is decided exactly where it can be."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
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
    compare,
    evaluate,
    expression,
    latex,
    parse,
    substituted,
)
from chainrule.formula.tree import joined
from tests.helpers.chains import Chain, chain

TWO = chain(2)


def of(typed: str, network: Chain = TWO) -> Expression:
    return parse(typed, network.names).expression


@pytest.mark.parametrize(
    "typed",
    [
        "x(1-f1^2)(1-f2^2)w2*2(f2-y)",
        "-2(y-f2)(1-f2^2)w2(1-f1^2)x",
        "2x w2 (f2-y)(1-f1)(1+f1)(1-f2)(1+f2)",
        "x δ1",
        "x δ2 w2 (1-f1^2)",
        "x(1-tanh(z1)^2)(1-tanh²(f1 w2))w2*2(f2-y)",
        "x(1-tanh(x*w1)^2)*δ2*z2/f1",
        "(2f2-2y)*x*w2*(1-f1^2-f2^2+f1^2 f2^2)",
    ],
)
def test_every_correct_form_is_equal_and_that_is_exact(typed: str) -> None:
    found = compare(of(typed), TWO.gradient, TWO.definitions)
    assert found
    assert found.exact
    assert found.error_bound is not None
    assert 0 < found.error_bound < 1e-40


@pytest.mark.parametrize("typed", ["x", "x δ2", "2", "x(1-f1^2)(1-f2^2)w2*2(f2-y) + 1e-15", "0"])
def test_what_differs_is_unequal_exactly(typed: str) -> None:
    found = compare(of(typed), TWO.gradient, TWO.definitions)
    assert not found
    assert found.exact


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("exp(x) exp(y)", "exp(x+y)", True),
        ("2 sin(x) cos(x)", "sin(2x)", True),
        ("tanh(x)", "(e^x-e^-x)/(e^x+e^-x)", True),
        ("max(x,0)", "x step(x)", True),
        ("abs(x)", "x sign(x)", True),
        ("log(x y)", "log(x) + log(y)", True),
        ("sqrt(x)^2", "x", True),
        ("max(x,0)", "x", False),
        ("exp(2x)", "2exp(x)", False),
        ("sin(x)", "x", False),
        ("abs(x)", "x", False),
        ("erf(x)", "tanh(x)", False),
    ],
)
def test_functions_that_are_related_are_decided_by_fifty_digits(one: str, other: str, equal: bool) -> None:
    assert compare(of(one), of(other)).equal is equal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("tanh(100x)", "tanh(10000x)"),
        ("1/(1+exp(-200x))", "1/(1+exp(-300x))"),
        ("exp(-1000x^2)", "0"),
        ("10^(-50) tanh(x)", "0"),
        ("tanh(x)+10^40", "10^40"),
        ("10^40 y+tanh(x)", "10^40 y+sin(x)"),
        ("exp(x)+10^(-45)", "exp(x)"),
    ],
)
def test_what_differs_beyond_fifty_digits_is_unequal(one: str, other: str) -> None:
    assert not compare(of(one), of(other)).equal


def test_only_the_symbols_of_the_form_that_is_asked_for_are_allowed() -> None:
    allowed = {TWO.x, TWO.y, *TWO.w[1:], *TWO.f[1:]}
    found = compare(of("x δ1"), TWO.gradient, TWO.definitions, allowed)
    assert found.equal
    assert not found
    assert found.not_allowed == (TWO.delta[1],)
    assert compare(TWO.gradient, TWO.gradient, TWO.definitions, allowed)


@pytest.mark.parametrize(
    ("typed", "zero"), [("1/0", "0"), ("1/(f_1-f_1)", "f₁−f₁"), ("x/(z1-x w1)", "z₁−x·w₁"), ("(x-x)^-1", "x−x")]
)
def test_a_division_by_zero_is_found_even_where_only_the_definitions_make_it_zero(typed: str, zero: str) -> None:
    found = compare(of(typed), TWO.gradient, TWO.definitions)
    assert not found
    assert repr(found.undefined) == zero


@pytest.mark.parametrize("typed", ["x δ1 + 2^61 - 1", "x δ1 + 2305843009213693951", "x δ1 + x*1e-38"])
def test_what_is_made_for_the_prime_or_for_rounding_is_unequal(typed: str) -> None:
    assert not compare(of(typed), TWO.gradient, TWO.definitions)


def test_a_multiple_of_the_prime_is_a_number_like_others() -> None:
    assert compare(of("x/2305843009213693951"), of("x*2305843009213693951^-1"))
    assert compare(of("1e20 x"), of("10^20 x"))


@pytest.mark.parametrize("typed", ["x log(1)/log(1)", "x + log(-1) - log(-1)"])
def test_what_agrees_but_has_no_value_is_undefined(typed: str) -> None:
    found = compare(of(typed), TWO.x)
    assert not found
    assert found.undefined is not None


def test_powers_inside_a_function_do_not_fool_the_prime() -> None:
    inner: Expression = TWO.x
    for _ in range(10):
        inner = inner**64
    assert not compare(Call("tanh", (inner**2 / TWO.x,)), Call("tanh", (TWO.x,)))


def test_activations_of_related_inputs_are_decided_by_fifty_digits() -> None:
    f, z, x = TWO.f, TWO.z, TWO.x
    definitions = {z[1]: x, f[1]: Call("tanh", (z[1],)), z[2]: z[1] + z[1], f[2]: Call("tanh", (z[2],))}
    assert compare(f[2], 2 * f[1] / (1 + f[1] ** 2), definitions)
    assert not compare(f[2], f[1], definitions)


@pytest.mark.parametrize(
    ("one", "other"), [("max(x,5)", "5"), ("step(x-4)", "0"), ("abs(x+30)", "x+30"), ("max(min(x,10),-10)", "x")]
)
def test_kinks_far_from_zero_are_seen(one: str, other: str) -> None:
    assert not compare(of(one), of(other))


def test_a_slope_left_out_of_a_chain_of_relu_is_seen() -> None:
    derivation = cr.derive(cr.chain(3, "relu"))
    right = derivation.gradient("w_1")
    for i, equal in (
        (1, True),
        (2, True),
        (3, False),
    ):  # where z₁ is negative, f₁ and z₂ are 0, and so is the slope there
        slope = Call("step", (Symbol("z", (i,)),))
        without = joined(Product, *(factor for factor in right.parts if factor != slope))
        assert without != right
        assert compare(without, right, derivation.definitions).equal is equal


def test_definitions_of_a_long_chain_are_followed() -> None:
    network = chain(400)
    assert compare(of("x δ1", network), network.gradient, network.definitions)


def test_a_formula_without_a_value_anywhere_is_undefined() -> None:
    assert repr(compare(of("log(-1 - x²)"), TWO.gradient).undefined) == "log(−1−x²)"


def test_powers_of_powers_whose_degree_nears_the_prime_are_decided_by_fifty_digits() -> None:
    tree: Expression = TWO.x
    for _ in range(12):
        tree = tree**60
    found = compare(tree * TWO.x, tree * TWO.y)
    assert not found
    assert not found.exact
    assert compare(tree * TWO.x, TWO.x * tree)


@pytest.mark.parametrize(
    "typed", ["exp(exp(exp(exp(exp(exp(x))))))", "sin(((((x^64)^64)^64)^64)^64)", "cos(exp(exp(exp(exp x))))"]
)
def test_numbers_beyond_all_bounds_are_not_waited_for(typed: str) -> None:
    begin = time.perf_counter()
    assert not compare(of(typed), TWO.gradient, TWO.definitions)
    assert time.perf_counter() - begin < 1.0


def test_matrices_are_refused() -> None:
    with pytest.raises(TypeError, match="only numbers"):
        compare(Symbol("W", matrix=True).T, TWO.gradient)


# ------------------------------------------------------------- a corpus, by algebra and by mistakes


def rewritten(tree: Expression, network: Chain, draw: random.Random) -> Expression:
    """Return an equal expression: one rule of algebra, or a definition, applied at one place."""
    places = [part for part in tree.walk() if not isinstance(part, Number)]
    place = draw.choice(places)
    options: list[Expression] = [
        Negative(Negative(place)),
        joined(Product, place, number(3), Quotient(number(1), number(3))),
    ]
    match place:
        case Sum(items) | Product(items):
            shuffled = draw.sample(items, len(items))
            options += [joined(type(place), *shuffled)] * 3
            if isinstance(place, Product):
                options += [product for product in [distributed(list(items), draw)] if product is not None] * 3
            else:
                options.append(Negative(joined(Sum, *(-item for item in items))))
        case Power(base, Number(value)) if value == 2:
            options += [base * base] * 2
        case Symbol() if place in network.definitions:
            options += [network.definitions[place]] * 3
    match place:
        case Sum((Number(value), Negative(Power(base, Number(power))))) if value == 1 and power == 2:
            options += [Product((1 - base, 1 + base))] * 4
    return replaced(tree, place, draw.choice(options))


def number(value: int) -> Expression:
    return expression(value)


def distributed(factors: list[Expression], draw: random.Random) -> Expression | None:
    sums = [k for k, factor in enumerate(factors) if isinstance(factor, Sum)]
    if not sums:
        return None
    k = draw.choice(sums)
    rest = [*factors[:k], *factors[k + 1 :]]
    return joined(Sum, *(joined(Product, term, *rest) for term in factors[k].parts))


def replaced(tree: Expression, part: Expression, other: Expression) -> Expression:
    """Return the tree with other in the place of the first part that is this one."""
    done = False

    def go(one: Expression) -> Expression:
        nonlocal done
        if not done and one == part:
            done = True
            return other
        return one.of(tuple(go(inner) for inner in one.parts)) if one.parts else one

    return go(tree)


def disturbed(tree: Expression, network: Chain, draw: random.Random) -> Expression:
    """Return an unequal expression: one mistake at one place."""
    mistakes: list[Callable[[], Expression]] = [
        lambda: Negative(tree),
        lambda: joined(Product, tree, draw.choice(network.names)),
        lambda: Quotient(tree, number(2)),
        lambda: joined(Sum, tree, number(1)),
    ]
    symbols = sorted(tree.symbols(), key=repr)
    symbol = draw.choice(symbols)
    others = [one for one in network.names if one != symbol]
    mistakes += [lambda: substituted(tree, {symbol: draw.choice(others)})] * 3
    return draw.choice(mistakes)()


@pytest.mark.parametrize("length", [1, 2, 3, 5, 10])
def test_no_rewriting_is_taken_for_a_mistake_and_no_mistake_for_a_rewriting(length: int) -> None:
    network, draw = chain(length), random.Random(length)
    for _ in range(60):
        tree = network.gradient
        for _ in range(draw.randint(1, 6)):
            tree = rewritten(tree, network, draw)
        assert compare(tree, network.gradient, network.definitions).equal, tree
        wrong = disturbed(tree, network, draw)
        assert not compare(wrong, network.gradient, network.definitions).equal, wrong


def test_a_call_with_other_arguments_is_another_number() -> None:
    assert not compare(Call("tanh", (TWO.x,)), Call("tanh", (TWO.y,)))
    assert compare(Call("tanh", (-TWO.x,)), -Call("tanh", (TWO.x,)))


# Definitions as they come, and strings


def softmax_derivation() -> cr.Derivation:
    return cr.derive(cr.Network(2, [cr.Dense(2, "tanh"), cr.Dense(3, "softmax")], loss="cross_entropy"))


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        ("f_{2,1} - y_1", True),
        ("f_{2,1} (y_1 + y_2 + y_3) - y_1", True),
        ("(1 - f_{2,2} - f_{2,3}) - y_1", True),
        ("f_{2,1} - (1 - y_2 - y_3)", True),
        ("y_1 - f_{2,1}", False),
        ("f_{2,2} - y_1", False),
        ("f_{2,1} - y_2", False),
        ("f_{2,1} (y_1 + y_2) - y_1", False),
    ],
)
def test_targets_of_cross_entropy_are_shares_of_classes_so_the_textbooks_delta_is_right(
    answer: str, is_right: bool
) -> None:
    derivation = softmax_derivation()
    right = derivation.step("delta_{2,1}").right
    assert compare(answer, right, derivation.definitions).equal is is_right


@pytest.mark.parametrize("y", [[0.5, 0.2], [1.0, 1.0], [0.0, 0.0], [0.5, 0.5], [0.1, 0.9]], ids=str)
def test_what_is_equal_under_the_definitions_has_the_values_of_the_sample(y: list[float]) -> None:
    net = cr.Network(2, [cr.Dense(2, "softmax")], loss="cross_entropy")
    derivation = cr.derive(net, net.initial(seed=0), [[0.3, 0.1]], [y])
    right = derivation.step("delta_{1,1}").right
    is_equal = evaluate("f_{1,1} - y_1", derivation.values) == pytest.approx(evaluate(right, derivation.values))
    assert compare("f_{1,1} - y_1", right, derivation.definitions).equal == is_equal
    assert compare("f_{1,1} (y_1 + y_2) - y_1", right, derivation.definitions)


@given(order=st.randoms(use_true_random=False))
def test_the_order_of_definitions_does_not_matter(order: Any) -> None:
    derivation = softmax_derivation()
    shuffled = list(derivation.definitions.items())
    order.shuffle(shuffled)
    right = derivation.step("gradient w_{1,1,2} unrolled").right
    assert compare("x_1 delta_{1,2}", right, dict(shuffled)).equal
    assert not compare("x_2 delta_{1,2}", right, dict(shuffled)).equal


def test_a_definition_can_be_added_after_others_that_need_it() -> None:
    derivation = cr.derive(cr.Network(1, [cr.Dense(2)]))
    y_1, y_2 = Symbol("y", (1,)), Symbol("y", (2,))
    more = {**derivation.definitions, y_2: 1 - y_1}
    assert compare("f_{1,2} - 1 + y_1", derivation.step("delta_{1,2}").right, more).equal


@pytest.mark.parametrize("cycle", [{"a": "a + 1"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c + 1", "c": "2a"}])
def test_a_cycle_of_definitions_is_an_error_that_names_its_symbols(cycle: dict[str, str]) -> None:
    with pytest.raises(cr.InputError, match="is a cycle, so none of these symbols has a value") as error:
        compare("a", "2", cycle)
    assert all(symbol in str(error.value) for symbol in cycle)


def test_formulae_definitions_and_symbols_may_be_strings() -> None:
    assert compare("(a + b)^2", "a^2 + 2a b + b^2").equal
    assert compare("delta_1 w_2", "w_2 δ_1").equal
    assert compare("1 - f_1^2", "1 - tanh(z_1)^2", {"f_1": "tanh(z_1)"}).equal
    assert not compare("1 - f_1", "1 - tanh(z_1)^2", {"f_1": "tanh(z_1)"}).equal
    with pytest.raises(cr.formula.FormulaError, match="is not known"):
        compare("q", Symbol("x") * 2)
    with pytest.raises(cr.InputError, match="'2x' is not the name of a symbol"):
        compare("x", "x", {"2x": "x"})


def test_a_name_means_the_same_symbol_however_it_is_written() -> None:
    for name in ("f_1", "f1", "f₁", "f_{1}", "f_01"):
        assert compare(f"1 - {name}^2", "1 - f_1^2").equal
        assert compare("1 - f_1^2", "1 - tanh(z_1)^2", {name: "tanh(z_1)"}).equal
        assert compare("f_1", "f_1", allowed=[name])
    assert compare("delta_2 w₂,₁₃", "\\delta_2 w_{2,13}", allowed=["δ₂", "w_{2,13}"])
    assert compare("x", "f_L + x", allowed=["x", "f_L"]).not_allowed == ()


@pytest.mark.parametrize(
    ("definitions", "message"),
    [
        ([("a", "1")], r"definitions must be a mapping from symbols or their names, but is \[\('a', '1'\)\]"),
        ({3: "1"}, "definitions: 3 is neither a symbol nor the name of one"),
        ({"a": "1", Symbol("a"): 2}, "definitions: 'a' and a are the same symbol, a"),
        ({"f₁": "1", "f_1": "1"}, "definitions: 'f₁' and 'f_1' are the same symbol, f₁"),
        ({"x²": "1"}, "'x²' is not the name of a symbol"),
    ],
)
def test_definitions_map_each_symbol_once(definitions: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare("a", "a", definitions)


def test_a_formula_that_is_nested_too_deeply_is_refused() -> None:
    tree: Expression = Symbol("x")
    for _ in range(5000):
        tree = Quotient(Symbol("y"), tree)
    for use in (lambda: compare(tree, tree), lambda: evaluate(tree, {"x": 1.0, "y": 1.0}), lambda: latex(tree)):
        with pytest.raises(InputError, match="nested too deeply"):
            use()


@pytest.mark.parametrize(
    ("formula", "expected", "definitions"),
    [
        ("w_2 (1 - f^2)", "(1 - tanh(z)^2) w_2", {"f": "tanh(z)"}),
        ("tanh(z)", "tanh(z)", {"q": "1/0"}),
        ("f x", "x f", {"f": "tanh(z)"}),
        ("a + b", "b + a", {Symbol("f"): Call("tanh", (Symbol("z"),))}),
        ("a delta_1", "delta_1 a", {"delta_1": Symbol("z")}),
    ],
)
def test_two_strings_may_use_symbols_that_no_definition_mentions(formula: str, expected: str, definitions: Any) -> None:
    assert compare(formula, expected, definitions)
    assert not compare(formula, f"{expected} + 1", definitions)
