"""Several units in a layer: an error is a sum over the ways to the loss."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import add
from random import Random

from ...derivation import derive
from ...formula import Expression, Symbol, expression, text
from ...formula.functions import product_of
from ...network import Dense, Network
from ..catalogue import Parameter, family
from ..problems import Content, FormulaAnswer
from ..prose import prose
from .setting import CURVED, WrongFormula, worked, wrong_formulae

HIDDEN = Parameter((2, 3, 4), "how many units the hidden layer has")
UNITS = Parameter((2, 3), "how many units the next layer has")


@family("several units", "formula", hidden=HIDDEN, units=UNITS, activation=CURVED)
def several_units(random: Random, hidden: int, units: int, activation: str) -> Content:
    """δ of a unit that leads into several: a sum over the ways."""
    net = Network(1, [Dense(hidden, activation, bias=False), Dense(units, activation, bias=False)])
    derivation = derive(net)
    k = random.randint(1, hidden)
    error, weighted, output = Symbol("δ", (1, k)), Symbol("z", (1, k)), Symbol("f", (1, k))
    slope = net.layers[0].activation.slope(weighted, output)
    key = derivation.definitions[error]
    other = random.choice([j for j in range(1, hidden + 1) if j != k])
    mistakes = wrong_formulae(_wrong_sums(k, other, units, slope), key, derivation.definitions)
    allowed = (*(symbol for way in _ways(k, units) for symbol in way), weighted, output)
    return Content(
        title="A unit that leads into several",
        difficulty=3,
        prompt=(
            prose(
                "A network has one input, a hidden layer of {hidden} units and an output of {units} units, each layer "
                "with the activation {activation} and without biases. The weight from unit a into unit b of layer 2 is "
                "{weight}, and {error} is the error of unit b.",
                hidden=hidden,
                units=units,
                activation=activation,
                weight=Symbol("w", (2, "a", "b")),
                error=Symbol("δ", (2, "b")),
            ),
            prose("Write {} by the errors of layer 2, weights, {} and {}.", error, output, weighted),
        ),
        answer=FormulaAnswer(error, key, derivation.definitions, derivation.symbols, allowed, mistakes),
        hints=(
            prose("Through how many units of layer 2 does {} act on the loss?", weighted),
            prose("Each way gives a product of slopes; ways are added."),
        ),
        solution=worked(derivation, f"delta_{{1,{k}}}"),
    )


def _ways(k: int, units: int) -> list[tuple[Symbol, Symbol]]:
    """Return the ways from unit k to the loss: the error of each unit of layer 2, and the weight that leads there."""
    return [(Symbol("δ", (2, j)), Symbol("w", (2, k, j))) for j in range(1, units + 1)]


def _wrong_sums(k: int, other: int, units: int, slope: Expression) -> list[WrongFormula]:
    """Return wrong errors of unit k, one of them with the weights of another unit."""
    ways = _ways(k, units)
    return [
        (
            _sum(ways[:1]) * slope,
            "missing way",
            "This is one way to the loss only: each unit of the next layer is one more.",
        ),
        (_sum(ways), "derivative", f"The derivative of the activation is left out: {text(slope)}."),
        (-(_sum(ways) * slope), "sign", "The sign is wrong: everything else is right."),
        (
            _sum(_ways(other, units)) * slope,
            "weight",
            f"These weights lead from unit {other}, not from unit {k}.",
        ),
        (
            product_of([*(factor for way in ways for factor in way), slope]),
            "sum for product",
            "Ways side by side are added; only steps one after the other are multiplied.",
        ),
        (
            _sum((error, expression(1)) for error, _ in ways) * slope,
            "missing factor",
            "The weights are left out: each error comes back through one.",
        ),
    ]


def _sum(pairs: Iterable[tuple[Symbol, Expression]]) -> Expression:
    return reduce(add, (error * weight for error, weight in pairs), expression(0))
