"""Measurements, each in a process of its own.

`python -m systems.measuring MODULE SYSTEM WHAT THREADS` is such a process: it prints, as JSON, what
`MODULE.SYSTEMS[SYSTEM](WHAT, THREADS)` returns. So many threads are held to so many cores, as nothing else tells JAX.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

Threads: TypeAlias = int | None
"""None: as many as the system takes when it is not asked to take more or fewer."""
Measurement: TypeAlias = Callable[[str, Threads], dict[str, Any] | None]
"""What is measured, and by how many threads → "seconds" and the like; None if the system cannot do that."""

_BENCHMARKS = str(Path(__file__).parents[1])  # the folder from which all modules of benchmarks are imported
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CHAINRULE_THREADS")


def seconds_of(call: Callable[[], object], times: int = 1, within: float = 1.0) -> float:
    """Return how long a call takes: the median of so many, or of those that were begun within so many seconds."""
    taken: list[float] = []
    while len(taken) < times and sum(taken) < within:
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def in_a_process(module: str, system: str, what: str = "", threads: Threads = None) -> Any:
    """Return what a measurement returns; None, and say why, if it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in _VARIABLES}
    environment |= {"PYTHONWARNINGS": "ignore"} | (dict.fromkeys(_VARIABLES, str(threads)) if threads else {})
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (_BENCHMARKS, environment.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "systems.measuring", module, system, what, str(threads or "default")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        _say_once(f"{system}: {(done.stderr.strip() or f'ended with {done.returncode}').splitlines()[-1]}")
        return None
    return json.loads(done.stdout.splitlines()[-1])


def in_turn(module: str, what: str, systems: Iterable[str], rounds: int) -> dict[str, dict[str, Any]]:
    """Measure systems in turn, with one thread and with two, chainrule also with its default, round after round.

    Returns
    -------
    dict
        Of each system that could be measured "seconds", the better median of one and two threads; "threads", which
        that was; "medians" by threads; and whatever else the measurement returned.
    """
    rows: dict[str, dict[str, Any]] = {}
    found: dict[str, dict[Threads, list[dict[str, Any]]]] = {system: {} for system in systems}
    for _ in range(rounds):
        for system, by_threads in found.items():
            for threads in (1, 2, None) if system == "chainrule" else (1, 2):
                if measured := in_a_process(module, system, what, threads):
                    by_threads.setdefault(threads, []).append(measured)
    for system, by_threads in found.items():
        medians = {threads: statistics.median(one["seconds"] for one in all_) for threads, all_ in by_threads.items()}
        if counted := [threads for threads in (1, 2) if threads in medians]:
            best = min(counted, key=medians.__getitem__)
            named = {str(threads or "default"): median for threads, median in medians.items()}
            rows[system] = by_threads[best][0] | {"seconds": medians[best], "threads": best, "medians": named}
    return rows


@cache
def _say_once(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _main(module: str, system: str, what: str, threads: str) -> None:
    if threads.isdecimal() and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(threads)])
    measure: Measurement = import_module(module).SYSTEMS[system]
    print(json.dumps(measure(what, int(threads) if threads.isdecimal() else None)))


if __name__ == "__main__":
    _main(*sys.argv[1:])
