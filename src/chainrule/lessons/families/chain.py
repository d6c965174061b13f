"""The lecture's chain: forward, the update, errors, the recursion, and the gradient as one product."""

from __future__ import annotations

from random import Random

from ...derivation import Derivation
from ...derivation.steps import Sign
from ...formula import Derivative, Expression, Symbol, substituted, text
from ..catalogue import family
from ..problems import Content, Option
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
    WrongFormula,
    Y,
    b,
    by,
    delta,
    derived,
    f,
    formula_answer,
    introduction,
    shuffled,
    w,
    which,
    worked,
    z,
)


@family("update rule", "one choice", length=LENGTH, activation=ACTIVATION)
def update_rule(random: Random, length: int, activation: str) -> Content:
    """A step of stochastic gradient descent: what it does to a weight, and its sign."""
    i = random.randint(1, length)
    weight, gradient, other = w(i), by(LOSS, w(i)), by(LOSS, w(i % length + 1))
    step = weight - ETA * gradient
    comparable = {gradient: Symbol("g"), other: Symbol("h")}  # the exact test takes symbols, not derivatives

    def option(formula: Expression, kind: str | None, why: str) -> Option:
        update = prose(Equation(weight, formula, update=True))
        return Option(update, kind is None, prose(why), kind, substituted(formula, comparable))

    uphill, *others = _wrong_updates(weight, gradient, other)
    wrong = random.sample([uphill, *others], 3) if random.random() < 0.5 else [uphill, *random.sample(others, 2)]
    why = "Against the gradient, as it points to where the loss grows, and by its length times the learning rate."
    return Content(
        title="A step of gradient descent",
        difficulty=1,
        prompt=(
            introduction(derived(length, activation)),
            prose("What does one step of stochastic gradient descent with the learning rate {} do to {}?", ETA, weight),
        ),
        answer=shuffled(random, [option(step, None, why), *(option(*row) for row in wrong)]),
        hints=(prose("The gradient points to where the loss grows. Which way should a step go?"),),
        solution=(
            prose(
                "A step goes against the gradient, by its length times the learning rate: {}",
                Equation(weight, step, update=True),
            ),
        ),
    )


def _wrong_updates(weight: Symbol, gradient: Derivative, other: Derivative) -> list[WrongFormula]:
    """Return the wrong updates of a weight, some with the gradient of another one."""
    return [
        (weight + ETA * gradient, "uphill", "This goes uphill: the gradient points to where the loss grows."),
        (-ETA * gradient, "missing factor", "This is by how much the weight changes, not what it becomes."),
        (weight - gradient, "missing factor", "The learning rate is missing: it says how far the step goes."),
        (ETA * weight - gradient, "constant", "The learning rate belongs to the gradient, not to the weight."),
        (weight - ETA * other, "index", "This is the slope by another weight: each has its own."),
        (weight - ETA * LOSS, "derivative", "The loss itself says how bad it is, not which way is down."),
        (
            weight - ETA * gradient * weight,
            "extra factor",
            "There is a factor too many: the step does not grow with the weight.",
        ),
    ]


@family("weighted input", "formula", length=LENGTH, layer=LAYER, activation=ACTIVATION, bias=BIAS)
def weighted_input(random: Random, length: int, layer: str, activation: str, bias: bool) -> Content:
    """What a weighted input is made of."""
    i = which(random, layer, 1, length)
    derivation = derived(length, activation, bias=bias)
    question = (
        "Write {} by {} and the parameters of layer {}." if bias else "Write {} by {} and the parameter of layer {}."
    )
    allowed = [f(i - 1), w(i), b(i)] if bias else [f(i - 1), w(i)]
    return Content(
        title="The weighted input of a layer",
        difficulty=1,
        prompt=(introduction(derivation), prose(question, z(i), f(i - 1), i)),
        answer=formula_answer(derivation, z(i), derivation.definitions[z(i)], allowed),
        hints=(prose("A weight carries the index of the layer that it leads into."),),
        solution=worked(derivation, f"z_{i}"),
    )


@family("output error", "formula", length=LENGTH, activation=ACTIVATION, loss=LOSSES, sign=SIGN)
def output_error(_: Random, length: int, activation: str, loss: str, sign: Sign) -> Content:
    """The error of the output: slope of the loss times slope of the activation."""
    derivation = derived(length, activation, loss, sign)
    error, weighted, output = delta(length), z(length), f(length)
    return Content(
        title="The error of the output",
        difficulty=2,
        prompt=(
            introduction(derivation),
            prose("Write {} by {}, {} and {}.", Equation(error, by(LOSS, weighted)), weighted, output, Y),
        ),
        answer=formula_answer(derivation, error, derivation.definitions[error], [weighted, output, Y]),
        hints=(
            prose("{} acts on the loss only through {}: two slopes are multiplied.", weighted, output),
            prose("The slopes are {} and {}.", by(LOSS, output), by(output, weighted)),
        ),
        solution=worked(derivation, f"delta_{length}"),
    )


def _recursion(random: Random, length: int, layer: str, activation: str) -> tuple[Derivation, int, Expression]:
    """Return a chain's derivation, the number of a layer, and its error in terms of the next one."""
    derivation = derived(length, activation)
    i = which(random, layer, 1, length - 1)
    return derivation, i, derivation.definitions[delta(i)]


_RECURSION_HINTS = (
    prose("Which quantity does this weighted input act on next, and through what?"),
    prose("Go one step back: times the weight that leads on, times the slope of the activation here."),
)


@family("recursion", "formula", length=LENGTH, layer=LAYER, activation=ACTIVATION)
def recursion(random: Random, length: int, layer: str, activation: str) -> Content:
    """δᵢ from δᵢ₊₁: one step back."""
    derivation, i, key = _recursion(random, length, layer, activation)
    allowed = [delta(i + 1), w(i + 1), f(i), z(i)]
    return Content(
        title="One step back",
        difficulty=2,
        prompt=(introduction(derivation), prose("Write {} by {}, {}, {} and {}.", delta(i), *allowed)),
        answer=formula_answer(derivation, delta(i), key, allowed),
        hints=_RECURSION_HINTS,
        solution=worked(derivation, f"delta_{i}"),
    )


@family("recursion choice", "one choice", length=LENGTH, layer=LAYER, activation=CURVED)
def recursion_choice(random: Random, length: int, layer: str, activation: str) -> Content:
    """δᵢ from δᵢ₊₁, among what it is mistaken for."""
    derivation, i, key = _recursion(random, length, layer, activation)
    why = prose(derivation.step(f"delta_{i}").words)
    return Content(
        title="One step back",
        difficulty=2,
        prompt=(introduction(derivation), prose("Which of these is {}?", delta(i))),
        answer=one_of(key, derivation.definitions, why, random),
        hints=_RECURSION_HINTS,
        solution=worked(derivation, f"delta_{i}"),
    )


@family("unrolled error", "formula", length=LENGTH, layer=LAYER, activation=CURVED, loss=LOSSES, sign=SIGN)
def unrolled_error(random: Random, length: int, layer: str, activation: str, loss: str, sign: Sign) -> Content:
    """δᵢ with every later δ written out."""
    i = which(random, layer, max(1, length - 2), length - 1)
    derivation = derived(length, activation, loss, sign)
    name = f"delta_{i} unrolled"
    layers = range(i, length + 1)
    allowed = [Y, *map(f, layers), *map(z, layers), *map(w, layers[1:])]
    return Content(
        title="An error written out",
        difficulty=3,
        prompt=(introduction(derivation), prose("Write {} without any other δ.", delta(i))),
        answer=formula_answer(derivation, delta(i), derivation.step(name).right, allowed),
        hints=(
            prose("Begin at the output: {} first, then one step back at a time.", delta(length)),
            prose("Each step back multiplies by a weight and by a slope."),
        ),
        solution=worked(derivation, *(f"delta_{k}" for k in reversed(layers)), name),
    )


@family("full gradient", "formula", length=LENGTH, activation=CURVED, loss=LOSSES, sign=SIGN)
def full_gradient(_: Random, length: int, activation: str, loss: str, sign: Sign) -> Content:
    """∂ℒ/∂w₁ as one product, from the input to the loss."""
    derivation = derived(length, activation, loss, sign)
    name, gradient = "gradient w_1 unrolled", by(LOSS, w(1))
    layers = range(1, length + 1)
    allowed = [f(0), Y, *map(f, layers), *map(z, layers), *map(w, layers)]
    return Content(
        title="The gradient of the first weight",
        difficulty=4,
        prompt=(introduction(derivation), prose("Write {} without any δ.", gradient)),
        answer=formula_answer(derivation, gradient, derivation.step(name).right, allowed),
        hints=(
            prose("{} acts on the loss only through {}, and {} is {}.", w(1), z(1), by(z(1), w(1)), f(0)),
            prose("What is left is {}, written out.", delta(1)),
        ),
        solution=worked(derivation, *(f"delta_{k}" for k in reversed(layers)), "gradient w_1", name),
    )


@family("bias gradient", "formula", length=LENGTH, layer=LAYER, activation=ACTIVATION)
def bias_gradient(random: Random, length: int, layer: str, activation: str) -> Content:
    """What the loss's slope by a bias is."""
    i = which(random, layer, 1, length)
    derivation = derived(length, activation, bias=True)
    gradient, key = by(LOSS, b(i)), derivation.definitions[delta(i)]
    return Content(
        title="The gradient of a bias",
        difficulty=2,
        prompt=(
            introduction(derivation),
            prose("Write {} without {}; the δ of the next layer may stand in it.", gradient, delta(i)),
        ),
        answer=formula_answer(derivation, gradient, key, sorted(key.symbols(), key=text)),
        hints=(prose("By how much does {} change when {} does?", z(i), b(i)),),
        solution=(
            *worked(derivation, f"gradient b_{i}", f"delta_{i}"),
            prose("So {}", Equation(gradient, key)),
        ),
    )
