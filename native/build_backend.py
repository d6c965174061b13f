"""Build backend: scikit-build-core, which leaves out the native engine where it cannot be built, and says why.

The output of the failed native build becomes ``native-build.txt`` beside the metadata of the installed package, where
:mod:`chainrule.engines.native_build` finds it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from scikit_build_core import build
from scikit_build_core.build import (
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

LOG = "native-build.txt"
_CALL = "import json, sys; from scikit_build_core import build; getattr(build, sys.argv[1])(*json.loads(sys.argv[2]))"


def build_wheel(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """Build a wheel into a folder and return its name, as PEP 517 specifies."""
    return _build("build_wheel", Path(wheel_directory), config_settings, metadata_directory)


def build_editable(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """Build an editable wheel into a folder and return its name, as PEP 660 specifies."""
    return _build("build_editable", Path(wheel_directory), config_settings, metadata_directory)


def _build(hook: str, folder: Path, config_settings: dict[str, Any] | None, metadata_directory: str | None) -> str:
    """Call a hook of scikit-build-core; if it fails, call it again without CMake, and add the log to the wheel."""
    with tempfile.TemporaryDirectory() as attempt:
        # A process of its own, so that the output of CMake and the compiler can be kept: in English, in which
        # native_build.py finds the first error, and in a file, as a compiler cache's server may hold a pipe open.
        log = Path(attempt) / LOG
        call = json.dumps([attempt, config_settings, metadata_directory])
        with log.open("wb") as output:
            status = subprocess.run(  # noqa: S603 - this Python
                [sys.executable, "-c", _CALL, hook, call],
                env={**os.environ, "LC_ALL": "C"},
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
        text = log.read_text(encoding="utf-8", errors="replace")
        sys.stdout.write(text)
        if status == 0:
            [wheel] = Path(attempt).glob("*.whl")
            shutil.move(wheel, folder / wheel.name)
            return wheel.name
    print(f"*** The native engine could not be built and is left out; the reason is kept in {LOG}", flush=True)
    without_cmake = {**(config_settings or {}), "wheel.cmake": "false"}
    name: str = getattr(build, hook)(str(folder), without_cmake, metadata_directory)
    _add_to_metadata(folder / name, LOG, text.encode())
    return name


def _add_to_metadata(wheel: Path, name: str, content: bytes) -> None:
    """Add a file to the ``.dist-info`` folder of a wheel, and to its RECORD."""
    with zipfile.ZipFile(wheel) as archive:
        files = {member: archive.read(member) for member in archive.infolist()}
    [record] = [member for member in files if member.filename.endswith(".dist-info/RECORD")]
    path = record.filename.replace("RECORD", name)
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    files[record] = f"{path},sha256={digest},{len(content)}\n".encode() + files[record]
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(path, content)
        for member, data in files.items():
            archive.writestr(member, data)
