"""Runs side by side: the right one is gradient descent as everywhere else, and the other differs by one formula."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.derivation import derive
from chainrule.formula import Derivative, Expression, Symbol
from chainrule.lab.descent import BOUND, Claim, Floats, Runs, affected, descend, outputs, parameters
from chainrule.network import Dense, Network

X, Y, ETA, LOSS = (Symbol(name) for name in ("x", "y", "η", "ℒ"))
W = [Symbol("w", (i,)) for i in range(4)]
F = [X, *(Symbol("f", (i,)) for i in range(1, 4))]
D = [Symbol("δ", (i,)) for i in range(4)]
CHAIN = cr.chain(3, "tanh")
ROWS: dict[Symbol, Floats] = {X: np.array([-1.0, 0.5, 2.0]), Y: np.array([0.3, -0.2, 0.6])}
START = np.array([0.8, -0.6, 1.1])


def both(claim: Claim, steps: int = 5, rate: float = 0.1) -> Runs:
    return descend(derive(CHAIN), claim, ROWS, np.tile(START, (2, 1)), np.full((2, 3), rate), steps)


def by_hand(steps: int, rate: float, delta_2: float | None = None, gradient_1: float | None = None) -> Floats:
    """Return the parameters after some steps in which δ₂ or ∂ℒ/∂w₁ is so many times what it should be."""
    w, x, y = START.copy(), ROWS[X], ROWS[Y]
    for _ in range(steps):
        f1 = np.tanh(x * w[0])
        f2 = np.tanh(f1 * w[1])
        f3 = np.tanh(f2 * w[2])
        d3 = 2 * (f3 - y) * (1 - f3**2)
        d2 = d3 * w[2] * (1 - f2**2) * (1 if delta_2 is None else delta_2)
        d1 = d2 * w[1] * (1 - f1**2)
        slope = np.array(
            [(x * d1).mean() * (1 if gradient_1 is None else gradient_1), (f1 * d2).mean(), (f2 * d3).mean()]
        )
        w = w - rate * slope
    return w


@pytest.mark.parametrize(
    "net",
    [
        CHAIN,
        cr.chain(2, "softplus", "half_squared_error"),
        Network(1, [Dense(1, "sin")] * 3),
        Network(2, [Dense(2, "logistic"), Dense(2, "identity")]),
        Network(2, [Dense(3, "softmax", bias=False)], "cross_entropy"),
    ],
)
def test_the_right_run_is_that_of_train(net: Network) -> None:
    made, random = derive(net), np.random.default_rng(1)
    x, y = random.normal(size=(6, net.inputs)), random.normal(size=(6, net.outputs))
    if net.loss.name == "cross_entropy":
        y = np.eye(net.outputs)[random.integers(net.outputs, size=6)]
    names = [sorted((one for one in made.symbols if one.name == name), key=lambda one: one.indices) for name in "xy"]
    rows = {
        one: column
        for some, table in zip(names, (x, y), strict=True)
        for one, column in zip(some, table.T, strict=True)
    }
    start = random.normal(size=net.parameter_count)
    runs = descend(made, _nothing(made.symbols), rows, np.tile(start, (2, 1)), np.full((2, len(start)), 0.2), 30)
    run = cr.train(
        net,
        x,
        y,
        initial=net.parameters(start.copy()),
        optimizer=cr.SGD(0.2),
        batch_size=6,
        epochs=30,
        engine="reference",
    )
    np.testing.assert_allclose(runs.parameters[-1, 0], run.parameters.vector, rtol=1e-10, atol=1e-12)
    assert runs.losses[-1, 0] < runs.losses[0, 0]


def _nothing(symbols: tuple[Symbol, ...]) -> Claim:
    """Return a claim about δ of the last layer, which the right run does not look at."""
    last = max((one for one in symbols if one.name == "δ"), key=lambda one: one.indices)
    return Claim(last, last * 7)


def test_what_is_said_of_an_error_goes_on_to_the_layers_before() -> None:
    runs = both(Claim(D[2], -2 * D[3] * W[3] * (1 - F[2] ** 2)))
    np.testing.assert_allclose(runs.parameters[-1, 0], by_hand(5, 0.1), rtol=1e-12)
    np.testing.assert_allclose(runs.parameters[-1, 1], by_hand(5, 0.1, delta_2=-2.0), rtol=1e-12)


def test_a_formula_sees_the_right_errors_even_that_which_it_stands_for() -> None:
    runs = both(Claim(D[2], 3 * D[2] + 0 * D[1]))
    np.testing.assert_allclose(runs.parameters[-1, 1], by_hand(5, 0.1, delta_2=3.0), rtol=1e-12)
    np.testing.assert_allclose(runs.claimed[1], 3 * runs.right[1], rtol=1e-12)


def test_what_is_said_of_a_gradient_moves_one_parameter_alone() -> None:
    runs = both(Claim(Derivative(LOSS, W[1]), -X * D[1]))
    np.testing.assert_allclose(runs.parameters[-1, 1], by_hand(5, 0.1, gradient_1=-1.0), rtol=1e-12)


def test_what_is_said_of_a_step_is_what_becomes_of_the_parameter() -> None:
    slope = Derivative(LOSS, W[1])
    runs = both(Claim(W[1], W[1] + ETA * slope))
    np.testing.assert_allclose(runs.parameters[-1, 1], by_hand(5, 0.1, gradient_1=-1.0), rtol=1e-12)
    runs = both(Claim(W[1], W[1] - ETA * LOSS), steps=1)
    assert runs.parameters[1, 1, 0] == pytest.approx(START[0] - 0.1 * runs.losses[0, 1])


def test_a_formula_of_numbers_alone_holds_for_all_rows() -> None:
    runs = both(Claim(D[1], cr.formula.expression(2)), steps=1)
    assert runs.parameters[1, 1, 0] == pytest.approx(START[0] - 0.1 * 2 * ROWS[X].mean())
    divided = both(Claim(D[1], cr.formula.expression(1) / 0), steps=1)
    assert np.isnan(divided.claimed).all()
    assert divided.ended(1) == "the formula has no value in step 1"
    assert divided.ended(0) is None


def test_a_run_ends_where_its_numbers_grow_beyond_all_bounds() -> None:
    runs = both(Claim(D[1], -1000 * W[1]), steps=20, rate=1.0)
    assert runs.end(0) == 21
    assert 1 < runs.end(1) < 20
    assert np.abs(runs.parameters[: runs.end(1), 1]).max() <= BOUND
    assert runs.ended(1) == f"the numbers grew beyond all bounds in step {runs.end(1)}"


def test_what_does_not_learn_stays() -> None:
    rates = np.array([[0.1, 0.0, 0.0]] * 2)
    runs = descend(derive(CHAIN), Claim(D[1], -D[1]), ROWS, np.tile(START, (2, 1)), rates, 5)
    assert (runs.parameters[:, :, 1:] == START[1:]).all()
    assert (runs.parameters[1:, :, 0] != START[0]).all()


@pytest.mark.parametrize(
    ("left", "moved"),
    [
        (D[3], W[1:]),
        (D[2], W[1:3]),
        (D[1], W[1:2]),
        (Derivative(LOSS, W[2]), W[2:3]),
        (W[3], W[3:]),
    ],
)
def test_which_parameters_a_claim_moves(left: Expression, moved: list[Symbol]) -> None:
    assert affected(derive(CHAIN), Claim(left, D[3])) == tuple(moved)


def test_of_a_layer_of_several_units_only_the_ways_into_one_are_moved() -> None:
    made = derive(Network(1, [Dense(2, "tanh", bias=False), Dense(2, "tanh", bias=False)]))
    assert affected(made, Claim(Symbol("δ", (1, 2)), D[1])) == (Symbol("w", (1, 1, 2)),)
    assert len(affected(made, Claim(Symbol("δ", (2, 1)), D[1]))) == 2 + 2
    assert [one.indices for one in parameters(made)] == [
        (1, 1, 1), (1, 1, 2), (2, 1, 1), (2, 1, 2), (2, 2, 1), (2, 2, 2),
    ]  # fmt: skip


def test_outputs_are_those_of_the_network() -> None:
    net = Network(1, [Dense(2, "sin"), Dense(2, "tanh")])
    made, params = derive(net), net.initial(3)
    values = {one: np.array([[number]]) for one, number in zip(parameters(made), params.vector, strict=True)}
    x = np.array([0.3, -2.0])
    found = outputs(made, {Symbol("x", (1,)): x, **values})
    wanted = cr.Model(net, params).predict(x[:, None])
    np.testing.assert_allclose(np.concatenate(found).T, wanted)
