"""Several units: sums over ways, matrices and their shapes, and softmax with cross entropy."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import numpy as np

from ...derivation import derive
from ...formula import Expression, MatrixProduct, Symbol, Transpose, compare, evaluate, expression, text
from ...formula.functions import product_of
from ...formula.tree import ONE, ZERO
from ...network import Dense, Network
from ..catalogue import Parameter, family
from ..problems import FormulaAnswer, Mistake, OneChoice, Option, Problem
from ..prose import Equation, Prose, prose
from .setting import CURVED, LOSS, by, drawn, worked
from .understanding import options

HIDDEN = Parameter((2, 3, 4), "how many units the hidden layer has")
UNITS = Parameter((2, 3), "how many units the next layer has")


@family("several units", "formula", hidden=HIDDEN, units=UNITS, activation=CURVED)
def several_units(random: Random, hidden: int, units: int, activation: str) -> Problem:
    """δ of a unit that leads into several: a sum over the ways."""
    net = Network(1, [Dense(hidden, activation, bias=False), Dense(units, activation, bias=False)])
    made = derive(net)
    k = random.randint(1, hidden)
    d, unit_z, unit_f = Symbol("δ", (1, k)), Symbol("z", (1, k)), Symbol("f", (1, k))
    slope = net.layers[0].activation.slope(unit_z, unit_f)
    ways = [(Symbol("δ", (2, j)), Symbol("w", (2, k, j))) for j in range(1, units + 1)]
    key = made.definitions[d]

    def summed(pairs: Iterable[tuple[Symbol, Expression]]) -> Expression:
        total: Expression = expression(0)
        for error, weight in pairs:
            total = total + error * weight
        return total

    other = random.choice([j for j in range(1, hidden + 1) if j != k])
    wrong = [
        (
            summed(ways[:1]) * slope,
            "missing way",
            "This is one way to the loss only: each unit of the next layer is one more.",
        ),
        (summed(ways), "derivative", f"The derivative of the activation is left out: {text(slope)}."),
        (-(summed(ways) * slope), "sign", "The sign is wrong: everything else is right."),
        (
            summed([(Symbol("δ", (2, j)), Symbol("w", (2, other, j))) for j in range(1, units + 1)]) * slope,
            "weight",
            f"These weights lead from unit {other}, not from unit {k}.",
        ),
        (
            product_of([*(part for way in ways for part in way), slope]),
            "sum for product",
            "Ways side by side are added; only steps one after the other are multiplied.",
        ),
        (
            summed([(error, expression(1)) for error, _ in ways]) * slope,
            "missing factor",
            "The weights are left out: each error comes back through one.",
        ),
    ]
    proven: list[Mistake[Expression]] = []
    for formula, kind, sentence in wrong:
        taken = [key, *(one.answer for one in proven)]
        if not any(compare(formula, one, made.definitions).equal for one in taken):
            proven.append(Mistake(formula, kind, prose(sentence)))
    allowed = (*(symbol for way in ways for symbol in way), unit_z, unit_f)
    return drawn(
        "A unit that leads into several",
        [
            prose(
                f"A network has one input, a hidden layer of {hidden} units and an output of {units} units, each "
                f"layer with the activation {activation} and without biases. The weight from unit a into unit b of "
                "layer 2 is ",
                Symbol("w", (2, "a", "b")),
                ", and ",
                Symbol("δ", (2, "b")),
                " is the error of unit b.",
            ),
            prose("Write ", d, " by the errors of layer 2, weights, ", unit_f, " and ", unit_z, "."),
        ],
        FormulaAnswer(d, key, made.definitions, made.symbols, allowed, tuple(proven)),
        [
            prose("Through how many units of layer 2 does ", unit_z, " act on the loss?"),
            prose("Each way gives a product of slopes; ways are added."),
        ],
        worked(made, f"delta_{{1,{k}}}"),
        3,
    )


@family("matrix form", "one choice", asked=Parameter(("error", "gradient"), "of a layer"))
def matrix_form(random: Random, asked: str) -> Problem:
    """The recursion and the gradient of a layer in matrices."""
    i = random.randint(1, 3)

    def matrix(name: str, layer: int) -> Symbol:
        return Symbol(name, (layer,), matrix=True)

    d, next_d, weights, next_weights = matrix("δ", i), matrix("δ", i + 1), matrix("W", i), matrix("W", i + 1)
    slope, before = matrix("s", i), matrix("f", i - 1) if i > 1 else Symbol("x", matrix=True)
    back = MatrixProduct((next_d, Transpose(next_weights)))
    if asked == "error":
        left: Expression = d
        key: Expression = back * slope
        wrong = [
            (
                MatrixProduct((next_d, next_weights)) * slope,
                "transpose",
                "On the way back a matrix is transposed: it takes the units of the next layer to those of this one.",
            ),
            (back, "derivative", "The slopes of the activations are left out."),
            (
                MatrixProduct((next_d, Transpose(weights))) * slope,
                "weight",
                "These weights lead into the layer; those that lead on from it are needed.",
            ),
            (back + slope, "sum for product", "Slopes are multiplied, entry by entry, not added."),
            (
                -(back * slope),
                "sign",
                "The sign is wrong: a step goes against the gradient, but an error has no sign of its own.",
            ),
        ]
        why = "Errors go back through the transposed weights, and are multiplied, entry by entry, by the slopes."
    else:
        left = by(LOSS, weights)
        key = MatrixProduct((Transpose(before), d))
        wrong = [
            (
                MatrixProduct((Transpose(d), before)),
                "transpose",
                "This is the transpose: it would have the shape of the weights turned over.",
            ),
            (
                MatrixProduct((Transpose(matrix("f", i)), d)),
                "index",
                "Weights are multiplied by the activations of the layer before.",
            ),
            (MatrixProduct((Transpose(before), next_d)), "index", "This is the error of the next layer."),
            (
                MatrixProduct((Transpose(before), d)) * weights,
                "extra factor",
                "There is a factor too many: the slope of a product by a weight is the other factor.",
            ),
            (
                -MatrixProduct((Transpose(before), d)),
                "sign",
                "The sign is wrong: a step goes against the gradient, the gradient itself does not.",
            ),
        ]
        why = "Each weight's slope is the activation before it times the error after it, summed over the rows."
    proven = [(formula, kind, sentence) for formula, kind, sentence in wrong if _differ(formula, key)]
    some = random.sample(proven, 3)
    made = [Option(prose(key), True, prose(why))]
    made += [Option(prose(formula), False, prose(sentence), kind) for formula, kind, sentence in some]
    return drawn(
        "A layer in matrices",
        [
            prose(
                "A batch goes through a dense network, its rows in the rows of matrices: ",
                Equation(matrix("z", i), MatrixProduct((before, weights)) + matrix("b", i)),
                ". Let ",
                slope,
                " be the slopes f′(",
                matrix("z", i),
                "), and each δ the slopes of the loss by z.",
            ),
            prose("Which of these is ", left, "?"),
        ],
        OneChoice(tuple(random.sample(made, len(made)))),
        [prose("Look at the shapes: which product has the shape of the left side?")],
        [prose(why, " So ", Equation(left, key))],
        3,
    )


def _differ(one: Expression, other: Expression) -> bool:
    """Tell whether matrices differ, at a point where all are square, so that nothing but the formula decides."""
    random = np.random.default_rng(0)
    symbols = sorted(one.symbols() | other.symbols(), key=text)
    values = {symbol: random.normal(size=(3, 3)) for symbol in symbols}
    return not np.allclose(evaluate(one, values), evaluate(other, values))


@family("shapes", "one choice", asked=Parameter(("W", "b", "f", "δ", "∂ℒ/∂W"), "whose shape"))
def shapes(random: Random, asked: str) -> Problem:
    """Shapes of parameters, activations, errors and gradients in a batch."""
    rows, before, here, after = random.sample(range(2, 10), 4)
    rows *= 10
    shape = {"W": (before, here), "b": (here,), "f": (rows, here), "δ": (rows, here), "∂ℒ/∂W": (before, here)}[asked]
    reasons = {
        "W": "A weight for every pair of an input and a unit: inputs in the rows, units in the columns.",
        "b": "One for each unit, the same for all rows of the batch.",
        "f": "A row for each sample, a column for each unit.",
        "δ": "An error belongs to each z: a row for each sample, a column for each unit.",
        "∂ℒ/∂W": "A gradient has the shape of what it is the gradient of.",
    }
    others = [
        (
            (here, before),
            "transpose",
            "This is turned over: what comes in is in the rows, what goes out in the columns.",
        ),
        ((before, here), "index", "Weights have this shape: a number for each pair of units."),
        ((rows, here), "index", "This has a row for each sample; parameters and their gradients have none."),
        ((rows, before), "index", "It has as many columns as the layer before has units."),
        ((here, after), "index", "The weights that lead on from the layer have this shape."),
        ((rows, after), "index", "It has as many columns as the next layer has units."),
        ((here,), "missing factor", "One number for each unit is too few here."),
    ]

    def said(one: tuple[int, ...]) -> Prose:
        return prose(str(one))

    wrong = [(said(one), kind, sentence) for one, kind, sentence in others if one != shape]
    name = {"W": "the weights W", "b": "the biases b", "f": "the activations f", "δ": "the errors δ", "∂ℒ/∂W": "∂ℒ/∂W"}[
        asked
    ]
    return drawn(
        "Shapes",
        [
            prose(
                f"A layer of {here} units follows one of {before} and leads into one of {after}. A batch has "
                f"{rows} rows, a sample in each."
            ),
            prose(
                f"Which shape do {name} of the layer have?"
                if asked != "∂ℒ/∂W"
                else "Which shape does ∂ℒ/∂W of the layer have?"
            ),
        ],
        options(random, (said(shape), prose(reasons[asked])), *wrong),
        [prose("What do rows stand for, and what do columns?")],
        [prose(reasons[asked], " So it is ") + said(shape)],
        2,
    )


@family(
    "softmax",
    "formula",
    classes=Parameter((2, 3, 4), "how many classes"),
    target=Parameter(("symbols", "a class"), "what is told of the target: symbols for it, or the class of a sample"),
)
def softmax(random: Random, classes: int, target: str) -> Problem:
    """The error of the output with softmax and cross entropy: as simple as that."""
    k = random.randint(1, classes)
    outputs = [Symbol("f", (1, j)) for j in range(1, classes + 1)]
    targets = [Symbol("y", (j,)) for j in range(1, classes + 1)]
    d, z_k, out, wanted = Symbol("δ", (1, k)), Symbol("z", (1, k)), outputs[k - 1], targets[k - 1]
    setting = (
        f"The output layer of a network has {classes} units with softmax, ",
        outputs[0],
        " to ",
        outputs[-1],
        ". The loss is the cross entropy −Σ y log f over the units, for targets ",
        targets[0],
        " to ",
        targets[-1],
        ", of which one is 1 and the others are 0.",
    )
    steps = [
        prose("The slope of log f of unit j by ", z_k, " is 1 − ", out, f" for j = {k}, and −", out, " for others."),
        prose("Times −y and summed up: ", out, " times the sum of all y, minus ", wanted, "; the targets add up to 1."),
    ]
    if target == "symbols":
        key: Expression = out - wanted
        allowed: tuple[Symbol, ...] = (out, wanted)
        definitions: dict[Symbol, Expression] = {targets[-1]: _one_less(targets[:-1])}
        asked = [prose("Write ", Equation(d, by(LOSS, z_k)), " by ", out, " and ", wanted, ".")]
        at_target: Expression = wanted
        mixed_up = (out - 1, "missing factor", "This is so for the right class alone, where y is 1.")
    else:
        right = random.randint(1, classes)
        at_target = ONE if k == right else ZERO
        key, allowed, definitions = out - at_target, (out,), {}
        asked = [
            prose(f"A sample belongs to class {right}, so that ", Equation(targets[right - 1], expression(1)), "."),
            prose("Write ", Equation(d, by(LOSS, z_k)), " of this sample by ", out, "."),
        ]
        steps.append(prose("For this sample ", Equation(wanted, at_target), "."))
        mixed_up = (
            (out, "index", "This is so for the other classes: here y is 1.")
            if k == right
            else (out - 1, "index", "This is so for the right class alone: here y is 0.")
        )
    wrong = [
        (-key, "sign", "The sign is wrong: everything else is right."),
        (
            key * out * (1 - out),
            "extra factor",
            "The slope of softmax is in it already, and takes the denominator of the logarithm's slope away.",
        ),
        (
            -(at_target / out) if at_target != ZERO else ZERO,
            "derivative",
            "This is the slope of the loss by f alone; every output depends on this z.",
        ),
        (2 * key, "factor 2", "There is a factor 2 too many: nothing is squared here."),
        mixed_up,
    ]
    proven = [
        Mistake(formula, kind, prose(why))
        for formula, kind, why in wrong
        if not compare(formula, key, definitions).equal
    ]
    return drawn(
        "Softmax with cross entropy",
        [prose(*setting), *asked],
        FormulaAnswer(d, key, definitions, (*outputs, *targets), allowed, tuple(proven)),
        [
            prose("Every output depends on ", z_k, ": the slope of the loss by each counts."),
            prose("The targets add up to 1."),
        ],
        [*steps, prose("So ", Equation(d, key))],
        3,
    )


def _one_less(targets: list[Symbol]) -> Expression:
    rest: Expression = expression(1)
    for target in targets:
        rest = rest - target
    return rest
