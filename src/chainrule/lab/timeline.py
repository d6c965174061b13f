"""The timeline: every number of one forward and one backward pass and of the step that follows, with its formula.

Nothing is computed here: the numbers are those of :func:`chainrule.backprop` and :class:`chainrule.SGD`, the formulae
those of :func:`chainrule.derive`, and the difference quotients those of :func:`chainrule.verify`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct

from ..derivation.steps import ETA, LOSS
from ..diagnostics.factors import TOLERANCE
from ..diagnostics.trace import Trace, backprop
from ..diagnostics.verify import Verification, verify
from ..errors import InputError
from ..formula import Derivative, Expression
from ..formula.mathml import equation
from ..network import Network
from ..optimizers import SGD
from ..parameters import Parameters
from .endpoints import Endpoint, Lab
from .factors import Part
from .figures import figure, matrix, numbers, shape
from .scene import Scene
from .written import WrittenStep, WrittenSteps, written


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """A network, its parameters and a sample."""

    scene: Scene = Scene()


class TimelineStep(Struct, frozen=True, rename={"unit_before": "from"}):
    """A step as the page shows it; see :class:`chainrule.lab.written.WrittenStep`.

    Attributes
    ----------
    numbers : str or None
        The formula in MathML with numbers of four digits on its right side; None in matrices.
    result : str
        What it comes to: a number as text, or a matrix in MathML.
    value : float or None
        The same in full precision; None in matrices, and where it is NaN or infinite.
    announcement : str
        What is read aloud.
    """

    name: str
    kind: str
    layer: int | None
    unit: int | None
    unit_before: int | None
    title: str
    words: str
    symbols: str
    numbers: str | None
    result: str
    value: float | None
    unrolled: str | None
    parts: tuple[Part, ...]
    unrolled_parts: tuple[Part, ...]
    announcement: str


def timeline(_: Lab, body: Asked) -> dict[str, Any]:
    """Return every number of a scene, and the steps that lead from one to the next."""
    scene = body.scene
    net, params, x, y = read(scene)
    trace = backprop(net, params, x, y)
    updated = _updated(net, trace, scene.learning_rate)
    steps = written(net, scene.sign, scene.notation)
    return {
        "network": _described(net),
        "weights": _listed(trace.parameters.weights),
        "biases": _listed(trace.parameters.biases),
        "x": trace.f[0][0],
        "y": trace.y[0],
        "output": trace.f[-1][0],
        "loss": trace.loss,
        "z": _of_row(trace.z),
        "f": _of_row(trace.f),
        "delta": _of_row(trace.delta),
        "gradient": _both(trace.gradient),
        "updated": _both(updated),
        "in_matrices": steps.in_matrices,
        "steps": _steps(steps, trace, updated, scene.learning_rate),
    }


def read(scene: Scene) -> tuple[Network, Parameters, Any, Any]:
    """Return the network of a scene, its parameters, and x and y as one row each.

    Raises
    ------
    InputError
        When a name is unknown, or parameters or the sample do not fit the network; it says what to do.
    """
    net = scene.network()
    _check_count("x", len(scene.x), net.inputs, "input")
    is_class = net.loss.targets_are_classes and net.outputs > 1
    if not (is_class and len(scene.y) == 1):
        _check_count("y", len(scene.y), net.outputs, "output", " or one class number" if is_class else "")
    return net, scene.parameters(net), *scene.sample()


def _check_count(what: str, given: int, wanted: int, one: str, otherwise: str = "") -> None:
    if given != wanted:
        raise InputError(
            f"{what} has {given} number{'s' * (given != 1)}, but the network has {wanted} {one}{'s' * (wanted != 1)}: "
            f"give one number for each{otherwise}"
        )


def _updated(net: Network, trace: Trace, learning_rate: float) -> Parameters:
    """Return the parameters after one step of gradient descent."""
    optimizer = SGD(learning_rate)
    theta = trace.parameters.vector
    with np.errstate(all="ignore"):  # a gradient that has overflowed is to be looked at
        moved, _ = optimizer.update(theta, trace.gradient.vector, optimizer.start(theta), learning_rate, 1)
    return net.parameters(moved)


def _described(net: Network) -> dict[str, Any]:
    return {
        "inputs": net.inputs,
        "widths": net.widths,
        "layers": [{"units": one.units, "activation": one.activation.name, "bias": one.bias} for one in net.layers],
        "loss": net.loss.name,
        "loss_name": net.loss.name.replace("_", " "),
        "parameters": net.parameter_count,
    }


def _listed(arrays: tuple[Any, ...]) -> list[Any]:
    return [None if one is None else one.tolist() for one in arrays]


def _both(params: Parameters) -> dict[str, Any]:
    return {"weights": _listed(params.weights), "biases": _listed(params.biases)}


def _of_row(arrays: list[Any]) -> list[Any]:
    return [None if one is None else one[0].tolist() for one in arrays]


def _steps(steps: WrittenSteps, trace: Trace, updated: Parameters, learning_rate: float) -> list[TimelineStep]:
    symbols = steps.symbols
    known: dict[Any, Any] = {**symbols.values(trace), LOSS: trace.loss, ETA: learning_rate}
    new: dict[Any, Any] = {}
    pairs = zip(
        (*symbols.params.weights, *symbols.params.biases),
        (*trace.gradient.weights, *trace.gradient.biases),
        (*updated.weights, *updated.biases),
        strict=True,
    )
    for names, gradient, moved in pairs:
        if names is not None:
            known |= {Derivative(LOSS, name): value for name, value in symbols.entries(names, gradient).items()}
            new |= symbols.entries(names, moved)
    shown = None if steps.in_matrices else numbers(known)
    return [_step(steps, one, (new if one.kind == "update" else known)[one.step.left], shown) for one in steps.steps]


def _step(
    steps: WrittenSteps, one: WrittenStep, value: Any, shown: dict[Expression, Expression] | None
) -> TimelineStep:
    step = one.step
    if np.ndim(value):
        result, said, single = matrix(value), f"{shape(value)} numbers", None
    else:
        single = float(value)
        result = said = figure(single)
    return TimelineStep(
        name=step.name,
        kind=one.kind,
        layer=one.layer,
        unit=one.unit,
        unit_before=one.unit_before,
        title=one.title,
        words=step.words,
        symbols=one.symbols,
        numbers=None if shown is None else equation(step.left, step.right, one.relation, steps.style, shown),
        result=result,
        value=single,
        unrolled=one.unrolled,
        parts=one.parts,
        unrolled_parts=one.unrolled_parts,
        announcement=f"{one.spoken} = {said}",
    )


def check(_: Lab, body: Asked) -> dict[str, Any]:
    """Return a difference quotient beside every number of the gradient, its step h, and whether the two agree.

    A quotient is null where a kink, or a number that is not finite, lies between its points, so that it says nothing.
    Whether it agrees is null then, and where rounding hides the gradient.

    Raises
    ------
    InputError
        As :func:`read`, and when the gradient is not finite.
    """
    net, params, x, y = read(body.scene)
    verification = verify(net, params, x, y, most=net.parameter_count)
    return {
        **_both(verification.quotients),
        "agreement": _both(net.parameters(_agreement(verification))),
        "h": _both(verification.h),
        "verdict": verification.verdict,
    }


def _agreement(verification: Verification) -> Any:
    """Return for each number of the gradient whether its quotient agrees with it; None where that cannot be judged.

    Two agree that differ by no more than a millionth of the larger (the relative error of the notes of Stanford's
    CS231n, "Gradient checks") and than what rounding makes of a quotient. Agreement is not judged where rounding is
    more than a thousandth of the larger, unless both are zero.
    """
    gradient, quotients, noise = (
        params.vector for params in (verification.gradient, verification.quotients, verification.rounding)
    )
    larger = np.maximum(np.abs(gradient), np.abs(quotients))
    difference = np.abs(gradient - quotients)
    agrees = difference <= TOLERANCE * larger + noise
    is_judged = (noise <= larger / 1000.0) | (larger == 0.0) | ~agrees
    return np.where(np.isfinite(quotients) & np.isfinite(noise) & is_judged, agrees, None)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("/api/timeline", Asked, timeline, "Every number of a scene, with the formula that it comes from"),
    Endpoint("/api/check", Asked, check, "Difference quotients beside the gradient of a scene"),
)
