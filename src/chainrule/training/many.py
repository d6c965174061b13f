"""``train_many``: independent networks side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from inspect import signature
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..data import Data, RowNumbers, prepare
from ..engines import native
from ..engines.choice import engine_of
from ..engines.task import State, Task, Watch
from ..engines.threads import allowed
from ..errors import DivergenceError, InputError, unknown_name
from ..network import Network
from .interruption import interruptible
from .loop import Validation
from .parts import Parts, check_weights, judged_by, split
from .progress import progress_bar
from .run import ALL_DONE, INTERRUPTED, Run
from .settings import dtype_of, settings_of

_WORKING_MEMORY = 1 << 28  # bytes, of the runs that exist at a time in the engine; about what each needs:
_OF_A_RUN, _OF_A_ROW, _OF_A_PARAMETER = 1 << 22, 40, 80
_KNOWN = ("initial", *(p.name for p in signature(settings_of).parameters.values() if p.kind is p.KEYWORD_ONLY))


def train_many(
    net: Network | Iterable[Network],
    x: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    seeds: Iterable[int] | None = None,
    settings: Iterable[Mapping[str, Any]] = ({},),
    folds: Iterable[tuple[Any, Any]] | None = None,
    validation: Validation = None,
    dtype: DTypeLike | None = None,
    threads: int | None = None,
    progress: bool | None = None,
    **common: Any,
) -> list[Run]:
    """Train independent networks on the same data, side by side, and return their runs.

    There is a run for every network, with all settings, on every fold, from every seed, in this order, the seed
    changing fastest. Each has the bits that :func:`train` gives it alone. The data are not copied. Where the native
    engine executes them, each run has one thread, and as many go on at a time as there are threads.

    A run in which NaN or infinity comes up does not end the others: its ``stopped`` says where, and it has its last
    good parameters. Ctrl-C ends all of them after the step that each is in.

    Parameters
    ----------
    net : Network or iterable of Network
    x : array-like or data frame, shape (n, d₀)
    y : array-like, shape (n, d_L)
    sample_weight : array-like, shape (n,), optional
    seeds : iterable of int, optional
        Such as ``range(64)``; the ``seed`` of the settings, or 0, when left out.
    settings : iterable of mapping
        In what the runs differ: mappings from names of settings of :func:`train` to their values, as
        ``[{"l2": 0.0}, {"l2": 0.1, "optimizer": cr.SGD(0.01)}]``.
    folds : iterable of (training, validation), optional
        Numbers of rows, or a mask of all rows: a run trains on the first and is judged by the second, as
        scikit-learn's ``KFold(5).split(x)`` gives them.
    validation : float or (x, y) or (x, y, sample_weight), optional
        As for :func:`train`, for all runs; not with folds.
    dtype, threads, progress
        As for :func:`train`, for all runs.
    **common
        Settings of :func:`train` that all runs share: optimizer, schedule, epochs, batch_size, l1, l2, clip_norm,
        patience, tolerance, initial (parameters), shuffle, seed and engine.

    Returns
    -------
    list of Run

    Raises
    ------
    InputError
        When an array, a fold or a setting does not fit; before any run begins.

    Examples
    --------
    >>> import chainrule as cr
    >>> runs = cr.train_many(cr.chain(2), [[0.5]], [0.8], seeds=range(3), epochs=10)
    >>> [run.settings.seed for run in runs]
    [0, 1, 2]
    """
    nets = [net] if isinstance(net, Network) else _listed("networks", net)
    grid, given_seeds = _listed("settings", settings), None if seeds is None else _listed("seeds", seeds)
    given_folds = None if folds is None else _listed("folds", folds)
    if given_folds is not None and validation is not None:
        raise InputError("train_many takes folds or validation, not both: a fold has its own validation rows")
    dtype = dtype_of(x, dtype)
    for one in nets:
        if not isinstance(one, Network):
            raise InputError(f"train_many takes networks, but got {one!r:.60}")
    aside = None if validation is None or isinstance(validation, (int, float)) else validation
    wanted = [_with_seeds(common, one, given_seeds) for one in grid]
    fraction = float(validation) if isinstance(validation, (int, float)) else None
    jobs = []
    given: dict[
        Any, tuple[Data, Data | None]
    ] = {}  # for networks of these shapes, and initial parameters of these columns
    parts: dict[Any, tuple[RowNumbers, RowNumbers] | None] = {}  # of a fold, or split off
    for one, of_run, (number, fold) in product(nets, wanted, enumerate([None] if given_folds is None else given_folds)):
        for every in of_run:
            names = getattr(every.get("initial"), "feature_names", None)
            key = one.inputs, one.outputs, one.loss, names
            if key not in given:
                data = prepare(one, x, y, sample_weight, dtype, feature_names=names)
                given[key] = data, None if aside is None else judged_by(one, aside, dtype, data.feature_names)
            data, judged = given[key]
            part = id(data), number if fraction is None else every.get("seed", 0)
            if part not in parts:
                parts[part] = _rows_of(fold, len(data)) if fold is not None else None
                if fraction is not None:
                    parts[part] = split(data, fraction, every.get("seed", 0))
                if (rows := parts[part]) is not None:
                    check_weights(data, *rows)
            jobs.append(Job.of(one, data, judged, parts[part], every, dtype, fraction))
    _note_fingerprints(jobs)
    return execute(jobs, allowed(threads), progress)


def _note_fingerprints(jobs: Iterable[Job]) -> None:
    """Give each run the fingerprint of its rows, computed once for all runs on the same rows."""
    known: dict[tuple[int, int], str] = {}
    for job in jobs:
        key = id(job.data), id(job.rows)
        if key not in known:
            known[key] = job.parts().fingerprint()
        job.run.fingerprint = known[key]


def _listed(what: str, given: Any) -> list[Any]:
    """Return the members of an argument that must have some."""
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise InputError(f"train_many takes a list of {what}, but got {given!r:.60}")
    return list(given)


def _with_seeds(common: Mapping[str, Any], varied: Any, seeds: list[Any] | None) -> list[dict[str, Any]]:
    """Return settings once for every seed."""
    if not isinstance(varied, Mapping):
        raise InputError(f"train_many takes settings as mappings from names to values, but got {varied!r:.60}")
    named = {**common, **varied}
    for name in named:
        if name not in _KNOWN:
            raise unknown_name("setting", name, _KNOWN)
    if seeds is None:
        return [named]
    if "seed" in named:
        raise InputError("train_many takes seeds, or a seed among the settings, not both")
    return [{**named, "seed": seed} for seed in seeds]


def _rows_of(fold: Any, count: int) -> tuple[RowNumbers, RowNumbers]:
    """Return the numbers of a fold's training and validation rows, checked."""
    if not isinstance(fold, (tuple, list)) or len(fold) != 2:
        raise InputError("a fold must be two arrays: the numbers of its training rows and of its validation rows")
    training, validation = (
        _numbers_of(rows, count, what) for rows, what in zip(fold, ("training", "validation"), strict=True)
    )
    return training, validation


def _numbers_of(rows: Any, count: int, what: str) -> RowNumbers:
    try:
        array = np.asarray(rows)
    except ValueError:  # ragged
        array = np.empty(0)
    if array.dtype == np.bool_ and array.shape == (count,):
        array = np.flatnonzero(array)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not len(array):
        raise InputError(f"the {what} rows of a fold must be whole numbers, at least one, or a mask of {count} rows")
    if array.min() < 0 or array.max() >= count:
        raise InputError(f"the {what} rows of a fold must be numbers from 0 to {count - 1}")
    return np.ascontiguousarray(array, dtype=np.int64)


@dataclass(frozen=True)
class Job:
    """A run, and the rows that it is made of.

    Attributes
    ----------
    run : Run
    data, validation : Data
        `validation` may be None.
    rows : tuple of two arrays of int, or None
        Which of the data to train on and which of them to judge by, where it is not all and `validation`.
    """

    run: Run
    data: Data
    validation: Data | None
    rows: tuple[RowNumbers, RowNumbers] | None = None

    @classmethod
    def of(
        cls,
        net: Network,
        data: Data,
        judged: Data | None,
        rows: tuple[RowNumbers, RowNumbers] | None,
        named: Mapping[str, Any],
        dtype: str,
        fraction: float | None,
    ) -> Job:
        """Return the job of a run with these settings of :func:`train`."""
        count = len(data) if rows is None else len(rows[0])
        others = {name: value for name, value in named.items() if name != "initial"}
        settings = settings_of(net, count, dtype, fraction, **others)
        run = Run(net, settings, State.start(net, settings, named.get("initial")), feature_names=data.feature_names)
        run.initial_fingerprint = run.state.fingerprint()
        return cls(run, data, judged if rows is None else data, rows)

    @property
    def is_native(self) -> bool:
        """Whether the native engine can make it beside others; SciPy makes L-BFGS, in Python."""
        return self.run.settings.engine == "native" and not self.run.settings.optimizer.is_full_batch

    @property
    def bytes(self) -> int:
        """About how much memory the native engine needs for it."""
        return _OF_A_RUN + _OF_A_ROW * len(self.data) + _OF_A_PARAMETER * self.run.network.parameter_count

    def task(self, watch: Watch) -> Task:
        """Return what the native engine needs for it."""
        training, validation = self.rows or (None, None)
        run = self.run
        return Task(run.network, run.settings, self.data, self.validation, run.state, watch, training, validation)

    def parts(self) -> Parts:
        """Return the rows to train on and those to judge by."""
        if self.rows is None:
            return Parts(self.data, self.validation)
        return Parts(self.data.take(self.rows[0]), self.data.take(self.rows[1]))

    def alone(self, watch: Watch, threads: int) -> str | DivergenceError | None:
        """Execute it by itself."""
        parts, run = self.parts(), self.run
        engine = engine_of(run.network, run.settings, threads)
        try:
            return engine(run.network, run.settings, parts.training, parts.validation, run.state, watch)
        except DivergenceError as error:
            return error


def execute(jobs: Sequence[Job], threads: int, progress: bool | None) -> list[Run]:
    """Execute runs side by side where the native engine can, and return them; :func:`train_many` says how they end."""
    done = 0
    total = sum(job.run.settings.epochs for job in jobs)
    with interruptible() as interrupted, progress_bar(total, 0, progress) as report:

        def after_epochs(run: Run, learning_rates: list[float], validation_losses: list[float] | None) -> bool:
            nonlocal done
            done += len(learning_rates)
            run.note_epochs(learning_rates, validation_losses, {})
            if run.epoch == run.settings.epochs:
                run.stopped = ALL_DONE
            report(done, run.history)
            return run.stopped is None

        def watch(run: Run) -> Watch:
            return Watch(
                partial(after_epochs, run), interrupted, sees_state=False, planned=partial(setattr, run, "plan")
            )

        native_jobs = [job for job in jobs if job.is_native]
        needed = max((job.bytes for job in native_jobs), default=1)
        at_once = max(threads, _WORKING_MEMORY // needed)
        ended = native.run_many([job.task(watch(job.run)) for job in native_jobs], at_once, threads, interrupted)
        for job, why in zip(native_jobs, ended, strict=True):
            _close(job.run, why)
        for job in jobs:
            if not job.is_native and not interrupted():
                _close(job.run, job.alone(watch(job.run), threads))
    for job in jobs:
        if job.run.stopped is None:
            job.run.stopped = INTERRUPTED
    return [job.run for job in jobs]


def _close(run: Run, why: str | DivergenceError | None) -> None:
    if why is not None and (run.stopped is None or isinstance(why, DivergenceError)):
        run.stopped = str(why)
    if isinstance(why, DivergenceError):
        run.error = copy(why)
