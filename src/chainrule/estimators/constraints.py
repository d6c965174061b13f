"""What each parameter of an estimator may be, and what it stands for in a run."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, Options, StrOptions

from ..activations import ACTIVATIONS, Activation
from ..engines.choice import ENGINES, choose
from ..engines.settings import MAX_EPOCHS, Settings
from ..engines.stopping import Plateau
from ..engines.task import Split
from ..errors import InputError, one_line
from ..losses import LOSSES, Loss, binary_cross_entropy, cross_entropy, half_squared_error, poisson
from ..network import MAX_PARAMETERS, MAX_UNITS, Dense, Network
from ..optimizers import LBFGS, OPTIMIZERS, SGD, Adam, AdamW, Optimizer
from ..parameters import Parameters
from ..regularization import Penalty
from ..schedules import SCHEDULES, Constant, Schedule
from ..training.loop import checked_callbacks
from ..training.settings import check_settings
from .epoch_hook import AdaptiveByHook, EpochHook, InverseScalingByRows

LARGEST_BATCH = 200  # that "auto" takes
SCIKIT_LEARN_RATES = ("constant", "invscaling", "adaptive")
_RELATIVE_TOLERANCE = 1e7 * float(np.finfo(float).eps)  # SciPy's own for L-BFGS, which scikit-learn leaves as it is
_SCIKIT_LEARN_ACTIVATIONS = ("identity", "logistic", "tanh", "relu")

CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions({*ACTIVATIONS} - {"softmax"}), "array-like", Activation],
    "solver": [StrOptions({*OPTIMIZERS}), Optimizer],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({*SCIKIT_LEARN_RATES, *SCHEDULES} - {"inverse_scaling"}), Schedule],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "early_stopping_scoring": [None, StrOptions({"loss", *get_scorer_names()}), callable],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "dropout": ["array-like", Interval(Real, 0, 1, closed="left")],
    "alpha_scaling": [StrOptions({"batch", "data"})],
    "clip_norm": [None, Interval(Real, 0, None, closed="neither")],
    "callbacks": [None, "array-like", callable],
    "threads": [None, Interval(Integral, 1, None, closed="left")],
    "engine": [StrOptions({"auto", *ENGINES})],
}
"""scikit-learn's own constraints, from which its messages are made, and ours."""

CLASSIFIER_CONSTRAINTS = CONSTRAINTS | {
    "loss": [StrOptions({"log_loss"}), Loss],
    "class_weight": [StrOptions({"balanced"}), dict, list, None],
    "label_smoothing": [Interval(Real, 0, 1, closed="left")],
}
REGRESSION_LOSSES: dict[str, Any] = {
    "squared_error": half_squared_error,  # as scikit-learn defines it
    "half_squared_error": half_squared_error,
    "poisson": lambda: poisson(over_outputs="sum"),
    **{name: LOSSES[name] for name in ("absolute_error", "huber", "log_cosh", "quantile")},
}
REGRESSOR_CONSTRAINTS = CONSTRAINTS | {"loss": [StrOptions({*REGRESSION_LOSSES}), Loss]}


def is_stochastic(estimator: Any) -> bool:
    """Tell whether the solver goes batch by batch."""
    solver = estimator.solver
    optimizer = OPTIMIZERS.get(solver) if isinstance(solver, str) else solver
    return not getattr(optimizer, "is_full_batch", False)


def has_partial_fit(estimator: Any) -> bool:
    """Tell whether an estimator has partial_fit, for ``available_if``.

    Raises
    ------
    AttributeError
        When it has not.
    """
    if not is_stochastic(estimator):
        raise AttributeError(
            f"partial_fit is only available for stochastic optimizers. {estimator.solver} is not stochastic."
        )
    return True


def network_of(estimator: Any, inputs: int, outputs: int, out_activation: str, loss: Loss) -> Network:
    """Return the network that the parameters describe.

    Raises
    ------
    ValueError
        When the lists for the hidden layers do not fit one another, or output and loss.
    """
    widths = _hidden_widths(estimator.hidden_layer_sizes)
    count = sum((before + 1) * units for before, units in pairwise([inputs, *widths, outputs]))
    if count > MAX_PARAMETERS:
        raise ValueError(
            f"hidden_layer_sizes: the network would have {count:,} parameters, but the maximum is {MAX_PARAMETERS:,}."
        )
    activations = _of_layers("activation", estimator.activation, (str, Activation), len(widths))
    dropouts = _of_layers("dropout", estimator.dropout, (Real,), len(widths))
    hidden = [Dense(*layer) for layer in zip(widths, activations, [True] * len(widths), dropouts, strict=True)]
    return Network(inputs, [*hidden, Dense(outputs, out_activation)], loss)


def _hidden_widths(sizes: Any) -> list[int]:
    """Return the units of each hidden layer, from `hidden_layer_sizes`."""
    widths = [sizes] if np.isscalar(sizes) or getattr(sizes, "ndim", 1) == 0 else list(sizes)
    if not all(isinstance(width, Integral) and not isinstance(width, bool) for width in widths):
        got = one_line(repr(sizes))
        raise ValueError(f"hidden_layer_sizes must be one whole number for each hidden layer, got {got:.80}.")
    if any(width <= 0 for width in widths):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {widths}.")
    if any(width > MAX_UNITS for width in widths):
        raise ValueError(f"hidden_layer_sizes must be <= {MAX_UNITS}, got {widths!r:.80}.")
    return [int(width) for width in widths]


def network_of_attributes(estimator: Any, widths: Sequence[int], out_activation: str) -> Network:
    """Return a network of these widths, the inputs first, with the activations of a fitted estimator.

    Its loss is that of no fit: predictions do not depend on it.

    Raises
    ------
    ValueError
        When an activation is unknown, or there is not one for each hidden layer.
    """
    try:
        output = ACTIVATIONS.find({"exp": "exponential"}.get(out_activation, out_activation))
    except InputError as error:
        raise ValueError(f"out_activation_: {error}") from error
    activations = _of_layers("activation", estimator.activation, (str, Activation), len(widths) - 2)
    hidden = [Dense(units, activation) for units, activation in zip(widths[1:-1], activations, strict=True)]
    return Network(widths[0], [*hidden, Dense(widths[-1], output)])


def _of_layers(what: str, given: Any, single: tuple[type, ...], layers: int) -> list[Any]:
    """Return one value for every hidden layer, from such a list or from a value for all of them."""
    if isinstance(given, single):
        return [given] * layers
    values = list(given)
    if len(values) != layers:
        raise ValueError(
            f"{what} must be one for all hidden layers, or a list with one for each of them: got {len(values)} for "
            f"{layers} hidden layers."
        )
    return values


def first_parameters(estimator: Any, net: Network, random: np.random.RandomState, dtype: Any) -> Parameters:
    """Return first parameters as scikit-learn draws them, to the same numbers from the same random state.

    Weights and biases are uniform in ±√(6 / (fan in + fan out)), or ±√(2 / …) with logistic units (Glorot and Bengio
    2010); the output layer counts as the hidden layer before it. Where scikit-learn does not have an activation, its
    own initialiser draws the layer.
    """
    params = net.parameters(np.zeros(net.parameter_count, dtype))
    hidden = [layer.activation.name for layer in net.layers[:-1]]
    for i, name in enumerate([*hidden, hidden[-1] if hidden else str(estimator.activation)]):
        weights, biases = params.weights[i], params.biases[i]
        if i < len(hidden) and name not in _SCIKIT_LEARN_ACTIVATIONS:
            seeded = np.random.default_rng(random.randint(2**31))
            weights[...] = net.layers[i].initializer.draw(seeded, *weights.shape)
            continue
        bound = np.sqrt((2.0 if name == "logistic" else 6.0) / sum(weights.shape))
        weights[...] = random.uniform(-bound, bound, weights.shape)
        if biases is not None:
            biases[...] = random.uniform(-bound, bound, len(biases))
    return params


def optimizer_of(estimator: Any) -> Optimizer:
    """Return the optimiser that `solver` and the parameters for it describe."""
    solver, rate = estimator.solver, estimator.learning_rate_init
    if isinstance(solver, Optimizer):
        return OPTIMIZERS.find(solver)
    if solver == "sgd":
        return SGD(rate, estimator.momentum, bool(estimator.nesterovs_momentum and estimator.momentum))
    if solver in ("adam", "adamw"):
        kind = Adam if solver == "adam" else AdamW
        return kind(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon, epsilon_hat=True)
    if solver == "lbfgs":
        return LBFGS(
            tolerance=estimator.tol,
            relative_tolerance=_RELATIVE_TOLERANCE,
            evaluations=min(estimator.max_fun, 2**31 - 1),
        )
    return OPTIMIZERS[solver](rate)


def settings_of(
    estimator: Any, net: Network, split: Split, begin: int, seed: int, hook: EpochHook | None, incremental: bool
) -> Settings:
    """Return the settings of a run that begins after `begin` epochs, from the parameters of an estimator.

    Raises
    ------
    ValueError
        When parameters do not go together.
    """
    rows, stochastic = len(split.training), is_stochastic(estimator)
    is_sparse = any(data is not None and sparse.issparse(data.x) for data in (split.training, split.validation))
    optimizer = optimizer_of(estimator)
    by_batch = estimator.alpha_scaling == "batch"
    total = float(split.training.weights.sum())
    patience = estimator.n_iter_no_change
    ends_by_engine = stochastic and hook is None and not incremental and np.isfinite(patience)
    settings = Settings(
        optimizer=optimizer,
        schedule=_schedule_of(estimator, rows, begin, hook),
        epochs=min(begin + (1 if incremental else estimator.max_iter), MAX_EPOCHS),
        batch_size=_batch_size_of(estimator, rows) if stochastic else rows,
        penalty=Penalty(
            0.0, estimator.alpha if by_batch else estimator.alpha / total, by_weight=by_batch, in_loss=True
        ),
        clip_norm=estimator.clip_norm,
        shuffle=bool(estimator.shuffle),
        seed=seed,
        dtype=str(split.training.x.dtype),
        validation_fraction=None,
        stopping=Plateau(int(patience), estimator.tol) if ends_by_engine else None,
        checkpoint_every=None,
        engine=choose(net, optimizer, "reference" if is_sparse else estimator.engine),
        loss_weighting="rows",
    )
    check_settings(net, settings)
    return settings


def _batch_size_of(estimator: Any, rows: int) -> int:
    if estimator.batch_size == "auto":
        return min(LARGEST_BATCH, rows)
    if estimator.batch_size > rows:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=5
        )
    return int(min(estimator.batch_size, rows))


def _schedule_of(estimator: Any, rows: int, begin: int, hook: EpochHook | None) -> Schedule:
    wanted = estimator.learning_rate
    if wanted not in SCIKIT_LEARN_RATES:
        return SCHEDULES.find(wanted)
    if estimator.solver != "sgd" or wanted == "constant":  # as scikit-learn has it
        return Constant()
    if wanted == "invscaling":
        return InverseScalingByRows(estimator.power_t, rows, estimator.__dict__.get("t_", 0), begin)
    assert hook is not None  # noqa: S101 - for the type checker
    return AdaptiveByHook(hook)


def classification_loss(estimator: Any, kind: str) -> Loss:
    """Return the loss of a classifier for targets of scikit-learn's kind "binary", "multiclass" or "multilabel-…"."""
    if isinstance(estimator.loss, Loss):
        return estimator.loss
    return cross_entropy() if kind == "multiclass" else binary_cross_entropy(over_outputs="sum")


def regression_loss(estimator: Any) -> Loss:
    """Return the loss of a regressor."""
    if isinstance(estimator.loss, Loss):
        return estimator.loss
    made: Loss = REGRESSION_LOSSES[estimator.loss]()
    return made


def callbacks_of(estimator: Any) -> Sequence[Any]:
    """Return the user's callbacks.

    Raises
    ------
    InputError
        When one cannot be called with a run.
    """
    return checked_callbacks(estimator.callbacks)
