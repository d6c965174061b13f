"""Derivations as text, Markdown with LaTeX, and HTML with MathML."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ..diagnostics.trace import dropout_layers
from ..formula import Expression, expression, latex, mathml, text
from .dependencies import as_svg, as_tree

if TYPE_CHECKING:
    from .steps import Derivation, Step

Write = Callable[[Expression], str]

_STYLE = (
    ".derivation li{margin:.8em 0}.derivation p{margin:.2em 0}.derivation math{font-size:1.1em}"
    ".derivation .formula{overflow:auto hidden;padding:.2em 0}"
)


def as_text(derivation: Derivation) -> str:
    """Return the derivation as plain text, a step after the other, and who depends on whom."""
    write = partial(text, notation=derivation.notation)
    lines = [_title(derivation), ""]
    for place, step in enumerate(derivation.steps, start=1):
        lines += [f"{place}. {step.words}", f"   {_formula(step, write, '←')}"]
        below = f"   {' ' * len(write(step.left))} "
        if step.numbers is not None:
            lines.append(f"{below}≈ {write(step.numbers)}")
        if step.result is not None:
            lines.append(f"{below}≈ {_result(step.result)}")
        lines.append("")
    return "\n".join([*lines, "What depends on what:", "", as_tree(derivation)])


def as_markdown(derivation: Derivation) -> str:
    """Return the derivation in Markdown, with formulae in LaTeX between dollar signs."""
    write = partial(latex, notation=derivation.notation)
    lines = [f"# {_title(derivation)}", ""]
    for place, step in enumerate(derivation.steps, start=1):
        parts = [_formula(step, write, r"\leftarrow")]
        parts += [write(step.numbers)] if step.numbers is not None else []
        parts += [_result_in_latex(step.result)] if step.result is not None else []
        lines += [f"{place}. {step.words}", "", "   $$" + r" \approx ".join(parts) + "$$", ""]
    return "\n".join([*lines, "What depends on what:", "", "```text", as_tree(derivation), "```", ""])


def as_html(derivation: Derivation, prefix: str = "") -> str:
    """Return the derivation as a part of a page, which needs nothing from elsewhere; ids begin with the prefix."""
    write = partial(mathml, notation=derivation.notation)
    items = []
    for place, step in enumerate(derivation.steps, start=1):
        here = f"{prefix}s{place}-"
        formula = write(step.left, f"{here}l") + (" ← " if _is_update(step) else " = ") + write(step.right, f"{here}r")
        formula += f" ≈ {write(step.numbers, f'{here}n')}" if step.numbers is not None else ""
        formula += f" ≈ {escape(_result(step.result))}" if step.result is not None else ""
        items.append(f'<li id="{prefix}step-{place}"><p>{escape(step.words)}</p><p class="formula">{formula}</p></li>')
    heading = f"<h2>{escape(_title(derivation))}</h2>"
    return (
        f'<div class="derivation"><style>{_STYLE}</style>{heading}<ol>{"".join(items)}</ol>{as_svg(derivation)}</div>'
    )


def _title(derivation: Derivation) -> str:
    net = derivation.network
    activations = ", ".join(dict.fromkeys(layer.activation.name for layer in net.layers))
    without = f", without dropout ({layers})" if (layers := dropout_layers(net)) else ""
    loss = net.loss.name.replace("_", " ")
    return f"The gradient of {'-'.join(map(str, net.widths))}, {activations}, {loss}{without}"


def _is_update(step: Step) -> bool:
    return step.name.startswith("update")


def _formula(step: Step, write: Write, arrow: str) -> str:
    return f"{write(step.left)} {arrow if _is_update(step) else '='} {write(step.right)}"


def _result(result: Any) -> str:
    if np.ndim(result) == 0:
        return f"{float(result):.6g}".replace("-", "−")
    rows = np.atleast_2d(result)
    shown = "; ".join(
        " ".join(f"{number:.4g}" for number in row[:6]) + (" …" if len(row) > 6 else "") for row in rows[:6]
    )
    return f"[{shown}{'; …' if len(rows) > 6 else ''}]".replace("-", "−")


def _result_in_latex(result: Any) -> str:
    if np.ndim(result):
        return rf"\text{{{_result(result)}}}"
    return latex(expression(float(f"{float(result):.6g}"))) if np.isfinite(result) else rf"\text{{{_result(result)}}}"
