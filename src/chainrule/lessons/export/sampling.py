"""Formulae as course platforms take them: names that can be typed, one line of text, and points at which to compare."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np

from ...errors import InputError
from ...formula import Call, Expression, Negative, Number, Power, Product, Quotient, Sum, Symbol, substituted
from ...formula.evaluation import evaluate
from ...formula.latex import GREEK
from ..problems import FormulaAnswer, Mistake

TOLERANCE = 0.001
"""How far a formula's value may be from the key's, relative to its size: enough for rounding."""
MARGIN = 20 * TOLERANCE
"""How far the value of every mistake is from the key's, relative to its size, wherever it may be evaluated."""

_INTERVALS = ((0.2, 0.3), (0.4, 0.55), (0.65, 0.8), (1.15, 1.4), (1.6, 2.0), (2.3, 2.8))
_CANDIDATES, _POINTS = 400, 300
_LEAST = 0.002  # of a key's size, beside the greatest: nearer to 0 it might change its sign between the points
_LEAST_CHANGE = 1.2  # by which factor a key's size must change, so that no constant is taken for it
_RESERVED = {"e", "i", "j", "pi"}  # what platforms have a number for


def typed_name(symbol: Symbol) -> str:
    """Return a symbol as it is typed: w_2, w_2_13, delta_1.

    Raises
    ------
    InputError
        When platforms would take it for something else.
    """
    letter = "L" if symbol.name == "ℒ" else GREEK.get(symbol.name, symbol.name).removeprefix("var")
    name = "_".join([letter, *map(str, symbol.indices)])
    if symbol.matrix or name in _RESERVED or not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name):
        raise InputError(f"{symbol} cannot be typed on a course platform: only names of numbers can")
    return name


def typed(tree: Expression, functions: Mapping[str, str]) -> str:
    """Return an expression as one line with ``*``, ``/`` and ``^``, as calculators and computer algebra read it.

    Parameters
    ----------
    tree : Expression
    functions : mapping
        How each function is written: a format of its arguments, in brackets where it is no call.

    Raises
    ------
    InputError
        When there is something in it that cannot be written so.
    """
    match tree:
        case Number(value):
            whole = value.denominator == 1
            return str(value.numerator) if whole else f"({value.numerator}/{value.denominator})"
        case Symbol():
            return typed_name(tree)
        case Negative(operand):
            return "-" + _bracketed(operand, functions, (Sum, Negative))
        case Sum(items):
            terms = typed(items[0], functions)
            for subtracted, term in tree.later_terms():
                terms += ("-" if subtracted else "+") + _bracketed(term, functions, (Sum, Negative))
            return terms
        case Product(items):
            return "*".join(_bracketed(item, functions, (Sum, Negative, Product, Quotient)) for item in items)
        case Quotient(numerator, denominator):
            above = _bracketed(numerator, functions, (Sum, Negative, Quotient))
            return f"{above}/{_bracketed(denominator, functions, (Sum, Negative, Product, Quotient))}"
        case Power(base, exponent):
            below = typed(base, functions) if isinstance(base, (Number, Symbol)) else f"({typed(base, functions)})"
            return f"{below}^{_bracketed(exponent, functions, (Sum, Negative, Product, Quotient, Power))}"
        case Call(function, arguments) if function in functions:
            return functions[function].format(*(typed(argument, functions) for argument in arguments))
    raise InputError(f"{tree} cannot be typed on this course platform")


def _bracketed(tree: Expression, functions: Mapping[str, str], loose: tuple[type[Expression], ...]) -> str:
    return f"({typed(tree, functions)})" if isinstance(tree, loose) else typed(tree, functions)


def in_order(symbols: Iterable[Symbol]) -> tuple[Symbol, ...]:
    """Return symbols by name and index, each once."""
    return tuple(
        sorted(set(symbols), key=lambda symbol: (symbol.name, [str(index).rjust(9) for index in symbol.indices]))
    )


def pairs(names: Iterable[Symbol], definitions: Mapping[Symbol, Expression]) -> Iterator[tuple[Symbol, Symbol]]:
    """Yield the symbols that another one alone defines, each with that one: fᵢ with zᵢ."""
    names = in_order(names)
    for name in names:
        parts = definitions[name].symbols() if name in definitions else set()
        if len(parts) == 1 and parts <= set(names) - {name}:
            yield name, parts.pop()


@dataclass(frozen=True)
class Sampled:
    """A formula that is compared at random points at which every symbol has a value of its own.

    Attributes
    ----------
    names : tuple of Symbol
        What may be typed: of fᵢ and zᵢ, one.
    written_out : mapping from Symbol to Expression
        What stands for symbols that were allowed, but whose values would follow from others'.
    left_out : mapping from Symbol to Symbol
        What is to be typed in the place of other symbols that were allowed.
    key : Expression
    mistakes : tuple of Mistake
        Those that can be typed.
    ranges : tuple of (float, float)
        Where the values of each name are drawn.
    """

    names: tuple[Symbol, ...]
    written_out: Mapping[Symbol, Expression]
    left_out: Mapping[Symbol, Symbol]
    key: Expression
    mistakes: tuple[Mistake[Expression], ...]
    ranges: tuple[tuple[float, float], ...]


def sampled(problem: str, answer: FormulaAnswer) -> Sampled:
    """Choose names and ranges for a platform that draws every symbol by itself.

    There a formula is right if it is the key with every symbol free. So fᵢ = f(zᵢ) must not be known by two names:
    where the key has zᵢ in it, zᵢ is taken, and fᵢ is written out; else fᵢ is taken. Ranges are tried, always the same,
    until the key is nowhere 0 and every mistake is far from it everywhere.

    Parameters
    ----------
    problem : str
        Its name, for the message.
    answer : FormulaAnswer

    Raises
    ------
    InputError
        When no ranges were found.
    """
    names = set(answer.key.symbols() if answer.allowed is None else answer.allowed)
    key = answer.key
    written_out: dict[Symbol, Expression] = {}
    left_out: dict[Symbol, Symbol] = {}
    for name, source in pairs(names, answer.definitions):
        if source in key.symbols():
            written_out[name] = answer.definitions[name]
            key = substituted(key, written_out)
            names.remove(name)
        elif source in names:
            left_out[source] = name
            names.remove(source)
    if not key.symbols() <= names:
        raise InputError(f"{problem}: {answer.key} is not made of what may be typed")
    rewritten = [replace(mistake, answer=substituted(mistake.answer, written_out)) for mistake in answer.mistakes]
    mistakes = tuple(mistake for mistake in rewritten if mistake.answer.symbols() <= names)
    ordered = in_order(names)
    ranges = _ranges(problem, ordered, key, [mistake.answer for mistake in mistakes])
    return Sampled(ordered, written_out, left_out, key, mistakes, ranges)


def _ranges(
    problem: str, names: tuple[Symbol, ...], key: Expression, wrong: Sequence[Expression]
) -> tuple[tuple[float, float], ...]:
    random, numbers = Random(0), np.random.default_rng(0)  # noqa: S311 - no secret; the same every time
    for _ in range(_CANDIDATES):
        # Each interval once before any comes twice: two symbols should seldom be alike.
        ranges = tuple(
            random.sample(_INTERVALS, len(names), counts=[-(-len(names) // len(_INTERVALS))] * len(_INTERVALS))
        )
        values = {name: numbers.uniform(*bounds, _POINTS) for name, bounds in zip(names, ranges, strict=True)}
        if _are_apart(key, wrong, values):
            return ranges
    raise InputError(
        f"{problem}: no ranges were found in which {key} differs from all its mistakes everywhere: take another seed"
    )


def _are_apart(key: Expression, wrong: Iterable[Expression], values: Mapping[Symbol, Any]) -> bool:
    """Tell whether the key keeps its sign, changes its size, and is far from every mistake."""
    with np.errstate(all="ignore"):
        right = np.broadcast_to(np.asarray(evaluate(key, values), dtype=float), _POINTS)
        size = np.abs(right)
        least, most = size.min(), size.max()
        one_sign = abs(right.min() + right.max()) == least + most
        if not (one_sign and least > _LEAST * most and (not key.symbols() or most >= _LEAST_CHANGE * least)):
            return False
        # A mistake without a value is refused anyway.
        return all(not np.any(np.abs(evaluate(formula, values) - right) < MARGIN * size) for formula in wrong)
