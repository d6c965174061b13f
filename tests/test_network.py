"""A network is data: frozen, hashable, and the same after a trip through JSON."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.randomness import Purpose, bits, dropout_mask, permutation


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


def test_weights_are_views_into_the_vector() -> None:
    params = network().initial()
    params.weights[1][...] = 5.0
    assert (params.vector == 5.0).sum() == params.weights[1].size
    assert [w.shape for w in params.weights] == [(3, 7), (7, 4), (4, 2)]
    assert params.biases[1] is None


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
        (lambda: cr.Network(10_000_000, [cr.Dense(10_000_000)]), "parameters is over"),
        (lambda: cr.Network.from_json({"inputs": 2}), "network: expected an object with"),
        (lambda: cr.chain(3).pack([1.0, 2.0]), "2 given for 3 layers"),
        (lambda: cr.chain(1).pack([[[1.0, 2.0]]]), r"W_1 has the shape \(1, 2\), but must be \(1, 1\)"),
        (lambda: cr.chain(1).initial(seed=-1), "seed must be a whole number"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(make: Any, message: str) -> None:
    with pytest.raises(cr.InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", cr.initializers.INITIALIZERS)
def test_an_initialiser_has_the_variance_it_promises(name: str) -> None:
    weights = cr.initializers.INITIALIZERS[name]().draw(np.random.default_rng(0), 300, 200)
    expected = {"glorot": 2 / 500, "he": 2 / 300, "lecun": 1 / 300, "zeros": 0.0, "orthogonal": 1 / 300}
    assert weights.var() == pytest.approx(expected[name.split("_")[0]], rel=0.03)
    if name == "orthogonal":
        np.testing.assert_allclose(weights.T @ weights, np.eye(200), atol=1e-12)


def test_a_draw_depends_on_its_key_alone() -> None:
    first = dropout_mask((50, 40), 0.3, seed=1, epoch=3, batch=7, layer=2)
    dropout_mask((50, 40), 0.3, seed=1, epoch=3, batch=6, layer=2)
    assert (first == dropout_mask((50, 40), 0.3, seed=1, epoch=3, batch=7, layer=2)).all()
    assert (first != dropout_mask((50, 40), 0.3, seed=1, epoch=3, batch=8, layer=2)).any()
    assert first.mean() == pytest.approx(0.7, abs=0.04)
    assert sorted(permutation(100, 5, Purpose.SHUFFLE, epoch=2).tolist()) == list(range(100))


def test_the_bits_are_those_of_philox() -> None:
    """Philox4x64-10 of Salmon et al. (2011), in plain integers."""
    mask, seed = 2**64 - 1, 12345
    key = [seed, int(Purpose.SHUFFLE)]
    counter = [1, 4, 7, 9]  # NumPy advances the counter by one before the first block
    for _ in range(10):
        a, b = 0xD2E7470EE14C6C93 * counter[0], 0xCA5A826395121157 * counter[2]
        counter = [(b >> 64) ^ counter[1] ^ key[0], b & mask, (a >> 64) ^ counter[3] ^ key[1], a & mask]
        key = [(key[0] + 0x9E3779B97F4A7C15) & mask, (key[1] + 0xBB67AE8584CAA73B) & mask]
    drawn = bits(seed, Purpose.SHUFFLE, layer=4, batch=7, epoch=9).random_raw(4)
    assert drawn.tolist() == counter
