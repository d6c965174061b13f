"""The native engine against the reference engine, with every instruction set of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.activations import ACTIVATIONS
from chainrule.engines import _native, extension, reference
from chainrule.engines.choice import ENGINES
from chainrule.losses import LOSSES
from chainrule.optimizers import OPTIMIZERS
from tests.helpers.marking import slow_except, with_most_slow

SETS = extension.instruction_sets()
RANDOM = np.random.default_rng(0)


def test_the_native_engine_knows_every_activation_every_loss_and_every_optimiser_but_lbfgs() -> None:
    assert set(_native.activations) == set(ACTIVATIONS)
    assert set(_native.losses) == set(LOSSES)
    assert set(_native.optimizers) == set(OPTIMIZERS) - {"lbfgs"}


@pytest.mark.parametrize("name", _native.optimizers)
def test_constants_of_an_optimiser_have_one_order_in_python_and_in_cpp(name: str) -> None:
    constants = [f.name for f in fields(OPTIMIZERS[name]()) if f.name != "learning_rate"]
    assert _native.optimizers[name] == ", ".join(constants)


def network(activation: str, seed: int) -> cr.Network:
    """Return a random network with this activation on a hidden layer, or on the output where it belongs there."""
    random = np.random.default_rng(seed)
    widths = [int(random.integers(1, 40)) for _ in range(int(random.integers(1, 4)))]
    joint = activation == "softmax"
    layers = [cr.Dense(width, "tanh" if joint else activation, bias=bool(random.integers(2))) for width in widths]
    return cr.Network(int(random.integers(1, 40)), [*layers, cr.Dense(3, "softmax" if joint else "identity")])


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 120))
def test_predictions_are_those_of_the_reference_engine(activation: str, isa: str, seed: int, rows: int) -> None:
    net = network(activation, seed)
    random = np.random.default_rng(seed)
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-4)):
        params = net.parameters((0.5 * random.normal(size=net.parameter_count)).astype(dtype))
        x = random.normal(size=(rows, net.inputs)).astype(dtype)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CHAINRULE_ISA", isa)
            found = extension.NativePredictor(net, params.vector)(x)
        expected = reference.predict(net, params, x)
        assert found.dtype == dtype
        if activation == "exponential":  # e^e^x: the least rounding grows without bound
            tolerance *= 1e3
        size = np.abs(expected).max()
        if np.isfinite(size):
            np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * (size + 1e-30))


def test_a_prediction_of_one_row_is_that_of_the_row_among_others() -> None:
    net = cr.Network(7, [cr.Dense(33, "tanh"), cr.Dense(5, "softmax")])
    model, x = cr.Model(net, net.initial()), RANDOM.normal(size=(100, 7))
    many = model.predict(x)
    np.testing.assert_allclose([model.predict(row[None])[0] for row in x], many, rtol=1e-14)


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("hidden", "classes"), [(8, 3), (16, 3), (24, 10), (64, 10), (100, 10)])
def test_probabilities_of_a_few_rows_are_those_among_many(
    hidden: int, classes: int, dtype: str, isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Softmax over a narrow layer: its scratch space once overlapped the outputs that it reads."""
    monkeypatch.setenv("CHAINRULE_ISA", isa)
    net = cr.Network(4, [cr.Dense(hidden, "tanh"), cr.Dense(classes, "softmax")], loss="cross_entropy")
    model, x = cr.Model(net, net.initial(0, dtype)), RANDOM.normal(size=(70, 4)).astype(dtype)
    many = model.predict(x)
    for rows in (1, 2, 3, 4, 5, 8, 17, 33, 65):
        few = np.concatenate([model.predict(x[i : i + rows]) for i in range(0, 70, rows)])
        np.testing.assert_allclose(few, many, rtol=0, atol=1e-12 if dtype == "float64" else 2e-6)


@pytest.mark.parametrize("scale", [30.0, 300.0, 1e30])
@pytest.mark.parametrize("activation", ["gelu_tanh", "tanh", "softplus", "gelu", "silu"])
def test_large_inputs_in_float32_train_as_in_the_reference_engine(activation: str, scale: float) -> None:
    """Where an activation is flat its derivative is 0, however large the numbers are that it is multiplied by."""
    net = cr.Network(4, [cr.Dense(8, activation), cr.Dense(1)], "absolute_error")
    x = (scale * np.random.default_rng(0).normal(size=(40, 4))).astype(np.float32)
    settings: dict[str, Any] = {"optimizer": cr.SGD(1e-3), "epochs": 2, "clip_norm": 1.0}
    runs = [cr.train(net, x, np.sign(x[:, 0]), engine=engine, **settings) for engine in ("reference", "native")]
    assert_same((runs[0], runs[1]), tolerance=1e-4)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_arrays_that_are_not_aligned_are_taken_as_others_are(dtype: str) -> None:
    """Such arrays come from packed records and from files read at any offset."""
    x, y = RANDOM.normal(size=(50, 5)).astype(dtype), RANDOM.normal(size=(50, 2)).astype(dtype)

    def unaligned(array: Any) -> Any:
        raw = np.zeros(array.nbytes + 1, np.uint8)[1:]
        raw[:] = np.frombuffer(array.tobytes(), np.uint8)
        return raw.view(dtype).reshape(array.shape)

    assert not unaligned(x).flags.aligned
    net = cr.Network(5, [cr.Dense(9, "tanh"), cr.Dense(2)])
    runs = [cr.train(net, *pair, epochs=3) for pair in ((x, y), (unaligned(x), unaligned(y)))]
    np.testing.assert_array_equal(runs[0].parameters.vector, runs[1].parameters.vector)
    np.testing.assert_array_equal(runs[0].predict(x), runs[1].predict(unaligned(x)))


def test_an_activation_of_your_own_is_left_to_the_reference_engine() -> None:
    cubic = cr.Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3.0 * z**2)
    net = cr.chain(2, cubic)
    assert not ENGINES["native"].can_predict(net)
    assert cr.Model(net, net.pack([1.0, 1.0])).predict(2.0)[0, 0] == 512.0


def test_an_instruction_set_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_ISA", "avx513")
    net = cr.chain(1)
    with pytest.raises(cr.InputError, match=r"CHAINRULE_ISA='avx513': this machine runs .*baseline"):
        cr.Model(net, net.initial()).predict(1.0)


def test_without_the_extension_the_reference_engine_is_used_and_that_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(extension, "_native", None)
    extension.warn_of_absence.cache_clear()
    net = cr.chain(1)
    with pytest.warns(RuntimeWarning, match="chainrule has no native engine"):
        assert cr.Model(net, net.pack([1.0])).predict(1.0)[0, 0] == np.tanh(1.0)
    assert cr.Model(net, net.pack([1.0])).predict(1.0)[0, 0] == np.tanh(1.0)  # in tests, a warning is an error


# Whole runs against the reference engine


def run_both(net: cr.Network, dtype: str = "float64", **settings: Any) -> tuple[cr.Run, cr.Run]:
    """Train for 50 steps in batches of 60, 60 and 10 rows, with each engine."""
    random = np.random.default_rng(1)
    x = random.normal(size=(130, net.inputs)).astype(dtype)
    y = random.uniform(0.1, 0.9, size=(130, net.outputs))
    common: dict[str, Any] = {"sample_weight": random.uniform(0.5, 1.5, 130), "batch_size": 60, "epochs": 17, "seed": 3}
    reference_run, native_run = (
        cr.train(net, x, y, engine=name, **common | settings) for name in ("reference", "native")
    )
    return reference_run, native_run


def assert_same(runs: tuple[cr.Run, cr.Run], tolerance: float = 1e-9) -> None:
    expected, found = runs
    size = np.abs(expected.parameters.vector).max()
    np.testing.assert_allclose(found.parameters.vector, expected.parameters.vector, rtol=0, atol=tolerance * size)
    np.testing.assert_allclose(found.history["loss"], expected.history["loss"], rtol=tolerance)
    for name, vector in expected.state.memory.items():
        np.testing.assert_allclose(found.state.memory[name], vector, rtol=0, atol=tolerance * np.abs(vector).max())


PAIRS = [(a, name) for a in ACTIVATIONS for name, make in LOSSES.items() if make().accepts(a)]


RATE = 0.01
OPTIMIZERS_OF_RUNS = [cr.SGD(RATE), cr.SGD(RATE, momentum=0.9), cr.SGD(RATE, momentum=0.9, nesterov=True)] + [
    OPTIMIZERS.find({"name": name, "learning_rate": RATE}) for name in ("adam", "adamw", "rmsprop", "adagrad", "rprop")
]
OPTIMIZERS_OF_RUNS += [cr.AdamW(RATE, epsilon=0.01, epsilon_hat=True)]
REGULARISERS: list[dict[str, Any]] = [{}, {"l1": 0.01}, {"l2": 0.1}, {"clip_norm": 0.05}, {"schedule": "cosine"}]
OTHER_SETS = SETS[1:]


def network_of(activation: str, loss: str) -> cr.Network:
    hidden = "tanh" if activation in ("softmax", "exponential") else activation
    layers = [cr.Dense(17, hidden, dropout=0.2), cr.Dense(9, "tanh", bias=False), cr.Dense(3, activation)]
    return cr.Network(5, layers, loss)


@pytest.mark.parametrize(
    ("activation", "loss"), slow_except([("tanh", "squared_error"), ("softmax", "cross_entropy")], PAIRS)
)
def test_a_run_is_that_of_the_reference_engine_for_every_activation_loss_optimiser_and_regulariser(
    activation: str, loss: str
) -> None:
    """By the instruction set that this machine runs fastest; the next tests try the others.

    Where all errors have one sign, the slopes of these two losses through softmax cancel, and Rprop follows the sign
    of the rounding that is left, unless a penalty is larger.
    """
    net = network_of(activation, loss)
    cancels = activation == "softmax" and loss in ("quantile", "absolute_error")
    for optimizer in OPTIMIZERS_OF_RUNS:
        for more in REGULARISERS:
            if not (cancels and isinstance(optimizer, cr.Rprop) and not {"l1", "l2"} & more.keys()):
                assert_same(run_both(net, optimizer=optimizer, **more))


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize(("activation", "loss"), with_most_slow(PAIRS))
def test_every_activation_and_loss_on_every_instruction_set(
    activation: str, loss: str, isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINRULE_ISA", isa)
    assert_same(run_both(network_of(activation, loss), optimizer=cr.SGD(RATE)))


@pytest.mark.parametrize("isa", OTHER_SETS)
@pytest.mark.parametrize("more", REGULARISERS, ids=str)
@pytest.mark.parametrize("optimizer", OPTIMIZERS_OF_RUNS, ids=str)
def test_every_optimiser_and_regulariser_on_other_instruction_sets(
    optimizer: Any, more: dict[str, Any], isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINRULE_ISA", isa)
    assert_same(run_both(network_of("softmax", "cross_entropy"), optimizer=optimizer, **more))


@pytest.mark.parametrize("loss", [cr.losses.huber(0.3), cr.losses.quantile(0.8), cr.losses.squared_error()], ids=str)
@pytest.mark.parametrize("activation", [cr.activations.leaky_relu(0.2), cr.activations.elu(0.7)], ids=str)
def test_the_parameters_of_definitions_arrive(activation: Any, loss: Any) -> None:
    assert_same(run_both(cr.Network(5, [cr.Dense(70, activation), cr.Dense(2)], loss)))


def test_label_smoothing_arrives() -> None:
    assert_same(run_both(cr.Network(5, [cr.Dense(4, "softmax")], cr.losses.cross_entropy(0.1))))


def test_a_run_in_float32_is_that_of_the_reference_engine_but_for_rounding() -> None:
    net = cr.Network(5, [cr.Dense(33, "gelu"), cr.Dense(3, "softmax")], "cross_entropy")
    runs = run_both(net, dtype="float32")
    assert runs[1].parameters.vector.dtype == np.float32
    assert_same(runs, tolerance=1e-4)


@settings(max_examples=25)
@given(rows=st.integers(1, 3000), seed=st.integers(0, 2**62), epoch=st.integers(0, 2**40))
def test_rows_are_shuffled_as_the_reference_engine_shuffles_them(rows: int, seed: int, epoch: int) -> None:
    """With θ ← θ − η (θ − x) for one row at a time, the end depends on the order of all rows."""
    net = cr.Network(1, [cr.Dense(1)])
    y = np.random.default_rng(0).normal(size=rows)
    ends = []
    for name in ("reference", "native"):
        run = cr.train(net, np.zeros(rows), y, epochs=1, batch_size=min(rows, 1 + rows // 50), seed=seed, engine=name)
        ends.append(run.parameters.vector)
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-9)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", "log_cosh"])
@pytest.mark.parametrize("activation", sorted({*ACTIVATIONS} - {"softmax", "exponential"}))
def test_a_chain_that_learns_row_by_row_is_that_of_the_reference_engine(activation: str, loss: str, bias: bool) -> None:
    """It has a path of its own, and another as soon as the rows are two."""
    net = cr.Network(1, [cr.Dense(1, activation, bias=bias)] * 5, loss)
    weights = np.r_[0.0, np.random.default_rng(0).uniform(0.5, 1.5, 129)]
    for batch_size, plan in ((1, "a chain that learns row by row"), (2, "through all narrow layers")):
        settings: dict[str, Any] = {"batch_size": batch_size, "sample_weight": weights, "epochs": 2}
        runs = run_both(net, optimizer=cr.SGD(0.01), **settings)
        assert plan in str(runs[1].plan)
        assert_same(runs)


def test_a_chain_in_float32_saturates_as_that_of_the_reference_engine() -> None:
    """In scalars, tanh has a way of its own up to where it is 1."""
    net = cr.chain(3)
    x = np.linspace(-12, 12, 50, dtype=np.float32)
    runs = [
        cr.train(
            net,
            x,
            0.1 * x,
            optimizer=cr.SGD(1e-3),
            batch_size=1,
            epochs=3,
            initial=net.pack([9.0, -2.0, 1.0]),
            engine=e,
        )
        for e in ("reference", "native")
    ]
    np.testing.assert_allclose(runs[1].parameters.vector, runs[0].parameters.vector, rtol=1e-5)


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("widths", [[1, 1], [2, 4, 2, 1], [3, 7, 5, 9], [5, 16, 17, 3], [31, 20, 32, 6]], ids=str)
def test_narrow_layers_give_the_run_of_the_reference_engine(
    widths: list[int], dtype: str, isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of them is one call: as many rows as a vector has lanes, fewer, more, those left, several panels."""
    monkeypatch.setenv("CHAINRULE_ISA", isa)
    inputs, *hidden, outputs = widths
    layers = [cr.Dense(units, "tanh", bias=i % 2 == 0) for i, units in enumerate(hidden)]
    net = cr.Network(inputs, [*layers, cr.Dense(outputs, "sin")], "huber")
    for batch_size in (1, 3, 4, 7, 16, 32, 75):
        runs = run_both(net, dtype=dtype, batch_size=batch_size, epochs=2, l2=0.01)
        if batch_size <= 4:  # as large as a pair of the smallest vectors
            assert "through all narrow layers" in str(runs[1].plan)
        assert_same(runs, 1e-9 if dtype == "float64" else 1e-4)


@pytest.mark.parametrize("isa", SETS)
def test_large_layers_give_the_run_of_the_reference_engine(isa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are packed and take all rows, many or few, before the next layer does; one with softmax goes by rows."""
    monkeypatch.setenv("CHAINRULE_ISA", isa)
    hidden = [cr.Dense(50, "tanh", dropout=0.2), cr.Dense(700, "tanh", bias=False)]
    for layers, batch_size, epochs in (
        ([*hidden, cr.Dense(3)], 130, 5),
        ([*hidden, cr.Dense(50, "softmax")], 130, 5),
        ([cr.Dense(400, "tanh"), cr.Dense(3)], 27, 1),
    ):
        runs = run_both(cr.Network(700, layers), batch_size=batch_size, epochs=epochs)
        assert "layer by layer" in str(runs[1].plan)
        assert_same(runs)


def blank_columns(x: Any, rows: int) -> Any:
    """Half of the columns all 0, one of them −0, and others in all but some stretches of rows."""
    x = x.copy()
    x[:, ::2] = 0
    x[:, 4] = -0.0
    for begin in range(0, len(x), rows):
        x[begin : begin + rows, RANDOM.integers(0, x.shape[1], x.shape[1] // 3)] = 0
    return x


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("inputs", "units", "settings"),
    [
        (64, 50, {}),
        (201, 32, {"shuffle": False}),
        (400, 100, {"validation": 0.2, "l1": 1e-3, "clip_norm": 1.0}),
        (400, 34, {"batch_size": 5000}),
    ],
    ids=["groups", "pieces", "layers", "chunks"],
)
def test_columns_that_are_zero_are_left_out_and_change_nothing(
    inputs: int, units: int, settings: dict[str, Any], dtype: str, isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in images and counts; their weights learn from the penalty alone."""
    monkeypatch.setenv("CHAINRULE_ISA", isa)
    net = cr.Network(inputs, [cr.Dense(units, "tanh", dropout=0.1), cr.Dense(11)])
    rows = 5500 if "batch_size" in settings else 500
    x = blank_columns(RANDOM.normal(size=(rows, inputs)), 20).astype(dtype)
    y = RANDOM.normal(size=(rows, 11))
    common: dict[str, Any] = {"epochs": 2, "batch_size": 200, "l2": 0.1, "optimizer": cr.SGD(0.01, momentum=0.9)}
    runs = [cr.train(net, x, y, engine=engine, **common | settings) for engine in ("reference", "native")]
    assert_same((runs[0], runs[1]), 1e-9 if dtype == "float64" else 1e-4)


def test_no_column_is_left() -> None:
    """Then only biases learn."""
    net = cr.Network(40, [cr.Dense(40, "tanh"), cr.Dense(2)])
    x, y = np.zeros((70, 40)), RANDOM.normal(size=(70, 2))
    runs = [cr.train(net, x, y, engine=engine, batch_size=30, epochs=3) for engine in ("reference", "native")]
    assert_same((runs[0], runs[1]))


def test_several_chunks_give_the_run_of_the_reference_engine() -> None:
    net = cr.Network(700, [cr.Dense(20, "tanh"), cr.Dense(3)])
    x, y = RANDOM.normal(size=(6000, 700)), RANDOM.normal(size=(6000, 3))
    settings: dict[str, Any] = {"epochs": 2, "batch_size": 5400, "optimizer": cr.SGD(0.01)}
    assert_same((cr.train(net, x, y, engine="reference", **settings), cr.train(net, x, y, **settings)))


def test_an_activation_that_would_overflow_where_there_is_no_row() -> None:
    """In lanes without a row of their own nothing may come up that no row has."""
    net = cr.Network(1, [cr.Dense(1, "exponential"), cr.Dense(1)])
    initial = net.pack([-1000.0, 0.5], [1000.0, 0.0])
    runs = [
        cr.train(net, np.ones(5), np.zeros(5), optimizer=cr.SGD(1e-9), epochs=3, initial=initial, engine=engine)
        for engine in ("reference", "native")
    ]
    assert_same((runs[0], runs[1]))


def test_parameters_that_a_callback_keeps_stay_as_they_were_when_the_run_diverges() -> None:
    net = cr.Network(3, [cr.Dense(8, "relu"), cr.Dense(1)])
    x, y = RANDOM.normal(size=(90, 3)), RANDOM.normal(size=90)
    kept: list[Any] = []
    rates = cr.schedules.Exponential(1e8)
    with pytest.raises(cr.DivergenceError):
        cr.train(
            *(net, x, y),
            optimizer=cr.SGD(1e-4),
            schedule=rates,
            epochs=60,
            callbacks=[lambda run: kept.append((run.parameters, run.parameters.vector.copy()))],
        )
    assert kept
    assert all((parameters.vector == copy).all() for parameters, copy in kept)


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("units", [1, 2, 3, 4, 5])
def test_layers_of_few_units_give_the_run_of_the_reference_engine(
    units: int, isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their gradient is summed over lanes."""
    monkeypatch.setenv("CHAINRULE_ISA", isa)
    net = cr.Network(5, [cr.Dense(units, "tanh"), cr.Dense(19, "tanh"), cr.Dense(units, bias=False)])
    for batch_size in (1, 17, 130):
        assert_same(run_both(net, batch_size=batch_size, epochs=4))


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("validation", [None, 0.3])
def test_many_epochs_in_one_call_are_those_of_the_reference_engine(optimizer: str, validation: float | None) -> None:
    """Validation loss, early stopping and a schedule are a part of the call."""
    net = cr.Network(5, [cr.Dense(9, "tanh"), cr.Dense(3)])
    schedule = "constant" if optimizer == "lbfgs" else "cosine"
    runs = run_both(net, optimizer=optimizer, epochs=60, validation=validation, patience=5, schedule=schedule, l2=0.01)
    assert_same(runs, tolerance=1e-7)
    expected, found = runs
    assert found.stopped == expected.stopped
    assert expected.best is not None
    assert found.best is not None
    assert found.best.epoch == expected.best.epoch
    if validation:
        np.testing.assert_allclose(found.history["validation_loss"], expected.history["validation_loss"], rtol=1e-7)


@pytest.mark.parametrize(
    ("widths", "batch_size", "plan"),
    [
        ([20, 40, 3], 600, "a batch is 8 groups of rows"),
        ([300, 300, 3], 128, "layer by layer"),
        pytest.param([700, 400, 3], 27, "layer by layer", marks=pytest.mark.slow),
        ([300, 300, 3], 24, "a batch is 1 group of rows"),
        ([700, 20, 3], 5400, "a batch is 16 groups of rows"),
    ],
    ids=["groups of rows", "large layers", "a very large layer", "parts of a large gradient", "several chunks"],
)
def test_the_number_of_threads_changes_no_bit(widths: list[int], batch_size: int, plan: str) -> None:
    net = cr.Network(widths[0], [cr.Dense(widths[1], "tanh", dropout=0.2), cr.Dense(widths[2])])
    x, y = RANDOM.normal(size=(6000, widths[0])), RANDOM.normal(size=(6000, widths[2]))
    settings: dict[str, Any] = {"epochs": 2, "batch_size": batch_size, "validation": 0.1, "l2": 0.01, "clip_norm": 0.1}
    runs = [cr.train(net, x, y, threads=threads, **settings) for threads in (1, 2, 3)]
    for run, threads in zip(runs, (1, 2, 3), strict=True):
        assert run.plan is not None
        assert f"{threads} of {threads} threads; {plan}" in run.plan
        assert run.parameters.vector.tobytes() == runs[0].parameters.vector.tobytes()
        assert dict(run.history) == dict(runs[0].history)


@pytest.mark.filterwarnings("ignore:.*fork")  # of JAX, where a test before has used it
def test_a_process_that_is_forked_between_two_runs_trains_too() -> None:
    net = cr.Network(64, [cr.Dense(100, "tanh"), cr.Dense(1)])
    x, y = RANDOM.normal(size=(400, 64)), RANDOM.normal(size=400)
    expected = cr.train(net, x, y, epochs=2, batch_size=200, threads=2).parameters.vector
    with multiprocessing.get_context("fork").Pool(1) as pool:
        found = pool.apply(_parameters_of_a_run, (net, x, y))
    np.testing.assert_array_equal(found, expected)


def _parameters_of_a_run(net: cr.Network, x: Any, y: Any) -> Any:
    return cr.train(net, x, y, epochs=2, batch_size=200, threads=2).parameters.vector


@pytest.mark.parametrize(
    ("steps", "more"),
    [
        pytest.param(range(1, 6250), {"epochs": 100}, id="a long epoch"),
        pytest.param([0], {"batch_size": 200_000}, id="a long step"),
        pytest.param([0], {"optimizer": "lbfgs"}, id="a long objective"),
        pytest.param([1], {"batch_size": 20, "validation": 0.9999}, id="a long validation"),
    ],
)
def test_ctrl_c_stops_in_the_middle_of(steps: Any, more: dict[str, Any]) -> None:
    net = cr.Network(50, [cr.Dense(500, "tanh"), cr.Dense(500, "tanh"), cr.Dense(1)])
    x, y = RANDOM.normal(size=(200_000, 50)), RANDOM.normal(size=200_000)
    pressed: list[float] = []

    def press() -> None:
        while signal.getsignal(signal.SIGINT) is before:  # until training notes Ctrl-C itself
            time.sleep(0.01)
        time.sleep(0.5)
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    threading.Thread(target=press).start()
    run = cr.train(net, x, y, engine="native", **more)
    assert time.monotonic() - pressed[0] < 1.0  # 0.2 s when nothing else runs on the machine
    assert run.stopped == "interrupted"
    assert run.epoch == 0
    assert run.state.step in steps


def test_auto_takes_the_native_engine_where_it_can() -> None:
    net = cr.chain(2)
    assert cr.train(net, 0.5, 0.8, epochs=1).settings.engine == "native"
    own = cr.chain(2, cr.Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3.0 * z**2))
    assert cr.train(net, 0.5, 0.8, epochs=1, optimizer="lbfgs").settings.engine == "native"
    assert cr.train(own, 0.5, 0.8, epochs=1).settings.engine == "reference"
    with pytest.raises(cr.InputError, match="the native engine cannot execute this run"):
        cr.train(own, 0.5, 0.8, epochs=1, engine="native")
    with pytest.raises(cr.InputError, match="did you mean 'native'"):
        cr.train(net, 0.5, 0.8, epochs=1, engine="nativ")
