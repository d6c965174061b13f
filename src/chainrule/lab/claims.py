"""What replies to problems say of errors, gradients and steps, and of which network."""

from __future__ import annotations

from collections.abc import Mapping

from ..derivation.steps import LOSS
from ..formula import Derivative, Expression, Symbol
from ..lessons import Equation, FormulaAnswer, OneChoice, Option, Problem
from ..lessons.grading import canonical, understood
from ..network import Dense, Network
from .descent import Claim


def right(problem: Problem) -> Claim | None:
    """Return what the key of a problem says, if that is a δ, a slope of the loss by a parameter, or a step.

    What holds for samples of one class alone is not a formula to learn by.
    """
    if problem.parameters.get("target") == "a class":
        return None
    match problem.answer:
        case FormulaAnswer(left=left, key=key):
            return Claim(left, key) if _is_slope(left) else None
        case OneChoice(options=options) as answer:
            option = options[answer.key]
            lefts = [symbol for symbol, formula in answer.definitions.items() if formula == option.formula]
            return _claim(option, lefts[0] if lefts else None)
    return None


def claimed(problem: Problem, reply: str | int) -> Claim:
    """Return what a reply says to a problem of which :func:`right` returns something.

    Raises
    ------
    MalformedReply
        When it cannot be read.
    """
    key = right(problem)
    assert key is not None  # noqa: S101 - for the type checker
    if not isinstance(problem.answer, OneChoice):
        return Claim(key.left, understood(problem, reply).expression)  # type: ignore[arg-type] # it refuses a number
    place = canonical(problem, reply)
    assert isinstance(place, int)  # noqa: S101 - likewise
    found = _claim(problem.answer.options[place], key.left)
    assert found is not None  # noqa: S101 - all options are formulae where the right one is
    return found


def negative(claim: Claim) -> Claim:
    """Return a formula with the other sign; of a step, one in the other direction."""
    formula = 2 * claim.left - claim.formula if claim.is_update else -claim.formula
    return Claim(claim.left, formula)


def definitions(problem: Problem) -> Mapping[Symbol, Expression]:
    """Return what holds between the symbols of formulae."""
    match problem.answer:
        case FormulaAnswer(definitions=definitions) | OneChoice(definitions=definitions):
            return definitions
    return {}


def network(problem: Problem) -> Network:
    """Return the network that a problem is about."""
    told, answer = problem.parameters, problem.answer
    if "classes" in told:
        return Network(2, [Dense(told["classes"], "softmax", bias=False)], "cross_entropy")
    activation = told.get("activation", "tanh")
    if "units" in told:
        return Network(1, [Dense(told[name], activation, bias=False) for name in ("hidden", "units")])
    bias = isinstance(answer, FormulaAnswer) and any(one.name == "b" for one in answer.names)
    return Network(1, [Dense(1, activation, bias=bias)] * told["length"], told.get("loss", "squared_error"))


def _claim(option: Option, left: Expression | None) -> Claim | None:
    """Return what an option says of a left side, or of that which stands in it."""
    match option.text.pieces:
        case (Equation(left=updated, right=formula, update=True),):
            return Claim(updated, formula)
    if left is None or option.formula is None or not _is_slope(left):
        return None
    return Claim(left, option.formula)


def _is_slope(left: Expression) -> bool:
    """Tell whether it is an error, or the slope of the loss by a parameter."""
    if isinstance(left, Derivative):
        return left.quantity == LOSS and isinstance(left.by, Symbol) and left.by.name in ("w", "b")
    return isinstance(left, Symbol) and left.name == "δ"
