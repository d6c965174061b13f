"""What an estimator keeps of its last fit, and how it predicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from ..activations import Activation
from ..data import Floats
from ..engines import reference
from ..engines.choice import predictor_of
from ..engines.engine import Predictor
from ..network import Network
from ..training import Run
from .constraints import network_of_attributes
from .epoch_hook import EpochHook


class Outputs:
    """Outputs of rows by parameters that may have changed since the last call."""

    def __init__(self, net: Network, engine: str) -> None:
        self.net, self.engine = net, engine
        self._predictor: Predictor | None = None  # created when it is needed

    def __call__(self, theta: Floats, x: Any, threads: int | None) -> Floats:
        """Return the outputs of every row, (n, outputs)."""
        if sparse.issparse(x):
            return reference.predict(self.net, self.net.parameters(theta), x)
        if self._predictor is None or self._predictor.dtype != theta.dtype:
            self._predictor = predictor_of(self.net, self.net.parameters(theta), self.engine)
        else:
            self._predictor.follow(theta)
        return self._predictor(x, threads)

    def __reduce__(self) -> tuple[Any, ...]:
        return Outputs, (self.net, self.engine)


@dataclass(eq=False)
class Fitted:
    """What an estimator keeps of its last fit, beside its attributes.

    Attributes
    ----------
    run : Run or None
        Where ``warm_start`` and ``partial_fit`` continue.
    hook : EpochHook or None
        The hook of that run.
    theta : array or None
        ``coefs_`` and ``intercepts_`` as one vector.
    views : tuple of array
        ``coefs_`` and ``intercepts_`` as they were set: views into `theta`.
    outputs : Outputs or None
        The function that predicts.
    key : tuple
        The widths and functions that `outputs` was created for.
    """

    run: Run | None = None
    hook: EpochHook | None = None
    theta: Floats | None = field(default=None, repr=False)
    views: tuple[Any, ...] = field(default=(), repr=False)
    outputs: Outputs | None = None
    key: tuple[Any, tuple[Any, ...]] = field(default=((), ()), repr=False)

    def for_copy(self) -> Fitted:
        """Return what a copy of the estimator keeps.

        Its ``coefs_`` and ``intercepts_`` are arrays of their own, no longer parts of one vector, and it needs a
        predictor of its own, as one holds the parameters of the last call.
        """
        return Fitted(self.run, self.hook)


def fitted_of(estimator: Any) -> Fitted:
    """Return what an estimator keeps of its last fit; it may be nothing."""
    fitted: Fitted = estimator.__dict__.setdefault("_fitted", Fitted())
    return fitted


def set_parameters(estimator: Any, fitted: Fitted, net: Network, theta: Floats, outputs: Outputs) -> None:
    """Set ``coefs_`` and ``intercepts_`` to views into a parameter vector, and what predicts by them."""
    params = net.parameters(theta)
    estimator.coefs_ = list(params.weights)
    estimator.intercepts_ = [bias for bias in params.biases if bias is not None]
    fitted.theta, fitted.outputs, fitted.key = theta, outputs, (net.widths, functions_of(estimator))
    fitted.views = (*estimator.coefs_, *estimator.intercepts_)
    estimator._fitted = fitted


def parameters_and_outputs(estimator: Any) -> tuple[Floats, Outputs]:
    """Return ``coefs_`` and ``intercepts_`` as one vector, and the function from it and inputs to the outputs.

    Attributes may have been changed, or copied from another network; what is known of the last fit is used only
    as long as it is what they say.
    """
    if "_fitted" not in estimator.__dict__ or estimator._fitted.outputs is None:
        check_is_fitted(estimator, estimator._fitted_attributes)
    fitted = fitted_of(estimator)
    arrays = (*estimator.coefs_, *estimator.intercepts_)
    unchanged = len(arrays) == len(fitted.views) and all(a is b for a, b in zip(arrays, fitted.views, strict=True))
    functions = functions_of(estimator)
    same = _are_same(fitted.key[1], functions)
    if unchanged and same and fitted.theta is not None and fitted.outputs is not None:
        return fitted.theta, fitted.outputs
    theta, widths = flattened(estimator.coefs_, estimator.intercepts_)
    if fitted.outputs is None or fitted.key[0] != widths or not same:
        out_activation = estimator.__dict__.get("out_activation_") or estimator._default_out_activation()
        fitted.outputs = Outputs(network_of_attributes(estimator, widths, out_activation), estimator.engine)
        fitted.key = (widths, functions)
    return theta, fitted.outputs


def functions_of(estimator: Any) -> tuple[Any, ...]:
    """Return all that decides predictions, beside the parameters."""
    activation = estimator.activation
    single = isinstance(activation, (str, Activation))
    out_activation = estimator.__dict__.get("out_activation_")
    return estimator.engine, out_activation, single, *([activation] if single else activation)


def _are_same(before: tuple[Any, ...], now: tuple[Any, ...]) -> bool:
    """Tell whether all functions are the same; activations are equal when their names are, whatever they compute."""
    return len(before) == len(now) and all(
        a is b or (not isinstance(a, Activation) and a == b) for a, b in zip(before, now, strict=True)
    )


def theta_of_attributes(estimator: Any, net: Network, dtype: Any) -> Floats:
    """Return ``coefs_`` and ``intercepts_`` as one vector, whichever fit set them.

    Raises
    ------
    ValueError
        When their shapes are not those of the network.
    """
    theta, widths = flattened(estimator.coefs_, estimator.intercepts_)
    if widths != net.widths:
        raise ValueError(
            f"coefs_ and intercepts_ have the shapes {_shapes_of(widths)}, but parameters and data need "
            f"{_shapes_of(net.widths)}: change hidden_layer_sizes to continue with these, or set warm_start=False "
            "to start from scratch."
        )
    return theta.astype(dtype)


def _shapes_of(widths: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the shapes of the weights and biases between layers of these widths."""
    return [shape for before, units in pairwise(widths) for shape in ((before, units), (units,))]


def flattened(coefs: Any, intercepts: Any) -> tuple[Floats, tuple[int, ...]]:
    """Return the parameters of all layers as one vector, and the width of each layer, the inputs first.

    Raises
    ------
    ValueError
        When their shapes are not those of successive layers.
    """
    layers = [(np.asarray(W), np.asarray(b)) for W, b in zip(coefs, intercepts, strict=False)]
    arrays = [array for layer in layers for array in layer]
    shapes = [array.shape for array in arrays]
    widths = (*shapes[0][:1], *(b.size for _, b in layers)) if layers else ()
    if len(coefs) != len(intercepts) or not layers or shapes != _shapes_of(widths):
        raise ValueError(
            f"coefs_ and intercepts_ have the shapes {shapes}, but each layer needs (units before, units) and (units,)."
        )
    if 0 in widths:
        raise ValueError(f"coefs_ and intercepts_ have the shapes {shapes}, but each layer needs at least one unit.")
    dtype = np.float32 if {array.dtype for array in arrays} == {np.dtype(np.float32)} else np.float64
    return np.concatenate([np.ravel(array) for array in arrays]).astype(dtype), widths
