"""Concepts: how layers and parameters are counted, and what a ∂ holds fixed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from ...formula import Symbol
from ..catalogue import Parameter, family
from ..problems import ChooseAll, Content, NumberAnswer, Option
from ..prose import Equation, prose
from .dependence import LONGER, dependents
from .numbers import WrongNumber, wrong_numbers
from .setting import ACTIVATION, LAYER, LOSS, Y, by, delta, derived, f, introduction, w, which, z

# Keys: the quantity that is counted
_QUESTIONS = {
    "layers": "How many layers does it have, as the field counts them?",
    "hidden layers": "How many hidden layers does it have, as the field counts them?",
    "parameters": "How many parameters does it have?",
}
_RULES = {
    "layers": "The input is not counted: it has no weights and computes nothing.",
    "hidden layers": "Hidden are the layers between input and output, and neither of these.",
    "parameters": "Every weight between neighbouring layers, and a bias for each unit but the inputs.",
}
_SOLUTIONS = {
    "layers": "There are {columns} columns of numbers, but the first is the input. So L = {key}",
    "hidden layers": "Of {layers} layers with weights the last is the output. So there are {key}",
    "parameters": "Weights: {products} = {weights}. Biases: {units} = {biases}. Together {key}",
}


@family(
    "counting",
    "number",
    asked=Parameter(tuple(_QUESTIONS), "what is counted"),
    layers=Parameter((2, 3, 4), "how many there are"),
)
def counting(random: Random, asked: str, layers: int) -> Content:
    """Counting layers, hidden layers and parameters."""
    widths = [random.randint(2, 6) for _ in range(layers + 1)]
    weights, biases = sum(a * b for a, b in pairwise(widths)), sum(widths[1:])
    key = {"layers": layers, "hidden layers": layers - 1, "parameters": weights + biases}[asked]
    rows = [row for row in _miscounts(asked, layers, widths, weights, biases) if row[0] != key]
    distinct = {mistake.answer: mistake for mistake in wrong_numbers(reversed(rows))}
    return Content(
        title="Counting",
        difficulty=1,
        prompt=(
            prose(
                "A dense network has {} inputs, then layers of {} and {} units, with biases. {}",
                widths[0],
                ", ".join(map(str, widths[1:-1])),
                widths[-1],
                _QUESTIONS[asked],
            ),
        ),
        answer=NumberAnswer(None, float(key), 1e-9, 3, tuple(distinct.values())),
        hints=(prose(_RULES[asked]),),
        solution=(
            prose(_RULES[asked]),
            prose(
                _SOLUTIONS[asked],
                key=key,
                layers=layers,
                columns=len(widths),
                products=" + ".join(f"{a}·{b}" for a, b in pairwise(widths)),
                weights=weights,
                units=" + ".join(map(str, widths[1:])),
                biases=biases,
            ),
        ),
    )


def _miscounts(asked: str, layers: int, widths: Sequence[int], weights: int, biases: int) -> list[WrongNumber]:
    tables: dict[str, list[WrongNumber]] = {
        "layers": [
            (layers + 1, "index", _RULES["layers"]),
            (layers - 1, "index", "The output is a layer, too."),
        ],
        "hidden layers": [
            (layers, "index", "The output is not hidden."),
            (layers + 1, "index", _RULES["hidden layers"]),
        ],
        "parameters": [
            (weights, "missing factor", "The biases are left out."),
            (weights + biases + widths[0], "index", "The inputs have no biases."),
            (sum(widths), "sum for product", "This counts units: between two layers there is a weight for every pair."),
        ],
    }
    return tables[asked]


@family("held fixed", "choose all", length=LONGER, layer=LAYER, activation=ACTIVATION)
def held_fixed(random: Random, length: int, layer: str, activation: str) -> Content:
    """What a ∂ by an intermediate value holds fixed, and what moves with it."""
    derivation = derived(length, activation)
    i = which(random, layer, 1, length - 1)
    moving = dependents(z(i), derivation)
    options = tuple(_fixed_option(symbol, i, symbol not in moving) for symbol in _sampled_symbols(random, i, length))
    fixed = ", ".join(str(option.text) for option in options if option.right)
    return Content(
        title="What a ∂ holds fixed",
        difficulty=3,
        prompt=(
            introduction(derivation),
            prose(
                "In {} the weighted input {} is moved a little by itself, however it came about. Which of these stay "
                "as they are? Choose all.",
                Equation(delta(i), by(LOSS, z(i))),
                z(i),
            ),
        ),
        answer=ChooseAll(options),
        hints=(prose("Which of these are worked out from {}?", z(i)),),
        solution=(
            prose(
                "The ∂ holds the target and the parameters fixed. What is worked out from {} moves with it, up to the "
                "loss: through it δ acts.",
                z(i),
            ),
            prose("So these stay: {}", fixed),
        ),
    )


def _sampled_symbols(random: Random, i: int, length: int) -> list[Symbol]:
    """Return five symbols, of which some are computed from zᵢ and others are not."""
    later = range(i + 1, length + 1)
    fixed: list[Symbol] = random.sample([Y, *map(w, later)], random.randint(1, min(3, length - i + 1)))
    computed = [f(i), LOSS, *(symbol for k in later for symbol in (z(k), f(k)))]
    return random.sample([*fixed, *random.sample(computed, 5 - len(fixed))], 5)


def _fixed_option(symbol: Symbol, i: int, is_fixed: bool) -> Option:
    if is_fixed:
        why = prose("{} is given, and not worked out from {}.", symbol, z(i))
    else:
        why = prose("{} is worked out from {}, step by step, and moves with it.", symbol, z(i))
    return Option(prose(symbol), is_fixed, why, None if is_fixed else "held fixed", symbol)
