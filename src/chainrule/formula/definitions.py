"""What holds between symbols, and formulae as a caller may give them: as expressions, or as strings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from graphlib import CycleError, TopologicalSorter
from typing import Any, Concatenate, TypeAlias

from ..errors import InputError, quoted
from .parser import parse
from .text import symbol_text
from .tokens import FUNCTIONS, NAME, named_symbol, symbol_of
from .tree import Derivative, Expression, P, R, Symbol, expression, limited_nesting, replaced

Definitions: TypeAlias = Mapping[Symbol, Expression]
"""Symbols that others define, each by symbols that are free or stand before it."""

Formula: TypeAlias = Expression | str
"""An expression, or what :func:`chainrule.formula.parse` reads as one."""


def ordered(definitions: Definitions) -> Definitions:
    """Return definitions in an order in which each stands after those that it needs.

    Raises
    ------
    InputError
        When a symbol is defined by itself, directly or by way of others.
    """
    before: set[Symbol] = set()
    for symbol, formula in definitions.items():
        before.add(symbol)
        if any(one in definitions and (one not in before or one == symbol) for one in formula.symbols()):
            break
    else:
        return definitions
    needs = {symbol: formula.symbols() & definitions.keys() for symbol, formula in definitions.items()}
    try:
        return {symbol: definitions[symbol] for symbol in TopologicalSorter(needs).static_order()}
    except CycleError as error:
        cycle = " → ".join(symbol_text(symbol) for symbol in reversed(error.args[1]))
        raise InputError(f"definitions: {cycle} is a cycle, so none of these symbols has a value") from None


def by_symbols(values: Mapping[Any, Any], what: str, known: Iterable[Symbol] = ()) -> dict[Any, Any]:
    """Return a mapping whose keys are symbols, from one in which some are their names.

    Parameters
    ----------
    values : mapping from Symbol, Derivative or str
    what : str
        What messages call it.
    known : iterable of Symbol
        A name stands for one of these where it can, which may be a matrix.

    Raises
    ------
    InputError
        When it is not a mapping, a key is not a symbol or a name, or two keys are the same symbol.
    """
    if not isinstance(values, Mapping):
        raise InputError(f"{what} must be a mapping from symbols or their names, but is {quoted(values)}")
    meant = {(symbol.name, tuple(map(str, symbol.indices))): symbol for symbol in known}
    found: dict[Any, Any] = {}
    keys: dict[Any, Any] = {}
    for key, value in values.items():
        if not isinstance(key, (str, Symbol, Derivative)):
            raise InputError(f"{what}: {quoted(key)} is neither a symbol nor the name of one")
        symbol: Any = named_symbol(key) if isinstance(key, str) else key
        if isinstance(key, str):
            symbol = meant.get((symbol.name, tuple(map(str, symbol.indices))), symbol)
        if symbol in found:
            raise InputError(f"{what}: {quoted(keys[symbol])} and {quoted(key)} are the same symbol, {symbol}")
        found[symbol], keys[symbol] = value, key
    return found


def as_definitions(definitions: Mapping[Any, Formula] | None, formulae: Iterable[Formula]) -> Definitions:
    """Return definitions as expressions, in an order in which each stands after those that it needs.

    Raises
    ------
    InputError
        When a name or a formula cannot be read, or there is a cycle.
    """
    if definitions is None:
        return {}
    by_symbol = by_symbols(definitions, "definitions")
    if any(not isinstance(formula, Expression) for formula in by_symbol.values()):
        strings = [one for one in (*by_symbol.values(), *formulae) if isinstance(one, str)]
        names = {*by_symbol, *symbols_of(*by_symbol.values(), *formulae)}
        if any(isinstance(key, str) for key in definitions):  # then nobody has declared all symbols
            names |= {symbol for one in strings for symbol in _shown(one)}
        by_symbol = {symbol: as_expression(formula, names) for symbol, formula in by_symbol.items()}
    return ordered(by_symbol)


def as_expression(formula: Formula, names: Iterable[Symbol] | None = None) -> Expression:
    """Return a formula as an expression, a string being read in some symbols, or else in those that it shows.

    Raises
    ------
    FormulaError
        When a string cannot be read.
    """
    if not isinstance(formula, str):
        return expression(formula)
    return parse(formula, symbols_of(formula) if names is None else names).expression


def of_formula(function: Callable[Concatenate[Expression, P], R]) -> Callable[Concatenate[Formula, P], R]:
    """Return a function of an expression that takes a string as well."""

    @limited_nesting
    @wraps(function)
    def of_either(tree: Formula, /, *given: P.args, **more: P.kwargs) -> R:
        return function(as_expression(tree), *given, **more)

    return of_either


@limited_nesting
def substituted(tree: Formula, values: Mapping[Any, Any]) -> Expression:
    """Return a formula with others in the place of some symbols and derivatives, and all else as it is written.

    Parameters
    ----------
    tree : Expression or str
        A string is read in the symbols that it shows.
    values : mapping from Symbol or Derivative, or from the name of a symbol, to Expression, str or number

    Raises
    ------
    InputError
        When a name or a formula cannot be read, or two keys are the same symbol.
    """
    tree = as_expression(tree)
    by_symbol = by_symbols(values, "values", tree.symbols())
    return replaced(tree, {symbol: as_expression(value) for symbol, value in by_symbol.items()})


def symbols_of(*formulae: Formula) -> list[Symbol]:
    """Return the symbols of formulae, in a fixed order; where only strings are given, those that they show.

    A run of letters in a string is a symbol for each letter, but for Greek letters that are written out.
    """
    known = {symbol for one in formulae if not isinstance(one, str) for symbol in expression(one).symbols()}
    if not known:
        known = {symbol for one in formulae if isinstance(one, str) for symbol in _shown(one)}
    return sorted(known, key=symbol_text)


def _shown(formula: str) -> Iterable[Symbol]:
    for match in NAME.finditer(formula):
        letters, index = match["letters"], match["index"]
        if letters in FUNCTIONS or letters in ("e", "ln"):
            continue
        if (symbol := symbol_of(letters, index)).name != letters:  # a Greek letter that is spelled out
            yield symbol
            continue
        for letter in letters[:-1]:
            yield Symbol(letter)
        yield symbol_of(letters[-1], index)
