"""The lecture's chain: forward, the update, errors, the recursion, and the gradient as one product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random
from typing import TypeAlias

from ...derivation import Derivation
from ...derivation.dependencies import dependencies
from ...derivation.steps import Sign
from ...formula import Expression, Symbol, compare, substituted, text
from ..catalogue import Parameter, family
from ..problems import ChooseAll, OneChoice, Option, Problem
from ..prose import Equation, prose
from ..wrong import one_of
from .setting import (
    ACTIVATION,
    BIAS,
    CURVED,
    ETA,
    LAYER,
    LENGTH,
    LOSS,
    LOSSES,
    SIGN,
    Y,
    b,
    by,
    delta,
    derived,
    drawn,
    f,
    formula_answer,
    introduction,
    w,
    which,
    worked,
    z,
)

Written: TypeAlias = tuple[Expression, str | None, str]  # a formula, the misconception that it comes from, and why


@family("update rule", "one choice", length=LENGTH, activation=ACTIVATION)
def update_rule(random: Random, length: int, activation: str) -> Problem:
    """A step of stochastic gradient descent: what it does to a weight, and its sign."""
    i = random.randint(1, length)
    g = by(LOSS, w(i))
    other = by(LOSS, w(i % length + 1))
    wrong = [
        (w(i) + ETA * g, "uphill", "This goes uphill: the gradient points to where the loss grows."),
        (-ETA * g, "missing factor", "This is by how much the weight changes, not what it becomes."),
        (w(i) - g, "missing factor", "The learning rate is missing: it says how far the step goes."),
        (ETA * w(i) - g, "constant", "The learning rate belongs to the gradient, not to the weight."),
        (w(i) - ETA * other, "index", "This is the slope by another weight: each has its own."),
        (w(i) - ETA * LOSS, "derivative", "The loss itself says how bad it is, not which way is down."),
        (w(i) - ETA * g * w(i), "extra factor", "There is a factor too many: the step does not grow with the weight."),
    ]
    why = prose(
        "Against the gradient, as it points to where the loss grows, and by its length times the learning rate."
    )
    plain = {g: Symbol("g"), other: Symbol("h")}  # what can be compared
    options = [Option(prose(Equation(w(i), w(i) - ETA * g, update=True)), True, why, formula=w(i) - ETA * plain[g])]
    for formula, kind, sentence in (
        random.sample(wrong, 3) if random.random() < 0.5 else [wrong[0], *random.sample(wrong[1:], 2)]
    ):
        options.append(
            Option(
                prose(Equation(w(i), formula, update=True)), False, prose(sentence), kind, substituted(formula, plain)
            )
        )
    return drawn(
        "A step of gradient descent",
        [
            introduction(derived(length, activation)),
            prose(
                "What does one step of stochastic gradient descent with the learning rate ", ETA, " do to ", w(i), "?"
            ),
        ],
        OneChoice(tuple(random.sample(options, len(options)))),
        [prose("The gradient points to where the loss grows. Which way should a step go?")],
        [
            prose(
                "A step goes against the gradient, by its length times the learning rate: ",
                Equation(w(i), w(i) - ETA * g, update=True),
            )
        ],
        1,
    )


@family("weighted input", "formula", length=LENGTH, layer=LAYER, activation=ACTIVATION, bias=BIAS)
def weighted_input(random: Random, length: int, layer: str, activation: str, bias: bool) -> Problem:
    """What a weighted input is made of."""
    i = which(random, layer, 1, length)
    made = derived(length, activation, bias=bias)
    key = made.definitions[z(i)]
    return drawn(
        "The weighted input of a layer",
        [introduction(made), prose("Write ", z(i), " by ", f(i - 1), f" and the parameter{'s' * bias} of layer {i}.")],
        formula_answer(made, z(i), key, [f(i - 1), w(i), b(i)] if bias else [f(i - 1), w(i)]),
        [prose("A weight carries the index of the layer that it leads into.")],
        worked(made, f"z_{i}"),
        1,
    )


@family("output error", "formula", length=LENGTH, activation=ACTIVATION, loss=LOSSES, sign=SIGN)
def output_error(_: Random, length: int, activation: str, loss: str, sign: Sign) -> Problem:
    """The error of the output: slope of the loss times slope of the activation."""
    made = derived(length, activation, loss, sign)
    return drawn(
        "The error of the output",
        [
            introduction(made),
            prose(
                "Write ",
                Equation(delta(length), by(LOSS, z(length))),
                " by ",
                z(length),
                ", ",
                f(length),
                " and ",
                Y,
                ".",
            ),
        ],
        formula_answer(made, delta(length), made.definitions[delta(length)], [z(length), f(length), Y]),
        [
            prose(z(length), " acts on the loss only through ", f(length), ": two slopes are multiplied."),
            prose("The slopes are ", by(LOSS, f(length)), " and ", by(f(length), z(length)), "."),
        ],
        worked(made, f"delta_{length}"),
        2,
    )


def _recursion(random: Random, length: int, layer: str, activation: str) -> tuple[int, Expression]:
    i = which(random, layer, 1, length - 1)
    return i, derived(length, activation).definitions[delta(i)]


_RECURSION_HINTS = (
    prose("Which quantity does this weighted input act on next, and through what?"),
    prose("Go one step back: times the weight that leads on, times the slope of the activation here."),
)


@family("recursion", "formula", length=LENGTH, layer=LAYER, activation=ACTIVATION)
def recursion(random: Random, length: int, layer: str, activation: str) -> Problem:
    """δᵢ from δᵢ₊₁: one step back."""
    i, key = _recursion(random, length, layer, activation)
    made = derived(length, activation)
    return drawn(
        "One step back",
        [
            introduction(made),
            prose("Write ", delta(i), " by ", delta(i + 1), ", ", w(i + 1), ", ", f(i), " and ", z(i), "."),
        ],
        formula_answer(made, delta(i), key, [delta(i + 1), w(i + 1), f(i), z(i)]),
        _RECURSION_HINTS,
        worked(made, f"delta_{i}"),
        2,
    )


@family("recursion choice", "one choice", length=LENGTH, layer=LAYER, activation=CURVED)
def recursion_choice(random: Random, length: int, layer: str, activation: str) -> Problem:
    """δᵢ from δᵢ₊₁, among what it is mistaken for."""
    i, key = _recursion(random, length, layer, activation)
    made = derived(length, activation)
    return drawn(
        "One step back",
        [introduction(made), prose("Which of these is ", delta(i), "?")],
        one_of(key, made.definitions, prose(made.step(f"delta_{i}").words), random),
        _RECURSION_HINTS,
        worked(made, f"delta_{i}"),
        2,
    )


@family("unrolled error", "formula", length=LENGTH, layer=LAYER, activation=CURVED, loss=LOSSES, sign=SIGN)
def unrolled_error(random: Random, length: int, layer: str, activation: str, loss: str, sign: Sign) -> Problem:
    """δᵢ with every later δ written out."""
    i = which(random, layer, max(1, length - 2), length - 1)
    made = derived(length, activation, loss, sign)
    name = f"delta_{i} unrolled"
    layers = range(i, length + 1)
    allowed = [Y, *map(f, layers), *map(z, layers), *map(w, layers[1:])]
    steps = [f"delta_{k}" for k in range(length, i - 1, -1)]
    return drawn(
        "An error written out",
        [introduction(made), prose("Write ", delta(i), " without any other δ.")],
        formula_answer(made, delta(i), made.step(name).right, allowed),
        [
            prose("Begin at the output: ", delta(length), " first, then one step back at a time."),
            prose("Each step back multiplies by a weight and by a slope."),
        ],
        worked(made, *steps, name),
        3,
    )


@family("full gradient", "formula", length=LENGTH, activation=CURVED, loss=LOSSES, sign=SIGN)
def full_gradient(_: Random, length: int, activation: str, loss: str, sign: Sign) -> Problem:
    """∂ℒ/∂w₁ as one product, from the input to the loss."""
    made = derived(length, activation, loss, sign)
    name = "gradient w_1 unrolled"
    layers = range(1, length + 1)
    allowed = [f(0), Y, *map(f, layers), *map(z, layers), *map(w, layers)]
    steps = [f"delta_{k}" for k in range(length, 0, -1)]
    return drawn(
        "The gradient of the first weight",
        [introduction(made), prose("Write ", by(LOSS, w(1)), " without any δ.")],
        formula_answer(made, by(LOSS, w(1)), made.step(name).right, allowed),
        [
            prose(w(1), " acts on the loss only through ", z(1), ", and ", by(z(1), w(1)), " is ", f(0), "."),
            prose("What is left is ", delta(1), ", written out."),
        ],
        worked(made, *steps, "gradient w_1", name),
        4,
    )


@family("bias gradient", "formula", length=LENGTH, layer=LAYER, activation=ACTIVATION)
def bias_gradient(random: Random, length: int, layer: str, activation: str) -> Problem:
    """What the loss's slope by a bias is."""
    i = which(random, layer, 1, length)
    made = derived(length, activation, bias=True)
    name = f"gradient b_{i}"
    key = made.definitions[delta(i)]
    return drawn(
        "The gradient of a bias",
        [
            introduction(made),
            prose("Write ", by(LOSS, b(i)), " without ", delta(i), "; the δ of the next layer may stand in it."),
        ],
        formula_answer(made, by(LOSS, b(i)), key, sorted(key.symbols(), key=text)),
        [prose("By how much does ", z(i), " change when ", b(i), " does?")],
        [*worked(made, name, f"delta_{i}"), prose("So ", Equation(by(LOSS, b(i)), key))],
        2,
    )


@family("chain rule", "choose all", length=LENGTH, layer=LAYER, activation=CURVED)
def chain_rule(random: Random, length: int, layer: str, activation: str) -> Problem:
    """∂ℒ/∂wᵢ by the chain rule: all ways of writing it."""
    i = which(random, layer, 1, length)
    made = derived(length, activation)
    k = random.randint(i, length)

    def slopes(begin: int, end: int, by_weights: bool = False) -> list[Expression]:
        """∂z/∂f and ∂f/∂z, from f of `end` down to z of `begin`."""
        chain: list[Expression] = []
        for j in range(end, begin - 1, -1):
            chain.append(by(f(j), z(j)))
            if j > begin:
                chain.append(w(j) if by_weights else by(z(j), f(j - 1)))
        return chain

    def product(*factors: Expression) -> Expression:
        result: Expression = factors[0]
        for factor in factors[1:]:
            result = result * factor
        return result

    last = by(z(i), w(i))
    right = [
        (
            product(by(LOSS, f(length)), *slopes(i, length), last),
            "Every step from the weight to the loss is there, once.",
        ),
        (product(delta(i), f(i - 1)), f"δ is the slope by the weighted input, and {text(last)} is {text(f(i - 1))}."),
        (product(by(LOSS, z(i)), last), "The weight acts only through this weighted input: two steps."),
        (product(delta(k), *slopes(i, k)[1:], last), "The δ is the product of the steps from there to the loss."),
        (
            product(by(LOSS, f(length)), *slopes(i, length, by_weights=True), last),
            "The slope of a weighted input by the activation before is the weight.",
        ),
    ]
    wrong = [
        (product(by(LOSS, f(length)), last), "derivative", "The steps in between are left out."),
        (
            product(by(LOSS, f(i)), last),
            "derivative",
            f"The slope of the activation is left out: {text(by(f(i), z(i)))}.",
        ),
        (product(delta(i), z(i)), "f for z", "z stands where f of the layer before belongs."),
        (product(delta(i), w(i)), "weight", "The slope of a product by a weight is the other factor, not the weight."),
        (by(LOSS, z(i)) + last, "sum for product", "Steps one after the other are multiplied, not added."),
        (product(delta(i), f(i)), "index", "The activation of the layer before belongs here."),
    ]
    if i < length:
        wrong.append(
            (
                product(delta(i + 1), f(i - 1)),
                "index",
                "This δ belongs to the next layer: a weight and a slope are missing.",
            )
        )
    values = _values_of_derivatives(made)
    key = made.step(f"gradient w_{i}").right
    proven_right = _apart([(one, None, why) for one, why in right], values, made, key, equal=True)
    proven_wrong = _apart(wrong, values, made, key, equal=False)
    some = random.sample(proven_right, random.randint(1, min(3, len(proven_right))))
    others = random.sample(proven_wrong, min(len(proven_wrong), 5 - len(some)))
    options = [
        Option(prose(one), kind is None, prose(why), kind, substituted(one, values))
        for one, kind, why in [*some, *others]
    ]
    return drawn(
        "The chain rule for a weight",
        [introduction(made), prose("Which of these are ", by(LOSS, w(i)), "? Choose all.")],
        ChooseAll(tuple(random.sample(options, len(options))), made.definitions),
        [
            prose("Follow the way from ", w(i), " to the loss, and write a slope for each step."),
            prose("Each δ is the product of the steps from there to the loss."),
        ],
        [*worked(made, f"gradient w_{i}"), *(prose("Right: ", one, ". ", why) for one, _, why in some)],
        3,
    )


def _values_of_derivatives(made: Derivation) -> dict[Expression, Expression]:
    """Return what the slopes along a chain are, in symbols."""
    layers, last = made.network.layers, len(made.network.layers)
    values: dict[Expression, Expression] = {by(LOSS, f(last)): made.network.loss.slope(Y, f(last))}
    for i, layer in enumerate(layers, start=1):
        values[by(f(i), z(i))] = layer.activation.slope(z(i), f(i))
        values |= {by(z(i), f(i - 1)): w(i), by(z(i), w(i)): f(i - 1), by(LOSS, z(i)): delta(i)}
        if i < last:
            values[by(LOSS, f(i))] = delta(i + 1) * w(i + 1)
    return values


def _apart(
    some: Iterable[Written], values: Mapping[Expression, Expression], made: Derivation, key: Expression, equal: bool
) -> list[Written]:
    """Return those that are written differently and are, or are not, equal to the key, by the exact test."""
    kept: dict[Expression, Written] = {}
    for one in some:
        if compare(substituted(one[0], values), key, made.definitions).equal is equal:
            kept.setdefault(one[0], one)
    return list(kept.values())


@family(
    "absent weights", "choose all", length=Parameter((3, 4, 5, 6), "how many layers"), layer=LAYER, activation=CURVED
)
def absent_weights(random: Random, length: int, layer: str, activation: str) -> Problem:
    """Which weights do not occur in ∂ℒ/∂wᵢ as it is written with z and f, and why."""
    made = derived(length, activation)
    i = which(random, layer, 1, length - 1)
    name = f"gradient w_{i} unrolled"
    present = made.step(name).right.symbols()
    options = []
    for k in range(1, length + 1):
        if w(k) in present:
            why = prose(
                w(k), " leads on from layer ", str(k - 1), ": the way from ", w(i), " to the loss goes through it."
            )
        elif k == i:
            why = prose(z(i), " is ", f(i - 1), " times ", w(i), ", so its slope by ", w(i), " is ", f(i - 1), ".")
        else:
            why = prose(w(k), " comes before ", w(i), ": it acts through ", f(i - 1), " alone, in which it is hidden.")
        options.append(Option(prose(w(k)), w(k) not in present, why, None if w(k) not in present else "weight", w(k)))
    return drawn(
        "Absent weights",
        [
            introduction(made),
            prose(
                "Write ",
                by(LOSS, w(i)),
                " without δ, by weighted inputs, activations, weights and ",
                Y,
                ". Which weights do not occur in it? Choose all.",
            ),
        ],
        ChooseAll(tuple(options)),
        [prose("Follow the way from ", w(i), " to the loss: through which weights does it go?")],
        [
            *worked(made, name),
            prose("Not in it: ", ", ".join(text(w(k)) for k in range(1, length + 1) if w(k) not in present), "."),
        ],
        3,
    )


@family("dependence", "choose all", length=Parameter((3, 4, 5, 6), "how many layers"), activation=ACTIVATION)
def dependence(random: Random, length: int, activation: str) -> Problem:
    """Who depends on whom: what changes when one weight does."""
    made = derived(length, activation)
    i = random.randint(2, length - 1)
    below = dependencies(made)

    def depends(symbol: Symbol) -> bool:
        return symbol == w(i) or any(depends(other) for other in below.get(symbol, ()))

    layers = range(1, length + 1)
    asked = random.sample([symbol for k in layers for symbol in (z(k), f(k), w(k)) if symbol != w(i)], 5)
    if not any(map(depends, asked)):
        asked[0] = z(random.randint(i, length))
    if all(map(depends, asked)):
        asked[0] = f(random.randint(1, i - 1))
    options = []
    for symbol in asked:
        if depends(symbol):
            then = () if symbol == z(i) else (", and ", symbol, " is worked out from ", z(i), ", step by step")
            why = prose(z(i), " has ", w(i), " in it", *then, ".")
        elif symbol.name == "w":
            why = prose(symbol, " is a parameter of its own: a ∂ by ", w(i), " holds it fixed.")
        else:
            why = prose(symbol, " comes before ", w(i), " in the forward pass, and knows nothing of it.")
        options.append(Option(prose(symbol), depends(symbol), why, None if depends(symbol) else "index", symbol))
    return drawn(
        "Who depends on whom",
        [introduction(made), prose("Only ", w(i), " is changed a little. Which of these change with it? Choose all.")],
        ChooseAll(tuple(options)),
        [prose("Go forward from the input. Where does ", w(i), " come in?")],
        [
            *worked(made, f"z_{i}", f"f_{i}"),
            prose(
                w(i),
                " enters at ",
                z(i),
                ", and all that follows depends on it: of these, ",
                ", ".join(text(one) for one in asked if depends(one)),
                ".",
            ),
        ],
        2,
    )
