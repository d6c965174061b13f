"""How fast chainrule is beside scikit-learn, PyTorch, JAX and FANN: the same data, batches, steps and dtype.

Every measurement is a process of its own, in turn: each system with one thread and with two, round after round. A
system's time is the better median of one and two threads; chainrule's time with the threads that it takes by default
stands beside it. In training, rows are taken in their order, all systems but scikit-learn begin with the same
parameters, and a step's time is how much longer a run takes for each step more; losses are compared after equally many.
Prints what it finds, at the end a table in Markdown, and writes JSON.

    pip install torch==2.13.0 jax && python benchmarks/speed.py --rounds 3 --json speed.json --mnist mnist.npz
"""

from __future__ import annotations

import argparse
import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from systems.machine import described, sgemm_peak
from systems.measuring import in_turn
from systems.workloads import HOW_TO_GET_MNIST, MNIST_VARIABLE, WORKLOADS

# What is measured: the module, and what it is asked for.
PARTS = {name: ("systems.training", name) for name in WORKLOADS} | {
    "one row": ("systems.inference", "1"),
    "10000 rows": ("systems.inference", "10000"),
    "64 networks": ("systems.many", ""),
    "process start": ("systems.start", ""),
}
SYSTEMS = ("chainrule", "chainrule native", "scikit-learn", "PyTorch", "PyTorch compiled", "JAX", "FANN")


def measured(part: str, systems: list[str], rounds: int) -> dict[str, dict[str, Any]]:
    """Measure systems in turn, compare each with chainrule, and print a line for each."""
    module, what = PARTS[part]
    known = import_module(module).SYSTEMS
    rows = in_turn(module, what, [system for system in systems if system in known], rounds)
    print(f"\n{part}")
    ours = rows.get("chainrule", {})
    for system, row in rows.items():
        line = f"  {system:17}{1e6 * row['seconds']:14.2f} µs, {row['threads']} threads"
        if ours:
            row["times as long"] = row["seconds"] / ours["seconds"]
            line += f" {row['times as long']:10.2f} ×"
        if ours and row.get("loss") is not None:
            row["loss deviation"] = abs(row["loss"] / ours["loss"] - 1)
            line += f"  loss {row['loss']:.4f}, off by {row['loss deviation']:.2%}"
        print(line, flush=True)
    if part in WORKLOADS and "1" in ours.get("medians", {}):
        ours["gflops a core"] = WORKLOADS[part].flops / ours["medians"]["1"] / 1e9
    return rows


def table(results: dict[str, dict[str, dict[str, Any]]], systems: list[str], peak: float) -> str:
    """Return the results in Markdown: a row for each part, and how many times as long the others take.

    The floor is what the matrix products of a step would take both cores at the peak of sgemm; the lead at the floor is
    how many times that the best of the others takes: no engine whose products run at this peak can lead by more.
    """
    others = [system for system in systems if system != "chainrule"]
    ours = ("chainrule, µs", "one thread, µs", "default threads, µs", "floor, µs", "GFLOP/s a core", "of the peak")
    header = ["workload", *ours, *others, "lead at the floor", "losses within"]
    lines = [header, ["---"] * len(header)]
    for part, rows in results.items():
        row = rows.get("chainrule")
        if row is None:
            continue
        has_floor = part in WORKLOADS and not WORKLOADS[part].chain  # which waits for one tanh after the other
        floor = WORKLOADS[part].flops / (2 * peak * 1e9) if has_floor else None
        micros = [row["seconds"], row["medians"].get("1"), row["medians"].get("default"), floor]
        gflops = row.get("gflops a core")
        rivals = [rows[system]["seconds"] for system in rows if not system.startswith("chainrule")]
        times = [rows[system]["times as long"] if system in rows else None for system in others]
        # scikit-learn begins with parameters of its own, so its loss says little after a few epochs.
        deviations = [
            other["loss deviation"]
            for system, other in rows.items()
            if system not in ("chainrule", "scikit-learn") and "loss deviation" in other
        ]
        lines.append(
            [
                part,
                *("–" if seconds is None else f"{1e6 * seconds:,.{0 if seconds > 1e-3 else 2}f}" for seconds in micros),
                "–" if gflops is None else f"{gflops:.1f}",
                "–" if gflops is None else f"{gflops / peak:.0%}",
                *("–" if ratio is None else f"{ratio:.3g}" for ratio in times),
                f"{min(rivals) / floor:.3g}" if rivals and floor else "–",
                f"{max(deviations):.2%}" if deviations else "–",
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Measure every system on every workload."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--systems", default=",".join(SYSTEMS), help="default: %(default)s")
    parser.add_argument("--workloads", default=",".join(PARTS), help="default: %(default)s")
    parser.add_argument("--mnist", type=Path, default=os.environ.get(MNIST_VARIABLE), metavar="PATH")
    parser.add_argument("--json", type=Path, metavar="PATH")
    arguments = parser.parse_args()
    systems, parts = arguments.systems.split(","), arguments.workloads.split(",")
    if unknown := {*systems, *parts} - {*SYSTEMS, *PARTS}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    if "MNIST" in parts and not (arguments.mnist and arguments.mnist.is_file()):
        print(f"MNIST is left out: {HOW_TO_GET_MNIST}")
        parts.remove("MNIST")
    os.environ[MNIST_VARIABLE] = str(arguments.mnist)

    machine = described()
    print(f"{machine}\nmicroseconds a step (a call, all 64 networks, a process), and how many times chainrule's")
    peaks = [sgemm_peak()]
    results: dict[str, dict[str, dict[str, Any]]] = {}
    for part in parts:
        results[part] = measured(part, systems, arguments.rounds)
        if part == parts[-1]:
            peaks.append(sgemm_peak())
        if arguments.json:  # after every part, as the next may be interrupted
            arguments.json.write_text(json.dumps({"machine": machine, "sgemm": peaks, "results": results}, indent=1))
    print(f"\nsgemm: {peaks[0]:.0f} GFLOP/s a core before, {peaks[1]:.0f} after; the share is that of the greater\n")
    print(table(results, systems, max(peaks)))


if __name__ == "__main__":
    main()
