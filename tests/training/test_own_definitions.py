"""Optimisers and schedules of your own: resumed to the same bits, and refused where they do not fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.optimizers import Optimizer
from chainrule.schedules import Schedule, WarmUp

X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
Y2 = np.stack([Y, -Y], axis=1)
QUARTIC = cr.Loss("quartic", value=lambda y, f: (y - f) ** 4, slope=lambda y, f: 4.0 * (f - y) ** 3)
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


class Ascending(Lion):
    """Turns round after its third step."""

    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return super().update(theta, g, memory, rate if step < 4 else -rate, step)


class Stopping(Saw):
    """Ends in the epoch 50."""

    def factors(self, times: Any, epochs: float, losses: Any) -> Any:
        return np.where(times < 50, super().factors(times, epochs, losses), 0.0)


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
        ([Ascending, Saw], "the optimizer 'lion' in own= is a different function"),
        ([Lion, Stopping()], "the schedule 'saw' in own= is a different function"),
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


class Shapeless(Nameless):
    name = "shapeless"

    def start(self, theta: Any) -> Any:
        return None


class Nothing(Optimizer):
    name = "nothing"


class MyAdam(cr.Adam):
    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return theta, memory


@dataclass(frozen=True)
class FullBatch(cr.SGD):
    name = "full batch"
    is_full_batch = True


class MyLBFGS(cr.LBFGS):
    name = "my lbfgs"


class Counting(Optimizer):
    """Counts its steps, in place from the step `in_place` on, and fails in the fourth."""

    name = "counting"
    remembers = ("count",)
    in_place = 1

    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        if step < self.in_place:
            return theta - rate * g, {"count": memory["count"] + 1.0}
        memory["count"] += 1.0
        return theta - rate * (g if step < 4 else np.nan), memory


class Growing(Optimizer):
    name = "growing"

    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        memory["last"] = g
        return theta - rate * g, memory


class Appending(Schedule):
    name = "appending"
    follows_losses = True

    def factors(self, times: Any, epochs: float, losses: Any) -> Any:
        losses.append(0.0)
        return np.ones_like(times)


class OneFactor(Schedule):
    name = "one factor"

    def factors(self, times: Any, epochs: float, losses: Any) -> Any:
        return 1.0


class Pair(Schedule):
    name = "pair"

    def factors(self, times: Any, epochs: float, losses: Any) -> Any:
        return np.ones(2)


class Line(Schedule):
    name = "line"

    def factors(self, times: Any, epochs: float, losses: Any) -> Any:
        return 1.0 - times / 50.0


class Follower(Schedule):
    name = "follower"
    follows_losses = True

    def factors(self, times: Any, epochs: float, losses: Any) -> Any:
        return np.full_like(times, 1.0 - len(losses))


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
        ({"optimizer": FullBatch()}, "FullBatch has is_full_batch=True, which only LBFGS can have"),
        ({"optimizer": MyLBFGS()}, "MyLBFGS is a subclass of LBFGS; its methods would be ignored"),
        (
            {"optimizer": Shapeless()},
            "optimizer 'shapeless': start.* must return a dictionary of arrays, but returned None",
        ),
        ({"optimizer": Counting()}, "optimizer 'counting': update.* must not modify its arguments"),
        ({"optimizer": Growing()}, "optimizer 'growing': update.* must not modify its arguments"),
        ({"schedule": Appending(), "epochs": 2}, "schedule 'appending': factors.* must not modify its arguments"),
        ({"optimizer": Nothing()}, "optimizer 'nothing': update.* must return .* failed with NotImplementedError$"),
        (
            {"schedule": OneFactor()},
            r"schedule 'one factor': factors.* must return a NumPy array .* but returned a float",
        ),
        (
            {"schedule": Pair()},
            r"schedule 'pair': factors.* with shape \(3,\), but returned float64 with shape \(2,\)",
        ),
        ({"schedule": Line(), "epochs": 100}, r"schedule 'line': .* of at least 0, but returned -0.002 at 50.1$"),
        ({"schedule": Follower(), "epochs": 9}, r"schedule 'follower': .* of at least 0, but returned -1 at 2$"),
        ({"schedule": WarmUp(1.0, Negative())}, "schedule 'negative': .* finite factors of at least 0"),
        ({"schedule": MyCosine()}, "a schedule of your own cannot be called 'cosine'"),
    ],
)
def test_an_optimizer_or_schedule_that_does_not_fit_is_named(settings: dict[str, Any], message: str) -> None:
    for train in (cr.train, cr.train_many):
        with pytest.raises(cr.InputError, match=message):
            train(NET, X, Y, **{"epochs": 1, **settings})


def test_after_a_divergence_the_optimizer_state_is_that_before_the_step_even_if_it_is_changed_in_place() -> None:
    class Late(Counting):
        in_place = 2

    with pytest.raises(cr.DivergenceError) as diverged:
        cr.train(NET, X, Y, batch_size=8, epochs=1, optimizer=Late())
    run = diverged.value.run
    assert run is not None
    assert run.state.step == 3
    assert (run.state.memory["count"] == 3.0).all()


def test_a_run_cannot_be_continued_with_another_function_of_the_same_name() -> None:
    def network(power: int) -> cr.Network:
        powers = cr.Activation("power", lambda z: z**power, lambda z, f: power * z ** (power - 1))
        return cr.Network(3, [cr.Dense(2, powers), cr.Dense(1)])

    run = cr.train(network(2), X, Y, epochs=1)
    assert cr.train(network(2), X, Y, epochs=1, initial=run).epoch == 2
    with pytest.raises(cr.InputError, match="with its own definitions: 'power' is a different function"):
        cr.train(network(3), X, Y, epochs=1, initial=run)


def test_a_run_is_not_gone_on_from_with_a_loss_that_is_summed_and_not_averaged(tmp_path: Path) -> None:
    def network(over_outputs: str) -> cr.Network:
        return cr.Network(3, [cr.Dense(2)], replace(QUARTIC, over_outputs=over_outputs))

    run = cr.train(network("mean"), X, Y2, epochs=1, checkpoint=tmp_path / "run")
    with pytest.raises(cr.InputError, match="with its own definitions: 'quartic' is a different function"):
        cr.train(network("sum"), X, Y2, epochs=1, initial=run)
    with pytest.raises(cr.InputError, match="'quartic' in own= is a different function"):
        cr.resume(tmp_path / "run", X, Y2, own=network("sum").loss)


LEAKY = cr.Activation(
    "leaky",
    value=lambda z: np.where(z > 0, z, np.float64(0.1) * z),
    slope=lambda z, f: np.where(z > 0, 1.0, 0.1),  # float64, whatever z is
    kinks=(0.0,),
)
EXPECTILE = cr.Loss(
    "expectile",
    value=lambda y, f: np.where(y > f, 0.8, 0.2) * (y - f) ** 2,
    slope=lambda y, f: np.where(y > f, 1.6, 0.4) * (f - y),
)
HALVED = cr.Loss(
    "halved",
    value=lambda y, f: 0.5 * (y - f) ** 2,
    slope=lambda y, f: (f - y).astype(float),
    link=cr.losses.CanonicalLink("identity", lambda y, z: 0.5 * (y - z) ** 2, lambda y, z, f: (f - y).astype(float)),
)


@pytest.mark.parametrize("loss", [EXPECTILE, HALVED], ids=str)
def test_a_run_stays_in_float32_when_definitions_of_your_own_return_float64(loss: cr.Loss, tmp_path: Path) -> None:
    net = cr.Network(3, [cr.Dense(6, LEAKY), cr.Dense(4, "tanh"), cr.Dense(1)], loss)
    x, y = X.astype(np.float32), Y.astype(np.float32)
    run = cr.train(net, x, y, epochs=6)
    trace = cr.backprop(net, run.parameters, x, y)
    arrays = [run.parameters.vector, *run.state.memory.values(), run.predict(x), trace.gradient.vector]
    assert {array.dtype for array in [*arrays, *trace.delta[1:]]} == {np.dtype("float32")}
    (beside,) = cr.train_many(net, x, y, epochs=6)
    assert (beside.parameters.vector == run.parameters.vector).all()

    def fail(run: cr.Run) -> None:
        if run.epoch == 2:
            raise KilledError

    with pytest.raises(KilledError):
        cr.train(net, x, y, epochs=6, checkpoint=tmp_path / "run", callbacks=fail)
    resumed = cr.resume(tmp_path / "run", x, y, own=[LEAKY, loss])
    assert (resumed.parameters.vector == run.parameters.vector).all()


def test_a_definition_that_returns_whole_numbers_or_booleans_computes_as_with_floats() -> None:
    def relu(one: Any) -> cr.Network:
        positive = cr.Activation("positive", value=lambda z: np.maximum(z, 0.0), slope=lambda z, f: one(z > 0))
        return cr.Network(3, [cr.Dense(6, positive), cr.Dense(1)])

    runs = [cr.train(relu(one), X, Y, epochs=3) for one in (np.asarray, lambda b: b.astype(int), lambda b: b * 1.0)]
    assert len({run.parameters.vector.tobytes() for run in runs}) == 1


class OwnBack(cr.Activation):
    def back(self, slope_of_loss: Any, z: Any, f: Any) -> Any:
        return slope_of_loss * (1.0 - np.tanh(z) ** 2)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_hidden_layer_is_trained_by_an_overridden_back(dtype: str) -> None:
    def network(activation: Any) -> cr.Network:
        return cr.Network(3, [cr.Dense(6, activation), cr.Dense(5, activation), cr.Dense(1)])

    # Its slope is wrong, so that only a run that calls back learns what the other does.
    own = OwnBack("own", value=np.tanh, slope=lambda z, f: 0.0 * z)
    settings: dict[str, Any] = {"initial": network("tanh").initial(1), "epochs": 20, "dtype": dtype}
    expected = cr.train(network("tanh"), X, Y, engine="reference", **settings)
    for run in (cr.train(network(own), X, Y, **settings), cr.train_many(network(own), X, Y, **settings)[0]):
        np.testing.assert_allclose(run.parameters.vector, expected.parameters.vector, rtol=1e-4, atol=1e-5)
        assert run.history["loss"][-1] < 0.9 * run.history["loss"][0]


ROOT = cr.Activation("root", value=np.sqrt, slope=lambda z, f: 0.5 / f)
LOG = cr.Activation("log", value=np.log, slope=lambda z, f: 1.0 / z)


@pytest.mark.parametrize("activation", [ROOT, LOG], ids=str)
def test_an_activation_that_is_not_defined_everywhere_trains_where_it_is(activation: cr.Activation) -> None:
    net = cr.Network(3, [cr.Dense(4, "exponential"), cr.Dense(2, activation), cr.Dense(1)])
    initial = net.initial()
    for weights in initial.weights:
        np.abs(weights, out=weights)
    run = cr.train(net, X, Y, epochs=3, initial=initial, optimizer=cr.SGD(1e-3))
    assert run.history["loss"][-1] < run.history["loss"][0]
    assert cr.verify(net, run.parameters, X, Y)


OF_NUMPY: list[tuple[Any, Any]] = [
    (Lion(np.float64(0.01), np.float64(0.8)), Saw(np.float64(2.0))),
    (Lion(np.float32(0.01), np.float32(0.8)), Saw(np.int64(2))),  # type: ignore[arg-type]
    (cr.SGD(0.1, np.float64(0.5), np.True_), WarmUp(1.0, Saw(np.float32(2.0)))),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("optimizer", "schedule"), OF_NUMPY, ids=repr)
def test_numbers_of_numpy_in_fields_are_stored_as_the_numbers_that_they_are(
    optimizer: Any, schedule: Any, dtype: str, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"optimizer": optimizer, "schedule": schedule, "epochs": 5, "dtype": dtype}
    run = cr.train(NET, X, Y, checkpoint=tmp_path / "run", **settings)
    for own in ([Lion, Saw], [optimizer, *schedule.parts()]):
        again = cr.resume(tmp_path / "run", X, Y, own=own)
        assert (again.settings.optimizer, again.settings.schedule) == (optimizer, schedule)
        assert (again.parameters.vector == run.parameters.vector).all()


@dataclass(frozen=True)
class Table(Nameless):
    """Has a dictionary and a tuple for fields."""

    name = "table"

    rates: Any = ()
    names: Any = ()


TABLE = Table(0.1, {"a": 1.5}, ("b",))


@pytest.mark.parametrize("own", [TABLE, Table], ids=["instance", "class"])
def test_fields_may_be_dictionaries_and_tuples_of_plain_values(own: Any, tmp_path: Path) -> None:
    run = cr.train(NET, X, Y, epochs=2, optimizer=TABLE, checkpoint=tmp_path / "run")
    assert (cr.resume(tmp_path / "run", X, Y, own=own).parameters.vector == run.parameters.vector).all()


class WithForm(Nameless):
    """Has the JSON form that it is made with."""

    name = "with form"
    form: Any

    def __init__(self, form: Any) -> None:
        super().__init__()
        object.__setattr__(self, "form", form)

    def to_json(self) -> Any:
        if isinstance(self.form, Exception):
            raise self.form
        return self.form


class OtherInit(Nameless):
    """Takes a parameter of another name than to_json returns."""

    name = "other init"

    def __init__(self, rate: float) -> None:
        super().__init__(rate)


class Remembering(Nameless):
    name = "remembering"

    def start(self, theta: Any) -> Any:
        return {"lowest": np.full_like(theta, np.inf)}

    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return theta - rate * g, {"lowest": np.minimum(memory["lowest"], theta)}


class Ragged(Saw):
    name = "ragged"

    def to_json(self) -> Any:
        return {"name": "saw", "period": 3.0}


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (
            WithForm({"form": 1}),
            r"'with form' cannot be stored in a file: to_json\(\) must return .*, but returned {'form'",
        ),
        (
            WithForm("another"),
            r"'with form' cannot be stored in a file: to_json\(\) must return .*, but returned 'another'",
        ),
        (WithForm(None), r"'with form' cannot be stored in a file: to_json\(\) must return .*, but returned None"),
        (
            WithForm({"name": "with form", "form": np.sin}),
            "'with form' cannot be stored in a file: ufunc is not a JSON",
        ),
        (WithForm({"name": "with form", "form": np.nan}), "'with form' cannot be stored in a file: Out of range float"),
        (WithForm(RuntimeError("no")), r"'with form' .*: to_json\(\) must return .*, but failed with RuntimeError: no"),
        (WithForm({"name": "with form", "size": 1}), "unknown parameter of optimizer 'with form' 'size': Known: form"),
        (WithForm("with form"), r"'with form': .* missing 1 required .*; to_json\(\) must return what __init__ takes"),
        (OtherInit(0.1), "unknown parameter of optimizer 'other init' 'learning_rate': Known: rate; to_json"),
        (Remembering(), "memory.lowest contains NaN or infinity"),
        (Ragged(), "schedule 'ragged' cannot be stored in a file: to_json"),
    ],
)
def test_what_could_be_written_but_not_resumed_is_refused_before_the_first_epoch(
    own: Any, message: str, tmp_path: Path
) -> None:
    settings = {"schedule" if isinstance(own, Schedule) else "optimizer": own}
    cr.train(NET, X, Y, epochs=1, **settings)
    with pytest.raises(cr.InputError, match=message) as caught:
        cr.train(NET, X, Y, checkpoint=tmp_path / "run", **settings)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@dataclass(frozen=True)
class PerParameter(Nameless):
    """Has a learning rate for each parameter."""

    name = "per parameter"

    seed: int = 0

    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        rates = np.random.default_rng(self.seed).uniform(0.0, rate, NET.parameter_count)
        return theta - rates * g, {}


def test_an_optimizer_may_be_made_for_the_number_of_parameters_of_its_network(tmp_path: Path) -> None:
    run = cr.train(NET, X, Y, epochs=2, optimizer=PerParameter(), checkpoint=tmp_path / "run")
    again = cr.resume(tmp_path / "run", X, Y, own=PerParameter)
    assert (again.parameters.vector == run.parameters.vector).all()
