"""The interface of an engine: what :mod:`chainrule.engines.choice` chooses from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..data import Floats
from ..errors import DivergenceError
from ..network import Network
from ..optimizers import Optimizer
from ..parameters import Parameters
from .settings import Settings
from .task import Task


class Objective(Protocol):
    """The objective of a full-batch optimiser, as functions of θ."""

    def __call__(self, theta: Floats) -> tuple[float, Floats] | None:
        """Return the loss of all training rows without penalty, and the gradient with it; None if interrupted.

        Raises
        ------
        DivergenceError
            When a number is not finite.
        """

    def validation_loss(self, theta: Floats) -> float | None:
        """Return the loss of the validation rows, which must exist; None if interrupted."""


class Predictor(Protocol):
    """A function from x, (n, d₀), to the outputs f_L, (n, d_L), in the dtype of its parameters."""

    @property
    def dtype(self) -> Any:
        """The dtype of the parameters."""

    def __call__(self, x: Any, threads: int | None = None) -> Floats:
        """Return the outputs of every row."""

    def follow(self, theta: Floats) -> None:
        """Take other parameters, of the same dtype."""


class Engine(Protocol):
    """Executes runs and predicts.

    Attributes
    ----------
    limits : str
        What the engine cannot execute and why, for error messages.
    """

    limits: str

    def can_run(self, net: Network, optimizer: Optimizer) -> bool:
        """Tell whether the engine can execute a run of this network by this optimiser."""

    def can_predict(self, net: Network) -> bool:
        """Tell whether the engine can compute the outputs of this network."""

    def runs_in_batch(self, settings: Settings) -> bool:
        """Tell whether :meth:`execute_many` executes such a run at the same time as others."""

    def execute(self, task: Task, threads: int) -> str | None:
        """Train until the last epoch, or until a hook or a stopping rule ends the run.

        The state changes in place, by whole steps.

        Returns
        -------
        str or None
            Why the run ended before its last epoch, if early stopping or the optimiser ended it.

        Raises
        ------
        DivergenceError
            When a number is not finite; the state is that before the step.
        """

    def execute_many(
        self, tasks: Sequence[Task], threads: int, interrupted: Callable[[], bool]
    ) -> list[str | DivergenceError | None]:
        """Execute independent runs; return for each what :meth:`execute` returns, or the error that it raises.

        Parameters
        ----------
        interrupted : callable
            Called every 50 ms or so; returns whether to stop all of them.
        """

    def objective(self, task: Task, threads: int) -> Objective:
        """Return the objective of a task, for a full-batch optimiser."""

    def predictor(self, net: Network, params: Parameters) -> Predictor:
        """Return the function from inputs to outputs, for a network that :meth:`can_predict`."""


def execute_one_by_one(
    engine: Engine, tasks: Sequence[Task], threads: int, interrupted: Callable[[], bool]
) -> list[str | DivergenceError | None]:
    """Execute tasks one after the other, each with all threads, as :meth:`Engine.execute_many` does."""
    outcomes: list[str | DivergenceError | None] = [None] * len(tasks)
    for k, task in enumerate(tasks):
        if interrupted():
            break
        try:
            outcomes[k] = engine.execute(task, threads)
        except DivergenceError as error:
            outcomes[k] = error
    return outcomes
