"""What holds between symbols, and formulae as a caller may give them: as expressions, or as strings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

from ..errors import InputError
from .latex import GREEK
from .parser import parse
from .text import symbol_text
from .tokens import FUNCTIONS
from .tree import Expression, Symbol, expression

Definitions: TypeAlias = Mapping[Symbol, Expression]
"""Symbols that others define, each by symbols that are free or stand before it."""

Formula: TypeAlias = Expression | str
"""An expression, or what :func:`chainrule.formula.parse` reads as one."""

_LETTERS = {name: letter for letter, name in GREEK.items()}
_NAME = re.compile(r"\\?(?P<name>[^\W\d_]+)(?:_?(?P<index>\d+)|_\{(?P<indices>[\w, ]+)\})?")


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


def named_symbol(name: str) -> Symbol:
    r"""Return the symbol of a name: ``x``, ``w_2``, ``w_{2,1,3}``, ``delta_1`` or ``\delta_1``.

    Raises
    ------
    InputError
        When it is not a name.
    """
    match = _NAME.fullmatch(name.strip())
    if match is None:
        raise InputError(f"{name!r:.60} is not the name of a symbol, such as x, w_2 or w_{{2,1,3}}")
    return _symbol(match["name"], match["indices"] or match["index"])


def _symbol(letters: str, indices: str | None) -> Symbol:
    parts = [part.strip() for part in (indices or "").split(",") if part.strip()]
    return Symbol(_LETTERS.get(letters, letters), tuple(int(part) if part.isdigit() else part for part in parts))


def by_symbols(values: Mapping[Any, Any]) -> dict[Symbol, Any]:
    """Return a mapping whose keys are symbols, from one in which some are their names."""
    return {named_symbol(key) if isinstance(key, str) else key: value for key, value in values.items()}


def as_definitions(definitions: Mapping[Any, Formula] | None, formulae: Iterable[Formula]) -> Definitions:
    """Return definitions as expressions, in an order in which each stands after those that it needs.

    Raises
    ------
    InputError
        When a name or a formula cannot be read, or there is a cycle.
    """
    if not definitions:
        return {}
    by_symbol = by_symbols(definitions)
    if any(not isinstance(formula, Expression) for formula in by_symbol.values()):
        strings = [one for one in (*by_symbol.values(), *formulae) if isinstance(one, str)]
        names = {*by_symbol, *symbols_of(*by_symbol.values(), *formulae)}
        if any(isinstance(key, str) for key in definitions):  # then nobody has declared all symbols
            names |= {symbol for one in strings for symbol in _shown(one)}
        by_symbol = {symbol: as_expression(formula, names) for symbol, formula in by_symbol.items()}
    return ordered(by_symbol)


def as_expression(formula: Formula, names: Iterable[Symbol]) -> Expression:
    """Return a formula as an expression, a string being read in some symbols.

    Raises
    ------
    FormulaError
        When a string cannot be read.
    """
    return parse(formula, names).expression if isinstance(formula, str) else expression(formula)


def symbols_of(*formulae: Formula) -> list[Symbol]:
    """Return the symbols of formulae, in a fixed order; where only strings are given, those that they show.

    A run of letters in a string is a symbol for each letter, but for Greek letters that are written out.
    """
    known = {symbol for one in formulae if not isinstance(one, str) for symbol in expression(one).symbols()}
    if not known:
        known = {symbol for one in formulae if isinstance(one, str) for symbol in _shown(one)}
    return sorted(known, key=symbol_text)


def _shown(formula: str) -> Iterable[Symbol]:
    for match in _NAME.finditer(formula):
        letters, indices = match["name"], match["indices"] or match["index"]
        if letters in FUNCTIONS or letters in ("e", "ln"):
            continue
        if letters in _LETTERS:
            yield _symbol(letters, indices)
            continue
        for letter in letters[:-1]:
            yield _symbol(letter, None)
        yield _symbol(letters[-1], indices)
