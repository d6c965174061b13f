"""The C++ extension; see native/module.cpp."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

activations: list[str]
losses: list[str]
optimizers: dict[str, str]
compiler: str

def instruction_sets() -> list[str]: ...
def function(name: str, x: NDArray[np.floating], isa: str) -> NDArray[np.floating]: ...
def activation(
    name: str, parameter: float, z: NDArray[np.floating], isa: str
) -> tuple[NDArray[np.floating], NDArray[np.floating]]: ...

class Description:
    def __init__(
        self, widths: Sequence[int], activations: Sequence[tuple[str, float]], biases: Sequence[bool]
    ) -> None: ...

class Settings:
    def __init__(
        self,
        loss: str,
        loss_parameter: float,
        divisor: float,
        optimizer: str,
        constants: Sequence[float],
        remembers: int,
        dropout: Sequence[float],
        l1: float,
        l2: float,
        penalty_by_weight: bool,
        penalty_in_loss: bool,
        clip_norm: float,
        batch_size: int,
        shuffle: bool,
        seed: int,
        stopping: str,
        patience: int,
        tolerance: float,
        loss_weighting: str,
    ) -> None: ...

class Plan:
    @property
    def path(self) -> str: ...
    @property
    def threads(self) -> int: ...
    @property
    def panel_rows(self) -> int: ...
    @property
    def groups(self) -> int: ...
    @property
    def chunk_rows(self) -> int: ...

class Ahead:
    def __init__(self, rates: NDArray[np.float64], first_epoch: int) -> None: ...

class Predictor64:
    def __init__(self, description: Description, theta: NDArray[np.floating], isa: str) -> None: ...
    def follow(self, theta: NDArray[np.floating]) -> None: ...
    def predict(self, x: NDArray[np.floating], threads: int) -> NDArray[np.floating]: ...

class Predictor32(Predictor64): ...

class Table64:
    def __init__(
        self,
        x: NDArray[np.floating],
        y: NDArray[np.floating],
        weights: NDArray[np.floating],
        numbers: NDArray[np.int64] | None = None,
    ) -> None: ...

class Table32(Table64): ...

class Trainer64:
    def __init__(
        self,
        description: Description,
        settings: Settings,
        training: Table64,
        validation: Table64,
        threads: int,
        isa: str,
    ) -> None: ...
    def set(
        self, theta: NDArray[np.floating], memory: Sequence[NDArray[np.floating]], step: int, epoch: int
    ) -> None: ...
    def set_best(self, epoch: int, loss: float) -> None: ...
    def set_shuffling(self, key: NDArray[np.uint32], position: int, order: NDArray[np.int64]) -> None: ...
    def get_shuffling(self, key: NDArray[np.uint32], order: NDArray[np.int64]) -> int: ...
    def set_plateau(self, waited: int, lowest_loss: float) -> None: ...
    def advance(self, ahead: Ahead, steps: int, seconds: float, interrupted: Callable[[], bool]) -> str: ...
    def objective(
        self, theta: NDArray[np.floating], interrupted: Callable[[], bool]
    ) -> tuple[float, NDArray[np.floating]] | None: ...
    def validation_loss(self, theta: NDArray[np.floating], interrupted: Callable[[], bool]) -> float | None: ...
    def get(self, theta: NDArray[np.floating], memory: Sequence[NDArray[np.floating]]) -> None: ...
    def take_best(self) -> NDArray[np.floating] | None: ...
    @property
    def losses(self) -> list[float]: ...
    @property
    def validation_losses(self) -> list[float]: ...
    @property
    def step(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def best_epoch(self) -> int: ...
    @property
    def best_loss(self) -> float: ...
    @property
    def plan(self) -> Plan: ...
    @property
    def rows(self) -> int: ...

class Trainer32(Trainer64): ...

def advance_many(
    trainers: Sequence[Trainer64],
    ahead: Sequence[Ahead],
    seconds: float,
    threads: int,
    interrupted: Callable[[], bool],
) -> list[str | None]: ...
