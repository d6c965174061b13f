"""How long each system takes to predict one row, or many at once, by 64-100-10 with softmax.

Every system is given rows of its own kind, so that none has to convert them, and returns all ten probabilities.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any, TypeAlias

import numpy as np

import chainrule as cr
from chainrule.engines import extension
from systems.measuring import Measurement, Threads

Call: TypeAlias = Callable[[], object]
NET = cr.Network(64, [cr.Dense(100, "relu"), cr.Dense(10, "softmax")], "cross_entropy")


def with_chainrule(x: Any, _threads: Threads) -> Call:
    """As its users call it, which checks the rows."""
    return partial(cr.Model(NET, NET.initial(0, "float32")).predict, x)


def with_native_call(x: Any, _threads: Threads) -> Call:
    """The native engine, without the checks."""
    return partial(extension.NativePredictor(NET, NET.initial(0, "float32").vector), x)


def with_scikit_learn(x: Any, _threads: Threads) -> Call:
    """The classifier's probabilities."""
    from sklearn.neural_network import MLPClassifier

    some, classes = np.zeros((10, 64), np.float32), np.arange(10)
    return partial(MLPClassifier(100, max_iter=1).fit(some, classes).predict_proba, x)


def with_torch(x: Any, threads: Threads, compiled: bool = False) -> Call:
    """Without what a gradient would need."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    layers = torch.nn.Linear(64, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10), torch.nn.Softmax(1)
    model, rows = torch.nn.Sequential(*layers), torch.from_numpy(x)
    return partial(torch.inference_mode()(torch.compile(model) if compiled else model), rows)


def with_jax(x: Any, _threads: Threads) -> Call:
    """Inside jit."""
    import jax
    import jax.numpy as jnp

    params = NET.initial(0, "float32")
    (v, w), (a, b) = params.weights, params.biases

    @jax.jit
    def predict(x: Any) -> Any:
        return jax.nn.softmax(jax.nn.relu(x @ v + a) @ w + b)

    rows = jnp.asarray(x)
    return lambda: predict(rows).block_until_ready()


def _measurement(of: Callable[[Any, Threads], Call]) -> Measurement:
    def measure(what: str, threads: Threads) -> dict[str, Any]:
        x = np.random.default_rng(0).normal(size=(int(what), 64)).astype(np.float32)
        timer = timeit.Timer(of(x, threads))
        timer.timeit(10)  # compiles, and starts threads
        number, _ = timer.autorange()
        return {"seconds": median(timer.repeat(5, number)) / number}

    return measure


SYSTEMS: dict[str, Measurement] = {
    "chainrule": _measurement(with_chainrule),
    "chainrule native": _measurement(with_native_call),
    "scikit-learn": _measurement(with_scikit_learn),
    "PyTorch": _measurement(with_torch),
    "PyTorch compiled": _measurement(partial(with_torch, compiled=True)),
    "JAX": _measurement(with_jax),
}
