"""What the native engine makes of a case, beside the reference engine: each difference, and why there is one.

A difference is rounding only with a proof: the reference engine, given the same case with its parameters, inputs,
weights, activations and derivatives moved by a few units in the last place (or, in float32, computing in float64),
differs from itself by about as much. Everything else is a fault. Several disturbances are tried, since a sign or a kink
that rounding decides needs the right one.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, pairwise
from typing import Any, TypeAlias

import numpy as np

import chainrule as cr
from campaign.drawing import Case, instruction_sets, laid_out
from chainrule.backpropagation import forward
from chainrule.engines import extension, reference
from chainrule.losses import CanonicalLink

AGREEMENT = {"float64": 1e-9, "float32": 2e-4}
"""How far the engines may differ, relative to the largest number of a block: of a layer's weights, of the outputs …"""
ROW_AGREEMENT = {"float64": 1e-12, "float32": 2e-6}
"""How far the native outputs of some rows may differ from those of all rows, relative to the largest."""

REFUSED = "refused by both engines"
"""The cause of a case from which nothing is learnt: one that training takes for bad input."""

_NEAR_THE_LARGEST = "a number near the largest"
_MOST_UNITS = 16  # by which a number is moved, in units in the last place
_DRAWS = 40  # of disturbances: a tie, a sign or a kink that rounding decides needs the right one, often in float32
_MARGIN = 10.0  # a rounding difference may be so many times the one that the reference engine shows
_MOST_SINGLE_ROWS = 70
_VANISHING = ("exponential", "logistic", "silu", "softmax", "softplus")  # activations that go to 0 as e^z does


@dataclass(frozen=True)
class Numbers:
    """An array that is compared block by block.

    Attributes
    ----------
    values : array, shape (n,)
    starts : sequence of int
        Where each block begins.
    floor : float
        Differences up to this are those of rounding at the size of the numbers.
    """

    values: Any
    starts: Any = (0,)
    floor: float = 0.0

    def distance(self, other: Numbers) -> float:
        """Return the largest difference to another, relative to the largest number of the block it is in."""
        ours, theirs = self.values, other.values
        if ours.shape != theirs.shape:
            return np.inf
        if not ours.size:
            return 0.0
        finite = np.isfinite(ours)
        if not np.array_equal(finite, np.isfinite(theirs)):
            return np.inf
        if not finite.all():
            if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True):
                return np.inf
            ours, theirs = np.where(finite, ours, 0.0), np.where(finite, theirs, 0.0)
        gaps = np.abs(theirs - ours)
        gaps[gaps <= max(self.floor, other.floor)] = 0.0
        if not gaps.any():
            return 0.0
        largest = np.maximum.reduceat(np.abs(ours), self.starts)
        of_blocks = np.maximum.reduceat(gaps, self.starts)
        with np.errstate(all="ignore"):
            return float(np.max(np.where(of_blocks > 0.0, of_blocks / largest, 0.0)))


@dataclass(frozen=True)
class Disturbance:
    """Rounding errors at random, of up to so many units in the last place."""

    units: int
    seed: int


NONE = Disturbance(0, 0)
DISTURBANCES = [Disturbance(min(2**k, _MOST_UNITS), k) for k in range(_DRAWS)]

Outcome: TypeAlias = Mapping[str, Any]
"""What an engine made of a case, by name: Numbers, or what must be equal; LARGEST is a function, and not compared."""

LARGEST = "the largest number"


@dataclass(frozen=True)
class Difference:
    """A difference between two outcomes of a case.

    Attributes
    ----------
    what : str
        Which outcomes were compared, and which part of them differs.
    size : float
        Relative to the largest number of the block; infinite where something is not a matter of size.
    shown : float
        The largest difference that the reference engine shows when the case is disturbed.
    cause : str
        "fault", the kind of rounding, or REFUSED.
    """

    what: str
    size: float
    shown: float
    cause: str

    def __str__(self) -> str:
        return f"{self.what}: {self.size:.2g} (the reference engine, disturbed: {self.shown:.2g})"


def distances(expected: Outcome, found: Outcome) -> dict[str, float]:
    """Return how far each part of an outcome is from what is expected."""
    result = {}
    for name in (name for name in {**expected, **found} if name != LARGEST):
        a, b = expected.get(name), found.get(name)
        if isinstance(a, Numbers) and isinstance(b, Numbers):
            result[name] = a.distance(b)
        else:
            result[name] = 0.0 if a == b else np.inf
    return result


def differences(case: Case) -> list[Difference]:
    """Return every difference in a case that is larger than it may be."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(_Comparison(case).differences())


class _Comparison:
    """A case with what the reference engine makes of it."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.make: Any = {"predict": predictions, "estimator": estimates}.get(case.kind, run_outcome)
        self.expected: Outcome = self.make(case, "reference")
        self.disturbed: list[dict[str, float]] = []  # distances, computed only as far as they were needed

    def shown(self, name: str, size: float) -> float:
        """Return how far the disturbed reference engine moves in one part, looking until that explains a difference."""
        largest = 0.0
        for k in count():
            if k == len(self.disturbed):
                if k == len(DISTURBANCES) + 1:
                    break
                self.disturbed.append(distances(self.expected, self.moved(k)))
            largest = max(largest, self.disturbed[k].get(name, 0.0))
            if size <= _MARGIN * largest:
                break
        return largest

    def moved(self, k: int) -> Outcome:
        """Return the reference engine's outcome in float64, where that is another, or with rounding disturbed."""
        outcome = self.expected
        if k < len(DISTURBANCES):
            outcome = self.make(self.case, "reference", DISTURBANCES[k])
        elif self.case.dtype == "float32" and self.case.kind != "estimator":
            outcome = self.make(self.case, "reference", in_float64=True)
        return outcome

    def differences(self) -> Iterator[Difference]:
        """Compare what there is to compare in a case of this kind."""
        case = self.case
        if case.kind == "predict":
            for isa in instruction_sets():
                all_rows, single, pieces = native_predictions(case, isa)
                yield from self.between(f"{isa}, all rows at once", self.expected, all_rows, AGREEMENT)
                yield from self.between(f"{isa}, row by row", *single, ROW_AGREEMENT)
                yield from self.between(f"{isa}, in pieces", *pieces, ROW_AGREEMENT)
            return
        with instruction_set(case.isa):
            found = self.make(case, "native")
            if "refused" in found and found == self.expected:
                yield Difference(f"{case.isa}: {found['refused']}", 0.0, 0.0, REFUSED)
                return
            if case.kind == "estimator":
                yield from self.between(case.isa, self.expected, found, AGREEMENT)
                if "outputs" in found:
                    by_rows = estimates(case, "native", row_by_row=True)
                    yield from self.between(f"{case.isa}, row by row", found, by_rows, ROW_AGREEMENT)
                return
            yield from self.between(case.isa, self.expected, found, AGREEMENT)
            exactly = dict.fromkeys(AGREEMENT, 0.0)
            if case.kind == "many":
                of_many = outcomes_of_many(case)
                alone = [
                    run_outcome(replace(case, seed=case.seed + k), "native", data_of=case) for k in range(case.runs)
                ]
                if refused := next((run["refused"] for run in alone if "refused" in run), None):
                    alone = [{"refused": refused}] * case.runs  # one refusal is that of all
                for k, (expected, of_run) in enumerate(zip(alone, of_many, strict=True)):
                    yield from self.between(f"{case.isa}, run {k + 1} of many, and alone", expected, of_run, exactly)
            elif case.threads > 1 or case.layout != "plain":
                layout = "plain" if _keeps_numbers(case.layout) else case.layout
                plainly = run_outcome(replace(case, threads=1), "native", layout=layout)
                yield from self.between(f"{case.isa}, by one thread, from plain arrays", found, plainly, exactly)

    def between(
        self, what: str, expected: Outcome, found: Outcome, agreement: Mapping[str, float]
    ) -> Iterator[Difference]:
        """Yield the differences between two outcomes, each with its cause."""
        tolerance = agreement[self.case.dtype]
        one_diverged = expected.get("diverged") != found.get("diverged")
        for name, size in distances(expected, found).items():
            if size <= tolerance:
                continue
            shown = 0.0 if tolerance == 0.0 else self.shown(name, size)
            if size <= _MARGIN * shown or shown >= 1.0:  # rounding that changes a number wholly explains any difference
                cause = self.cause(name, size)
            elif tolerance == 0.0:
                cause = "fault"
            elif (one_diverged or np.isinf(size)) and any(
                _overflows(self.case.dtype, one) for one in (expected, found)
            ):
                cause = _NEAR_THE_LARGEST
            elif np.isinf(size) and _is_of_end(name) and self.rounding_ends_it(expected, found):
                cause = "a tie in early stopping"
            else:  # rounding does not explain it
                cause = "fault"
            yield Difference(f"{what}: {name}", size, shown, cause)

    def rounding_ends_it(self, expected: Outcome, found: Outcome) -> bool:
        """Tell whether rounding decides when L-BFGS ends: at one minimum, or where it searches along another line.

        The loss that it has come to is the same, or the disturbed reference engine takes steps that differ.
        """
        if self.case.optimizer != "lbfgs":
            return False
        tolerance = AGREEMENT[self.case.dtype]
        last = [outcome["history of loss"].values[-1:] for outcome in (expected, found) if "history of loss" in outcome]
        if len(last) == 2 and len(last[0]) and Numbers(last[0]).distance(Numbers(last[1])) <= tolerance:
            return True
        return max(self.shown(name, np.inf) for name in ("movement", "parameters")) > tolerance

    def cause(self, name: str, size: float) -> str:
        """Return the kind of a difference that rounding explains."""
        if name in ("stopped", "epochs", "best epoch"):
            return "a tie in early stopping"
        if name == "diverged" or np.isinf(size):
            return _NEAR_THE_LARGEST
        return "a sign in Rprop" if self.case.optimizer == "rprop" else "amplified rounding"


def _is_of_end(name: str) -> bool:
    """Tell whether a part of an outcome says when a run ended."""
    return name in ("stopped", "epochs", "steps") or name.startswith("history of ")


def _overflows(dtype: str, outcome: Outcome) -> bool:
    """Tell whether a run reaches numbers so large that the product of three of them overflows, as of f, δ and a weight.

    Then the order of terms and factors decides whether a result is finite, and when a run diverges.
    """
    return LARGEST in outcome and not outcome[LARGEST]() < float(np.cbrt(np.finfo(dtype).max))


def _largest(run: Any, x: Any) -> float:
    """Return the largest number of a run's parameters, z and f, as they are at its end."""
    params = run.network.parameters(run.state.theta.astype(np.float64))
    with np.errstate(all="ignore"):
        z, f = forward(run.network, params, np.asarray(x, np.float64))
        return max(float(np.max(np.abs(array))) for array in (params.vector, *z[1:], *f))


class instruction_set:  # noqa: N801 - reads as a function
    """Sets the instruction set of the native engine within a ``with`` block."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        self.before = os.environ.get(extension.VARIABLE)
        os.environ[extension.VARIABLE] = self.name

    def __exit__(self, *_: object) -> None:
        if self.before is None:
            del os.environ[extension.VARIABLE]
        else:
            os.environ[extension.VARIABLE] = self.before


def _keeps_numbers(layout: str) -> bool:
    """Tell whether an array laid out so has the numbers that it had."""
    return layout not in ("other precision", "float16", "int32")


def disturbed(array: Any, by: Disturbance) -> Any:
    """Return an array whose numbers are moved at random."""
    if by is NONE:
        return array
    random = np.random.default_rng(by.seed)
    with np.errstate(all="ignore"):
        moved = array + np.spacing(np.abs(array)) * random.integers(-by.units, by.units + 1, array.shape)
    return np.where(array == 0.0, array, moved).astype(array.dtype)


def disturbed_network(case: Case, by: Disturbance) -> cr.Network:
    """Return the network of a case with rounding errors in f, f′ and ℒ, and sums z that overflow in other ways."""
    net = case.network
    if by is NONE:
        return net
    random, most = np.random.default_rng(by.seed), by.units * float(np.finfo(case.dtype).eps)

    def error(like: Any) -> Any:
        return random.uniform(-most, most, like.shape).astype(like.dtype)

    def overflowed(z: Any) -> Any:
        """Return z, where terms that are too large may come to ±∞ or NaN: their order and fused products decide."""
        signs = np.array([-np.inf, np.inf], z.dtype)
        z = np.where(np.isinf(z) & (random.random(z.shape) < 0.5), z.dtype.type(np.nan), z)
        return np.where(np.isnan(z), random.choice(signs, z.shape), z) if random.random() < 0.5 else z

    def underflow(name: str, z: Any, f: Any) -> Any:
        """Return rounding errors of f where it behaves like e^z and underflows, to a denormal number or to 0."""
        info = np.finfo(z.dtype)
        exponent = z - z.max(axis=1, keepdims=True) if name == "softmax" else z
        factor = z if name == "silu" else np.ones_like(z)  # z σ(z)
        is_tiny = np.abs(f) < info.smallest_normal * np.abs(factor)
        is_tiny &= exponent > 1.05 * np.log(info.smallest_subnormal)
        moved = factor * info.smallest_subnormal * random.integers(-by.units, by.units + 1, z.shape)
        return np.where(is_tiny, moved, 0.0).astype(z.dtype)

    def own(activation: cr.Activation) -> cr.Activation:
        def value(z: Any) -> Any:
            z = z if np.isfinite(z).all() else overflowed(z)
            f = activation.value(z)
            if "gelu" in activation.name:  # where 1 + erf or 1 + tanh cancels, the error is one of z
                return f + z * error(f)
            if activation.name in _VANISHING:
                f = f + underflow(activation.name, z, f)
            if activation.name == "softmax":  # z − log Σ eᶻ has the errors of z
                return f + f * np.abs(z).max(axis=1, keepdims=True, initial=1.0) * error(f)
            return np.where(np.isinf(f), f, f + f * error(f))

        def slope(z: Any, f: Any) -> Any:
            z = z if np.isfinite(z).all() else overflowed(z)
            return activation.slope(z, f) + error(f)  # of 1, as 1 − f² has where it vanishes

        return type(activation)(f"disturbed {activation.name}", value, slope, initializer=activation.initializer)

    layers = [cr.Dense(layer.units, own(layer.activation), layer.bias, layer.dropout) for layer in net.layers]

    def of_sum(losses: Any) -> Any:  # the errors of a sum are not independent of each other
        return losses + losses * losses.dtype.type(random.uniform(-most, most))

    def disturbed_link(link: CanonicalLink) -> CanonicalLink:
        def value(y: Any, z: Any) -> Any:  # a difference of numbers of the size of z
            of_outputs = link.value(y, z)
            return of_sum(of_outputs + np.abs(z).max(axis=1, keepdims=True) * error(of_outputs))

        linked = link.activation == net.layers[-1].activation.name  # it goes with one activation, by name
        return replace(link, activation=layers[-1].activation.name if linked else "another activation", value=value)

    loss = replace(
        net.loss,
        name=f"disturbed {net.loss.name}",
        value=lambda y, f: of_sum(net.loss.value(y, f)),
        outputs=(),
        link=net.loss.link and disturbed_link(net.loss.link),
    )
    return cr.Network(net.inputs, layers, loss)


def _inputs(case: Case, engine: str, by: Disturbance = NONE, layout: str | None = None) -> tuple[Any, Any, Any]:
    """Return x, y and the weights of a case; plainly stored for the reference engine, with the same numbers."""
    arrays = []
    for array in (case.x(), case.y(), case.sample_weight()):
        laid = laid_out(array, layout or case.layout) if array is not None and array.dtype.kind == "f" else array
        if laid is not None and engine == "reference" and array.dtype.kind == "f":
            laid = np.ascontiguousarray(laid, case.dtype)
        arrays.append(laid)
    if by is not NONE:
        if case.kind != "estimator" and arrays[1].ndim == 1:  # class numbers, which only cross entropy itself takes
            arrays[1] = np.eye(case.layers[-1].units, dtype=case.dtype)[arrays[1]]
        arrays[0] = disturbed(arrays[0], by)
        if case.kind == "estimator" and arrays[1].dtype.kind == "f":  # instead of the network, which is its own
            arrays[1] = disturbed(arrays[1], by)
        arrays[2] = disturbed(np.ones(case.rows, case.dtype) if arrays[2] is None else arrays[2], by)
    return arrays[0], arrays[1], arrays[2]


def _floor(dtype: str) -> float:
    return 1e3 * float(np.finfo(dtype).smallest_subnormal)


# Predictions


def predictions(case: Case, engine: str, by: Disturbance = NONE, in_float64: bool = False) -> Outcome:
    """Return the outputs of all rows by the reference engine."""
    net, theta = disturbed_network(case, by), disturbed(case.initial(), by)
    x = _inputs(case, engine, by)[0]
    if in_float64:
        theta, x = theta.astype(np.float64), x.astype(np.float64)
    return {"outputs": _outputs(case, reference.predict(net, net.parameters(theta), x))}


def native_predictions(case: Case, isa: str) -> tuple[Outcome, tuple[Outcome, Outcome], tuple[Outcome, Outcome]]:
    """Return the native outputs of all rows; of some rows, and each by itself; of all rows, and in pieces."""
    net = case.network
    with instruction_set(isa):
        model = cr.Model(net, net.parameters(case.initial()))
        all_rows = model.predict(_inputs(case, "native")[0])
        outputs = extension.NativePredictor(net, model.parameters.vector)
        x, random = _inputs(case, "reference")[0], np.random.default_rng(case.seed)
        rows = np.arange(case.rows)
        if case.rows > _MOST_SINGLE_ROWS:
            rows = random.choice(case.rows, _MOST_SINGLE_ROWS, replace=False)
        single = np.concatenate([outputs(x[row : row + 1]) for row in rows])
        cuts = [0, *np.unique(random.integers(1, case.rows + 1, min(12, case.rows))), case.rows]
        pieces = np.concatenate([outputs(x[a:b], case.threads) for a, b in pairwise(cuts) if b > a])
    whole = {"outputs": _outputs(case, all_rows)}
    some = {"outputs": _outputs(case, all_rows[rows])}
    return whole, (some, {"outputs": _outputs(case, single)}), (whole, {"outputs": _outputs(case, pieces)})


def _outputs(case: Case, values: Any) -> Numbers:
    return Numbers(np.ravel(values).astype(np.float64), floor=_floor(case.dtype))


# Runs


def run_outcome(
    case: Case,
    engine: str,
    by: Disturbance = NONE,
    in_float64: bool = False,
    layout: str | None = None,
    data_of: Case | None = None,
) -> Outcome:
    """Return what :func:`chainrule.train` makes of a case, on the data of another where that is given."""
    case = replace(case, dtype="float64") if in_float64 and data_of is None else case
    of_data = data_of or case
    net, begin = disturbed_network(case, by), disturbed(of_data.initial(), by)
    x, y, weights = _inputs(of_data, engine, by, layout)
    try:
        run = cr.train(
            *(net, x, y),
            sample_weight=weights,
            initial=net.parameters(begin),
            dtype=case.dtype,
            engine=engine,
            threads=case.threads,
            progress=False,
            **case.settings,
        )
    except cr.DivergenceError as error:
        return outcome_of(case, begin, error.run, error)
    except cr.InputError as error:
        if by is not NONE:
            raise  # a disturbed case is as valid as the case, and an error would pass for a large difference
        return {"refused": str(error)}
    return outcome_of(case, begin, run)


def outcomes_of_many(case: Case) -> list[Outcome]:
    """Return what :func:`chainrule.train_many` makes of a case, run by run."""
    net, begin = case.network, case.initial()
    x, y, weights = _inputs(case, "native")
    settings = case.settings
    del settings["seed"]
    validation = settings.pop("validation", None)
    try:
        runs = cr.train_many(
            *(net, x, y),
            sample_weight=weights,
            seeds=range(case.seed, case.seed + case.runs),
            initial=net.parameters(begin),
            validation=validation,
            dtype=case.dtype,
            engine="native",
            threads=case.threads,
            progress=False,
            **settings,
        )
    except cr.InputError as error:
        return [{"refused": str(error)}] * case.runs
    return [outcome_of(case, begin, run, run.error) for run in runs]


def outcome_of(case: Case, begin: Any, run: Any, error: cr.DivergenceError | None = None) -> Outcome:
    """Return what there is to compare of a run."""
    state, starts = run.state, _block_starts(case)
    unit = float(np.finfo(case.dtype).eps)
    size = float(np.max(np.abs(begin)))

    def blocks(vector: Any, floor: float = 0.0) -> Numbers:
        return Numbers(vector.astype(np.float64), starts, max(floor, _floor(case.dtype)))

    largest = max(size, float(np.max(np.abs(state.theta))))
    outcome = {
        "diverged": None if error is None else (error.epoch, error.batch),
        "stopped": None if error is not None else run.stopped,
        "epochs": state.epoch,
        "steps": state.step,
        "best epoch": None if state.best is None else state.best.epoch,
        "movement": blocks(state.theta.astype(np.float64) - begin, 4.0 * unit * (state.step + 1) * largest),
        "best parameters": None if state.best is None else blocks(state.best.theta),
    }
    outcome[LARGEST] = partial(_largest, run, case.x())
    outcome |= {f"optimiser's {name}": blocks(vector) for name, vector in state.memory.items()}
    return outcome | {f"history of {name}": Numbers(np.array(run.history[name])) for name in run.history}


def _block_starts(case: Case) -> list[int]:
    """Return where each layer's weights and biases begin in the vector of parameters."""
    starts: list[int] = []
    before, place = case.inputs, 0
    for layer in case.layers:
        starts.append(place)
        place += before * layer.units
        if layer.bias:
            starts.append(place)
            place += layer.units
        before = layer.units
    return starts


# Estimators


def estimates(case: Case, engine: str, by: Disturbance = NONE, row_by_row: bool = False) -> Outcome:
    """Return what a fit of :class:`chainrule.MLPClassifier` or :class:`chainrule.MLPRegressor` makes of a case."""
    from chainrule.estimators import MLPClassifier, MLPRegressor

    classes = case.loss == "cross_entropy"
    activation: Any = case.layers[0].activation if len(case.layers) > 1 else "relu"
    drawn_otherwise = ("identity", "logistic", "tanh", "relu")  # the first weights, by these names
    if by is not NONE and len(case.layers) > 1 and activation not in drawn_otherwise:
        activation = disturbed_network(case, by).layers[0].activation
    kind = MLPClassifier if classes else MLPRegressor
    estimator = kind(
        hidden_layer_sizes=tuple(layer.units for layer in case.layers[:-1]),
        activation=activation,
        solver=case.optimizer,
        alpha=case.l2,
        batch_size=min(case.batch_size, case.rows),
        max_iter=case.epochs,
        shuffle=case.shuffle,
        random_state=case.seed,
        early_stopping=case.validation is not None,
        validation_fraction=case.validation or 0.1,
        n_iter_no_change=case.patience or 10,
        threads=case.threads,
        engine=engine,
    )
    x, y, weights = _inputs(case, engine, by)
    y = np.ravel(y) if not classes or np.ndim(y) == 1 else np.argmax(y, axis=1)
    try:
        estimator.fit(x, y, weights)
    except ValueError as error:
        if isinstance(error.__cause__, cr.DivergenceError):
            return {"diverged": True, LARGEST: partial(_largest, error.__cause__.run, case.x())}
        if "non-finite" in str(error):
            return {"diverged": True}
        if "Early stopping" in str(error) or "held-out rows" in str(error):  # it needs rows with a weight above 0
            return {"refused": str(error)}
        raise
    of_rows = estimator.predict_proba if classes else estimator.predict
    parameters = [np.ravel(array) for array in (*estimator.coefs_, *estimator.intercepts_)]
    rows = min(case.rows, _MOST_SINGLE_ROWS) if row_by_row else 0
    plain = np.ascontiguousarray(x, case.dtype)
    outputs = np.concatenate([*(of_rows(plain[row : row + 1]) for row in range(rows)), of_rows(x)[rows:]])
    return {
        "outputs": _outputs(case, outputs),
        # R² is a difference of numbers of the size of 1, the accuracy a share of them.
        "score": Numbers(np.array([estimator.score(x, y, weights)]), floor=100.0 * float(np.finfo(case.dtype).eps)),
        "epochs": estimator.n_iter_,
        "history of loss": Numbers(np.array(estimator.history_.get("loss", []))),
        "parameters": Numbers(np.concatenate(parameters)),
    }
