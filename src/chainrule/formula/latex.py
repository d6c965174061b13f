"""Formulae as LaTeX."""

from __future__ import annotations

from .text import LOOSE, decimals, needs_no_brackets
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


def latex(tree: Expression) -> str:
    """Return an expression as LaTeX, for maths mode."""
    match tree:
        case Number(value):
            return decimals(value).replace("e", r"\cdot 10^{") + ("}" if "e" in decimals(value) else "")
        case Symbol(name, indices, matrix):
            letter = "\\" + GREEK[name] if name in GREEK else r"\mathcal{L}" if name == "ℒ" else name
            bold = (
                (rf"\boldsymbol{{{letter}}}" if letter.startswith("\\") else rf"\mathbf{{{letter}}}")
                if matrix
                else letter
            )
            return f"{bold}_{{{','.join(map(str, indices))}}}" if indices else bold
        case Negative(operand):
            return "-" + (_bracketed(operand) if isinstance(operand, (Negative, Sum)) else latex(operand))
        case Sum(items):
            written = latex(items[0])
            for subtracted, term in tree.later_terms():
                shown = _bracketed(term) if isinstance(term, (Sum, Negative)) else latex(term)
                written += f" {'-' if subtracted else '+'} {shown}"
            return written
        case Product(items):
            return _product(items)
        case EntryProduct(items):
            return r" \odot ".join(map(_tight, items))
        case MatrixProduct(items):
            return r" ".join(map(_tight, items))
        case Quotient(numerator, denominator):
            return rf"\frac{{{latex(numerator)}}}{{{latex(denominator)}}}"
        case Power(base, exponent):
            has_power = isinstance(base, Number) and "e" in decimals(base.value)
            plain = needs_no_brackets(base) and not has_power
            return f"{latex(base) if plain else _bracketed(base)}^{{{latex(exponent)}}}"
        case Transpose(operand):
            return f"{latex(operand) if isinstance(operand, Symbol) else _bracketed(operand)}^{{\\top}}"
        case Derivative(quantity, by):
            return rf"\frac{{\partial {latex(quantity)}}}{{\partial {latex(by)}}}"
        case Call(function, arguments):
            return _call(function, [latex(argument) for argument in arguments])
    raise TypeError(f"not an expression: {tree!r}")


def _bracketed(tree: Expression) -> str:
    return rf"\left({latex(tree)}\right)"


def _tight(tree: Expression) -> str:
    return _bracketed(tree) if isinstance(tree, LOOSE) else latex(tree)


def _product(factors: tuple[Expression, ...]) -> str:
    written = ""
    for factor in factors:
        after = _tight(factor)
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
