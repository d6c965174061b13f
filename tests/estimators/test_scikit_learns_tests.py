"""scikit-learn's own tests of its multi-layer perceptrons, with the import changed, and its checks of any estimator."""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

import pytest
import sklearn.neural_network
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


def _with_the_import_changed() -> ModuleType:
    """Return scikit-learn's tests as they are when they import chainrule's classes, for their parameters too."""
    spec = find_spec("sklearn.neural_network.tests.test_mlp")
    assert spec is not None
    assert spec.loader is not None
    tests = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sklearn.neural_network, "MLPClassifier", cr.MLPClassifier)
        patch.setattr(sklearn.neural_network, "MLPRegressor", cr.MLPRegressor)
        spec.loader.exec_module(tests)
    return tests


_tests = {name: test for name, test in vars(_with_the_import_changed()).items() if name.startswith("test_")}
globals().update({name: test for name, test in _tests.items() if name not in PRIVATE})


def test_scikit_learns_own_classes_are_in_none_of_these() -> None:
    for name, test in _tests.items():
        for mark in getattr(test, "pytestmark", ()):
            assert "sklearn.neural_network" not in str(mark.args), name
        assert test.__globals__["MLPClassifier"] is cr.MLPClassifier


@pytest.fixture
def global_random_seed() -> int:
    return 42


@pytest.mark.may_skip
@parametrize_with_checks([cr.MLPClassifier(), cr.MLPRegressor()])  # type: ignore[untyped-decorator]
def test_is_an_estimator(estimator: Any, check: Any) -> None:
    check(estimator)
