"""Softmax with cross entropy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import sub
from random import Random

from ...formula import Expression, Symbol, expression
from ...formula.tree import ONE, ZERO
from ..catalogue import Parameter, family
from ..problems import Content, FormulaAnswer
from ..prose import Equation, Prose, prose
from .setting import LOSS, WrongFormula, by, wrong_formulae


@family(
    "softmax",
    "formula",
    classes=Parameter((2, 3, 4), "how many classes"),
    target=Parameter(("symbols", "a class"), "how the prompt states the target: in symbols, or by a sample's class"),
)
def softmax(random: Random, classes: int, target: str) -> Content:
    """The error of the output with softmax and cross entropy: as simple as that."""
    k = random.randint(1, classes)
    sample_class = random.randint(1, classes) if target == "a class" else None
    outputs = [Symbol("f", (1, j)) for j in range(1, classes + 1)]
    targets = [Symbol("y", (j,)) for j in range(1, classes + 1)]
    output, y, weighted, error = outputs[k - 1], targets[k - 1], Symbol("z", (1, k)), Symbol("δ", (1, k))
    slope = Equation(error, by(LOSS, weighted))
    allowed: tuple[Symbol, ...] = (output,)
    definitions: dict[Symbol, Expression] = {}
    if sample_class is None:
        value: Expression = y
        allowed = (output, y)
        definitions = {targets[-1]: reduce(sub, targets[:-1], expression(1))}  # targets add up to 1
        questions = [prose("Write {} by {} and {}.", slope, output, y)]
        substitution = []
    else:
        value = ONE if k == sample_class else ZERO
        target_is_1 = Equation(targets[sample_class - 1], ONE)
        questions = [
            prose("A sample belongs to class {}, so that {}.", sample_class, target_is_1),
            prose("Write {} of this sample by {}.", slope, output),
        ]
        substitution = [prose("For this sample {}.", Equation(y, value))]
    key = output - value
    mistakes = wrong_formulae(_wrong_errors(output, value), key, definitions)
    return Content(
        title="Softmax with cross entropy",
        difficulty=3,
        prompt=(_setting(outputs, targets), *questions),
        answer=FormulaAnswer(error, key, definitions, (*outputs, *targets), allowed, mistakes),
        hints=(
            prose("Every output depends on {}, so the derivative of the loss with respect to each counts.", weighted),
            prose("The targets add up to 1."),
        ),
        solution=(*_steps(k, weighted, output, y), *substitution, prose("So {}", Equation(error, key))),
    )


def _setting(outputs: Sequence[Symbol], targets: Sequence[Symbol]) -> Prose:
    return prose(
        "The output layer of a network has {} units with softmax, {} to {}. The loss is the cross entropy −Σ y log f "
        "over the units, for targets {} to {}, of which one is 1 and the others are 0.",
        len(outputs),
        outputs[0],
        outputs[-1],
        targets[0],
        targets[-1],
    )


def _steps(k: int, weighted: Symbol, output: Symbol, y: Symbol) -> tuple[Prose, ...]:
    """Return the steps to the error of output k for any target."""
    return (
        prose(
            "The derivative of log f of unit j with respect to {weighted} is 1 − {output} for j = {k}, and −{output} "
            "for others.",
            weighted=weighted,
            output=output,
            k=k,
        ),
        prose("Times −y and summed up: {} times the sum of all y, minus {}; the targets add up to 1.", output, y),
    )


def _wrong_errors(output: Symbol, target: Expression) -> list[WrongFormula]:
    """Return wrong errors of an output for its target, a symbol, 0 or 1."""
    key = output - target
    confusion: WrongFormula = (output - 1, "missing factor", "This is so for the right class alone, where y is 1.")
    if target == ONE:
        confusion = (output, "index", "This is so for the other classes: here y is 1.")
    elif target == ZERO:
        confusion = (output - 1, "index", "This is so for the right class alone: here y is 0.")
    return [
        (-key, "sign", "The sign is wrong: everything else is right."),
        (
            key * output * (1 - output),
            "extra factor",
            "The derivative of softmax is in it already, and cancels the denominator of the logarithm's derivative.",
        ),
        (
            -(target / output) if target != ZERO else ZERO,
            "derivative",
            "This is only the derivative of the loss with respect to f; every output depends on this z.",
        ),
        (2 * key, "factor 2", "There is a factor 2 too many: nothing is squared here."),
        confusion,
    ]
