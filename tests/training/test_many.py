"""Many networks at once: each run is the one that `train` makes alone."""

from __future__ import annotations

import os
import signal
import threading
import time
from inspect import signature
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import KFold

import chainrule as cr
from chainrule.training.settings import settings_of

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(90, 4))
Y = (X @ RANDOM.normal(size=(4, 3)) + RANDOM.normal(size=(90, 3))).argmax(axis=1)
NET = cr.Network(4, [cr.Dense(8, "tanh", dropout=0.1), cr.Dense(3, "softmax")], "cross_entropy")
COMMON: dict[str, Any] = {"epochs": 7, "batch_size": 16}


def assert_same(found: cr.Run, expected: cr.Run) -> None:
    assert found.parameters.vector.tobytes() == expected.parameters.vector.tobytes()
    assert dict(found.history) == dict(expected.history)
    assert found.stopped == expected.stopped
    assert (found.best and found.best.epoch) == (expected.best and expected.best.epoch)


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize("threads", [1, 2])
def test_seeds(threads: int, engine: str) -> None:
    runs = cr.train_many(NET, X, Y, seeds=range(5), threads=threads, engine=engine, **COMMON)
    for seed, run in enumerate(runs):
        assert_same(run, cr.train(NET, X, Y, seed=seed, engine=engine, **COMMON))


def test_networks_of_different_losses_see_the_targets_as_their_loss_does() -> None:
    nets = [cr.Network(4, [cr.Dense(3, "softmax")], "cross_entropy"), cr.Network(4, [cr.Dense(1)]), cr.chain(1)]
    runs = cr.train_many(nets[:2], X, Y, **COMMON)
    for net, run in zip(nets, runs, strict=False):
        assert_same(run, cr.train(net, X, Y, **COMMON))
    with pytest.raises(cr.InputError, match="the network has 1 inputs"):
        cr.train_many(nets, X, Y)


def test_a_grid_of_settings_with_schedules_early_stopping_and_lbfgs() -> None:
    settings: list[dict[str, Any]] = [
        {"l2": 0.1, "optimizer": cr.SGD(0.05)},
        {"schedule": "cosine", "batch_size": 30},
        {"schedule": "adaptive"},
        {"patience": 2, "optimizer": cr.Adam(0.5)},
        {"optimizer": "lbfgs"},
        {"initial": cr.Network.initial(NET, 9)},
    ]
    net = cr.Network(4, [cr.Dense(8, "tanh"), cr.Dense(3, "softmax")], "cross_entropy")
    runs = cr.train_many(net, X, Y, settings=settings, epochs=20, validation=0.2)
    for one, run in zip(settings, runs, strict=True):
        assert_same(run, cr.train(net, X, Y, validation=0.2, **{"epochs": 20, **one}))


def test_folds_are_rows_of_the_same_data() -> None:
    folds = list(KFold(3, shuffle=True, random_state=0).split(X))
    weights = RANDOM.uniform(0.5, 1.5, len(X))
    runs = cr.train_many(NET, X, Y, sample_weight=weights, folds=folds, seeds=[1, 2], patience=3, **COMMON)
    alone = [
        cr.train(
            *(NET, X[a], Y[a]),
            sample_weight=weights[a],
            validation=(X[b], Y[b], weights[b]),
            seed=seed,
            patience=3,
            **COMMON,
        )
        for a, b in folds
        for seed in (1, 2)
    ]
    for run, expected in zip(runs, alone, strict=True):
        assert_same(run, expected)
    masked = cr.train_many(NET, X, Y, folds=[(np.arange(90) < 60, np.arange(90) >= 60)], **COMMON)
    assert_same(masked[0], cr.train(NET, X[:60], Y[:60], validation=(X[60:], Y[60:]), **COMMON))


def test_own_definitions_are_trained_by_the_reference_engine() -> None:
    cubic = cr.Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3.0 * z**2)
    net = cr.Network(4, [cr.Dense(5, cubic), cr.Dense(3, "softmax")], "cross_entropy")
    runs = cr.train_many([NET, net], X, Y, folds=[(range(50), range(50, 90))], **COMMON)
    assert [run.settings.engine for run in runs] == ["native", "reference"]
    assert_same(runs[1], cr.train(net, X[:50], Y[:50], validation=(X[50:], Y[50:]), **COMMON))


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_run_that_diverges_does_not_end_the_others(engine: str) -> None:
    net = cr.Network(4, [cr.Dense(8, "relu"), cr.Dense(1)])
    rates = [{"optimizer": cr.SGD(rate)} for rate in (1e-3, 1e30, 1e-2)]
    runs = cr.train_many(net, X, 1.0 * Y, settings=rates, engine=engine, **COMMON)
    assert [run.stopped for run in runs[::2]] == ["all epochs done"] * 2
    with pytest.raises(cr.DivergenceError) as error:
        cr.train(net, X, 1.0 * Y, optimizer=cr.SGD(1e30), engine=engine, **COMMON)
    assert runs[1].stopped == str(error.value)
    assert np.isfinite(runs[1].parameters.vector).all()


def test_arguments_that_can_be_read_only_once() -> None:
    grid = [{"l2": 0.0}, {"l2": 0.1}]
    runs = cr.train_many(
        (net for net in [NET, NET]),
        X,
        Y,
        settings=iter(grid),
        seeds=iter(range(3)),
        folds=iter([(range(9), range(9))]),
        epochs=1,
        batch_size=9,
    )
    assert [(run.settings.penalty.l2, run.settings.seed) for run in runs] == 2 * [
        (a, s) for a in (0, 0.1) for s in range(3)
    ]


def test_ctrl_c_ends_all_runs_and_keeps_what_they_learnt() -> None:
    net = cr.Network(4, [cr.Dense(300, "tanh"), cr.Dense(300, "tanh"), cr.Dense(3)])
    timer = threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begin = time.monotonic()
    runs = cr.train_many(net, X, X[:, :3], seeds=range(4), epochs=10_000_000, batch_size=16)
    assert time.monotonic() - begin < 5.0
    assert {run.stopped for run in runs} == {"interrupted"}
    assert runs[0].state.step > 0
    assert not np.array_equal(runs[0].parameters.vector, net.initial(0).vector)


def test_more_runs_than_are_made_at_a_time_and_none() -> None:
    runs = cr.train_many(cr.chain(1), 0.5, 0.8, seeds=range(1200), epochs=1)
    assert [run.settings.seed for run in runs] == list(range(1200))
    assert {run.stopped for run in runs} == {"all epochs done"}
    assert cr.train_many(NET, X, Y, seeds=[]) == []
    assert cr.train_many(NET, X, Y, folds=[]) == []


def test_settings_have_the_defaults_of_train() -> None:
    ours, those_of_train = signature(settings_of).parameters, signature(cr.train).parameters
    for name, parameter in ours.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert parameter.default == those_of_train[name].default, name


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"settings": [{"checkpoint": "a"}]}, "unknown setting 'checkpoint'"),
        ({"seeds": [1], "seed": 2}, "not both"),
        ({"seeds": [-1]}, "seed"),
        ({"folds": [(range(90), range(90, 91))]}, "numbers from 0 to 89"),
        ({"folds": [([], [1])]}, "at least one"),
        ({"folds": [np.arange(3)]}, "a fold must be two arrays"),
        ({"folds": [(range(5), range(5))], "validation": 0.1}, "folds or validation, not both"),
        ({"folds": [(range(5), range(5))], "batch_size": 6}, "larger than the 5 rows"),
        ({"folds": [([[1], [2, 3]], [1])]}, "whole numbers"),
        ({"folds": 5}, "a list of folds"),
        (
            {"folds": [(range(45), range(45, 90))], "sample_weight": np.arange(90) >= 45},
            "zero for all 45 rows to train",
        ),
        ({"settings": {"l2": 0.1}}, "a list of settings"),
        ({"settings": ["l2"]}, "mappings from names"),
        ({"seeds": 64}, "a list of seeds"),
        ({"validation": (X,)}, "validation must be a fraction"),
        ({"threads": 0}, "threads"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_before_any_run_begins(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(cr.InputError, match=message):
        cr.train_many(NET, X, Y, **wrong)
    with pytest.raises(cr.InputError, match="takes networks"):
        cr.train_many([3], X, Y)  # type: ignore[list-item]
    with pytest.raises(cr.InputError, match="a list of networks"):
        cr.train_many(3, X, Y)  # type: ignore[arg-type]


def test_one_bar_counts_the_epochs_of_all(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    cr.train_many(NET, X, Y, seeds=range(4), epochs=3, progress=True)
    assert "12/12" in capsys.readouterr().err
