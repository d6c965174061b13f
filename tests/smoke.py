"""A short tour of an installed chainrule, with nothing but its own dependencies: ``python tests/smoke.py``.

CI runs it for every kind of installation: from source, an sdist and a wheel, with each Python, and with the lowest
versions of all dependencies.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

CHAINRULE = Path(sys.executable).with_name("chainrule")


def run(*arguments: str, typed: str | None = None) -> str:
    """Return what ``chainrule`` prints; it must succeed."""
    done = subprocess.run(
        [CHAINRULE, *arguments], input=typed, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, f"chainrule {' '.join(arguments)}: {done.stdout}{done.stderr}"
    assert "Warning" not in done.stderr, done.stderr
    return done.stdout


def doctor_finds_the_native_engine() -> None:
    """Nothing is missing, and every command explains itself."""
    report = run("doctor")
    assert "MISSING" not in report, report
    assert run("--version").strip().endswith(version("chainrule"))
    for command in (["train"], ["predict"], ["derive"], ["lab"], ["lesson"], ["lesson", "export"], ["lesson", "new"]):
        assert run(*command, "--help").startswith("Usage: ")


def a_table_is_learnt_and_predicted() -> None:
    """A bundled table, with JSON output and a plot; then predictions for a file."""
    result = json.loads(
        run("train", "penguins", "--target", "species", "--epochs", "20", "--json", "--plot", "loss.png")
    )
    assert result["score"] > 0.9, result
    assert Path("loss.png").stat().st_size > 1000
    header = "species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year"
    Path("new.csv").write_text(f"{header}\n,Biscoe,50.0,15.2,218,5700,male,2009\n", encoding="utf-8")
    assert "Gentoo" in run("predict", "penguins-species.safetensors", "new.csv")


def a_chain_is_derived() -> None:
    """In symbols and numbers, as text and HTML."""
    assert "w₂" in run("derive", "--chain", "3", "--activation", "tanh", "--x", "0.5", "--y", "0.8")
    assert "<math" in run("derive", "--chain", "2", "--format", "html")


def a_lesson_is_written_practised_and_exported() -> None:
    """For Open edX and Moodle; attempts are stored."""
    run("lesson", "new", "lesson.yaml")
    assert "points" in run("lesson", "check", "lesson.yaml")
    assert run("lesson", "preview", "lesson.yaml", "--solutions")
    run("lesson", "practise", "--seed", "3", typed="a\nb\nc\n\nq\n")
    run("lesson", "progress", "--csv", "attempts.csv")
    assert Path("attempts.csv").read_text(encoding="utf-8").count("\n") > 1
    run("lesson", "export", "lesson.yaml", "--to", "moodle", "--output", "quiz.xml")
    run("lesson", "export", "lesson.yaml", "--to", "olx", "--output", "course.tar.gz")


def estimators_fit() -> None:
    """A classifier on a data frame, many networks side by side, and a model that is saved and loaded."""
    import numpy as np
    import polars as pl
    from sklearn.datasets import load_iris

    import chainrule as cr

    x, y = load_iris(return_X_y=True)
    frame = pl.DataFrame(x)
    classifier = cr.MLPClassifier((16,), random_state=0, max_iter=500, learning_rate_init=0.01).fit(frame, y)
    assert classifier.score(frame, y) > 0.95
    net = cr.Network(4, [cr.Dense(8, "tanh"), cr.Dense(3, "softmax")], loss="cross_entropy")
    runs = cr.train_many(net, x, y, seeds=range(2), epochs=5)
    runs[0].save("model.safetensors")
    assert np.array_equal(cr.load("model.safetensors").predict(x), runs[0].predict(x))
    assert cr.verify(net, net.initial(seed=0), x[:5], y[:5])


def intervals_are_calibrated() -> None:
    """By an ensemble, with rows that it was not fitted to."""
    import numpy as np

    import chainrule as cr

    x = np.linspace(-1, 1, 60)[:, None]
    network = cr.MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs")
    ensemble = cr.MLPEnsembleRegressor(network, n_estimators=2, random_state=0)
    ensemble.fit(x[::2], x[::2, 0]).calibrate(x[1::2], x[1::2, 0])
    assert ensemble.predict_interval(x[:3]).shape == (3, 2)


def extras_work_where_they_are_installed() -> None:
    """Gradients by JAX, formulae in SymPy."""
    import numpy as np

    import chainrule as cr

    if find_spec("sympy"):
        gradient = cr.derive(cr.chain(2, activation="tanh")).gradient("w_1")
        assert cr.formula.to_sympy(gradient).free_symbols
    if find_spec("jax"):
        import jax.numpy as jnp

        assert abs(float(cr.activations.hyperbolic_tangent().value(jnp.asarray(0.5))) - np.tanh(0.5)) < 1e-6


def the_lab_starts() -> None:
    """Its page is served."""
    with subprocess.Popen([CHAINRULE, "lab", "--no-browser", "--port", "0"], stdout=subprocess.PIPE, text=True) as lab:
        try:
            assert lab.stdout is not None
            address = re.search(r"http://\S+", lab.stdout.readline())
            assert address is not None
            opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            page = opener.open(address[0], timeout=30).read().decode()
            assert "<title>" in page, page
        finally:
            lab.terminate()


TOUR: list[Callable[[], None]] = [
    doctor_finds_the_native_engine,
    a_table_is_learnt_and_predicted,
    a_chain_is_derived,
    a_lesson_is_written_practised_and_exported,
    estimators_fit,
    intervals_are_calibrated,
    extras_work_where_they_are_installed,
    the_lab_starts,
]


def main() -> None:
    """Go through the tour in an empty folder, with progress files of its own."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ |= {"CHAINRULE_DATA": folder, "MPLBACKEND": "Agg", "PYTHONUNBUFFERED": "1"}
        for step in TOUR:
            step()
        os.chdir("/")
    print(f"smoke test passed: chainrule {version('chainrule')}, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
