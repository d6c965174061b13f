"""What ``chainrule doctor`` tells: versions, the engine, and what is missing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from .engines import extension, native_build, threads

_NEEDED = ("numpy", "scipy", "scikit-learn", "polars", "safetensors", "matplotlib", "rich", "typer")
_EXTRAS = {"jax": "chainrule[jax]"}
_REMEDY = (
    "correct the reason (a C++20 compiler, GCC or Clang, and the headers of Python are needed), then install chainrule "
    "again with the options --force-reinstall --no-deps --no-cache-dir of pip install"
)


def findings() -> dict[str, str]:
    """Return what there is to tell, by name."""
    told = {
        "chainrule": _version("chainrule") or "not installed: run from its source",
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "cores": str(os.cpu_count()),
    }
    told |= {name: _version(name) or "MISSING: reinstall chainrule" for name in _NEEDED}
    told |= {name: _version(name) or f"not installed: pip install '{extra}'" for name, extra in _EXTRAS.items()}
    if extension.is_built():
        others = [name for name in extension.instruction_sets() if name != extension.instruction_set()]
        told["native engine"] = f"built with {extension.compiler()}"
        told["threads"] = f"{threads.allowed()} ({threads.VARIABLE} can choose another number)"
        told["instruction set"] = f"{extension.instruction_set()} ({extension.VARIABLE} can choose {', '.join(others)})"
    else:
        told["native engine"] = "MISSING: the reference engine is used, which is slower"
        told["reason"] = native_build.absence()
        if (log := native_build.log_path()) is not None:
            told["build log"] = str(log)
        told["remedy"] = _REMEDY
    return told


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
