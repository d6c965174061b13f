"""A step of the native engine allocates nothing: its own headers in a program whose allocator counts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NATIVE = HERE.parents[1] / "native"
COMPILER = shutil.which("g++") or shutil.which("clang++")


@pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler")
def test_steps_and_epochs_allocate_nothing(tmp_path: Path) -> None:
    """Shuffling, dropout, penalty, clipping, validation and early stopping included; 38 epochs more cost nothing."""
    program = tmp_path / "allocations"
    subprocess.run(
        [
            *(str(COMPILER), "-std=c++20", "-O1", "-pthread"),
            *("-DCHAINRULE_ISA=baseline", "-DCHAINRULE_VECTOR_BYTES=16", "-Wno-psabi"),
            *("-Wl,--wrap=aligned_alloc", f"-I{NATIVE}"),
            *(str(HERE / "allocations.cpp"), str(NATIVE / "kernels.cpp"), "-o", str(program)),
        ],
        check=True,
    )
    counted = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert counted.splitlines() == ["chain: 0", "small: 0", "groups: 0", "large layers: 0"]
