"""Why there is no native engine: what the installation of chainrule has kept of a failed build.

The build backend, ``native/build_backend.py``, stores the output of CMake and the compiler beside the metadata of the
installed package.
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

LOG = "native-build.txt"
_LONGEST = 400  # characters of a quoted error
# "CMake Error at FILE:LINE (COMMAND):", then a text over several lines. Where a test program could not be compiled, the
# compiler's output follows.
_CMAKE_ERROR = re.compile(r"^CMake Error(?: at [^\n]*)?:\s+(.+?)(?:It fails with|Call Stack|\n\n\n|\Z)", re.M | re.S)
_COMPILER_ERROR = re.compile(r"^(?!.*(?:ld returned|linker command failed)).*\berror: .*$", re.M)
_FAILED_COMMAND = re.compile(r"^ *FAILED: .*\n.*\n(?! *ninja: )(.*)$", re.M)  # its name, itself, its output


def absence() -> str:
    """Return why the extension cannot be imported, in one line."""
    try:
        import_module("._native", __package__)
    except ModuleNotFoundError:
        pass
    except ImportError as error:
        return f"it was built, but cannot be loaded: {error}"
    try:
        log = Distribution.from_name("chainrule").read_text(LOG)
    except PackageNotFoundError:
        return "chainrule is not installed; it is running from its source tree"
    return "it was left out when chainrule was installed" if log is None else f"its build failed: {first_error(log)}"


def log_path() -> Path | None:
    """Return the file with the output of the failed build, if there is one."""
    try:
        files = Distribution.from_name("chainrule").files or []
    except PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name == LOG), None)


def first_error(log: str) -> str:
    """Return the first error in the output of a build, in one line: CMake's, the compiler's, or the last line."""
    configuration = _CMAKE_ERROR.search(log)
    compilation = _COMPILER_ERROR.search(log) or _FAILED_COMMAND.search(log)
    errors = [configuration[1].strip().removesuffix(".")] if configuration else []
    if compilation:
        errors.append(compilation[compilation.lastindex or 0])
    error = " ".join((": ".join(errors) or log.strip().rpartition("\n")[2]).split())
    return error if len(error) <= _LONGEST else f"{error[:_LONGEST]}…"
