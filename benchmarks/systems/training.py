"""How each system trains a workload, from the same first parameters, and how long a step takes it.

scikit-learn draws its own first parameters. FANN, in C, can do the chain only: it learns row by row by plain gradient
descent, without Adam, softmax or batches; its chain has biases too, so its losses are not compared.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

import chainrule as cr
from systems.measuring import Measurement, Threads, seconds_of
from systems.workloads import LEARNING_RATE, WORKLOADS, Workload

Train: TypeAlias = Callable[[int], list[float]]
"""Trains for so many epochs, always from the start, and returns the mean loss of each, where it can be compared."""


def with_chainrule(work: Workload, threads: Threads) -> Train:
    """As :func:`chainrule.train` is called by its users."""
    net, (x, y) = work.network(), work.data()
    optimizer = cr.SGD(LEARNING_RATE) if work.chain else cr.Adam(LEARNING_RATE)
    train = partial(cr.train, net, x, y, optimizer=optimizer, batch_size=work.batch, shuffle=False, threads=threads)
    return lambda epochs: train(epochs=epochs).history["loss"]


def with_scikit_learn(work: Workload, _threads: Threads) -> Train | None:
    """As it is; its threads are those of NumPy's products. It cannot make a chain, which has no biases."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    if work.chain:
        return None
    x, y = work.data()
    settings = {
        "hidden_layer_sizes": work.widths[1:-1],
        "activation": work.hidden,
        "alpha": 0.0,
        "batch_size": work.batch,
        "learning_rate_init": LEARNING_RATE,
        "shuffle": False,
        "random_state": 0,
        "tol": 0.0,
    }

    def train(epochs: int) -> list[float]:
        model = (MLPClassifier if work.classes else MLPRegressor)(
            **settings, max_iter=epochs, n_iter_no_change=epochs + 1
        )
        model.fit(x, y.ravel() if work.widths[-1] == 1 else y)
        # Its squared error is half of ours.
        return [loss * (1.0 if work.classes else 2.0) for loss in model.loss_curve_]

    return train


def with_torch(work: Workload, threads: Threads, compiled: bool = False) -> Train:
    """The usual loop, with the fused optimiser; eager, or with the forward pass and its gradient compiled."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    first, (x, y) = work.network().initial(0, "float32"), work.data()
    model = torch.nn.Sequential()
    for i, (before, units) in enumerate(zip(work.widths, work.widths[1:], strict=False)):
        model.append(torch.nn.Linear(before, units, bias=not work.chain))
        if work.chain or i + 2 < len(work.widths):
            model.append(torch.nn.Tanh() if work.hidden == "tanh" else torch.nn.ReLU())
    targets = torch.from_numpy(y if work.classes else y.reshape(len(x), -1))
    batches = list(zip(torch.from_numpy(x).split(work.batch), targets.split(work.batch), strict=True))
    loss_of = torch.nn.CrossEntropyLoss() if work.classes else torch.nn.MSELoss()

    def forward(x: Any, y: Any) -> Any:
        return loss_of(model(x), y)

    loss_of_batch = torch.compile(forward, dynamic=False) if compiled else forward

    def train(epochs: int) -> list[float]:
        linear = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
        with torch.no_grad():
            for layer, weight, bias in zip(linear, first.weights, first.biases, strict=True):
                layer.weight.copy_(torch.from_numpy(np.array(weight.T)))
                if bias is not None:
                    layer.bias.copy_(torch.from_numpy(np.array(bias)))
        kind = torch.optim.SGD if work.chain else torch.optim.Adam
        optimizer = kind(model.parameters(), lr=LEARNING_RATE, fused=True)
        losses = []
        for _ in range(epochs):
            total = torch.zeros(())
            for batch in batches:
                optimizer.zero_grad()
                loss = loss_of_batch(*batch)
                loss.backward()
                optimizer.step()
                total += loss.detach()
            losses.append(float(total) / len(batches))
        return losses

    return train


def jax_start(weights: Sequence[Any], biases: Sequence[Any]) -> Any:
    """Return the parameters, Adam's two means and the step's number, which :func:`jax_step` carries along."""
    import jax
    import jax.numpy as jnp

    theta = jax.tree.map(jnp.asarray, list(zip(weights, biases, strict=True)))
    zero = jax.tree.map(jnp.zeros_like, theta)
    return theta, zero, zero, 0.0


def jax_step(work: Workload) -> Callable[[Any, Any], Any]:
    """Return a step, for `jax.lax.scan`: what is carried along, and a batch → what is carried along, and the loss."""
    import jax
    import jax.numpy as jnp

    f = jnp.tanh if work.hidden == "tanh" else jax.nn.relu

    def loss_of(theta: Any, x: Any, y: Any) -> Any:
        for i, (w, b) in enumerate(theta):
            x = x @ w if b is None else x @ w + b
            if work.chain or i + 1 < len(theta):
                x = f(x)
        if work.classes:
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1))
        return jnp.mean((x - y) ** 2)

    def step(carried: Any, batch: Any) -> Any:
        theta, mean, square, t = carried
        loss, g = jax.value_and_grad(loss_of)(theta, *batch)
        t = t + 1.0
        if work.chain:
            return (jax.tree.map(lambda w, d: w - LEARNING_RATE * d, theta, g), mean, square, t), loss
        mean = jax.tree.map(lambda m, d: 0.9 * m + 0.1 * d, mean, g)
        square = jax.tree.map(lambda v, d: 0.999 * v + 0.001 * d * d, square, g)
        c1, c2 = 1.0 - 0.9**t, 1.0 - 0.999**t
        theta = jax.tree.map(
            lambda w, m, v: w - LEARNING_RATE * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), theta, mean, square
        )
        return (theta, mean, square, t), loss

    return step


def with_jax(work: Workload, _threads: Threads) -> Train:
    """The update is inside jit, in a scan over the steps of an epoch, and that in a loop over the epochs."""
    import jax
    import jax.numpy as jnp

    x, y = work.data()
    first = work.network().initial(0, "float32")
    start, step = jax_start(first.weights, first.biases), jax_step(work)
    xs = jnp.asarray(x).reshape(work.steps, work.batch, -1)
    ys = jnp.asarray(y).reshape((work.steps, work.batch) if work.classes else (work.steps, work.batch, -1))

    @jax.jit  # compiled once for any number of epochs, so only the first losses have a place
    def losses_of(carried: Any, epochs: int) -> Any:
        def epoch(i: Any, so_far: Any) -> Any:
            carried, losses = so_far
            carried, of_steps = jax.lax.scan(step, carried, (xs, ys))
            return carried, losses.at[i].set(of_steps.mean(), mode="drop")

        return jax.lax.fori_loop(0, epochs, epoch, (carried, jnp.zeros(work.epochs)))[1]

    return lambda epochs: [float(loss) for loss in np.asarray(losses_of(start, epochs))]


def with_fann(work: Workload, _threads: Threads) -> Train | None:
    """By `fann.c`, compiled for this machine."""
    if not work.chain:
        return None
    folder = tempfile.TemporaryDirectory()
    source = str(Path(__file__).with_name("fann.c"))
    command = ["cc", "-O3", "-march=native", source, "-o", "fann", "-lfloatfann", "-lm"]
    if subprocess.run(command, cwd=folder.name, check=False).returncode:
        raise SystemExit("fann.c was not compiled: it needs a C compiler and Debian's libfann-dev")
    Path(folder.name, "rows").write_bytes(np.hstack(work.data()).astype(np.float32).tobytes())

    def train(epochs: int) -> list[float]:
        numbers = (work.rows, len(work.widths) - 1, epochs, LEARNING_RATE)
        subprocess.run(["./fann", "rows", *map(str, numbers)], cwd=folder.name, check=True)
        return []

    return train


def a_step(train: Train, work: Workload, seconds: float = 0.5) -> dict[str, Any]:
    """Return how long a step takes, and the loss after work.epochs epochs.

    That is how much longer a run takes for each step more. What it takes before its first step does not count: it is in
    the time of a short run as in that of one that takes about so many seconds more, and at least twice as long. With
    MNIST it counts, but for what a system does once, as to compile.
    """
    losses = train(work.epochs)  # compiles, and starts threads
    loss = losses[work.epochs - 1] if losses else None
    short = seconds_of(partial(train, work.epochs), times=3, within=4.0)
    if work.mnist:
        return {"seconds": short / (work.epochs * work.steps), "loss": loss}
    epochs, taken = 2 * work.epochs, 0.0
    while (taken := seconds_of(partial(train, epochs))) - short < seconds / 2:
        epochs = int(epochs * min(10.0, 1.0 + seconds / taken))
    long = seconds_of(partial(train, epochs), times=3, within=4.0)
    return {
        "seconds": (long - short) / ((epochs - work.epochs) * work.steps),
        "loss": loss,
        "epochs": epochs,
        "short": short,
    }


def _measurement(of: Callable[[Workload, Threads], Train | None]) -> Measurement:
    def measure(what: str, threads: Threads) -> dict[str, Any] | None:
        train = of(WORKLOADS[what], threads)
        return None if train is None else a_step(train, WORKLOADS[what])

    return measure


SYSTEMS: dict[str, Measurement] = {
    "chainrule": _measurement(with_chainrule),
    "scikit-learn": _measurement(with_scikit_learn),
    "PyTorch": _measurement(with_torch),
    "PyTorch compiled": _measurement(partial(with_torch, compiled=True)),
    "JAX": _measurement(with_jax),
    "FANN": _measurement(with_fann),
}
