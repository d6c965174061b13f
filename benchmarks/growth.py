"""How the time of a run grows with its rows, epochs and parameters, and how much memory it takes.

Over two decades each, the exponent of the power law that fits best is printed: 1 is linear growth. A run's memory is
its peak above what the process had before, held against the data, eight times the parameters and 64 MiB.

    python benchmarks/growth.py --plot growth.png
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from systems.measuring import Measurement, in_a_process, seconds_of

import chainrule as cr

MIB = 2**20
# Networks, rows and batches whose memory is measured.
RUNS = {
    "784-512-512-10, 60,000 rows": ((784, 512, 512, 10), 60_000, 256),
    "2048-2048-2048, 1,024 rows": ((2048, 2048, 2048), 1024, 256),
    "4-32-16-4, 10,000 rows in one batch": ((4, 32, 16, 4), 10_000, 10_000),
    "4-32-16-4, 100,000 rows in one batch": ((4, 32, 16, 4), 100_000, 100_000),
}


def network(widths: tuple[int, ...]) -> cr.Network:
    """Return a classifier with relu layers."""
    hidden = [cr.Dense(width, "relu") for width in widths[1:-1]]
    return cr.Network(widths[0], [*hidden, cr.Dense(widths[-1], "softmax")], "cross_entropy")


def data(widths: tuple[int, ...], rows: int) -> tuple[Any, Any]:
    """Return rows and classes at random, made without more memory than they take."""
    random = np.random.default_rng(0)
    return random.standard_normal((rows, widths[0]), np.float32), random.integers(widths[-1], size=rows)


def seconds(widths: tuple[int, ...], rows: int, epochs: int, batch: int = 32) -> float:
    """Return how long a run takes."""
    x, y = data(widths, rows)
    return seconds_of(partial(cr.train, network(widths), x, y, epochs=epochs, batch_size=batch), times=3)


def times() -> dict[str, tuple[list[int], list[float]]]:
    """Return the sizes and the seconds, for rows, epochs and parameters."""
    small, decades = (4, 32, 3), np.logspace(0, 2, 7)
    rows = [round(10_000 * factor) for factor in decades]
    epochs = [round(10 * factor) for factor in decades]
    networks = [(width, width, width) for width in (round(128 * factor**0.5) for factor in decades)]
    return {
        "rows": (rows, [seconds(small, n, 2) for n in rows]),
        "epochs": (epochs, [seconds(small, 10_000, n) for n in epochs]),
        "parameters": (
            [network(widths).parameter_count for widths in networks],
            [seconds(widths, 2560, 1, 128) for widths in networks],
        ),
    }


def _memory(what: str, _threads: int | None) -> dict[str, Any]:
    """Return bytes: of the data and the parameters, and the peak above the imports, and above the data."""
    widths, rows, batch = RUNS[what]
    train = partial(cr.train, network(widths), epochs=2, batch_size=batch)
    cr.train(network((2, 2)), *data((2, 2), 100), epochs=1)  # imports everything
    before = _of_process("VmRSS")
    x, y = data(widths, rows)
    with_data = _of_process("VmRSS")
    train(x=x, y=y)
    peak = _of_process("VmHWM")
    return {
        "data": x.nbytes + y.nbytes,
        "parameters": 4 * network(widths).parameter_count,
        "above imports": peak - before,
        "above data": peak - with_data,
    }


def _of_process(what: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(what))


SYSTEMS: dict[str, Measurement] = {"memory": _memory}


def plot(found: dict[str, tuple[list[int], list[float]]], path: Path) -> None:
    """Draw the seconds over each size, both in logarithms."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.5), layout="constrained")
    for axes, (what, (sizes, taken)) in zip(figure.subplots(1, len(found)), found.items(), strict=True):
        axes.loglog(sizes, taken, "o", label="measured")
        linear = np.exp(np.mean(np.log(taken) - np.log(sizes)))
        axes.loglog(sizes, linear * np.array(sizes), label="linear")
        axes.set(xlabel=what, ylabel="seconds of a run")
        axes.legend()
    figure.savefig(path)


def main() -> None:
    """Print both tables, and draw the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", type=Path, metavar="PATH")
    arguments = parser.parse_args()
    found = times()
    for what, (sizes, taken) in found.items():
        exponent = np.polyfit(np.log(sizes), np.log(taken), 1)[0]
        pairs = "  ".join(f"{size:,}: {1e3 * time:.1f} ms" for size, time in zip(sizes, taken, strict=True))
        print(f"{what} to the power of {exponent:.2f}\n  {pairs}")
    if arguments.plot:
        plot(found, arguments.plot)
    columns = ("data", "8 × parameters", "allowed", "above imports", "above data")
    print(f"\n{'MiB':38}" + "".join(f"{column:>16}" for column in columns))
    for what in RUNS:
        if row := in_a_process("growth", "memory", what):
            eight = 8 * row["parameters"]
            numbers = (row["data"], eight, row["data"] + eight + 64 * MIB, row["above imports"], row["above data"])
            print(f"{what:38}" + "".join(f"{number / MIB:16.1f}" for number in numbers))


if __name__ == "__main__":
    main()
