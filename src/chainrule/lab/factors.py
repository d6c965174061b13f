"""What formulae are made of: every symbol, and every slope among the factors, with a plain word for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from ..activations import JointActivation
from ..backpropagation import output_slope
from ..derivation.forms import turned
from ..derivation.steps import ETA, LOSS, Sign
from ..derivation.symbols import MatrixSymbols, Symbols, UnitSymbols
from ..formula import Derivative, Expression, Negative, Number, Symbol, text
from ..formula.mathml import part_name, symbol_name
from ..formula.text import Notation
from ..network import Network

Kind: TypeAlias = Literal["x", "y", "z", "f", "w", "b", "delta", "loss", "gradient", "eta", "slope", "loss_slope"]


class Part(Struct, frozen=True, rename={"unit_before": "from"}):
    """Something that stands in a formula.

    Attributes
    ----------
    symbol : str
        The ``data-symbol`` of its elements: "w_2", "delta_{1,3}", "slope_2", "gradient w_1".
    label : str
        As text: "w₂", "f′(z₂)".
    word : str
        "the weight of layer 2".
    kind : str
    layer : int or None
        0 for x, L for y and the slope of the loss.
    unit : int or None
        From 1; None where it is no unit's: ℒ, η, and whole matrices.
    unit_before : int or None
        Of a weight, the unit that it comes from; of a bias 0.
    """

    symbol: str
    label: str
    word: str
    kind: Kind
    layer: int | None = None
    unit: int | None = None
    unit_before: int | None = None


class Factors:
    """The parts of all formulae of a network.

    Attributes
    ----------
    parts : dict from str to Part
        By their ``data-symbol``.
    marks : dict from Expression to str
        The slopes, as they are written in formulae, with their ``data-symbol``.
    """

    def __init__(self, net: Network, in_matrices: bool, sign: Sign, notation: Notation) -> None:
        self.net, self.sign, self.notation = net, sign, notation
        self.in_matrices, self.is_chain = in_matrices, net.is_chain
        self.s: Symbols = MatrixSymbols(net) if in_matrices else UnitSymbols(net)
        self.parts: dict[str, Part] = {}
        self.marks: dict[Expression, str] = {}
        for part in (ETA, LOSS, *self._symbols()):
            self._add(self.part(part))
        for part in self._parameters():
            self._add(self.part(Derivative(LOSS, part)))
        self._slopes()

    def part(self, part: Symbol | Derivative) -> Part:
        """Return what a symbol or a derivative is."""
        label = text(part, self.notation)
        if isinstance(part, Derivative):
            of = self.part(part.by)
            word = f"the gradient{'s' if self.in_matrices else ''} for {of.word}"
            return Part(part_name(part), label, word, "gradient", of.layer, of.unit, of.unit_before)
        kind: Any = {"W": "w", "δ": "delta", "η": "eta", "ℒ": "loss"}.get(part.name, part.name)
        layer, unit, before = self.place(part)
        return Part(symbol_name(part), label, self._word(kind, layer, unit, before), kind, layer, unit, before)

    def place(self, symbol: Symbol) -> tuple[int | None, int | None, int | None]:
        """Return the layer and the unit of a symbol, and of a weight the unit that it comes from."""
        if symbol in (ETA, LOSS):
            return None, None, None
        indices = [int(one) for one in symbol.indices]
        layer = {"x": 0, "y": len(self.net.layers)}.get(symbol.name)
        if layer is None:
            layer, *indices = indices
        if self.in_matrices:
            return layer, None, None
        *befores, unit = indices or [1]
        if symbol.name == "w":
            return layer, unit, befores[0] if befores else 1
        return layer, unit, 0 if symbol.name == "b" else None

    def _word(self, kind: str, layer: int | None, unit: int | None, before: int | None) -> str:
        if kind in ("eta", "loss"):
            return {"eta": "the learning rate", "loss": "the loss"}[kind]
        of_layer = "" if kind in ("x", "y") else f" of layer {layer}"
        if self.in_matrices:
            return f"{_PLURAL[kind]}{of_layer}"
        if self.is_chain:
            return f"{_SINGULAR[kind]}{of_layer}"
        if kind == "w":
            start = "input" if layer == 1 else "unit"
            return f"the weight from {start} {before} to unit {unit}{of_layer}"
        if kind in ("x", "y"):
            return f"{_SINGULAR[kind]} {unit}".replace("the ", "") if kind == "x" else f"the target of output {unit}"
        return f"{_SINGULAR[kind]} of unit {unit}{of_layer}"

    def _symbols(self) -> Iterator[Symbol]:
        s = self.s
        for symbols in (s.y, *s.f, *s.z[1:], *s.delta[1:]):
            yield from s.entries(symbols, symbols)
        yield from self._parameters()

    def _parameters(self) -> Iterator[Symbol]:
        for symbols in (*self.s.params.weights, *self.s.params.biases):
            if symbols is not None:
                yield from self.s.entries(symbols, symbols)

    def _add(self, part: Part) -> None:
        self.parts[part.symbol] = part

    def _slopes(self) -> None:
        """Mark f′(zᵢ) of every unit, and the slope of the loss by every output."""
        net, s, last = self.net, self.s, len(self.net.layers)
        output = net.layers[-1].activation
        link = net.loss.linked(output.name)
        by = s.z[last] if link else s.f[last]
        for symbol, slope in s.entries(by, output_slope(net, s.y, s.z, s.f)).items():
            name, label = symbol_name(Symbol("loss_slope", symbol.indices[1:])), text(symbol, self.notation)
            self._mark(slope, "loss_slope", name, f"∂ℒ/∂{label}", self._slope_of_loss(symbol), symbol)
        for i in range(1, last + (not link and not isinstance(output, JointActivation))):
            activation = net.layers[i - 1].activation
            for z, slope in s.entries(s.z[i], activation.slope(s.z[i], s.f[i])).items():
                at = f"unit {z.indices[1]} of layer {i}" if len(z.indices) > 1 else f"layer {i}"
                word = f"the slope{'s' if self.in_matrices else ''} of {activation.name.replace('_', ' ')} at {at}"
                name = symbol_name(Symbol("slope", z.indices))
                self._mark(slope, "slope", name, f"f′({text(z, self.notation)})", word, z)

    def _slope_of_loss(self, by: Symbol) -> str:
        of_what = self.part(by).word
        slopes = "slopes" if self.in_matrices else "slope"
        return f"the {slopes} of the loss by {of_what}"

    def _mark(self, slope: Expression, kind: Kind, name: str, label: str, word: str, symbol: Symbol) -> None:
        if self.sign == "y-f":
            outputs, targets = (set(self.s.entries(one, one)) for one in (self.s.f[-1], self.s.y))
            slope = turned(slope, outputs, targets)
        if isinstance(slope, Negative):  # its sign goes in front of all factors
            slope = slope.operand
        if isinstance(slope, (Number, Symbol)):
            return
        layer, unit, _ = self.place(symbol)
        self.marks[slope] = name
        self._add(Part(name, label, word, kind, layer, unit))


_SINGULAR = {
    "x": "the input", "y": "the target", "z": "the weighted input", "f": "the activation", "delta": "the error",
    "w": "the weight", "b": "the bias",
}  # fmt: skip
_PLURAL = {
    "x": "the inputs", "y": "the targets", "z": "the weighted inputs", "f": "the activations", "delta": "the errors",
    "w": "the weights", "b": "the biases",
}  # fmt: skip
