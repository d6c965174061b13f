"""Formulae: expressions that Python's operators build, printers, a parser for what people type, and exact equality.

The package stands alone: it knows nothing of networks.
"""

from .definitions import Definitions
from .equality import Comparison, compare
from .evaluation import evaluate
from .latex import latex
from .mathml import mathml
from .misconceptions import Misconception, diagnose
from .parser import Parsed, parse
from .points import UndefinedError
from .python import python
from .sympy import to_sympy
from .text import text
from .tokens import FormulaError
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
    expression,
    substituted,
)

__all__ = [
    "Call",
    "Comparison",
    "Definitions",
    "Derivative",
    "EntryProduct",
    "Expression",
    "FormulaError",
    "MatrixProduct",
    "Misconception",
    "Negative",
    "Number",
    "Parsed",
    "Power",
    "Product",
    "Quotient",
    "Sum",
    "Symbol",
    "Transpose",
    "UndefinedError",
    "compare",
    "diagnose",
    "evaluate",
    "expression",
    "latex",
    "mathml",
    "parse",
    "python",
    "substituted",
    "text",
    "to_sympy",
]
