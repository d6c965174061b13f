"""Small programs with the native headers: counted allocations, slow reference kernels, and the thread sanitizer."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from chainrule.engines import extension

HERE = Path(__file__).parent
NATIVE = HERE.parents[1] / "native"
COMPILER = shutil.which("g++") or shutil.which("clang++")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler")


def compiled(folder: Path, source: str, *options: str) -> Path:
    program = folder / Path(source).stem
    command = [str(COMPILER), "-std=c++20", "-O1", "-pthread", f"-I{NATIVE}", *options]
    subprocess.run([*command, str(HERE / source), "-o", str(program)], check=True)
    return program


@pytest.mark.slow
def test_steps_and_epochs_allocate_nothing(tmp_path: Path) -> None:
    """Shuffling, dropout, penalty, clipping, validation and early stopping included; 38 epochs more cost nothing."""
    baseline = ("-DCHAINRULE_ISA=baseline", "-DCHAINRULE_VECTOR_BYTES=16", "-Wno-psabi")
    program = compiled(tmp_path, "allocations.cpp", *baseline, "-Wl,--wrap=aligned_alloc", str(NATIVE / "kernels.cpp"))
    counted = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert counted.splitlines() == ["chain: 0", "small: 0", "groups: 0", "large layers: 0"]


ISA_OPTIONS = {
    "baseline": ("-DCHAINRULE_VECTOR_BYTES=16",),
    "avx2": ("-DCHAINRULE_VECTOR_BYTES=32", "-mavx2", "-mfma"),
    "avx512": (
        *("-DCHAINRULE_VECTOR_BYTES=64", "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma"),
        "-mprefer-vector-width=512",
    ),
    "wide": ("-DCHAINRULE_VECTOR_BYTES=64", "-mavx2", "-mfma"),
}


@pytest.mark.slow
@pytest.mark.parametrize("isa", extension.instruction_sets())
def test_kernels_agree_with_their_slow_reference_on_random_shapes(isa: str, tmp_path: Path) -> None:
    options = (f"-DCHAINRULE_ISA={isa}", *ISA_OPTIONS[isa], "-ffp-contract=fast", "-Wno-psabi")
    program = compiled(tmp_path, "reference.cpp", *options)
    output = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    kernels = ("products", "functions", "activations", "softmax", "predictions", "gradients")
    assert output.splitlines() == [f"{dtype} {name}: 0" for dtype in ("float32", "float64") for name in kernels]


@pytest.mark.slow
def test_threads_do_every_part_once_and_without_a_race(tmp_path: Path) -> None:
    try:
        program = compiled(tmp_path, "threads.cpp", "-fsanitize=thread", "-g")
    except subprocess.CalledProcessError:  # a compiler without it
        program = compiled(tmp_path, "threads.cpp")
    # Another sanitizer, which the tests themselves may run under, cannot be loaded beside that of threads.
    alone = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run([program], env=alone, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
