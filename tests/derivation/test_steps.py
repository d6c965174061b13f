"""Every formula of a derivation is right: it computes what back-propagation does, and SymPy agrees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import chainrule as cr
from chainrule.activations import ACTIVATIONS
from chainrule.errors import InputError
from chainrule.formula import Derivative, Expression, Symbol, compare, evaluate, parse, substituted, text, to_sympy
from chainrule.formula.text import SUBSCRIPTS
from chainrule.losses import LOSSES
from tests.helpers.marking import with_most_slow

PAIRS = [(activation, loss) for activation in ACTIVATIONS for loss in LOSSES if LOSSES[loss]().accepts(activation)]


def sub(i: int) -> str:
    return "".join(SUBSCRIPTS[digit] for digit in str(i))


@pytest.mark.parametrize("length", range(1, 13))
def test_the_unrolled_gradient_of_a_tanh_chain_is_that_of_the_lecture(length: int) -> None:
    net = cr.chain(length)
    params = net.initial(seed=length)
    derivation = cr.derive(net, params, x=0.5, y=0.8)
    slopes = "".join(f"(1−f{sub(i)}²)" for i in range(1, length + 1))
    weights = "".join(f"w{sub(i)}" for i in range(2, length + 1))
    expected = f"x{slopes}·{weights}·2(f{sub(length)}−y)" if weights else f"x{slopes}·2(f{sub(length)}−y)"
    assert text(derivation.gradient("w_1")) == expected
    computed = cr.backprop(net, params, x=0.5, y=0.8).gradient.weights[0].item()
    assert evaluate(derivation.gradient("w_1"), derivation.values) == pytest.approx(computed, rel=1e-12)


def network(activation: str, loss: str, seed: int) -> tuple[cr.Network, Any, Any, Any]:
    """Return a small network with this output, parameters and a row."""
    random = np.random.default_rng(seed)
    outputs = 2 if activation == "softmax" else int(random.integers(1, 3))
    hidden = [
        cr.Dense(int(random.integers(1, 4)), name, bias=bool(random.integers(2)))
        for name in random.choice(SMOOTH, random.integers(3))
    ]
    net = cr.Network(int(random.integers(1, 3)), [*hidden, cr.Dense(outputs, activation)], loss)
    params = net.parameters(random.normal(scale=0.7, size=net.parameter_count))
    y = random.uniform(0.1, 0.9, size=(1, outputs))
    return net, params, random.normal(size=(1, net.inputs)), y / y.sum() if activation == "softmax" else y


SMOOTH = ["tanh", "logistic", "relu", "silu", "softplus"]


@pytest.mark.parametrize(("activation", "loss"), PAIRS)
@pytest.mark.parametrize("matrices", [False, True])
def test_every_formula_computes_what_back_propagation_does(activation: str, loss: str, matrices: bool) -> None:
    for seed in range(3):
        net, params, x, y = network(activation, loss, seed)
        derivation = cr.derive(net, params, x, y, matrices=matrices)
        trace = cr.backprop(net, params, x, y)
        values = derivation.values
        gradient = {"W" if matrices else "w": trace.gradient.weights, "b": trace.gradient.biases}
        scale = max(1.0, *(float(np.abs(w).max()) for w in trace.gradient.weights))
        for step in derivation.steps:
            if step.name.startswith("update"):
                continue
            if step.name == "loss":
                expected: Any = trace.loss
            elif step.name.startswith("gradient"):
                by = step.left.by  # type: ignore[attr-defined]
                layer, *place = by.indices
                expected = gradient[by.name][layer - 1]
                expected = expected if matrices else expected[tuple(k - 1 for k in place)] if place else expected.item()
            else:
                assert isinstance(step.left, Symbol)
                expected = values[step.left]
            np.testing.assert_allclose(
                np.squeeze(evaluate(step.right, values)),
                np.squeeze(expected),
                rtol=1e-10,
                atol=1e-10 * scale,
                err_msg=step.name,
            )


def composed(tree: Expression, definitions: dict[Symbol, Expression]) -> Expression:
    """Return an expression in x, y and parameters alone."""
    while tree.symbols() & definitions.keys():
        tree = substituted(tree, definitions)
    return tree


@pytest.mark.parametrize(("activation", "loss"), with_most_slow(PAIRS))
def test_sympy_finds_the_same_derivative(activation: str, loss: str) -> None:
    outputs = 2 if activation == "softmax" else 1
    derivation = cr.derive(cr.Network(1, [cr.Dense(1, "tanh", bias=False), cr.Dense(outputs, activation)], loss))
    z_and_f = {symbol: tree for symbol, tree in derivation.definitions.items() if symbol.name != "δ"}
    of_loss = to_sympy(composed(derivation.step("loss").right, z_and_f))
    free = sorted(set(derivation.symbols) - derivation.definitions.keys(), key=text)
    points = [
        {to_sympy(one): sympy.Rational(3 + k * (-1) ** (k // 3), 7 + n) for k, one in enumerate(free)}
        for n in ((0,) if activation == "softmax" else (0, 2))  # SymPy takes long for these
    ]
    gradients = [step for step in derivation.steps if isinstance(step.left, Derivative) and "unrolled" in step.name]
    for step in gradients[:1] if activation == "softmax" else gradients:
        assert isinstance(step.left, Derivative)
        difference = to_sympy(composed(step.right, z_and_f)) - sympy.diff(of_loss, to_sympy(step.left.by))
        for point in points:
            assert abs(difference.subs(point).evalf(30)) < 1e-14  # the constants of some have 16 digits
        if (activation, loss) in (("tanh", "squared_error"), ("sin", "squared_error")):
            assert sympy.expand(difference) == 0  # elsewhere it takes long, or cannot be told


@pytest.mark.parametrize("name", ["w1", "w_1", "w₁"])
def test_a_gradient_is_found_by_any_name_of_its_parameter(name: str) -> None:
    derivation = cr.derive(cr.chain(2))
    assert derivation.gradient(name) == derivation.step("gradient w_1 unrolled").right


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "softmax"])
def test_the_unrolled_gradient_is_equal_to_the_short_one_where_the_definitions_hold(activation: str) -> None:
    derivation = cr.derive(cr.chain(2, activation))
    unrolled, short = derivation.gradient("w_1"), derivation.step("gradient w_1").right
    assert compare(short, unrolled, derivation.definitions)
    for wrong in (-unrolled, 2 * unrolled, unrolled * Symbol("x"), unrolled + 1):
        assert not compare(wrong, unrolled, derivation.definitions)


def test_the_sign_form_can_be_chosen() -> None:
    other = cr.derive(cr.chain(2), sign="y-f")
    assert text(other.step("delta_2").right) == "−2(y−f₂)(1−f₂²)"
    assert text(other.gradient("w_1")) == "−x(1−f₁²)(1−f₂²)·w₂·2(y−f₂)"
    assert compare(other.gradient("w_1"), cr.derive(cr.chain(2)).gradient("w_1"), other.definitions)
    softmax = cr.Network(1, [cr.Dense(2, "softmax")])
    written = text(cr.derive(softmax, sign="y-f", matrices=True).step("delta_1").right)
    assert "y−f₁" in written
    assert "f₁−y" not in written
    net = cr.Network(2, [cr.Dense(3, "tanh"), cr.Dense(2)])
    assert text(cr.derive(net, sign="y-f", matrices=True).gradient("W_2")) == "−f₁ᵀ(2(y−f₂)/2)"


def test_every_symbol_can_be_typed() -> None:
    derivation = cr.derive(cr.chain(2))
    assert [text(symbol) for symbol in derivation.symbols] == ["z₁", "x", "w₁", "f₁", "z₂", "w₂", "f₂", "δ₂", "y", "δ₁"]
    typed = parse("x(1-f_1^2)(1-f_2^2)w_2*2(f_2-y)", derivation.symbols).expression
    assert compare(typed, derivation.gradient("w_1"), derivation.definitions)


def test_the_steps_go_from_the_definitions_to_the_update() -> None:
    names = [step.name for step in cr.derive(cr.Network(1, [cr.Dense(1, "tanh"), cr.Dense(1)])).steps]
    assert names == [
        *("z_1", "f_1", "z_2", "f_2", "loss", "delta_2", "delta_1", "delta_1 unrolled"),
        *(
            f"gradient {name}"
            for parameter in ("w_1", "b_1", "w_2", "b_2")
            for name in (parameter, f"{parameter} unrolled")
        ),
        *(f"update {parameter}" for parameter in ("w_1", "b_1", "w_2", "b_2")),
    ]


def test_with_a_sample_numbers_stand_in_the_place_of_symbols() -> None:
    net = cr.chain(1)
    step = cr.derive(net, net.pack([-1.0]), x=0.5, y=0.8).step("delta_1")
    assert text(step.right) == "2(f₁−y)(1−f₁²)"
    assert step.numbers is not None
    assert text(step.numbers) == "2(−0.4621−0.8)(1−(−0.4621)²)"
    assert step.result == pytest.approx(2 * (np.tanh(-0.5) - 0.8) * (1 - np.tanh(-0.5) ** 2), rel=1e-14)


def test_a_large_network_is_derived_in_matrices() -> None:
    net = cr.Network(64, [cr.Dense(100, "relu"), cr.Dense(10, "softmax")], "cross_entropy")
    derivation = cr.derive(net)
    assert text(derivation.step("delta_1").right) == "(δ₂W₂ᵀ)⊙step(z₁)"
    assert text(derivation.step("gradient W_1").right) == "xᵀδ₁"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": 0.5, "y": 0.8}, "params, x and y are all needed"),
        ({"sign": "plus"}, "sign must be"),
        ({"params": cr.chain(2).initial(), "x": [0.5, 0.1], "y": [0.8, 0.3]}, "of one row, but x has 2"),
    ],
)
def test_bad_input_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        cr.derive(cr.chain(2), **arguments)


def test_a_chain_of_any_length_is_derived_and_other_networks_up_to_a_hundred_layers() -> None:
    assert text(cr.derive(cr.chain(150)).gradient("w_1")).endswith("w₁₅₀·2(f₁₅₀−y)")
    with pytest.raises(InputError, match="101 layers are too many"):
        cr.derive(cr.Network(2, [cr.Dense(2)] * 101), matrices=True)


def test_a_network_with_too_many_ways_through_it_is_derived_in_matrices() -> None:
    net = cr.Network(2, [cr.Dense(2, bias=False)] * 15)
    assert text(cr.derive(net).step("z_1").right) == "xW₁"
    with pytest.raises(InputError, match="65,536 ways"):
        cr.derive(net, matrices=False)


def test_label_smoothing_is_derived_in_both_forms() -> None:
    net = cr.Network(1, [cr.Dense(2, "softmax")], cr.losses.cross_entropy(label_smoothing=0.1))
    params, x, y = net.initial(seed=1), [[0.3]], [1]
    for matrices in (False, True):
        derivation = cr.derive(net, params, x, y, matrices=matrices)
        expected = cr.backprop(net, params, x, y).delta[1]
        step = derivation.step("delta_1" if matrices else "delta_{1,1}")
        np.testing.assert_allclose(np.ravel(evaluate(step.right, derivation.values))[0], expected[0, 0], rtol=1e-12)


def test_an_unknown_parameter_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="unknown step"):
        cr.derive(cr.chain(2)).gradient("w_3")


def test_a_definition_of_your_own_is_derived_if_it_is_made_of_what_formulae_have() -> None:
    cubic = cr.Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3 * z**2)
    assert text(cr.derive(cr.chain(1, cubic)).gradient("w_1")) == "x·3z₁²·2(f₁−y)"
    arctan = cr.Activation("arctan", value=lambda z: np.arctan(z), slope=lambda z, f: 1 / (1 + z**2))
    branching = cr.Activation("branching", value=lambda z: z if z > 0 else 0 * z, slope=lambda z, f: 1.0)
    for own in (arctan, branching):
        with pytest.raises(InputError, match=f"{own.name} or squared_error cannot be written as a formula"):
            cr.derive(cr.chain(1, own))


def test_a_definition_of_another_shape_is_named_in_a_derivation() -> None:
    rows = cr.Activation("rows", value=lambda z: z.sum(axis=1), slope=lambda z, f: z)
    with pytest.raises(InputError, match=r"activation 'rows' of layer 1: value\(z\) must return a NumPy array"):
        cr.derive(cr.Network(2, [cr.Dense(2, rows), cr.Dense(1)]))
    stepped = cr.Activation(
        "stepped", value=lambda z: np.where(z > 0, z, 0.0), slope=lambda z, f: np.where(z > 0, 1.0, 0.0)
    )
    with pytest.raises(InputError, match="stepped or squared_error cannot be written as a formula"):
        cr.derive(cr.chain(1, stepped))
