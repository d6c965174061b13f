"""The held-out score of ``chainrule train`` with its defaults over ten seeds: ``python benchmarks/held_out_scores.py``.

Prints the median, the least and the greatest score of each data set beside the median that is promised, and ends with
status 1 when one is missed. Each seed holds out other rows.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

# Of each data set the target, and the median score (accuracy, or R²) that the defaults promise.
DATA = {"penguins": ("species", 0.97), "digits": ("target", 0.97), "diabetes": ("target", 0.42)}
SEEDS = range(10)


def score(name: str, target: str, seed: int, folder: str) -> float:
    """Return the held-out score that the command reports."""
    command = ["train", name, "--target", target, "--seed", str(seed), "--json", "-o", str(Path(folder) / "model")]
    start = [sys.executable, "-c", "from chainrule.cli import main; main()"]
    report = subprocess.run([*start, *command], capture_output=True, text=True, check=True).stdout
    return float(json.loads(report)["score"])


def main() -> None:
    """Print the table."""
    missed = False
    print(f"{'data':12} {'median':>8} {'least':>8} {'greatest':>8} {'promised':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name, (target, promised) in DATA.items():
            scores = [score(name, target, seed, folder) for seed in SEEDS]
            median = statistics.median(scores)
            print(f"{name:12} {median:8.4f} {min(scores):8.4f} {max(scores):8.4f} {promised:8.2f}", flush=True)
            missed |= median < promised
    sys.exit(missed)


if __name__ == "__main__":
    main()
