"""What problems are set in: a chain, its derivation, and the sentences that introduce it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from random import Random

from ...derivation import Derivation, derive
from ...derivation.steps import Sign
from ...formula import Derivative, Expression, Symbol
from ...network import Dense, Network
from ..catalogue import Parameter
from ..problems import FormulaAnswer, Problem
from ..prose import Equation, Prose, prose
from ..wrong import mistakes

LOSS, ETA, X, Y = Symbol("ℒ"), Symbol("η"), Symbol("x"), Symbol("y")
SMOOTH = ("tanh", "logistic", "softplus", "sin", "identity")
BOUNDED = ("tanh", "logistic", "sin")

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


def by(of: Symbol, symbol: Symbol) -> Derivative:
    """Return ∂of/∂symbol."""
    return Derivative(of, symbol)


def introduction(derivation: Derivation) -> Prose:
    """Return a paragraph that says which chain it is."""
    net = derivation.network
    length, layer = len(net.layers), net.layers[0]
    weighted = f(0) * w(1) + b(1) if layer.bias else f(0) * w(1)
    after = Symbol("f", ("i−1",)) * Symbol("w", ("i",))
    weighted_after = after + Symbol("b", ("i",)) if layer.bias else after
    first = (
        "One layer with one unit" if length == 1 else f"A chain of {length} layers with one unit each",
        " and biases: " if layer.bias else ", without biases: ",
        Equation(z(1), weighted),
        *((", then ", Equation(Symbol("z", ("i",)), weighted_after)) if length > 1 else ()),
        ", and ",
        Equation(
            activated := Symbol("f", ("i",) if length > 1 else (1,)),
            layer.activation.value(Symbol("z", activated.indices)),
        ),
        " in every layer. The loss of the output " if length > 1 else ". The loss of the output ",
        f(length),
        " for the target ",
        Y,
        " is ",
        Equation(LOSS, derivation.step("loss").right),
        ".",
    )
    return prose(*first)


def formula_answer(
    derivation: Derivation, left: Expression, key: Expression, allowed: Iterable[Symbol] | None = None
) -> FormulaAnswer:
    """Return that a formula of a derivation is asked for, with the mistakes that people make in it."""
    form = None if allowed is None else tuple(dict.fromkeys(allowed))
    wrong = mistakes(key, derivation.definitions)
    return FormulaAnswer(left, key, derivation.definitions, derivation.symbols, form, wrong)


def worked(derivation: Derivation, *names: str) -> tuple[Prose, ...]:
    """Return steps of a derivation as a worked solution."""
    steps = [derivation.step(name) for name in names]
    return tuple(
        prose(step.words, " ", Equation(step.left, step.right, update=step.name.startswith("update"))) for step in steps
    )


def drawn(
    title: str,
    prompt: Iterable[Prose],
    answer: object,
    hints: Iterable[Prose],
    solution: Iterable[Prose],
    difficulty: int,
) -> Problem:
    """Return a problem whose family, parameters and seed the catalogue enters."""
    return Problem("", {}, 0, title, tuple(prompt), answer, tuple(hints), tuple(solution), difficulty)  # type: ignore[arg-type]
