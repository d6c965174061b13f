"""What depends on what in a chain: the chain rule step by step, and the weights that are absent from a gradient."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import reduce
from operator import mul
from random import Random
from typing import TypeAlias

from ...derivation import Derivation
from ...derivation.dependencies import dependencies
from ...formula import Expression, Symbol, compare, substituted, text
from ..catalogue import Parameter, family
from ..problems import ChooseAll, Content, Option
from ..prose import prose
from .setting import (
    ACTIVATION,
    CURVED,
    LAYER,
    LENGTH,
    LOSS,
    Y,
    by,
    delta,
    derived,
    f,
    introduction,
    w,
    which,
    worked,
    z,
)

LONGER = Parameter((3, 4, 5, 6), "how many layers")

Row: TypeAlias = tuple[Expression, str | None, str]
"""A formula, its misconception (None if it is right), and the explanation."""


@family("chain rule", "choose all", length=LENGTH, layer=LAYER, activation=CURVED)
def chain_rule(random: Random, length: int, layer: str, activation: str) -> Content:
    """∂ℒ/∂wᵢ by the chain rule: all ways of writing it."""
    i = which(random, layer, 1, length)
    derivation = derived(length, activation)
    k = random.randint(i, length)
    values, key = _values_of_slopes(derivation), derivation.step(f"gradient w_{i}").right
    right = _proven(_right_products(i, k, length), values, key, derivation, are_equal=True)
    wrong = _proven(_wrong_products(i, length), values, key, derivation, are_equal=False)
    right = random.sample(right, random.randint(1, min(3, len(right))))
    wrong = random.sample(wrong, min(len(wrong), 5 - len(right)))
    options = [
        Option(prose(formula), kind is None, prose(why), kind, substituted(formula, values))
        for formula, kind, why in [*right, *wrong]
    ]
    return Content(
        title="The chain rule for a weight",
        difficulty=3,
        prompt=(introduction(derivation), prose("Which of these are {}? Choose all.", by(LOSS, w(i)))),
        answer=ChooseAll(tuple(random.sample(options, len(options))), derivation.definitions),
        hints=(
            prose("Follow the way from {} to the loss, and write a slope for each step.", w(i)),
            prose("Each δ is the product of the steps from there to the loss."),
        ),
        solution=(
            *worked(derivation, f"gradient w_{i}"),
            *(prose("Right: {}. {}", formula, why) for formula, _, why in right),
        ),
    )


def _right_products(i: int, k: int, length: int) -> list[Row]:
    """Return ways of writing ∂ℒ/∂wᵢ, one of them by way of δₖ."""
    output, last = by(LOSS, f(length)), by(z(i), w(i))
    return [
        (
            _product(output, *_slopes(i, length), last),
            None,
            "Every step from the weight to the loss is there, once.",
        ),
        (
            _product(delta(i), f(i - 1)),
            None,
            f"δ is the slope by the weighted input, and {text(last)} is {text(f(i - 1))}.",
        ),
        (_product(by(LOSS, z(i)), last), None, "The weight acts only through this weighted input: two steps."),
        (
            _product(delta(k), *_slopes(i, k)[1:], last),
            None,
            "The δ is the product of the steps from there to the loss.",
        ),
        (
            _product(output, *_slopes(i, length, by_weights=True), last),
            None,
            "The slope of a weighted input by the activation before is the weight.",
        ),
    ]


def _wrong_products(i: int, length: int) -> list[Row]:
    """Return common wrong formulae for ∂ℒ/∂wᵢ."""
    output, last = by(LOSS, f(length)), by(z(i), w(i))
    rows: list[Row] = [
        (_product(output, last), "derivative", "The steps in between are left out."),
        (
            _product(by(LOSS, f(i)), last),
            "derivative",
            f"The slope of the activation is left out: {text(by(f(i), z(i)))}.",
        ),
        (_product(delta(i), z(i)), "f for z", "z stands where f of the layer before belongs."),
        (_product(delta(i), w(i)), "weight", "The slope of a product by a weight is the other factor, not the weight."),
        (by(LOSS, z(i)) + last, "sum for product", "Steps one after the other are multiplied, not added."),
        (_product(delta(i), f(i)), "index", "The activation of the layer before belongs here."),
        (
            _product(delta(i + 1), f(i - 1)),
            "index",
            "This δ belongs to the next layer: a weight and a slope are missing.",
        ),
    ]
    return rows if i < length else rows[:-1]


def _product(*factors: Expression) -> Expression:
    return reduce(mul, factors)


def _slopes(begin: int, end: int, by_weights: bool = False) -> list[Expression]:
    """Return ∂f/∂z and ∂z/∂f of a chain, from f of `end` down to z of `begin`."""
    slopes: list[Expression] = []
    for j in range(end, begin - 1, -1):
        slopes.append(by(f(j), z(j)))
        if j > begin:
            slopes.append(w(j) if by_weights else by(z(j), f(j - 1)))
    return slopes


def _values_of_slopes(derivation: Derivation) -> dict[Expression, Expression]:
    """Return the slopes along a chain in symbols."""
    layers, last = derivation.network.layers, len(derivation.network.layers)
    values: dict[Expression, Expression] = {by(LOSS, f(last)): derivation.network.loss.slope(Y, f(last))}
    for i, layer in enumerate(layers, start=1):
        values[by(f(i), z(i))] = layer.activation.slope(z(i), f(i))
        values |= {by(z(i), f(i - 1)): w(i), by(z(i), w(i)): f(i - 1), by(LOSS, z(i)): delta(i)}
        if i < last:
            values[by(LOSS, f(i))] = delta(i + 1) * w(i + 1)
    return values


def _proven(
    rows: Iterable[Row],
    values: Mapping[Expression, Expression],
    key: Expression,
    derivation: Derivation,
    are_equal: bool,
) -> list[Row]:
    """Return rows that differ in form and are, or are not, equal to the key by the exact test."""
    kept: dict[Expression, Row] = {}
    for row in rows:
        if compare(substituted(row[0], values), key, derivation.definitions).equal is are_equal:
            kept.setdefault(row[0], row)
    return list(kept.values())


@family("absent weights", "choose all", length=LONGER, layer=LAYER, activation=CURVED)
def absent_weights(random: Random, length: int, layer: str, activation: str) -> Content:
    """Which weights do not occur in ∂ℒ/∂wᵢ as it is written with z and f, and why."""
    derivation = derived(length, activation)
    i = which(random, layer, 1, length - 1)
    name = f"gradient w_{i} unrolled"
    present = derivation.step(name).right.symbols()
    options = tuple(_absence_option(i, k, w(k) in present) for k in range(1, length + 1))
    absent = ", ".join(str(option.text) for option in options if option.right)
    return Content(
        title="Absent weights",
        difficulty=3,
        prompt=(
            introduction(derivation),
            prose(
                "Write {} without δ, by weighted inputs, activations, weights and {}. Which weights do not occur in "
                "it? Choose all.",
                by(LOSS, w(i)),
                Y,
            ),
        ),
        answer=ChooseAll(options),
        hints=(prose("Follow the way from {} to the loss: through which weights does it go?", w(i)),),
        solution=(*worked(derivation, name), prose("Not in it: {}.", absent)),
    )


def _absence_option(i: int, k: int, is_present: bool) -> Option:
    """Return whether wₖ is absent from ∂ℒ/∂wᵢ, and why."""
    if is_present:
        why = prose("{} leads on from layer {}: the way from {} to the loss goes through it.", w(k), k - 1, w(i))
    elif k == i:
        sentence = "{z} is {before} times {weight}, so its slope by {weight} is {before}."
        why = prose(sentence, z=z(i), before=f(i - 1), weight=w(i))
    else:
        why = prose("{} comes before {}: it acts through {} alone, in which it is hidden.", w(k), w(i), f(i - 1))
    return Option(prose(w(k)), not is_present, why, "weight" if is_present else None, w(k))


@family("dependence", "choose all", length=LONGER, activation=ACTIVATION)
def dependence(random: Random, length: int, activation: str) -> Content:
    """Who depends on whom: what changes when one weight does."""
    derivation = derived(length, activation)
    i = random.randint(2, length - 1)
    dependent = dependents(w(i), derivation)
    symbols = _sampled_symbols(random, length, i, dependent)
    names = ", ".join(text(symbol) for symbol in symbols if symbol in dependent)
    return Content(
        title="Who depends on whom",
        difficulty=2,
        prompt=(
            introduction(derivation),
            prose("Only {} is changed a little. Which of these change with it? Choose all.", w(i)),
        ),
        answer=ChooseAll(tuple(_dependence_option(symbol, i, symbol in dependent) for symbol in symbols)),
        hints=(prose("Go forward from the input. Where does {} come in?", w(i)),),
        solution=(
            *worked(derivation, f"z_{i}", f"f_{i}"),
            prose("{} enters at {}, and all that follows depends on it: of these, {}.", w(i), z(i), names),
        ),
    )


def dependents(source: Symbol, derivation: Derivation) -> frozenset[Symbol]:
    """Return the source and all symbols that are computed from it."""
    below = dependencies(derivation)

    def depends(symbol: Symbol) -> bool:
        return symbol == source or any(map(depends, below.get(symbol, ())))

    return frozenset({source, *filter(depends, below)})


def _sampled_symbols(random: Random, length: int, i: int, dependent: Collection[Symbol]) -> list[Symbol]:
    """Return five symbols of a chain, of which some depend on wᵢ and others do not."""
    candidates = [symbol for k in range(1, length + 1) for symbol in (z(k), f(k), w(k)) if symbol != w(i)]
    symbols = random.sample(candidates, 5)
    if not any(symbol in dependent for symbol in symbols):
        symbols[0] = z(random.randint(i, length))
    if all(symbol in dependent for symbol in symbols):
        symbols[0] = f(random.randint(1, i - 1))
    return symbols


def _dependence_option(symbol: Symbol, i: int, depends: bool) -> Option:
    if symbol == z(i):
        why = prose("{} has {} in it.", z(i), w(i))
    elif depends:
        why = prose("{start} has {} in it, and {} is worked out from {start}, step by step.", w(i), symbol, start=z(i))
    elif symbol.name == "w":
        why = prose("{} is a parameter of its own: a ∂ by {} holds it fixed.", symbol, w(i))
    else:
        why = prose("{} comes before {} in the forward pass, and knows nothing of it.", symbol, w(i))
    return Option(prose(symbol), depends, why, None if depends else "index", symbol)
