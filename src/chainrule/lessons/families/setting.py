"""The setting that problems share: a chain, its derivation and introduction, and answers from tables of mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import TypeAlias

from ...derivation import Derivation, derive
from ...derivation.steps import Sign
from ...formula import Derivative, Expression, Symbol, compare
from ...network import Dense, Network
from ..catalogue import Parameter
from ..problems import FormulaAnswer, Mistake, OneChoice, Option
from ..prose import Equation, Prose, prose
from ..wrong import OPTIONS, mistakes

WrongFormula: TypeAlias = tuple[Expression, str, str]
"""A row of a table of wrong answers: the formula, the misconception that leads to it, and why it is wrong."""
WrongWords: TypeAlias = tuple[Prose, str, str]
"""A row of a table of wrong answers in words."""

LOSS, ETA, X, Y = Symbol("ℒ"), Symbol("η"), Symbol("x"), Symbol("y")
SMOOTH = ("tanh", "logistic", "softplus", "sin", "identity")

LENGTH = Parameter((2, 3, 4, 5), "how many layers")
ACTIVATION = Parameter(SMOOTH, "of every layer")
CURVED = Parameter(tuple(name for name in SMOOTH if name != "identity"), "of every layer, none of them straight")
LOSSES = Parameter(("squared_error", "half_squared_error"), "by how much the output misses the target")
SIGN = Parameter(("f-y", "y-f"), "whether solutions are written with f − y or y − f")
LAYER = Parameter(("any", "first", "last"), "which layer is asked about, of those that it can be")
BIAS = Parameter((False, True), "whether every layer has a bias")


@lru_cache(maxsize=256)
def derived(
    length: int, activation: str, loss: str = "squared_error", sign: Sign = "f-y", bias: bool = False
) -> Derivation:
    """Return the derivation of a chain."""
    return derive(Network(1, [Dense(1, activation, bias=bias)] * length, loss), sign=sign)


def which(random: Random, layer: str, first: int, last: int) -> int:
    """Return the number of the layer that is asked about, from the first to the last that it can be."""
    return {"first": first, "last": last}.get(layer) or random.randint(first, last)


def z(i: int) -> Symbol:
    """Return zᵢ."""
    return Symbol("z", (i,))


def f(i: int) -> Symbol:
    """Return fᵢ; f₀ is x."""
    return Symbol("f", (i,)) if i else X


def w(i: int) -> Symbol:
    """Return wᵢ."""
    return Symbol("w", (i,))


def b(i: int) -> Symbol:
    """Return bᵢ."""
    return Symbol("b", (i,))


def delta(i: int) -> Symbol:
    """Return δᵢ."""
    return Symbol("δ", (i,))


def by(quantity: Symbol, symbol: Symbol) -> Derivative:
    """Return ∂quantity/∂symbol."""
    return Derivative(quantity, symbol)


# Keys: whether there is one layer, and whether there are biases
_INTRODUCTIONS = {
    (True, False): "One layer with one unit, without biases: {first}, and {activated}.",
    (True, True): "One layer with one unit and biases: {first}, and {activated}.",
    (False, False): (
        "A chain of {length} layers with one unit each, without biases: {first}, then {later}, and {activated} in "
        "every layer."
    ),
    (False, True): (
        "A chain of {length} layers with one unit each and biases: {first}, then {later}, and {activated} in every "
        "layer."
    ),
}


def introduction(derivation: Derivation) -> Prose:
    """Return a paragraph that describes the chain of a derivation."""
    length, layer = len(derivation.network.layers), derivation.network.layers[0]
    index = (1,) if length == 1 else ("i",)
    later = Symbol("f", ("i−1",)) * Symbol("w", ("i",))
    network = prose(
        _INTRODUCTIONS[length == 1, layer.bias],
        length=length,
        first=Equation(z(1), f(0) * w(1) + b(1) if layer.bias else f(0) * w(1)),
        later=Equation(Symbol("z", ("i",)), later + Symbol("b", ("i",)) if layer.bias else later),
        activated=Equation(Symbol("f", index), layer.activation.value(Symbol("z", index))),
    )
    loss = Equation(LOSS, derivation.step("loss").right)
    return network + prose(" The loss of the output {} for the target {} is {}.", f(length), Y, loss)


def formula_answer(
    derivation: Derivation, left: Expression, key: Expression, allowed: Iterable[Symbol] | None = None
) -> FormulaAnswer:
    """Return the answer to a question for a formula of a derivation, with its common mistakes."""
    form = None if allowed is None else tuple(dict.fromkeys(allowed))
    wrong = mistakes(key, derivation.definitions)
    return FormulaAnswer(left, key, derivation.definitions, derivation.symbols, form, wrong)


def choice(random: Random, right: Option, wrong: Sequence[WrongWords], count: int = OPTIONS) -> OneChoice:
    """Return the right option among wrong ones, which are drawn from a table, in random order."""
    rows = random.sample(wrong, min(count - 1, len(wrong)))
    options = [right, *(Option(words, False, prose(why), kind) for words, kind, why in rows)]
    return shuffled(random, options)


def shuffled(random: Random, options: Sequence[Option]) -> OneChoice:
    """Return options in random order, one of which is right."""
    return OneChoice(tuple(random.sample(options, len(options))))


def wrong_formulae(
    rows: Iterable[WrongFormula], key: Expression, definitions: Mapping[Symbol, Expression]
) -> tuple[Mistake[Expression], ...]:
    """Return the rows of a table of wrong formulae that are not equal to the key, by the exact test."""
    return tuple(
        Mistake(formula, kind, prose(why))
        for formula, kind, why in rows
        if not compare(formula, key, definitions).equal
    )


def worked(derivation: Derivation, *names: str) -> tuple[Prose, ...]:
    """Return steps of a derivation as a worked solution."""
    steps = [derivation.step(name) for name in names]
    return tuple(
        prose("{} {}", step.words, Equation(step.left, step.right, update=step.name.startswith("update")))
        for step in steps
    )
