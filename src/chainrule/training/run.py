"""A run, while it trains and afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..data import Floats, Names
from ..definitions import changed
from ..engines.settings import Settings
from ..engines.state import Best, State
from ..engines.task import Hooks, Split, Task
from ..errors import DivergenceError, InputError
from ..model import Model
from ..named import JSON, plain
from ..network import Network
from ..optimizers import Optimizer
from ..parameters import Parameters
from .definitions import own_definitions
from .history import History
from .manifest import environment

# Why a run ended, where nothing in particular ended it.
ALL_DONE = "all epochs done"
INTERRUPTED = "interrupted"


@dataclass
class Run:
    """What :func:`chainrule.train` returns, and what it hands to callbacks after every epoch.

    Attributes
    ----------
    network : Network
    settings : Settings
        Every setting of the run.
    history : History
        Losses, learning rate and metrics of every epoch.
    stopped : str or None
        Why the run ended, in words; None while it goes on.
    state : State
        Where the run is: parameters, optimiser's memory, step, epoch.
    plan : str or None
        How the engine goes about the run, in words: instruction set, threads, rows at a time. None before it starts.
    error : DivergenceError or None
        What ended it, where a number was not finite: without a traceback, which would keep the data in memory.
    feature_names : tuple of str or None
        The columns of the data frame that x was passed as; None where it was an array.
    fingerprint : str or None
        Differs when any number of the data differs; None where the data are not known.
    environments : list of dict
        Versions, engine and instruction set of the process that began the run, and of those in which it was resumed,
        where they differ.
    initial_fingerprint : str or None
        The fingerprint of the state in which the run began; None where that is not known.
    """

    network: Network
    settings: Settings
    state: State
    history: History = field(default_factory=History)
    stopped: str | None = None
    plan: str | None = None
    error: DivergenceError | None = None
    feature_names: Names | None = None
    fingerprint: str | None = field(default=None, repr=False)
    environments: list[JSON] = field(default_factory=list)
    initial_fingerprint: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        current = environment(self.settings.engine)
        if not self.environments or self.environments[-1] != current:
            self.environments = [*self.environments, current]

    @classmethod
    def begin(cls, network: Network, settings: Settings, initial: Parameters | None = None) -> Run:
        """Return a run before its first epoch, from initial parameters or else from the seed.

        Raises
        ------
        InputError
            When the initial parameters are not those of the network, or not finite.
        """
        return cls(network, settings, State.start(network, settings.optimizer, initial, settings.seed, settings.dtype))

    @property
    def manifest(self) -> JSON:
        """What has to be the same for another run to have the same bits, as a JSON object.

        ``chainrule_version``, ``numpy_version``, ``scipy_version``, ``python_version``, ``engine`` and
        ``instruction_set`` (None with the reference engine) are those of the process that began the run; ``resumed``
        lists those of later processes where they differ. ``seed``, ``settings``, ``network``, ``feature_names``,
        ``data_fingerprint`` and ``initial_fingerprint`` are the run's: the latter is that of the initial parameters
        and, where the run continues another, of all that it continues from. ``definitions`` lists your own
        definitions, with the values that their functions return at a few points (none for initialisers, which the
        initial parameters show).

        Three things are not in it: callbacks, which may end a run or change it; what your own functions do
        elsewhere than at these points; and the machine, on which the bits of the reference engine, L-BFGS, schedules
        and ``initializer="orthogonal"`` depend, because NumPy, SciPy and LAPACK have kernels for each.
        """
        begun, *resumed = self.environments
        manifest = {
            **begun,
            "resumed": resumed,
            "seed": self.settings.seed,
            "settings": self.settings.to_json(),
            "network": self.network.to_json(),
            "feature_names": self.feature_names,
            "data_fingerprint": self.fingerprint,
            "initial_fingerprint": self.initial_fingerprint,
            "definitions": [
                {"kind": probe.kind, "name": probe.definition.name, "values": probe.values}
                for probe in own_definitions(self.network, self.settings)
            ],
        }
        return json.loads(json.dumps(manifest, default=_plain_or_text))

    @property
    def epoch(self) -> int:
        """How many epochs have been completed."""
        return self.state.epoch

    @property
    def best(self) -> Best | None:
        """With early stopping, the best epoch so far."""
        return self.state.best

    @property
    def parameters(self) -> Parameters:
        """The parameters: those of the best epoch where early stopping restores it, otherwise the last."""
        best = self.best if self.settings.restores_best else None
        theta = self.state.theta if best is None else best.theta
        return self.network.parameters(theta).named(self.feature_names)

    @property
    def model(self) -> Model:
        """The network with these parameters."""
        return Model(self.network, self.parameters, feature_names=self.feature_names)

    def extended(self, network: Network, settings: Settings) -> Run:
        """Return a run that continues this one with other settings; their `epochs` include those of this run.

        Raises
        ------
        InputError
            When network, definitions, dtype or the kind of optimiser are not those of this run.
        """
        ours = self.settings
        for what, fits, before, now in (
            ("network", self.network == network, self.network, network),
            ("dtype", ours.dtype == settings.dtype, ours.dtype, settings.dtype),
            ("optimizer", self.can_continue_with(settings.optimizer), ours.optimizer, settings.optimizer),
        ):
            if not fits:
                raise InputError(f"a run can only be continued with its own {what}: it had {before!r}, not {now!r}")
        if (name := changed(self.network, network)) is not None:
            raise InputError(f"a run can only be continued with its own definitions: {name!r} is a different function")
        return Run(network, settings, self.state.copy(), History(self.history), feature_names=self.feature_names)

    def can_continue_with(self, optimizer: Optimizer) -> bool:
        """Tell whether the optimiser state of this run is one of this optimiser."""
        vectors = {*optimizer.start(self.state.theta[:0])}
        return self.settings.optimizer.name == optimizer.name and {*self.state.memory} == vectors

    def task(self, split: Split, hooks: Hooks) -> Task:
        """Return what an engine needs to train from here to the last epoch."""
        return Task(self.network, self.settings, self.state, split, hooks)

    def note_epochs(
        self, learning_rates: list[float], validation_losses: list[float] | None, measured: dict[str, float]
    ) -> None:
        """Write down the epochs that an engine has just completed, the last with what was measured after it."""
        columns = {"loss": self.state.losses[-len(learning_rates) :], "learning_rate": learning_rates}
        of_validation = {} if validation_losses is None else {"validation_loss": validation_losses}
        for name, value in measured.items():
            (of_validation if name.startswith("validation_") else columns)[name] = [value]
        self.history.extend(columns | of_validation)

    def predict(self, x: Any) -> Floats:
        """Return the outputs f_L, (n, d₀) → (n, d_L); see :meth:`Model.predict`."""
        return self.model.predict(x)

    def save(self, path: str | Path) -> None:
        """Write the network and its parameters to a safetensors file; see :meth:`Model.save`."""
        self.model.save(path)

    def __repr__(self) -> str:
        widths = "-".join(map(str, self.network.widths))
        loss = f", loss {self.history['loss'][-1]:.4g}" if self.history else ""
        return f"Run({widths}, {self.epoch} of {self.settings.epochs} epochs{loss}: {self.stopped or 'running'})"


def _plain_or_text(value: object) -> object:
    """Return a value for JSON, as text where it has no JSON form."""
    try:
        return plain(value)
    except TypeError:
        return repr(value)
