"""Predictions row by row are those of all rows at once, wherever rows are predicted."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.engines import extension, reference
from chainrule.lab.data import Ready, Rows
from chainrule.lab.pictures import Pictures

SETS = extension.instruction_sets()
AGREEMENT = {"float64": 1e-12, "float32": 2e-6}
pytestmark = pytest.mark.usefixtures("few_epochs")


def assert_same_row_by_row(predict: Any, X: Any) -> None:
    """Compare predictions with those of single rows and of pieces."""
    expected = predict(X)
    tolerance = AGREEMENT[str(X.dtype)] * np.abs(expected).max()
    for rows in (1, 2, 3, 7, 33):
        pieces = np.concatenate([predict(X[begin : begin + rows]) for begin in range(0, len(X), rows)])
        np.testing.assert_allclose(pieces, expected, rtol=0.0, atol=tolerance)


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("data", [load_iris, load_digits], ids=["iris", "digits"])
def test_of_estimators(data: Any, dtype: str, isa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_ISA", isa)
    X, y = data(return_X_y=True)
    X, y = X.astype(dtype)[::9] / X.max(), y[::9]
    for hidden in ((8,), (5, 7, 6)):
        classifier = cr.MLPClassifier(hidden, max_iter=5, random_state=0).fit(X, y)
        assert_same_row_by_row(classifier.predict_proba, X)
        of_rows = [classifier.score(X[row : row + 1], y[row : row + 1]) for row in range(len(X))]
        assert classifier.score(X, y) == pytest.approx(np.mean(of_rows))
        assert_same_row_by_row(
            cr.MLPRegressor("squared_error", hidden, max_iter=5, random_state=0).fit(X, y).predict, X
        )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_of_ensembles(dtype: str) -> None:
    X, y = load_iris(return_X_y=True)
    X = X.astype(dtype)
    members = cr.MLPClassifier((8,), max_iter=5)
    assert_same_row_by_row(cr.MLPEnsembleClassifier(members, 3, random_state=0).fit(X, y).predict_proba, X)
    members = cr.MLPRegressor("squared_error", (8,), max_iter=5)
    assert_same_row_by_row(cr.MLPEnsembleRegressor(members, 3, random_state=0).fit(X, y).predict, X)


def test_of_the_lab() -> None:
    """It draws the outputs for a grid, and scores whatever rows are held out."""
    net = cr.Network(2, [cr.Dense(5, "tanh"), cr.Dense(3, "softmax")], "cross_entropy")
    params, random = net.initial(seed=1), np.random.default_rng(0)
    x, y = random.normal(size=(70, 2)), random.integers(3, size=70).astype(float)
    data = Ready(Rows(x, y), Rows(x, y), ["a", "b"], ["0", "1", "2"], [[-1.0, 1.0], [-1.0, 1.0]])
    right = reference.predict(net, params, x).argmax(axis=1) == y
    for rows in range(1, 71):
        pictures = Pictures(net, replace(data, held_out=Rows(x[:rows], y[:rows])))
        assert pictures.drawn(params)["score"]["value"] == pytest.approx(right[:rows].mean())


def test_of_the_command_line(tmp_path: Path) -> None:
    """A table of one row is predicted as in a larger table."""
    runner, model, table = CliRunner(), tmp_path / "model.safetensors", tmp_path / "table.csv"
    X, y = load_iris(return_X_y=True)
    lines = [",".join(map(str, [*row, f"kind{kind}"])) for row, kind in zip(X, y, strict=True)]

    def write(rows: list[str]) -> None:
        table.write_text("\n".join(["a,b,c,d,kind", *rows]) + "\n")

    def predicted(rows: list[str]) -> Any:
        write(rows)
        shown = runner.invoke(app, ["predict", str(model), str(table)])
        assert shown.exit_code == 0, shown.output
        return [
            [float(row[f"probability_kind{k}"]) for k in range(3)] for row in csv.DictReader(shown.stdout.splitlines())
        ]

    write(lines)
    options = ["--target", "kind", "--hidden", "8", "--epochs", "3", "-o", str(model)]
    trained = runner.invoke(app, ["train", str(table), *options])
    assert trained.exit_code == 0, trained.output
    some = lines[::10]
    single = [row for line in some for row in predicted([line])]
    np.testing.assert_allclose(single, predicted(some), rtol=0.0, atol=2e-6)
