"""Which system trains fastest, over width and batch: w-w-w, relu, squared error, Adam, float32, with all cores.

Prints a table whose cells name the fastest system, and how many times as long as chainrule the better of the others
takes: below 1 where chainrule is slower. `python benchmarks/crossover.py --json crossover.json`
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from systems.machine import described
from systems.measuring import Measurement, Threads, in_a_process
from systems.training import Train, a_step, with_chainrule, with_jax, with_torch
from systems.workloads import Workload

WIDTHS = (4, 16, 64, 256, 1024)
BATCHES = (1, 8, 32, 128, 512)


def _measure(of: Callable[[Workload, Threads], Train], what: str, threads: Threads) -> dict[str, Any]:
    """Return the seconds of a step for each batch; what is measured is the width."""
    width = int(what)
    steps = {batch: max(16, min(1024, 2**20 // (width * batch))) for batch in BATCHES}
    works = [Workload((width,) * 3, "relu", False, steps[batch] * batch, batch, epochs=1) for batch in BATCHES]
    return {"seconds": [a_step(of(work, threads), work, seconds=0.2)["seconds"] for work in works]}


SYSTEMS: dict[str, Measurement] = {
    "chainrule": partial(_measure, with_chainrule),
    "PyTorch": partial(_measure, with_torch),
    "JAX": partial(_measure, with_jax),
}


def cell(seconds: dict[str, float]) -> str:
    """Return the fastest system, and the better of the others' times as a multiple of chainrule's."""
    others = [time for system, time in seconds.items() if system != "chainrule"]
    if not others or "chainrule" not in seconds:
        return "–"
    rival = min(others)
    return f"{min(seconds, key=seconds.__getitem__)} {rival / seconds['chainrule']:.3g}"


def main() -> None:
    """Print the table, a row as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", default=",".join(map(str, WIDTHS)), help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="PATH")
    arguments = parser.parse_args()
    print(f"| width \\ batch | {' | '.join(map(str, BATCHES))} |\n|{'---|' * (len(BATCHES) + 1)}")
    results: dict[str, dict[str, dict[str, float]]] = {}
    for width in arguments.widths.split(","):
        found = {system: in_a_process("crossover", system, width) for system in SYSTEMS}
        times = {system: measured["seconds"] for system, measured in found.items() if measured}
        by_batch = [{system: of[i] for system, of in times.items()} for i in range(len(BATCHES))]
        results[width] = dict(zip(map(str, BATCHES), by_batch, strict=True))
        print(f"| {width} | {' | '.join(map(cell, by_batch))} |", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": described(), "seconds of a step": results}, indent=1))


if __name__ == "__main__":
    main()
