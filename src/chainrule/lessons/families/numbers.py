"""By hand: numbers through a small chain, forward, back, and one step on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import TypeAlias

import numpy as np

from ...derivation import Derivation, Step, derive
from ...diagnostics.trace import backprop
from ...formula import Expression, Symbol, evaluate, expression
from ...network import Dense, Network
from ..catalogue import Parameter, family
from ..problems import Content, Mistake, NumberAnswer
from ..prose import Equation, Prose, listing, prose
from ..wrong import mistakes
from .setting import BIAS, ETA, LAYER, LOSS, X, Y, b, by, delta, f, introduction, w, which, z

WrongNumber: TypeAlias = tuple[float, str, str]
"""A row of a table of wrong answers: the number, the misconception that leads to it, and why it is wrong."""

TOLERANCE = 0.01
APART = 5 * TOLERANCE  # a wrong number must not be taken for the right one, or for that of another mistake
_SMALLEST = 0.02  # of a key: three digits should be worth working out

FEW_LAYERS = Parameter((2, 3), "how many layers")
BY_HAND = Parameter(("tanh", "logistic", "identity", "relu"), "of every layer")


def sample_chain(random: Random, length: int, activation: str, bias: bool) -> Derivation:
    """Return the derivation of a chain with numbers of one decimal that fit a pocket calculator."""
    net = Network(1, [Dense(1, activation, bias=bias)] * length)

    def decimal(low: int, high: int) -> float:
        return random.choice([k for k in range(low, high + 1) if k]) / 10

    while True:
        weights = [decimal(-15, 15) for _ in range(length)]
        params = net.pack(weights, [decimal(-5, 5) for _ in range(length)] if bias else None)
        x, y = decimal(-20, 20), decimal(-10, 10)
        trace = backprop(net, params, x, y)
        numbers = np.abs([array.item() for array in (*trace.z[1:], *trace.delta[1:])])
        if numbers.min() > 0.05 and numbers.max() < 5:
            return derive(net, params, x, y)


def values_of(derivation: Derivation, *more: tuple[Symbol, float]) -> Prose:
    """Return the numbers of a sample as a sentence."""
    layers = derivation.network.layers
    parameters = [
        parameter for i, layer in enumerate(layers, 1) for parameter in ((w(i), b(i)) if layer.bias else (w(i),))
    ]
    pairs = [*((symbol, derivation.values[symbol]) for symbol in (X, Y, *parameters)), *more]
    return prose("Let {}.", listing([Equation(symbol, expression(round(float(value), 4))) for symbol, value in pairs]))


def number(value: float, digits: int = 4) -> Expression:
    """Return a number of this many significant digits."""
    return expression(float(f"{value:.{digits}g}"))


def steps_with_numbers(derivation: Derivation, *names: str) -> tuple[Prose, ...]:
    """Return steps of a derivation with their numbers."""
    return tuple(with_numbers(derivation.step(name)) for name in names)


def with_numbers(step: Step) -> Prose:
    """Return the words of a step, its formula, the formula in numbers, and its result."""
    formula = Equation(step.left, step.right, update=step.name.startswith("update"))
    result = number(step.result)
    if step.numbers is None or step.numbers == result:
        return prose("{} {} ≈ {}", step.words, formula, result)
    return prose("{} {} ≈ {} ≈ {}", step.words, formula, step.numbers, result)


def distinct_numbers(key: float, wrong: Iterable[Mistake[float]]) -> tuple[Mistake[float], ...]:
    """Return the wrong numbers that can be told from the key and from one another."""
    kept: list[Mistake[float]] = []
    for mistake in wrong:
        others = (key, *(other.answer for other in kept))
        if np.isfinite(mistake.answer) and all(abs(mistake.answer - other) > APART * abs(other) for other in others):
            kept.append(mistake)
    return tuple(kept)


def number_answer(left: Expression | None, key: float, wrong: Iterable[Mistake[float]]) -> NumberAnswer:
    """Return the answer to a question for a number."""
    return NumberAnswer(left, key, TOLERANCE, 3, distinct_numbers(key, wrong))


def wrong_numbers(rows: Iterable[WrongNumber]) -> Iterator[Mistake[float]]:
    """Yield the rows of a table of wrong numbers as mistakes."""
    return (Mistake(float(value), kind, prose(why)) for value, kind, why in rows)


def numbers_of_mistakes(formula: Expression, derivation: Derivation) -> Iterator[Mistake[float]]:
    """Yield the numbers that mistakes in a formula lead to."""
    for mistake in mistakes(formula, derivation.definitions):
        if mistake.answer.symbols() <= derivation.values.keys():
            with np.errstate(all="ignore"):
                value = float(evaluate(mistake.answer, derivation.values))
            yield Mistake(value, mistake.kind, mistake.feedback)


def step_content(
    derivation: Derivation, title: str, left: Expression, names: Sequence[str], hint: str, difficulty: int
) -> Content:
    """Return a question for the number of a step, the last of those that lead to it."""
    step = derivation.step(names[-1])
    return Content(
        title=title,
        difficulty=difficulty,
        prompt=(
            introduction(derivation),
            values_of(derivation),
            prose("Work out {}, to three significant digits.", left),
        ),
        answer=number_answer(left, float(step.result), numbers_of_mistakes(step.right, derivation)),
        hints=(prose(hint),),
        solution=steps_with_numbers(derivation, *names),
    )


@family("forward by hand", "number", length=FEW_LAYERS, layer=LAYER, activation=BY_HAND, bias=BIAS)
def forward_by_hand(random: Random, length: int, layer: str, activation: str, bias: bool) -> Content:
    """z and f forward, in numbers."""
    derivation = sample_chain(random, length, activation, bias)
    i = which(random, layer, 1, length)
    name = random.choice("zf")
    names = _forward_steps(i) if name == "f" else _forward_steps(i)[:-1]
    left = z(i) if name == "z" else f(i)
    hint = "Go layer by layer: the weighted input first, then the activation."
    return step_content(derivation, "Forward by hand", left, names, hint, 1)


@family("error by hand", "number", length=FEW_LAYERS, layer=LAYER, activation=BY_HAND, bias=BIAS)
def error_by_hand(random: Random, length: int, layer: str, activation: str, bias: bool) -> Content:
    """δ of a layer, in numbers: forward first, then back."""
    derivation = sample_chain(random, length, activation, bias)
    i = which(random, layer, 1, length)
    hint = "Forward first; then the error of the output, and one step back at a time."
    return step_content(derivation, "An error by hand", delta(i), _steps(length, i), hint, 3)


@family("gradient by hand", "number", length=FEW_LAYERS, layer=LAYER, activation=BY_HAND, bias=BIAS)
def gradient_by_hand(random: Random, length: int, layer: str, activation: str, bias: bool) -> Content:
    """∂ℒ/∂wᵢ, in numbers."""
    derivation = sample_chain(random, length, activation, bias)
    i = which(random, layer, 1, length)
    names = [*_steps(length, i), f"gradient w_{i}"]
    hint = "The error of the layer, times what its weight is multiplied by."
    return step_content(derivation, "A gradient by hand", by(LOSS, w(i)), names, hint, 3)


def _forward_steps(last: int) -> list[str]:
    return [name for k in range(1, last + 1) for name in (f"z_{k}", f"f_{k}")]


def _steps(length: int, down_to: int) -> list[str]:
    return [*_forward_steps(length), *(f"delta_{k}" for k in range(length, down_to - 1, -1))]


@family("update by hand", "number", length=FEW_LAYERS, layer=LAYER, activation=BY_HAND, bias=BIAS)
def update_by_hand(random: Random, length: int, layer: str, activation: str, bias: bool) -> Content:
    """What a weight is after one step of gradient descent, in numbers."""
    while True:
        derivation = sample_chain(random, length, activation, bias)
        i, rate = which(random, layer, 1, length), random.choice([0.1, 0.2, 0.5])
        weight, gradient = float(derivation.values[w(i)]), float(derivation.step(f"gradient w_{i}").result)
        key = weight - rate * gradient
        if abs(key) > _SMALLEST and abs(rate * gradient) > APART * max(1.0, abs(key)):
            break
    step = prose(
        "{} {} ≈ {} ≈ {}",
        derivation.step(f"update w_{i}").words,
        Equation(w(i), w(i) - ETA * by(LOSS, w(i)), update=True),
        expression(weight) - expression(rate) * number(gradient),
        number(key),
    )
    return Content(
        title="One step by hand",
        difficulty=4,
        prompt=(
            introduction(derivation),
            values_of(derivation, (ETA, rate)),
            prose("What is {} after one step of gradient descent, to three significant digits?", w(i)),
        ),
        answer=number_answer(w(i), key, wrong_numbers(_wrong_updates(weight, rate, gradient))),
        hints=(prose("Work out {} first: forward, then back.", by(LOSS, w(i))),),
        solution=(*steps_with_numbers(derivation, *_steps(length, i), f"gradient w_{i}"), step),
    )


def _wrong_updates(weight: float, rate: float, gradient: float) -> list[WrongNumber]:
    return [
        (weight + rate * gradient, "uphill", "This goes uphill: a step goes against the gradient."),
        (weight - gradient, "missing factor", "The learning rate is missing."),
        (-rate * gradient, "missing factor", "This is by how much the weight changes, not what it becomes."),
        (gradient, "missing factor", "This is the gradient: the step is still to be made."),
        (
            weight - rate * gradient / 2,
            "factor 2",
            "A factor 2 is missing: the derivative of a square brings it down.",
        ),
    ]
