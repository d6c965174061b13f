"""scikit-learn's contract: estimators that take the place of its own by their import."""

from __future__ import annotations

from .classifier import MLPClassifier
from .ensembles import MLPEnsembleClassifier, MLPEnsembleRegressor
from .regressor import MLPRegressor
from .search import GridSearch

__all__ = ["GridSearch", "MLPClassifier", "MLPEnsembleClassifier", "MLPEnsembleRegressor", "MLPRegressor"]
