"""How long it takes from the start of a Python process to a trained model, and to the end of the process.

`PYTHONPATH=benchmarks python -m systems.start SYSTEM FILE` is such a process: it reads iris from the file and
trains 4-32-3, relu, for 100 epochs in batches of 32 by Adam.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr
from systems.many import EPOCHS, WORK, fit, iris, jax_train
from systems.measuring import Measurement, seconds_of
from systems.training import jax_start


def with_chainrule(x: Any, y: Any) -> None:
    """One call."""
    cr.train(WORK.network(), x, y, epochs=EPOCHS, batch_size=WORK.batch)


def with_scikit_learn(x: Any, y: Any) -> None:
    """One call."""
    fit(x, y, seed=0)


def with_torch(x: Any, y: Any) -> None:
    """The usual loop."""
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    rows, classes = torch.from_numpy(x), torch.from_numpy(y)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(rows)).split(WORK.batch):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(rows[batch]), classes[batch]).backward()
            optimizer.step()


def with_jax(x: Any, y: Any) -> None:
    """A scan over the epochs, inside jit."""
    import jax

    random = np.random.default_rng(0)
    weights = [0.3 * random.standard_normal(shape, np.float32) for shape in ((4, 32), (32, 3))]
    start = jax_start(weights, [np.zeros(32, np.float32), np.zeros(3, np.float32)])
    float(jax.jit(jax_train(x, y))(start, jax.random.key(0)))


PROGRAMS = {"chainrule": with_chainrule, "scikit-learn": with_scikit_learn, "PyTorch": with_torch, "JAX": with_jax}


def _measure(system: str, _what: str, _threads: int | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "iris.npz"
        np.savez(file, x=(data := iris())[0], y=data[1])
        run = partial(subprocess.run, [sys.executable, "-m", "systems.start", system, str(file)], check=True)
        run()  # brings what it reads into memory
        return {"seconds": seconds_of(run, times=3)}


SYSTEMS: dict[str, Measurement] = {system: partial(_measure, system) for system in PROGRAMS}


if __name__ == "__main__":
    with np.load(sys.argv[2]) as file:
        PROGRAMS[sys.argv[1]](file["x"], file["y"])
