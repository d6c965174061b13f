"""How many rows a second the lab trains on, beside the network code of TensorFlow Playground, on its default network.

Two inputs, 4 and 2 units of tanh, one output of tanh, ½ (f − y)², batches of 10, a learning rate of 0.03, and circles:
250 points to learn from, 250 held out. The Playground's code runs in Node: its training alone, and the whole of its
epoch, which ends with the loss of both parts. In the lab everything counts that makes its frames at full speed:
training with its loss, and in each frame the held-out loss, the layers in figures and the picture over the plane; and,
for comparison, `chainrule.train` alone.

Its code is not ours and does not come along:

    git clone https://github.com/tensorflow/playground /tmp/playground
    npm install --prefix /tmp/playground --no-save typescript@5
    python benchmarks/playground.py --playground /tmp/playground
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.lab.data import Data
from chainrule.lab.scene import Layer, Scene
from chainrule.lab.training import Lesson, Trained, Training
from chainrule.lab.watching import frames

EPOCHS = 1_000  # after which the losses are compared
SCENE = Scene(
    inputs=2,
    layers=tuple(Layer(units, "tanh", True) for units in (4, 2, 1)),
    loss="half_squared_error",
    x=(0.0, 0.0),
    y=(1.0,),
)
DATA = Data(name="circles", rows=500, noise=0.0, held_out=0.5)


def lesson(epochs: int, seconds: float, seed: int = 0) -> Lesson:
    """Return the Playground's default as a run of the lab, as fast as it can."""
    scene = Scene(SCENE.inputs, SCENE.layers, SCENE.loss, seed, x=SCENE.x, y=SCENE.y)
    asked = Training(epochs=epochs, seconds=seconds, seed=seed, epochs_a_frame=None)
    return Lesson.of(Trained(scene, DATA, asked))


def the_lab(seconds: float) -> dict[str, Any]:
    """Return rows and seconds of training alone and of all that the lab does, and the loss after some epochs."""
    losses = [list(frames(lesson(EPOCHS, 60.0, seed)))[-1]["loss"] for seed in range(5)]
    *_, last = frames(lesson(1_000_000, seconds))
    begun = lesson(1, 1.0)
    epochs = max(1, round(last["rows"] / len(begun.x) / last["seconds"] * seconds))
    began = time.perf_counter()
    cr.train(
        begun.run.network,
        begun.x,
        begun.y,
        optimizer=begun.run.settings.optimizer,
        batch_size=begun.run.settings.batch_size,
        epochs=epochs,
        initial=begun.run.parameters,
        threads=1,
        progress=False,
    )
    alone = {"rows": epochs * len(begun.x), "seconds": time.perf_counter() - began}
    whole = {"rows": last["rows"], "seconds": last["seconds"]}
    return {"training": alone, "whole": whole, "loss": float(np.median(losses))}


def the_playground(checkout: Path, seconds: float) -> dict[str, Any]:
    """Return the same of the Playground; its seed cannot be chosen, so its loss is of one run."""
    begun = lesson(1, 1.0)
    parts = {"training": (begun.x, begun.y), "heldOut": begun.held_out or (begun.x[:0], begun.y[:0])}
    points = {name: np.column_stack(part).tolist() for name, part in parts.items()}
    ended = subprocess.run(
        [shutil.which("node") or "node", str(Path(__file__).with_suffix(".mjs")), str(checkout)],
        input=json.dumps({**points, "epochs": EPOCHS, "seconds": seconds}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--playground", type=Path, required=True, metavar="PATH", help="a checkout of its repository")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the best counts (default: %(default)s)")
    arguments = parser.parse_args()
    if not (arguments.playground / "src" / "nn.ts").is_file():
        parser.error(f"{arguments.playground} has no src/nn.ts: clone https://github.com/tensorflow/playground there")
    rounds = [
        (the_playground(arguments.playground, arguments.seconds), the_lab(arguments.seconds))
        for _ in range(arguments.rounds)
    ]
    print(f"| | training alone | ratio | whole epoch | ratio | loss after {EPOCHS:,} epochs |\n|{'---|' * 6}")
    slowest: dict[str, float] = {}
    for name, results in zip(("TensorFlow Playground", "the lab"), zip(*rounds, strict=True), strict=True):
        cells = []
        for what in ("training", "whole"):
            speed = max(one[what]["rows"] / one[what]["seconds"] for one in results)
            cells += [f"{speed:,.0f}", f"{speed / slowest.setdefault(what, speed):.1f}"]
        print(f"| {name} | {' | '.join(cells)} | {np.median([one['loss'] for one in results]):.2g} |")


if __name__ == "__main__":
    main()
