"""By hand: numbers through a small chain, forward, back, and one step on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Any

import numpy as np

from ...derivation import Derivation, Step, derive
from ...diagnostics.trace import backprop
from ...formula import Expression, Symbol, evaluate, expression
from ...network import Dense, Network
from ..catalogue import Parameter, family
from ..problems import Mistake, NumberAnswer, Problem
from ..prose import Equation, Prose, prose
from ..wrong import mistakes
from .setting import BIAS, ETA, LAYER, LOSS, X, Y, b, by, delta, drawn, f, introduction, w, which, z

TOLERANCE = 0.01
APART = 5 * TOLERANCE  # a wrong number must not be taken for the right one, or for that of another mistake
_SMALLEST = 0.02  # of a key: three digits should be worth working out

FEW_LAYERS = Parameter((2, 3), "how many layers")
BY_HAND = Parameter(("tanh", "logistic", "identity", "relu"), "of every layer")


def sampled(random: Random, length: int, activation: str, bias: bool) -> Derivation:
    """Return the derivation of a chain with numbers of one decimal that fit a pocket calculator."""
    net = Network(1, [Dense(1, activation, bias=bias)] * length)

    def some(low: int, high: int) -> float:
        return random.choice([k for k in range(low, high + 1) if k]) / 10

    while True:
        weights = [some(-15, 15) for _ in range(length)]
        params = net.pack(weights, [some(-5, 5) for _ in range(length)] if bias else None)
        x, y = some(-20, 20), some(-10, 10)
        trace = backprop(net, params, x, y)
        numbers = np.abs([array.item() for array in (*trace.z[1:], *trace.delta[1:])])
        if numbers.min() > 0.05 and numbers.max() < 5:
            return derive(net, params, x, y)


def given(made: Derivation, *more: tuple[Symbol, float]) -> Prose:
    """Return the numbers of a sample as a sentence."""
    length = len(made.network.layers)
    parameters = [
        one for i in range(1, length + 1) for one in ((w(i), b(i)) if made.network.layers[0].bias else (w(i),))
    ]
    pairs = [*((symbol, made.values[symbol]) for symbol in (X, Y, *parameters)), *more]
    pieces: list[Any] = ["Let "]
    for place, (symbol, value) in enumerate(pairs):
        pieces += [" and " if place == len(pairs) - 1 else ", "] * (place > 0)
        pieces.append(Equation(symbol, expression(round(float(value), 4))))
    return prose(*pieces, ".")


def number(value: float, digits: int = 4) -> Expression:
    """Return a number of so many significant digits."""
    return expression(float(f"{value:.{digits}g}"))


def shown(made: Derivation, *names: str) -> Iterator[Prose]:
    """Yield steps of a derivation with their numbers."""
    yield from (with_numbers(made.step(name)) for name in names)


def with_numbers(step: Step) -> Prose:
    """Return what a step says, its formula, the formula in numbers, and what it comes to."""
    pieces: list[Any] = [step.words, " ", Equation(step.left, step.right, update=step.name.startswith("update"))]
    result = number(step.result)
    if step.numbers not in {None, result}:
        pieces += [" ≈ ", step.numbers]
    return prose(*pieces, " ≈ ", result)


def apart(key: float, wrong: Iterable[Mistake[float]]) -> tuple[Mistake[float], ...]:
    """Return those wrong numbers that can be told from the key and from one another."""
    kept: list[Mistake[float]] = []
    for mistake in wrong:
        taken = (key, *(one.answer for one in kept))
        if np.isfinite(mistake.answer) and all(abs(mistake.answer - one) > APART * abs(one) for one in taken):
            kept.append(mistake)
    return tuple(kept)


def number_answer(left: Expression | None, key: float, wrong: Iterable[Mistake[float]]) -> NumberAnswer:
    """Return that a number is asked for."""
    return NumberAnswer(left, key, TOLERANCE, 3, apart(key, wrong))


def of_formula(formula: Expression, made: Derivation) -> Iterator[Mistake[float]]:
    """Yield the numbers that mistakes in a formula lead to."""
    for mistake in mistakes(formula, made.definitions):
        if mistake.answer.symbols() <= made.values.keys():
            with np.errstate(all="ignore"):
                yield Mistake(float(evaluate(mistake.answer, made.values)), mistake.kind, mistake.feedback)


def asked(
    made: Derivation,
    title: str,
    left: Expression,
    name: str,
    steps: Iterable[str],
    hint: Prose,
    difficulty: int,
) -> Problem:
    """Return the problem to find the number of a step."""
    step = made.step(name)
    return drawn(
        title,
        [introduction(made), given(made), prose("Work out ", left, ", to three significant digits.")],
        number_answer(left, float(step.result), of_formula(step.right, made)),
        [hint],
        list(shown(made, *steps, name)),
        difficulty,
    )


@family("forward by hand", "number", length=FEW_LAYERS, layer=LAYER, activation=BY_HAND, bias=BIAS)
def forward_by_hand(random: Random, length: int, layer: str, activation: str, bias: bool) -> Problem:
    """z and f forward, in numbers."""
    made = sampled(random, length, activation, bias)
    i = which(random, layer, 1, length)
    last = f"{random.choice('zf')}_{i}"
    before = [name for k in range(1, i + 1) for name in (f"z_{k}", f"f_{k}")]
    left = z(i) if last.startswith("z") else f(i)
    hint = prose("Go layer by layer: the weighted input first, then the activation.")
    return asked(made, "Forward by hand", left, last, before[: before.index(last)], hint, 1)


@family("error by hand", "number", length=FEW_LAYERS, layer=LAYER, activation=BY_HAND, bias=BIAS)
def error_by_hand(random: Random, length: int, layer: str, activation: str, bias: bool) -> Problem:
    """δ of a layer, in numbers: forward first, then back."""
    made = sampled(random, length, activation, bias)
    i = which(random, layer, 1, length)
    hint = prose("Forward first; then the error of the output, and one step back at a time.")
    return asked(made, "An error by hand", delta(i), f"delta_{i}", _steps(length, i + 1), hint, 3)


@family("gradient by hand", "number", length=FEW_LAYERS, layer=LAYER, activation=BY_HAND, bias=BIAS)
def gradient_by_hand(random: Random, length: int, layer: str, activation: str, bias: bool) -> Problem:
    """∂ℒ/∂wᵢ, in numbers."""
    made = sampled(random, length, activation, bias)
    i = which(random, layer, 1, length)
    hint = prose("The error of the layer, times what its weight is multiplied by.")
    steps = _steps(length, i)
    return asked(made, "A gradient by hand", by(LOSS, w(i)), f"gradient w_{i}", steps, hint, 3)


def _steps(length: int, down_to: int) -> list[str]:
    forward = [name for k in range(1, length + 1) for name in (f"z_{k}", f"f_{k}")]
    return [*forward, *(f"delta_{k}" for k in range(length, down_to - 1, -1))]


@family("update by hand", "number", length=FEW_LAYERS, layer=LAYER, activation=BY_HAND, bias=BIAS)
def update_by_hand(random: Random, length: int, layer: str, activation: str, bias: bool) -> Problem:
    """What a weight is after one step of gradient descent, in numbers."""
    while True:
        made = sampled(random, length, activation, bias)
        i, rate = which(random, layer, 1, length), random.choice([0.1, 0.2, 0.5])
        before, slope = float(made.values[w(i)]), float(made.step(f"gradient w_{i}").result)
        key = before - rate * slope
        if abs(key) > _SMALLEST and abs(rate * slope) > APART * max(1.0, abs(key)):
            break
    wrong = [
        _mistake(before + rate * slope, "uphill", "This goes uphill: a step goes against the gradient."),
        _mistake(before - slope, "missing factor", "The learning rate is missing."),
        _mistake(-rate * slope, "missing factor", "This is by how much the weight changes, not what it becomes."),
        _mistake(slope, "missing factor", "This is the gradient: the step is still to be made."),
        _mistake(
            before - rate * slope / 2, "factor 2", "A factor 2 is missing: the derivative of a square brings it down."
        ),
    ]
    numbers: Mapping[Symbol, float] = {w(i): before, ETA: rate}
    right = w(i) - ETA * by(LOSS, w(i))
    step = expression(numbers[w(i)]) - expression(numbers[ETA]) * number(slope)
    end = prose(
        made.step(f"update w_{i}").words, " ", Equation(w(i), right, update=True), " ≈ ", step, " ≈ ", number(key)
    )
    return drawn(
        "One step by hand",
        [
            introduction(made),
            given(made, (ETA, rate)),
            prose("What is ", w(i), " after one step of gradient descent, to three significant digits?"),
        ],
        number_answer(w(i), key, wrong),
        [prose("Work out ", by(LOSS, w(i)), " first: forward, then back.")],
        [*shown(made, *_steps(length, i), f"gradient w_{i}"), end],
        4,
    )


def _mistake(value: float, kind: str, sentence: str) -> Mistake[float]:
    return Mistake(value, kind, prose(sentence))
