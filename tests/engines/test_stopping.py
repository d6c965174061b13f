"""Stopping rules by themselves, and in runs of each engine."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import prepare
from chainrule.engines.settings import Settings
from chainrule.engines.state import State
from chainrule.engines.stopping import STOPPING_RULES, Patience, Plateau, PlateauCounter, StoppingRule, stopping_check
from chainrule.engines.task import Split
from chainrule.training.loop import run_training
from chainrule.training.settings import settings_of

X, Y = np.linspace(-1.0, 1.0, 12), np.linspace(-0.5, 0.5, 12) ** 2
NET = cr.Network(1, [cr.Dense(3, "tanh"), cr.Dense(1)])
ENGINES = ["native", "reference"]


def last_check(rule: StoppingRule | None, losses: list[float]) -> tuple[State, str | None]:
    """Return the state after epochs with these losses, whose θ is the number of the epoch, and the last answer."""
    state, check, why = State(np.zeros(1), {}), stopping_check(rule, []), None
    for loss in losses:
        state.epoch += 1
        state.theta = np.array([float(state.epoch)])
        state.losses.append(loss)
        assert why is None
        why = check(state, None)
    return state, why


def run_with(rule: StoppingRule | None, engine: str, **more: Any) -> cr.Run:
    """Return a run that overshoots, so that its loss rises and falls."""
    settings: dict[str, Any] = {"optimizer": cr.SGD(0.9, momentum=0.9), "epochs": 60, "engine": engine} | more
    weighting = settings.pop("loss_weighting", "weights")
    weights = settings.pop("sample_weight", None)
    plain = settings_of(NET, len(X), "float64", **settings)
    run = cr.Run.begin(NET, replace(plain, stopping=rule, loss_weighting=weighting))
    return run_training(run, Split(prepare(NET, X, Y, weights)))


def test_patience_keeps_the_best_epoch_and_ends_after_it() -> None:
    state, why = last_check(Patience(2), [3.0, 1.0, 2.0, 1.5])
    assert why == "no lower loss since epoch 2"
    assert state.best is not None
    assert (state.best.epoch, state.best.loss, state.best.theta[0]) == (2, 1.0, 2.0)


def test_progress_within_the_tolerance_does_not_count() -> None:
    assert last_check(Patience(2, 0.5), [3.0, 2.8, 2.6])[1] == "no lower loss since epoch 1"
    assert last_check(Patience(2, 0.5), [3.0, 2.8, 2.4])[1] is None
    assert last_check(Plateau(1, 0.5), [3.0, 2.8, 2.6])[1] == "the loss has not fallen by 0.5 for 2 epochs"
    assert last_check(Plateau(1, 0.25), [3.0, 2.75, 2.5])[1] is None  # just as much as the tolerance


def test_a_plateau_counts_epochs_in_a_row_and_keeps_no_epoch() -> None:
    state, why = last_check(Plateau(2, 0.1), [3.0, 3.0, 3.0, 2.0, 2.0, 2.0, 2.0])
    assert why == "the loss has not fallen by 0.1 for 3 epochs"
    assert state.best is None


def test_without_a_rule_nothing_ends() -> None:
    state, why = last_check(None, [1.0] * 50)
    assert why is None
    assert state.best is None


def test_a_counter_goes_on_where_earlier_epochs_ended() -> None:
    counter = Plateau(2, 0.1).counter([3.0, 3.0, 3.0])
    assert (counter.waited, counter.lowest, counter.is_over) == (2, 3.0, False)
    assert counter.ends(3.0)
    assert not any(PlateauCounter(math.inf, 0.0).ends(1.0) for _ in range(100))


@pytest.mark.parametrize("rule", [Patience(3, 0.25), Patience(3, restore_best=False), Plateau(7, 1e-4)])
def test_a_rule_is_written_and_read_in_settings(rule: StoppingRule) -> None:
    assert STOPPING_RULES.find(rule.to_json()) == rule
    settings = replace(settings_of(NET, len(X), "float64"), stopping=rule, loss_weighting="rows")
    assert Settings.from_json(settings.to_json()) == settings
    without = replace(settings, stopping=None)
    assert Settings.from_json(without.to_json()) == without


@pytest.mark.parametrize(
    ("like_scikit_learn", "rule", "weighting"), [(False, Patience(3, 0.5), "weights"), (True, Plateau(3, 0.5), "rows")]
)
def test_settings_of_an_earlier_version_are_read(like_scikit_learn: bool, rule: StoppingRule, weighting: str) -> None:
    settings = settings_of(NET, len(X), "float64")
    written = settings.to_json() | {"patience": 3, "tolerance": 0.5, "like_scikit_learn": like_scikit_learn}
    del written["stopping"], written["loss_weighting"]
    assert Settings.from_json(written) == replace(settings, stopping=rule, loss_weighting=weighting)


@pytest.mark.parametrize(
    "rule", ["patience", ["patience", 3], 3, {"name": "patience"}, {"name": "plateau", "epochs": 0}]
)
def test_settings_with_an_invalid_rule_are_refused(rule: object) -> None:
    written = settings_of(NET, len(X), "float64").to_json() | {"stopping": rule}
    with pytest.raises(cr.InputError, match=r"stopping rule|patience"):
        Settings.from_json(written)


@pytest.mark.parametrize(("arguments", "message"), [((0,), "patience must be"), ((1, -1.0), "tolerance must be")])
def test_a_rule_out_of_range_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    for kind in (Patience, Plateau):
        with pytest.raises(cr.InputError, match=message):
            kind(*arguments)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_has_its_best_or_its_last_parameters(engine: str) -> None:
    restored, last = (run_with(Patience(4, restore_best=restores), engine) for restores in (True, False))
    assert restored.stopped == last.stopped
    assert restored.best is not None
    assert restored.best.epoch == restored.epoch - 4
    np.testing.assert_array_equal(restored.parameters.vector, restored.best.theta)
    np.testing.assert_array_equal(last.parameters.vector, restored.state.theta)


@pytest.mark.parametrize("optimizer", [cr.SGD(0.9, momentum=0.9), cr.LBFGS()])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_plateau_ends_a_run_with_its_last_parameters(engine: str, optimizer: Any) -> None:
    run = run_with(Plateau(3, 1e-3), engine, optimizer=optimizer, loss_weighting="rows")
    assert run.stopped == "the loss has not fallen by 0.001 for 4 epochs"
    assert run.epoch < 60
    assert run.best is None
    whole = run_with(None, engine, optimizer=optimizer, loss_weighting="rows", epochs=run.epoch)
    assert run.history["loss"] == whole.history["loss"]
    np.testing.assert_array_equal(run.parameters.vector, whole.parameters.vector)


@pytest.mark.parametrize("engine", ENGINES)
def test_batches_count_by_weight_or_by_rows(engine: str) -> None:
    weights = np.repeat([1.0, 3.0], 6)
    more: dict[str, Any] = {"epochs": 1, "batch_size": 6, "shuffle": False, "sample_weight": weights}
    by_weight, by_rows = (run_with(None, engine, **more, loss_weighting=kind) for kind in ("weights", "rows"))
    np.testing.assert_array_equal(by_weight.parameters.vector, by_rows.parameters.vector)
    start = NET.initial()
    first = cr.backprop(NET, start, X[:6], Y[:6]).loss
    moved = run_with(None, engine, epochs=1, batch_size=12, sample_weight=np.repeat([1.0, 0.0], 6), shuffle=False)
    second = cr.backprop(NET, moved.parameters, X[6:], Y[6:]).loss
    assert by_rows.history["loss"][0] == pytest.approx((first + second) / 2.0)
    assert by_weight.history["loss"][0] == pytest.approx((first + 3.0 * second) / 4.0)


@pytest.mark.parametrize("loss_weighting", ["weights", "rows"])
@pytest.mark.parametrize("rule", [None, Patience(4, 1e-3), Patience(4, 0.0, restore_best=False), Plateau(3, 1e-3)])
def test_every_rule_goes_with_every_weighting_on_both_engines(rule: StoppingRule | None, loss_weighting: str) -> None:
    weights = np.linspace(0.5, 3.0, len(X))
    more: dict[str, Any] = {"batch_size": 5, "sample_weight": weights, "loss_weighting": loss_weighting}
    native, reference = (run_with(rule, engine, **more) for engine in ENGINES)
    assert native.stopped == reference.stopped
    assert native.epoch == reference.epoch
    np.testing.assert_allclose(native.history["loss"], reference.history["loss"], rtol=1e-7)
    np.testing.assert_allclose(native.parameters.vector, reference.parameters.vector, rtol=1e-6)
