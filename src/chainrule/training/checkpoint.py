"""Checkpoints: all of a run but its data, in one safe file, written at once or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..data import Floats
from ..definitions import check_handed_in, check_probes
from ..engines.task import Best, Settings, State
from ..errors import InputError
from ..files import read_tensors, write_tensors
from ..model import checked_names, checked_parameters
from ..named import Own, whole
from ..network import Network
from ..optimizers import LBFGS
from .definitions import described
from .history import History
from .run import Run

KIND = "chainrule checkpoint 1"


def write_checkpoint(path: Path, run: Run, fingerprint: str) -> None:
    """Write where a run is.

    Parameters
    ----------
    fingerprint : str
        Of the data, so that the run is not resumed on other data.
    """
    tensors = {"parameters": run.state.theta, "losses": np.array(run.state.losses, dtype=np.float64)}
    tensors |= {f"memory.{name}": vector for name, vector in run.state.memory.items()}
    tensors |= {f"history.{name}": np.array(column) for name, column in run.history.items()}
    if run.best is not None:
        tensors["best"] = run.best.theta
    document = {
        "network": run.network.to_json(),
        "settings": run.settings.to_json(),
        "step": run.state.step,
        "epoch": run.state.epoch,
        "best": None if run.best is None else [run.best.epoch, run.best.loss],
        "columns": list(run.history),
        "stopped": run.stopped,
        "fingerprint": fingerprint,
        "feature_names": run.feature_names,
        "environments": run.environments,
        "own": described(run.network, run.settings),
    }
    write_tensors(path, KIND, tensors, document)


def read_checkpoint(path: Path, own: Own = ()) -> tuple[Run, str]:
    """Return the run of a checkpoint and the fingerprint of its data.

    Raises
    ------
    InputError
        When the file does not exist, is corrupt or is not a checkpoint, or when a definition is missing from `own` or
        is not the one that the run was begun with.
    """
    tensors, document = read_tensors(path, KIND)
    try:
        records = document.get("own", [])
        check_handed_in(records, own)
        net = Network.from_json(document["network"], own)
        settings = Settings.from_json(document["settings"], own)
        check_probes(records, described(net, settings))
        theta = checked_parameters(net, tensors).vector
        if theta.dtype != settings.dtype:
            raise InputError(f"its parameters are {theta.dtype}, but its settings say {settings.dtype}")
        step, epoch = whole("step", document["step"]), whole("epoch", document["epoch"], 0, settings.epochs)
        state = State(theta, _memory(tensors, settings, theta), step, epoch, tensors["losses"].ravel().tolist())
        if document["best"] is not None:
            best_epoch, best_loss = document["best"]
            best_theta = net.parameters(tensors["best"]).vector
            state.best = Best(whole("best epoch", best_epoch, 1, epoch), _loss(best_loss), best_theta)
        stopped, fingerprint = document["stopped"], document["fingerprint"]
        if not (stopped is None or isinstance(stopped, str)) or not isinstance(fingerprint, str):
            raise InputError("why it stopped and what its data were must be texts")
        history = History({name: tensors[f"history.{name}"].tolist() for name in document["columns"]})
        if not state.epoch == len(state.losses) == history.epochs:
            raise InputError("its history does not have one row for each epoch")
        names, environments = document.get("feature_names"), document.get("environments", [])
        if not isinstance(environments, list) or not all(isinstance(one, dict) for one in environments):
            raise InputError("the environments that it was trained in must be a list of objects")
        run = Run(net, settings, state, history, stopped, fingerprint=fingerprint, environments=environments)
        run.feature_names = None if names is None else checked_names(net, names)
        return run, fingerprint
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is a checkpoint that lacks a part: {error}") from error


def _loss(value: object) -> float:
    """Return a loss, which may be infinite."""
    if not isinstance(value, (int, float)):
        raise InputError(f"a loss must be a number, but is {value!r:.60}")
    return float(value)


def _memory(tensors: dict[str, Floats], settings: Settings, theta: Floats) -> dict[str, Floats]:
    """Return what the optimiser remembers, with exactly the vectors that it needs."""
    if not all(np.isfinite(vector).all() for name, vector in tensors.items() if name.startswith(("memory.", "best"))):
        raise InputError("what its optimiser remembers, or its best parameters, contain NaN or infinity")
    needed = {} if isinstance(settings.optimizer, LBFGS) else settings.optimizer.start(theta)
    memory = {name: tensors[f"memory.{name}"] for name in needed}
    if any(vector.shape != theta.shape or vector.dtype != theta.dtype for vector in memory.values()):
        raise InputError("what its optimiser remembers does not fit the network")
    return memory
