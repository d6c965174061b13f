"""A tanh chain with squared error, written out: its symbols, what defines them, and the right formula of ∂ℒ/∂w₁."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.formula import Call, Expression, Symbol


@dataclass(frozen=True)
class Chain:
    """Lists count as in the formulae, with None where there is nothing."""

    x: Symbol
    y: Symbol
    w: list[Symbol]
    z: list[Symbol]
    f: list[Symbol]
    delta: list[Symbol]
    definitions: dict[Symbol, Expression]

    @property
    def names(self) -> list[Symbol]:
        return [self.x, self.y, *self.w[1:], *self.z[1:], *self.f[1:], *self.delta[1:]]

    @property
    def gradient(self) -> Expression:
        """∂ℒ/∂w₁ = x(1−f₁²)⋯(1−f_L²)·w₂⋯w_L·2(f_L−y)."""
        result: Expression = self.x
        for f in self.f[1:]:
            result = result * (1 - f**2)
        for w in self.w[2:]:
            result = result * w
        return result * 2 * (self.f[-1] - self.y)


def chain(length: int) -> Chain:
    x, y = Symbol("x"), Symbol("y")
    w, z, f, delta = ([Symbol(name, (i,)) for i in range(length + 1)] for name in "wzfδ")
    f[0] = x
    definitions: dict[Symbol, Expression] = {}
    for i in range(1, length + 1):
        definitions[z[i]] = f[i - 1] * w[i]
        definitions[f[i]] = Call("tanh", (z[i],))
    definitions[delta[length]] = 2 * (f[length] - y) * (1 - f[length] ** 2)
    for i in range(length - 1, 0, -1):
        definitions[delta[i]] = delta[i + 1] * w[i + 1] * (1 - f[i] ** 2)
    return Chain(x, y, w, z, f, delta, definitions)
