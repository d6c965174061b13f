"""The C++ extension; see native/module.cpp."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

activations: list[str]
compiler: str

def instruction_sets() -> list[str]: ...
def function(name: str, x: NDArray[np.floating], isa: str) -> NDArray[np.floating]: ...

class Predictor32:
    def __init__(
        self,
        widths: Sequence[int],
        activations: Sequence[tuple[str, float]],
        biases: Sequence[bool],
        theta: NDArray[np.float32],
        isa: str,
    ) -> None: ...
    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]: ...

class Predictor64:
    def __init__(
        self,
        widths: Sequence[int],
        activations: Sequence[tuple[str, float]],
        biases: Sequence[bool],
        theta: NDArray[np.float64],
        isa: str,
    ) -> None: ...
    def predict(self, x: NDArray[np.float64]) -> NDArray[np.float64]: ...
