"""A third engine needs one entry in the registry, and is then used wherever an engine is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import chainrule as cr
from chainrule.engines.choice import ENGINES, choose, engine_named, predictor_of
from chainrule.engines.engine import Objective, Predictor, execute_one_by_one
from chainrule.engines.reference import ReferenceEngine
from chainrule.engines.settings import Settings
from chainrule.engines.task import Task
from chainrule.errors import DivergenceError
from chainrule.network import Network
from chainrule.optimizers import SGD, Optimizer
from chainrule.parameters import Parameters


class DecayingEngine:
    """Halves every parameter in each epoch, and is for chains only."""

    limits = "it is for chains"

    def __init__(self) -> None:
        self.threads: list[int] = []

    def can_run(self, net: Network, optimizer: Optimizer) -> bool:
        return net.is_chain

    def can_predict(self, net: Network) -> bool:
        return net.is_chain

    def runs_in_batch(self, settings: Settings) -> bool:
        return True

    def execute(self, task: Task, threads: int) -> str | None:
        self.threads.append(threads)
        task.hooks.planned("halves everything")
        while task.state.epoch < task.settings.epochs:
            task.state.theta = task.state.theta / 2.0
            task.state.epoch += 1
            task.state.step += 1
            task.state.losses.append(1.0)
            if not task.hooks.after_epochs([0.5], None):
                break
        return None

    def execute_many(
        self, tasks: Sequence[Task], threads: int, interrupted: Callable[[], bool]
    ) -> list[str | DivergenceError | None]:
        return execute_one_by_one(self, tasks, threads, interrupted)

    def objective(self, task: Task, threads: int) -> Objective:
        raise NotImplementedError

    def predictor(self, net: Network, params: Parameters) -> Predictor:
        return ReferenceEngine().predictor(net, params)


@pytest.fixture
def decaying(monkeypatch: pytest.MonkeyPatch) -> DecayingEngine:
    engine = DecayingEngine()
    monkeypatch.setitem(ENGINES, "decaying", engine)
    return engine


def test_a_third_engine_executes_runs(decaying: DecayingEngine) -> None:
    net = cr.chain(2)
    start = net.pack([1.0, -4.0])
    run = cr.train(net, 0.5, 0.8, initial=start, epochs=3, engine="decaying", metrics="r2", threads=3)
    np.testing.assert_array_equal(run.parameters.vector, [0.125, -0.5])
    assert run.plan == "halves everything"
    assert run.history["learning_rate"] == [0.5] * 3
    assert decaying.threads == [3]
    assert run.manifest["engine"] == "decaying"


def test_a_third_engine_executes_many_runs_and_their_continuation(decaying: DecayingEngine) -> None:
    net = cr.chain(2)
    start = net.pack([1.0, -4.0])
    settings: list[dict[str, Any]] = [{"engine": "reference"}, {"engine": "decaying", "epochs": 4}]
    runs = cr.train_many(net, 0.5, 0.8, initial=start, epochs=1, settings=settings, threads=2)
    np.testing.assert_array_equal(runs[1].parameters.vector, [0.0625, -0.25])
    assert runs[0].parameters.vector[0] != 0.5
    longer = cr.train(net, 0.5, 0.8, initial=runs[1], epochs=1, engine="decaying")
    np.testing.assert_array_equal(longer.parameters.vector, [0.03125, -0.125])
    assert longer.epoch == 5


def test_a_checkpoint_names_its_engine(
    decaying: DecayingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run"
    cr.train(cr.chain(2), 0.5, 0.8, epochs=1, engine="decaying", checkpoint=path)
    assert cr.resume(path, 0.5, 0.8).settings.engine == "decaying"
    monkeypatch.delitem(ENGINES, "decaying")
    with pytest.raises(cr.InputError, match="unknown engine 'decaying'"):
        cr.resume(path, 0.5, 0.8)


def test_an_engine_is_refused_with_its_limits(decaying: DecayingEngine) -> None:
    net = cr.Network(2, [cr.Dense(1)])
    with pytest.raises(cr.InputError, match="the decaying engine cannot execute this run: it is for chains; engine='r"):
        cr.train(net, [[0.5, 1.0]], 0.8, engine="decaying")


def test_auto_takes_the_first_engine_that_can(decaying: DecayingEngine) -> None:
    cubic = cr.Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3.0 * z**2)
    assert choose(cr.chain(2, cubic), SGD()) == "reference"
    names = [name for name, engine in ENGINES.items() if engine.can_run(cr.chain(2), SGD())]
    assert choose(cr.chain(2), SGD()) == names[0]


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(cr.InputError, match=r"unknown engine 'referenc'.*did you mean 'reference'"):
        engine_named("referenc")


@pytest.mark.parametrize("name", ["x", None, [1]])
def test_a_fitted_estimator_with_an_invalid_engine_still_predicts(name: Any) -> None:
    estimator = cr.MLPRegressor(max_iter=2, random_state=0, solver="sgd", tol=0, early_stopping=False, engine="auto")
    x = np.eye(3)
    with pytest.warns(ConvergenceWarning):
        estimator.fit(x, [0.0, 1.0, 2.0])
    expected = estimator.predict(x)
    assert np.array_equal(estimator.set_params(engine=name).predict(x), expected)
    with pytest.raises(ValueError, match="'engine' parameter"):
        estimator.fit(x, [0.0, 1.0, 2.0])
    assert np.array_equal(estimator.predict(x), expected)


def test_an_engine_that_cannot_predict_leaves_it_to_another(decaying: DecayingEngine) -> None:
    net = cr.Network(2, [cr.Dense(1, bias=False)])
    predict = predictor_of(net, net.pack([[[1.0], [2.0]]]), "decaying")
    assert predict(np.array([[3.0, 4.0]])).tolist() == [[11.0]]
