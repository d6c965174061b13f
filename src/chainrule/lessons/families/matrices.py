"""Layers in matrices: the recursion, the gradient, and shapes."""

from __future__ import annotations

from random import Random

import numpy as np

from ...formula import Expression, MatrixProduct, Symbol, Transpose, evaluate, text
from ..catalogue import Parameter, family
from ..problems import Content, Option
from ..prose import Equation, prose
from .setting import LOSS, WrongFormula, WrongWords, by, choice

_REASONS = {
    "error": "Errors go back through the transposed weights, and are multiplied, entry by entry, by the slopes.",
    "gradient": "Each weight's slope is the activation before it times the error after it, summed over the rows.",
}


@family("matrix form", "one choice", asked=Parameter(("error", "gradient"), "of a layer"))
def matrix_form(random: Random, asked: str) -> Content:
    """The recursion and the gradient of a layer in matrices."""
    i = random.randint(1, 3)
    before, weights = _activation(i - 1), _matrix("W", i)
    if asked == "error":
        left: Expression = _matrix("δ", i)
        key: Expression = MatrixProduct((_matrix("δ", i + 1), Transpose(_matrix("W", i + 1)))) * _matrix("s", i)
        rows = _wrong_errors(i)
    else:
        left = by(LOSS, weights)
        key = MatrixProduct((Transpose(before), _matrix("δ", i)))
        rows = _wrong_gradients(i)
    why = prose(_REASONS[asked])
    wrong = [(prose(formula), kind, reason) for formula, kind, reason in rows if _differ(formula, key)]
    return Content(
        title="A layer in matrices",
        difficulty=3,
        prompt=(
            prose(
                "A batch goes through a dense network, its rows in the rows of matrices: {layer}. Let {slopes} be the "
                "slopes f′({weighted}), and each δ the slopes of the loss by z.",
                layer=Equation(_matrix("z", i), MatrixProduct((before, weights)) + _matrix("b", i)),
                slopes=_matrix("s", i),
                weighted=_matrix("z", i),
            ),
            prose("Which of these is {}?", left),
        ),
        answer=choice(random, Option(prose(key), True, why), wrong),
        hints=(prose("Look at the shapes: which product has the shape of the left side?"),),
        solution=(prose("{} So {}", why, Equation(left, key)),),
    )


def _matrix(name: str, layer: int) -> Symbol:
    return Symbol(name, (layer,), matrix=True)


def _activation(layer: int) -> Symbol:
    return _matrix("f", layer) if layer else Symbol("x", matrix=True)


def _wrong_errors(i: int) -> list[WrongFormula]:
    next_error, next_weights = _matrix("δ", i + 1), _matrix("W", i + 1)
    weights, slopes = _matrix("W", i), _matrix("s", i)
    back = MatrixProduct((next_error, Transpose(next_weights)))
    return [
        (
            MatrixProduct((next_error, next_weights)) * slopes,
            "transpose",
            "On the way back a matrix is transposed: it takes the units of the next layer to those of this one.",
        ),
        (back, "derivative", "The slopes of the activations are left out."),
        (
            MatrixProduct((next_error, Transpose(weights))) * slopes,
            "weight",
            "These weights lead into the layer; those that lead on from it are needed.",
        ),
        (back + slopes, "sum for product", "Slopes are multiplied, entry by entry, not added."),
        (
            -(back * slopes),
            "sign",
            "The sign is wrong: a step goes against the gradient, but an error has no sign of its own.",
        ),
    ]


def _wrong_gradients(i: int) -> list[WrongFormula]:
    before, error, weights = _activation(i - 1), _matrix("δ", i), _matrix("W", i)
    gradient = MatrixProduct((Transpose(before), error))
    return [
        (
            MatrixProduct((Transpose(error), before)),
            "transpose",
            "This is the transpose: it would have the shape of the weights turned over.",
        ),
        (
            MatrixProduct((Transpose(_matrix("f", i)), error)),
            "index",
            "Weights are multiplied by the activations of the layer before.",
        ),
        (
            MatrixProduct((Transpose(before), _matrix("δ", i + 1))),
            "index",
            "This is the error of the next layer.",
        ),
        (
            gradient * weights,
            "extra factor",
            "There is a factor too many: the slope of a product by a weight is the other factor.",
        ),
        (
            -gradient,
            "sign",
            "The sign is wrong: a step goes against the gradient, the gradient itself does not.",
        ),
    ]


def _differ(a: Expression, b: Expression) -> bool:
    """Tell whether matrices differ, at a point where all are square, so that nothing but the formula decides."""
    random = np.random.default_rng(0)
    symbols = sorted(a.symbols() | b.symbols(), key=text)
    values = {symbol: random.normal(size=(3, 3)) for symbol in symbols}
    return not np.allclose(evaluate(a, values), evaluate(b, values))


# Keys: the array whose shape is asked for. Values: the question, and the reason for the answer
_SHAPES = {
    "W": (
        "Which shape do the weights W of the layer have?",
        "A weight for every pair of an input and a unit: inputs in the rows, units in the columns.",
    ),
    "b": (
        "Which shape do the biases b of the layer have?",
        "One for each unit, the same for all rows of the batch.",
    ),
    "f": (
        "Which shape do the activations f of the layer have?",
        "A row for each sample, a column for each unit.",
    ),
    "δ": (
        "Which shape do the errors δ of the layer have?",
        "An error belongs to each z: a row for each sample, a column for each unit.",
    ),
    "∂ℒ/∂W": (
        "Which shape does ∂ℒ/∂W of the layer have?",
        "A gradient has the shape of what it is the gradient of.",
    ),
}


@family("shapes", "one choice", asked=Parameter(tuple(_SHAPES), "whose shape"))
def shapes(random: Random, asked: str) -> Content:
    """Shapes of parameters, activations, errors and gradients in a batch."""
    tens, before, units, after = random.sample(range(2, 10), 4)
    rows = 10 * tens
    weights = (before, units)
    shape = {"W": weights, "b": (units,), "f": (rows, units), "δ": (rows, units), "∂ℒ/∂W": weights}[asked]
    key, (question, reason) = prose(str(shape)), _SHAPES[asked]
    wrong = [row for row in _wrong_shapes(rows, before, units, after) if row[0] != key]
    return Content(
        title="Shapes",
        difficulty=2,
        prompt=(
            prose(
                "A layer of {} units follows one of {} and leads into one of {}. A batch has {} rows, a sample in "
                "each.",
                units,
                before,
                after,
                rows,
            ),
            prose(question),
        ),
        answer=choice(random, Option(key, True, prose(reason)), wrong),
        hints=(prose("What do rows stand for, and what do columns?"),),
        solution=(prose("{} So it is {}", reason, key),),
    )


def _wrong_shapes(rows: int, before: int, units: int, after: int) -> list[WrongWords]:
    table = [
        (
            (units, before),
            "transpose",
            "This is turned over: what comes in is in the rows, what goes out in the columns.",
        ),
        ((before, units), "index", "Weights have this shape: a number for each pair of units."),
        ((rows, units), "index", "This has a row for each sample; parameters and their gradients have none."),
        ((rows, before), "index", "It has as many columns as the layer before has units."),
        ((units, after), "index", "The weights that lead on from the layer have this shape."),
        ((rows, after), "index", "It has as many columns as the next layer has units."),
        ((units,), "missing factor", "One number for each unit is too few here."),
    ]
    return [(prose(str(shape)), kind, why) for shape, kind, why in table]
