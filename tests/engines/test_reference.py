"""Runs written out by hand, which both engines must make, and NaN found where it began."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

import chainrule as cr
from chainrule import parameters
from chainrule.data import prepare
from chainrule.engines import reference
from chainrule.engines.batching import batches
from chainrule.optimizers import OPTIMIZERS
from chainrule.randomness import dropout_mask

NET = cr.chain(1, "identity")
ENGINES = pytest.mark.parametrize("engine", ["reference", "native"])


@ENGINES
def test_an_epoch_of_sgd_written_out(engine: str) -> None:
    """ℒ = (y − xw)², so ∂ℒ/∂w = 2x(xw − y); batches of two and one row, means over each."""
    x, y, w = [1.0, 2.0, -1.0], [2.0, 1.0, 0.5], 0.3
    settings: dict[str, Any] = {"optimizer": cr.SGD(0.1), "epochs": 1, "batch_size": 2, "shuffle": False}
    run = cr.train(NET, x, y, initial=NET.pack([w]), engine=engine, **settings)
    first = (2 * 1.0 * (1.0 * w - 2.0) + 2 * 2.0 * (2.0 * w - 1.0)) / 2
    loss_of_first = ((2.0 - w) ** 2 + (1.0 - 2.0 * w) ** 2) / 2
    w -= 0.1 * first
    loss_of_second = (0.5 + w) ** 2
    w -= 0.1 * 2 * -1.0 * (-w - 0.5)
    assert float(run.parameters.vector[0]) == pytest.approx(w, rel=1e-15)
    assert run.history["loss"] == [pytest.approx((2 * loss_of_first + loss_of_second) / 3, rel=1e-15)]


@ENGINES
def test_dropout_takes_the_units_of_the_keyed_mask(engine: str) -> None:
    net = cr.Network(1, [cr.Dense(4, "identity", bias=False, dropout=0.5), cr.Dense(1, bias=False)])
    start = net.pack([np.ones((1, 4)), np.ones((4, 1))])
    run = cr.train(net, 1.0, 0.0, initial=start, optimizer=cr.SGD(0.01), epochs=1, seed=3, engine=engine)
    stays = dropout_mask((1, 4), 0.5, 3, epoch=0, batch=0, layer=1)[0]
    moved = run.parameters.weights[0][0] != 1.0
    assert (moved == stays).all()
    assert 0 < stays.sum() < 4


def test_every_row_is_in_exactly_one_batch_of_an_epoch() -> None:
    run = cr.train(NET, np.ones(7), np.ones(7), epochs=1, batch_size=3)
    taken = [rows.tolist() for rows in batches(run.settings, 7, epoch=0)]
    assert [len(rows) for rows in taken] == [3, 3, 1]
    assert sorted(row for rows in taken for row in rows) == list(range(7))


def test_prediction_in_chunks_is_prediction_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    net = cr.Network(2, [cr.Dense(3, "tanh"), cr.Dense(1)])
    x = np.random.default_rng(0).normal(size=(10, 2))
    data, params = prepare(net, x, x[:, 0]), net.initial()
    outputs, loss = reference.predict(net, params, data.x), reference.evaluate(net, params, data)
    monkeypatch.setattr(reference, "CHUNK", 4)
    np.testing.assert_allclose(reference.predict(net, params, data.x), outputs, rtol=1e-15)
    assert reference.evaluate(net, params, data) == pytest.approx(loss, rel=1e-15)


@ENGINES
@pytest.mark.parametrize(
    ("net", "x", "y", "weights", "layer", "quantity"),
    [
        (cr.chain(3, "identity"), 1.0, 0.0, [1e200, 1e200, 1.0], 2, "weighted input z"),
        (cr.chain(2, "exponential"), 1.0, 0.0, [1.0, 800.0], 2, "activation f"),
        (cr.chain(2, "identity"), 1.0, 0.0, [1.0, 1e200], 2, "loss at the output"),
        (cr.chain(2, "identity"), 1.0, 1e150, [1e-200, 1e200], 1, "error δ"),
        (cr.chain(1, "identity"), 1e200, 1e120, [0.0], 1, "gradient"),
    ],
)
def test_divergence_names_the_layer_and_the_quantity_in_which_it_began(
    net: cr.Network, x: float, y: float, weights: list[float], layer: int, quantity: str, engine: str
) -> None:
    with pytest.raises(cr.DivergenceError) as caught:
        cr.train(net, x, y, initial=net.pack(weights), optimizer="sgd", epochs=5, engine=engine)
    assert (caught.value.layer, caught.value.quantity) == (layer, quantity)
    assert caught.value.run.parameters.vector.tolist() == weights


@pytest.mark.parametrize("optimizer", sorted({*OPTIMIZERS} - {"lbfgs"}))
def test_updates_in_blocks_have_the_same_bits(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a penalty and clipped gradients, over several epochs, in which arrays are used again."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(60, 5)), random.normal(size=(60, 1))
    net = cr.Network(5, [cr.Dense(40, "tanh"), cr.Dense(1)], "squared_error")

    def trained() -> cr.Run:
        settings: dict[str, Any] = {"epochs": 4, "batch_size": 20, "l2": 0.01, "l1": 0.001, "clip_norm": 1.0, "seed": 0}
        return cr.train(net, x, y, optimizer=optimizer, engine="reference", **settings)

    whole = trained()
    for module in (parameters, reference):
        monkeypatch.setattr(module, "BLOCK", 64)
    in_blocks = trained()
    np.testing.assert_array_equal(in_blocks.parameters.vector, whole.parameters.vector)
    for name, vector in whole.state.memory.items():
        np.testing.assert_array_equal(in_blocks.state.memory[name], vector)


def test_an_optimizer_of_your_own_sees_all_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []

    class Normalised(cr.SGD):
        name = "normalised"

        def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
            lengths.append(len(g))
            return super().update(theta, g / np.linalg.norm(g), memory, rate, step)

    for module in (parameters, reference):
        monkeypatch.setattr(module, "BLOCK", 4)
    net = cr.Network(3, [cr.Dense(4, "tanh"), cr.Dense(1)], "squared_error")
    cr.train(net, np.ones((6, 3)), np.ones((6, 1)), optimizer=Normalised(), epochs=2, batch_size=6, engine="reference")
    assert lengths[-2:] == [21, 21]  # before that it is tried out on a few numbers


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csr_array])
def test_sparse_rows_are_predicted_chunk_by_chunk(form: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "CHUNK", 70)
    net = cr.Network(50, [cr.Dense(4, "tanh"), cr.Dense(3, "softmax")])
    x = form(sparse.random(300, 50, 0.1, "csr", random_state=0))
    params = net.initial(0)
    np.testing.assert_allclose(
        reference.predict(net, params, x), reference.predict(net, params, x.toarray()), rtol=1e-12
    )
