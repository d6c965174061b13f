"""Formulae: expressions that Python's operators build, printers, a parser for what people type, and exact equality.

The package stands alone: it knows nothing of networks.
"""

from . import latex as _latex
from . import mathml as _mathml
from . import python as _python
from . import sympy as _sympy
from . import text as _text
from .definitions import Definitions, of_formula, substituted
from .equality import Comparison, compare
from .evaluation import evaluate
from .misconceptions import Misconception, diagnose
from .parser import Parsed, parse
from .points import UndefinedError
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
)

latex = of_formula(_latex.latex)
mathml = of_formula(_mathml.mathml)
python = of_formula(_python.python)
text = of_formula(_text.text)
to_sympy = of_formula(_sympy.to_sympy)

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
