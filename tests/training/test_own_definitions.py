"""Optimisers and schedules of your own: resumed to the same bits, and refused where they do not fit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.optimizers import Optimizer
from chainrule.schedules import Schedule, WarmUp

X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
NET = cr.Network(3, [cr.Dense(6, "tanh"), cr.Dense(1)])


@dataclass(frozen=True)
class Lion(Optimizer):
    """Chen et al. 2023."""

    name = "lion"
    remembers = ("mean",)

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.99

    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        direction = np.sign(self.beta1 * memory["mean"] + (1.0 - self.beta1) * g)
        return theta - rate * direction, {"mean": self.beta2 * memory["mean"] + (1.0 - self.beta2) * g}


@dataclass(frozen=True)
class Saw(Schedule):
    """Falls to a half in each period, and begins anew."""

    name = "saw"

    period: float = 3.0

    def factors(self, times: Any, epochs: float, losses: Any) -> Any:
        return 1.0 - 0.5 * (times % self.period) / self.period


class KilledError(Exception):
    """Stands for whatever ends a process in the middle of a run."""


def killed(path: Path, optimizer: Any, schedule: Any) -> Path:
    def fail(run: cr.Run) -> None:
        if run.epoch == 4:
            raise KilledError

    with pytest.raises(KilledError):
        cr.train(NET, X, Y, epochs=9, optimizer=optimizer, schedule=schedule, checkpoint=path, callbacks=fail)
    return path


@pytest.mark.parametrize("own", [[Lion(beta1=0.8), Saw(2.0)], [Saw, Lion], (Lion, Saw(2.0), Lion())])
@pytest.mark.parametrize("schedule", [Saw(2.0), WarmUp(3.0, Saw(2.0))])
def test_a_run_with_an_optimizer_and_a_schedule_of_your_own_resumes_to_the_same_bits(
    schedule: Schedule, own: Any, tmp_path: Path
) -> None:
    unbroken = cr.train(NET, X, Y, epochs=9, optimizer=Lion(beta1=0.8), schedule=schedule)
    resumed = cr.resume(killed(tmp_path / "run", Lion(beta1=0.8), schedule), X, Y, own=own)
    assert (resumed.parameters.vector == unbroken.parameters.vector).all()
    assert dict(resumed.history) == dict(unbroken.history)


class Faster(Lion):
    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return super().update(theta, g, memory, 2.0 * rate, step)


class Flat(Saw):
    def factors(self, times: Any, epochs: float, losses: Any) -> Any:
        return np.ones_like(times)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ((), r"unknown optimizer 'lion' and schedule 'saw'.* own=\[lion, saw\]"),
        (Lion, r"unknown schedule 'saw'.* own=\[lion, saw\]"),
        ([Lion(beta1=0.8), Saw], "'lion': the one in own= has .*beta1=0.8.*, but .*beta1=0.9.* is needed"),
        ([Faster, Saw], "the optimizer 'lion' in own= is a different function"),
        ([Lion, Flat()], "the schedule 'saw' in own= is a different function"),
    ],
)
def test_a_run_is_not_resumed_with_another_optimizer_or_schedule(own: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(cr.InputError, match=message):
        cr.resume(killed(tmp_path / "run", Lion(), Saw()), X, Y, own=own)


@dataclass(frozen=True)
class Masked(Optimizer):
    name = "masked"

    mask: Any = None

    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return theta - rate * g, {}


def test_what_could_not_be_resumed_is_refused_before_the_first_epoch(tmp_path: Path) -> None:
    optimizer = Masked(mask=np.ones(3))
    assert cr.train(NET, X, Y, epochs=1, optimizer=optimizer).epoch == 1
    with pytest.raises(cr.InputError, match="the optimizer 'masked' cannot be stored in a file"):
        cr.train(NET, X, Y, optimizer=optimizer, checkpoint=tmp_path / "run")
    assert not list(tmp_path.iterdir())


class Nameless(Optimizer):
    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return theta - rate * g, {}


class Arity(Optimizer):
    name = "arity"

    def update(self, theta: Any, g: Any) -> Any:  # type: ignore[override]
        return theta - g


class NoMemory(Nameless):
    name = "no memory"

    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return theta - rate * g


class Scalar(Nameless):
    name = "scalar"

    def start(self, theta: Any) -> Any:
        return {"count": 0.0}


class Doubled(Nameless):
    name = "doubled"

    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return np.float64(1.0) * theta, {}


class MyAdam(cr.Adam):
    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return theta, memory


class MyLBFGS(cr.LBFGS):
    name = "my lbfgs"


class OneFactor(Schedule):
    name = "one factor"

    def factors(self, times: Any, epochs: float, losses: Any) -> Any:
        return 1.0


class Negative(Schedule):
    name = "negative"

    def factors(self, times: Any, epochs: float, losses: Any) -> Any:
        return -np.ones_like(times)


class MyCosine(cr.schedules.Cosine):
    def factors(self, times: Any, epochs: float, losses: Any) -> Any:
        return np.ones_like(times)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimizer": Nameless()}, "an optimizer of your own needs a name: Nameless has none"),
        ({"optimizer": Arity()}, r"optimizer 'arity': update\(theta, g, memory, rate, step\) must return .* TypeError"),
        ({"optimizer": NoMemory()}, "optimizer 'no memory': update.* must return the new theta and the new memory"),
        ({"optimizer": Scalar()}, "optimizer 'scalar': start.* must return arrays in the shape and dtype of theta"),
        ({"optimizer": Doubled(), "dtype": "float32"}, "optimizer 'doubled': update.* 'theta' is float64"),
        ({"optimizer": MyAdam()}, "an optimizer of your own cannot be called 'adam'"),
        ({"optimizer": MyLBFGS()}, "MyLBFGS is a subclass of LBFGS, whose methods would be ignored"),
        ({"schedule": OneFactor()}, r"schedule 'one factor': factors\(times, epochs, losses\) must return numbers"),
        ({"schedule": WarmUp(1.0, Negative())}, "schedule 'negative': .* finite factors of at least 0"),
        ({"schedule": MyCosine()}, "a schedule of your own cannot be called 'cosine'"),
    ],
)
def test_an_optimizer_or_schedule_that_does_not_fit_is_named(settings: dict[str, Any], message: str) -> None:
    for train in (cr.train, cr.train_many):
        with pytest.raises(cr.InputError, match=message):
            train(NET, X, Y, epochs=1, **settings)


def test_a_run_is_not_gone_on_from_with_another_function_of_the_same_name() -> None:
    def network(power: int) -> cr.Network:
        powers = cr.Activation("power", lambda z: z**power, lambda z, f: power * z ** (power - 1))
        return cr.Network(3, [cr.Dense(2, powers), cr.Dense(1)])

    run = cr.train(network(2), X, Y, epochs=1)
    assert cr.train(network(2), X, Y, epochs=1, initial=run).epoch == 2
    with pytest.raises(cr.InputError, match="with its own definitions: 'power' is a different function"):
        cr.train(network(3), X, Y, epochs=1, initial=run)
