"""What the formulae mean: depth, saturation, the learning rate, kinks, counting, and what a ∂ holds fixed."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from ...derivation.dependencies import dependencies
from ...formula import Expression, Symbol, expression, text
from ..catalogue import Parameter, family
from ..problems import ChooseAll, Mistake, NumberAnswer, OneChoice, Option, Problem
from ..prose import Equation, Prose, prose
from .numbers import number, number_answer
from .setting import ACTIVATION, LAYER, LOSS, Y, by, delta, derived, drawn, f, introduction, w, which, z

DEEP = Parameter(tuple(range(3, 11)), "how many layers")


def options(random: Random, right: tuple[Prose, Prose], *wrong: tuple[Prose, str, str], most: int = 4) -> OneChoice:
    """Return one right option, words and why, among some wrong ones: words, misconception, and a sentence about it."""
    some = random.sample(wrong, min(most - 1, len(wrong)))
    made = [Option(right[0], True, right[1]), *(Option(words, False, prose(why), kind) for words, kind, why in some)]
    return OneChoice(tuple(random.sample(made, len(made))))


@family(
    "depth",
    "number",
    length=DEEP,
    activation=Parameter(("tanh", "logistic"), "of every layer"),
    ends=Parameter(("vanishing", "exploding"), "what becomes of the error"),
)
def depth(random: Random, length: int, activation: str, ends: str) -> Problem:
    """Vanishing and exploding: how an error shrinks or grows from layer to layer."""
    made = derived(length, activation)
    while True:
        activity = random.choice([0.3, 0.5, 0.6, 0.8]) if activation == "tanh" else random.choice([0.2, 0.4, 0.5, 0.7])
        slope = round(1 - activity**2 if activation == "tanh" else activity * (1 - activity), 4)
        weight = random.choice([0.5, 0.8, 1.0, 1.5, 2.0, 4.0, 6.0, 8.0])
        step = slope * weight
        if (0.1 < step < 0.8) if ends == "vanishing" else (1.25 < step < 4):
            break
    steps = length - 1
    key = step**steps
    wrong = [
        Mistake(step**length, "index", prose(f"One step too many: from layer {length} to layer 1 there are {steps}.")),
        Mistake(weight**steps, "derivative", prose("The slopes of the activations are left out.")),
        Mistake(slope**steps, "missing factor", prose("The weights are left out.")),
        Mistake(
            step * steps, "sum for product", prose("The steps are multiplied, not added: so depth acts as a power.")
        ),
        Mistake((activity * weight) ** steps, "f for z", prose("This has the activation where its slope belongs.")),
        Mistake(step, "missing factor", prose("This is one step back; there are more.")),
    ]
    factor = expression(weight) * number(slope)
    return drawn(
        "Errors through many layers",
        [
            introduction(made),
            prose(
                "In every layer the weight is ",
                expression(weight),
                " and the activation is ",
                expression(activity),
                ". By what is ",
                delta(length),
                " multiplied to give ",
                delta(1),
                "? To three significant digits.",
            ),
        ],
        number_answer(None, key, wrong),
        [
            prose("By what is an error multiplied in one step back?"),
            prose(
                "The slope of ", activation, " is ", made.network.layers[0].activation.slope(z(1), f(1)), " in layer 1."
            ),
        ],
        [
            prose("Each step back multiplies by a weight and by a slope: here by ", factor, " = ", number(step), "."),
            prose(f"From layer {length} to layer 1 there are {steps} steps."),
            prose(
                f"So an error {'shrinks' if step < 1 else 'grows'} with every step back, as a power does: ",
                number(step) ** steps,
                " ≈ ",
                number(key),
            ),
        ],
        3,
    )


@family("saturation", "one choice", activation=Parameter(("tanh", "logistic"), "whose slope it is"))
def saturation(random: Random, activation: str) -> Problem:
    """Where a unit learns slowest: the slope of an activation far from 0."""
    made = derived(1, activation)
    low, high = random.choice([-6, -5, -4]), random.choice([2, 3])
    if random.random() < 0.5:
        low, high = -high, -low
    near = random.choice([0.5, 1, 1.5]) * random.choice([1, -1])
    slope = made.network.layers[0].activation.slope
    farthest = max((low, high), key=abs)
    other = low if farthest == high else high

    def said(value: float) -> Prose:
        return prose(Equation(z(1), expression(value)))

    why = "The farther a weighted input is from 0, on either side, the flatter is the activation."
    wrong = [
        (said(0), "saturation", "At 0 the slope is greatest: there a unit learns fastest, whatever its activation is."),
        (said(near), "saturation", "Near 0 the activation is almost a straight line, and steep."),
        (
            said(other),
            "saturation",
            "This is saturated too, but it is not the farthest from 0; the sign does not matter.",
        ),
    ]
    return drawn(
        "Saturation",
        [
            prose(
                "A unit has the activation ",
                Equation(f(1), made.definitions[f(1)]),
                ", and δ comes back to it from the next layer, the same each time.",
            ),
            prose("At which weighted input does its weight learn slowest, for the same input?"),
        ],
        options(random, (said(farthest), prose(why)), *wrong),
        [prose("The gradient has the slope of the activation as a factor: ", slope(z(1), f(1)), ".")],
        [
            prose(
                "The gradient has the slope ",
                slope(z(1), f(1)),
                " as a factor, which is nearly 0 where the activation is nearly constant.",
            ),
            prose(why, " So it is ", Equation(z(1), expression(farthest))),
        ],
        2,
    )


_FATES = {
    "one step": "It is at the minimum after one step.",
    "steady": "It comes nearer with every step, always from the same side.",
    "crossing": "It crosses the minimum with every step, but comes nearer.",
    "circling": "It jumps back and forth between two points, equally far from the minimum.",
    "leaving": "It goes farther away with every step.",
}
_FACTORS = {
    "one step": (0.0,),
    "steady": (0.2, 0.5, 0.8),
    "crossing": (-0.2, -0.5, -0.8),
    "circling": (-1.0,),
    "leaving": (-1.5, -2.0, -3.0),
}


@family("learning rate", "one choice", fate=Parameter(tuple(_FATES), "what becomes of the weight"))
def learning_rate(random: Random, fate: str) -> Problem:
    """What a learning rate does: too small, right, too large."""
    made = derived(1, "identity")
    x = random.choice([0.5, 1.0, 2.0])
    factor = random.choice(_FACTORS[fate])
    rate = (1 - factor) / (2 * x * x)
    reasons = {
        "one step": "Only if the step were exactly as long as the way.",
        "steady": "A step that does not overshoot would have to be shorter than the way to the minimum.",
        "crossing": "It would have to overshoot, but by less than it was away.",
        "circling": "It would have to overshoot by exactly as much as it was away.",
        "leaving": "It would have to overshoot by more than it was away.",
    }
    wrong = [(prose(words), "learning rate", reasons[name]) for name, words in _FATES.items() if name != fate]
    distance = w(1) - Symbol("a")
    return drawn(
        "The learning rate",
        [
            introduction(made),
            prose(
                "For ",
                Equation(Symbol("x"), expression(x)),
                ", plain gradient descent with ",
                Equation(Symbol("η"), expression(rate)),
                " is repeated with this one sample. What becomes of ",
                w(1),
                "?",
            ),
        ],
        options(
            random,
            (prose(_FATES[fate]), prose(f"The distance to the minimum is multiplied by {number(factor)!r} each time.")),
            *wrong,
            most=5,
        ),
        [prose("By what is the distance of ", w(1), " from the minimum multiplied in one step?")],
        [
            prose(
                "The gradient is ",
                Equation(by(LOSS, w(1)), made.gradient("w_1")),
                ", twice ",
                Symbol("x") ** 2,
                " times the distance ",
                distance,
                " from the minimum ",
                Equation(Symbol("a"), Y / Symbol("x")),
                ".",
            ),
            prose(
                "So one step multiplies the distance by ",
                1 - 2 * Symbol("η") * Symbol("x") ** 2,
                " = ",
                expression(round(factor, 4)),
                ".",
            ),
            prose(_FATES[fate]),
        ],
        3,
    )


@family("kink", "one choice", negative_slope=Parameter((0.0, 0.01, 0.1, 0.2), "of relu on the left; 0 for plain relu"))
def kink(random: Random, negative_slope: float) -> Problem:
    """Relu at its kink: which slope there is at 0."""
    name = "relu" if negative_slope == 0 else "leaky relu"
    low = expression(negative_slope)
    right = prose("It has none there; programs take a number from ", low, " to 1, and learning goes on.")
    wrong = [
        (
            prose("It is the mean of both sides, ", expression((1 + negative_slope) / 2), ", by definition."),
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
    shape = prose("max(z, 0)") if negative_slope == 0 else prose("z for z > 0, and ", low, " z for z < 0")
    return drawn(
        "A kink",
        [prose(f"The activation is {name}: ") + shape + prose(". What is its slope at z = 0?")],
        options(
            random,
            (
                right,
                prose("The slopes from the left and from the right differ, and each between them is a subgradient."),
            ),
            *wrong,
        ),
        [prose("What is the slope just left of 0, and just right of it?")],
        [
            prose("From the left the slope is ", low, ", from the right 1: a derivative would need both to agree."),
            prose("Any number between them is a subgradient, and with it a step of gradient descent is defined. ")
            + right,
        ],
        2,
    )


@family(
    "counting",
    "number",
    asked=Parameter(("layers", "hidden layers", "parameters"), "what is counted"),
    layers=Parameter((2, 3, 4), "how many there are"),
)
def counting(random: Random, asked: str, layers: int) -> Problem:
    """Counting layers, hidden layers and parameters."""
    widths = [random.randint(2, 6) for _ in range(layers + 1)]
    weights = sum(a * b for a, b in pairwise(widths))
    biases = sum(widths[1:])
    keys = {"layers": layers, "hidden layers": layers - 1, "parameters": weights + biases}
    sentences = {
        "layers": "The input is not counted: it has no weights and computes nothing.",
        "hidden layers": "Hidden are the layers between input and output, and neither of these.",
        "parameters": "Every weight between neighbouring layers, and a bias for each unit but the inputs.",
    }
    of_weights = " + ".join(f"{a}·{b}" for a, b in pairwise(widths))
    wrong = {
        "layers": [(layers + 1, "index", sentences["layers"]), (layers - 1, "index", "The output is a layer, too.")],
        "hidden layers": [
            (layers, "index", "The output is not hidden."),
            (layers + 1, "index", sentences["hidden layers"]),
        ],
        "parameters": [
            (weights, "missing factor", "The biases are left out."),
            (weights + biases + widths[0], "index", "The inputs have no biases."),
            (sum(widths), "sum for product", "This counts units: between two layers there is a weight for every pair."),
        ],
    }
    solutions = {
        "layers": f"There are {len(widths)} columns of numbers, but the first is the input. So L = {layers}",
        "hidden layers": f"Of {layers} layers with weights the last is the output. So there are {layers - 1}",
        "parameters": f"Weights: {of_weights} = {weights}. Biases: {' + '.join(map(str, widths[1:]))} = "
        f"{biases}. Together {keys['parameters']}",
    }
    found = [Mistake(float(value), kind, prose(why)) for value, kind, why in wrong[asked] if value != keys[asked]]
    distinct = {mistake.answer: mistake for mistake in reversed(found)}
    question = (
        "How many parameters does it have?"
        if asked == "parameters"
        else f"How many {asked} does it have, as the field counts them?"
    )
    return drawn(
        "Counting",
        [
            prose(
                f"A dense network has {widths[0]} inputs, then layers of {', '.join(map(str, widths[1:-1]))} and "
                f"{widths[-1]} units, with biases. {question}"
            )
        ],
        NumberAnswer(None, float(keys[asked]), 1e-9, 3, tuple(distinct.values())),
        [prose(sentences[asked])],
        [prose(sentences[asked]), prose(solutions[asked])],
        1,
    )


@family(
    "held fixed",
    "choose all",
    length=Parameter((3, 4, 5, 6), "how many layers"),
    layer=LAYER,
    activation=ACTIVATION,
)
def held_fixed(random: Random, length: int, layer: str, activation: str) -> Problem:
    """What a ∂ by an intermediate value holds fixed, and what moves with it."""
    made = derived(length, activation)
    i = which(random, layer, 1, length - 1)
    below = dependencies(made)

    def moves(symbol: Symbol) -> bool:
        return symbol == z(i) or any(moves(other) for other in below.get(symbol, ()))

    later = range(i + 1, length + 1)
    fixed: list[Symbol] = random.sample([Y, *map(w, later)], random.randint(1, min(3, length - i + 1)))
    moving: list[Symbol] = random.sample([f(i), LOSS, *(one for k in later for one in (z(k), f(k)))], 5 - len(fixed))
    said = []
    for symbol in random.sample([*fixed, *moving], 5):
        if moves(symbol):
            why = prose(symbol, " is worked out from ", z(i), ", step by step, and moves with it.")
        else:
            why = prose(symbol, " is given, and not worked out from ", z(i), ".")
        said.append(Option(prose(symbol), not moves(symbol), why, "held fixed" if moves(symbol) else None, symbol))
    key = ", ".join(text(option.formula) for option in said if option.right and isinstance(option.formula, Expression))
    return drawn(
        "What a ∂ holds fixed",
        [
            introduction(made),
            prose(
                "In ",
                Equation(delta(i), by(LOSS, z(i))),
                " the weighted input ",
                z(i),
                " is moved a little by itself, however it came about. Which of these stay as they are? Choose all.",
            ),
        ],
        ChooseAll(tuple(said)),
        [prose("Which of these are worked out from ", z(i), "?")],
        [
            prose(
                "The ∂ holds the target and the parameters fixed. What is worked out from ",
                z(i),
                " moves with it, up to the loss: through it δ acts.",
            ),
            prose("So these stay: ", key),
        ],
        3,
    )
