"""Gradient descent on the formulae of a derivation, several runs side by side, in some of which one formula is another.

A derivation is run as it stands: z, f, the loss, δ and the gradient are its formulae, evaluated on arrays that have an
entry for each run and each row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..derivation import Derivation
from ..derivation.steps import ETA, LOSS
from ..derivation.symbols import key
from ..formula import Derivative, Expression, Symbol, evaluate, substituted, text

BOUND = 1e6
"""No parameter comes back from beyond it."""

_FAR = 1e3  # from parameters beyond it, a formula may overflow to something that is no number

Floats = NDArray[np.float64]
Values = dict[Symbol, Floats]


@dataclass(frozen=True)
class Claim:
    """A formula for what has another one.

    Attributes
    ----------
    left : Expression
        δ of a unit; ∂ℒ/∂ of a parameter; or a parameter, of which the formula says what one step makes of it.
    formula : Expression
        In the symbols of a derivation; for a parameter in parameters, slopes of the loss by them, η and ℒ.
    """

    left: Expression
    formula: Expression

    @property
    def is_update(self) -> bool:
        """Whether it is about what a step makes of a parameter."""
        return isinstance(self.left, Symbol) and self.left.name != "δ"


@dataclass(frozen=True)
class Runs:
    """What became of runs.

    Attributes
    ----------
    losses : array, shape (steps + 1, runs)
        The mean over the rows, before the first step and after each.
    parameters : array, shape (steps + 1, runs, parameters)
    claimed, right : arrays, shape (runs, rows)
        What a claim's left side is by its formula and by the right one, before the first step. Of a parameter it is
        what one step makes of it, the same for all rows.
    """

    losses: Floats
    parameters: Floats
    claimed: Floats
    right: Floats

    def end(self, run: int) -> int:
        """Return the number of the step in which a run came to numbers beyond all bounds; all steps + 1 if in none."""
        with np.errstate(invalid="ignore"):
            within = (np.abs(self.parameters[:, run]) <= BOUND).all(axis=-1) & np.isfinite(self.losses[:, run])
        return len(within) if within.all() else int(np.argmin(within))

    def ended(self, run: int) -> str | None:
        """Return why a run ended before its last step, in words; None where it did not."""
        end = self.end(run)
        if end == len(self.losses):
            return None
        before, there = self.parameters[max(end - 1, 0), run], self.parameters[end, run]
        if np.isnan(there).any() and np.abs(before).max() < _FAR:
            return f"the formula has no value in step {end}"
        return f"the numbers grew beyond all bounds in step {end}"


def parameters(made: Derivation) -> tuple[Symbol, ...]:
    """Return the parameters of a derivation in the order of the network's vector."""
    updated = (step.left for step in made.steps if step.name.startswith("update "))
    return tuple(one for one in updated if isinstance(one, Symbol))


def affected(made: Derivation, claim: Claim) -> tuple[Symbol, ...]:
    """Return which parameters a claim moves otherwise than they should be."""
    if isinstance(claim.left, Derivative):
        return (claim.left.by,) if isinstance(claim.left.by, Symbol) else ()
    if claim.left not in made.definitions:
        return tuple(one for one in parameters(made) if one == claim.left)
    changed = {claim.left, *_after(made, claim.left)}
    return tuple(one for one, formula in _gradients(made).items() if changed & formula.symbols())


def outputs(made: Derivation, values: Mapping[Symbol, Floats]) -> list[Floats]:
    """Return what the units of the last layer make of inputs and parameters."""
    known = dict(values)
    last = [one for one in made.definitions if one.name == "f" and one.indices[:1] == (len(made.network.layers),)]
    for symbol, formula in made.definitions.items():
        if symbol.name in "zf":
            known[symbol] = evaluate(formula, known)
    return [known[one] for one in last]


def descend(
    made: Derivation, claim: Claim, rows: Mapping[Symbol, Floats], start: Floats, rates: Floats, steps: int
) -> Runs:
    """Take steps of plain gradient descent, in the first half of the runs by the derivation, in the other by the claim.

    What the claim says of a δ goes on to the layers before, by their recursion. Its formula sees the right δ of every
    layer, as they are where its run has come to.

    Parameters
    ----------
    made : Derivation
        Unit by unit.
    claim : Claim
    rows : mapping from Symbol to array, shape (rows,) or (runs, rows)
        What inputs and targets are.
    start : array, shape (runs, parameters)
    rates : array, shape (runs, parameters)
        The learning rate of each run, and 0 for parameters that do not learn.
    steps : int
    """
    stepper = _Stepper(made, claim, rows, rates)
    losses, trail = np.empty((steps + 1, len(start))), np.empty((steps + 1, *start.shape))
    trail[0] = start
    with np.errstate(all="ignore"):
        for number in range(steps + 1):
            after = stepper.step(trail[number])
            losses[number] = stepper.losses
            if number == 0:
                claimed, right = stepper.claimed, stepper.right
            if number < steps:
                trail[number + 1] = after
    return Runs(losses, trail, claimed, right)


class _Stepper:
    """One step after the other; keeps what was found on the way."""

    losses: Floats
    claimed: Floats
    right: Floats

    def __init__(self, made: Derivation, claim: Claim, rows: Mapping[Symbol, Floats], rates: Floats) -> None:
        self.definitions, self.loss, self.gradients = made.definitions, made.step("loss").right, _gradients(made)
        self.after = _after(made, claim.left)
        self.left, self.rows, self.rates = claim.left, rows, rates
        self.half = len(rates) // 2
        self.shape = (len(rates), max(array.shape[-1] for array in rows.values()))
        self.shares = np.full(self.shape[1], 1 / self.shape[1])
        self.slopes: dict[Expression, Symbol] = {
            Derivative(LOSS, one): Symbol(f"∂ℒ/∂{text(one)}") for one in self.gradients
        }
        self.formula = substituted(claim.formula, dict(self.slopes))

    def step(self, theta: Floats) -> Floats:
        """Return parameters, (runs, parameters), after one step."""
        values: Values = {**self.rows, **{one: theta[:, [k]] for k, one in enumerate(self.gradients)}}
        for symbol, formula in self.definitions.items():
            values[symbol] = evaluate(formula, values)
        self.losses = evaluate(self.loss, values) @ self.shares
        if self.left in self.definitions:
            self.claim(values, values[self.left])
            values[self.left] = self.both()
            for symbol in self.after:
                values[symbol] = evaluate(self.definitions[symbol], values)
        gradient = np.empty_like(theta)
        for k, (one, formula) in enumerate(self.gradients.items()):
            of_rows = evaluate(formula, values)
            if self.left == Derivative(LOSS, one):
                self.claim(values, of_rows)
                of_rows = self.both()
            gradient[:, k] = of_rows @ self.shares
        after = theta - self.rates * gradient
        for k, one in enumerate(self.gradients):
            if self.left == one:
                means = {symbol: gradient[:, [j]] for j, symbol in enumerate(self.slopes.values())}
                self.claim({**values, **means, ETA: self.rates[:, [k]], LOSS: self.losses[:, None]}, after[:, [k]])
                after[:, k] = self.both()[:, 0]
        return after

    def claim(self, values: Values, right: Floats) -> None:
        """Note what the claim says, and what is right."""
        try:
            said = evaluate(self.formula, values)
        except ArithmeticError:  # of numbers alone, such as 1/0
            said = np.nan
        self.claimed, self.right = np.broadcast_to(said, self.shape), np.broadcast_to(right, self.shape)

    def both(self) -> Floats:
        """Return the right numbers in the first half of the runs, and those of the claim in the other."""
        return np.concatenate([self.right[: self.half], self.claimed[self.half :]])


def _gradients(made: Derivation) -> dict[Symbol, Expression]:
    """Return the formula of ∂ℒ/∂ of each parameter, by δ."""
    return {one: made.step(f"gradient {key(one)}").right for one in parameters(made)}


def _after(made: Derivation, left: Expression) -> list[Symbol]:
    """Return the δ that follow from one, in the order in which they are worked out."""
    changed: set[Expression] = {left}
    found = []
    for symbol, formula in made.definitions.items():
        if symbol.name == "δ" and symbol not in changed and formula.symbols() & changed:
            changed.add(symbol)
            found.append(symbol)
    return found
