"""How fast a training run is, beside scikit-learn, PyTorch and JAX: the same data, batches, steps and dtype.

Every measurement is a process of its own, in turn: each system with one thread and with two, round after round. A
system's time is the median of its rounds with the better number of threads. Rows are taken in their order, and all
systems but scikit-learn begin with the same parameters. Prints a table and writes JSON.

    pip install torch==2.13.0 && python benchmarks/speed.py --rounds 3 --json speed.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr

Timed = tuple[float, float]  # seconds and final loss
LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Workload:
    """A network with tanh or relu layers, its data at random, and how it is trained."""

    widths: tuple[int, ...]
    hidden: str
    classes: bool
    rows: int
    batch: int
    epochs: int
    chain: bool = False

    @property
    def steps(self) -> int:
        """How many steps a run has."""
        return self.epochs * (self.rows // self.batch)

    def network(self) -> cr.Network:
        """Return the network."""
        if self.chain:
            return cr.chain(len(self.widths) - 1, self.hidden)
        hidden = [cr.Dense(width, self.hidden) for width in self.widths[1:-1]]
        output = cr.Dense(self.widths[-1], "softmax" if self.classes else "identity")
        return cr.Network(self.widths[0], [*hidden, output], "cross_entropy" if self.classes else "squared_error")

    def data(self) -> tuple[Any, Any]:
        """Return x and y that have something to learn, and are not learnt by heart: noise on a linear rule."""
        random = np.random.default_rng(0)
        x = random.normal(size=(self.rows, self.widths[0])).astype(np.float32)
        rule = random.normal(size=(self.widths[0], self.widths[-1])) / np.sqrt(self.widths[0])
        noisy = x @ rule + random.normal(size=(self.rows, self.widths[-1]))
        return x, noisy.argmax(axis=1) if self.classes else (0.3 * noisy).astype(np.float32)


WORKLOADS = {
    "chain of 10": Workload((1,) * 11, "tanh", False, 2000, 1, 10, chain=True),
    "2-16-16-1": Workload((2, 16, 16, 1), "tanh", False, 3200, 32, 30),
    "4-32-3": Workload((4, 32, 3), "relu", True, 3200, 32, 30),
    "64-100-10": Workload((64, 100, 10), "relu", True, 4000, 200, 30),
    "16-64-26": Workload((16, 64, 26), "relu", True, 4000, 200, 40),
    "784-128-10": Workload((784, 128, 10), "relu", True, 12800, 128, 3),
    "784-512-512-10": Workload((784, 512, 512, 10), "relu", True, 5120, 256, 2),
    "4-32-16-4 full": Workload((4, 32, 16, 4), "tanh", True, 10000, 10000, 100),
    "2048-2048-2048": Workload((2048, 2048, 2048), "relu", False, 1024, 256, 2),
}


def with_chainrule(work: Workload, threads: int) -> Callable[[], Timed]:
    """As :func:`chainrule.train` is called by its users."""
    net, (x, y) = work.network(), work.data()
    optimizer = cr.SGD(LEARNING_RATE) if work.chain else cr.Adam(LEARNING_RATE)

    def run() -> Timed:
        begin = time.perf_counter()
        trained = cr.train(
            *(net, x, y), optimizer=optimizer, epochs=work.epochs, batch_size=work.batch, shuffle=False, threads=threads
        )
        return time.perf_counter() - begin, trained.history["loss"][-1]

    return run


def with_scikit_learn(work: Workload, _threads: int) -> Callable[[], Timed] | None:
    """As it is; its threads are those of NumPy's products. It has biases and cannot make a chain without."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    if work.chain:
        return None
    x, y = work.data()
    model = (MLPClassifier if work.classes else MLPRegressor)(
        hidden_layer_sizes=work.widths[1:-1],
        activation=work.hidden,
        alpha=0.0,
        batch_size=work.batch,
        learning_rate_init=LEARNING_RATE,
        max_iter=work.epochs,
        shuffle=False,
        random_state=0,
        tol=0.0,
        n_iter_no_change=work.epochs + 1,
    )

    def run() -> Timed:
        begin = time.perf_counter()
        model.fit(x, y.ravel() if work.widths[-1] == 1 else y)
        # Its squared error is half of ours.
        return time.perf_counter() - begin, model.loss_ * (1.0 if work.classes else 2.0)

    return run


def with_torch(work: Workload, threads: int, compiled: bool = False) -> Callable[[], Timed]:
    """The usual loop, with the fused optimiser; eager, or with the forward pass and its gradient compiled."""
    import torch

    torch.set_num_threads(threads)
    net, (x, y) = work.network(), work.data()
    first = net.initial(0, "float32")
    layers: list[Any] = []
    for i, (before, units) in enumerate(zip(work.widths, work.widths[1:], strict=False)):
        layers.append(torch.nn.Linear(before, units, bias=not work.chain))
        if work.chain or i + 2 < len(work.widths):
            layers.append(torch.nn.Tanh() if work.hidden == "tanh" else torch.nn.ReLU())
    model = torch.nn.Sequential(*layers)
    rows, targets = torch.from_numpy(x), torch.from_numpy(y)
    if not work.classes:
        targets = targets.reshape(len(rows), -1)
    loss_of = torch.nn.CrossEntropyLoss() if work.classes else torch.nn.MSELoss()

    def loss_of_batch(begin: int) -> Any:
        return loss_of(model(rows[begin : begin + work.batch]), targets[begin : begin + work.batch])

    forward = torch.compile(loss_of_batch, dynamic=False) if compiled else loss_of_batch

    def run() -> Timed:
        linear = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
        with torch.no_grad():
            for layer, weight, bias in zip(linear, first.weights, first.biases, strict=True):
                layer.weight.copy_(torch.from_numpy(np.array(weight.T)))
                if bias is not None:
                    layer.bias.copy_(torch.from_numpy(np.array(bias)))
        kind = torch.optim.SGD if work.chain else torch.optim.Adam
        optimizer = kind(model.parameters(), lr=LEARNING_RATE, fused=True)
        begin = time.perf_counter()
        for _ in range(work.epochs):
            total = torch.zeros(())
            for row in range(0, work.rows, work.batch):
                optimizer.zero_grad()
                loss = forward(row)
                loss.backward()
                optimizer.step()
                total += loss.detach()
        return time.perf_counter() - begin, float(total) * work.batch / work.rows

    return run


def with_jax(work: Workload, _threads: int) -> Callable[[], Timed]:
    """The update is inside jit, in a scan over the steps of all epochs."""
    import jax
    import jax.numpy as jnp

    net, (x, y) = work.network(), work.data()
    first = net.initial(0, "float32")
    theta = [(w, b) for w, b in zip(first.weights, first.biases, strict=True)]
    f = jnp.tanh if work.hidden == "tanh" else jax.nn.relu
    batches = work.rows // work.batch
    xs = jnp.asarray(x).reshape(batches, work.batch, -1)
    ys = jnp.asarray(y).reshape((batches, work.batch) if work.classes else (batches, work.batch, -1))

    def loss_of(theta: Any, x: Any, y: Any) -> Any:
        for i, (w, b) in enumerate(theta):
            x = x @ w if b is None else x @ w + b
            if work.chain or i + 1 < len(theta):
                x = f(x)
        if work.classes:
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1))
        return jnp.mean((x - y) ** 2)

    def step(carry: Any, batch: Any) -> Any:
        theta, mean, square, t = carry
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

    @jax.jit
    def train(theta: Any) -> Any:
        zero = jax.tree.map(jnp.zeros_like, theta)

        def epoch(carry: Any, _: Any) -> Any:
            carry, losses = jax.lax.scan(step, carry, (xs, ys))
            return carry, losses.mean()

        return jax.lax.scan(epoch, (theta, zero, zero, 0.0), None, length=work.epochs)

    def run() -> Timed:
        begin = time.perf_counter()
        _, losses = train(theta)
        loss = float(losses[-1])
        return time.perf_counter() - begin, loss

    return run


SYSTEMS: dict[str, Callable[[Workload, int], Callable[[], Timed] | None]] = {
    "chainrule": with_chainrule,
    "scikit-learn": with_scikit_learn,
    "PyTorch": with_torch,
    "PyTorch compiled": lambda work, threads: with_torch(work, threads, compiled=True),
    "JAX": with_jax,
}


def measure(system: str, workload: str, threads: int) -> None:
    """Print the seconds of a step and the final loss: the median of three runs, after one that is not counted."""
    run = SYSTEMS[system](WORKLOADS[workload], threads)
    if run is None:
        print("null")
        return
    run()
    timed = [run() for _ in range(3)]
    print(json.dumps([statistics.median(seconds for seconds, _ in timed) / WORKLOADS[workload].steps, timed[0][1]]))


def in_a_process(system: str, workload: str, threads: int) -> list[float] | None:
    """Return what :func:`measure` prints."""
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CHAINRULE_THREADS")
    environment = os.environ | dict.fromkeys(variables, str(threads))
    command = [sys.executable, __file__, "--one", system, workload, str(threads)]
    if threads == 1 and hasattr(os, "sched_setaffinity"):  # the only way to give JAX one thread
        command = ["taskset", "-c", "0", *command]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        print(f"{system}, {workload}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    result: list[float] | None = json.loads(done.stdout.splitlines()[-1])
    return result


def sgemm_peak() -> float:
    """Return the GFLOP/s of a core in NumPy's product of 1024 × 1024 float32 matrices."""
    program = (
        "import numpy, time\na = numpy.ones((1024, 1024), 'f4')\nbest = 9.0\nfor _ in range(30):\n"
        " t = time.perf_counter(); a @ a; best = min(best, time.perf_counter() - t)\nprint(2 * 1024**3 / best / 1e9)"
    )
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return float(subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True).stdout)


def processor() -> str:
    """Return what the machine is, in words."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    name = next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.processor())
    return f"{name}, {os.cpu_count()} cores"


def main() -> None:
    """Measure every system on every workload, in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=3, metavar=("SYSTEM", "WORKLOAD", "THREADS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        warnings.simplefilter("ignore")
        system, workload, threads = arguments.one
        measure(system, workload, int(threads))
        return

    systems, workloads = arguments.systems.split(","), arguments.workloads.split(",")
    peak = sgemm_peak()
    print(f"{processor()}; sgemm {peak:.0f} GFLOP/s a core; microseconds a step, and how many times ours; final loss")
    results: dict[str, Any] = {"machine": processor(), "sgemm_gflops_a_core": peak, "workloads": {}}
    for workload in workloads:
        times: dict[str, dict[int, list[list[float]]]] = {system: {1: [], 2: []} for system in systems}
        for _ in range(arguments.rounds):
            for system in systems:
                for threads in (1, 2):
                    if measured := in_a_process(system, workload, threads):
                        times[system][threads].append(measured)
        rows: dict[str, dict[str, Any]] = {}
        for system, of_threads in times.items():
            medians = {n: statistics.median(m[0] for m in runs) for n, runs in of_threads.items() if runs}
            if medians:
                best = min(medians, key=medians.__getitem__)
                rows[system] = {"step": medians[best], "threads": best, "loss": of_threads[best][0][1], "all": medians}
        results["workloads"][workload] = rows
        print(f"\n{workload}")
        ours = rows.get("chainrule", {}).get("step", float("nan"))
        for system, row in rows.items():
            numbers = f"{1e6 * row['step']:12.2f} µs  {row['step'] / ours:7.1f} ×  {row['threads']} threads"
            print(f"  {system:18}{numbers}  {row['loss']:.4f}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
