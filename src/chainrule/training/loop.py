"""``train`` and ``resume``: the way from arrays to a :class:`~chainrule.training.Run`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from ..data import prepare
from ..engines.choice import choose, engine_named, predictor_of
from ..engines.engine import Predictor
from ..engines.task import Hooks, Split
from ..engines.threads import allowed
from ..errors import DivergenceError, InputError
from ..files import path_of, remove_leftovers
from ..named import Own, check_function, listed, whole
from ..network import Network
from ..optimizers import Optimizer
from ..parameters import Parameters
from ..schedules import Schedule
from .checkpoint import Origin, Saver, read_checkpoint
from .interruption import interruptible
from .metrics import METRICS, Metric, check_arguments, measure, named_metrics
from .progress import progress_bar
from .run import ALL_DONE, INTERRUPTED, Run
from .settings import check_batch_size, check_settings, dtype_of, settings_of
from .splitting import split_of

Callback: TypeAlias = Callable[[Run], object]
Validation: TypeAlias = float | Sequence[Any] | None


def train(
    net: Network,
    x: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    optimizer: Optimizer | str = "adam",
    schedule: Schedule | str = "constant",
    epochs: int = 100,
    batch_size: int | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    clip_norm: float | None = None,
    validation: Validation = None,
    patience: int | None = None,
    tolerance: float = 0.0,
    metrics: str | Metric | Iterable[str | Metric] = (),
    callbacks: Callback | Iterable[Callback] | None = (),
    initial: Parameters | Run | None = None,
    shuffle: bool = True,
    seed: int = 0,
    dtype: DTypeLike | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 1,
    engine: str = "auto",
    threads: int | None = None,
    progress: bool | None = None,
) -> Run:
    """Train a network and return the run: its parameters, its history and why it ended.

    Ctrl-C ends the run after the step it is in, or gives up a long one; the run is returned with what was learnt.

    The same arguments give the same bits, for any number of threads. On another machine they do so with the same
    instruction set (``CHAINRULE_ISA``), but not with the reference engine, L-BFGS, a schedule or
    ``initializer="orthogonal"``, which go through NumPy, SciPy or LAPACK. ``run.manifest`` records what a run was made
    with.

    Parameters
    ----------
    net : Network
        What to train.
    x : array-like or data frame, shape (n, d₀)
        Inputs. Of a data frame (pandas, Polars or any other that narwhals knows) the names of the columns are kept:
        frames that come later, to validate, resume or predict, are taken by these names, in any order, and their other
        columns do not count. The columns of an array are matched by position.
    y : array-like, shape (n, d_L)
        Targets; (n,) where there is one output, and class numbers 0 … d_L − 1 with cross entropy.
    sample_weight : array-like, shape (n,), optional
        How much each row counts in the mean.
    optimizer : Optimizer or str
        Such as ``cr.Adam(1e-3)`` or "adam".
    schedule : Schedule or str
        By what the learning rate is multiplied as time goes on.
    epochs : int
        How many times to go through the data.
    batch_size : int, optional
        Rows in a step; 32 when left out, or all if there are fewer. The last batch of an epoch may be smaller.
    l1, l2 : float
        Adds l1 Σ|w| + ½ l2 Σw², over all weights and no biases, to the objective.
    clip_norm : float, optional
        The greatest Euclidean length of a gradient; a longer one is shortened to it.
    validation : float or (x, y) or (x, y, sample_weight), optional
        Validation data, evaluated after every epoch; a number in (0, 1) holds out that fraction of x and y.
    patience : int, optional
        Early stopping: ends the run when for so many epochs the validation loss (without validation data, the
        training loss) has not fallen below its best, and goes back to the parameters of the best epoch.
    tolerance : float
        By how much the loss must fall to count, for early stopping.
    metrics : str or callable, or iterable of these
        "accuracy", "r2", "mean_absolute_error" or your own ``f(y, outputs) -> float``, recorded after every
        epoch for training and validation data. Your own gets y as it was passed, so that class numbers stay class
        numbers, and the network's outputs f_L of the shape (n, d_L), such as the probabilities of the classes; or
        (n,) where y is (n,) and there is one output. Where rows have weights, it gets them if it has a parameter
        ``sample_weight``. So scikit-learn's ``log_loss`` and ``mean_squared_error`` can be passed as they are, and one
        that takes classes as ``lambda y, outputs: f1_score(y, outputs.argmax(axis=1), average="macro")``.
    callbacks : callable or iterable of callable
        Each is called with the run after every epoch; one that returns True ends it. None is none.
    initial : Parameters or Run, optional
        Where to start; drawn from the seed when left out. A run is continued, for this many more epochs: with the
        settings and data that it had, to the same bits as one long run, but for L-BFGS and for schedules that depend on
        the number of epochs. It is left as it is.
    shuffle : bool
        Whether each epoch takes the rows in a new random order.
    seed : int
        Decides every random number of the run.
    dtype : {"float64", "float32"} or NumPy dtype, optional
        What to compute in; that of `x` when left out, if it is one of these, else float64.
    checkpoint : path, optional
        A file from which :func:`resume` can continue if the run is killed. It must not exist yet. An optimiser or
        schedule of your own needs a name and a ``to_json`` that lists the settings its ``__init__`` takes, as a frozen
        dataclass has; whether it could be resumed is tried before the first epoch.
    checkpoint_every : int
        After how many epochs it is written anew.
    engine : {"auto", "native", "reference"}
        What executes the run. "auto" takes the native engine where it can: not with an activation or a loss of
        your own.
    threads : int, optional
        How many threads the native engine may use; when left out, ``CHAINRULE_THREADS`` or else the number of cores.
        It uses fewer where more do not pay. The result has the same bits for any number.
    progress : bool, optional
        Whether to show a progress bar; by default when standard error is a terminal.

    Raises
    ------
    InputError
        When an array or a setting does not fit; the message says which and what was expected.
    DivergenceError
        When NaN or infinity comes up. It says where, and its ``run`` has the last good parameters.
    """
    dtype = dtype_of(x, dtype)
    before = initial if isinstance(initial, Run) else None
    data = prepare(net, x, y, sample_weight, dtype, feature_names=getattr(initial, "feature_names", None))
    fraction, held_out = (float(validation), None) if isinstance(validation, (int, float)) else (None, validation)
    split = split_of(net, data, held_out, fraction, seed, dtype)
    settings = settings_of(
        net,
        len(split.training),
        dtype,
        fraction,
        None if checkpoint is None else checkpoint_every,
        optimizer=optimizer,
        schedule=schedule,
        epochs=whole("epochs", epochs, 1) + (0 if before is None else before.epoch),
        batch_size=batch_size,
        l1=l1,
        l2=l2,
        clip_norm=clip_norm,
        patience=patience,
        tolerance=tolerance,
        shuffle=shuffle,
        seed=seed,
        engine=engine,
    )
    run = initial.extended(net, settings) if isinstance(initial, Run) else Run.begin(net, settings, initial)
    run.feature_names, run.fingerprint = data.feature_names, split.fingerprint()
    run.initial_fingerprint = run.state.fingerprint()
    by_name, checked = named_metrics(metrics), checked_callbacks(callbacks)
    _try_out(run, split, by_name)
    saver = None
    if checkpoint is not None:
        saver = Saver(path_of("checkpoint", checkpoint), run.fingerprint, Origin(run.state.epoch, run.state.step))
        saver.begin(run)
    return run_training(run, split, metrics=by_name, callbacks=checked, saver=saver, threads=threads, progress=progress)


def resume(
    checkpoint: str | Path,
    x: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    validation: Sequence[Any] | None = None,
    metrics: str | Metric | Iterable[str | Metric] = (),
    callbacks: Callback | Iterable[Callback] | None = (),
    own: Own = (),
    threads: int | None = None,
    progress: bool | None = None,
) -> Run:
    """Continue a run from its checkpoint, to the same bits as if it had never been stopped.

    Parameters
    ----------
    checkpoint : path
        The file that :func:`train` was given.
    x, y, sample_weight, validation, metrics, callbacks
        What :func:`train` was given. A validation *fraction* is remembered and need not be given.
    own : Activation, Loss, Initializer, Optimizer or Schedule, or an iterable of these
        Your own definitions that the run was begun with. For an optimiser or a schedule its class will do, which is
        then called with the settings of the run.
    threads, progress
        As for :func:`train`.

    Raises
    ------
    InputError
        When there is no such checkpoint, it is corrupt, the data are not those of the run, or a definition is missing
        from `own` or is not the one that the run was begun with.
    DivergenceError
        As for :func:`train`.
    """
    path = path_of("checkpoint", checkpoint)
    run, fingerprint, origin = read_checkpoint(path, own)
    net, settings = run.network, run.settings
    data = prepare(net, x, y, sample_weight, settings.dtype, feature_names=run.feature_names)
    split = split_of(net, data, validation, settings.validation_fraction, settings.seed, settings.dtype)
    if split.fingerprint() != fingerprint:
        raise InputError(f"{path} belongs to a run on other data: resume with the data that it was begun with")
    by_name = named_metrics(metrics)
    columns = {"loss", "learning_rate", *by_name}
    if split.validation is not None:
        columns |= {"validation_loss", *(f"validation_{name}" for name in by_name)}
    begun = 0 if origin is None else origin.epoch  # columns from before then may have ended
    recorded = {name for name, column in run.history.items() if not np.isnan(column[begun:]).all()}
    if run.epoch > begun and not recorded <= columns <= {*run.history}:
        raise InputError(f"{path}: resume with the metrics of the run; it recorded {', '.join(run.history)}")
    check_batch_size(settings, len(split.training))
    check_settings(net, settings)
    if origin is not None:
        _check_steps(path, run, origin, len(split.training))
    remove_leftovers(path)
    if run.stopped is not None:
        return run
    return run_training(
        run,
        split,
        metrics=by_name,
        callbacks=checked_callbacks(callbacks),
        saver=Saver(path, fingerprint, origin),
        threads=threads,
        progress=progress,
    )


def checked_callbacks(given: Callback | Iterable[Callback] | None) -> tuple[Callback, ...]:
    """Return one callback, several or none as a tuple.

    Raises
    ------
    InputError
        When one is not a function that can be called with a run.
    """
    callbacks = () if given is None else listed(given)
    for callback in callbacks:
        check_function("a callback", callback)
        check_arguments(f"the callback {callback!r:.80}", callback, "run")
    return callbacks


def _check_steps(path: Path, run: Run, origin: Origin, rows: int) -> None:
    """Check that a run on this many rows has made as many steps as its epochs have."""
    settings, state = run.settings, run.state
    steps = 1 if settings.optimizer.is_full_batch else -(-rows // settings.batch_size)
    expected = origin.step + (state.epoch - origin.epoch) * steps
    if state.step != expected:
        raise InputError(f"{path}: step must be {expected:,} after {state.epoch:,} epochs, but is {state.step:,}")


def run_training(
    run: Run,
    split: Split,
    *,
    metrics: Mapping[str, Metric] = MappingProxyType({}),
    callbacks: Sequence[Callback] = (),
    saver: Saver | None = None,
    threads: int | None = None,
    progress: bool | None = False,
) -> Run:
    """Train a run from where it is to its end, and return it; :func:`train` documents the arguments."""
    settings = run.settings
    measurement = _Measurement(run, split, metrics)

    def after_epochs(learning_rates: list[float], validation_losses: list[float] | None) -> bool:
        run.note_epochs(learning_rates, validation_losses, measurement())
        answers = [callback(run) for callback in callbacks]
        if run.epoch == settings.epochs:
            run.stopped = ALL_DONE
        elif any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
            run.stopped = "a callback asked to stop"
        due = settings.checkpoint_every is not None and run.epoch % settings.checkpoint_every == 0
        if saver is not None:
            (saver.write if due or run.stopped is not None else saver.remember)(run)
        report(run.epoch, run.history)
        return run.stopped is None

    engine = engine_named(choose(run.network, settings.optimizer, settings.engine))
    thread_count = allowed(threads)
    with interruptible() as interrupted, progress_bar(settings.epochs, run.epoch, progress) as report:
        sees_state = bool(metrics or callbacks or saver)
        hooks = Hooks(after_epochs, interrupted, sees_state, planned=partial(setattr, run, "plan"))
        try:
            why = engine.execute(run.task(split, hooks), thread_count)
        except DivergenceError as error:
            run.stopped, run.error, error.run = str(error), copy(error), run
            raise
    if why is not None and run.stopped is None:
        run.stopped = why
        if saver is not None:
            saver.write(run)
    if run.stopped is None:
        if saver is not None:
            saver.catch_up(run)
        run.stopped = INTERRUPTED
    return run


class _Measurement:
    """The metrics of a run on its training rows and its validation rows, at the current parameters."""

    def __init__(self, run: Run, split: Split, metrics: Mapping[str, Metric]) -> None:
        self.run, self.split, self.metrics = run, split, metrics
        self.predictor: Predictor | None = None

    def __call__(self) -> dict[str, float]:
        if not self.metrics:
            return {}
        net, theta = self.run.network, self.run.state.theta
        if self.predictor is None:
            self.predictor = predictor_of(net, net.parameters(theta), self.run.settings.engine)
        else:
            self.predictor.follow(theta)
        measured: dict[str, float] = {}
        for prefix, data in (("", self.split.training), ("validation_", self.split.validation)):
            if data is not None:
                outputs = self.predictor(data.x)
                measured |= {
                    prefix + name: measure(name, metric, data, outputs) for name, metric in self.metrics.items()
                }
        return measured


def _try_out(run: Run, split: Split, metrics: Mapping[str, Metric]) -> None:
    """Call metrics of the caller's own before the first epoch, to find errors in them."""
    own = {name: metric for name, metric in metrics.items() if METRICS.get(name) is not metric}
    _Measurement(run, Split(split.training), own)()
