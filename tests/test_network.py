"""A network is data: frozen, hashable, and the same after a trip through JSON."""

from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

import chainrule as cr


def network() -> cr.Network:
    leaky = cr.activations.leaky_relu(0.2)
    layers = [cr.Dense(7, leaky, dropout=0.1), cr.Dense(4, "tanh", bias=False), cr.Dense(2, "softmax")]
    return cr.Network(3, layers, cr.losses.cross_entropy(0.1))


def test_a_network_is_the_same_after_json() -> None:
    again = cr.Network.from_json(json.loads(json.dumps(network().to_json())))
    assert again == network()
    assert hash(again) == hash(network())


def test_a_network_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        network().inputs = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cr.Dense(0), "units must be a whole number of at least 1"),
        (lambda: cr.Dense(True), "units must be a whole number"),
        (lambda: cr.Dense(3, "tahn"), "did you mean 'tanh'"),
        (lambda: cr.Dense(3, dropout=1.0), "dropout must be"),
        (lambda: cr.Dense(3, dropout=float("nan")), "dropout must be"),
        (lambda: cr.Network(2, []), "layers must be"),
        (lambda: cr.Network(2, [cr.Dense(2, "softmax"), cr.Dense(1)]), "layer 1: softmax can only be"),
        (lambda: cr.Network(2, [cr.Dense(2, "relu")], "cross_entropy"), "needs an output with activation softmax"),
        (lambda: cr.Network(2, [cr.Dense(2, dropout=0.1)]), "output layer cannot have dropout"),
        (lambda: cr.Network(10_000_000, [cr.Dense(10_000_000)]), "parameters, but the maximum is"),
        (lambda: cr.Network.from_json({"inputs": 2}), "network: expected an object with"),
        (lambda: cr.Network(2, [cr.Dense(1, "softmax")], "cross_entropy"), "softmax needs 2 or more units"),
        (lambda: cr.chain(2).check(cr.chain(3).initial()), "the parameters are not this network's"),
        (lambda: cr.backprop(cr.chain(2), np.ones(2), 1.0, 1.0), "expected Parameters, but got ndarray"),  # type: ignore[arg-type]
        (lambda: cr.chain(3).pack([1.0, 2.0]), "2 given for 3 layers"),
        (lambda: cr.chain(1).pack([[[1.0, 2.0]]]), r"W_1 has the shape \(1, 2\), but must be \(1, 1\)"),
        (lambda: network().pack([[[1.0], []]] * 3), r"W_1 is no array of numbers of the shape \(3, 7\)"),
        (lambda: cr.chain(1).initial(seed=-1), "seed must be a whole number"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(make: Any, message: str) -> None:
    with pytest.raises(cr.InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_definition_of_your_own_is_handed_in_again_after_json() -> None:
    cubic = cr.Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3.0 * z**2)
    ones = cr.Initializer("ones", lambda random, fan_in, fan_out: np.ones((fan_in, fan_out)))
    quartic = cr.Loss("quartic", value=lambda y, f: (y - f) ** 4, slope=lambda y, f: 4.0 * (f - y) ** 3)
    net = cr.Network(1, [cr.Dense(2, cubic, initializer=ones), cr.Dense(1)], quartic)
    assert cr.Network.from_json(net.to_json(), own=[ones, cubic, quartic]) == net
    with pytest.raises(cr.InputError, match="unknown initializer 'ones'"):
        cr.Network.from_json(net.to_json(), own=[cubic, quartic])


def test_a_network_goes_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(network())) == network()  # noqa: S301 - our own


class Layer(cr.Dense):
    def forward(self, x: Any) -> Any:
        return x


class Net(cr.Network):
    def forward(self, x: Any) -> Any:
        return x


def test_a_subclass_whose_methods_would_be_ignored_is_refused() -> None:
    with pytest.raises(cr.InputError, match="Layer is a subclass of Dense, whose own methods would be ignored"):
        cr.Network(2, [Layer(3), cr.Dense(1)])
    with pytest.raises(cr.InputError, match="Net is a subclass of Network, whose own methods would be ignored"):
        Net(2, [cr.Dense(1)])


@pytest.mark.parametrize("dtype", [np.float32, np.dtype("float32"), "float32", "f4"])
def test_any_name_of_a_dtype_is_taken(dtype: Any) -> None:
    assert cr.chain(2).initial(dtype=dtype).vector.dtype == np.float32
    with pytest.raises(cr.InputError, match="dtype must be float32 or float64, but is 'float16'"):
        cr.chain(2).initial(dtype="float16")
