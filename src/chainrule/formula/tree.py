"""Expressions: immutable trees that Python's operators build, terms and factors in the order in which they are written.

>>> x, w, f = Symbol("x"), Symbol("w", (2,)), Symbol("f", (1,))
>>> x * w * (1 - f**2)
x·w₂(1−f₁²)

Operators leave out what adds 0 or multiplies by 1, write one product for products of products, and fold nothing else.
The classes themselves keep what they are given: the parser builds with them what people typed. An expression stands for
a number, or for a matrix if a symbol in it does; then ``@`` is the matrix product, ``*`` the product of entries ⊙, and
``T`` the transpose.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property, wraps
from numbers import Rational, Real
from typing import Any, ParamSpec, TypeAlias, TypeVar

from ..errors import InputError

P = ParamSpec("P")
R = TypeVar("R")


class Expression:
    """What all expressions can do; see the module's text.

    Attributes
    ----------
    parts : tuple of Expression
        What the expression is directly made of, in order.
    """

    @property
    def parts(self) -> tuple[Expression, ...]:
        return ()

    def of(self, parts: tuple[Expression, ...]) -> Expression:
        """Return the same expression of other parts."""
        return self

    @cached_property
    def is_matrix(self) -> bool:
        """Whether it stands for a matrix."""
        return any(part.is_matrix for part in self.parts)

    @property
    def T(self) -> Expression:  # noqa: N802 - as NumPy calls it
        """The transpose."""
        return Transpose(self)

    def walk(self) -> Iterator[Expression]:
        """Yield the expression and all that it is made of, each before its parts."""
        waiting: list[Expression] = [self]
        while waiting:
            expression = waiting.pop()
            yield expression
            waiting.extend(reversed(expression.parts))

    def symbols(self) -> set[Symbol]:
        """Return the symbols in it."""
        return {one for one in self.walk() if isinstance(one, Symbol)}

    def __array_namespace__(self, **_: Any) -> Any:
        from . import functions

        return functions

    def __add__(self, other: Operand) -> Expression:
        return _sum(self, expression(other)) if _is_operand(other) else NotImplemented

    def __radd__(self, other: Operand) -> Expression:
        return _sum(expression(other), self) if _is_operand(other) else NotImplemented

    def __sub__(self, other: Operand) -> Expression:
        return _sum(self, -expression(other)) if _is_operand(other) else NotImplemented

    def __rsub__(self, other: Operand) -> Expression:
        return _sum(expression(other), -self) if _is_operand(other) else NotImplemented

    def __mul__(self, other: Operand) -> Expression:
        return _product(self, expression(other)) if _is_operand(other) else NotImplemented

    def __rmul__(self, other: Operand) -> Expression:
        return _product(expression(other), self) if _is_operand(other) else NotImplemented

    def __truediv__(self, other: Operand) -> Expression:
        return _quotient(self, expression(other)) if _is_operand(other) else NotImplemented

    def __rtruediv__(self, other: Operand) -> Expression:
        return _quotient(expression(other), self) if _is_operand(other) else NotImplemented

    def __pow__(self, other: Operand) -> Expression:
        return _power(self, expression(other)) if _is_operand(other) else NotImplemented

    def __rpow__(self, other: Operand) -> Expression:
        return _power(expression(other), self) if _is_operand(other) else NotImplemented

    def __abs__(self) -> Expression:
        return Call("abs", (self,))

    def __neg__(self) -> Expression:
        return self.operand if isinstance(self, Negative) else self if self == ZERO else Negative(self)

    def __pos__(self) -> Expression:
        return self

    def __matmul__(self, other: Expression) -> Expression:
        return joined(MatrixProduct, self, other) if isinstance(other, Expression) else NotImplemented

    def __gt__(self, other: Operand) -> Expression:
        return Call("greater", (self, expression(other)))

    def __bool__(self) -> bool:
        raise TypeError(f"{self} is neither true nor false: chainrule.elementary.where chooses between formulae")

    def __getitem__(self, _: Any) -> Expression:
        # A column or a row of itself, as in shares[:, None]: the formula writes it alike.
        return self

    __iter__ = None

    def __repr__(self) -> str:
        from .text import text

        return text(self)

    def _repr_latex_(self) -> str:
        from .latex import latex

        return f"${latex(self)}$"


Operand: TypeAlias = "Expression | Rational | Real | int | float"


@dataclass(frozen=True, repr=False)
class Number(Expression):
    """A number that is at least 0 and has finitely many decimals; others are negatives and quotients."""

    value: Fraction

    def __post_init__(self) -> None:
        if self.value < 0 or not has_finite_decimals(self.value):
            raise InputError(f"a number of a formula is at least 0 and has finitely many decimals, but is {self.value}")


@dataclass(frozen=True, repr=False)
class Symbol(Expression):
    """A name with indices: ``Symbol("w", (2, 13))`` is w₂,₁₃; indices are whole numbers or letters."""

    name: str
    indices: tuple[int | str, ...] = ()
    matrix: bool = False

    @cached_property
    def _hash(self) -> int:
        return hash((self.name, self.indices, self.matrix))

    def __hash__(self) -> int:  # values are looked up by symbols all the time
        return self._hash

    @cached_property
    def is_matrix(self) -> bool:
        return self.matrix


class _OfFields(Expression):
    """An expression whose fields are its parts."""

    @property
    def parts(self) -> tuple[Expression, ...]:
        return tuple(vars(self)[field.name] for field in fields(self))  # type: ignore[arg-type]

    def of(self, parts: tuple[Expression, ...]) -> Expression:
        return type(self)(*parts)


@dataclass(frozen=True, repr=False)
class Negative(_OfFields):
    """−a."""

    operand: Expression


@dataclass(frozen=True, repr=False)
class _Many(Expression):
    """Two or more of a kind. The first is not of the same kind itself: (a + b) + c is a + b + c."""

    items: tuple[Expression, ...]

    def __post_init__(self) -> None:
        if len(self.items) < 2 or type(self.items[0]) is type(self):
            kind = type(self).__name__
            raise InputError(f"a {kind} has two or more parts, and the first is not a {kind}")

    @property
    def parts(self) -> tuple[Expression, ...]:
        return self.items

    def of(self, parts: tuple[Expression, ...]) -> Expression:
        return joined(type(self), *parts)


class Sum(_Many):
    """a + b + …; a − b is the sum of a and −b."""

    def later_terms(self) -> Iterator[tuple[bool, Expression]]:
        """Yield the terms after the first as they are written: whether it is subtracted, and what is."""
        for term in self.items[1:]:
            yield (True, term.operand) if isinstance(term, Negative) else (False, term)


class Product(_Many):
    """a b …, of numbers, or of numbers and one matrix."""


class EntryProduct(_Many):
    """A ⊙ B ⊙ …, entry by entry."""


class MatrixProduct(_Many):
    """A B …."""


@dataclass(frozen=True, repr=False)
class Quotient(_OfFields):
    """a / b."""

    numerator: Expression
    denominator: Expression


@dataclass(frozen=True, repr=False)
class Power(_OfFields):
    """aᵇ."""

    base: Expression
    exponent: Expression


@dataclass(frozen=True, repr=False)
class Transpose(_OfFields):
    """Aᵀ."""

    operand: Expression


@dataclass(frozen=True, repr=False)
class Call(Expression):
    """A function of one or more expressions: tanh(z₁), max(z₁, 0); of a matrix, of each of its entries."""

    function: str
    arguments: tuple[Expression, ...]

    @property
    def parts(self) -> tuple[Expression, ...]:
        return self.arguments

    def of(self, parts: tuple[Expression, ...]) -> Expression:
        return Call(self.function, parts)


@dataclass(frozen=True, repr=False)
class Derivative(Expression):
    """∂a/∂b: a name for it, which says nothing of what it is."""

    quantity: Symbol
    by: Symbol

    @cached_property
    def is_matrix(self) -> bool:
        return self.by.matrix


def expression(value: Operand) -> Expression:
    """Return a number as an expression: exactly, as its shortest decimals say; an expression as it is.

    Raises
    ------
    InputError
        When it is no finite number.
    """
    if isinstance(value, Expression):
        return value
    if isinstance(value, Real) and math.isfinite(value):
        exact = Fraction(value) if isinstance(value, Rational) else Fraction(repr(float(value)))
        size = abs(exact)
        number = (
            Number(size)
            if has_finite_decimals(size)
            else Quotient(Number(Fraction(size.numerator)), Number(Fraction(size.denominator)))
        )
        return number if exact >= 0 else Negative(number)
    raise InputError(f"a formula is made of finite numbers and expressions, but not of {value!r:.80}")


def joined(kind: type[_Many], first: Expression, *others: Expression) -> Expression:
    """Return the sum or product of expressions, or the one that there is; a first of the kind is taken apart."""
    if not others:
        return first
    return kind((*(first.parts if type(first) is kind else (first,)), *others))


def limited_nesting(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function, raising InputError where an expression is nested too deeply for Python's recursion."""

    @wraps(function)
    def limited(*given: P.args, **more: P.kwargs) -> R:
        try:
            return function(*given, **more)
        except RecursionError:
            raise InputError(
                "a formula is nested too deeply: write a long sum as one Sum(items), a long product "
                "as one Product(items)"
            ) from None

    return limited


def replaced(tree: Expression, values: Mapping[Any, Expression]) -> Expression:
    """Return an expression with others in the place of some symbols and derivatives, and all else as it is written."""
    if isinstance(tree, (Symbol, Derivative)):
        return values.get(tree, tree)
    parts = tuple(replaced(part, values) for part in tree.parts)
    return tree if parts == tree.parts else tree.of(parts)


def has_finite_decimals(value: Fraction) -> bool:
    """Tell whether a fraction has finitely many decimals: its denominator has no prime factors but 2 and 5."""
    return bool(value.denominator == 2 ** times_in(value, 2) * 5 ** times_in(value, 5))


def times_in(value: Fraction, prime: int) -> int:
    """Return how often a prime divides the denominator of a fraction."""
    rest, times = value.denominator, 0
    while rest % prime == 0:
        rest //= prime
        times += 1
    return times


ZERO, ONE = Number(Fraction(0)), Number(Fraction(1))


def _is_operand(other: object) -> bool:
    return isinstance(other, (Expression, Real))


def _quotient(a: Expression, b: Expression) -> Expression:
    return a if b == ONE else Quotient(a, b)


def _power(a: Expression, b: Expression) -> Expression:
    return a if b == ONE else Power(a, b)


def _sum(a: Expression, b: Expression) -> Expression:
    return b if a == ZERO else a if b == ZERO else joined(Sum, a, b)


def _product(a: Expression, b: Expression) -> Expression:
    if ZERO in (a, b):
        return ZERO
    if a == ONE:
        return b
    if b == ONE:
        return a
    if isinstance(a, Negative):
        return -(a.operand * b)
    if a.is_matrix and b.is_matrix:
        return joined(EntryProduct, a, b)
    return joined(Product, a, *(b.items if isinstance(b, Product) else (b,)))
