"""What the steps of a derivation say in words: which layer and unit is meant follows from the indices of symbols."""

from __future__ import annotations

from ..activations import JointActivation
from ..formula import Expression, Product, Symbol, text
from ..formula.text import Notation
from ..network import Network

UNROLLED = "With every δ written out."


class Words:
    """The sentences of a network's derivation, unit by unit or in matrices."""

    def __init__(self, net: Network, matrices: bool, notation: Notation = "lecture") -> None:
        self.net = net
        self.matrices = matrices
        self.notation = notation
        self.is_chain = net.is_chain

    def weighted_input(self, z: Symbol) -> str:
        """Return what zᵢ is."""
        layer = self.net.layers[_layer(z) - 1]
        before = "the input" if _layer(z) == 1 else f"the activation of layer {_layer(z) - 1}"
        summed = "the weight" if self.is_chain else "the weights, summed up"
        return f"The weighted input of {_who(z)}: {before} times {summed}{', plus the bias' if layer.bias else ''}."

    def activation(self, f: Symbol) -> str:
        """Return what fᵢ is."""
        return f"The activation of {_who(f)}: {self.net.layers[_layer(f) - 1].activation.name} of the weighted input."

    def loss(self) -> str:
        """Return what ℒ is."""
        return f"The loss says how far the output is from the target y: {self.net.loss.name.replace('_', ' ')}."

    def last_error(self, delta: Symbol) -> str:
        """Return what δ_L is."""
        output = self.net.layers[-1].activation
        d, z, f = (self.text(Symbol(name, delta.indices, delta.matrix)) for name in ("δ", "z", "f"))
        if self.net.loss.linked(output.name):
            why = "for this activation and loss, the two slopes together are as simple as that"
        elif isinstance(output, JointActivation):
            why = f"every output depends on {z}, so the slope of the loss by each counts"
        else:
            why = f"the slope of the loss, ∂ℒ/∂{f}, times the slope of the activation, ∂{f}/∂{z}"
        return f"The error {d} = ∂ℒ/∂{z} of the output, by the chain rule: {why}."

    def error(self, delta: Symbol) -> str:
        """Return what δᵢ is, by δᵢ₊₁."""
        i = _layer(delta)
        d, z = (self.text(Symbol(name, delta.indices, delta.matrix)) for name in ("δ", "z"))
        next_d, next_z, f = (
            self.text(Symbol(name, (index,))) for name, index in (("δ", i + 1), ("z", i + 1), ("f", i))
        )
        if self.matrices:
            way = f"{next_d} goes back through the weights and is multiplied, entry by entry, by the slopes f′({z})"
        elif self.is_chain:
            way = f"{d} is {next_d}, times the weight ∂{next_z}/∂{f}, times the slope f′({z}) of the activation"
        else:
            way = (
                f"{d} is the sum of the errors of layer {i + 1}, each times the weight that leads to it, times the "
                f"slope f′({z}) of the activation"
            )
            return f"{z} acts on the loss only through the weighted inputs of layer {i + 1}: so {way}."
        return f"{z} acts on the loss only through {next_z}: so {way}."

    def gradient(self, parameter: Symbol, formula: Expression) -> str:
        """Return what ∂ℒ/∂ of a parameter is; the formula is δ, or a product with it."""
        name = self.text(parameter)
        delta = next(one for one in formula.walk() if isinstance(one, Symbol) and one.name == "δ")
        z = self.text(Symbol("z", delta.indices))
        if self.matrices:
            what = "a weight" if parameter.name == "W" else "a bias"
            slope = "the activation that it multiplies" if parameter.name == "W" else "1"
            why = f"{what} acts on the loss only through a {z}, whose slope by it is {slope}: so for all of them"
            return f"In {name}, {why}. The ∂ holds the input, the target and all other parameters fixed."
        slope = self.text(formula.items[0]) if isinstance(formula, Product) else "1"
        return (
            f"{name} acts on the loss only through {z}, and ∂{z}/∂{name} is {slope}. The ∂ holds the input, the target "
            f"and all other parameters fixed, but not {z} and what comes after it, which change with {name}."
        )

    def text(self, formula: Expression) -> str:
        """Return a formula in the notation that is asked for."""
        return text(formula, self.notation)

    def update(self) -> str:
        """Return what a step of gradient descent does."""
        return "A step of gradient descent goes against the gradient, η times as far as that is long."


def _layer(symbol: Symbol) -> int:
    return int(symbol.indices[0])


def _who(symbol: Symbol) -> str:
    """Return whose number it is: "layer 2", "unit 3 of layer 2"."""
    layer, *unit = symbol.indices
    return f"unit {unit[0]} of layer {layer}" if unit else f"layer {layer}"
