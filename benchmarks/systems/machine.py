"""What the machine and the systems are, and the most that a core can do."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from systems.measuring import Measurement, in_a_process, seconds_of


def described() -> dict[str, Any]:
    """Return the processor, its cores, and the versions of the systems."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    name = next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.processor())
    versions = {}
    for package in ("chainrule", "scikit-learn", "torch", "jax", "numpy"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "missing"
    return {"processor": name, "cores": os.cpu_count(), "versions": versions}


def sgemm_peak() -> float:
    """Return the GFLOP/s of one core in NumPy's product of float32 matrices, the best of two sizes."""
    return float((in_a_process("systems.machine", "sgemm", threads=1) or {"gflops": np.nan})["gflops"])


def _sgemm(_what: str, _threads: int | None) -> dict[str, Any]:
    best = 0.0
    for size in (512, 1024):
        a = np.ones((size, size), np.float32)
        best = max(best, *(2 * size**3 / seconds_of(lambda a=a: a @ a) / 1e9 for _ in range(40)))  # type: ignore[misc]
    return {"gflops": best}


SYSTEMS: dict[str, Measurement] = {"sgemm": _sgemm}
