"""A sheet of the network on the screen: its own numbers, and every number of one pass to be worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..derivation import Derivation, derive
from ..derivation.steps import ETA, Step
from ..diagnostics.trace import backprop
from ..errors import InputError
from ..formula import Symbol
from ..lessons import Content, Equation, NumberAnswer, Problem, Prose, prose
from ..lessons.families.numbers import with_numbers
from ..lessons.prose import listing
from ..network import Network
from .figures import number
from .scene import Scene

MAX_STEPS = 60
DIGITS = 3


def problems(scene: Scene) -> list[Problem]:
    """Return a problem for each number of one pass through a scene, from z₁ to the last update.

    The first says what is given, and what is worked out in one is given in those that follow.

    Raises
    ------
    InputError
        When a step has a matrix or a number that is not finite, or when there are more than 60.
    """
    net = scene.network()
    params, (x, y) = scene.parameters(net), scene.sample()
    trace = backprop(net, params, x, y)
    if not all(np.isfinite(one).all() for one in (*trace.z[1:], *trace.f, trace.loss, trace.gradient.vector)):
        raise InputError("with these parameters some numbers are not finite: choose smaller ones")
    made = derive(net, params, x, y, sign=scene.sign, notation=scene.notation)
    steps = list(_steps(made, scene.learning_rate))
    if len(steps) > MAX_STEPS:
        raise InputError(
            f"a sheet has room for {MAX_STEPS} numbers, and this network has {len(steps)}: make it smaller"
        )
    first, *others = [_problem(step) for step in steps]
    prompt = (_network(net), _given(made, scene.learning_rate), *first.prompt)
    return [replace(first, content=replace(first.content, prompt=prompt)), *others]


def _steps(made: Derivation, learning_rate: float) -> Iterator[Step]:
    """Yield the steps of one pass, with numbers and results."""
    for step in made.steps:
        if step.name.endswith("unrolled"):
            continue
        if isinstance(step.left, Symbol) and step.name.startswith("update "):
            slope = made.step(f"gradient {step.name.removeprefix('update ')}").result
            if np.ndim(slope) == 0:
                old = made.values[step.left]
                numbers = number(old) - number(learning_rate) * number(slope)
                step = replace(step, numbers=numbers, result=old - learning_rate * slope)
        if np.ndim(step.result) or step.result is None:
            raise InputError("this network is worked out in matrices, for which a sheet has no room: make it smaller")
        yield step


def _problem(step: Step) -> Problem:
    title = next(title for begin, title in _TITLES.items() if step.name.startswith(begin))
    is_update = step.name.startswith("update")
    question = "What does one step of gradient descent make of {}?" if is_update else "Work out {}."
    content = Content(
        title=title,
        difficulty=1,
        prompt=(prose(question, step.left),),
        answer=NumberAnswer(step.left, float(step.result), digits=DIGITS),
        hints=(),
        solution=(with_numbers(step),),
    )
    return Problem("", {}, 0, content)


_TITLES = {
    "z_": "Weighted input",
    "f_": "Activation",
    "loss": "Loss",
    "delta_": "Error",
    "gradient ": "Gradient",
    "update ": "Update",
}


def _network(net: Network) -> Prose:
    layers = "; ".join(
        f"layer {place} has {one.units} unit{'s' * (one.units > 1)} with {one.activation.name}, "
        f"{'with' if one.bias else 'without'} bias{'es' * (one.units > 1)}"
        for place, one in enumerate(net.layers, start=1)
    )
    return prose(
        f"A network has {net.inputs} input{'s' * (net.inputs > 1)}; {layers}. The loss is the "
        f"{net.loss.name.replace('_', ' ')}. Give every number to {DIGITS} significant digits. What was worked out in "
        "one problem may be used in those that follow."
    )


def _given(made: Derivation, learning_rate: float) -> Prose:
    given = {one: value for one, value in made.values.items() if one.name in ("x", "y", "w", "b")}
    pairs = sorted(given.items(), key=lambda item: ("xywb".index(item[0].name), item[0].indices))
    equations = [Equation(symbol, number(value)) for symbol, value in [*pairs, (ETA, learning_rate)]]
    return prose("Let {}.", listing(equations))
