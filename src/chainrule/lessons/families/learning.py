"""How networks learn: vanishing and exploding errors, saturation, the learning rate, and kinks."""

from __future__ import annotations

from random import Random

from ...derivation import Derivation
from ...formula import Expression, Symbol, expression
from ..catalogue import Parameter, family
from ..problems import Content, Option
from ..prose import Equation, Prose, prose
from .numbers import WrongNumber, number, number_answer, wrong_numbers
from .setting import ETA, LOSS, WrongWords, X, Y, by, choice, delta, derived, f, introduction, w, z

DEEP = Parameter(tuple(range(3, 11)), "how many layers")


@family(
    "depth",
    "number",
    length=DEEP,
    activation=Parameter(("tanh", "logistic"), "of every layer"),
    ends=Parameter(("vanishing", "exploding"), "what becomes of the error"),
)
def depth(random: Random, length: int, activation: str, ends: str) -> Content:
    """Vanishing and exploding: how an error shrinks or grows from layer to layer."""
    derivation = derived(length, activation)
    value, slope, weight = _sampled_layer(random, activation, ends)
    factor, steps = slope * weight, length - 1
    key = factor**steps
    conclusion = (
        "So an error shrinks with every step back, as a power does: {} ≈ {}"
        if factor < 1
        else "So an error grows with every step back, as a power does: {} ≈ {}"
    )
    return Content(
        title="Errors through many layers",
        difficulty=3,
        prompt=(
            introduction(derivation),
            prose(
                "In every layer the weight is {} and the activation is {}. By what is {} multiplied to give {}? "
                "To three significant digits.",
                expression(weight),
                expression(value),
                delta(length),
                delta(1),
            ),
        ),
        answer=number_answer(None, key, wrong_numbers(_wrong_powers(length, value, slope, weight))),
        hints=(
            prose("By what is an error multiplied in one step back?"),
            prose("The slope of {} is {} in layer 1.", activation, _slope(derivation)),
        ),
        solution=(
            prose(
                "Each step back multiplies by a weight and by a slope: here by {} = {}.",
                expression(weight) * number(slope),
                number(factor),
            ),
            prose("From layer {} to layer 1 there are {} steps.", length, steps),
            prose(conclusion, number(factor) ** steps, number(key)),
        ),
    )


def _slope(derivation: Derivation) -> Expression:
    """Return the slope of the activation of layer 1."""
    slope: Expression = derivation.network.layers[0].activation.slope(z(1), f(1))
    return slope


def _sampled_layer(random: Random, activation: str, ends: str) -> tuple[float, float, float]:
    """Return the activation, its slope and the weight of a layer that shrinks errors, or lets them grow."""
    while True:
        if activation == "tanh":
            value = random.choice([0.3, 0.5, 0.6, 0.8])
            slope = round(1 - value**2, 4)
        else:
            value = random.choice([0.2, 0.4, 0.5, 0.7])
            slope = round(value * (1 - value), 4)
        weight = random.choice([0.5, 0.8, 1.0, 1.5, 2.0, 4.0, 6.0, 8.0])
        factor = slope * weight
        if (0.1 < factor < 0.8) if ends == "vanishing" else (1.25 < factor < 4):
            return value, slope, weight


def _wrong_powers(length: int, value: float, slope: float, weight: float) -> list[WrongNumber]:
    factor, steps = slope * weight, length - 1
    return [
        (factor**length, "index", f"One step too many: from layer {length} to layer 1 there are {steps}."),
        (weight**steps, "derivative", "The slopes of the activations are left out."),
        (slope**steps, "missing factor", "The weights are left out."),
        (factor * steps, "sum for product", "The steps are multiplied, not added: so depth acts as a power."),
        ((value * weight) ** steps, "f for z", "This has the activation where its slope belongs."),
        (factor, "missing factor", "This is one step back; there are more."),
    ]


@family("saturation", "one choice", activation=Parameter(("tanh", "logistic"), "whose slope it is"))
def saturation(random: Random, activation: str) -> Content:
    """Where a unit learns slowest: the slope of an activation far from 0."""
    derivation = derived(1, activation)
    low, high = random.choice([-6, -5, -4]), random.choice([2, 3])
    if random.random() < 0.5:
        low, high = -high, -low
    near = random.choice([0.5, 1, 1.5]) * random.choice([1, -1])
    other, farthest = sorted((low, high), key=abs)
    slope = _slope(derivation)
    why = prose("The farther a weighted input is from 0, on either side, the flatter is the activation.")
    return Content(
        title="Saturation",
        difficulty=2,
        prompt=(
            prose(
                "A unit has the activation {}, and δ comes back to it from the next layer, the same each time.",
                Equation(f(1), derivation.definitions[f(1)]),
            ),
            prose("At which weighted input does its weight learn slowest, for the same input?"),
        ),
        answer=choice(random, Option(_input_is(farthest), True, why), _faster_inputs(near, other)),
        hints=(prose("The gradient has the slope of the activation as a factor: {}.", slope),),
        solution=(
            prose(
                "The gradient has the slope {} as a factor, which is nearly 0 where the activation is nearly constant.",
                slope,
            ),
            prose("{} So it is {}", why, Equation(z(1), expression(farthest))),
        ),
    )


def _faster_inputs(near: float, other: float) -> list[WrongWords]:
    """Return weighted inputs at which a unit learns faster than far from 0: 0, one near 0, and another one."""
    return [
        (
            _input_is(0),
            "saturation",
            "At 0 the slope is greatest: there a unit learns fastest, whatever its activation is.",
        ),
        (_input_is(near), "saturation", "Near 0 the activation is almost a straight line, and steep."),
        (
            _input_is(other),
            "saturation",
            "This is saturated too, but it is not the farthest from 0; the sign does not matter.",
        ),
    ]


def _input_is(value: float) -> Prose:
    return prose(Equation(z(1), expression(value)))


# Keys: what happens to the weight. Values: the option, and why it is wrong where something else happens
_FATES = {
    "one step": (
        "It is at the minimum after one step.",
        "Only if the step were exactly as long as the way.",
    ),
    "steady": (
        "It comes nearer with every step, always from the same side.",
        "A step that does not overshoot would have to be shorter than the way to the minimum.",
    ),
    "crossing": (
        "It crosses the minimum with every step, but comes nearer.",
        "It would have to overshoot, but by less than it was away.",
    ),
    "circling": (
        "It jumps back and forth between two points, equally far from the minimum.",
        "It would have to overshoot by exactly as much as it was away.",
    ),
    "leaving": (
        "It goes farther away with every step.",
        "It would have to overshoot by more than it was away.",
    ),
}
# Factors of the distance to the minimum in one step
_FACTORS = {
    "one step": (0.0,),
    "steady": (0.2, 0.5, 0.8),
    "crossing": (-0.2, -0.5, -0.8),
    "circling": (-1.0,),
    "leaving": (-1.5, -2.0, -3.0),
}


@family("learning rate", "one choice", fate=Parameter(tuple(_FATES), "what becomes of the weight"))
def learning_rate(random: Random, fate: str) -> Content:
    """What a learning rate does: too small, right, too large."""
    derivation = derived(1, "identity")
    x = random.choice([0.5, 1.0, 2.0])
    factor = random.choice(_FACTORS[fate])
    rate = (1 - factor) / (2 * x * x)
    words = prose(_FATES[fate][0])
    why = prose(f"The distance to the minimum is multiplied by {number(factor)!r} each time.")
    wrong = [(prose(outcome), "learning rate", reason) for name, (outcome, reason) in _FATES.items() if name != fate]
    minimum = Symbol("a")
    return Content(
        title="The learning rate",
        difficulty=3,
        prompt=(
            introduction(derivation),
            prose(
                "For {}, plain gradient descent with {} is repeated with this one sample. What becomes of {}?",
                Equation(X, expression(x)),
                Equation(ETA, expression(rate)),
                w(1),
            ),
        ),
        answer=choice(random, Option(words, True, why), wrong, count=5),
        hints=(prose("By what is the distance of {} from the minimum multiplied in one step?", w(1)),),
        solution=(
            prose(
                "The gradient is {}, twice {} times the distance {} from the minimum {}.",
                Equation(by(LOSS, w(1)), derivation.gradient("w_1")),
                X**2,
                w(1) - minimum,
                Equation(minimum, Y / X),
            ),
            prose("So one step multiplies the distance by {} = {}.", 1 - 2 * ETA * X**2, expression(round(factor, 4))),
            words,
        ),
    )


@family("kink", "one choice", negative_slope=Parameter((0.0, 0.01, 0.1, 0.2), "of relu on the left; 0 for plain relu"))
def kink(random: Random, negative_slope: float) -> Content:
    """Relu at its kink: which slope there is at 0."""
    low = expression(negative_slope)
    if negative_slope == 0:
        question = prose("The activation is relu: max(z, 0). What is its slope at z = 0?")
    else:
        sentence = "The activation is leaky relu: z for z > 0, and {} z for z < 0. What is its slope at z = 0?"
        question = prose(sentence, low)
    right = Option(
        prose("It has none there; programs take a number from {} to 1, and learning goes on.", low),
        True,
        prose("The slopes from the left and from the right differ, and each between them is a subgradient."),
    )
    return Content(
        title="A kink",
        difficulty=2,
        prompt=(question,),
        answer=choice(random, right, _wrong_slopes(expression((1 + negative_slope) / 2))),
        hints=(prose("What is the slope just left of 0, and just right of it?"),),
        solution=(
            prose("From the left the slope is {}, from the right 1: a derivative would need both to agree.", low),
            prose(
                "Any number between them is a subgradient, and with it a step of gradient descent is defined. {}",
                right.text,
            ),
        ),
    )


def _wrong_slopes(mean: Expression) -> list[WrongWords]:
    return [
        (
            prose("It is the mean of both sides, {}, by definition.", mean),
            "kink",
            "A derivative is a limit from both sides, and here they differ; taking the mean is a choice like others.",
        ),
        (
            prose("It is infinite, as the graph has a corner."),
            "kink",
            "The graph is steep nowhere: a corner is no jump.",
        ),
        (
            prose("It has none, so the network cannot be trained."),
            "kink",
            "Exactly 0 hardly ever comes up, and any slope between the two sides will do there.",
        ),
        (
            prose("It is 1, since the function is continuous."),
            "kink",
            "Continuous does not mean smooth: from the left the slope is another.",
        ),
    ]
