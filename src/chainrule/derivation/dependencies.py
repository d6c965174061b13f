"""Who depends on whom: the loss on the output, that on its weighted input, and so on down to x and the parameters.

The chain rule multiplies along every way from the loss down to a parameter, and adds the ways.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ..formula import Symbol, text

if TYPE_CHECKING:
    from .steps import Derivation


def dependencies(derivation: Derivation) -> dict[Symbol, tuple[Symbol, ...]]:
    """Return for ℒ, and for each z and f, what it directly depends on, in the order in which its formula names it."""
    loss = derivation.step("loss")
    formulae = {loss.left: loss.right}
    formulae |= {symbol: formula for symbol, formula in derivation.definitions.items() if symbol.name != "y"}
    found: dict[Symbol, tuple[Symbol, ...]] = {}
    waiting = [loss.left]
    while waiting:
        symbol = waiting.pop(0)
        if not isinstance(symbol, Symbol) or symbol in found or symbol not in formulae:
            continue
        parts = [part for part in formulae[symbol].walk() if isinstance(part, Symbol)]
        if symbol == loss.left:  # which may be worked out from z_L, but is what it is by f_L
            parts = [Symbol("f", part.indices, part.matrix) if part.name == "z" else part for part in parts]
        found[symbol] = tuple(dict.fromkeys(parts))
        waiting += found[symbol]
    return found


def as_tree(derivation: Derivation) -> str:
    """Return the dependencies as a tree of text, what was shown above shortened to its name."""
    below = dependencies(derivation)
    lines: list[str] = []
    shown: set[Symbol] = set()
    waiting = [(next(iter(below)), "", "")]  # with what stands before it, and before what is below it
    while waiting:
        symbol, own, others = waiting.pop()
        again = symbol in shown and symbol in below
        lines.append(own + text(symbol, derivation.notation) + (" (see above)" if again else ""))
        shown.add(symbol)
        children = () if again else below.get(symbol, ())
        inner = [(child, f"{others}├─ ", f"{others}│  ") for child in children[:-1]]
        inner += [(child, f"{others}└─ ", f"{others}   ") for child in children[-1:]]
        waiting += reversed(inner)
    return "\n".join(lines)


def as_mermaid(derivation: Derivation) -> str:
    """Return the dependencies as a flow chart of Mermaid: arrows go the way of the forward pass."""
    below = dependencies(derivation)
    names: dict[Symbol, str] = {}
    for symbol in [*below, *(child for children in below.values() for child in children)]:
        names.setdefault(symbol, f"n{len(names)}")
    lines = ["flowchart LR", *(f'  {name}["{text(symbol, derivation.notation)}"]' for symbol, name in names.items())]
    lines += [f"  {names[child]} --> {names[symbol]}" for symbol, children in below.items() for child in children]
    return "\n".join(lines)


def as_svg(derivation: Derivation) -> str:
    """Return the dependencies as a drawing, from the input on the left to the loss on the right."""
    below = dependencies(derivation)
    columns = _columns(below)
    places: dict[Symbol, tuple[int, int]] = {}
    most = max(len(column) for column in columns)
    for across, column in enumerate(columns):
        for down, symbol in enumerate(column):
            places[symbol] = (40 + 90 * across, int(30 + 50 * (down + (most - len(column)) / 2)))
    lines = [
        f'<line x1="{places[child][0]}" y1="{places[child][1]}" x2="{places[symbol][0]}" y2="{places[symbol][1]}"/>'
        for symbol, children in below.items()
        for child in children
    ]
    circles = [
        f'<circle cx="{x}" cy="{y}" r="19"/><text x="{x}" y="{y + 4}">{escape(name)}</text>'
        for name, (x, y) in ((text(symbol, derivation.notation), place) for symbol, place in places.items())
    ]
    width, height = 80 + 90 * (len(columns) - 1), 60 + 50 * (most - 1)
    return (
        f'<svg class="dependencies" role="img" aria-label="What depends on what" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">'
        '<g stroke="#8a8a8a">' + "".join(lines) + '</g><g fill="#fff" stroke="#33618f" stroke-width="1.5">'
        "<style>.dependencies text{fill:#111;stroke:none;font:13px sans-serif;text-anchor:middle}</style>"
        + "".join(circles)
        + "</g></svg>"
    )


def _columns(below: dict[Symbol, tuple[Symbol, ...]]) -> list[list[Symbol]]:
    """Return symbols in columns, each to the left of all that depend on it, as far to the right as may be."""
    steps = {next(iter(below)): 0}  # to the loss, by the longest way
    waiting = list(steps)
    while waiting:
        symbol = waiting.pop(0)
        for child in below.get(symbol, ()):
            if steps.get(child, 0) <= steps[symbol]:
                steps[child] = steps[symbol] + 1
                waiting.append(child)
    furthest = max(steps.values())
    everything = list(dict.fromkeys([*below, *steps]))
    return [[symbol for symbol in everything if steps[symbol] == furthest - across] for across in range(furthest + 1)]
