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

import hashlib
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias

from .text import symbol_text, text
from .tree import (
    Call,
    Expression,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
)

PRIME = 2**61 - 1
POINTS = 3
DIGITS = 50
TOLERANCE = 1e-12
NUMERIC_POINTS = 6
_NOTHING = 1e-40  # what rounding leaves of 0
_TRIES = 10  # for each point, where a denominator is 0 or a logarithm's argument negative

Definitions: TypeAlias = Mapping[Symbol, Expression]
"""Symbols that others define, each by symbols that are free or stand before it."""


class UndefinedError(ArithmeticError):
    """An expression has no value at a point.

    Attributes
    ----------
    where : Expression
        The part that has none: a denominator that is 0, or a function outside its domain.
    """

    def __init__(self, where: Expression) -> None:
        super().__init__(f"{text(where)} has no value")
        self.where = where


class Point(Protocol):
    """Values of symbols that obey the definitions."""

    def value(self, tree: Expression) -> Any:
        """Return what an expression is there.

        Raises
        ------
        UndefinedError
            When it is nothing.
        """


@dataclass(frozen=True)
class Sample:
    """Points at which some expressions have values, and when two values are the same.

    Attributes
    ----------
    points : sequence of Point
    exact : bool
        Whether values are exact, modulo the prime; else they are 50-digit numbers.
    """

    points: Sequence[Point]
    exact: bool

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
    bound = _error_bound(formula, expected, definitions) if equal and sample.exact else 0.0
    return Comparison(equal, sample.exact, bound, not_allowed)


def sampled(formula: Expression, expected: Expression, definitions: Definitions) -> Sample:
    """Return points that decide whether two formulae are equal: exact ones, if these show it or both are rational.

    Raises
    ------
    UndefinedError
        When a formula has no value at any of many points.
    """
    both = (formula, expected)
    exact = Sample(_points(partial(_ModularPoint, definitions), POINTS, both), exact=True)
    if exact.agree(*both) or _is_decided_exactly(both, definitions):
        return exact
    import mpmath

    context = mpmath.MPContext()
    context.dps = DIGITS
    return Sample(_points(partial(_NumericPoint, definitions, context), NUMERIC_POINTS, both), exact=False)


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
    degrees = _Degrees(definitions)
    (above_a, below_a), (above_b, below_b) = degrees.of(a), degrees.of(b)
    degree = max(above_a + below_b, above_b + below_a)
    return float((degree / (PRIME - degree)) ** POINTS)


class _ModularPoint:
    """A point modulo the prime: free symbols are drawn when they are first met, and so are values of functions."""

    def __init__(self, definitions: Definitions, seed: int) -> None:
        self.definitions = definitions
        self.key = seed.to_bytes(8, "little")
        self.values: dict[Symbol, int] = {}

    def value(self, tree: Expression) -> int:
        match tree:
            case Symbol():
                known = self.values.get(tree)
                if known is None:
                    definition = self.definitions.get(tree)
                    known = self.drawn(symbol_text(tree)) if definition is None else self.value(definition)
                    self.values[tree] = known
                return known
            case Number(value):
                return (
                    value.numerator
                    if value.denominator == 1
                    else value.numerator * pow(value.denominator, -1, PRIME) % PRIME
                )
            case Negative(operand):
                return -self.value(operand) % PRIME
            case Sum(items):
                return sum(map(self.value, items)) % PRIME
            case Product(items):
                product = 1
                for item in items:
                    product = product * self.value(item) % PRIME
                return product
            case Quotient(numerator, denominator):
                below = self.value(denominator)
                if below == 0:
                    raise UndefinedError(denominator)
                return self.value(numerator) * pow(below, -1, PRIME) % PRIME
            case Power(base, exponent):
                return self.power(base, exponent)
            case Call(function, arguments):
                return self.call(function, [self.value(argument) for argument in arguments])
        raise TypeError(f"only numbers can be compared, not {tree!r}")

    def power(self, base: Expression, exponent: Expression) -> int:
        whole = _whole(exponent)
        if whole is None:
            return self.call("power", [self.value(base), self.value(exponent)])
        below = self.value(base)
        if below == 0 and whole < 0:
            raise UndefinedError(base)
        return pow(below, whole, PRIME)

    def call(self, function: str, arguments: list[int]) -> int:
        """Return what a function is: drawn, but for what holds of it everywhere."""
        first = arguments[0]
        if len(arguments) == 1:
            if first == 0 and function in _AT_ZERO:
                return _AT_ZERO[function]
            if first > PRIME // 2 and function in _ODD:
                return -self.call(function, [PRIME - first]) % PRIME
            if first > PRIME // 2 and function in _EVEN:
                return self.call(function, [PRIME - first])
            if first > PRIME // 2 and function == "exp":
                return pow(self.call(function, [PRIME - first]), -1, PRIME)
        return self.drawn(f"{function}{arguments}") or 1

    def drawn(self, name: str) -> int:
        """Return the random number that a name stands for."""
        digest = hashlib.blake2b(name.encode(), digest_size=16, key=self.key).digest()
        return int.from_bytes(digest, "little") % PRIME


_AT_ZERO = {"tanh": 0, "sin": 0, "erf": 0, "abs": 0, "sign": 0, "exp": 1, "cos": 1, "step": 0, "sqrt": 0}
_ODD, _EVEN = {"tanh", "sin", "erf", "sign"}, {"cos", "abs"}


def _whole(exponent: Expression) -> int | None:
    size = exponent.operand if isinstance(exponent, Negative) else exponent
    if isinstance(size, Number) and size.value.denominator == 1:
        return -size.value.numerator if isinstance(exponent, Negative) else size.value.numerator
    return None


class _Degrees:
    """Degrees of numerator and denominator of expressions, in all that is drawn: upper bounds."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.known: dict[Symbol, tuple[int, int]] = {}

    def of(self, tree: Expression) -> tuple[int, int]:
        match tree:
            case Symbol():
                if tree not in self.known:
                    definition = self.definitions.get(tree)
                    self.known[tree] = (1, 0) if definition is None else self.of(definition)
                return self.known[tree]
            case Negative(operand):
                return self.of(operand)
            case Sum(items):
                degrees = [self.of(item) for item in items]
                below = sum(degree for _, degree in degrees)
                return max(above + below - own for above, own in degrees), below
            case Product(items):
                degrees = [self.of(item) for item in items]
                return sum(above for above, _ in degrees), sum(below for _, below in degrees)
            case Quotient(numerator, denominator):
                (above, below), (above_d, below_d) = self.of(numerator), self.of(denominator)
                return above + below_d, below + above_d
            case Power(base, exponent):
                above, below = self.of(base)
                whole = _whole(exponent) or 1
                return (above * whole, below * whole) if whole > 0 else (-below * whole, -above * whole)
            case Call():
                return 1, 1  # a value of exp may be the inverse of what is drawn
        return 0, 0


class _NumericPoint:
    """A point of 50-digit numbers: free symbols are drawn when they are first met."""

    def __init__(self, definitions: Definitions, context: Any, seed: int) -> None:
        self.definitions, self.context = definitions, context
        self.random = random.Random(seed)  # noqa: S311 - points, not secrets
        # A logarithm needs positive numbers, a kink both its sides, and one away from 0 larger numbers.
        self.signs = ((1,), (-1,), (1, -1), (1, -1))[seed % 4]
        self.sizes = (1.0, 3.0) if seed % 4 == 3 else (0.2, 0.9)
        self.values: dict[Symbol, Any] = {}

    def value(self, tree: Expression) -> Any:
        mp = self.context
        match tree:
            case Symbol():
                if tree not in self.values:
                    definition = self.definitions.get(tree)
                    drawn = self.random.choice(self.signs) * self.random.uniform(*self.sizes)
                    self.values[tree] = mp.mpf(drawn) if definition is None else self.value(definition)
                return self.values[tree]
            case Number(value):
                return mp.mpf(value.numerator) / value.denominator
            case Negative(operand):
                return -self.value(operand)
            case Sum(items):
                return mp.fsum(map(self.value, items))
            case Product(items):
                return mp.fprod(map(self.value, items))
            case Quotient(numerator, denominator):
                below = self.value(denominator)
                if abs(below) < mp.mpf(10) ** (10 - DIGITS):
                    raise UndefinedError(denominator)
                return self.value(numerator) / below
            case Power(base, exponent):
                below, above = self.value(base), self.value(exponent)
                if (below == 0 and above < 0) or (below < 0 and above != mp.floor(above)):
                    raise UndefinedError(tree)
                return below**above
            case Call(function, arguments):
                values = [self.value(argument) for argument in arguments]
                if (function == "log" and values[0] <= 0) or (function == "sqrt" and values[0] < 0):
                    raise UndefinedError(tree)
                if function == "where":
                    return values[1] if values[0] else values[2]
                return _numeric_functions(mp)[function](*values)
        raise TypeError(f"only numbers can be compared, not {tree!r}")


def _numeric_functions(mp: Any) -> Mapping[str, Callable[..., Any]]:
    return {
        "abs": abs, "cos": mp.cos, "erf": mp.erf, "exp": mp.exp, "log": mp.log, "max": max, "min": min,
        "sign": mp.sign, "sin": mp.sin, "sqrt": mp.sqrt, "step": lambda x: mp.mpf(x > 0), "tanh": mp.tanh,
        "greater": lambda x, y: x > y,
    }  # fmt: skip
