"""The symbols of a network, as back-propagation takes its arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..diagnostics.trace import Trace
from ..formula import Symbol, expression
from ..formula.functions import Table, table
from ..formula.mathml import symbol_name
from ..network import Network
from ..parameters import Parameters


class Symbols:
    """The symbols of a network, in the shapes in which back-propagation takes its arrays, for one row."""

    def __init__(self, net: Network, symbol: Any) -> None:
        widths = net.widths
        layers = range(1, len(widths))
        self.x, self.y = symbol("x", (), (1, widths[0])), symbol("y", (), (1, widths[-1]))
        self.z = [None, *(symbol("z", (i,), (1, widths[i])) for i in layers)]
        self.f = [self.x, *(symbol("f", (i,), (1, widths[i])) for i in layers)]
        self.delta = [None, *(symbol("δ", (i,), (1, widths[i])) for i in layers)]
        weights = [symbol("w", (i,), (widths[i - 1], widths[i])) for i in layers]
        biases = [symbol("b", (i,), (widths[i],)) if net.layers[i - 1].bias else None for i in layers]
        self.params = Parameters(weights, biases)
        self.ones: Any = None  # the shares of the rows

    def values(self, trace: Trace) -> dict[Symbol, Any]:
        """Return what the symbols are in a trace of one row."""
        values: dict[Symbol, Any] = {}
        params, arrays = self.params, trace.parameters
        pairs: list[tuple[Any, Any]] = [(self.y, trace.y), *zip(self.f, trace.f, strict=True)]
        for symbols, numbers in ((self.z, trace.z), (self.delta, trace.delta)):
            pairs += zip(symbols[1:], numbers[1:], strict=True)
        pairs += zip(params.weights, arrays.weights, strict=True)
        pairs += [(one, array) for one, array in zip(params.biases, arrays.biases, strict=True) if one is not None]
        for symbol, array in pairs:
            values |= self.entries(symbol, array)
        return values

    def entries(self, symbols: Any, other: Any) -> dict[Symbol, Any]:
        """Return from each symbol in an array of them what stands in its place in another."""
        raise NotImplementedError


class UnitSymbols(Symbols):
    """A symbol for each unit: w₂,₁,₃ leads from unit 1 into unit 3 of layer 2; in a chain it is just w₂."""

    def __init__(self, net: Network) -> None:
        is_chain = net.is_chain

        def symbols(name: str, layer: tuple[int, ...], shape: tuple[int, ...]) -> Table:
            # A row's own index, and that of the one unit of a chain, says nothing.
            places = [place[1:] if name in "xyzfδ" else place for place in np.ndindex(shape)]
            entries = [Symbol(name, layer if is_chain else layer + tuple(k + 1 for k in place)) for place in places]
            return table(entries).reshape(shape).view(Table)

        super().__init__(net, symbols)
        self.ones = table([expression(1)])

    def entries(self, symbols: Any, other: Any) -> dict[Symbol, Any]:  # noqa: D102 - see Symbols
        return dict(zip(symbols.ravel(), np.asarray(other).ravel(), strict=True))


class MatrixSymbols(Symbols):
    """A symbol for each matrix."""

    def __init__(self, net: Network) -> None:
        super().__init__(net, lambda name, layer, _: Symbol(name.upper() if name == "w" else name, layer, matrix=True))
        self.ones = expression(1)

    def entries(self, symbols: Any, other: Any) -> dict[Symbol, Any]:  # noqa: D102 - see Symbols
        return {symbols: other}


def key(symbol: Symbol) -> str:
    """Return how a symbol is named in steps: w_1, delta_1, w_{1,2,3}."""
    return symbol_name(symbol)
