"""How long each system takes to train 64 networks of 4-32-3 on iris: 100 epochs, batches of 32 in new orders, Adam."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from statistics import mean
from typing import Any, TypeAlias

import numpy as np

import chainrule as cr
from systems.measuring import Measurement, Threads, seconds_of
from systems.training import jax_start, jax_step
from systems.workloads import Workload

TrainAll: TypeAlias = Callable[[], list[float]]
"""Trains all networks and returns the last loss of each."""
WORK = Workload((4, 32, 3), "relu", True, rows=150, batch=32)
SEEDS, EPOCHS = range(64), 100


def iris() -> tuple[Any, Any]:
    """Return x, standardised, in float32, and y."""
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    return ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32), y


def with_chainrule(x: Any, y: Any, threads: Threads) -> TrainAll:
    """All of them in one call."""
    train = partial(cr.train_many, WORK.network(), x, y, seeds=SEEDS, threads=threads)
    return lambda: [run.history["loss"][-1] for run in train(epochs=EPOCHS, batch_size=WORK.batch)]


def fit(x: Any, y: Any, seed: int) -> float:
    """Return the loss of one of scikit-learn's fits."""
    from sklearn.neural_network import MLPClassifier

    settings = {"batch_size": WORK.batch, "alpha": 0.0, "tol": 0.0, "random_state": seed}
    return float(MLPClassifier(32, max_iter=EPOCHS, n_iter_no_change=EPOCHS + 1, **settings).fit(x, y).loss_)


def with_scikit_learn(x: Any, y: Any, threads: Threads) -> TrainAll:
    """By joblib, whose worker processes live on from one call to the next, each with one thread."""
    from sklearn.utils.parallel import Parallel, delayed

    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return lambda: list(Parallel(n_jobs=threads)(delayed(fit)(x, y, seed) for seed in SEEDS))


def jax_train(x: Any, y: Any) -> Callable[[Any, Any], Any]:
    """Return a run, for jit and vmap: what :func:`training.jax_step` carries along, and a key → the last loss."""
    import jax
    import jax.numpy as jnp

    step, whole = jax_step(WORK), WORK.steps * WORK.batch
    rows, classes = jnp.asarray(x), jnp.asarray(y)

    def epoch(carried: Any, key: Any) -> Any:
        order = jax.random.permutation(key, WORK.rows)
        full, rest = order[:whole].reshape(WORK.steps, WORK.batch), order[whole:]
        carried, losses = jax.lax.scan(step, carried, (rows[full], classes[full]))
        carried, last = step(carried, (rows[rest], classes[rest]))
        return carried, (losses.sum() * WORK.batch + last * len(rest)) / WORK.rows

    return lambda carried, key: jax.lax.scan(epoch, carried, jax.random.split(key, EPOCHS))[1][-1]


def with_jax(x: Any, y: Any, _threads: Threads) -> TrainAll:
    """All of them by vmap of a scan over the epochs, inside jit."""
    import jax
    import jax.numpy as jnp

    firsts = [WORK.network().initial(seed, "float32") for seed in SEEDS]
    starts = [jax_start(first.weights, first.biases) for first in firsts]
    stacked = jax.tree.map(lambda *of_networks: jnp.stack([jnp.asarray(one) for one in of_networks]), *starts)
    keys = jax.vmap(jax.random.key)(jnp.arange(len(SEEDS)))
    train_all = jax.jit(jax.vmap(jax_train(x, y)))
    return lambda: [float(loss) for loss in np.asarray(train_all(stacked, keys))]


def _measure(of: Callable[[Any, Any, Threads], TrainAll], _what: str, threads: Threads) -> dict[str, Any]:
    train_all = of(*iris(), threads)
    loss = mean(train_all())  # compiles, and starts threads and workers
    return {"seconds": seconds_of(train_all, times=3), "loss": loss}


SYSTEMS: dict[str, Measurement] = {
    "chainrule": partial(_measure, with_chainrule),
    "scikit-learn": partial(_measure, with_scikit_learn),
    "JAX": partial(_measure, with_jax),
}
