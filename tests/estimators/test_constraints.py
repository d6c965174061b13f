"""What is wrong with a parameter, or with a definition of your own in it, is told by its name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

import chainrule as cr
from chainrule.optimizers import Optimizer
from chainrule.schedules import Schedule

X, Y = load_iris(return_X_y=True)
WRONG_SIZES = [
    (5, "a"),
    [[5, 5]],
    np.array([[5, 5]]),
    (20.0,),
    (np.nan,),
    (None,),
    (True,),
    np.array(5),
    np.array([5.0]),
    np.array([[5], [5]]),
    (10**9,),
    (2**70,),
    (10**6, 10**6),
    "ab",
    5.5,
    (4, 0),
]


@pytest.mark.parametrize("sizes", WRONG_SIZES, ids=repr)
def test_hidden_layer_sizes_are_whole_numbers_and_named_where_they_are_not(sizes: Any) -> None:
    with pytest.raises(ValueError, match="hidden_layer_sizes") as error:
        cr.MLPClassifier(sizes).fit(X, Y)
    assert "units" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("sizes", [6, np.int64(6), [6], (6,), np.array([6]), range(6, 7)], ids=repr)
@pytest.mark.usefixtures("few_epochs")
def test_hidden_layer_sizes_may_come_in_any_sequence(sizes: Any) -> None:
    assert cr.MLPClassifier(sizes, max_iter=1).fit(X, Y).coefs_[1].shape == (6, 3)


class Descent(Optimizer):
    """Gradient descent."""

    name = "descent"

    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return theta - rate * g, {}


class NoResult(Descent):
    name = "no result"

    def update(self, theta: Any, g: Any, memory: Any, rate: float, step: int) -> Any:
        return None


class NoMemory(Descent):
    name = "no memory"

    def start(self, theta: Any) -> Any:
        return None


class NoUpdate(Optimizer):
    name = "no update"


class NoName(Descent):
    name = ""


class Returning(Schedule):
    """Returns what it is made with."""

    name = "mine"
    value: Any

    def __init__(self, value: Any) -> None:
        object.__setattr__(self, "value", value)

    def factors(self, times: Any, epochs: float, losses: Any) -> Any:
        return self.value


class Constant(Returning):
    """Has the same factor for every step."""

    def factors(self, times: Any, epochs: float, losses: Any) -> Any:
        return np.full_like(times, self.value)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"solver": NoResult()},
            r"optimizer 'no result': update.* must return the new theta and the new memory",
        ),
        (
            {"solver": NoMemory()},
            r"optimizer 'no memory': start.* must return a dictionary of arrays, but returned",
        ),
        ({"solver": NoUpdate()}, r"optimizer 'no update': update.* but failed with NotImplementedError$"),
        ({"solver": NoName()}, "an optimizer of your own needs a name: NoName has none"),
        (
            {"learning_rate": Returning(None)},
            r"schedule 'mine': factors.* must return a NumPy array .* returned a NoneType",
        ),
        (
            {"learning_rate": Returning(0.5)},
            r"schedule 'mine': factors.* must return a NumPy array .* returned a float$",
        ),
        ({"learning_rate": Returning([1.0, 1.0])}, r"schedule 'mine': factors.* a NumPy array .* returned a list$"),
        ({"learning_rate": Constant(-1.0)}, r"schedule 'mine': factors.* factors of at least 0, but returned -1 at 0$"),
        (
            {"learning_rate": Constant(np.nan)},
            r"schedule 'mine': factors.* factors of at least 0, but returned nan at 0$",
        ),
        (
            {"activation": cr.Activation("listed", lambda z: z.tolist(), lambda z, f: z)},
            r"'listed' .* returned a list$",
        ),
        ({"loss": cr.Loss("listed", lambda y, f: (f - y).tolist(), lambda y, f: f)}, r"'listed': .* returned a list$"),
        ({"callbacks": lambda: None}, "the callback .* is called with the arguments \\(run\\), but does not accept"),
    ],
)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_definition_of_your_own_that_does_not_fit_is_named(
    parameters: dict[str, Any], message: str, solver: str
) -> None:
    estimator = cr.MLPRegressor(**{"hidden_layer_sizes": (4,), "solver": solver, "max_iter": 2, **parameters})
    for fit in (estimator.fit, estimator.partial_fit):
        with pytest.raises(cr.InputError, match=message) as error:
            fit(X[:, :3], X[:, 3])
        assert "\n" not in str(error.value)


@pytest.mark.usefixtures("few_epochs")
def test_a_fit_in_float32_stays_there_with_definitions_of_your_own() -> None:
    half = cr.Activation(
        "half", lambda z: np.where(z > 0, z, np.float64(0.5) * z), lambda z, f: np.where(z > 0, 1.0, 0.5)
    )
    squared = cr.Loss("squared", lambda y, f: (f - y).astype(float) ** 2, lambda y, f: 2.0 * (f - y).astype(float))
    for solver in (Descent(), "adam", "lbfgs"):
        fitted = cr.MLPRegressor(squared, (4,), half, solver=solver, max_iter=3).fit(
            np.float32(X[:, :3]), np.float32(X[:, 3])
        )
        assert {array.dtype for array in [*fitted.coefs_, *fitted.intercepts_]} == {np.dtype("float32")}
        assert fitted.predict(np.float32(X[:, :3])).dtype == np.float32


@pytest.mark.parametrize("weight", [1e-320, 1e-311])
def test_weights_too_small_to_divide_by_are_refused(weight: float) -> None:
    with pytest.raises(ValueError, match=r"sum to .*, which is too small a number to divide by: change sample_weight"):
        cr.MLPRegressor().fit(X, Y, sample_weight=np.full(len(X), weight))
    with pytest.raises(ValueError, match="too small a number to divide by: change class_weight or sample_weight"):
        cr.MLPClassifier(class_weight=dict.fromkeys(range(3), weight)).fit(X, Y)
