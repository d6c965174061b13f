"""The reference engine: a run in plain NumPy, by the text of :mod:`chainrule.backpropagation`.

It exists to be read, and as the reference against which other engines are tested. Every number is checked where it
appears; a run that meets NaN or infinity stops with the parameters from before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from ..backpropagation import deltas, forward, gradients, losses
from ..data import Data, Floats
from ..definitions import check_definitions
from ..errors import DivergenceError
from ..named import copied
from ..network import Network
from ..optimizers import OPTIMIZERS, Memory, Optimizer
from ..parameters import BLOCK, Parameters, blocks
from ..randomness import dropout_mask
from ..regularization import Penalty, clip, weight_positions
from . import lbfgs
from .batching import batches, learning_rates
from .engine import Predictor, execute_one_by_one
from .settings import Settings
from .state import State
from .stopping import stopping_check
from .task import Task
from .threads import one_blas_thread

# Rows that go forward at a time when nothing is learnt, so that memory does not grow with the data.
CHUNK = 8192

NO_ARRAYS: Mapping[str, Floats] = {}

Flags: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]


class ReferenceEngine:
    """The engine in NumPy; see :class:`chainrule.engines.engine.Engine`."""

    limits = "it executes any run"

    def can_run(self, net: Network, optimizer: Optimizer) -> bool:
        """Return True: it executes any run."""
        return True

    def can_predict(self, net: Network) -> bool:
        """Return True: it computes the outputs of any network."""
        return True

    def runs_in_batch(self, settings: Settings) -> bool:
        """Return False: runs are executed one after the other."""
        return False

    def execute(self, task: Task, threads: int) -> str | None:
        """Execute a run; NumPy decides on the threads."""
        check_definitions(task.net)
        dtype = task.settings.dtype
        task.hooks.planned(f"reference engine, {dtype}, in NumPy: all rows of a batch at once, layer by layer")
        task = replace(task, split=task.split.taken())
        # What overflows or is undefined is looked for and reported; NumPy's warnings would only repeat it.
        with np.errstate(all="ignore"):
            if task.settings.optimizer.is_full_batch:
                several = one_blas_thread.lifted()  # for the products, not for SciPy's sums of vectors
                objective = self.objective(task, threads)
                validation_loss = None if task.split.validation is None else several(objective.validation_loss)
                return lbfgs.run(task, several(objective), validation_loss)
            return _run_steps(task)

    def execute_many(
        self, tasks: Sequence[Task], threads: int, interrupted: Callable[[], bool]
    ) -> list[str | DivergenceError | None]:
        """Execute independent runs, one after the other."""
        return execute_one_by_one(self, tasks, threads, interrupted)

    def objective(self, task: Task, threads: int) -> ReferenceObjective:
        """Return the objective of a task."""
        return ReferenceObjective(task)

    def predictor(self, net: Network, params: Parameters) -> Predictor:
        """Return the outputs as a function of the inputs.

        Raises
        ------
        InputError
            When a definition of your own is invalid.
        """
        check_definitions(net)
        return ReferencePredictor(net, params.vector)


class ReferencePredictor:
    """A function from x, (n, d₀), to the outputs f_L, (n, d_L)."""

    def __init__(self, net: Network, theta: Floats) -> None:
        self.net, self.theta = net, theta

    @property
    def dtype(self) -> Any:
        """The dtype of the parameters."""
        return self.theta.dtype

    def __call__(self, x: Any, threads: int | None = None) -> Floats:
        """Return the outputs of every row."""
        return predict(self.net, self.net.parameters(self.theta), x)

    def follow(self, theta: Floats) -> None:
        """Take other parameters."""
        self.theta = theta


def predict(net: Network, params: Parameters, x: Any) -> Floats:
    """Return the outputs f_L of every row, (n, d₀) → (n, d_L); x may be a SciPy matrix of compressed sparse rows."""
    with np.errstate(all="ignore"):
        if x.shape[0] <= CHUNK:
            outputs: Floats = forward(net, params, x)[1][-1]
            return outputs
        pieces = [forward(net, params, _chunk(x, i))[1][-1] for i in range(0, x.shape[0], CHUNK)]
    return np.concatenate(pieces)


def evaluate(net: Network, params: Parameters, data: Data) -> float:
    """Return the objective without penalty: the weighted mean of the rows' losses."""
    of_rows = []
    with np.errstate(all="ignore"):
        for i in range(0, len(data), CHUNK):
            z, f = forward(net, params, _chunk(data.x, i))
            of_rows.append(losses(net, data.y[i : i + CHUNK], z, f))
    return float(np.dot(data.shares, np.concatenate(of_rows)))


def _chunk(x: Any, begin: int) -> Any:
    """Return up to CHUNK rows from there on; of compressed sparse rows in less time than SciPy's own slices take."""
    end = min(begin + CHUNK, x.shape[0])
    if isinstance(x, np.ndarray):
        return x[begin:end]
    ends = x.indptr[begin : end + 1]
    entries = slice(ends[0], ends[-1])
    return type(x)((x.data[entries], x.indices[entries], ends - ends[0]), shape=(end - begin, x.shape[1]))


def _run_steps(task: Task) -> str | None:
    net, settings, state, hooks = task.net, task.settings, task.state, task.hooks
    data, validation = task.split.training, task.split.validation
    is_weight = weight_positions(net)
    check = stopping_check(settings.stopping, state.losses)
    spare: Memory = {}  # arrays of the step before the last
    last: Memory = {}
    while state.epoch < settings.epochs:
        rates = learning_rates(settings, len(data), state)[0]
        total = 0.0
        for number, rows in enumerate(batches(settings, len(data), state.epoch, state.shuffling)):
            if hooks.interrupted():
                return None
            batch = data.take(rows)
            loss = step(net, settings, batch, state, is_weight, float(rates[number]), number, spare)
            spare, last = last, state.memory
            total += loss * settings.size_of(batch)
        state.epoch += 1
        state.losses.append(total / settings.size_of(data))
        validation_loss = None if validation is None else evaluate(net, net.parameters(state.theta), validation)
        why = check(state, validation_loss)
        if not hooks.after_epochs([float(rates[0])], None if validation_loss is None else [validation_loss]):
            return None
        if why:
            return why
    return None


def step(
    net: Network,
    settings: Settings,
    batch: Data,
    state: State,
    is_weight: Flags,
    rate: float,
    number: int,
    spare: Mapping[str, Floats] = NO_ARRAYS,
) -> float:
    """Make one step of the optimiser and return the loss of the batch from before the step, as it is recorded.

    The new optimiser state may take the arrays of `spare`, which nothing else may use.
    """
    params = net.parameters(state.theta)
    masks = dropout_masks(net, len(batch), settings.seed, settings.dtype, epoch=state.epoch, batch=number)
    share = batch.shares
    z, f = forward(net, params, batch.x, masks)
    loss = float(np.dot(share, losses(net, batch.y, z, f)))
    delta = deltas(net, params, batch.y, z, f, masks)
    gradient = gradients(net, f, delta, share, masks)

    slope = gradient.vector
    penalty, penalty_value = settings.penalty.of_batch(float(batch.weights.sum())), 0.0
    if penalty:
        _add_penalty(slope, penalty, state.theta, is_weight)
        penalty_value = penalty.value(state.theta, is_weight) if penalty.in_loss else 0.0
    slope = clip(slope, settings.clip_norm)
    theta, memory, finite = _updated(settings.optimizer, state.theta, slope, state.memory, rate, state.step + 1, spare)

    if not (np.isfinite(loss) and finite):
        layer, quantity = _first_not_finite(net, z, f, loss, delta, gradient, [theta, *memory.values()])
        raise DivergenceError(state.epoch + 1, number + 1, layer, quantity)
    state.theta, state.memory, state.step = theta, memory, state.step + 1
    return loss + penalty_value


def _add_penalty(slope: Floats, penalty: Penalty, theta: Floats, is_weight: Flags) -> None:
    """Add the gradient of the penalty to that of the loss, in place."""
    for block in blocks(theta):
        slope[block] += penalty.gradient(theta[block], is_weight[block])


def _updated(
    optimizer: Optimizer,
    theta: Floats,
    slope: Floats,
    memory: Memory,
    rate: float,
    step: int,
    spare: Mapping[str, Floats],
) -> tuple[Floats, Memory, bool]:
    """Return the new parameters and optimiser state, and whether they and the gradient are finite.

    The built-in optimisers update each parameter independently of all others, so blocks have the same result. Others
    get copies, which they may change: after a step that diverges, the state must be that before it.
    """
    is_own = type(optimizer) not in OPTIMIZERS.values()
    if is_own or len(theta) <= BLOCK:
        arrays: tuple[Floats, Floats, Memory]
        arrays = (copied(theta), copied(slope), copied(memory)) if is_own else (theta, slope, memory)
        moved, new = optimizer.update(*arrays, rate, step)
        return moved, new, _are_finite(slope, moved, new)
    moved = np.empty_like(theta)
    new = {name: spare[name] if name in spare else np.empty_like(vector) for name, vector in memory.items()}
    finite = True
    for block in blocks(theta):
        of_block = {name: vector[block] for name, vector in memory.items()}
        moved[block], of_block = optimizer.update(theta[block], slope[block], of_block, rate, step)
        for name, vector in of_block.items():
            new[name][block] = vector
        finite = finite and _are_finite(slope[block], moved[block], of_block)  # while they are in the cache
    return moved, new, finite


def _are_finite(slope: Floats, theta: Floats, memory: Memory) -> bool:
    """Tell whether a gradient, parameters and an optimiser state have neither NaN nor infinity."""
    return all(np.isfinite(vector).all() for vector in (slope, theta, *memory.values()))


def dropout_masks(net: Network, rows: int, seed: int, dtype: str, *, epoch: int, batch: int) -> dict[int, Floats]:
    """Return the dropout mask of every layer that has dropout, (n, dᵢ): 0, or 1/(1 − rate) where a unit stays."""
    masks = {}
    for i, layer in enumerate(net.layers, start=1):
        if layer.dropout:
            stays = dropout_mask((rows, layer.units), layer.dropout, seed, epoch=epoch, batch=batch, layer=i)
            masks[i] = stays.astype(dtype) / np.dtype(dtype).type(1.0 - layer.dropout)
    return masks


def _first_not_finite(
    net: Network,
    z: list[Floats],
    f: list[Floats],
    loss: float,
    delta: list[Floats],
    gradient: Parameters,
    new: list[Floats],
) -> tuple[int, str]:
    """Return the layer and the quantity in which NaN or infinity came up, in the order of the algorithm."""
    last = len(net.layers)
    for i in range(1, last + 1):
        for quantity, values in (("weighted input z", z[i]), ("activation f", f[i])):
            if not np.isfinite(values).all():
                return i, quantity
    if not np.isfinite(loss):
        return last, "loss at the output"
    for i in range(last, 0, -1):
        if not np.isfinite(delta[i]).all():
            return i, "error δ"
    for quantity, vector in (("gradient", gradient.vector), *(("parameter update", v) for v in new)):
        parts = net.parameters(vector)
        for i in range(1, last + 1):
            bias = parts.biases[i - 1]
            if not np.isfinite(parts.weights[i - 1]).all() or (bias is not None and not np.isfinite(bias).all()):
                return i, quantity
    return last, "length of the gradient"


class ReferenceObjective:
    """The loss of all rows and the gradient with penalty, as functions of θ."""

    def __init__(self, task: Task) -> None:
        data = task.split.training
        self.task, self.is_weight, self.shares = task, weight_positions(task.net), data.shares
        self.penalty = task.settings.penalty.of_batch(float(data.weights.sum()))

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """Return the loss and the gradient."""
        net, data = self.task.net, self.task.split.training
        params = net.parameters(theta)
        z, f = forward(net, params, data.x)
        loss = float(np.dot(self.shares, losses(net, data.y, z, f)))
        delta = deltas(net, params, data.y, z, f)
        gradient = gradients(net, f, delta, self.shares)
        slope = gradient.vector
        _add_penalty(slope, self.penalty, theta, self.is_weight)
        if not (np.isfinite(loss) and np.isfinite(slope).all()):
            layer, quantity = _first_not_finite(net, z, f, loss, delta, gradient, [])
            raise DivergenceError(self.task.state.epoch + 1, 1, layer, quantity)
        return loss, slope

    def validation_loss(self, theta: Floats) -> float:
        """Return the loss of the validation rows."""
        validation = self.task.split.validation
        assert validation is not None  # noqa: S101 - for the type checker; lbfgs asks only where there are some
        return evaluate(self.task.net, self.task.net.parameters(theta), validation)
