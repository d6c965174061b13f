"""chainrule's estimators beside scikit-learn's: the time of whole calls, and the scores on held-out rows.

Both are called with the same parameters on the same data, in turn, in one process, with all cores. A ratio is
scikit-learn's median time to chainrule's. MNIST is left out without its file.

    python benchmarks/estimators.py --mnist mnist.npz --rounds 3
    python benchmarks/estimators.py --scores
    python benchmarks/estimators.py --sparse
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.neural_network as theirs
from scipy import sparse
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_friedman1,
    make_moons,
    make_multilabel_classification,
)
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.preprocessing import scale
from systems.machine import described
from systems.workloads import HOW_TO_GET_MNIST, MNIST_VARIABLE

import chainrule as cr

SEEDS = range(20)
GRID = {
    "hidden_layer_sizes": [(50,), (100,)],
    "activation": ["relu", "tanh"],
    "alpha": [1e-4, 1e-2, 1.0],
    "learning_rate_init": [1e-3, 3e-3],
}


def seconds(call: Callable[[], object], calls: int = 1) -> float:
    """Return how long a call takes, as the median of some."""
    taken = []
    for _ in range(calls):
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def compare(what: str, ours: Callable[[], object], their: Callable[[], object], rounds: int, calls: int = 1) -> None:
    """Time both in turn and print a line."""
    pairs = []
    for number in range(rounds):  # now one first, now the other
        first, second = (ours, their) if number % 2 else (their, ours)
        taken = {call: seconds(call, calls) for call in (first, second)}
        pairs.append((taken[ours], taken[their]))
    mine, yours = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{what:44}{1e3 * mine:12.3f} ms{1e3 * yours:12.3f} ms{yours / mine:8.2f} ×", flush=True)


def times(mnist: Path | None, rounds: int) -> None:
    """Print how long fits, predictions and a grid search take."""
    print(f"{'':44}{'chainrule':>15}{'scikit-learn':>15}{'ratio':>10}")
    settings: dict[str, Any] = {"random_state": 0}
    for name, (X, y), calls in (("iris", load_iris(return_X_y=True), 5), ("digits", load_digits(return_X_y=True), 3)):
        ours, their = cr.MLPClassifier(**settings), theirs.MLPClassifier(**settings)
        ours.fit(X, y)
        compare(f"fit, {name}", lambda: ours.fit(X, y), lambda: their.fit(X, y), rounds, calls)  # noqa: B023
        compare(
            f"predict one row, {name}",
            lambda: ours.predict(X[:1]),  # noqa: B023
            lambda: their.predict(X[:1]),  # noqa: B023
            rounds,
            300,
        )
        many = np.resize(X, (10_000, X.shape[1]))
        compare(
            f"predict 10,000 rows, {name}",
            lambda: ours.predict(many),  # noqa: B023
            lambda: their.predict(many),  # noqa: B023
            rounds,
            20,
        )
    X, y = load_digits(return_X_y=True)
    found: list[Any] = []
    compare(
        "5-fold grid of 24 settings, digits",
        lambda: found.append(cr.GridSearch(cr.MLPClassifier(**settings), GRID).fit(X, y)),
        lambda: found.append(GridSearchCV(theirs.MLPClassifier(**settings), GRID, n_jobs=2).fit(X, y)),
        rounds,
    )
    apart = np.abs(found[0].cv_results_["mean_test_score"] - found[1].cv_results_["mean_test_score"]).max()
    print(f"  best: {found[0].best_params_} and {found[1].best_params_}; mean scores differ by at most {apart:.1e}")
    if mnist is None or not mnist.is_file():
        print(f"MNIST is left out: {HOW_TO_GET_MNIST}")
        return
    table = np.load(mnist)
    for dtype in ("float64", "float32"):
        X, y = (table["X_train"] / 255).astype(dtype), table["y_train"]
        compare(
            f"fit, MNIST, 5 epochs, {dtype}",
            lambda: cr.MLPClassifier(max_iter=5, **settings).fit(X, y),  # noqa: B023
            lambda: theirs.MLPClassifier(max_iter=5, **settings).fit(X, y),  # noqa: B023
            rounds,
        )


def text_like(rows: int, columns: int, entries: int = 80) -> tuple[Any, Any]:
    """Return sparse rows with this many entries each, as of documents, and twenty classes."""
    random = np.random.default_rng(0)
    places = np.repeat(np.arange(rows), entries), random.integers(0, columns, rows * entries)
    return sparse.csr_matrix((random.uniform(size=rows * entries), places), (rows, columns)), random.integers(
        0, 20, rows
    )


def sparse_times(rounds: int) -> None:
    """Print how long fits to sparse rows and predictions of them take."""
    print(f"{'':44}{'chainrule':>15}{'scikit-learn':>15}{'ratio':>10}")
    X, y = text_like(11_000, 100_000)
    ours, their = (kind(max_iter=1, random_state=0) for kind in (cr.MLPClassifier, theirs.MLPClassifier))
    compare("fit, one epoch of adam, 11,000 × 100,000", lambda: ours.fit(X, y), lambda: their.fit(X, y), rounds)
    compare("predict, 11,000 rows", lambda: ours.predict(X), lambda: their.predict(X), rounds, 3)
    row = X[:1]
    compare("predict, one row", lambda: ours.predict(row), lambda: their.predict(row), rounds, 100)
    X, y = text_like(1_500, 20_000)
    ours, their = (
        kind(solver="lbfgs", max_iter=5, random_state=0) for kind in (cr.MLPClassifier, theirs.MLPClassifier)
    )
    compare("fit, 5 iterations of lbfgs, 1,500 × 20,000", lambda: ours.fit(X, y), lambda: their.fit(X, y), rounds)


def data_sets() -> dict[str, tuple[Any, Any, bool]]:
    """Return inputs, targets, and whether these are numbers."""
    diabetes, cancer, wine = load_diabetes(), load_breast_cancer(), load_wine()
    friedman = make_friedman1(500, noise=1.0, random_state=0)
    return {
        "iris": (*load_iris(return_X_y=True), False),
        "wine": (scale(wine.data), wine.target, False),
        "breast cancer": (scale(cancer.data), cancer.target, False),
        "digits": (load_digits().data / 16, load_digits().target, False),
        "moons": (*make_moons(500, noise=0.3, random_state=0), False),
        "labels (made)": (*make_multilabel_classification(500, random_state=0), False),
        "diabetes": (diabetes.data, scale(diabetes.target), True),
        "Friedman 1": (friedman[0], scale(friedman[1]), True),
    }


def scores() -> None:
    """Print the held-out scores of both over twenty seeds, each of which splits, starts and shuffles anew."""
    print(f"{'':16}{'chainrule':>22}{'scikit-learn':>22}{'apart at most':>16}{'coefs_':>10}")
    for name, (X, y, numbers) in data_sets().items():
        rows, apart = [], 0.0
        for seed in SEEDS:
            train_x, test_x, train_y, test_y = train_test_split(X, y, random_state=seed)
            kinds = (cr.MLPRegressor, theirs.MLPRegressor) if numbers else (cr.MLPClassifier, theirs.MLPClassifier)
            pair = [kind(random_state=seed).fit(train_x, train_y) for kind in kinds]
            rows.append([model.score(test_x, test_y) for model in pair])
            apart = max(
                apart, *(float(np.abs(a - b).max()) for a, b in zip(pair[0].coefs_, pair[1].coefs_, strict=True))
            )
        both = np.array(rows)
        differ = both[:, 0] - both[:, 1]
        line = "".join(f"{column.mean():14.4f} ± {column.std():.3f}" for column in both.T)
        print(f"{name:16}{line}{np.abs(differ).max():16.1e}{apart:10.1e}", flush=True)


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mnist", type=Path, default=os.environ.get(MNIST_VARIABLE), metavar="PATH")
    parser.add_argument("--scores", action="store_true", help="held-out scores in place of times")
    parser.add_argument("--sparse", action="store_true", help="times with sparse rows in place of arrays")
    arguments = parser.parse_args()
    os.environ["PYTHONWARNINGS"] = "ignore"  # in the workers of joblib too
    warnings.simplefilter("ignore")
    print(described())
    if arguments.scores:
        scores()
    elif arguments.sparse:
        sparse_times(arguments.rounds)
    else:
        times(arguments.mnist, arguments.rounds)


if __name__ == "__main__":
    main()
