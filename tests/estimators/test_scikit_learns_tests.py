"""scikit-learn's own tests of its multi-layer perceptrons, with the import changed, and its checks of any estimator."""

from __future__ import annotations

from typing import Any

import pytest
import sklearn.neural_network.tests.test_mlp as theirs
from sklearn.utils.estimator_checks import parametrize_with_checks

import chainrule as cr

# What these tests look at is private to scikit-learn's classes: _loss_grad_lbfgs, _optimizer, _no_improvement_count.
# What they mean to show is tested in test_like_scikit_learn.py.
PRIVATE = {
    "test_gradient",
    "test_learning_rate_warmstart",
    "test_adaptive_learning_rate",
    "test_n_iter_no_change",
    "test_n_iter_no_change_inf",
}
pytestmark = pytest.mark.filterwarnings("ignore")

for _name, _test in vars(theirs).items():
    if _name.startswith("test_") and _name not in PRIVATE:
        globals()[_name] = _test


@pytest.fixture(autouse=True)
def _import_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theirs, "MLPClassifier", cr.MLPClassifier)
    monkeypatch.setattr(theirs, "MLPRegressor", cr.MLPRegressor)


@pytest.fixture
def global_random_seed() -> int:
    return 42


@parametrize_with_checks([cr.MLPClassifier(), cr.MLPRegressor()])  # type: ignore[untyped-decorator]
def test_is_an_estimator(estimator: Any, check: Any) -> None:
    check(estimator)
