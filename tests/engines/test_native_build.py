"""Why there is no native engine: the first error of a build, and what an installation has kept of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chainrule.engines import native_build

NO_COMPILER = """\
*** Configuring CMake...
CMake Error at CMakeLists.txt:3 (project):
  No CMAKE_CXX_COMPILER could be found.

  Tell CMake where to find the compiler by setting either the environment
  variable "CXX" or the CMake cache entry CMAKE_CXX_COMPILER to the full path
  to the compiler, or to the compiler name if it is in the PATH.


-- Configuring incomplete, errors occurred!

*** CMake configuration failed
"""
ABSENT_COMPILER = """\
CMake Error at /usr/share/cmake/Modules/CMakeDetermineCXXCompiler.cmake:47 (message):
  Could not find the compiler specified in the environment variable CXX:

  no-such-compiler.

Call Stack (most recent call first):
  CMakeLists.txt:3 (project)


CMake Error: CMAKE_CXX_COMPILER not set, after EnableLanguage
"""
FAILING_COMPILER = """\
-- Check for working CXX compiler: /opt/bin/c++ - broken
CMake Error at /usr/share/cmake/Modules/CMakeTestCXXCompiler.cmake:71 (message):
  The C++ compiler

    "/opt/bin/c++"

  is not able to compile a simple test program.

  It fails with the following output:

    Change Dir: '/tmp/build/CMakeFiles/CMakeScratch/TryCompile-NqgX3o'

    Run Build Command(s): /usr/bin/ninja -v cmTC_8903f
    [1/2] /opt/bin/c++ -o CMakeFiles/cmTC_8903f.dir/testCXXCompiler.cxx.o -c testCXXCompiler.cxx
    FAILED: [code=1] CMakeFiles/cmTC_8903f.dir/testCXXCompiler.cxx.o
    /opt/bin/c++ -o CMakeFiles/cmTC_8903f.dir/testCXXCompiler.cxx.o -c testCXXCompiler.cxx
    the license has expired
    ninja: build stopped: subcommand failed.

  CMake will not be able to correctly generate this project.
"""
SILENT_COMPILER = FAILING_COMPILER.replace("    the license has expired\n", "")
INVALID_SOURCE = """\
[9/16] Building CXX object CMakeFiles/kernels_baseline.dir/native/kernels.cpp.o
FAILED: [code=1] CMakeFiles/kernels_baseline.dir/native/kernels.cpp.o
/usr/bin/g++ -std=gnu++20 -o CMakeFiles/kernels_baseline.dir/native/kernels.cpp.o -c native/kernels.cpp
In file included from native/kernels.cpp:3:
native/simd.hpp:1:10: fatal error: missing.hpp: No such file or directory
    1 | #include "missing.hpp"
compilation terminated.
ninja: build stopped: subcommand failed.
"""
MISSING_LIBRARY = """\
FAILED: [code=1] _native.cpython-311-x86_64-linux-gnu.so
: && /usr/bin/g++ -shared -o _native.cpython-311-x86_64-linux-gnu.so module.cpp.o && :
/usr/bin/ld: cannot find -latomic: No such file or directory
collect2: error: ld returned 1 exit status
ninja: build stopped: subcommand failed.
"""
NO_CMAKE = """\
Traceback (most recent call last):
  File "cmake.py", line 59, in default_search
scikit_build_core.errors.CMakeNotFoundError: Could not find CMake with version >=3.18
"""


@pytest.mark.parametrize(
    ("log", "error"),
    [
        (ABSENT_COMPILER, "Could not find the compiler specified in the environment variable CXX: no-such-compiler"),
        (
            FAILING_COMPILER,
            'The C++ compiler "/opt/bin/c++" is not able to compile a simple test program: the license has expired',
        ),
        (SILENT_COMPILER, 'The C++ compiler "/opt/bin/c++" is not able to compile a simple test program'),
        (INVALID_SOURCE, "native/simd.hpp:1:10: fatal error: missing.hpp: No such file or directory"),
        (MISSING_LIBRARY, "/usr/bin/ld: cannot find -latomic: No such file or directory"),
        (NO_CMAKE, "scikit_build_core.errors.CMakeNotFoundError: Could not find CMake with version >=3.18"),
    ],
)
def test_the_first_error_of_a_build_is_quoted(log: str, error: str) -> None:
    assert native_build.first_error(log) == error


def test_a_long_error_is_truncated() -> None:
    assert native_build.first_error(NO_COMPILER).startswith("No CMAKE_CXX_COMPILER could be found. Tell CMake where")
    assert len(native_build.first_error("error: " + 1000 * "x")) == 401


def installed(folder: Path, log: str | None) -> None:
    """Write the metadata of an installed chainrule, with the log of a failed build."""
    metadata = folder / "chainrule-9.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: chainrule\nVersion: 9\n", encoding="utf-8")
    names = ["METADATA", "RECORD"]
    if log is not None:
        (metadata / native_build.LOG).write_text(log, encoding="utf-8")
        names.append(native_build.LOG)
    (metadata / "RECORD").write_text("".join(f"{metadata.name}/{name},,\n" for name in names), encoding="utf-8")


@pytest.fixture
def without_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "chainrule.engines._native", None)


@pytest.mark.usefixtures("without_extension")
def test_an_installation_keeps_why_its_build_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, INVALID_SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    assert native_build.absence().startswith("its build failed: native/simd.hpp:1:10: fatal error: missing.hpp")
    assert native_build.log_path() == tmp_path / "chainrule-9.dist-info" / "native-build.txt"


@pytest.mark.usefixtures("without_extension")
def test_without_a_log_the_extension_was_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, None)
    monkeypatch.syspath_prepend(tmp_path)
    assert native_build.absence() == "it was left out when chainrule was installed"
    assert native_build.log_path() is None


def test_an_extension_that_cannot_be_loaded_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the C++ library is older than that of the machine on which the extension was built."""
    (tmp_path / "_native.py").write_text("raise ImportError('version GLIBCXX_3.4.30 not found')", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "chainrule.engines._native", raising=False)
    monkeypatch.setattr(sys.modules["chainrule.engines"], "__path__", [str(tmp_path)])
    # The finder of an editable installation would find the extension of the tests themselves.
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if "Redirecting" not in repr(finder)])
    assert native_build.absence() == "it was built, but cannot be loaded: version GLIBCXX_3.4.30 not found"
