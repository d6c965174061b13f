"""The manifest of a run: what has to be the same for another run to have the same bits."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from ..engines import extension
from ..named import JSON


def environment(engine: str) -> JSON:
    """Return versions, engine and instruction set of this process.

    Parameters
    ----------
    engine : {"native", "reference"}
        What executes the run.
    """
    return {
        "chainrule_version": _version("chainrule"),
        "numpy_version": np.__version__,
        "scipy_version": _version("scipy"),  # whose import takes longer than this
        "python_version": platform.python_version(),
        "engine": engine,
        "instruction_set": extension.instruction_set() if engine == "native" else None,
    }


@cache  # it is read from a file
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed: run from its source"
