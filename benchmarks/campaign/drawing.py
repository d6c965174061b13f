"""Random cases for the conformance campaign: a network, data, and the settings of a run, drawn from one integer.

A case is plain data with a JSON form, so that any case can be replayed, made smaller, and written down as a snippet.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

import numpy as np

import chainrule as cr
from chainrule.activations import ACTIVATIONS
from chainrule.engines import extension

Random: TypeAlias = np.random.Generator

KINDS = ("predict", "train", "many", "estimator")
_SHARES = (0.45, 0.41, 0.06, 0.08)

LAYOUTS = (
    *("plain", "fortran", "every second column", "every second row", "reversed", "unaligned", "read-only"),
    *("byte-swapped", "other precision", "longdouble", "float16", "int32", "list"),
)
HIDDEN = sorted({*ACTIVATIONS} - {"softmax"})
SOLVERS = ("sgd", "adam", "lbfgs")  # of the estimators
_LAYOUTS_OF_ESTIMATORS = ("plain", "fortran", "every second column", "read-only", "list")

# What is drawn, and how often.
_ROWS = (((1, 71), (1, 400), (400, 3000)), (0.8, 0.17, 0.03))
_LOSSES = (
    (
        *("cross_entropy", "binary_cross_entropy", "poisson"),
        *("squared_error", "half_squared_error", "absolute_error", "log_cosh", "huber", "quantile"),
    ),
    (0.3, 0.08, 0.08, *[0.09] * 6),
)
_OPTIMIZERS = (
    ("sgd", "momentum", "adam", "adamw", "rmsprop", "adagrad", "rprop", "lbfgs"),
    (0.3, 0.1, 0.2, *[0.08] * 5),
)
_SCHEDULES = (
    (
        *("constant", "cosine", "one_cycle", "inverse_scaling"),
        {"name": "exponential", "decay": 0.7},
        {"name": "step", "every": 1},
        {"name": "warm_up", "epochs": 1.5},
        {"name": "adaptive", "patience": 1},
    ),
    (0.65, *[0.05] * 7),
)


@dataclass(frozen=True)
class Layer:
    """A layer of a case; the activation is in its JSON form."""

    units: int
    activation: Any
    bias: bool = True
    dropout: float = 0.0


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    seed : int
        The seed of the data, of the parameters and of the run.
    inputs, layers, loss
        The network.
    rows : int
    values : {"normal", "sparse", "constant", "zero"}
        The kind of numbers in x; "sparse" has columns of zeros.
    size : float
        The factor of x.
    spread : float
        The factor of the initial weights.
    layout : str
        How x, y and the weights are stored, one of `LAYOUTS`.
    weights : {"none", "random", "zeros"}
        The sample weights; with "zeros", some of them are 0.
    dtype, isa, threads
        What the native engine computes in and with.
    runs : int
        How many runs `train_many` makes.
    optimizer, schedule, epochs, batch_size, l1, l2, clip_norm, shuffle, validation, patience, tolerance
        As for :func:`chainrule.train`. Estimators take what they have of it: for them `validation` is early stopping
        and `l2` is alpha.
    """

    kind: str
    seed: int
    inputs: int
    layers: tuple[Layer, ...]
    loss: Any
    rows: int
    values: str = "normal"
    size: float = 1.0
    spread: float = 1.0
    layout: str = "plain"
    weights: str = "none"
    dtype: str = "float64"
    isa: str = "baseline"
    threads: int = 1
    runs: int = 2
    optimizer: Any = "sgd"
    schedule: Any = "constant"
    epochs: int = 1
    batch_size: int = 1
    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    shuffle: bool = False
    validation: float | None = None
    patience: int | None = None
    tolerance: float = 0.0

    def to_json(self) -> str:
        """Return the case as one line of JSON, without what has its default value."""
        defaults = {name: field.default for name, field in self.__dataclass_fields__.items()}
        return json.dumps({name: value for name, value in asdict(self).items() if value != defaults[name]})

    @classmethod
    def from_json(cls, text: str) -> Case:
        """Return the case that :meth:`to_json` wrote."""
        values = json.loads(text)
        return cls(**values | {"layers": tuple(Layer(**layer) for layer in values["layers"])})

    @property
    def network(self) -> cr.Network:
        """The network of the case."""
        layers = [cr.Dense(one.units, one.activation, one.bias, one.dropout) for one in self.layers]
        return cr.Network(self.inputs, layers, self.loss)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of its run, as :func:`chainrule.train` takes them."""
        optional = ("schedule", "l1", "l2", "clip_norm", "validation", "patience", "tolerance")
        changed = [name for name in optional if getattr(self, name) != getattr(Case, name)]
        names = ("optimizer", "epochs", "batch_size", "shuffle", "seed", *changed)
        return {name: getattr(self, name) for name in names}

    def initial(self) -> Any:
        """Return the initial parameters as one vector: as the network draws them times `spread`, and random biases."""
        random = np.random.default_rng(self.seed)
        params = self.network.initial(self.seed, self.dtype)
        for weights, bias in zip(params.weights, params.biases, strict=True):
            weights *= self.spread
            if bias is not None:
                bias += 0.1 * random.normal(size=bias.shape)
        return params.vector

    def x(self) -> Any:
        """Return x before it is laid out, (rows, inputs), in the dtype of the case."""
        random = np.random.default_rng([self.seed, 1])
        x = random.normal(size=(1 if self.values == "constant" else self.rows, self.inputs))
        if self.values == "zero":
            x[:] = 0.0
        if self.values == "constant":
            x = np.repeat(x, self.rows, axis=0)
        if self.values == "sparse":
            columns = np.random.default_rng([self.seed, 2])
            x[:, columns.random(self.inputs) < 0.6] = 0.0
            for begin in range(0, self.rows, 16):  # about a panel
                x[begin : begin + 16, columns.random(self.inputs) < 0.3] = -0.0
        with np.errstate(all="ignore"):
            return (self.size * x).astype(self.dtype)

    def y(self) -> Any:
        """Return targets that the loss accepts: (rows, outputs), or class numbers."""
        random, outputs = np.random.default_rng([self.seed, 3]), self.layers[-1].units
        name = self.loss["name"] if isinstance(self.loss, dict) else self.loss
        if name == "cross_entropy":
            if self.seed % 4 == 0:  # rows that need not sum to 1
                return random.random((self.rows, outputs)).astype(self.dtype)
            return random.integers(outputs, size=self.rows)
        if name == "poisson":
            return random.poisson(2.0, size=(self.rows, outputs)).astype(self.dtype)
        if name == "binary_cross_entropy":
            return random.integers(2, size=(self.rows, outputs)).astype(self.dtype)
        return random.normal(size=(self.rows, outputs)).astype(self.dtype)

    def sample_weight(self) -> Any:
        """Return the weights of the rows, or None."""
        if self.weights == "none":
            return None
        random = np.random.default_rng([self.seed, 4])
        weights = random.uniform(0.1, 3.0, self.rows)
        if self.weights == "zeros":
            weights[random.random(self.rows) < 0.4] = 0.0
            weights[0] = 1.0  # at least one row counts
        return weights.astype(self.dtype)


def instruction_sets() -> list[str]:
    """Return the instruction sets to draw from: that of ``CHAINRULE_ISA`` if it is set, or else all of this machine."""
    chosen = os.environ.get(extension.VARIABLE)
    return [chosen] if chosen else extension.instruction_sets()


def laid_out(array: Any, layout: str) -> Any:
    """Return an array stored in another way; integers and coarser floats have numbers near those of the array."""
    if array is None:
        return None
    if layout == "fortran":
        return np.asfortranarray(array)
    if layout in ("every second column", "every second row"):
        axis = array.ndim - 1 if layout == "every second column" else 0
        twice = np.repeat(array, 2, axis=axis)
        return twice[..., ::2] if axis == array.ndim - 1 else twice[::2]
    if layout == "reversed":
        return array[::-1].copy()[::-1]
    if layout == "unaligned":
        memory = np.zeros(array.nbytes + 1, np.uint8)
        moved = memory[1:].view(array.dtype).reshape(array.shape)
        moved[...] = array
        return moved
    if layout == "read-only":
        array = array.copy()
        array.setflags(write=False)
        return array
    if layout == "byte-swapped":
        return array.astype(array.dtype.newbyteorder())
    if layout == "other precision":
        return array.astype("float64" if array.dtype == np.float32 else "float32")
    if layout == "list":
        return array.tolist()
    if layout == "int32":
        return np.rint(np.clip(array, -1e9, 1e9)).astype(np.int32)
    return array if layout == "plain" else array.astype(layout)


def draw(number: int, kind: str | None = None) -> Case:
    """Return the case of an integer, of one kind where that is given."""
    random = np.random.default_rng(number)
    kind = kind or _one_of(random, KINDS, _SHARES)
    widths = [_width(random) for _ in range(_one_of(random, range(2, 7), (0.25, 0.4, 0.2, 0.09, 0.06)))]
    dtype = _one_of(random, ("float64", "float32"))
    is_large = random.random() < 0.03  # so that all panels go through a layer before the next
    if is_large:
        widths[:2] = map(int, random.integers(185, 215, 2))
    case = Case(
        kind,
        seed=int(random.integers(2**31)),
        inputs=widths[0],
        layers=(),
        loss="squared_error",
        rows=int(random.integers(*((64, 300) if is_large else _one_of(random, *_ROWS)))),
        values=_one_of(random, ("normal", "sparse", "constant", "zero"), (0.72, 0.2, 0.05, 0.03)),
        size=_size(random, dtype),
        spread=_one_of(random, (1.0, 0.1, 3.0, 10.0), (0.8, 0.05, 0.1, 0.05)),
        layout="plain" if random.random() < 0.5 else _one_of(random, LAYOUTS),
        dtype=dtype,
        isa=_one_of(random, instruction_sets()),
        threads=int(_one_of(random, (1, 2, 3))),
        weights=_one_of(random, ("none", "random", "zeros"), (0.6, 0.25, 0.15)),
    )
    if case.layout in ("float16", "int32", "other precision") and not 1e-3 <= case.size <= 1e3:  # whose range is narrow
        case = replace(case, size=1.0)
    draw_rest = {"predict": _for_prediction, "estimator": _for_estimator}.get(kind, _for_training)
    return draw_rest(random, case, widths[1:])


def _one_of(random: Random, values: Any, shares: Any = None) -> Any:
    values = list(values)
    return values[int(random.choice(len(values), p=shares))]


def _width(random: Random) -> int:
    """Return the width of a layer: mostly a small one, or one near a whole number of vectors."""
    if random.random() < 0.55:
        return int(random.integers(1, 12))
    if random.random() < 0.6:
        vector = _one_of(random, (4, 8, 16, 32))
        most = 200 if random.random() < 0.2 else 66
        return int(np.clip(vector * random.integers(1, most // vector + 1) + random.integers(-1, 2), 1, 200))
    return int(np.exp(random.uniform(0.0, np.log(200.0))))


def _size(random: Random, dtype: str) -> float:
    """Return the factor of x: mostly about 1, or so large or small that something might overflow or vanish."""
    extreme = (1e30, 1e-40) if dtype == "float32" else (1e250, 1e-310)
    return float(_one_of(random, (1.0, 30.0, 1e3, 1e-3, *extreme), (0.74, 0.07, 0.07, 0.04, 0.05, 0.03)))


def _activation(random: Random, names: Any) -> Any:
    name = _one_of(random, names)
    if name == "leaky_relu" and random.random() < 0.5:
        return {"name": name, "negative_slope": float(random.uniform(-0.5, 1.5))}
    if name == "elu" and random.random() < 0.5:
        return {"name": name, "alpha": float(random.uniform(0.2, 2.0))}
    return name


def _layers(random: Random, widths: list[int], dropout: bool) -> tuple[tuple[Layer, ...], Any]:
    """Return layers and a loss that fit together."""
    one = _activation(random, HIDDEN) if random.random() < 0.4 else None  # the same in all layers
    drops = dropout and random.random() < 0.15
    hidden = [
        Layer(
            units,
            one or _activation(random, HIDDEN),
            bias=bool(random.random() < 0.8),
            dropout=0.3 if drops and random.integers(2) else 0.0,
        )
        for units in widths[:-1]
    ]
    loss = _one_of(random, *_LOSSES)
    over = [{"over_outputs": "sum"}, {}][int(random.integers(2))]
    units, output = widths[-1], ""
    if loss == "cross_entropy":
        units, output = max(2, min(units, 40)), "softmax"
        loss = {"name": loss, "label_smoothing": 0.1} if random.random() < 0.3 else loss
    elif loss == "binary_cross_entropy":
        output, loss = "logistic", {"name": loss} | over
    elif loss == "poisson":
        output, loss = _one_of(random, ("exponential", "softplus")), {"name": loss} | over
    else:
        loss = {"huber": {"name": loss, "threshold": 0.7}, "quantile": {"name": loss, "level": 0.8}}.get(loss, loss)
        joint = "softmax" if units > 1 else "identity"
        output = _one_of(random, ("identity", one or "tanh", joint, _activation(random, HIDDEN)))
    return (*hidden, Layer(units, output, bool(random.random() < 0.8))), loss


def _for_prediction(random: Random, case: Case, widths: list[int]) -> Case:
    layers, loss = _layers(random, widths, dropout=False)
    return replace(case, layers=layers, loss=loss, weights="none")


def _for_training(random: Random, case: Case, widths: list[int]) -> Case:
    layers, loss = _layers(random, widths, dropout=True)
    optimizer: Any = _one_of(random, *_OPTIMIZERS)
    if optimizer == "momentum":
        optimizer = {"name": "sgd", "momentum": 0.9, "nesterov": bool(random.integers(2))}
    elif optimizer == "adam" and random.random() < 0.3:
        optimizer = {"name": "adam", "epsilon_hat": True, "beta1": 0.8}
    elif optimizer == "adamw":
        optimizer = {"name": "adamw", "weight_decay": 0.3}
    case = replace(
        case,
        layers=layers,
        loss=loss,
        optimizer=optimizer,
        epochs=int(random.integers(1, 4)),
        shuffle=bool(random.integers(2)),
        l1=float(_one_of(random, (0.0, 0.01), (0.85, 0.15))),
        l2=float(_one_of(random, (0.0, 0.1), (0.7, 0.3))),
        clip_norm=_one_of(random, (None, 0.1, 10.0), (0.8, 0.1, 0.1)),
        schedule=_one_of(random, *_SCHEDULES),
    )
    if random.random() < 0.06:  # a chain that learns row by row
        alike = Layer(1, _activation(random, HIDDEN), case.layers[0].bias)
        loss = _one_of(random, ("squared_error", "huber"))
        case = replace(case, inputs=1, layers=(alike,) * len(layers), loss=loss)
        case = replace(case, optimizer="sgd", l1=0.0, l2=0.0, clip_norm=None)
        if alike.activation == "exponential":
            case = replace(case, size=1.0)
        return replace(case, rows=min(case.rows, 20))
    if random.random() < 0.3 and case.rows > 5:
        case = replace(case, validation=0.25, weights="none" if case.weights == "zeros" else case.weights)
    if random.random() < 0.25:
        case = replace(case, patience=1, epochs=4, tolerance=float(_one_of(random, (0.0, 0.05))))
    steps = max(1, _one_of(random, (3, 8, 24), (0.65, 0.3, 0.05)) // case.epochs)  # at most, in an epoch
    batch = int(_one_of(random, (case.rows, random.integers(1, 97), max(1, case.rows // 3))))
    if optimizer in ("lbfgs", "rprop") or max(case.inputs, *(layer.units for layer in layers)) > 180:
        batch = case.rows
    if optimizer == "lbfgs":
        layers = tuple(replace(one, dropout=0.0) for one in case.layers)
        case = replace(case, schedule="constant", clip_norm=None, layers=layers)
    least = 6 if case.validation else 1
    return _with_batches(replace(case, rows=max(least, min(case.rows, steps * batch))), batch)


def _with_batches(case: Case, batch: int) -> Case:
    """Return a case with batches of so many rows, or of as many as there are to train on."""
    trained = case.rows - round(case.rows * case.validation) if case.validation else case.rows
    return replace(case, batch_size=max(1, min(batch, trained)))


def _for_estimator(random: Random, case: Case, widths: list[int]) -> Case:
    activation = _activation(random, HIDDEN)
    activation = activation if isinstance(activation, str) else activation["name"]
    classes = bool(random.integers(2))
    outputs = 1 + int(random.integers(1, 5)) if classes else 1
    hidden = tuple(Layer(units, activation) for units in widths[:-1])
    case = replace(
        case,
        layers=(*hidden, Layer(outputs, "softmax" if classes else "identity")),
        loss="cross_entropy" if classes else "half_squared_error",
        rows=max(25, min(case.rows, 200)),
        size=1.0,  # what rounding makes of other sizes, runs have shown
        layout=case.layout if case.layout in _LAYOUTS_OF_ESTIMATORS else "plain",
        optimizer=_one_of(random, SOLVERS),
        epochs=int(random.integers(1, 5)),
        l2=float(_one_of(random, (1e-4, 1.0))),
        shuffle=bool(random.integers(2)),
        spread=1.0,
    )
    if random.random() < 0.2 and case.optimizer != "lbfgs":
        case = replace(case, validation=0.2)
    if case.layout == "list":  # which estimators convert to float64
        case = replace(case, dtype="float64")
    return replace(case, batch_size=int(random.integers(1, case.rows + 1)), patience=_one_of(random, (10, 1)))
