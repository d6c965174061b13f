"""What is wrong with a formula: the right one, altered as people mistake it, is compared with what they wrote.

Only values are compared, at the points of :mod:`chainrule.formula.equality`, so it does not matter how a formula is
written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from .definitions import Definitions, Formula
from .equality import Glance, expressions, sampled
from .functions import product_of
from .points import UndefinedError
from .text import symbol_text, text
from .tree import ONE, Expression, Negative, Number, Product, Symbol, expression, joined, limited_nesting, replaced

Kind: TypeAlias = Literal[
    "sign", "factor 2", "constant", "f for z", "index", "weight", "derivative", "missing factor", "extra factor"
]


@dataclass(frozen=True)
class Misconception:
    """Attributes: which kind of mistake a formula shows, and a sentence about it."""

    kind: Kind
    sentence: str


@limited_nesting
def diagnose(
    formula: Formula, expected: Formula, definitions: Mapping[Any, Formula] | None = None
) -> Misconception | None:
    """Return what makes a wrong formula differ from the expected one, or None if nothing known does.

    Parameters
    ----------
    formula, expected : Expression or str
        Of numbers. The expected one is a product, with a factor for each step of the chain rule; its symbols are named
        as in a network: x, y, w, z, f and δ, with the layer as the first index.
    definitions : mapping from Symbol to Expression, optional
        What holds between the symbols, as for :func:`chainrule.formula.compare`.

    Raises
    ------
    InputError
        As :func:`chainrule.formula.compare` does.
    """
    formula, expected, definitions = expressions(formula, expected, definitions)
    try:
        sample = sampled((formula, expected), definitions)
    except UndefinedError:
        return None
    glance = Glance(sample, formula)

    def is_times(factor: Fraction, tree: Expression) -> bool:
        try:
            return glance.may_be_times(factor, tree) and sample.agree(formula, expression(factor) * tree)
        except UndefinedError:
            return False

    if is_times(Fraction(1), expected):
        return None
    if is_times(Fraction(-1), expected):
        return _SIGN
    for sign, also in _SIGNS:
        for factor, mistake in ((Fraction(1, 2), _NO_TWO), (Fraction(2), _TWO_TWOS)):
            if is_times(sign * factor, expected):
                return Misconception(mistake.kind, mistake.sentence + also)
    known = _known((formula, expected, *definitions, *definitions.values()))
    altered_ones = list(_alterations(expected, known))
    for sign, also in _SIGNS:
        for altered, mistake in altered_ones:
            if is_times(Fraction(sign), altered):
                return Misconception(mistake.kind, mistake.sentence + also)
    for ratio in _RATIOS:
        if is_times(ratio, expected):
            shown = str(ratio).replace("-", "−")
            return Misconception("constant", f"It is {shown} times what it should be.")
    return None


_SIGN = Misconception("sign", "The sign is wrong: everything else is right.")
_NO_TWO = Misconception("factor 2", "A factor 2 is missing: the derivative of a square brings it down.")
_TWO_TWOS = Misconception("factor 2", "There is a factor 2 too many.")
_SIGNS = ((1, ""), (-1, " The sign is wrong, too."))
_SIZES = sorted({Fraction(above, below) for above in range(1, 13) for below in range(1, 13)})
_RATIOS = [sign * size for size in _SIZES for sign in (1, -1)]


def alterations(
    expected: Expression, definitions: Definitions | None = None
) -> Iterator[tuple[Expression, Misconception]]:
    """Yield what people make of a right formula, and which mistake that is: what :func:`diagnose` compares with.

    Some may be equal to the formula, or to one another, as names and definitions have it.
    """
    definitions = definitions or {}
    yield -expected, _SIGN
    if (two := expression(2)) in _factors(expected):
        yield product_of([factor for factor in _factors(expected) if factor != two]), _NO_TWO
    yield from _alterations(expected, _known((expected, *definitions, *definitions.values())))


def _known(trees: Iterable[Expression]) -> frozenset[Symbol]:
    return frozenset(symbol for tree in trees for symbol in tree.symbols())


def _alterations(expected: Expression, known: frozenset[Symbol]) -> Iterator[tuple[Expression, Misconception]]:
    """Yield those but for the sign and the factor 2: the likeliest first."""
    yield from _f_for_z(expected, known)
    yield from _shifted(expected, known)
    yield from _factors_left_out(expected)
    yield from _factors_too_many(expected, known)


def _f_for_z(expected: Expression, known: frozenset[Symbol]) -> Iterator[tuple[Expression, Misconception]]:
    for wrong, right in (("z", "f"), ("f", "z")):
        pairs = {
            one: Symbol(wrong, one.indices)
            for one in expected.symbols()
            if one.name == right and Symbol(wrong, one.indices) in known
        }
        if len(pairs) > 1:
            what = "the activation f(zᵢ)" if right == "f" else "the weighted input"
            sentence = f"{wrong} stands where {right} belongs: {right}ᵢ is {what}."
            yield replaced(expected, dict(pairs)), Misconception("f for z", sentence)
            slopes = [replaced(one, dict(pairs)) if _is_slope(one) else one for one in _factors(expected)]
            yield product_of(slopes), Misconception("f for z", sentence)
        for symbol, other in pairs.items():
            sentence = f"{symbol_text(other)} stands where {symbol_text(symbol)} belongs."
            yield replaced(expected, {symbol: other}), Misconception("f for z", sentence)
            for altered in _one_replaced(expected, symbol, other):
                yield altered, Misconception("f for z", sentence)


def _shifted(expected: Expression, known: frozenset[Symbol]) -> Iterator[tuple[Expression, Misconception]]:
    symbols = sorted((one for one in expected.symbols() if _layer(one) is not None), key=symbol_text)
    names = sorted({one.name for one in symbols})
    for by in (1, -1):
        pairs = {one: other for one in symbols if (other := _moved(one, by, known)) is not None}
        if len(pairs) > 1:
            yield replaced(expected, dict(pairs)), Misconception("index", f"All indices are {_off(by)}.")
        for name in names:
            of_name = {one: other for one, other in pairs.items() if one.name == name}
            if len(of_name) > 1:
                yield (
                    replaced(expected, dict(of_name)),
                    Misconception("weight" if name == "w" else "index", f"The indices of {name} are {_off(by)}."),
                )
        for symbol, other in pairs.items():
            why = "w with the index i leads into layer i" if symbol.name == "w" else f"an index is {_off(by)}"
            sentence = f"{symbol_text(other)} stands where {symbol_text(symbol)} belongs: {why}."
            kind: Kind = "weight" if symbol.name == "w" else "index"
            yield replaced(expected, {symbol: other}), Misconception(kind, sentence)
            for altered in _one_replaced(expected, symbol, other):
                yield altered, Misconception(kind, sentence)


def _factors_left_out(expected: Expression) -> Iterator[tuple[Expression, Misconception]]:
    factors = _factors(expected)
    # A slope may be several factors, as f₁(1−f₁) is: all of one unit, if one of them can be nothing else.
    units = dict.fromkeys(_unit(factor) for factor in factors if _is_slope(factor))
    if len(units) > 1:
        rest = [factor for factor in factors if _unit(factor) not in units]
        yield product_of(rest), Misconception("derivative", "The derivatives of the activations are left out.")
    for unit in units:
        slope = [factor for factor in factors if _unit(factor) == unit]
        z = symbol_text(Symbol("z", unit or ()))
        sentence = f"The derivative of the activation at {z} is left out: {text(joined(Product, *slope))}."
        yield product_of([factor for factor in factors if _unit(factor) != unit]), Misconception("derivative", sentence)
    for place, factor in enumerate(factors):
        if _unit(factor) not in units:
            rest = [*factors[:place], *factors[place + 1 :]]
            yield product_of(rest), Misconception("missing factor", f"A factor is missing: {text(factor)}.")


def _factors_too_many(expected: Expression, known: frozenset[Symbol]) -> Iterator[tuple[Expression, Misconception]]:
    factors = [factor for factor in _factors(expected) if not isinstance(factor, Number)]
    for factor in [*factors, *sorted(known - set(factors), key=symbol_text)]:
        yield expected * factor, Misconception("extra factor", f"There is a factor too many: {text(factor)}.")


def _factors(tree: Expression) -> list[Expression]:
    """Return the factors of a product, of products in it as well; of a negative, −1 and those of what it is of."""
    match tree:
        case Product(items):
            return [factor for item in items for factor in _factors(item)]
        case Negative(operand):
            return [Negative(ONE), *_factors(operand)]
    return [tree]


def _unit(factor: Expression) -> tuple[int | str, ...] | None:
    """Return the indices of the unit whose f and z a factor is made of; None if it is made of others."""
    symbols = factor.symbols()
    indices = {one.indices for one in symbols}
    return indices.pop() if len(indices) == 1 and {one.name for one in symbols} <= {"f", "z"} else None


def _is_slope(factor: Expression) -> bool:
    """Tell whether a factor is a part of an activation's slope: made of f and z of one unit, and not one of them."""
    return _unit(factor) is not None and not isinstance(factor, Symbol)


def _layer(symbol: Symbol) -> int | None:
    """Return the layer that a symbol belongs to; x is f₀."""
    if symbol.name == "x":
        return 0
    return symbol.indices[0] if symbol.indices and isinstance(symbol.indices[0], int) else None


def _moved(symbol: Symbol, by: int, known: frozenset[Symbol]) -> Symbol | None:
    """Return the symbol of the next layer or the one before, if there is one."""
    layer = _layer(symbol)
    if layer is None:
        return None
    name, others = ("f", symbol.indices) if symbol.name == "x" else (symbol.name, symbol.indices[1:])
    moved = Symbol("x", others) if name == "f" and layer + by == 0 else Symbol(name, (layer + by, *others))
    return moved if moved in known else None


def _off(by: int) -> str:
    return "one too large" if by > 0 else "one too small"


def _one_replaced(tree: Expression, symbol: Symbol, other: Expression) -> Iterator[Expression]:
    """Yield the expression with one occurrence of a symbol replaced, each of them once, if there are several."""
    if sum(part == symbol for part in tree.walk()) > 1:
        yield from _each_replaced(tree, symbol, other)


def _each_replaced(tree: Expression, symbol: Symbol, other: Expression) -> Iterator[Expression]:
    if tree == symbol:
        yield other
    for place, part in enumerate(tree.parts):
        for altered in _each_replaced(part, symbol, other):
            yield tree.of((*tree.parts[:place], altered, *tree.parts[place + 1 :]))
