"""Checkpoints: all of a run but its data, in one safe file, written at once or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
from msgspec import Meta, Struct, to_builtins
from numpy.typing import NDArray

from ..data import Floats
from ..definitions import check_handed_in, check_probes
from ..engines.choice import engine_named
from ..engines.settings import MAX_EPOCHS, Settings
from ..engines.state import Best, State
from ..errors import InputError
from ..files import check_is_file_or_free, read_tensors, remove_leftovers, write_tensors
from ..model import checked_names, checked_parameters
from ..named import JSON, Own, plain, whole
from ..network import Network
from ..optimizers import Optimizer
from ..schedules import Schedule
from ..schema import typed
from .definitions import described, own_definitions
from .history import History
from .run import Run

KIND = "chainrule checkpoint 1"

# More steps than an epoch has rows do not occur, and the number of all steps stays far from the end of 64 bits.
_MAX_STEPS_OF_EPOCH = 2**31

_Epochs: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_EPOCHS)]
_Steps: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_EPOCHS * _MAX_STEPS_OF_EPOCH)]


class Origin(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the run that a checkpoint belongs to began: elsewhere than at 0 if it continues another run.

    Attributes
    ----------
    epoch, step : int
    """

    epoch: _Epochs = 0
    step: _Steps = 0


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON document of a checkpoint.

    Attributes
    ----------
    network, settings : JSON
        :meth:`Network.from_json` and :meth:`Settings.from_json` read them.
    step, epoch : int
    best : list of the best epoch and its loss, or None
    columns : list of str
        The names of the history's columns.
    stopped : str or None
    fingerprint : str
        Of the data.
    origin : Origin or None
    feature_names : list of str or None
    environments : list of dict
        In which the run was trained.
    own : JSON
        What the definitions of one's own are recognised by: see :mod:`chainrule.definitions`.
    initial_fingerprint : str or None
        Of where the run began.

    Files of earlier versions lack the last five.
    """

    network: JSON
    settings: JSON
    step: _Steps
    epoch: _Epochs
    best: tuple[Annotated[int, Meta(ge=1)], float] | None
    columns: list[str]
    stopped: str | None
    fingerprint: str
    origin: Origin | None = None
    feature_names: list[str] | None = None
    environments: list[dict[str, JSON]] = []
    own: JSON = []
    initial_fingerprint: str | None = None


@dataclass
class Saver:
    """Writes the checkpoints of one run; each holds the state after a whole epoch.

    Attributes
    ----------
    path : Path
    fingerprint : str
        Of the data, so that the run is not resumed on other data.
    origin : Origin or None
        Where the run began, if that is known.
    unwritten : State or None
        The state after the last epoch, if there is no checkpoint of it.
    """

    path: Path
    fingerprint: str
    origin: Origin | None
    unwritten: State | None = None

    def begin(self, run: Run) -> None:
        """Write the first checkpoint.

        Raises
        ------
        InputError
            When the file exists, its folder does not, or the run could not be resumed from it.
        """
        check_is_file_or_free(self.path)
        if not self.path.parent.is_dir():
            raise InputError(f"cannot write {self.path}: there is no folder {self.path.parent}; create it first")
        if self.path.exists():
            raise InputError(
                f"{self.path} exists: continue that run with resume, or remove the file to begin a new one"
            )
        check_resumable(run)
        remove_leftovers(self.path)
        self.write(run)

    def write(self, run: Run) -> None:
        """Write a checkpoint."""
        write_checkpoint(self.path, run, self.fingerprint, self.origin)
        self.unwritten = None

    def remember(self, run: Run) -> None:
        """Keep the state after an epoch for which no checkpoint is due."""
        self.unwritten = run.state.copy()

    def catch_up(self, run: Run) -> None:
        """Write the last epoch of a run that is interrupted in the next one."""
        if self.unwritten is not None:
            self.write(replace(run, state=self.unwritten))


def write_checkpoint(path: Path, run: Run, fingerprint: str, origin: Origin | None) -> None:
    """Write where a run is. What killed writers left stays, since a run may write many checkpoints beside many files.

    Parameters
    ----------
    fingerprint : str
        Of the data, so that the run is not resumed on other data.
    origin : Origin or None
        Where the run began, if that is known.
    """
    write_tensors(path, KIND, *_contents_of(run, fingerprint, origin), tidy=False)


def check_resumable(run: Run) -> None:
    """Check that a run can be resumed from its checkpoints, by writing one in memory and reading it.

    Raises
    ------
    InputError
        When it cannot: the message names the definition, and says what is wrong with it.
    """
    tensors, content = _contents_of(run, "", None)
    own = [probe.definition for probe in own_definitions(run.network, run.settings)]
    needed = "; to_json() must return what __init__ takes"
    for definitions, advice in ((own, ""), ([_class_of(thing) for thing in own], needed)):
        try:
            _run_of(tensors, json.loads(json.dumps(content)), definitions)
        except InputError as error:
            raise InputError(f"the run could not be resumed from its checkpoint: {error}{advice}") from error


def read_checkpoint(path: Path, own: Own = ()) -> tuple[Run, str, Origin | None]:
    """Return the run of a checkpoint, the fingerprint of its data, and where the run began if that is known.

    Raises
    ------
    InputError
        When the file does not exist, is corrupt or is not a checkpoint, or when a definition is missing from `own` or
        is not the one that the run was begun with.
    """
    tensors, content = read_tensors(path, KIND)
    try:
        return _run_of(tensors, content, own)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except RecursionError as error:
        raise InputError(f"{path}: its JSON document is nested too deeply") from error


def _class_of(thing: Any) -> Any:
    """Return the class of an optimiser or schedule where it will do in `own`, else the thing itself."""
    has_class = isinstance(thing, (Optimizer, Schedule)) and getattr(type(thing), "name", None) == thing.name
    return type(thing) if has_class else thing


def _contents_of(run: Run, fingerprint: str, origin: Origin | None) -> tuple[dict[str, NDArray[Any]], JSON]:
    """Return the tensors and the JSON document of a checkpoint."""
    own = described(run.network, run.settings)  # first, for its complaints
    tensors = {"parameters": run.state.theta, "losses": np.array(run.state.losses, dtype=np.float64)}
    tensors |= {f"memory.{name}": vector for name, vector in run.state.memory.items()}
    tensors |= {f"history.{name}": np.array(column) for name, column in run.history.items()}
    if run.best is not None:
        tensors["best"] = run.best.theta
    document = _Document(
        network=run.network.to_json(),
        settings=run.settings.to_json(),
        step=run.state.step,
        epoch=run.state.epoch,
        best=None if run.best is None else (run.best.epoch, run.best.loss),
        columns=list(run.history),
        stopped=run.stopped,
        fingerprint=fingerprint,
        origin=origin,
        feature_names=None if run.feature_names is None else list(run.feature_names),
        environments=run.environments,
        initial_fingerprint=run.initial_fingerprint,
        own=own,
    )
    return tensors, to_builtins(document, enc_hook=plain)


def _run_of(tensors: dict[str, Floats], content: JSON, own: Own) -> tuple[Run, str, Origin | None]:
    """Return what :func:`read_checkpoint` does, from the tensors and the JSON document."""
    document = typed("its document", content, _Document)
    check_handed_in(document.own, own)
    net, settings = Network.from_json(document.network, own), Settings.from_json(document.settings, own)
    engine_named(settings.engine)
    check_probes(document.own, described(net, settings))
    theta = checked_parameters(net, tensors).vector
    if theta.dtype != settings.dtype:
        raise InputError(f"its parameters are {theta.dtype}, but its settings say {settings.dtype}")
    state = State(
        theta,
        _memory(tensors, settings, theta),
        whole("step", document.step, document.epoch, document.epoch * _MAX_STEPS_OF_EPOCH),
        whole("epoch", document.epoch, 0, settings.epochs),
        _column(tensors, "losses", document.epoch).tolist(),
    )
    columns = {name: _column(tensors, f"history.{name}", state.epoch).tolist() for name in document.columns}
    if state.epoch and "loss" not in columns:
        raise InputError("its history has no losses")
    if document.best is not None:
        epoch, loss = document.best
        state.best = Best(whole("best epoch", epoch, 1, state.epoch), loss, _like(theta, tensors, "best"))
        _check_best(state.best, columns)
    if document.origin is not None:
        whole("origin.epoch", document.origin.epoch, 0, state.epoch)
    run = Run(
        net,
        settings,
        state,
        History(columns),
        document.stopped,
        feature_names=None if document.feature_names is None else checked_names(net, document.feature_names),
        fingerprint=document.fingerprint,
        environments=document.environments,
        initial_fingerprint=document.initial_fingerprint,
    )
    return run, document.fingerprint, document.origin


def _check_best(best: Best, columns: Mapping[str, list[float]]) -> None:
    """Check that the loss of the best epoch is that of the history."""
    losses = [columns[name][best.epoch - 1] for name in ("validation_loss", "loss") if name in columns]
    if not any(np.array_equal(best.loss, loss, equal_nan=True) for loss in losses):
        raise InputError(f"its best loss is {best.loss:g}, but in epoch {best.epoch} the loss was {losses[0]:g}")


def _tensor(tensors: dict[str, Floats], name: str) -> Floats:
    if name not in tensors:
        raise InputError(f"it holds no tensor named {name:.80}")
    return tensors[name]


def _column(tensors: dict[str, Floats], name: str, epochs: int) -> Floats:
    """Return a tensor that has one number for each epoch."""
    column = _tensor(tensors, name)
    if column.shape != (epochs,):
        raise InputError(f"its tensor {name:.80} has the shape {column.shape}, but must be ({epochs},): one per epoch")
    return column


def _like(theta: Floats, tensors: dict[str, Floats], name: str) -> Floats:
    """Return a tensor that has a finite number for each parameter."""
    vector = _tensor(tensors, name)
    if vector.shape != theta.shape or vector.dtype != theta.dtype:
        raise InputError(
            f"its tensor {name} has the shape {vector.shape} in {vector.dtype}, but the parameters have {theta.shape} "
            f"in {theta.dtype}"
        )
    if not np.isfinite(vector).all():
        raise InputError(f"its tensor {name} contains NaN or infinity")
    return vector


def _memory(tensors: dict[str, Floats], settings: Settings, theta: Floats) -> dict[str, Floats]:
    """Return the optimiser's state, with exactly the vectors that it needs."""
    return {name: _like(theta, tensors, f"memory.{name}") for name in settings.optimizer.start(theta)}
