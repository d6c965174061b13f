"""Whether two formulae are equal, on all that the network's definitions leave free; exactly where both are rational.

Both sides are evaluated at random points, modulo the prime p = 2⁶¹ − 1 (Schwartz 1980, Zippel 1979). A point obeys the
definitions: where z₁ = x w₁ and f₁ = tanh(z₁) are given, x and w₁ are drawn and z₁ follows; a value of tanh is drawn as
well, the same wherever tanh is taken of the same number. So every correct substitution counts as equal. Two unequal
rational formulae of degree d agree at a point with a probability of at most d/(p − d), and at all points with that to
the power of their number: :attr:`Comparison.error_bound`.

Where functions are left that may be related, such as exp(2z) and exp(z), agreement at those points still proves
equality, but a difference is not final. Then 50-digit numbers decide, by a relative tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .points import DIGITS, PRIME, Definitions, Degrees, ModularPoint, NumericPoint, Point, UndefinedError
from .text import symbol_text
from .tree import Call, Expression, Negative, Symbol

POINTS = 3
NUMERIC_POINTS = 6
TOLERANCE = 1e-12
MOST_ERROR = 1e-12  # powers of powers may have a degree near the prime
_NOTHING = 1e-40  # what rounding leaves of 0
_TRIES = 10  # for each point, where a denominator is 0 or a logarithm's argument negative


@dataclass(frozen=True)
class Sample:
    """Points at which some expressions have values, and when two values are the same.

    Attributes
    ----------
    points : sequence of Point
    error_bound : float or None
        The probability with which the two formulae that the points were made for agree at all of them though they are
        unequal; None where values are not exact, modulo the prime, but 50-digit numbers.
    """

    points: Sequence[Point]
    error_bound: float | None = None

    @property
    def exact(self) -> bool:
        """Whether values are exact."""
        return self.error_bound is not None

    def same(self, a: Any, b: Any) -> bool:
        """Tell whether two values are the same."""
        return bool(a == b if self.exact else abs(a - b) <= TOLERANCE * max(abs(a), abs(b)) + _NOTHING)

    def agree(self, a: Expression, b: Expression) -> bool:
        """Tell whether two expressions have the same values; looks at points until one differs."""
        return all(self.same(point.value(a), point.value(b)) for point in self.points)


@dataclass(frozen=True)
class Comparison:
    """What comparing a formula with the right one has shown.

    Attributes
    ----------
    equal : bool
        Whether they are equal wherever the definitions hold.
    exact : bool
        Whether that was decided exactly, up to `error_bound`; else by 50-digit numbers.
    error_bound : float
        The probability with which two unequal formulae pass as equal; 0 where they were found unequal.
    not_allowed : tuple of Symbol
        The symbols of the formula that are not among those which were asked for.
    undefined : Expression or None
        What in the formula has no value anywhere, such as a denominator that is 0.
    """

    equal: bool
    exact: bool
    error_bound: float = 0.0
    not_allowed: tuple[Symbol, ...] = ()
    undefined: Expression | None = None

    def __bool__(self) -> bool:
        return self.equal and not self.not_allowed


def compare(
    formula: Expression,
    expected: Expression,
    definitions: Definitions | None = None,
    allowed: Collection[Symbol] | None = None,
) -> Comparison:
    """Compare a formula with the expected one.

    Parameters
    ----------
    formula, expected : Expression
        Of numbers, not of matrices.
    definitions : mapping from Symbol to Expression, optional
        What holds between the symbols.
    allowed : collection of Symbol, optional
        The symbols that the formula may use, which is the form that is asked for; None allows all.
    """
    definitions = definitions or {}
    not_allowed = tuple(sorted(formula.symbols() - set(allowed), key=symbol_text)) if allowed is not None else ()
    try:
        sample = sampled(formula, expected, definitions)
    except UndefinedError as error:
        return Comparison(False, True, not_allowed=not_allowed, undefined=error.where)
    equal = sample.agree(formula, expected)
    return Comparison(equal, sample.exact, (sample.error_bound or 0.0) if equal else 0.0, not_allowed)


def sampled(formula: Expression, expected: Expression, definitions: Definitions) -> Sample:
    """Return points that decide whether two formulae are equal: exact ones, if these show it or both are rational.

    Raises
    ------
    UndefinedError
        When a formula has no value at any of many points.
    """
    both = (formula, expected)
    bound = _error_bound(formula, expected, definitions)
    if bound <= MOST_ERROR:
        exact = Sample(_points(partial(ModularPoint, definitions), POINTS, both), bound)
        if exact.agree(*both) or _is_decided_exactly(both, definitions):
            return exact
    import mpmath

    context = mpmath.MPContext()
    context.dps = DIGITS
    return Sample(_points(partial(NumericPoint, definitions, context), NUMERIC_POINTS, both))


def _points(point_of: Callable[[int], Point], wanted: int, needed: Iterable[Expression]) -> list[Point]:
    """Return points, from seeds on, at which expressions have values; raise UndefinedError if there are none."""
    points: list[Point] = []
    why = None
    for seed in range(wanted * _TRIES):
        point = point_of(seed)
        try:
            for tree in needed:
                point.value(tree)
        except UndefinedError as error:
            why = error
            continue
        points.append(point)
        if len(points) == wanted:
            return points
    if why is not None and not points:
        raise why
    return points


def _is_decided_exactly(formulae: Iterable[Expression], definitions: Definitions) -> bool:
    """Tell whether a difference modulo the prime is final: at most one function is left, and its values are free."""
    if any(isinstance(part, Call) for tree in formulae for part in tree.walk()):
        return False
    calls = [part for tree in definitions.values() for part in tree.walk() if isinstance(part, Call)]
    firsts = [call.arguments[0] for call in calls]
    arguments = [first.operand if isinstance(first, Negative) else first for first in firsts]
    names = {call.function for call in calls}
    return names in (set(), {"tanh"}, {"exp"}) and all(isinstance(argument, Symbol) for argument in arguments)


def _error_bound(a: Expression, b: Expression, definitions: Definitions) -> float:
    """Return the probability with which unequal formulae agree at all points."""
    degrees = Degrees(definitions)
    (above_a, below_a), (above_b, below_b) = degrees.of(a), degrees.of(b)
    degree = max(above_a + below_b, above_b + below_a)
    return float((degree / (PRIME - degree)) ** POINTS) if 2 * degree < PRIME else 1.0
