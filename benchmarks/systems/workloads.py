"""What is trained: networks with tanh or relu layers, their data, and how many rows a step has."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

import chainrule as cr

LEARNING_RATE = 1e-3
MNIST_VARIABLE = "CHAINRULE_MNIST"
HOW_TO_GET_MNIST = (
    "name mnist.npz with --mnist; this makes it: from sklearn.datasets import fetch_openml; x, y = fetch_openml("
    "'mnist_784', return_X_y=True, as_frame=False); numpy.savez('mnist.npz', X_train=x[:60000].astype('u1'), "
    "y_train=y[:60000].astype('u1'))"
)


@dataclass(frozen=True)
class Workload:
    """A network, its rows, and how it is trained: by Adam, a chain by plain gradient descent, rows in their order.

    After `epochs` epochs the losses of all systems are compared; each trains at least so long.
    """

    widths: tuple[int, ...]
    hidden: str
    classes: bool
    rows: int
    batch: int
    epochs: int = 2
    chain: bool = False
    mnist: bool = False

    @property
    def steps(self) -> int:
        """How many steps an epoch has."""
        return self.rows // self.batch

    @property
    def flops(self) -> int:
        """The additions and multiplications of the matrix products of a step: forward, gradient, and errors back."""
        products = [before * units for before, units in zip(self.widths, self.widths[1:], strict=False)]
        return 2 * self.batch * (2 * sum(products) + sum(products[1:]))

    def network(self) -> cr.Network:
        """Return the network."""
        if self.chain:
            return cr.chain(len(self.widths) - 1, self.hidden)
        hidden = [cr.Dense(width, self.hidden) for width in self.widths[1:-1]]
        output = cr.Dense(self.widths[-1], "softmax" if self.classes else "identity")
        return cr.Network(self.widths[0], [*hidden, output], "cross_entropy" if self.classes else "squared_error")

    def data(self) -> tuple[Any, Any]:
        """Return x and y, in float32: MNIST, or what can be learnt but not by heart: noise on a linear rule."""
        if self.mnist:
            with np.load(os.environ[MNIST_VARIABLE]) as file:
                x, y = file["X_train"][: self.rows], file["y_train"][: self.rows]
            return x.astype(np.float32) / np.float32(255), y.astype(np.int64)
        random = np.random.default_rng(0)
        x = random.normal(size=(self.rows, self.widths[0])).astype(np.float32)
        rule = random.normal(size=(self.widths[0], self.widths[-1])) / np.sqrt(self.widths[0])
        noisy = x @ rule + random.normal(size=(self.rows, self.widths[-1]))
        return x, noisy.argmax(axis=1) if self.classes else (0.3 * noisy).astype(np.float32)


WORKLOADS = {
    "chain of 10": Workload((1,) * 11, "tanh", False, 2000, 1, chain=True),
    "2-16-16-1": Workload((2, 16, 16, 1), "tanh", False, 3200, 32),
    "4-32-3": Workload((4, 32, 3), "relu", True, 3200, 32),
    "64-100-10": Workload((64, 100, 10), "relu", True, 4000, 200),
    "16-64-26": Workload((16, 64, 26), "relu", True, 4000, 200),
    "784-128-10": Workload((784, 128, 10), "relu", True, 12800, 128),
    # The 60,000 rows but for the 96 that would make a smaller batch, which JAX's scan cannot take.
    "MNIST": Workload((784, 128, 10), "relu", True, 59904, 128, epochs=10, mnist=True),
    "784-512-512-10": Workload((784, 512, 512, 10), "relu", True, 5120, 256),
    "4-32-16-4 full": Workload((4, 32, 16, 4), "tanh", True, 10000, 10000, epochs=50),
    "2048-2048-2048": Workload((2048, 2048, 2048), "relu", False, 1024, 256, epochs=4),
}
