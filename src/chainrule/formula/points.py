"""Points at which formulae are evaluated to compare them: of numbers modulo a prime, and of numbers of many digits.

Symbols that others define follow from these; free symbols are drawn when they are first met.
"""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from .definitions import Definitions
from .text import symbol_text, text
from .tree import Call, Expression, Negative, Number, Power, Product, Quotient, Sum, Symbol

PRIME = 2**61 - 1
_SECRET = secrets.token_bytes(16)  # so that no formula can be made for the points
FEW_DIGITS, DIGITS, MANY_DIGITS = 16, 50, 500
ZERO_DECIMALS = 0.8  # share of the digits: how many decimals of what should be 0 are 0


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


class ModularPoint:
    """A point modulo the prime: free symbols are drawn when they are first met, and so are values of functions."""

    def __init__(self, definitions: Definitions, seed: int) -> None:
        self.definitions = definitions
        self.key = _SECRET + seed.to_bytes(8, "little")
        self.values: dict[Symbol, int] = {}

    def value(self, tree: Expression) -> int:  # noqa: D102 - see Point
        match tree:
            case Symbol():
                if tree not in self.values:
                    if tree not in self.definitions:
                        self.values[tree] = self.drawn(symbol_text(tree))
                    _follow(self, tree)
                return self.values[tree]
            case Number(value):
                return value.numerator * pow(value.denominator, -1, PRIME) % PRIME
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
        """Return a power: drawn, where the exponent is no whole number."""
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


class Degrees:
    """Degrees of numerator and denominator of expressions, in all that is drawn: upper bounds."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.known: dict[Symbol, tuple[int, int]] = {}

    def of(self, tree: Expression) -> tuple[int, int]:
        """Return the two degrees of an expression."""
        match tree:
            case Symbol():
                if tree not in self.known and tree in self.definitions:
                    for symbol, definition in self.definitions.items():  # in their order, as points follow them
                        if symbol not in self.known:
                            self.known[symbol] = self.of(definition)
                        if symbol == tree:
                            break
                return self.known.get(tree, (1, 0))
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
            case Call(_, arguments):
                # A value of exp may be the inverse of what is drawn; and two arguments may happen to be the same.
                inside = sum(above + below for above, below in map(self.of, arguments))
                return 1 + inside, 1 + inside
        return 0, 0


class NumericPoint:
    """A point whose numbers have `digits` digits: free symbols are drawn when they are first met."""

    def __init__(
        self,
        definitions: Definitions,
        seed: int,
        negative: Collection[Symbol] | None = None,
        sizes: tuple[float, float] = (0.2, 0.9),
        digits: int = DIGITS,
    ) -> None:
        self.definitions, self.context = definitions, _context(digits)
        self.zero = self.context.mpf(10) ** -round(ZERO_DECIMALS * digits)  # smaller denominators count as 0
        self.seed, self.negative, self.sizes = seed, negative, sizes
        self.random = random.Random(_SECRET + bytes([seed]))  # noqa: S311 - points, not passwords
        self.values: dict[Symbol, Any] = {}
        self.calls: dict[Call, Any] = {}

    def rough(self) -> NumericPoint:
        """Return a point of the same kind whose numbers have 16 digits, which takes a tenth of the time."""
        return NumericPoint(self.definitions, self.seed, self.negative, self.sizes, FEW_DIGITS)

    def drawn(self, symbol: Symbol) -> float:
        """Return a number of the sizes, of the symbol's sign or of any."""
        size = self.random.uniform(*self.sizes)
        if self.negative is None:
            return size * self.random.choice((1, -1))
        return -size if symbol in self.negative else size

    def value(self, tree: Expression) -> Any:  # noqa: D102 - see Point
        mp = self.context
        match tree:
            case Symbol():
                if tree not in self.values:
                    if tree not in self.definitions:
                        self.values[tree] = mp.mpf(self.drawn(tree))
                    _follow(self, tree)
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
                if abs(below) < self.zero:
                    raise UndefinedError(denominator)
                return self.value(numerator) / below
            case Power(base, exponent):
                below, above = self.value(base), self.value(exponent)
                if below == 0 and above < 0:
                    raise UndefinedError(base)
                if below < 0 and above != mp.floor(above):
                    raise UndefinedError(tree)
                return below**above
            case Call():
                if tree not in self.calls:  # what takes longest, and many formulae that are compared have in common
                    self.calls[tree] = self.call(tree)
                return self.calls[tree]
        raise TypeError(f"only numbers can be compared, not {tree!r}")

    def call(self, tree: Call) -> Any:
        """Return what a function is."""
        mp, function = self.context, tree.function
        values = [self.value(argument) for argument in tree.arguments]
        outside = (function == "log" and values[0] <= 0) or (function == "sqrt" and values[0] < 0)
        if outside or (function in _PATIENT and abs(values[0]) > _LARGEST):
            raise UndefinedError(tree)
        if function == "where":
            return values[1] if values[0] else values[2]
        return _numeric_functions(mp)[function](*values)


def numeric_points(
    definitions: Definitions, needed: Sequence[Expression], digits: int = DIGITS
) -> Iterator[NumericPoint]:
    """Yield points at which expressions have values: four, and more where there are kinks or many digits.

    A logarithm needs positive numbers; a kink needs points on both its sides, wherever it is: then each free symbol is
    negative by itself once, and some are larger than all constants. At tiny numbers, which need many digits, functions
    such as tanh(1000 x) have not come to their limits.

    Raises
    ------
    UndefinedError
        When they have values nowhere.
    """
    trees = [*needed, *definitions, *definitions.values()]
    parts = [part for tree in trees for part in tree.walk()]
    free = sorted({one for one in parts if isinstance(one, Symbol)} - definitions.keys(), key=symbol_text)
    small, large, tiny = (0.2, 0.9), (1.0, 3.0), (1e-4, 1e-3)
    kinds: list[tuple[Collection[Symbol] | None, tuple[float, float]]]
    kinds = [((), small), (None, large), (free, small), (None, small)]
    if digits == MANY_DIGITS:
        kinds += [((), tiny), (None, tiny)]
    if any(isinstance(one, Call) and one.function in _KINKED for one in parts):
        most = 2.0 * max((float(one.value) for one in parts if isinstance(one, Number)), default=1.0)
        beyond = (0.75 * most, most)
        kinds += [((), beyond), (free, beyond), (None, beyond), (None, (0.0, most))]
        kinds += [((symbol,), small) for symbol in free]
    found, why = False, UndefinedError(needed[0])
    for seed, (negative, sizes) in enumerate(kinds):
        point = NumericPoint(definitions, seed % 256, negative, sizes, digits)
        try:
            for tree in needed:
                point.value(tree)
        except UndefinedError as error:
            why = error
            continue
        found = True
        yield point
    if not found:
        raise why


class _Symbolic(Protocol):
    definitions: Definitions
    values: dict[Symbol, Any]

    def value(self, tree: Expression) -> Any: ...


def _follow(point: _Symbolic, symbol: Symbol) -> None:
    """Work out the definitions up to that of a symbol, in their order, so that none waits for a long row of others."""
    if symbol in point.values:
        return
    for one, definition in point.definitions.items():
        if one not in point.values:
            point.values[one] = point.value(definition)
        if one == symbol:
            return


@cache
def _context(digits: int) -> Any:
    import mpmath

    if digits == FEW_DIGITS:
        return mpmath.fp
    context = mpmath.MPContext()
    context.dps = digits
    return context


_KINKED = {"abs", "greater", "max", "min", "sign", "step", "where"}
# exp(exp(exp(exp(x)))) has more digits than there is memory, and a sine of it would need them all.
_PATIENT, _LARGEST = {"cos", "erf", "exp", "sin", "tanh"}, 10_000


def _numeric_functions(mp: Any) -> Mapping[str, Callable[..., Any]]:
    return {
        "abs": abs, "cos": mp.cos, "erf": mp.erf, "exp": mp.exp, "log": mp.log, "max": max, "min": min,
        "sign": mp.sign, "sin": mp.sin, "sqrt": mp.sqrt, "step": lambda x: mp.mpf(x > 0), "tanh": mp.tanh,
        "greater": lambda x, y: x > y,
    }  # fmt: skip
