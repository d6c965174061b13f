"""The campaign of altered files, briefly: each file gives a result or an error of one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGN = Path(__file__).parents[2] / "benchmarks" / "faults.py"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["models", "checkpoints", "parquet", "arrow", "csv", "lessons", "links"])
def test_an_altered_file_gives_a_result_or_an_error_of_one_line(kind: str, tmp_path: Path) -> None:
    options = ["--mutants", "100", "--seed", "7", "--kind", kind, "--keep", str(tmp_path)]
    done = subprocess.run([sys.executable, str(CAMPAIGN), *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
