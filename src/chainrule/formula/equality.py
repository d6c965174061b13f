"""Whether two formulae are equal, on all that the network's definitions leave free; exactly where both are rational.

Both sides are evaluated at random points, modulo the prime p = 2⁶¹ − 1 (Schwartz 1980, Zippel 1979). A point obeys the
definitions: where z₁ = x w₁ and f₁ = tanh(z₁) are given, x and w₁ are drawn and z₁ follows; a value of tanh is drawn as
well, the same wherever tanh is taken of the same number. So every correct substitution counts as equal. Two unequal
rational formulae of degree d agree at a point with a probability of at most d/(p − d), and at all points with that to
the power of their number: :attr:`Comparison.error_bound`. This holds for formulae written without knowing the
points, which are drawn anew in every process.

Both sides are evaluated at points of 50-digit numbers, too. There they must agree as well, which finds what has no
value, and what was made for the prime. And these points decide where functions are left that may be related, such as
exp(2z) and exp(z); where only they agree, 500 digits are compared, as tanh(100z) and tanh(200z) differ beyond 50.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .definitions import Definitions, Formula, as_definitions, as_expression, symbols_of
from .points import (
    DIGITS,
    MANY_DIGITS,
    PRIME,
    ZERO_DECIMALS,
    Degrees,
    ModularPoint,
    NumericPoint,
    Point,
    UndefinedError,
    numeric_points,
)
from .text import symbol_text
from .tokens import named_symbol
from .tree import Call, Expression, Negative, Symbol, limited_nesting

POINTS = 3
_SAME_DIGITS = 0.6  # share of the digits: in how many equal numbers agree
MOST_ERROR = 1e-12  # powers of powers may have a degree near the prime
ROUGH = 1e-6  # relative, of numbers of 16 digits
_TRIES = 10  # for each point modulo the prime, where a denominator is 0


@dataclass(frozen=True)
class Sample:
    """Points at which some expressions have values, and when two values are the same.

    Attributes
    ----------
    points : iterable of Point
    digits : int or None
        How many digits values have; None where they are exact, modulo the prime.
    """

    points: Iterable[Point]
    digits: int | None = DIGITS

    @property
    def exact(self) -> bool:
        """Whether values are exact."""
        return self.digits is None

    def same(self, a: Any, b: Any) -> bool:
        """Tell whether two values are the same."""
        if self.digits is None:
            return bool(a == b)
        same, zero = round(_SAME_DIGITS * self.digits), round(ZERO_DECIMALS * self.digits)
        return bool(abs(a - b) * 10**same <= max(abs(a), abs(b)) + 10.0 ** (same - zero))

    def agree(self, a: Expression, b: Expression) -> bool:
        """Tell whether two expressions have the same values; looks at points until one differs."""
        return all(self.same(point.value(a), point.value(b)) for point in self.points)


class Glance:
    """One look at an expression and at others, by which most that are not a multiple of it are known to be none."""

    def __init__(self, sample: Sample, tree: Expression) -> None:
        self.exact, self.tree = sample.exact, tree
        first = next(iter(sample.points))
        self.point = first.rough() if isinstance(first, NumericPoint) else first
        self.values: dict[int, tuple[Any, Expression]] = {}  # by identity, as hashing a tree takes as long

    def may_be_times(self, factor: Fraction, other: Expression) -> bool:
        """Tell whether the expression may be a factor times another; False is certain."""
        try:
            value, expected = self.value(self.tree), self.value(other)
        except (UndefinedError, ArithmeticError, ValueError):
            return True
        if self.exact:
            return bool((factor.numerator * expected - factor.denominator * value) % PRIME == 0)
        scaled = float(factor) * expected
        return bool(not abs(value - scaled) > ROUGH * max(abs(value), abs(scaled)))

    def value(self, tree: Expression) -> Any:
        """Return what an expression is at the point."""
        if id(tree) not in self.values:
            self.values[id(tree)] = self.point.value(tree), tree
        return self.values[id(tree)][0]


@dataclass(frozen=True)
class Comparison:
    """What comparing a formula with the right one has shown.

    Attributes
    ----------
    equal : bool
        Whether they are equal wherever the definitions hold.
    error_bound : float or None
        The probability with which the answer is wrong, where it was found exactly: 0 for unequal formulae. None where
        only 50-digit numbers decided.
    not_allowed : tuple of Symbol
        The symbols of the formula that are not among those which were asked for.
    undefined : Expression or None
        What in one of the formulae has no value at any point, such as a denominator that is 0.
    """

    equal: bool
    error_bound: float | None = None
    not_allowed: tuple[Symbol, ...] = ()
    undefined: Expression | None = None

    @property
    def exact(self) -> bool:
        """Whether the answer was found exactly."""
        return self.error_bound is not None

    def __bool__(self) -> bool:
        return self.equal and not self.not_allowed


@limited_nesting
def compare(
    formula: Formula,
    expected: Formula,
    definitions: Mapping[Any, Formula] | None = None,
    allowed: Collection[Symbol | str] | None = None,
) -> Comparison:
    """Compare a formula with the expected one.

    Parameters
    ----------
    formula, expected : Expression or str
        Of numbers, not of matrices. A string is read in the symbols of the other formula and of the definitions.
    definitions : mapping from Symbol to Expression, optional
        What holds between the symbols, in any order. Names and strings will do, too.
    allowed : collection of Symbol or str, optional
        The symbols that the formula may use, or their names, which is the form that is asked for; None allows all.

    Raises
    ------
    InputError
        When a string cannot be read, a formula is nested too deeply, or a symbol is defined by itself or twice.

    Examples
    --------
    >>> compare("(a + b)^2", "a^2 + 2a b + b^2").equal
    True
    >>> compare("1 - f_1^2", "1 - tanh(z_1)^2", {"f_1": "tanh(z_1)"}).equal
    True
    """
    formula, expected, definitions = expressions(formula, expected, definitions)
    not_allowed: tuple[Symbol, ...] = ()
    if allowed is not None:
        symbols = {named_symbol(one) if isinstance(one, str) else one for one in allowed}
        not_allowed = tuple(sorted(formula.symbols() - symbols, key=symbol_text))
    both = (formula, expected)
    bound = _error_bound(both, definitions)
    exact = _exact_sample(both, definitions) if bound <= MOST_ERROR else None
    agree = exact is not None and exact.agree(*both)
    if exact is not None and not agree and _is_decided_exactly(both, definitions):
        return Comparison(False, 0.0, not_allowed)
    try:
        points = numeric_points(definitions, both)
        equal = Sample([next(points)] if agree else points).agree(*both)
        if equal and not agree:
            equal = Sample(numeric_points(definitions, both, MANY_DIGITS), MANY_DIGITS).agree(*both)
    except UndefinedError as error:
        return Comparison(False, None, not_allowed, error.where)
    return Comparison(equal, bound if equal and agree else None, not_allowed)


def expressions(
    formula: Formula, expected: Formula, definitions: Mapping[Any, Formula] | None
) -> tuple[Expression, Expression, Definitions]:
    """Return two formulae and definitions as expressions, the definitions in an order that can be followed.

    Raises
    ------
    InputError
        When a string cannot be read, or a symbol is defined by itself.
    """
    found = as_definitions(definitions, (formula, expected))
    if isinstance(formula, Expression) and isinstance(expected, Expression):
        return formula, expected, found
    shown = symbols_of(formula, expected)  # of two strings all that they show, whatever the definitions mention
    names = {*shown, *symbols_of(*found, *found.values())}
    return as_expression(formula, names), as_expression(expected, names), found


def sampled(formulae: tuple[Expression, Expression], definitions: Definitions) -> Sample:
    """Return points by which one of two formulae can be told from others: exact ones, if both are rational.

    Raises
    ------
    UndefinedError
        When a formula has no value at any of many points.
    """
    decides = _is_decided_exactly(formulae, definitions) and _error_bound(formulae, definitions) <= MOST_ERROR
    exact = _exact_sample(formulae, definitions) if decides else None
    return exact or Sample(list(numeric_points(definitions, formulae)))


def _exact_sample(formulae: tuple[Expression, Expression], definitions: Definitions) -> Sample | None:
    """Return points modulo the prime at which two formulae have values, if there are some."""
    points: list[ModularPoint] = []
    for seed in range(POINTS * _TRIES):
        point = ModularPoint(definitions, seed)
        try:
            for tree in formulae:
                point.value(tree)
        except UndefinedError:
            continue
        points.append(point)
        if len(points) == POINTS:
            return Sample(points, digits=None)
    return None


def _is_decided_exactly(formulae: tuple[Expression, Expression], definitions: Definitions) -> bool:
    """Tell whether a difference modulo the prime is final: at most one function is left, and its values are free.

    They are where each is taken of a symbol whose definition has a free symbol to itself, as zᵢ has wᵢ.
    """
    if any(isinstance(part, Call) for tree in formulae for part in tree.walk()):
        return False
    calls = [part for tree in definitions.values() for part in tree.walk() if isinstance(part, Call)]
    firsts = [call.arguments[0] for call in calls]
    arguments = {first.operand if isinstance(first, Negative) else first for first in firsts}
    if {call.function for call in calls} not in (set(), {"tanh"}, {"exp"}):
        return False
    times: dict[Symbol, int] = {}
    frees: list[set[Symbol]] = []
    for argument in arguments:
        if not isinstance(argument, Symbol):
            return False
        frees.append(definitions.get(argument, argument).symbols() - definitions.keys())
        for symbol in frees[-1]:
            times[symbol] = times.get(symbol, 0) + 1
    return all(any(times[symbol] == 1 for symbol in free) for free in frees)


def _error_bound(formulae: tuple[Expression, Expression], definitions: Definitions) -> float:
    """Return the probability with which unequal formulae agree at all points."""
    degrees = Degrees(definitions)
    (above_a, below_a), (above_b, below_b) = map(degrees.of, formulae)
    degree = max(above_a + below_b, above_b + below_a, 1)
    return float((degree / (PRIME - degree)) ** POINTS) if 2 * degree < PRIME else 1.0
