"""From what :func:`chainrule.train` is given to the settings of a run."""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

from ..engines.choice import choose
from ..engines.settings import Settings
from ..engines.stopping import Patience, StoppingRule
from ..errors import InputError
from ..named import dtype_name, number
from ..network import Network
from ..optimizers import LBFGS, OPTIMIZERS, Optimizer
from ..regularization import Penalty
from ..schedules import SCHEDULES, Schedule
from .definitions import check_optimizer, check_schedule

DEFAULT_BATCH_SIZE = 32


def dtype_of(x: Any, wanted: DTypeLike | None) -> str:
    """Return what to compute in: what is wanted, or else the dtype of x if it is one that can be.

    Raises
    ------
    InputError
        When another is wanted.
    """
    if wanted is not None:
        return dtype_name(wanted)
    return str(x.dtype) if str(getattr(x, "dtype", "")) in ("float32", "float64") else "float64"


def settings_of(
    net: Network,
    rows: int,
    dtype: str,
    validation_fraction: float | None = None,
    checkpoint_every: int | None = None,
    *,
    optimizer: Optimizer | str = "adam",
    schedule: Schedule | str = "constant",
    epochs: int = 100,
    batch_size: int | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    clip_norm: float | None = None,
    patience: int | None = None,
    tolerance: float = 0.0,
    shuffle: bool = True,
    seed: int = 0,
    engine: str = "auto",
) -> Settings:
    """Return the settings of a run on so many rows, checked; :func:`train` documents each.

    Raises
    ------
    InputError
        When a setting is out of range, or does not fit the network or the rows.
    """
    optimizer = OPTIMIZERS.find(optimizer)
    settings = Settings(
        optimizer=optimizer,
        schedule=SCHEDULES.find(schedule),
        epochs=epochs,
        batch_size=min(DEFAULT_BATCH_SIZE, rows) if batch_size is None else batch_size,
        penalty=Penalty(l1, l2),
        clip_norm=clip_norm,
        shuffle=shuffle,
        seed=seed,
        dtype=dtype,
        validation_fraction=validation_fraction,
        stopping=_stopping_of(patience, tolerance),
        checkpoint_every=checkpoint_every,
        engine=choose(net, optimizer, engine),
    )
    check_batch_size(settings, rows)
    check_settings(net, settings)
    return settings


def _stopping_of(patience: int | None, tolerance: float) -> StoppingRule | None:
    """Return the stopping rule that patience and tolerance describe; the tolerance is checked in any case."""
    number("tolerance", tolerance, 0.0)
    return None if patience is None else Patience(patience, tolerance)


def check_batch_size(settings: Settings, rows: int) -> None:
    """Check that a batch is not larger than the data.

    Raises
    ------
    InputError
        When it is.
    """
    if settings.batch_size > rows:
        raise InputError(f"batch_size {settings.batch_size} is larger than the {rows} rows to train on")


def check_settings(net: Network, settings: Settings) -> None:
    """Check that optimiser and schedule can do what they are asked for; those of your own are tried out.

    Raises
    ------
    InputError
        When one cannot.
    """
    _check_lbfgs(net, settings)
    check_optimizer(settings.optimizer, net.parameter_count, settings.dtype)
    check_schedule(settings.schedule, settings.epochs)


def _check_lbfgs(net: Network, settings: Settings) -> None:
    """Check that L-BFGS, where it is the optimiser, is not asked for what it cannot do.

    Raises
    ------
    InputError
        When it is.
    """
    if settings.optimizer.is_full_batch:
        if not isinstance(settings.optimizer, LBFGS):
            raise InputError(
                f"{type(settings.optimizer).__name__} has is_full_batch=True, which only LBFGS can have: leave it "
                "False and use a batch_size of all rows"
            )
        if type(settings.optimizer) is not LBFGS:
            raise InputError(
                f"{type(settings.optimizer).__name__} is a subclass of LBFGS; its methods would be "
                "ignored because SciPy "
                "executes L-BFGS: make it a subclass of Optimizer"
            )
        unfit = {
            "dropout": any(layer.dropout for layer in net.layers),
            "clip_norm": settings.clip_norm is not None,
            "a schedule": settings.schedule.name != "constant",
        }
        for what, present in unfit.items():
            if present:
                raise InputError(f"lbfgs searches along a line and cannot use {what}: use another optimizer")
