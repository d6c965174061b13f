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
from ..engines.choice import ENGINES
from ..engines.task import Hooks, Split
from ..engines.threads import allowed
from ..errors import DivergenceError, InputError, unknown_name
from ..network import Network
from .interruption import interruptible
from .loop import Validation
from .progress import progress_bar
from .run import ALL_DONE, INTERRUPTED, Run
from .settings import dtype_of, settings_of
from .splitting import check_weights, split_rows, validation_data

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
        Numbers of rows, or a mask of all rows: a run trains on the first and is validated on the second, as
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
    grid, seed_list = _listed("settings", settings), None if seeds is None else _listed("seeds", seeds)
    fold_list = None if folds is None else _listed("folds", folds)
    if fold_list is not None and validation is not None:
        raise InputError("train_many takes folds or validation, not both: a fold has its own validation rows")
    dtype = dtype_of(x, dtype)
    for member in nets:
        if not isinstance(member, Network):
            raise InputError(f"train_many takes networks, but got {member!r:.60}")
    varied = [_with_seeds(common, mapping, seed_list) for mapping in grid]
    splits = _Splits(x, y, sample_weight, validation, dtype)
    runs = []
    for member, of_grid, (number, fold) in product(nets, varied, enumerate([None] if fold_list is None else fold_list)):
        for named in of_grid:
            split = splits.of(member, named, number, fold)
            runs.append(RunOfMany(_new_run(member, split, named, dtype, splits.fraction), split))
    splits.note_fingerprints(runs)
    return execute_runs(runs, allowed(threads), progress)


class _Splits:
    """The splits of many runs, which share their data and row numbers."""

    def __init__(self, x: Any, y: Any, sample_weight: Any, validation: Validation, dtype: str) -> None:
        self.arrays, self.dtype = (x, y, sample_weight), dtype
        self.fraction = float(validation) if isinstance(validation, (int, float)) else None
        self.held_out = None if validation is None or isinstance(validation, (int, float)) else validation
        # For networks of the same shapes and initial parameters of the same columns:
        self._data: dict[Any, tuple[Data, Data | None]] = {}
        self._rows: dict[Any, tuple[RowNumbers, RowNumbers] | None] = {}

    def of(self, net: Network, named: Mapping[str, Any], number: int, fold: Any) -> Split:
        """Return the split of a run with these settings, on a fold and its number."""
        names = getattr(named.get("initial"), "feature_names", None)
        key = net.inputs, net.outputs, net.loss, names
        if key not in self._data:
            data = prepare(net, *self.arrays, self.dtype, feature_names=names)
            held_out = self.held_out
            self._data[key] = (
                data,
                None if held_out is None else validation_data(net, held_out, self.dtype, data.feature_names),
            )
        data, validation = self._data[key]
        rows = self._rows_of(data, named.get("seed", 0), number, fold)
        return Split(data, validation) if rows is None else Split(data, data, *rows)

    def _rows_of(self, data: Data, seed: Any, number: int, fold: Any) -> tuple[RowNumbers, RowNumbers] | None:
        key = id(data), number if self.fraction is None else seed
        if key not in self._rows:
            rows = None if fold is None else _rows_of_fold(fold, len(data))
            if self.fraction is not None:
                rows = split_rows(data, self.fraction, seed)
            if rows is not None:
                check_weights(data, *rows)
            self._rows[key] = rows
        return self._rows[key]

    @staticmethod
    def note_fingerprints(runs: Iterable[RunOfMany]) -> None:
        """Give each run the fingerprint of its rows, computed once for all runs on the same rows."""
        known: dict[tuple[int, int], str] = {}
        for member in runs:
            split = member.split
            key = id(split.training), id(split.training_rows)
            if key not in known:
                known[key] = split.fingerprint()
            member.run.fingerprint = known[key]


def _new_run(net: Network, split: Split, named: Mapping[str, Any], dtype: str, fraction: float | None) -> Run:
    """Return a run with these settings of :func:`train`, before its first epoch."""
    others = {name: value for name, value in named.items() if name != "initial"}
    settings = settings_of(net, split.row_count, dtype, fraction, **others)
    run = Run.begin(net, settings, named.get("initial"))
    run.feature_names = split.training.feature_names
    run.initial_fingerprint = run.state.fingerprint()
    return run


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


def _rows_of_fold(fold: Any, count: int) -> tuple[RowNumbers, RowNumbers]:
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
class RunOfMany:
    """A run, and its split.

    Attributes
    ----------
    run : Run
    split : Split
        Its data may be those of other runs.
    """

    run: Run
    split: Split


def execute_runs(runs: Sequence[RunOfMany], threads: int, progress: bool | None) -> list[Run]:
    """Execute runs, side by side where their engine can, and return them; :func:`train_many` says how they end."""
    done = 0
    total = sum(member.run.settings.epochs for member in runs)
    with interruptible() as interrupted, progress_bar(total, 0, progress) as report:

        def after_epochs(run: Run, learning_rates: list[float], validation_losses: list[float] | None) -> bool:
            nonlocal done
            done += len(learning_rates)
            run.note_epochs(learning_rates, validation_losses, {})
            if run.epoch == run.settings.epochs:
                run.stopped = ALL_DONE
            report(done, run.history)
            return run.stopped is None

        def hooks(run: Run) -> Hooks:
            return Hooks(
                partial(after_epochs, run), interrupted, sees_state=False, planned=partial(setattr, run, "plan")
            )

        for name, engine in ENGINES.items():
            members = [member for member in runs if member.run.settings.engine == name]
            tasks = [member.run.task(member.split, hooks(member.run)) for member in members]
            for member, outcome in zip(members, engine.execute_many(tasks, threads, interrupted), strict=True):
                _close(member.run, outcome)
    for member in runs:
        if member.run.stopped is None:
            member.run.stopped = INTERRUPTED
    return [member.run for member in runs]


def _close(run: Run, outcome: str | DivergenceError | None) -> None:
    if outcome is not None and (run.stopped is None or isinstance(outcome, DivergenceError)):
        run.stopped = str(outcome)
    if isinstance(outcome, DivergenceError):
        run.error = copy(outcome)
