"""Installations from the source folder by pip, with build dependencies from the package index."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="the compilers of these tests are shell scripts"),
    pytest.mark.skipif(find_spec("pip") is None, reason="needs pip"),
]


def environment(folder: Path) -> Path:
    """Return the Python of a new environment that finds the packages of this one."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    [packages] = folder.glob("lib/python*/site-packages")
    here = [path for path in sys.path if path.endswith("-packages")]
    (packages / "tests.pth").write_text("\n".join(here), encoding="utf-8")
    return python


def start_install(python: Path, *options: str, source: Path = SOURCE, **variables: str) -> subprocess.Popen[str]:
    """Start ``pip install`` of a source folder into an environment."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", *options]
    return subprocess.Popen(
        [*command, str(source)],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def doctor(python: Path) -> dict[str, str]:
    """Return what ``chainrule doctor`` of an environment prints, by name."""
    command = [str(python.with_name("chainrule")), "doctor"]
    shown = subprocess.run(command, cwd=python.parent, capture_output=True, text=True, check=True).stdout
    return {name.strip(): what.strip() for name, _, what in (line.partition("  ") for line in shown.splitlines())}


def report(python: Path, *options: str, source: Path = SOURCE, **variables: str) -> dict[str, str]:
    """Install, and return what ``chainrule doctor`` prints then."""
    output, _ = (installation := start_install(python, *options, source=source, **variables)).communicate()
    assert installation.returncode == 0, output
    return doctor(python)


def test_two_simultaneous_installations_from_one_folder_both_have_the_native_engine(tmp_path: Path) -> None:
    pythons = [environment(tmp_path / name) for name in ("a", "b")]
    installations = [start_install(python) for python in pythons]
    for python, installation in zip(pythons, installations, strict=True):
        output, _ = installation.communicate()
        assert installation.returncode == 0, output
        assert doctor(python)["native engine"].startswith("built with")


@pytest.mark.parametrize("options", [(), ("--editable",)], ids=["wheel", "editable"])
def test_a_compiler_that_fails_is_quoted(tmp_path: Path, options: tuple[str, ...]) -> None:
    compiler = tmp_path / "c++"
    compiler.write_text("#!/bin/sh\necho 'the license has expired' >&2\nexit 1\n", encoding="utf-8")
    compiler.chmod(0o755)
    told = report(environment(tmp_path / "env"), *options, CXX=str(compiler))
    assert told["native engine"].startswith("MISSING")
    assert "is not able to compile a simple test program: the license has expired" in told["reason"]
    assert "the license has expired" in Path(told["build log"]).read_text(encoding="utf-8")


def test_a_compiler_that_is_missing_is_named(tmp_path: Path) -> None:
    told = report(environment(tmp_path / "env"), CXX="no-such-compiler")
    assert told["reason"].endswith("environment variable CXX: no-such-compiler")


def test_a_missing_compiler_is_reported(tmp_path: Path) -> None:
    """CMake searches no folder of the system, as if it held no compiler."""
    searched = ("CMAKE_SYSTEM", "SYSTEM_ENVIRONMENT")
    nowhere = [f"--config-settings=cmake.define.CMAKE_FIND_USE_{place}_PATH=OFF" for place in searched]
    told = report(environment(tmp_path / "env"), *nowhere, CXX="", CC="")
    assert "No CMAKE_CXX_COMPILER could be found" in told["reason"]


def test_an_error_in_the_source_is_quoted_with_its_line(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns(".*", "build", "docs", "tests"))
    module = source / "native" / "module.cpp"
    module.write_text(f'#error "not this time"\n{module.read_text(encoding="utf-8")}', encoding="utf-8")
    told = report(environment(tmp_path / "env"), source=source)
    assert told["reason"].endswith('native/module.cpp:1:2: error: #error "not this time"')
