"""The score of held-out rows, by which early stopping chooses the best parameters."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from ..data import Data, Floats
from ..network import Network
from ..training import Run
from .fitted import Fitted, Outputs, set_parameters
from .scoring import scorer_of


def held_out_score(estimator: Any, net: Network, held_out: Data) -> Callable[[Run], float]:
    """Return a function from a run to the score of held-out rows by its parameters; NaN where outputs are not finite.

    Raises
    ------
    ValueError
        By the function, when a score is not finite after the first epoch although the outputs are.
    """
    if estimator.early_stopping_scoring == "loss":
        return lambda run: -run.history["validation_loss"][-1]
    outputs_of = Outputs(net, estimator.engine)
    scoring = None if estimator.early_stopping_scoring is None else scorer_of(estimator.early_stopping_scoring)
    y, default = estimator._decoded(held_out.y), estimator._scores_for(held_out.y, held_out.weights)

    def score(run: Run) -> float:
        outputs = outputs_of(run.state.theta, held_out.x, estimator.threads)
        if not np.isfinite(outputs).all():
            return np.nan
        if scoring is None:
            return float(default(outputs))
        result = scoring(_view(estimator, net, run.state.theta, outputs_of), held_out, y)
        if run.best is None and not np.isfinite(result):
            raise ValueError(
                f"early_stopping_scoring={estimator.early_stopping_scoring!r:.60} is {result:g} for the "
                f"{len(held_out)} held-out rows after the first epoch, although the predictions are finite: choose a "
                "score that is defined for these rows, or hold out other rows with validation_data, "
                "validation_fraction or random_state."
            )
        return result

    return score


def _view(estimator: Any, net: Network, theta: Floats, outputs: Outputs) -> Any:
    """Return a fitted estimator with these parameters, which takes rows without names."""
    view = copy(estimator)
    view.__dict__.pop("feature_names_in_", None)
    set_parameters(view, Fitted(), net, theta.copy(), outputs)
    return view
