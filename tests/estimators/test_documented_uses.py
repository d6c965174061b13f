"""What the examples in scikit-learn's documentation do with its perceptrons, done with both."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from matplotlib.figure import Figure
from sklearn.datasets import load_digits, load_iris, make_circles, make_classification, make_moons
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import chainrule as cr

MNIST = Path(os.environ.get("CHAINRULE_MNIST", ""))
POINTS: dict[str, Any] = {
    "moons": make_moons(noise=0.3, random_state=0),
    "circles": make_circles(noise=0.2, factor=0.5, random_state=1),
    "lines": make_classification(n_features=2, n_redundant=0, n_informative=2, random_state=1, n_clusters_per_class=1),
}
STRATEGIES: dict[str, dict[str, Any]] = {
    "constant": {"momentum": 0},
    "with momentum": {"momentum": 0.9, "nesterovs_momentum": False},
    "with Nesterov's momentum": {"momentum": 0.9, "nesterovs_momentum": True},
    "inverse scaling": {"learning_rate": "invscaling", "momentum": 0},
    "inverse scaling with momentum": {"learning_rate": "invscaling", "momentum": 0.9, "nesterovs_momentum": False},
    "inverse scaling with Nesterov's": {"learning_rate": "invscaling", "momentum": 0.9, "nesterovs_momentum": True},
    "Adam": {"solver": "adam", "learning_rate_init": 0.01},
}
pytestmark = pytest.mark.usefixtures("few_epochs")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_learning_strategies(strategy: str) -> None:
    """Curves of the loss by different rates and momenta, on four data sets."""
    settings = {"solver": "sgd", "learning_rate_init": 0.2, "random_state": 0, **STRATEGIES[strategy]}
    data = {"iris": load_iris(return_X_y=True), "digits": load_digits(return_X_y=True), **POINTS}
    for name, (X, y) in data.items():
        X = MinMaxScaler().fit_transform(X)
        pair: list[Any] = [
            kind(max_iter=5 if name == "digits" else 60, **settings).fit(X, y)
            for kind in (cr.MLPClassifier, theirs.MLPClassifier)
        ]
        np.testing.assert_allclose(pair[0].loss_curve_, pair[1].loss_curve_, rtol=1e-7, err_msg=name)
        assert pair[0].score(X, y) == pair[1].score(X, y)


@pytest.mark.parametrize("points", POINTS)
def test_varying_alpha(points: str) -> None:
    """Boundaries by L-BFGS with two hidden layers, the smoother the larger alpha; the widths are a list."""
    X, y = POINTS[points]
    X = StandardScaler().fit_transform(X)
    mesh = np.c_[tuple(axis.ravel() for axis in np.meshgrid(np.arange(-3, 3, 0.2), np.arange(-3, 3, 0.2)))]
    sizes = []
    for alpha in (0.01, 0.1, 1.0):
        model = cr.MLPClassifier(
            solver="lbfgs", alpha=alpha, random_state=1, max_iter=200, hidden_layer_sizes=[100, 100]
        )
        model.fit(X, y)
        assert not hasattr(model, "decision_function")
        assert model.predict_proba(mesh)[:, 1].shape == (len(mesh),)
        sizes.append(np.linalg.norm(model.coefs_[0]))
        assert model.score(X, y) > 0.8
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("points", POINTS)
def test_comparing_classifiers(points: str) -> None:
    """A pipeline with a scaler, and its boundary drawn by scikit-learn."""
    X, y = POINTS[points]
    train_x, test_x, train_y, test_y = train_test_split(X, y, test_size=0.4, random_state=42)
    scores = []
    for kind in (cr.MLPClassifier, theirs.MLPClassifier):
        model = make_pipeline(StandardScaler(), kind(alpha=1, max_iter=1000, random_state=42)).fit(train_x, train_y)
        scores.append(model.score(test_x, test_y))
        axes = Figure().add_subplot()
        DecisionBoundaryDisplay.from_estimator(model, X, alpha=0.8, ax=axes, eps=0.5, grid_resolution=30)
        assert axes.collections
    assert scores[0] == scores[1]


@pytest.mark.skipif(not MNIST.is_file(), reason="CHAINRULE_MNIST names no file with MNIST")
def test_weights_of_mnist(capsys: pytest.CaptureFixture[str]) -> None:
    """Classes are text, messages are printed, and each column of the first weights is an image."""
    table = np.load(MNIST)
    X, y = table["X_train"][:6000] / 255.0, table["y_train"][:6000].astype(str)
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (40,),
        "max_iter": 8,
        "solver": "sgd",
        "verbose": 10,
        "random_state": 1,
        "learning_rate_init": 0.2,
    }
    pair: list[Any] = []
    printed = []
    for kind in (cr.MLPClassifier, theirs.MLPClassifier):
        pair.append(kind(**settings).fit(X, y))
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert pair[0].coefs_[0].T[0].reshape(28, 28).shape == (28, 28)
    assert pair[0].score(X, y) == pair[1].score(X, y)
