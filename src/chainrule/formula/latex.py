"""Formulae as LaTeX."""

from __future__ import annotations

from .text import LOOSE, Notation, decimals, has_layer_above, needs_no_brackets, symbol_parts
from .tree import (
    Call,
    Derivative,
    EntryProduct,
    Expression,
    MatrixProduct,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Transpose,
)

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau",
    "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
"""Greek letters by the names that LaTeX has for them."""
_NAMED = {"tanh", "sin", "cos", "log", "max", "min"}  # functions that LaTeX has a command for


def latex(tree: Expression, notation: Notation = "lecture") -> str:
    """Return an expression as LaTeX, for maths mode.

    Parameters
    ----------
    tree : Expression
        ``chainrule.formula.latex`` also takes a string, read in the symbols that it shows.
    notation : {"lecture", "superscript"}
        Whether symbols of layers are f₁ and w₂, or a⁽¹⁾ and w⁽²⁾.
    """

    def write(part: Expression) -> str:
        return latex(part, notation)

    def bracketed(part: Expression) -> str:
        return rf"\left({write(part)}\right)"

    def within(part: Expression, loose: tuple[type[Expression], ...]) -> str:
        return bracketed(part) if isinstance(part, loose) else write(part)

    match tree:
        case Number(value):
            return decimals(value).replace("e", r"\cdot 10^{") + ("}" if "e" in decimals(value) else "")
        case Symbol():
            return _symbol(tree, notation)
        case Negative(operand):
            return "-" + within(operand, (Negative, Sum))
        case Sum(items):
            written = write(items[0])
            for subtracted, term in tree.later_terms():
                written += f" {'-' if subtracted else '+'} {within(term, (Sum, Negative))}"
            return written
        case Product(items):
            return _product([within(item, LOOSE) for item in items])
        case EntryProduct(items):
            return r" \odot ".join(within(item, LOOSE) for item in items)
        case MatrixProduct(items):
            return r" ".join(within(item, LOOSE) for item in items)
        case Quotient(numerator, denominator):
            return rf"\frac{{{write(numerator)}}}{{{write(denominator)}}}"
        case Power(base, exponent):
            has_power = (isinstance(base, Number) and "e" in decimals(base.value)) or has_layer_above(base, notation)
            plain = needs_no_brackets(base) and not has_power
            return f"{write(base) if plain else bracketed(base)}^{{{write(exponent)}}}"
        case Transpose(operand):
            plain = isinstance(operand, Symbol) and not has_layer_above(operand, notation)
            return f"{write(operand) if plain else bracketed(operand)}^{{\\top}}"
        case Derivative(quantity, by):
            return rf"\frac{{\partial {write(quantity)}}}{{\partial {write(by)}}}"
        case Call(function, arguments):
            return _call(function, [write(argument) for argument in arguments])
    raise TypeError(f"not an expression: {tree!r}")


def _symbol(symbol: Symbol, notation: Notation) -> str:
    name, above, below = symbol_parts(symbol, notation)
    letter = "\\" + GREEK[name] if name in GREEK else r"\mathcal{L}" if name == "ℒ" else name
    if symbol.matrix:
        letter = rf"\boldsymbol{{{letter}}}" if letter.startswith("\\") else rf"\mathbf{{{letter}}}"
    letter += rf"^{{({above})}}" if above is not None else ""
    return f"{letter}_{{{','.join(map(str, below))}}}" if below else letter


def _product(factors: list[str]) -> str:
    written = ""
    for after in factors:
        digit = after[0].isdecimal() or (after.startswith(r"\frac") and written[-1:].isdecimal())
        dot = written and (digit or (written.endswith(r"\right)") and not after.startswith(r"\left(")))
        written += (r" \cdot " if dot else " " if written else "") + after
    return written


def _call(function: str, arguments: list[str]) -> str:
    first = arguments[0]
    match function:
        case "exp":
            return f"e^{{{first}}}"
        case "abs":
            return rf"\left|{first}\right|"
        case "sqrt":
            return rf"\sqrt{{{first}}}"
        case "step":
            return rf"\left[{first} > 0\right]"
        case "greater":
            return f"{first} > {arguments[1]}"
        case "row_sum" | "column_sum":
            return rf"\textstyle\sum \left({first}\right)"
    name = f"\\{function}" if function in _NAMED else rf"\operatorname{{{function.replace('_', ' ')}}}"
    return rf"{name}\left({', '.join(arguments)}\right)"
