"""Definitions of your own: found again in files, told from other functions, and refused where they do not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.definitions import probes
from chainrule.files import read_tensors, write_tensors

X, Y = np.random.default_rng(0).normal(size=(2, 20, 3))
CUBIC = cr.Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3.0 * z**2)
QUARTIC = cr.Loss("quartic", value=lambda y, f: (y - f) ** 4, slope=lambda y, f: 4.0 * (f - y) ** 3)
NORMAL = cr.Initializer("narrow", lambda random, fan_in, fan_out: random.normal(0.0, 0.01, (fan_in, fan_out)))


def network(activation: Any = CUBIC, loss: Any = QUARTIC) -> cr.Network:
    return cr.Network(3, [cr.Dense(4, activation, initializer=NORMAL), cr.Dense(3)], loss)


def swish(beta: float) -> cr.Activation:
    def logistic(z: Any) -> Any:
        return 1.0 / (1.0 + np.exp(-beta * z))

    def slope(z: Any, f: Any) -> Any:
        return logistic(z) + beta * f * (1.0 - logistic(z))

    return cr.Activation("swish", lambda z: z * logistic(z), slope, parameters=(("beta", beta),))


def saved(folder: Path, net: cr.Network) -> Path:
    cr.Model(net, net.initial()).save(folder / "model")
    return folder / "model"


def test_loading_says_which_definitions_are_needed(tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    with pytest.raises(cr.InputError) as caught:
        cr.load(path, own=CUBIC)
    assert "unknown initializer 'narrow' and loss 'quartic'" in str(caught.value)
    assert "own=[cubic, narrow, quartic]" in str(caught.value)
    assert cr.load(path, own=[QUARTIC, NORMAL, CUBIC]).network == network()


@pytest.mark.parametrize(
    "other",
    [
        cr.Activation("cubic", value=lambda z: z**5, slope=lambda z, f: 3.0 * z**2),
        cr.Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3.1 * z**2),
        cr.Activation("cubic", value=lambda z: np.minimum(z, 30.0) ** 3, slope=lambda z, f: 3.0 * z**2),
        cr.Loss("quartic", value=lambda y, f: (y - f) ** 4, slope=lambda y, f: 8.0 * (f - y) ** 3),
        cr.Activation("cubic", value=lambda z: np.where(np.abs(z) < 0.15, 0.0, z**3), slope=lambda z, f: 3.0 * z**2),
        replace(QUARTIC, value=lambda y, f: np.maximum(np.abs(y - f), 0.1) ** 4),
        replace(QUARTIC, over_outputs="sum"),
        replace(QUARTIC, link=cr.losses.CanonicalLink("identity", lambda y, z: z, lambda y, z, f: f)),
    ],
)
def test_another_function_of_the_same_name_is_detected(other: Any, tmp_path: Path) -> None:
    own = [NORMAL, other, *(one for one in (CUBIC, QUARTIC) if one.name != other.name)]
    with pytest.raises(cr.InputError, match=f"{other.name}' in own= is a different function from that of the file"):
        cr.load(saved(tmp_path, network()), own=own)


@given(factor=st.floats(1.0 - 1e-7, 1.0 + 1e-7))
def test_the_rounding_of_another_machine_is_not_another_function(factor: float) -> None:
    import tempfile

    near = cr.Activation("cubic", lambda z: factor * z**3, lambda z, f: np.float32(3.0) * np.float32(z) ** 2)
    with tempfile.TemporaryDirectory() as folder:
        cr.load(saved(Path(folder), network()), own=[near, QUARTIC, NORMAL])


def test_a_definition_with_other_parameters_is_refused_by_their_values(tmp_path: Path) -> None:
    path = saved(tmp_path, network(swish(1.5), "squared_error"))
    assert cr.load(path, own=[NORMAL, swish(2.0), swish(1.5)]).network.layers[0].activation == swish(1.5)
    with pytest.raises(cr.InputError, match=r"'swish': the one in own= has beta=2.0, but beta=1.5 is needed"):
        cr.load(path, own=[NORMAL, swish(2.0)])


def test_files_of_earlier_versions_have_no_values_and_are_loaded_all_the_same(tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    tensors, document = read_tensors(path, "chainrule model 1")
    write_tensors(path, "chainrule model 1", tensors, {key: document[key] for key in ("network", "preprocessing")})
    assert cr.load(path, own=[CUBIC, QUARTIC, NORMAL]).network == network()
    with pytest.raises(cr.InputError, match=r"unknown activation 'cubic'.*pass it: own=\[cubic\]"):
        cr.load(path, own=[QUARTIC, NORMAL])


@pytest.mark.parametrize(
    "records",
    [5, [5], [{"kind": 1}], *([[one]] for one in ({"values": ["a"]}, {"values": [[1.0]]}, {"values": 3}, {"name": 4}))],
)
def test_hostile_records_are_refused_in_one_line(records: Any, tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    tensors, document = read_tensors(path, "chainrule model 1")
    if isinstance(records, list) and isinstance(records[0], dict) and "kind" not in records[0]:
        records = [document["own"][0] | records[0]]
    write_tensors(path, "chainrule model 1", tensors, document | {"own": records})
    with pytest.raises(cr.InputError) as caught:
        cr.load(path, own=[CUBIC, QUARTIC, NORMAL])
    assert "\n" not in str(caught.value)


def test_a_model_of_chainrules_own_definitions_stores_no_values(tmp_path: Path) -> None:
    net = cr.Network(3, [cr.Dense(4, cr.activations.leaky_relu(0.2)), cr.Dense(3, "softmax")], "cross_entropy")
    _, document = read_tensors(saved(tmp_path, net), "chainrule model 1")
    assert set(document) == {"network", "preprocessing"}


def test_two_different_functions_of_one_name_cannot_be_stored() -> None:
    other = cr.Activation("cubic", value=lambda z: z**5, slope=lambda z, f: 5.0 * z**4)
    with pytest.raises(cr.InputError, match="two different definitions are called 'cubic'"):
        probes(cr.Network(1, [cr.Dense(2, CUBIC), cr.Dense(2, other), cr.Dense(1)]))


def test_something_else_than_a_definition_is_not_taken_for_one(tmp_path: Path) -> None:
    for own in (5, "cubic", [CUBIC, np.tanh]):
        with pytest.raises(cr.InputError, match="own= takes activations, losses"):
            cr.load(saved(tmp_path, network()), own=own)  # type: ignore[arg-type]


SQUARE = cr.losses.squared_error()
OF_ONE: Any = lambda one: one  # noqa: E731 - of too few arguments


@pytest.mark.parametrize(
    ("value", "slope", "message"),
    [
        (
            lambda z: z.sum(axis=1),
            lambda z, f: z,
            r"value\(z\) must return a NumPy array of numbers with shape \(2, 4\), but returned float64 with shape",
        ),
        (lambda z, a: z, lambda z, f: z, r"value\(z\) .* but failed with TypeError: .*missing 1 required"),
        (lambda z: z, lambda z: z, r"slope\(z, f\) .* but failed with TypeError: .*takes 1 positional"),
        (lambda z: z, lambda z, f: 1.0, r"slope\(z, f\) .* but returned a float"),
        (lambda z: z.tolist(), lambda z, f: z, r"value\(z\) must return a NumPy array .* but returned a list"),
        (lambda z: z * np.ones((2, 1)), lambda z, f: z, r"value\(z\) .* with shape \(3, 4\), but failed with Value"),
        (np.squeeze, lambda z, f: z, r"value\(z\) .* with shape \(1, 4\), but returned float64 with shape \(4,\)"),
        (lambda z: np.maximum(z, 0.0, out=z), lambda z, f: z, r"value\(z\) must not modify its arguments"),
        (lambda z: z + 1j, lambda z, f: z, r"value\(z\) .* but returned complex128"),
    ],
)
def test_an_activation_that_does_not_fit_is_named_with_what_was_expected(value: Any, slope: Any, message: str) -> None:
    net = network(cr.Activation("odd", value, slope), "squared_error")
    uses: list[Callable[[], object]] = [
        lambda: cr.train(net, X[:, :3], Y, epochs=1),
        lambda: cr.backprop(net, net.initial(), X, Y),
        lambda: cr.Model(net, net.initial()).predict(X),
        lambda: cr.train_many(net, X, Y, epochs=1),
    ]
    for use in uses:
        with pytest.raises(cr.InputError, match=f"activation 'odd' of layer 1: {message}") as caught:
            use()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (cr.Loss("odd", lambda y, f: np.mean((y - f) ** 2), SQUARE.slope), r"value\(y, f\) .* but returned a float64"),
        (cr.Loss("odd", lambda y, f: ((y - f) ** 2).tolist(), SQUARE.slope), r"value\(y, f\) .* returned a list"),
        (cr.Loss("odd", SQUARE.value, OF_ONE), r"slope\(y, f\) .* failed with TypeError"),
        (
            replace(
                cr.Loss("odd", SQUARE.value, SQUARE.slope),
                link=cr.losses.CanonicalLink("identity", lambda y, z: z, OF_ONE),
            ),
            r"delta\(y, z, f\) of its link .* failed with TypeError",
        ),
    ],
)
def test_a_loss_that_does_not_fit_is_named_with_what_was_expected(loss: cr.Loss, message: str) -> None:
    with pytest.raises(cr.InputError, match=f"loss 'odd': {message}"):
        cr.train(cr.Network(3, [cr.Dense(3)], loss), X, Y, epochs=1)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda random: 0.0, "failed with TypeError"),
        (lambda random, fan_in, fan_out: np.zeros((fan_out, fan_in)), r"but returned float64 with shape \(3, 5\)"),
        (lambda random, fan_in, fan_out: np.full((fan_in, fan_out), np.nan), "drew NaN or infinity"),
    ],
)
def test_an_initializer_that_does_not_fit_is_named_with_what_was_expected(draw: Any, message: str) -> None:
    net = cr.Network(5, [cr.Dense(3, initializer=cr.Initializer("odd", draw))])
    with pytest.raises(
        cr.InputError, match=rf"initializer 'odd' of layer 1: draw\(random, fan_in, fan_out\).*{message}"
    ):
        net.initial()


def strict(factor: float) -> cr.Activation:
    """Return a multiple of z that is not defined for large z."""

    def value(z: Any) -> Any:
        if (np.abs(z) > 30.0).any():
            raise ValueError("too large")
        return factor * z

    return cr.Activation("strict", value, lambda z, f: factor + 0.0 * z)


@pytest.mark.parametrize("units", [1, 4, 40])
def test_a_function_that_fails_at_some_points_is_told_from_others_at_the_rest(units: int, tmp_path: Path) -> None:
    net = cr.Network(3, [cr.Dense(units, strict(1.0)), cr.Dense(1)])
    path = saved(tmp_path, net)
    assert cr.load(path, own=strict(1.0)).network == net
    everywhere = cr.Activation("strict", lambda z: 1.0 * z, lambda z, f: 1.0 + 0.0 * z)
    for other in (strict(3.0), everywhere):
        with pytest.raises(cr.InputError, match="'strict' in own= is a different function"):
            cr.load(path, own=other)


def test_a_loss_that_fails_at_some_points_is_told_from_others_at_the_rest(tmp_path: Path) -> None:
    def loss(factor: float) -> cr.Loss:
        def value(y: Any, f: Any) -> Any:
            if (f < -30.0).any():
                raise ValueError("too small")
            return factor * (y - f) ** 2

        return cr.Loss("strict", value, lambda y, f: 2.0 * factor * (f - y))

    path = saved(tmp_path, cr.Network(3, [cr.Dense(2)], loss(1.0)))
    assert cr.load(path, own=loss(1.0)).network.loss == loss(1.0)
    with pytest.raises(cr.InputError, match="'strict' in own= is a different function"):
        cr.load(path, own=loss(2.0))


def test_missing_probe_values_do_not_match_present_ones(tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    tensors, document = read_tensors(path, "chainrule model 1")
    records = [one | {"values": []} for one in document["own"]]
    write_tensors(path, "chainrule model 1", tensors, document | {"own": records})
    with pytest.raises(cr.InputError, match="'cubic' in own= is a different function"):
        cr.load(path, own=[CUBIC, QUARTIC, NORMAL])


class Renamed(cr.Activation):
    def to_json(self) -> Any:
        return "tanh"


def test_a_definition_whose_json_form_has_another_name_cannot_be_stored(tmp_path: Path) -> None:
    net = network(Renamed("renamed", np.tanh, lambda z, f: 1.0 - f**2))
    with pytest.raises(cr.InputError, match=r"activation 'renamed' cannot be stored in a file: .* but returned 'tanh'"):
        saved(tmp_path, net)


class Forward(cr.Activation):
    def forward(self, z: Any) -> Any:
        return np.tanh(z)


class Backward(cr.Loss):
    def backward(self, y: Any, f: Any) -> Any:
        return f - y


def test_a_method_that_nothing_would_call_is_refused() -> None:
    with pytest.raises(
        cr.InputError, match=r"Forward has a method forward, which would never be called: .* value, slope"
    ):
        Forward("bent", value=np.tanh, slope=lambda z, f: 1.0 - f**2)
    with pytest.raises(cr.InputError, match="Backward has a method backward, which would never be called"):
        Backward("bent", value=SQUARE.value, slope=SQUARE.slope)
