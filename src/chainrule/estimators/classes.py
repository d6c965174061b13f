"""Classes and labels as targets: their kind, their weights, and how rare they are."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ..data import Data, Floats
from .inputs import is_whole

# Accuracy says little about a class with a smaller share of the rows, or of the rows of the most frequent class.
_RARE = 0.05
_RARE_TO_COMMON = 0.1


def kind_of_targets(y: Any) -> str:
    """Return scikit-learn's type of targets that a classifier supports.

    Raises
    ------
    ValueError
        When the targets cannot be classes or labels.
    """
    try:
        kind = _type_of(y)
    except TypeError as error:
        raise ValueError(f"y has labels that cannot be classes: {str(error).rstrip('.')}.") from error
    if "multioutput" in kind:
        raise ValueError("Multioutput target data is not supported with label binarization")
    if kind not in ("binary", "multiclass", "multilabel-indicator"):
        check_classification_targets(y)  # which says so
    return kind


def _type_of(y: Any) -> str:
    if is_whole(y) and 2 * len(classes := np.unique(y)) <= len(y):  # of more classes scikit-learn's function warns
        return kind_of_classes(classes)
    return str(type_of_target(y, input_name="y"))


def kind_of_classes(classes: Any) -> str:
    """Return "binary" or "multiclass"."""
    return "binary" if len(classes) <= 2 else "multiclass"


def weights_of_classes(class_weight: Any, y: Any) -> Floats | None:
    """Return the weight of the class of each row; None for 1.

    Raises
    ------
    ValueError
        When `class_weight` is invalid, or a weight is negative or not finite.
    """
    if class_weight is None:
        return None
    try:
        weights = np.asarray(compute_sample_weight(class_weight, y), float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"class_weight: {error}") from error
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"class_weight gives rows of the class {y[row]} the weight {weights[row]:g}, but a weight must be a "
            "finite number of at least 0."
        )
    return weights


def warn_of_rare_classes(data: Data, classes: Any, multilabel: bool) -> None:
    """Warn where accuracy says little because a class or a label is rare.

    The stacklevel assumes a call from an estimator's method.
    """
    shares = np.average(data.y, axis=0, weights=data.weights)
    if multilabel:
        rarest = int(np.minimum(shares, 1 - shares).argmin())
        few = f"label {rarest}: fewer than {_RARE:.0%} of the rows {'have' if shares[rarest] < 0.5 else 'lack'} it"
        shares = np.array([shares[rarest], 1 - shares[rarest]])
    else:
        shares = np.append(1 - shares, shares)[: len(classes)] if len(shares) == 1 else shares
        few = f"class {classes[shares.argmin()]}: fewer than {_RARE:.0%} of the rows belong to it"
    if shares.min() < min(_RARE, _RARE_TO_COMMON * shares.max()):
        warnings.warn(
            f"Early stopping uses accuracy, which is barely affected by the {few}. Set early_stopping_scoring "
            "to 'loss', or to a scorer of probabilities such as 'average_precision'.",
            stacklevel=5,
        )
